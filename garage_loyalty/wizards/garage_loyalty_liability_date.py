from dateutil.relativedelta import relativedelta

from odoo import fields, models
from odoo.exceptions import UserError


class GarageLoyaltyLiabilityDate(models.TransientModel):
    """The day as of which *Owed by Age* is shown."""

    _name = "garage.loyalty.liability.date"
    _description = "Day of What Is Owed"
    _inherit = ["garage.loyalty.input.mixin"]
    _rec_name = "date"

    date = fields.Date(
        string="As of",
        required=True,
        default=lambda self: self._get_default_date(),
        help="What was owed at the end of this day.",
    )

    def _get_default_date(self):
        """Return the last day of the month that is over."""
        today = self.env.company._get_loyalty_today()
        return today.replace(day=1) - relativedelta(days=1)

    def action_show(self):
        """Open the report as of the day.

        :raise UserError: when it lies in the future
        """
        self.ensure_one()
        if self.date > self.env.company._get_loyalty_today():
            raise UserError(self.env._("What will be owed is not known yet."))
        report = self.env["garage.loyalty.liability"]
        action = report.with_context(loyalty_date=self.date).action_open()
        # It takes the place of the other day, instead of following it.
        return action | {"target": "main"}
