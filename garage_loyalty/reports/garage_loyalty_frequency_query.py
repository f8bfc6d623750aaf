from datetime import date

from odoo import api, models
from odoo.tools import SQL

from ..models.garage_loyalty_visit_months_mixin import STEP
from ..tools.movement import month_number, month_start
from ..tools.rows import unnested

LINES = [("member", "Members"), ("other", "Non-members"), ("target", "Target")]
WINDOW = 12


class GarageLoyaltyFrequencyQuery(models.AbstractModel):
    """The parts of the query of ``garage.loyalty.frequency``.

    Months are whole numbers in it (``tools.movement.month_number``). A customer is
    there in the twelve months from a visit on; what the visit before, of the same kind,
    has covered already is left out. So one grouping of the visits is enough to count
    customers in every window, however many windows there are.
    """

    _name = "garage.loyalty.frequency.query"
    _description = "Query of the Visit Frequency"

    @api.model
    def _get_table_query(self) -> SQL:
        return SQL(
            """
            WITH counted AS MATERIALIZED (%(counted)s),
            event AS MATERIALIZED (%(events)s),
            month AS (%(months)s), total AS (%(totals)s)
            SELECT company_id * 1000000::bigint + number * 8
                   + CASE line WHEN 'member' THEN 0 WHEN 'other' THEN 2 ELSE 4 END
                   + is_company::int AS id,
                   make_date(number / 12, number %% 12 + 1, 1) AS date, line,
                   CASE WHEN is_company THEN 'company' ELSE 'private' END
                       AS customer_kind,
                   company_id, visits AS visit_count, customers AS customer_count,
                   twice AS both_count, visits / NULLIF(customers, 0)
                       AS visit_frequency, NULL::float AS frequency_ratio,
                   NULL::float AS member_frequency, NULL::float AS other_frequency,
                   NULL::float AS target_frequency
              FROM (%(lines)s) lines
             WHERE customers > 0
            """,
            counted=self._get_counted(),
            events=self._get_events(),
            months=self._get_months(),
            totals=self._get_totals(),
            lines=self._get_lines(),
        )

    @api.model
    def _get_counted(self) -> SQL:
        """Return a query: visits by month, and by the months of those before them."""
        return SQL(
            """
            SELECT company_id, is_company, is_member, visits,
                   (months / %(step)s / %(step)s)::int AS number,
                   NULLIF(months / %(step)s %% %(step)s, 0)::int AS same,
                   NULLIF(months %% %(step)s, 0)::int AS paid
              FROM (
                SELECT visit.company_id, firm.id IS NOT NULL AS is_company,
                       COALESCE(visit.is_member, FALSE) AS is_member, visit.months,
                       count(*) AS visits
                  FROM garage_loyalty_visit visit
                  LEFT JOIN res_partner firm ON firm.id = visit.partner_id
                   AND firm.is_company
                 WHERE visit.kind = 'repair' AND %(is_paid)s AND %(since)s
                 GROUP BY 1, 2, 3, 4) grouped
            """,
            step=STEP,
            is_paid=self.env["garage.loyalty.visit"]._get_is_paid(),
            since=self._get_since(),
        )

    @api.model
    def _get_since(self) -> SQL:
        """Return the condition on visits that count in any month asked for.

        Whoever came earlier has left all of their windows again.
        """
        first = self._get_first_number()
        return SQL("visit.date >= %s", month_start(first)) if first else SQL("TRUE")

    @api.model
    def _get_first_number(self):
        """Return the first month of the first window asked for, None for all."""
        day = self.env.context.get("loyalty_since")
        return month_number(day) - WINDOW + 1 if isinstance(day, date) else None

    @api.model
    def _get_begun(self) -> SQL:
        """Return a query: the month from which on each company has visits."""
        first = self._get_first_number()
        if not first:
            return SQL("SELECT company_id, min(number) FROM counted GROUP BY 1")
        return SQL(
            """
            SELECT company_id, CASE WHEN EXISTS (
                        SELECT FROM garage_loyalty_visit visit
                         WHERE visit.company_id = counted.company_id
                           AND visit.kind = 'repair' AND %s AND visit.date < %s)
                   THEN %s ELSE min(number) END
              FROM counted GROUP BY 1
            """,
            self.env["garage.loyalty.visit"]._get_is_paid(),
            month_start(first),
            first,
        )

    @api.model
    def _get_events(self) -> SQL:
        """Return a query: what is added to the windows from which month on."""
        return SQL(
            """
            SELECT company_id, is_company, is_member, effect.number,
                   sum(effect.visits) AS visits, sum(effect.same) AS same,
                   sum(effect.paid) AS paid
              FROM counted
             CROSS JOIN LATERAL (VALUES
                   (counted.number, visits, 0, 0),
                   (GREATEST(counted.number, counted.same + %(window)s), 0, visits, 0),
                   (GREATEST(counted.number, counted.paid + %(window)s), 0, 0, visits),
                   (counted.number + %(window)s, -visits, -visits, -visits)
                   ) AS effect (number, visits, same, paid)
             GROUP BY 1, 2, 3, 4
            """,
            window=WINDOW,
        )

    @api.model
    def _get_months(self) -> SQL:
        """Return a query: the months that are over and have twelve behind them.

        The first month is that of the first visit.
        """
        # Which day it is in a company is no secret.
        Company = self.env["res.company"].sudo()
        last = [
            (company.id, month_number(company._get_loyalty_today()) - 1)
            for company in Company.search([("loyalty_company_id", "!=", False)])
        ]
        return SQL(
            """
            SELECT span.company_id, number
              FROM (%s) AS span (company_id, last)
              JOIN (%s) AS begun (company_id, first) USING (company_id)
             CROSS JOIN LATERAL generate_series(first + %s, last) AS number
            """,
            unnested(("int", "int"), last),
            self._get_begun(),
            WINDOW - 1,
        )

    @api.model
    def _get_totals(self) -> SQL:
        """Return a query: the events summed up, for both sides of each month."""
        return SQL(
            """
            SELECT month.company_id, month.number, kinds.is_company, summed.*
              FROM month
             CROSS JOIN (VALUES (FALSE), (TRUE)) AS kinds (is_company)
             CROSS JOIN LATERAL (
                SELECT COALESCE(sum(visits) FILTER (WHERE is_member), 0) AS visits,
                       COALESCE(sum(same) FILTER (WHERE is_member), 0) AS customers,
                       COALESCE(sum(visits) FILTER (WHERE NOT is_member), 0)
                           AS other_visits,
                       COALESCE(sum(same) FILTER (WHERE NOT is_member), 0)
                           AS other_customers,
                       COALESCE(sum(same) - sum(paid), 0) AS twice
                  FROM event
                 WHERE event.company_id = month.company_id
                   AND event.is_company = kinds.is_company
                   AND event.number <= month.number) summed
            """
        )

    @api.model
    def _get_lines(self) -> SQL:
        """Return a query: the lines of the graph in each month."""
        return SQL(
            """
            SELECT total.company_id, number, is_company, line.*
              FROM total
              JOIN res_company company ON company.id = total.company_id
             CROSS JOIN LATERAL (VALUES
                   ('member', visits, customers, twice),
                   ('other', other_visits, other_customers, 0),
                   ('target',
                    other_visits * company.loyalty_frequency_target::numeric,
                    other_customers, 0)) AS line (line, visits, customers, twice)
            """
        )
