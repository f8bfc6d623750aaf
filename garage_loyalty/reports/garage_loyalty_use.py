from odoo import api, fields, models
from odoo.tools import SQL


class GarageLoyaltyUse(models.Model):
    """Who uses the programme, a row for each member and calendar month.

    Ratios are computed by the database for every grouping, from the customers and sums
    of that grouping; so is the number of different customers.
    """

    _name = "garage.loyalty.use"
    _description = "Programme Use"
    _inherit = ["garage.loyalty.export.mixin", "garage.loyalty.ratio.mixin"]
    _auto = False
    _order = "month desc, used_date desc, id desc"
    _rec_name = "month"
    _depends = {
        "garage.loyalty.changed.customer": ["partner_id"],
        "garage.loyalty.entry": ["company_id", "date", "kind", "member_id", "points"],
        "garage.loyalty.member": ["company_id", "partner_id"],
        "garage.loyalty.member.month": ["partner_id"],
        "garage.loyalty.member.status": ["date", "member_id", "state", "tier_id"],
        "res.company": ["loyalty_company_id"],
    }

    month = fields.Date(readonly=True, help="Its first day.")
    company_id = fields.Many2one("res.company", readonly=True)
    partner_id = fields.Many2one("res.partner", string="Customer", readonly=True)
    tier_id = fields.Many2one(
        "garage.loyalty.tier",
        string="Tier then",
        readonly=True,
        help="On the last day of membership in the month.",
    )
    is_member = fields.Boolean(
        string="Member then",
        readonly=True,
        help="Was an active member on at least one day of the month.",
    )
    is_active = fields.Boolean(
        string="Used the programme",
        readonly=True,
        help="A member who earned or redeemed points in the month.",
    )
    used_date = fields.Date(
        string="Last use",
        readonly=True,
        help="Last day of the month on which points were earned or redeemed.",
    )
    member_count = fields.Integer(
        string="Members",
        readonly=True,
        aggregator="count_distinct",
        help="Customers who were active members on at least one day.",
    )
    active_count = fields.Integer(
        string="Active members",
        readonly=True,
        aggregator="count_distinct",
        help="Members who earned or redeemed points. Gifts, corrections and what "
        "expires do not count: nobody used the programme.",
    )
    active_share = fields.Float(
        string="Active members (%)",
        readonly=True,
        aggregator="avg",
        digits=(16, 1),
        help="Active members of all members. The longer the time, the more of them: "
        "compare months with months, and years with years.",
    )
    earned = fields.Integer(
        string="Points earned", readonly=True, help="Less what was taken back."
    )
    redeemed = fields.Integer(
        string="Points redeemed", readonly=True, help="Less what was given back."
    )
    expired = fields.Integer(
        string="Points expired", readonly=True, help="In the month."
    )
    other = fields.Integer(
        string="Gifts and corrections",
        readonly=True,
        help="Points given or taken by hand, bonuses, opening balances and transfers.",
    )
    redemption_rate = fields.Float(
        string="Redemption rate (%)",
        readonly=True,
        aggregator="avg",
        digits=(16, 1),
        help="Points redeemed in the time, of the points earned in the same time. More "
        "than 100 when earlier points are redeemed. For what became of the points of "
        "one month, see “Points by Month of Earning”.",
    )
    breakage_rate = fields.Float(
        string="Breakage (%)",
        readonly=True,
        aggregator="avg",
        digits=(16, 1),
        help="Points expired in the time, of the points earned in the same time.",
    )

    @api.depends("month")
    def _compute_display_name(self):
        for row in self:
            row.display_name = row.month and fields.Date.to_string(row.month)[:7]

    @api.model
    def _get_ratios(self):
        return super()._get_ratios() | {
            "active_share:avg": (
                "active_count:count_distinct",
                "member_count:count_distinct",
                100,
            ),
            "redemption_rate:avg": ("redeemed:sum", "earned:sum", 100),
            "breakage_rate:avg": ("expired:sum", "earned:sum", 100),
        }

    @property
    def _table_query(self) -> SQL:
        self._compile_nothing()
        return SQL("%s %s %s", self._select(), self._from(), self._where())

    @api.model
    def _select(self) -> SQL:
        """Return the columns. Override, calling super, to add one."""
        is_active = SQL("fact.is_member AND fact.used_date IS NOT NULL")
        return SQL(
            """
            SELECT (fact.company_id::bigint * 30000 + extract(year FROM fact.month)::int
                    * 12 + extract(month FROM fact.month)::int) * 20000000
                   + fact.partner_id AS id,
                   fact.month, fact.company_id, fact.partner_id, fact.tier_id,
                   fact.is_member, %(is_active)s AS is_active, fact.used_date,
                   CASE WHEN fact.is_member THEN fact.partner_id END AS member_count,
                   CASE WHEN %(is_active)s THEN fact.partner_id END AS active_count,
                   CASE WHEN fact.is_member THEN 100.0 * (%(is_active)s)::int END
                        AS active_share,
                   fact.earned, fact.redeemed, fact.expired, fact.other,
                   100.0 * fact.redeemed / NULLIF(fact.earned, 0) AS redemption_rate,
                   100.0 * fact.expired / NULLIF(fact.earned, 0) AS breakage_rate
            """,
            is_active=is_active,
        )

    @api.model
    def _from(self) -> SQL:
        """Return the tables. Override, calling super, to join one more."""
        return SQL(
            "FROM (%s) fact", self.env["garage.loyalty.member.month"]._get_now_query()
        )

    @api.model
    def _where(self) -> SQL:
        """Return the condition on all months. Override, calling super, to narrow."""
        return SQL("")
