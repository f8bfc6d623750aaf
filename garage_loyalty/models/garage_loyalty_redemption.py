from odoo import api, fields, models
from odoo.exceptions import UserError

from ..tools.points import points_left

STATES = [
    ("draft", "Planned"),
    ("reserved", "Reserved"),
    ("done", "Done"),
    ("released", "Released"),
    ("returned", "Given back"),
]


class GarageLoyaltyRedemption(models.Model):
    """Points spent on one quotation or invoice.

    Planned on a draft; the points leave the balance when the document is confirmed
    or posted, and come back when it is cancelled, set to draft or credited.
    """

    _name = "garage.loyalty.redemption"
    _description = "Points Redemption"
    _order = "id desc"

    member_id = fields.Many2one(
        "garage.loyalty.member",
        required=True,
        readonly=True,
        ondelete="restrict",
        index=True,
    )
    partner_id = fields.Many2one(related="member_id.partner_id")
    company_id = fields.Many2one(related="member_id.company_id", store=True)
    order_id = fields.Many2one(
        "sale.order",
        string="Quotation",
        readonly=True,
        ondelete="set null",
        index="btree_not_null",
    )
    move_id = fields.Many2one(
        "account.move",
        string="Invoice",
        readonly=True,
        ondelete="set null",
        index="btree_not_null",
    )
    source_name = fields.Char(
        string="Document", compute="_compute_source_name", store=True
    )
    order_line_ids = fields.One2many("sale.order.line", "loyalty_redemption_id")
    move_line_ids = fields.One2many("account.move.line", "loyalty_redemption_id")
    currency_id = fields.Many2one("res.currency", required=True, readonly=True)
    points = fields.Integer(required=True, readonly=True)
    points_spent = fields.Integer(
        readonly=True, help="Points taken from the balance and not given back."
    )
    amount = fields.Monetary(
        readonly=True, help="What the points take off, taxes included."
    )
    state = fields.Selection(
        STATES, required=True, readonly=True, default="draft", copy=False
    )
    user_id = fields.Many2one(
        "res.users",
        string="Redeemed by",
        readonly=True,
        ondelete="restrict",
        default=lambda self: self.env.user,
    )

    _points_positive = models.Constraint(
        "CHECK(points > 0)", "At least one point must be redeemed."
    )

    @api.depends("order_id.name", "move_id.name")
    def _compute_source_name(self):
        for redemption in self:
            source = redemption.order_id or redemption.move_id
            # A deleted document leaves its name behind.
            if source:
                redemption.source_name = source.name or source.display_name

    @api.depends("source_name", "points")
    def _compute_display_name(self):
        for redemption in self:
            redemption.display_name = self.env._(
                "%(document)s: %(points)s points",
                document=redemption.source_name or self.env._("Draft"),
                points=redemption.points,
            )

    # -- what happens to the document -------------------------------------------

    def _before_posting(self):
        """Refuse to post or confirm what the document does not allow any more."""
        for redemption in self.sudo():  # whoever posts need not know the programme
            document = redemption.move_id or redemption.order_id
            if redemption.points_spent or not document:
                continue
            room = document._get_loyalty_room(redemption)
            if redemption.currency_id.compare_amounts(redemption.amount, room) > 0:
                raise UserError(
                    self.env._(
                        "%(document)s was changed: it now allows %(room)s to be paid "
                        "with points, but %(amount)s is redeemed. Press “Redeem” "
                        "again to adjust it.",
                        document=document.display_name,
                        room=redemption.currency_id.format(room),
                        amount=redemption.currency_id.format(redemption.amount),
                    )
                )

    def _remove(self):
        """Take a planned redemption off its draft document."""
        for redemption in self:
            (redemption.order_line_ids or redemption.move_line_ids).unlink()

    def _after_lines_removed(self):
        """Give up redemptions whose lines are gone; keep the others whole."""
        for redemption in self.exists().sudo():  # lines go without ledger rights
            lines = (
                redemption.order_line_ids
                if redemption.order_id
                else redemption.move_line_ids
            )
            lines.filtered(
                lambda line: (
                    line._name == "sale.order.line" or line.parent_state == "draft"
                )
            ).unlink()
            redemption._sync()

    def _sync(self):
        """Take or give back the difference between what is and what should be.

        Idempotent, like the synchronisation of earned points.

        :raise UserError: when the points are not there any more
        """
        posted = self.env["garage.loyalty.entry"]._get_sums(self)
        for redemption in self:
            target = redemption._get_points_target()
            delta = -target - posted.get(redemption.id, 0)
            document = redemption._get_ledger_document()
            redemption.member_id._post_points(
                "redeem" if delta < 0 else "restore",
                delta,
                redemption._get_entry_date(document),
                source=redemption,
                reason=redemption._get_ledger_reason(delta),
                **redemption._get_posting_options(delta),
            )
            vals = {"points_spent": target, "state": redemption._get_state(target)}
            if any(redemption[name] != value for name, value in vals.items()):
                redemption.write(vals)

    def _get_posting_options(self, delta):
        """Return how points are taken or given back, see ``_post_points``.

        Points are spent when there are enough. What a cancelled credit note takes
        again is taken in any case: the invoice was paid with it.
        """
        self.ensure_one()
        if delta > 0:
            return {"origin": self}
        return {"cover": self.state not in ("done", "returned")}

    def _get_invoices(self):
        self.ensure_one()
        return self.move_line_ids.move_id.filtered(
            lambda move: move.move_type == "out_invoice" and move.state == "posted"
        )

    def _is_taken(self):
        """Tell whether the document's state means that the points are spent."""
        self.ensure_one()
        if self._get_invoices():
            return True
        return bool(self.order_line_ids) and self.order_id.state == "sale"

    def _get_points_target(self):
        """Return the points that should be gone from the balance.

        Credit notes give points back in proportion to what they credit.
        """
        self.ensure_one()
        if not self._is_taken():
            return 0
        invoices = self._get_invoices()
        credits = invoices.reversal_move_ids.filtered(
            lambda move: move.move_type == "out_refund" and move.state == "posted"
        )
        return points_left(
            self.points, self._get_gross(invoices), self._get_gross(credits)
        )

    def _get_gross(self, moves):
        """Return what the documents bill for before the redemption, net of tax."""
        lines = moves.invoice_line_ids.filtered(lambda line: line._is_loyalty_priced())
        return abs(self.company_id.currency_id.round(sum(lines.mapped("balance"))))

    def _get_state(self, target):
        self.ensure_one()
        if target:
            return "done" if self._get_invoices() else "reserved"
        if self._is_taken():
            return "returned"
        document = self.order_id if self.order_line_ids else self.move_line_ids.move_id
        states = set(document.mapped("state"))
        return "draft" if states & {"draft", "sent"} else "released"

    def _get_ledger_document(self):
        self.ensure_one()
        return self._get_invoices()[:1] or self.order_id

    def _get_entry_date(self, document):
        """Return the day on which points were spent or given back."""
        self.ensure_one()
        today = fields.Date.context_today(self)
        credits = document.reversal_move_ids if document._name == "account.move" else ()
        dates = [move.invoice_date for move in credits if move.state == "posted"]
        if dates:
            return max(dates)
        if document._name == "account.move" and document.invoice_date:
            return document.invoice_date
        return today

    def _get_ledger_reason(self, delta):
        self.ensure_one()
        if delta < 0:
            return self.env._("Paid with points")
        if self._is_taken():
            return self.env._("Credit note")
        return self.env._("Document no longer confirmed")

    def _locked_message(self):
        self.ensure_one()
        return self.env._(
            "What is paid with points cannot be changed by hand. "
            "Press “Redeem” again, or delete the line to give the points back."
        )
