from odoo import api, fields, models


class GarageLoyaltyReconciliationLine(models.Model):
    """One cause of a difference between the points ledger and the books."""

    _name = "garage.loyalty.reconciliation.line"
    _description = "Cause of a Difference"
    _order = "id"
    _rec_name = "kind"

    reconciliation_id = fields.Many2one(
        "garage.loyalty.reconciliation",
        required=True,
        readonly=True,
        index=True,
        ondelete="cascade",
    )
    company_id = fields.Many2one(related="reconciliation_id.company_id")
    currency_id = fields.Many2one(related="reconciliation_id.currency_id")
    kind = fields.Selection(
        [
            ("open", "Not booked yet"),
            ("draft", "Draft, to be posted"),
            ("later", "Booked on a later day"),
            ("early", "Entry of a later month"),
            ("changed", "Changed since it was booked"),
            ("manual", "Posted by hand"),
        ],
        string="Cause",
        required=True,
        readonly=True,
    )
    program_id = fields.Many2one(
        "garage.loyalty.program",
        string="Programme",
        readonly=True,
        ondelete="restrict",
    )
    date = fields.Date(
        readonly=True,
        help="Of the entry; of a month that is not booked, its first day.",
    )
    move_id = fields.Many2one(
        "account.move", string="Journal entry", readonly=True, ondelete="set null"
    )
    entry_name = fields.Char(
        string="Entry", compute="_compute_entry_name", store=True, readonly=True
    )
    amount = fields.Monetary(
        readonly=True, help="How much more is owed than booked, for this cause."
    )

    @api.depends("move_id")
    def _compute_entry_name(self):
        # Kept: a draft may be deleted after somebody has signed.
        for line in self:
            move = line.move_id
            line.entry_name = move and (move.name or move.ref or move.display_name)
