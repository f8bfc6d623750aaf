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
        self._compile_nothing()
        return SQL("%s %s %s", self._select(), self._from(), self._where())

    @api.model
    def _select(self) -> SQL:
        """Return the columns. Override, calling super, to add one."""
        joined = SQL("LEAST(member.date_joined, merged.date_joined)")
        first = SQL("LEAST(used.first_date, merged.first_date)")
        return SQL(
            """
            SELECT member.id, member.id AS member_id, member.partner_id,
                   member.program_id, member.tier_id, member.state = 'left' AS is_left,
                   member.enrolled_by_id, member.company_id, %(joined)s AS date_joined,
                   %(first)s AS first_date, 1 AS member_count,
                   (%(first)s IS NOT NULL)::int AS redeemed_count,
                   100.0 * (%(first)s IS NOT NULL)::int AS redeemed_share,
                   %(first)s - %(joined)s AS days, %(first)s - %(joined)s AS median_days
            """,
            joined=joined,
            first=first,
        )

    @api.model
    def _from(self) -> SQL:
        """Return the tables. Override, calling super, to join one more.

        A merged account counts with the one that survived.
        """
        return SQL(
            """
              FROM garage_loyalty_member member
              LEFT JOIN (SELECT account.merged_into_id,
                                min(account.date_joined) AS date_joined,
                                min(redeemed.first_date) AS first_date
                           FROM garage_loyalty_member account
                           LEFT JOIN LATERAL (%s) redeemed ON TRUE
                          WHERE account.merged_into_id IS NOT NULL
                          GROUP BY 1) merged ON merged.merged_into_id = member.id
              LEFT JOIN (%s) used ON used.member_id = member.id
            """,
            # Few accounts are merged: each is looked up.
            self._get_first_done(SQL("account.id")),
            self._get_redeemed(),
        )

    @api.model
    def _where(self) -> SQL:
        """Return the condition on members. Override, calling super, to narrow."""
        return SQL("WHERE member.merged_into_id IS NULL")

    @api.model
    def _get_redeemed(self) -> SQL:
        """Return a query: the first redemption of each account that was done.

        Nearly all redemptions are, so the first entry is nearly always the one: it is
        looked for only where an account has others.
        """
        return SQL(
            """
            SELECT entry.member_id, CASE WHEN undone.member_id IS NULL
                        THEN entry.date ELSE (%(exact)s) END AS first_date
              FROM (SELECT entry.member_id, min(entry.date) AS date
                      FROM garage_loyalty_entry entry WHERE %(is_redeemed)s
                     GROUP BY 1) entry
              LEFT JOIN (SELECT DISTINCT member_id FROM garage_loyalty_redemption
                          WHERE state <> 'done') undone
                ON undone.member_id = entry.member_id
            """,
            exact=self._get_first_done(SQL("entry.member_id")),
            is_redeemed=self._get_is_redeemed(SQL("entry")),
        )

    @api.model
    def _get_first_done(self, account) -> SQL:
        """Return a query: the day of the first redemption of an account that was done.

        :param account: the SQL of its id
        """
        return SQL(
            """
            SELECT min(used.date) AS first_date
              FROM garage_loyalty_entry used
              JOIN garage_loyalty_redemption redemption
                ON redemption.id = used.source_id AND redemption.state = 'done'
             WHERE used.member_id = %s AND %s
            """,
            account,
            self._get_is_redeemed(SQL("used")),
        )

    @api.model
    def _get_is_redeemed(self, entry) -> SQL:
        """Return the condition that an entry of the ledger is a redemption."""
        return SQL(
            "%(entry)s.kind = 'redeem' "
            "AND %(entry)s.source_model = 'garage.loyalty.redemption'",
            entry=entry,
        )
