from odoo import fields, models
from odoo.exceptions import UserError


class GarageLoyaltyStatusChange(models.TransientModel):
    _name = "garage.loyalty.status.change"
    _description = "Suspend, End or Resume a Membership"
    _inherit = ["garage.loyalty.input.mixin"]

    member_id = fields.Many2one("garage.loyalty.member", required=True, readonly=True)
    change = fields.Selection(
        [("suspend", "Suspend"), ("leave", "Leave"), ("come_back", "Come back")],
        required=True,
        readonly=True,
    )
    date = fields.Date(string="From", required=True, default=fields.Date.context_today)
    reason = fields.Char()

    def action_apply(self):
        """Change the membership from the date on, and keep the reason.

        :raise UserError: when the date lies in the future or before the enrolment
        """
        self.ensure_one()
        today = fields.Date.context_today(self)
        if not self.member_id.date_joined <= self.date <= today:
            raise UserError(
                self.env._(
                    "The date must lie between the enrolment (%(joined)s) and today.",
                    joined=fields.Date.to_string(self.member_id.date_joined),
                )
            )
        change = {
            "suspend": self.member_id._suspend,
            "leave": self.member_id._leave,
            "come_back": self.member_id._come_back,
        }[self.change]
        change(date=self.date, reason=self.reason)
        return {"type": "ir.actions.act_window_close"}
