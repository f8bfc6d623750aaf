from odoo import api, models
from odoo.tools import SQL

from ..tools.cohorts import SPANS
from ..tools.movement import month_number, month_start
from ..tools.rows import unnested


class GarageLoyaltyCohortQuery(models.AbstractModel):
    """The parts of the query of ``garage.loyalty.cohort``.

    States ``tools.cohorts`` once more. What is not final yet is NULL in it, so that no
    sum of it is taken for a figure.
    """

    _name = "garage.loyalty.cohort.query"
    _description = "Query of the Cohort Report"

    @property
    def _table_query(self) -> SQL:
        return SQL("%s %s %s", self._select(), self._from(), self._where())

    @api.model
    def _select(self) -> SQL:
        """Return the columns. Override, calling super, to add one."""
        figures = (self._get_figures(span) for span in SPANS)
        return SQL(
            """
            SELECT ((cohort.company_id::bigint * 100000
                     + extract(year FROM cohort.month)::int * 12
                     + extract(month FROM cohort.month)::int) * 2
                    + is_member::int) * 2 + is_firm::int AS id,
                   cohort.company_id, company.currency_id, cohort.month::date AS month,
                   cohort.month >= running.month AS is_running,
                   CASE WHEN is_member THEN 'member' ELSE 'other' END AS membership,
                   CASE WHEN is_firm THEN 'company' ELSE 'private' END AS customer_kind,
                   cohort.customers, %s
            """,
            SQL(", ").join(figures),
        )

    @api.model
    def _get_figures(self, span) -> SQL:
        """Return the columns of one span, on a cohort and the running month."""
        is_due = SQL("cohort.month + make_interval(months => %s) < running.month", span)
        return SQL(
            """
            CASE WHEN %(is_due)s THEN cohort.customers ELSE 0 END AS %(due)s,
            CASE WHEN %(is_due)s THEN cohort.%(came)s END AS %(came)s,
            CASE WHEN %(is_due)s THEN 100.0 * cohort.%(came)s / cohort.customers END
                AS %(share)s,
            CASE WHEN %(is_due)s THEN cohort.%(amount)s END AS %(amount)s,
            CASE WHEN %(is_due)s THEN cohort.%(amount)s / cohort.customers END
                AS %(value)s
            """,
            is_due=is_due,
            **{
                name: SQL.identifier(f"{name}_{span}")
                for name in ("due", "came", "share", "amount", "value")
            },
        )

    @api.model
    def _from(self) -> SQL:
        """Return the tables. Override, calling super, to join one more."""
        return SQL(
            """
              FROM (%(cohorts)s) cohort
              JOIN (%(running)s) AS running (company_id, month) USING (company_id)
              JOIN res_company company ON company.id = cohort.company_id
            """,
            cohorts=self._get_cohorts(),
            running=self._get_running(),
        )

    @api.model
    def _where(self) -> SQL:
        """Return the condition on all cohorts. Override, calling super, to narrow."""
        return SQL("")

    @api.model
    def _get_running(self) -> SQL:
        """Return a query: the first day of the running month in each company."""
        # Which day it is in a company is no secret.
        companies = self.env["res.company"].sudo()
        companies = companies.search([("loyalty_company_id", "!=", False)])
        rows = [
            (company.id, month_start(month_number(company._get_loyalty_today())))
            for company in companies.loyalty_company_id
        ]
        return unnested(("int", "timestamp"), rows)

    @api.model
    def _get_cohorts(self) -> SQL:
        """Return a query: customers of each cohort, who came back, what they paid."""
        figures = (
            SQL(
                "COALESCE(sum(customers) FILTER (WHERE back <= month "
                "+ make_interval(months => %(span)s)), 0)::int AS %(came)s, "
                "sum(%(amount)s) AS %(amount)s",
                span=span,
                came=SQL.identifier(f"came_{span}"),
                amount=SQL.identifier(f"amount_{span}"),
            )
            for span in SPANS
        )
        return SQL(
            """
            SELECT company_id, month, is_member, is_firm,
                   sum(customers)::int AS customers, %(figures)s
              FROM (%(months)s) counted
             GROUP BY 1, 2, 3, 4
            """,
            figures=SQL(", ").join(figures),
            months=self._get_months(),
        )

    @api.model
    def _get_months(self) -> SQL:
        """Return a query: customers by the months of their first and second visit.

        Months are compared once for each pair of them, not once for each customer.
        """
        amounts = (
            SQL("sum(%(name)s) AS %(name)s", name=SQL.identifier(f"amount_{span}"))
            for span in SPANS
        )
        return SQL(
            """
            SELECT customer.company_id,
                   date_trunc('month', first_visit_date::timestamp) AS month,
                   date_trunc('month', second_visit_date::timestamp) AS back,
                   COALESCE(is_first_member, FALSE) AS is_member,
                   COALESCE(partner.is_company, FALSE) AS is_firm,
                   count(*) AS customers, %(amounts)s
              FROM (%(customers)s) customer
              JOIN res_partner partner ON partner.id = customer.partner_id
             GROUP BY 1, 2, 3, 4, 5
            """,
            amounts=SQL(", ").join(amounts),
            customers=self.env["garage.loyalty.customer"]._get_cohort_now_query(),
        )
