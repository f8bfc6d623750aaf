from odoo import api, fields, models
from odoo.exceptions import UserError

STATES = [("active", "Active"), ("suspended", "Suspended"), ("left", "Left")]


class GarageLoyaltyMemberStatus(models.Model):
    """What a member was, from which date on: the answer to "was she a member then?"."""

    _name = "garage.loyalty.member.status"
    _description = "Loyalty Membership History"
    _order = "date desc, id desc"
    _rec_name = "state"

    member_id = fields.Many2one(
        "garage.loyalty.member", required=True, readonly=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="member_id.company_id")
    date = fields.Date(string="From", required=True, readonly=True)
    state = fields.Selection(STATES, required=True, readonly=True)
    tier_id = fields.Many2one(
        "garage.loyalty.tier", readonly=True, ondelete="restrict", index=True
    )
    reason = fields.Char(readonly=True)
    user_id = fields.Many2one(
        "res.users",
        string="Changed by",
        required=True,
        readonly=True,
        ondelete="restrict",
        default=lambda self: self.env.user,
    )

    _member_date_idx = models.Index("(member_id, date DESC, id DESC)")

    def write(self, vals):
        """Refuse: history is not rewritten."""
        if self:
            raise UserError(
                self.env._("The history of a membership is kept as it happened.")
            )
        return super().write(vals)

    @api.model
    def _get_at(self, members, date):
        """Return the status of each member on ``date``, as a dict by member id.

        A member who had not joined yet is not in it.
        """
        rows = self.search([("member_id", "in", members.ids), ("date", "<=", date)])
        latest = {}
        for row in rows:
            latest.setdefault(row.member_id.id, row)
        return latest
