from odoo import api, fields, models
from odoo.fields import Domain


class AccountMove(models.Model):
    _name = "account.move"
    _inherit = [
        "account.move",
        "garage.loyalty.stamp.mixin",
        "garage.loyalty.new.visit.mixin",
        "garage.loyalty.referred.mixin",
        "garage.loyalty.earning.mixin",
        "garage.loyalty.redeemable.mixin",
        "garage.loyalty.statement.mixin",
        "garage.loyalty.booked.mixin",
    ]
    _loyalty_lines_name = "invoice_line_ids"
    _loyalty_quantity_name = "quantity"

    loyalty_member_id = fields.Many2one(
        "garage.loyalty.member",
        string="Loyalty member",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="restrict",
        help="The customer was an active member on the invoice date.",
    )
    loyalty_tier_id = fields.Many2one(
        "garage.loyalty.tier",
        string="Loyalty tier",
        readonly=True,
        copy=False,
        ondelete="restrict",
        help="Tier of the member on the invoice date.",
    )
    loyalty_earn_trigger = fields.Selection(
        [("posted", "Posted"), ("paid", "Fully paid")],
        string="Points are earned when",
        readonly=True,
        copy=False,
        help="Rule of the programme when the invoice was posted.",
    )
    loyalty_base = fields.Monetary(
        string="Loyalty base",
        currency_field="company_currency_id",
        readonly=True,
        copy=False,
        help="Net amount of the lines that earn points, in the company's currency.",
    )
    loyalty_points_due = fields.Integer(
        string="Worth in points",
        readonly=True,
        copy=False,
        help="What the whole invoice is worth by the rules of the day it was posted.",
    )
    loyalty_points_earned = fields.Integer(
        string="Points earned", compute="_compute_loyalty_points"
    )
    loyalty_points_redeemed = fields.Integer(
        string="Points redeemed", compute="_compute_loyalty_points"
    )

    # The invoices of a customer: the host has no index on who the customer is.
    _loyalty_customer_idx = models.Index(
        "(commercial_partner_id, invoice_date) "
        "WHERE move_type = 'out_invoice' AND state = 'posted'"
    )
    _loyalty_credited_idx = models.Index(
        "(commercial_partner_id) WHERE move_type = 'out_refund' AND state = 'posted'"
    )

    @api.depends("loyalty_member_id", "state", "payment_state", "line_ids")
    def _compute_loyalty_points(self):
        # Points of an invoice are for whoever may see the invoice.
        moves = self.sudo()
        earned = moves.env["garage.loyalty.entry"]._get_sums(moves)
        for move, sudo_move in zip(self, moves, strict=True):
            move.loyalty_points_earned = earned.get(move._origin.id, 0)
            redemptions = sudo_move.invoice_line_ids.loyalty_redemption_id
            move.loyalty_points_redeemed = (
                sum(redemptions.mapped("points_spent"))
                if move.move_type == "out_invoice"
                else 0
            )

    def action_open_loyalty_entries(self):
        """Open the ledger entries of the invoice, its credit notes and redemptions."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "garage_loyalty.garage_loyalty_entry_action"
        )
        moves = self | self.reversal_move_ids | self.reversed_entry_id
        redemptions = moves.invoice_line_ids.loyalty_redemption_id
        domain = Domain.OR(
            Domain("source_model", "=", records._name)
            & Domain("source_id", "in", records.ids)
            for records in (moves, redemptions)
        )
        return action | {"domain": list(domain)}

    # -- what the host does -----------------------------------------------------

    def _post(self, soft=True):
        """Stamp who the customer is as a member, then give what is due.

        The stamps are written before, so that the host's own update takes them along.
        """
        documents = self._filter_loyalty_due(soft).sudo()  # facts, whoever posts
        if not documents:
            return super()._post(soft)
        new = documents.filtered(lambda move: not move.posted_before)
        repairs = documents.env["repair.order"]._get_of_loyalty_moves(documents)
        members = documents._get_loyalty_members()
        stamps = documents._stamp_loyalty(repairs, members)
        late = documents.filtered(lambda move: move._is_stamped_late(repairs))
        posted = super()._post(soft)
        documents &= posted
        if documents:
            late &= documents
            stamps |= late._stamp_loyalty(repairs, members) if late else {}
            documents.invoice_line_ids.loyalty_redemption_id._before_posting(documents)
            settled = (documents & new)._sync_new_loyalty(stamps)
            (documents - settled)._sync_loyalty()
            documents._sync_loyalty_facts(repairs, settled, members)
        return posted

    def write(self, vals):
        """Note whose discounts somebody else is said to have given."""
        result = super().write(vals)
        if "invoice_user_id" in vals:
            billed = self._filter_loyalty()
            Changed = self.env["garage.loyalty.changed.customer"]
            Changed._note(billed.commercial_partner_id.ids)
        return result

    def button_draft(self):
        """Take back what a posted document gave."""
        result = super().button_draft()
        self._filter_loyalty()._after_loyalty_change()
        return result

    def button_cancel(self):
        """Take back what a posted document gave."""
        result = super().button_cancel()
        self._filter_loyalty()._after_loyalty_change()
        return result

    def _invoice_paid_hook(self):
        """Give the points of a paid invoice."""
        result = super()._invoice_paid_hook()
        self._sync_loyalty()
        return result

    def unlink(self):
        """Release what a draft had reserved."""
        if not self:  # as the host often does
            return super().unlink()
        # Whoever deletes a draft need not have access to redemptions.
        redemptions = self.sudo().invoice_line_ids.loyalty_redemption_id
        redemptions = redemptions.filtered("move_id")
        result = super().unlink()
        redemptions._after_lines_removed()
        return result

    def _reverse_moves(self, default_values_list=None, cancel=False):
        """Settle the points once, after the credit note is there.

        The host undoes the payment first: without this, every credit note would
        leave two entries in the ledger that cancel each other.
        """
        origin = self.with_context(garage_loyalty_defer=True)
        values_list = self._get_loyalty_reversal_values(default_values_list)
        reverse = super(AccountMove, origin)._reverse_moves(values_list, cancel)
        reverse = reverse.with_env(self.env)
        (self | reverse)._filter_loyalty()._after_loyalty_change()
        return reverse

    def copy_data(self, default=None):
        """Points are spent once: a copy of an invoice is not paid with them."""
        vals_list = super().copy_data(default)
        if self.env.context.get("include_business_fields"):
            return vals_list
        for vals in vals_list:
            if vals.get("line_ids"):
                vals["line_ids"] = [
                    command
                    for command in vals["line_ids"]
                    if not command[2].get("loyalty_redemption_id")
                ]
        return vals_list

    def _filter_loyalty(self):
        kinds = ("out_invoice", "out_refund")
        return self.filtered(lambda move: move.move_type in kinds)

    def _filter_loyalty_due(self, soft):
        """Return those that the host is about to post; some wait for their date."""
        documents = self._filter_loyalty()
        if not soft:
            return documents
        today = fields.Date.context_today(self)
        return documents.filtered(lambda move: move.date <= today)

    def _after_loyalty_change(self):
        """Let points, redemptions and visits follow the state of the documents."""
        if not self or self.env.context.get("garage_loyalty_defer"):
            return
        self._sync_loyalty()
        origins = self.sudo() | self.sudo().reversed_entry_id  # facts, as in _post
        repairs = origins.env["repair.order"]._get_of_loyalty_moves(origins)
        origins._sync_loyalty_facts(repairs)

    def _sync_loyalty_facts(self, repairs, new=None, members=None):
        """Let redemptions and visits follow.

        :param repairs: the repair orders that these documents bill
        :param new: invoices that were never posted before, and so are no visit yet
        :param members: the members by document, for ``new``
        """
        moves = self | self.reversed_entry_id
        Changed = self.env["garage.loyalty.changed.customer"]
        Changed._note((moves - new if new else moves).commercial_partner_id.ids)
        moves.invoice_line_ids.loyalty_redemption_id._sync()
        invoices = moves.filtered(lambda move: move.move_type == "out_invoice")
        if new:
            repairs -= new._sync_new_visits(repairs, members)
            invoices -= new
        Visit = self.env["garage.loyalty.visit"]
        if Visit._sync("repair_id", repairs.ids) + Visit._sync_moves(invoices):
            self.loyalty_member_id._settle_tiers()

    def _get_loyalty_orders(self):
        return self.invoice_line_ids.sale_line_ids.order_id

    def _is_loyalty_redeemable(self):
        return self.move_type == "out_invoice" and self.state == "draft"

    def _get_loyalty_base_line(self, line):
        return self._prepare_product_base_line_for_taxes_computation(line)
