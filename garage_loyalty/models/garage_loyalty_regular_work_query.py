from odoo import api, models
from odoo.tools import SQL

from ..tools.offers import count_from


class GarageLoyaltyRegularWorkQuery(models.AbstractModel):
    """The queries that find who had the same kind of work done again and again.

    States ``tools.offers.regulars`` once more, for many customers at once. ``partners``
    is always the SQL of an array of commercial partners.
    """

    _name = "garage.loyalty.regular.work.query"
    _description = "Query of Regular Work"

    @api.model
    def _get_names(self):
        """Return the columns that the query of the facts yields.

        Override, together with ``_get_fact_query``, to keep one fact more.
        """
        return [
            "company_id",
            "partner_id",
            "categ_id",
            "times",
            "first_date",
            "last_date",
            "amount",
        ]

    @api.model
    def _get_fact_query(self, partners):
        """Return a query: kinds of work that were invoiced often enough."""
        return SQL(
            """
            SELECT company_id, partner_id, categ_id, count(*)::int AS times,
                   min(date) AS first_date, max(date) AS last_date,
                   sum(amount) AS amount
              FROM (%(works)s) work
              LEFT JOIN (%(offered)s) offered USING (company_id, partner_id, categ_id)
             WHERE offered_on IS NULL OR date > offered_on
             GROUP BY company_id, partner_id, categ_id
            HAVING count(*) >= min(needed)
            """,
            works=self._get_works_query(partners),
            offered=self._get_offered_query(partners),
        )

    @api.model
    def _get_works_query(self, partners):
        """Return a query: kinds of service on each invoice, less what was credited.

        Override to tell kinds of work apart by other means than the category.
        """
        return SQL(
            """
            SELECT invoice.company_id, invoice.partner_id, template.categ_id, needed,
                   invoice.id, invoice.date, -sum(line.balance) AS amount
              FROM (%(invoices)s) invoice
              JOIN (%(limits)s) limits USING (company_id)
              JOIN account_move billed
                ON billed.id = invoice.id
                OR billed.reversed_entry_id = invoice.id
               AND billed.move_type = 'out_refund'
              JOIN account_move_line line ON line.move_id = billed.id
              JOIN product_product product ON product.id = line.product_id
              JOIN product_template template ON template.id = product.product_tmpl_id
              JOIN product_category category ON category.id = template.categ_id
             WHERE invoice.date BETWEEN limits.since AND limits.today
               AND billed.state = 'posted' AND line.display_type = 'product'
               AND line.loyalty_redemption_id IS NULL
               AND line.is_downpayment IS NOT TRUE
               AND template.type = 'service' AND category.loyalty_no_offers IS NOT TRUE
             GROUP BY 1, 2, 3, 4, 5, 6
            HAVING sum(line.balance) < 0
            """,
            invoices=self.env["garage.loyalty.active.month"]._get_invoices_query(
                partners
            ),
            limits=self._get_limits_query(),
        )

    @api.model
    def _get_limits_query(self):
        """Return a query: how often, and since when, in each company that asks."""
        companies = self.env["res.company"].sudo()  # settings are for every job
        companies = companies.search([("loyalty_company_id", "!=", False)])
        rows = [
            SQL(
                "(%s, %s, %s::date, %s::date)",
                company.id,
                company.loyalty_regular_times,
                count_from(today, company.loyalty_regular_months),
                today,
            )
            for company in companies.loyalty_company_id
            if company.loyalty_regular_times
            for today in [company._get_loyalty_today()]
        ]
        # One row is always there: VALUES cannot be empty.
        rows.append(SQL("(0, 0, NULL::date, NULL::date)"))
        return SQL(
            "SELECT * FROM (VALUES %s) AS limits (company_id, needed, since, today)",
            SQL(", ").join(rows),
        )

    @api.model
    def _get_offered_query(self, partners):
        """Return a query: when customers were last offered something on a kind."""
        return SQL(
            """
            SELECT company_id, partner_id, categ_id, max(date) AS offered_on
              FROM garage_loyalty_personal_offer
             WHERE active AND categ_id IS NOT NULL AND partner_id = ANY(%s)
             GROUP BY 1, 2, 3
            """,
            partners,
        )
