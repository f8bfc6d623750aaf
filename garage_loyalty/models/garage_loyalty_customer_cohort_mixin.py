from odoo import api, fields, models
from odoo.tools import SQL

from ..tools.cohorts import SPANS
from ..tools.rows import columns


def _net_within(span):
    return fields.Monetary(
        string=f"Net in {span} months",
        readonly=True,
        exportable=False,
        help="Net invoiced for repair orders from the first visit on.",
    )


class GarageLoyaltyCustomerCohortMixin(models.AbstractModel):
    """Facts: the first visit of a customer, the next one, and what came of them.

    States ``tools.cohorts`` once more, for many customers at once. Kept on the
    customer, so that reports on cohorts look at customers and not at all their visits.
    """

    _name = "garage.loyalty.customer.cohort.mixin"
    _description = "First Visit of Customers"
    _inherit = ["garage.loyalty.customer.query"]

    # Whose it is says the model that inherits.
    currency_id = fields.Many2one("res.currency", readonly=True)
    first_visit_date = fields.Date(
        string="First visit",
        readonly=True,
        help="First finished, invoiced repair order that was neither under warranty "
        "nor free.",
    )
    second_visit_date = fields.Date(
        string="Second visit", readonly=True, help="First visit on a later day."
    )
    is_first_member = fields.Boolean(
        string="Member at the first visit",
        readonly=True,
        help="The customer was an active member on the day of the first visit.",
    )
    amount_3 = _net_within(3)
    amount_6 = _net_within(6)
    amount_12 = _net_within(12)
    amount_13 = _net_within(13)
    amount_24 = _net_within(24)

    @api.model
    def _get_cohort_names(self):
        """Return the columns of ``_get_cohort_query`` beside company and customer."""
        amounts = (f"amount_{span}" for span in SPANS)
        return ["first_visit_date", "second_visit_date", "is_first_member", *amounts]

    @api.model
    def _get_names(self):
        return [*super()._get_names(), *self._get_cohort_names()]

    @api.model
    def _get_fact_query(self, partners):
        return SQL(
            "SELECT fact.*, %s FROM (%s) fact "
            "LEFT JOIN (%s) cohort USING (company_id, partner_id)",
            columns(self._get_cohort_names()),
            super()._get_fact_query(partners),
            self._get_cohort_query(partners),
        )

    @api.model
    def _get_cohort_visits_query(self, partners):
        """Return a query: the visits that count. Override to count others.

        Work under warranty brings nobody back, and what was credited as a whole never
        was: both are left out, as they are by default where members are compared.

        :param partners: the SQL of an array of commercial partners
        """
        return SQL(
            """
            SELECT company.loyalty_company_id AS company_id, visit.partner_id,
                   visit.date, visit.is_member, visit.amount
              FROM garage_loyalty_visit visit
              JOIN res_company company ON company.id = visit.company_id
             WHERE visit.partner_id = ANY(%(partners)s) AND visit.kind = 'repair'
               AND visit.is_warranty IS NOT TRUE
               AND visit.amount + COALESCE(visit.amount_discount, 0) <> 0
            """,
            partners=partners,
        )

    @api.model
    def _get_cohort_query(self, partners):
        """Return a query: first and second visit of customers, and their revenue.

        :param partners: the SQL of an array of commercial partners
        """
        amounts = (
            SQL(
                "sum(amount) FILTER (WHERE date < month + make_interval(months => %s))"
                " AS %s",
                span + 1,
                SQL.identifier(f"amount_{span}"),
            )
            for span in SPANS
        )
        return SQL(
            """
            SELECT company_id, partner_id, first_visit_date,
                   min(date) FILTER (WHERE date > first_visit_date)
                       AS second_visit_date,
                   bool_or(is_member) FILTER (WHERE date = first_visit_date)
                       AS is_first_member,
                   %(amounts)s
              FROM (SELECT *, date_trunc('month', first_visit_date::timestamp) AS month
                      FROM (SELECT *, min(date) OVER (PARTITION BY company_id,
                                   partner_id) AS first_visit_date
                              FROM (%(visits)s) visit) dated) done
             GROUP BY 1, 2, 3
            """,
            amounts=SQL(", ").join(amounts),
            visits=self._get_cohort_visits_query(partners),
        )

    @api.model
    def _get_cohort_now_query(self):
        """Return a query: the first visits of everybody, as the documents are now.

        Those of customers whose documents have changed lately are computed, the others
        are known.
        """
        names = columns(["company_id", "partner_id", *self._get_cohort_names()])
        changed = self.env["garage.loyalty.active.month"]._get_changed()
        return SQL(
            """
            SELECT %(names)s FROM garage_loyalty_customer
             WHERE first_visit_date IS NOT NULL AND partner_id <> ALL(%(changed)s)
            UNION ALL SELECT %(names)s FROM (%(live)s) live
            """,
            names=names,
            changed=changed,
            live=self._get_cohort_query(changed),
        )
