from odoo import api, models
from odoo.tools import SQL

# Whole calendar months after the month of earning, as in ``tools.cohorts``.
SPANS = (3, 6, 12)


class GarageLoyaltyEarningCohortQuery(models.AbstractModel):
    """The parts of the query of ``garage.loyalty.earning.cohort``.

    Lots say when points were given and how many are left, allocations what became of
    the others. Points that were moved to another account have a lot of the same day
    there: they are counted once.
    """

    _name = "garage.loyalty.earning.cohort.query"
    _description = "Query of Points by Month of Earning"

    @property
    def _table_query(self) -> SQL:
        self._compile_nothing()
        return SQL("%s %s %s", self._select(), self._from(), self._where())

    @api.model
    def _select(self) -> SQL:
        """Return the columns. Override, calling super, to add one."""
        return SQL(
            """
            SELECT ((cohort.company_id::bigint * 100000 + cohort.program_id) * 30000
                    + extract(year FROM cohort.month)::int * 12
                    + extract(month FROM cohort.month)::int) * 2
                   + cohort.is_gift::int AS id,
                   cohort.company_id, company.currency_id, cohort.program_id,
                   CASE WHEN cohort.is_gift THEN 'gift' ELSE 'earned' END AS origin,
                   cohort.month,
                   cohort.month + interval '1 month' > running.last AS is_running,
                   earned, redeemed, expired, taken_back, other, left_points,
                   100.0 * redeemed / NULLIF(earned, 0) AS redemption_rate,
                   100.0 * expired / NULLIF(earned, 0) AS breakage_rate,
                   100.0 * left_points / NULLIF(earned, 0) AS left_rate,
                   left_points * program.point_value AS left_value,
                   redeemed * program.point_value AS redeemed_value,
                   expired * program.point_value AS expired_value,
                   %s
            """,
            SQL(", ").join(self._get_figures(span) for span in SPANS),
        )

    @api.model
    def _get_figures(self, span) -> SQL:
        """Return the columns of one span: empty until all of its months are over."""
        is_due = SQL(
            "(cohort.month + make_interval(months => %s))::date <= running.last",
            span + 1,
        )
        names = {name: SQL.identifier(f"{name}_{span}") for name in ("due", "rate")}
        return SQL(
            """
            CASE WHEN %(is_due)s THEN earned ELSE 0 END AS %(due)s,
            CASE WHEN %(is_due)s THEN %(redeemed)s END AS %(redeemed)s,
            CASE WHEN %(is_due)s THEN 100.0 * %(redeemed)s / NULLIF(earned, 0) END
                AS %(rate)s
            """,
            is_due=is_due,
            redeemed=SQL.identifier(f"redeemed_{span}"),
            **names,
        )

    @api.model
    def _from(self) -> SQL:
        """Return the tables. Override, calling super, to join one more."""
        return SQL(
            """
              FROM (SELECT *, given - moved - taken_back AS earned
                      FROM (%(cohorts)s) summed) cohort
              JOIN (%(running)s) AS running (company_id, last) USING (company_id)
              JOIN res_company company ON company.id = cohort.company_id
              JOIN garage_loyalty_program program ON program.id = cohort.program_id
            """,
            cohorts=self._get_cohorts(),
            running=self.env["garage.loyalty.member.month"]._get_running(),
        )

    @api.model
    def _where(self) -> SQL:
        """Return the condition on all cohorts. Override, calling super, to narrow."""
        return SQL("")

    @api.model
    def _get_cohorts(self) -> SQL:
        """Return a query: what became of the points of each cohort.

        The kind of a cohort is an aggregate: as a condition on single lots PostgreSQL
        would take it for a rare one, and look up millions one after the other.
        """
        sums = (
            SQL("sum(%(name)s)::int AS %(name)s", name=SQL.identifier(name))
            for name in ("given", "left_points")
        )
        return SQL(
            """
            SELECT company_id, program_id, month, bool_or(is_gift) AS is_gift, %(sums)s
              FROM (%(moves)s) move
             GROUP BY company_id, program_id, month, move.is_gift
            """,
            sums=SQL(", ").join([*sums, *self._get_sums()]),
            moves=self._get_moves(),
        )

    @api.model
    def _get_sums(self):
        """Return what was taken from lots and given back to them, by whom, as SQL.

        By the kind of the entry that took it. Override to tell more of them apart.
        """
        kinds = {
            "redeemed": ["redeem", "restore"],
            "expired": ["expire"],
            "taken_back": ["earn", "clawback"],
            "moved": ["transfer"],
            "other": ["adjust", "opening"],
        }
        sums = [
            self._get_sum(name, SQL("kind = ANY(%s)", those))
            for name, those in kinds.items()
        ]
        return sums + [
            self._get_sum(
                f"redeemed_{span}",
                SQL(
                    "kind = ANY(%s) AND taken_on < month + make_interval(months => %s)",
                    kinds["redeemed"],
                    span + 1,
                ),
            )
            for span in SPANS
        ]

    @api.model
    def _get_moves(self) -> SQL:
        """Return a query: points given and left, and each taking, by their cohort.

        The ledger is joined once for all of them.
        """
        return SQL(
            """
            SELECT %(keys)s, part.*
              FROM (%(parts)s) part
              JOIN garage_loyalty_lot lot ON lot.id = part.lot_id
              JOIN garage_loyalty_entry given ON given.id = lot.entry_id
            """,
            keys=self._get_keys(),
            parts=self._get_parts(),
        )

    @api.model
    def _get_keys(self) -> SQL:
        """Return the columns of a cohort, on ``lot`` and the entry that gave it."""
        return SQL(
            """
            given.company_id, given.program_id,
            given.kind NOT IN ('earn', 'transfer') OR lot.is_bonus IS TRUE AS is_gift,
            date_trunc('month', lot.date::timestamp)::date AS month
            """
        )

    @api.model
    def _get_parts(self) -> SQL:
        """Return a query: what was given in each lot, and each taking from it."""
        return SQL(
            """
            SELECT id AS lot_id, NULL AS kind, NULL::date AS taken_on,
                   NULL::int AS points, points AS given, remaining AS left_points
              FROM garage_loyalty_lot
             UNION ALL
            SELECT taken.lot_id, taker.kind, taker.date, taken.points, NULL, NULL
              FROM garage_loyalty_allocation taken
              JOIN garage_loyalty_entry taker ON taker.id = taken.entry_id
            """
        )

    @api.model
    def _get_sum(self, name, condition) -> SQL:
        return SQL(
            "COALESCE(sum(points) FILTER (WHERE %s), 0)::int AS %s",
            condition,
            SQL.identifier(name),
        )
