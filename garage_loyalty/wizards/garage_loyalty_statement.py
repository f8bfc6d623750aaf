from dateutil.relativedelta import relativedelta

from odoo import fields, models
from odoo.exceptions import UserError

# More pages than these are no use to anybody, and take minutes to print.
MOST = 200


class GarageLoyaltyStatement(models.TransientModel):
    """Of which members, and of which period, statements are printed."""

    _name = "garage.loyalty.statement"
    _description = "Statement of Points"
    _inherit = ["garage.loyalty.input.mixin"]
    _rec_name = "date_to"

    member_ids = fields.Many2many(
        "garage.loyalty.member",
        string="Members",
        required=True,
        default=lambda self: self._get_default_members(),
    )
    date_from = fields.Date(
        string="From", required=True, default=lambda self: self._get_default_day(12)
    )
    date_to = fields.Date(
        string="To", required=True, default=lambda self: self._get_default_day(0)
    )

    def _get_default_members(self):
        """Return the members that were chosen in the list, or that is shown."""
        if self.env.context.get("active_model") != "garage.loyalty.member":
            return []
        return self.env.context.get("active_ids") or []

    def _get_default_day(self, months):
        """Return today, or the first day of so many months until today."""
        today = self.env.company._get_loyalty_today()
        if not months:
            return today
        return today - relativedelta(months=months) + relativedelta(days=1)

    def action_print(self):
        """Print a statement for each of the members, in their languages.

        :raise UserError: when the period is none, or members are too many
        """
        self.ensure_one()
        if not self.member_ids:
            raise UserError(self.env._("Choose at least one member."))
        if len(self.member_ids) > MOST:
            raise UserError(
                self.env._("Choose at most %s members at a time.", MOST),
            )
        self.member_ids._check_statement_period(self.date_from, self.date_to)
        report = self.env.ref("garage_loyalty.garage_loyalty_statement_report")
        return report.report_action(self)

    def _get_report_base_filename(self):
        """Return the name of the file, as the host asks for it."""
        day = fields.Date.to_string(self.date_to)
        numbers = self.member_ids.mapped("number")
        number = numbers[0] if len(numbers) == 1 else str(len(numbers))
        return self.env._("Points %(number)s, %(day)s", number=number, day=day)
