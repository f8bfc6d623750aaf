from odoo import api, models
from odoo.tools import SQL

from ..tools import rows
from ..tools.movement import month_number
from ..tools.rows import columns, unnested

MOST_MONTHS = 60
FIGURES = (
    "lapsed",
    "returned",
    "first_count",
    "returning_count",
    "active_count",
    "visits",
    "inspections",
    "reinspections",
)


class GarageLoyaltyMovementQuery(models.AbstractModel):
    """The parts of the query of ``garage.loyalty.movement``.

    Months are whole numbers in it. ``gap`` is the number of months without an invoice
    after which a customer is counted as lapsed; the report has rows for all of them,
    and PostgreSQL computes those that are asked for.
    """

    _name = "garage.loyalty.movement.query"
    _description = "Query of the Movement Report"

    @api.model
    def _get_spans(self):
        """Return the first and the running month of each company, by its id.

        Asked beforehand: PostgreSQL would take the report for one of thousands of
        months, and compile what takes no time.
        """
        Month = self.env["garage.loyalty.active.month"]
        found = self.env.execute_query(
            SQL(
                """
                SELECT company_id, min(month) FROM (
                    SELECT company_id, month FROM garage_loyalty_movement_count
                    UNION ALL SELECT company_id, month FROM (%s) live) known
                 GROUP BY 1
                """,
                Month._get_live_query(Month._get_changed()),
            )
        )
        # Which day it is in a company is no secret.
        companies = self.env["res.company"].sudo().browse(row[0] for row in found)
        today = {company.id: company._get_loyalty_today() for company in companies}
        return {
            company_id: (month_number(first), month_number(today[company_id]))
            for company_id, first in found
        }

    @api.model
    def _get_months(self, spans) -> SQL:
        """Return a query: the months of each company, and whether they are over."""
        months = [
            (company_id, number, number == last)
            for company_id, (first, last) in spans.items()
            for number in range(first, last + 1)
        ]
        return unnested(("int", "int", "boolean"), months)

    @api.model
    def _get_counted(self) -> SQL:
        """Return a query: the counts, once for everybody and once for the scope."""
        return SQL(
            """
            SELECT company_id, %(number)s AS number, way, gap AS away, scope,
                   sum(customers) AS customers, sum(visits) AS visits,
                   sum(inspections) AS inspections, sum(reinspections) AS reinspections
              FROM (%(counts)s) counted
             CROSS JOIN LATERAL (VALUES
                   ('all'), (CASE WHEN is_member THEN 'member' ELSE 'other' END)
                   ) AS scopes (scope)
             GROUP BY 1, 2, 3, 4, 5
            """,
            number=rows.month_number(SQL("month")),
            counts=self.env["garage.loyalty.movement.count"]._get_now_query(),
        )

    @api.model
    def _get_events(self, spans) -> SQL:
        """Return a query: what each count adds to which month.

        States ``tools.movement`` once more. Active customers are told by who joins them
        and who leaves them.
        """
        return SQL(
            """
            SELECT company_id, event.number, months.gap, scope,
                   sum(lapsed) AS lapsed, sum(returned) AS returned,
                   sum(first_count) AS first_count,
                   sum(returning_count) AS returning_count,
                   sum(active_count) AS active_count, sum(event.visits) AS visits,
                   sum(event.inspections) AS inspections,
                   sum(event.reinspections) AS reinspections
              FROM (%(counted)s) counted
              JOIN (%(spans)s) AS span (company_id, last_number) USING (company_id)
             CROSS JOIN generate_series(1, %(most)s) AS months (gap)
             CROSS JOIN LATERAL (%(effects)s) event
             GROUP BY 1, 2, 3, 4
            """,
            counted=self._get_counted(),
            effects=self._get_effects(),
            spans=unnested(
                ("int", "int"),
                [(company_id, last) for company_id, (_first, last) in spans.items()],
            ),
            most=MOST_MONTHS,
        )

    @api.model
    def _get_effects(self) -> SQL:
        """Return a query on one count: its own month, the lapse, who is not active."""
        return SQL(
            """
            SELECT number, 0 AS lapsed, 0 AS returned,
                   customers * (way = 'in' AND away = 0)::int AS first_count,
                   customers * (way = 'in' AND away > months.gap)::int
                       AS returning_count,
                   customers * (way = 'out')::int AS active_count,
                   visits, inspections, reinspections
            UNION ALL
            SELECT number + months.gap, customers,
                   customers * (away > 0 AND number + away <= last_number)::int,
                   0, 0, 0, 0, 0, 0
             WHERE way = 'out' AND (away = 0 OR away > months.gap)
            UNION ALL
            SELECT number + CASE WHEN away = 0 THEN months.gap
                                 ELSE LEAST(away, months.gap) END,
                   0, 0, 0, 0, -customers, 0, 0, 0
             WHERE way = 'out'
            """
        )

    @api.model
    def _get_rows(self) -> SQL:
        """Return a query: a row for every month, months without customers as well."""
        spans = self._get_spans()
        zeros = (
            SQL("COALESCE(%(name)s, 0)::int AS %(name)s", name=SQL.identifier(name))
            for name in FIGURES
            if name != "active_count"
        )
        return SQL(
            """
            SELECT company_id, number, gap, scope, is_running, %(zeros)s,
                   sum(COALESCE(active_count, 0)) OVER (
                        PARTITION BY company_id, gap, scope ORDER BY number)::int
                       AS active_count
              FROM (%(months)s) AS period (company_id, number, is_running)
             CROSS JOIN generate_series(1, %(most)s) AS gaps (gap)
             CROSS JOIN (VALUES ('all'), ('member'), ('other')) AS scopes (scope)
              LEFT JOIN (%(events)s) event USING (company_id, number, gap, scope)
            """,
            zeros=SQL(", ").join(zeros),
            months=self._get_months(spans),
            most=MOST_MONTHS,
            events=self._get_events(spans),
        )

    @api.model
    def _get_parts(self) -> SQL:
        """Return a query on one row: the whole, and the parts that its net is made of.

        What is no movement belongs to the whole alone.
        """
        return SQL(
            """
            SELECT * FROM (VALUES
                   (0, 'all', lapsed, returned, first_count, returning_count,
                    active_count, visits, inspections, reinspections),
                   (1, 'first', 0, 0, first_count, 0, NULL, NULL, NULL, NULL),
                   (2, 'returning', 0, 0, 0, returning_count, NULL, NULL, NULL, NULL),
                   (3, 'lapsed', lapsed, returned, 0, 0, NULL, NULL, NULL, NULL)
                   ) AS parts (place, kind, %s)
            """,
            columns(FIGURES),
        )
