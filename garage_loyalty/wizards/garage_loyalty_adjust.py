from odoo import api, fields, models
from odoo.exceptions import UserError

LIMIT = 10_000_000


class GarageLoyaltyAdjust(models.TransientModel):
    _name = "garage.loyalty.adjust"
    _description = "Adjust Points"

    member_id = fields.Many2one("garage.loyalty.member", required=True, readonly=True)
    points_before = fields.Integer(
        related="member_id.points", string="Points at present"
    )
    points = fields.Integer(
        required=True, help="Points to give; with a minus sign: points to take."
    )
    points_after = fields.Integer(
        string="Points afterwards", compute="_compute_points_after"
    )
    reason = fields.Char(help="Stands in the ledger for good, beside your name.")

    @api.depends("points", "member_id.points")
    def _compute_points_after(self):
        for wizard in self:
            wizard.points_after = wizard.member_id.points + wizard.points

    def action_adjust(self):
        """Post the adjustment to the ledger.

        :raise UserError: without points, without a reason, or out of all measure
        """
        self.ensure_one()
        self.member_id.check_access("write")
        if not self.points or abs(self.points) > LIMIT:
            raise UserError(
                self.env._(
                    "Enter how many points to give or to take: at least 1, at most %s.",
                    f"{LIMIT:,}",
                )
            )
        if not (self.reason or "").strip():
            raise UserError(
                self.env._("Say why: the accountant will ask for it one day.")
            )
        self.member_id._post_points(
            "adjust",
            self.points,
            fields.Date.context_today(self),
            source=self.member_id,
            reason=self.reason.strip(),
        )
        return {"type": "ir.actions.act_window_close"}
