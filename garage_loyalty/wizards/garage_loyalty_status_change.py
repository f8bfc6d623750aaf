from odoo import fields, models
from odoo.exceptions import UserError


class GarageLoyaltyStatusChange(models.TransientModel):
    _name = "garage.loyalty.status.change"
    _description = "Change of a Membership"
    _inherit = ["garage.loyalty.input.mixin"]

    member_id = fields.Many2one("garage.loyalty.member", required=True, readonly=True)
    change = fields.Selection(
        [
            ("suspend", "Suspend"),
            ("leave", "Leave"),
            ("come_back", "Come back"),
            ("tier", "Set the tier"),
        ],
        required=True,
        readonly=True,
    )
    date = fields.Date(string="From", required=True, default=fields.Date.context_today)
    reason = fields.Char()
    program_id = fields.Many2one(related="member_id.program_id")
    tier_id = fields.Many2one(
        "garage.loyalty.tier", domain="[('program_id', '=', program_id)]"
    )
    date_until = fields.Date(
        string="Until",
        help="Last day on which the tier stays whatever the figures say. "
        "Empty: until somebody changes it.",
    )

    def action_apply(self):
        """Change the membership from the date on, and keep the reason.

        :raise UserError: when the date lies in the future or before the enrolment
        """
        self.ensure_one()
        if self.change == "tier":
            return self._apply_tier()
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

    def _apply_tier(self):
        if not self.tier_id or not (self.reason or "").strip():
            raise UserError(
                self.env._("Choose a tier, and say why the member gets it.")
            )
        self.member_id._fix_tier(self.tier_id, self.date_until, self.reason)
        return {"type": "ir.actions.act_window_close"}
