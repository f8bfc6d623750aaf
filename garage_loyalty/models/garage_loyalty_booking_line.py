from odoo import Command, fields, models

KINDS = [
    ("earned", "Earned"),
    ("opened", "Opening balances"),
    ("redeemed", "Redeemed"),
    ("restored", "Given back"),
    ("expired", "Expired"),
    ("taken_back", "Clawed back"),
    ("adjusted", "Adjusted"),
    ("transferred", "Transferred"),
    ("revalued", "Revalued"),
    ("deferred", "Deferred: sales that earned points"),
    ("recognised", "Revenue: points redeemed or no longer expected"),
    ("earlier", "Owed before, and changes of earlier months"),
]


class GarageLoyaltyBookingLine(models.Model):
    """One reason why what is owed has changed in a month, as it was booked."""

    _name = "garage.loyalty.booking.line"
    _description = "Reason in a Booked Month"
    _order = "id"
    _rec_name = "kind"

    booking_id = fields.Many2one(
        "garage.loyalty.booking",
        required=True,
        readonly=True,
        index=True,
        ondelete="cascade",
    )
    company_id = fields.Many2one(related="booking_id.company_id")
    currency_id = fields.Many2one(related="booking_id.currency_id")
    kind = fields.Selection(KINDS, string="Reason", required=True, readonly=True)
    points = fields.Integer(readonly=True)
    amount = fields.Monetary(
        readonly=True, help="What is owed more; negative: what is owed less."
    )

    def _prepare_move_lines(self, rule):
        """Return the two lines of the journal entry. They carry no taxes.

        Override to divide what is booked, for instance by analytic accounts.
        """
        self.ensure_one()
        label = dict(self._fields["kind"]._description_selection(self.env))[self.kind]
        return [
            {
                "name": label,
                "account_id": account.id,
                "balance": balance,
                "tax_ids": [Command.clear()],
            }
            for account, balance in (
                (rule.liability_account_id, -self.amount),
                (rule.result_account_id, self.amount),
            )
        ]
