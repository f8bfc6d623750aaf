from odoo import api, fields, models
from odoo.tools import SQL
from odoo.tools.query import Query


class GarageLoyaltyFirstRedemption(models.Model):
    """How long it took members to redeem points for the first time, a row for each.

    By the ledger, as it is now: a redemption that was given back as a whole is none.
    """

    _name = "garage.loyalty.first.redemption"
    _description = "Time to First Redemption"
    _inherit = ["garage.loyalty.export.mixin", "garage.loyalty.ratio.mixin"]
    _auto = False
    _order = "date_joined desc, id desc"
    _rec_name = "partner_id"
    _depends = {
        "garage.loyalty.entry": ["date", "kind", "member_id", "source_id"],
        "garage.loyalty.member": [
            "company_id",
            "date_joined",
            "enrolled_by_id",
            "merged_into_id",
            "partner_id",
            "program_id",
            "state",
            "tier_id",
        ],
        "garage.loyalty.redemption": ["state"],
    }

    partner_id = fields.Many2one("res.partner", string="Customer", readonly=True)
    member_id = fields.Many2one(
        "garage.loyalty.member", string="Membership", readonly=True
    )
    program_id = fields.Many2one(
        "garage.loyalty.program", string="Programme", readonly=True
    )
    tier_id = fields.Many2one("garage.loyalty.tier", readonly=True)
    is_left = fields.Boolean(string="Has left", readonly=True)
    enrolled_by_id = fields.Many2one("res.users", string="Enrolled by", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    date_joined = fields.Date(string="Joined on", readonly=True)
    first_date = fields.Date(
        string="First redemption",
        readonly=True,
        help="Day of the first redemption that was billed and not given back.",
    )
    member_count = fields.Integer(string="Members", readonly=True)
    redeemed_count = fields.Integer(string="Have redeemed", readonly=True)
    redeemed_share = fields.Float(
        string="Have redeemed (%)",
        readonly=True,
        aggregator="avg",
        digits=(16, 1),
        help="Members who have redeemed points at least once, of all who joined. Who "
        "joined lately had little time to.",
    )
    days = fields.Integer(
        string="Days to first redemption",
        readonly=True,
        aggregator="avg",
        help="From joining; totals are averages. Members who have not redeemed yet are "
        "left out.",
    )
    median_days = fields.Float(
        string="Median days",
        readonly=True,
        aggregator="avg",
        digits=(16, 1),
        help="Half of those who have redeemed did it sooner. A few who took years do "
        "not change it.",
    )

    @api.model
    def _get_ratios(self):
        return super()._get_ratios() | {
            "redeemed_share:avg": ("redeemed_count:sum", "member_count:sum", 100)
        }

    def _read_group_select(self, aggregate_spec: str, query: Query) -> SQL:
        if aggregate_spec != "median_days:avg":
            return super()._read_group_select(aggregate_spec, query)
        return SQL(
            "percentile_cont(0.5) WITHIN GROUP (ORDER BY %s)",
            self._field_to_sql(self._table, "days", query),
        )

    @property
    def _table_query(self) -> SQL:
        return SQL("%s %s %s", self._select(), self._from(), self._where())

    @api.model
    def _select(self) -> SQL:
        """Return the columns. Override, calling super, to add one."""
        joined = SQL("LEAST(member.date_joined, merged.date_joined)")
        days = SQL("used.first_date - %s", joined)
        return SQL(
            """
            SELECT member.id, member.id AS member_id, member.partner_id,
                   member.program_id, member.tier_id, member.state = 'left' AS is_left,
                   member.enrolled_by_id, member.company_id, %(joined)s AS date_joined,
                   used.first_date, 1 AS member_count,
                   (used.first_date IS NOT NULL)::int AS redeemed_count,
                   100.0 * (used.first_date IS NOT NULL)::int AS redeemed_share,
                   %(days)s AS days, %(days)s AS median_days
            """,
            joined=joined,
            days=days,
        )

    @api.model
    def _from(self) -> SQL:
        """Return the tables. Override, calling super, to join one more.

        A merged account counts with the one that survived.
        """
        return SQL(
            """
              FROM garage_loyalty_member member
              LEFT JOIN (SELECT merged_into_id, min(date_joined) AS date_joined
                           FROM garage_loyalty_member
                          WHERE merged_into_id IS NOT NULL
                          GROUP BY 1) merged ON merged.merged_into_id = member.id
              LEFT JOIN (SELECT COALESCE(account.merged_into_id, account.id)
                                    AS member_id,
                                min(redeemed.first_date) AS first_date
                           FROM (%s) redeemed
                           JOIN garage_loyalty_member account
                             ON account.id = redeemed.member_id
                          GROUP BY 1) used ON used.member_id = member.id
            """,
            self._get_redeemed(),
        )

    @api.model
    def _where(self) -> SQL:
        """Return the condition on members. Override, calling super, to narrow."""
        return SQL("WHERE member.merged_into_id IS NULL")

    @api.model
    def _get_redeemed(self) -> SQL:
        """Return a query: the first redemption of each account that was done.

        Nearly all are, and nobody can delete one: the others are left out.
        """
        return SQL(
            """
            SELECT entry.member_id, min(entry.date) AS first_date
              FROM garage_loyalty_entry entry
             WHERE entry.source_model = 'garage.loyalty.redemption'
               AND entry.kind = 'redeem'
               AND NOT EXISTS (
                    SELECT FROM garage_loyalty_redemption redemption
                     WHERE redemption.state <> 'done'
                       AND redemption.id = entry.source_id)
             GROUP BY 1
            """
        )
