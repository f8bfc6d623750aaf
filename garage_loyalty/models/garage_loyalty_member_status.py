from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL

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
    tier_color = fields.Integer(related="tier_id.color")
    reason = fields.Char(readonly=True)
    spend = fields.Monetary(
        readonly=True, help="Net spend in the time that counted, when a tier changed."
    )
    points = fields.Integer(
        readonly=True, help="Points earned in the time that counted."
    )
    visits = fields.Integer(readonly=True, help="Visits in the time that counted.")
    currency_id = fields.Many2one(related="company_id.currency_id")
    user_id = fields.Many2one(
        "res.users",
        string="Changed by",
        required=True,
        readonly=True,
        ondelete="restrict",
        default=lambda self: self.env.user,
    )

    _member_date_idx = models.Index("(member_id, date DESC, id DESC)")
    # Few members have ever left or paused; reports look for them.
    _inactive_idx = models.Index("(member_id, state) WHERE state <> 'active'")

    def write(self, vals):
        """Refuse: history is not rewritten."""
        if self:
            raise UserError(
                self.env._("The history of a membership is kept as it happened.")
            )
        return super().write(vals)

    @api.model
    def _get_at_dates(self, members_dates):
        """Return (state, id of the tier) of members as of a day, in the same order.

        A member who had not joined yet is (None, None). What a member is today is
        known without asking the history.

        :param members_dates: pairs of (member, day)
        """
        past = {
            member.id
            for member, date in members_dates
            if not member.status_date or date < member.status_date
        }
        merged = Domain("member_id.merged_into_id", "in", past)
        domain = Domain("member_id", "in", past) | merged
        history = self.search(domain) if past else self
        rows = history.grouped(lambda row: row.member_id._get_survivor())
        return [
            (member.state, member.tier_id.id)
            if member.id not in past
            else rows.get(member, self)._get_latest(member, date)
            for member, date in members_dates
        ]

    @api.model
    def _get_tier_sql(self, member, day) -> SQL:
        """Return the tier of a member at the end of a day; before joining, the first.

        :param SQL member: the id of the member
        :param SQL day: the day
        """
        return SQL(
            """
            NULLIF(COALESCE(
                (SELECT COALESCE(tier_id, 0) FROM garage_loyalty_member_status
                  WHERE member_id = %(member)s AND date <= %(day)s
                  ORDER BY date DESC, id DESC LIMIT 1),
                (SELECT tier_id FROM garage_loyalty_member_status
                  WHERE member_id = %(member)s ORDER BY date, id DESC LIMIT 1)), 0)
            """,
            member=member,
            day=day,
        )

    def _get_latest(self, member, date):
        """Return what a customer was on a day, also under an account merged since."""
        latest = {}
        for row in self:
            if row.date <= date:
                latest.setdefault(row.member_id, row)
        row = min(
            latest.values(),
            key=lambda row: (row.state != "active", row.member_id != member),
            default=self.browse(),
        )
        return (row.state or None, row.tier_id.id or None)
