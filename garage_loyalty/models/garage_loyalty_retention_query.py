from odoo import api, models
from odoo.tools import SQL

from ..tools.movement import month_start


class GarageLoyaltyRetentionQuery(models.AbstractModel):
    """The query that counts what existing customers did in some months.

    On the active months of customers, which say for each one when the next one is: the
    last one before a day is found without looking at the others.
    """

    _name = "garage.loyalty.retention.query"
    _description = "Query of the Retention Check"

    @api.model
    def _get_began(self, company):
        """Return the month of the first invoice of a company, None without any."""
        found = self.env.execute_query(
            SQL(
                "SELECT min(month) FROM garage_loyalty_active_month "
                "WHERE company_id = %s AND invoices > 0",
                company.id,
            )
        )
        return found[0][0]

    @api.model
    def _get_counts(self, company, window):
        """Return what existing customers did, once for members and once for others.

        :param window: ``tools.retention.Window``
        :return: dicts by whether the customers were members at the last invoice before
        """
        rows = self.env.execute_query_dict(
            SQL(
                """
                SELECT is_member, count(*) AS customers,
                       count(*) FILTER (WHERE visits + invoices > 0) AS came,
                       sum(visits)::int AS visits, sum(invoices)::int AS invoices,
                       sum(visits ^ 2) AS visits_spread,
                       sum(invoices ^ 2) AS invoices_spread
                  FROM (%s) customer
                 GROUP BY 1
                """,
                self._get_customers_query(company, window),
            )
        )
        return {row.pop("is_member"): row for row in rows}

    @api.model
    def _get_customers_query(self, company, window):
        """Return a query: existing customers, and what each of them did.

        Override to count other visits, or other customers.
        """
        return SQL(
            """
            SELECT known.partner_id, known.is_member,
                   COALESCE(sum(done.visits), 0) AS visits,
                   COALESCE(sum(done.invoices), 0) AS invoices
              FROM garage_loyalty_active_month known
              LEFT JOIN garage_loyalty_active_month done
                ON done.company_id = known.company_id
               AND done.partner_id = known.partner_id
               AND done.month BETWEEN %(first)s AND %(last)s
             WHERE known.company_id = %(company)s AND known.invoices > 0
               AND known.month >= %(since)s AND known.month < %(first)s
               AND (known.next_gap = 0
                    OR known.month + make_interval(months => known.next_gap)
                       >= %(first)s)
             GROUP BY 1, 2
            """,
            company=company.id,
            first=month_start(window.first),
            last=month_start(window.last),
            since=month_start(window.first - window.known),
        )
