from odoo import fields, models


class GarageLoyaltyBookedMixin(models.AbstractModel):
    """Journal entries that book what is owed in points, for ``account.move``."""

    _name = "garage.loyalty.booked.mixin"
    _description = "Entry of a Booked Month"

    loyalty_booking_id = fields.Many2one(
        "garage.loyalty.booking",
        string="Booked month of points",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="restrict",
    )

    def _get_loyalty_reversal_values(self, values_list):
        """Return the values of reversals, which belong to the same booked month."""
        values_list = values_list or [{} for _move in self]
        return [
            values | {"loyalty_booking_id": move.loyalty_booking_id.id}
            if move.loyalty_booking_id
            else values
            for move, values in zip(self, values_list, strict=True)
        ]

    def _get_loyalty_liability_lines(self):
        """Return the lines on the accounts of what is owed, not those cancelled."""
        return self.line_ids.filtered(
            lambda line: (
                line.parent_state != "cancel"
                and line.account_id
                == line.move_id.loyalty_booking_id.liability_account_id
            )
        )

    def _ask_for_loyalty_review(self, user):
        """Ask somebody to review and post new drafts."""
        for move in self:
            if user:
                move.activity_schedule(
                    "mail.mail_activity_data_todo",
                    user_id=user.id,
                    summary=self.env._("Review and post the entry of points"),
                )
