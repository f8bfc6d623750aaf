from odoo import api, fields, models

from ..tools.redeem import share_spent

STATES = [
    ("draft", "Planned"),
    ("reserved", "Reserved"),
    ("done", "Done"),
    ("released", "Released"),
    ("returned", "Given back"),
]


class GarageLoyaltyRedemption(models.Model):
    """Points spent on one quotation or invoice.

    Planned on a draft; spent when it is confirmed or posted; given back when it is
    cancelled, set to draft or credited.
    """

    _name = "garage.loyalty.redemption"
    _description = "Points Redemption"
    _inherit = [
        "garage.loyalty.offer.log",
        "garage.loyalty.redemption.check.mixin",
        "garage.loyalty.export.mixin",
    ]
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
    entry_ids = fields.One2many(
        "garage.loyalty.entry",
        "source_id",
        domain=[("source_model", "=", "garage.loyalty.redemption")],
        readonly=True,
    )
    currency_id = fields.Many2one("res.currency", required=True, readonly=True)
    reward_id = fields.Many2one(
        "garage.loyalty.reward",
        readonly=True,
        ondelete="restrict",
        index="btree_not_null",
        help="What the points bought. Empty when they were spent as money.",
    )
    points = fields.Integer(
        required=True, readonly=True, help="Points that the redemption asks for."
    )
    points_spent = fields.Integer(
        readonly=True, help="Points taken from the balance and not given back."
    )
    amount = fields.Monetary(
        readonly=True, help="What the points take off, taxes included."
    )
    company_currency_id = fields.Many2one(
        related="company_id.currency_id", string="Company Currency"
    )
    cost = fields.Monetary(
        currency_field="company_currency_id",
        readonly=True,
        help="What it cost on the day it was redeemed: what the points take off, net "
        "of tax; of a free product, its cost price.",
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
        "CHECK(points > 0 OR points = 0 AND reward_id IS NOT NULL)",
        "At least one point must be redeemed.",
    )
    _undone_idx = models.Index("(member_id) WHERE state <> 'done'")

    # Not on their names: posting an invoice would look for redemptions every time.
    @api.depends("order_id", "move_id")
    def _compute_source_name(self):
        for redemption in self:
            redemption.source_name = redemption._get_source_name()

    def _get_source_name(self):
        """Return the name of the document; a deleted one leaves its name behind."""
        self.ensure_one()
        source = self.order_id or self.move_id
        return source.name or self.source_name

    @api.depends("source_name", "points", "reward_id.name")
    def _compute_display_name(self):
        for redemption in self:
            points = self.env._("%s points", redemption.points)
            redemption.display_name = self.env._(
                "%(document)s: %(what)s",
                document=redemption.source_name or self.env._("Draft"),
                what=redemption.reward_id.name or points,
            )

    # -- what happens to the document -------------------------------------------

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
            share = redemption._get_share()
            target = int(redemption.points * share)
            redemption._reserve_reward(share)
            delta = -target - posted.get(redemption.id, 0)
            redemption.member_id._post_points(
                "redeem" if delta < 0 else "restore",
                delta,
                redemption._get_entry_date(delta),
                source=redemption,
                reason=redemption._get_ledger_reason(delta),
                **redemption._get_posting_options(delta),
            )
            vals = {
                "points_spent": target,
                "source_name": redemption._get_source_name(),
                "state": redemption._get_state(share),
            }
            if any(redemption[name] != value for name, value in vals.items()):
                redemption.write(vals)

    def _reserve_reward(self, share):
        """Refuse a reward of which none is left, when it is taken for the first time.

        What a cancelled credit note takes again is taken in any case, as the points.
        """
        self.ensure_one()
        if share and self.state in ("draft", "released"):
            self.reward_id._reserve()
            self._reserve_offer()

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

    def _get_share(self):
        """Return the share of the redemption that should be spent, from 0 to 1.

        Credit notes give it back in proportion to what they credit.
        """
        self.ensure_one()
        return share_spent(self._get_spent_lines()) if self._is_taken() else 0

    def _get_spent_lines(self):
        """Return pairs for ``share_spent``: amount, and what was billed of the line.

        A line of a confirmed quotation that is not billed yet is promised as a whole.
        A line that was credited may be billed again.
        """
        self.ensure_one()
        billed = {
            invoice: self._get_billed(invoice) for invoice in self._get_invoices()
        }
        promised = [(1, 0)] if self.order_id.state == "sale" else []
        lines = []
        # The lines of credit notes only say how much of the others was credited.
        own = self.move_line_ids.filtered(lambda line: line.move_type == "out_invoice")
        for line in self.order_line_ids or own:
            is_order = line._name == "sale.order.line"
            moves = (line.invoice_lines if is_order else line).move_id
            parts = [billed[move] for move in moves if move in billed]
            lines.append((abs(line.price_total), parts or promised))
        return lines

    def _get_billed(self, invoice):
        """Return what an invoice bills before the redemption, and what was credited.

        Net of tax, in the currency of the invoice: the rates of another day do not
        matter.
        """
        credits = invoice.reversal_move_ids.filtered(
            lambda move: move.move_type == "out_refund" and move.state == "posted"
        )
        is_alike = credits.currency_id <= invoice.currency_id
        name = "amount_currency" if is_alike else "balance"
        gross, credited = (
            abs(
                invoice.currency_id.round(
                    sum(
                        line[name]
                        for line in moves.invoice_line_ids
                        if line._is_loyalty_priced()
                    )
                )
            )
            for moves in (invoice, credits)
        )
        if not gross:
            # Nothing but what was free: there is no proportion of nothing.
            return 1, int(self in credits.invoice_line_ids.loyalty_redemption_id)
        return gross, credited

    def _get_state(self, share):
        self.ensure_one()
        if share:
            return "done" if self._get_invoices() else "reserved"
        if self._is_taken():
            return "returned"
        document = self.order_id if self.order_line_ids else self.move_line_ids.move_id
        states = set(document.mapped("state"))
        return "draft" if states & {"draft", "sent"} else "released"

    def _get_entry_date(self, delta):
        """Return the day on which points were spent or given back."""
        self.ensure_one()
        invoices = self._get_invoices()
        moves = invoices
        if delta > 0:
            moves = invoices.reversal_move_ids.filtered(lambda m: m.state == "posted")
        dates = [move.invoice_date for move in moves if move.invoice_date]
        return max(dates, default=self.company_id._get_loyalty_today())

    def _get_ledger_reason(self, delta):
        self.ensure_one()
        if delta < 0 and self.reward_id:
            return self.env._("Reward: %s", self.reward_id.name)
        if delta < 0:
            return self.env._("Paid with points")
        if self._is_taken():
            return self.env._("Credit note")
        return self.env._("Document no longer confirmed")
