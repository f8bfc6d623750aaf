from odoo import api, models
from odoo.tools import SQL


class GarageLoyaltyCustomerQuery(models.AbstractModel):
    """The queries that derive what is known of a customer, and the stage.

    States ``tools.movement.stage`` once more, for many customers at once.
    """

    _name = "garage.loyalty.customer.query"
    _description = "Query of Customers"

    @api.model
    def _get_names(self):
        """Return the columns that the query of the facts yields.

        Override, together with ``_get_fact_query``, to keep one fact more.
        """
        return [
            "company_id",
            "partner_id",
            "first_date",
            "last_date",
            "last_amount",
            "invoices",
            "visits",
            "usual_days",
            "stage",
        ]

    @api.model
    def _get_limits_query(self):
        """Return a query: the present day and the limits of each company."""
        companies = self.env["res.company"].sudo()  # settings are for every job
        companies = companies.search([("loyalty_company_id", "!=", False)])
        rows = (
            SQL(
                "(%s, %s::date, %s, %s, %s, %s)",
                company.id,
                company._get_loyalty_today(),
                company.loyalty_risk_months,
                company.loyalty_lapse_months,
                company.loyalty_lost_months,
                company.loyalty_use_rhythm,
            )
            for company in companies.loyalty_company_id
        )
        return SQL(
            "SELECT * FROM (VALUES %s) AS limits "
            "(company_id, today, at_risk, lapsed, lost, by_rhythm)",
            SQL(", ").join(rows),
        )

    @api.model
    def _get_stage(self):
        """Return the SQL of the stage, on ``limits`` and the columns of a customer.

        Override to stage customers by other means.
        """
        away = SQL(
            "((extract(year FROM today)::int - extract(year FROM last_date)::int) * 12 "
            "+ extract(month FROM today)::int - extract(month FROM last_date)::int)"
        )
        return SQL(
            """
            CASE WHEN last_date IS NULL THEN 'never' WHEN %(away)s > lost THEN 'lost'
                 WHEN %(away)s > lapsed THEN 'lapsed' WHEN %(away)s > at_risk
                   OR by_rhythm AND today - last_date > usual_days THEN 'at_risk'
                 ELSE 'active' END
            """,
            away=away,
        )

    @api.model
    def _get_fact_query(self, partners):
        """Return a query: what is known of customers.

        :param partners: the SQL of an array of commercial partners
        """
        return SQL(
            """
            SELECT company_id, partner_id, first_date, last_date, last_amount,
                   COALESCE(invoices, 0) AS invoices, COALESCE(visits, 0) AS visits,
                   usual_days, %(stage)s AS stage, today
              FROM (%(known)s) known
              JOIN (%(limits)s) limits USING (company_id)
              LEFT JOIN (%(done)s) done USING (company_id, partner_id)
              LEFT JOIN (%(usual)s) usual USING (company_id, partner_id)
            """,
            stage=self._get_stage(),
            known=self._get_known_query(partners),
            limits=self._get_limits_query(),
            done=self._get_done_query(partners),
            usual=self._get_usual_query(partners),
        )

    @api.model
    def _get_known_query(self, partners):
        """Return a query: who is a customer of which company, invoiced or not.

        Override to know customers from other documents.
        """
        return SQL(
            """
            SELECT company_id, partner_id FROM garage_loyalty_active_month
             WHERE partner_id = ANY(%(partners)s) AND invoices > 0
            UNION
            SELECT company_id, partner_id FROM garage_loyalty_member
             WHERE partner_id = ANY(%(partners)s)
            UNION
            SELECT company.loyalty_company_id, customer.commercial_partner_id
              FROM res_partner customer
              JOIN repair_order repair ON repair.partner_id = customer.id
              JOIN res_company company ON company.id = repair.company_id
             WHERE customer.commercial_partner_id = ANY(%(partners)s)
            UNION
            SELECT company.loyalty_company_id, owner.commercial_partner_id
              FROM res_partner owner
              JOIN account_move move ON move.commercial_partner_id = owner.id
              JOIN res_company company ON company.id = move.company_id
             WHERE owner.commercial_partner_id = ANY(%(partners)s)
               AND move.move_type = 'out_invoice'
            """,
            partners=partners,
        )

    @api.model
    def _get_done_query(self, partners):
        """Return a query: what customers were invoiced, in all and last."""
        return SQL(
            """
            SELECT company_id, partner_id, min(first_date) AS first_date,
                   max(last_date) AS last_date, sum(invoices)::int AS invoices,
                   sum(visits)::int AS visits,
                   (array_agg(last_amount ORDER BY last_date DESC NULLS LAST))[1]
                       AS last_amount
              FROM garage_loyalty_active_month
             WHERE partner_id = ANY(%s)
             GROUP BY 1, 2
            """,
            partners,
        )

    @api.model
    def _get_usual_query(self, partners, least=4):
        """Return a query: after how many days each customer is overdue.

        See ``tools.movement.usual_interval``.
        """
        return SQL(
            """
            SELECT company_id, partner_id,
                   round(percentile_cont(0.9) WITHIN GROUP (ORDER BY days)::numeric, 6)
                       AS usual_days
              FROM (SELECT company_id, partner_id,
                           date - lag(date) OVER customer AS days
                      FROM (SELECT DISTINCT company_id, partner_id, date
                              FROM (%(invoices)s) invoice) billed
                    WINDOW customer AS (
                           PARTITION BY company_id, partner_id ORDER BY date)) gaps
             WHERE days IS NOT NULL
             GROUP BY 1, 2 HAVING count(*) >= %(least)s
            """,
            invoices=self.env["garage.loyalty.active.month"]._get_invoices_query(
                partners
            ),
            least=least - 1,
        )
