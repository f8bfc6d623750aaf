from odoo import api, models
from odoo.tools import SQL


class GarageLoyaltyActiveMonthQuery(models.AbstractModel):
    """The queries that derive the active months of customers from their invoices.

    States ``tools.movement`` once more, for many customers at once. ``partners`` is
    always the SQL of an array of commercial partners.
    """

    _name = "garage.loyalty.active.month.query"
    _description = "Query of Active Months"

    @api.model
    def _get_names(self):
        """Return the columns that the query of the documents yields.

        Override, together with ``_get_live_query``, to keep one fact more.
        """
        return [
            "company_id",
            "partner_id",
            "month",
            "first_date",
            "last_date",
            "last_amount",
            "is_member",
            "invoices",
            "visits",
            "inspections",
            "reinspections",
            "prev_gap",
            "next_gap",
        ]

    @api.model
    def _get_live_query(self, partners):
        """Return a query: the active months of customers as their documents are now.

        A month with visits that were invoiced in another month is in it as well, with
        no invoices.
        """
        return SQL(
            """
            SELECT company_id, partner_id, month, first_date, last_date,
                   COALESCE(last_amount, 0) AS last_amount,
                   COALESCE(billed.is_member, done.is_member) AS is_member,
                   COALESCE(invoices, 0) AS invoices, COALESCE(visits, 0) AS visits,
                   COALESCE(inspections, 0) AS inspections,
                   COALESCE(reinspections, 0) AS reinspections,
                   COALESCE(prev_gap, 0) AS prev_gap, COALESCE(next_gap, 0) AS next_gap
              FROM (%(billed)s) billed
              FULL JOIN (%(done)s) done USING (company_id, partner_id, month)
            """,
            billed=self._get_billed_query(partners),
            done=self._get_visits_query(partners),
        )

    @api.model
    def _get_billed_query(self, partners):
        """Return a query: months with invoices, and how far the next ones are."""
        number = SQL(
            "(extract(year FROM month)::int * 12 + extract(month FROM month)::int)"
        )
        return SQL(
            """
            SELECT *, COALESCE(%(number)s - lag(%(number)s) OVER customer, 0)
                      AS prev_gap,
                   COALESCE(lead(%(number)s) OVER customer - %(number)s, 0) AS next_gap
              FROM (%(months)s) billed
            WINDOW customer AS (PARTITION BY company_id, partner_id ORDER BY month)
            """,
            number=number,
            months=self._get_months_query(partners),
        )

    @api.model
    def _get_months_query(self, partners):
        """Return a query: what was invoiced to customers in each month."""
        return SQL(
            """
            SELECT company_id, partner_id,
                   date_trunc('month', date::timestamp)::date AS month,
                   min(date) AS first_date, max(date) AS last_date,
                   (array_agg(amount ORDER BY date DESC, id DESC))[1] AS last_amount,
                   (array_agg(is_member ORDER BY date DESC, id DESC))[1] AS is_member,
                   count(*)::int AS invoices,
                   sum(inspections)::int AS inspections,
                   sum(reinspections)::int AS reinspections
              FROM (%(invoices)s) invoice
             GROUP BY 1, 2, 3
            """,
            invoices=self._get_invoices_query(partners),
        )

    @api.model
    def _get_invoices_query(self, partners):
        """Return a query: the invoices that count. Override to count others.

        What was credited as a whole does not. What was invoiced to a contact that is a
        part of a company by now is the company's.
        """
        return SQL(
            """
            SELECT move.id, company.loyalty_company_id AS company_id,
                   owner.commercial_partner_id AS partner_id,
                   move.invoice_date AS date,
                   move.amount_untaxed_signed AS amount,
                   move.loyalty_member_id IS NOT NULL AS is_member,
                   COALESCE(inspections, 0) AS inspections,
                   COALESCE(reinspections, 0) AS reinspections
              FROM res_partner owner
              JOIN account_move move ON move.commercial_partner_id = owner.id
              JOIN res_company company ON company.id = move.company_id
              LEFT JOIN LATERAL (%(inspections)s) inspected ON TRUE
             WHERE move.move_type = 'out_invoice' AND move.state = 'posted'
               AND owner.commercial_partner_id = ANY(%(partners)s)
               AND NOT EXISTS (
                    SELECT FROM account_move refund
                     WHERE refund.reversed_entry_id = move.id
                       AND refund.move_type = 'out_refund' AND refund.state = 'posted'
                       AND refund.currency_id = move.currency_id
                    HAVING sum(refund.amount_total) >= move.amount_total)
            """,
            inspections=self._get_inspections_query(),
            partners=partners,
        )

    @api.model
    def _get_inspections_query(self):
        """Return a query on ``move``: inspections it bills, less those credited."""
        kinds = self.env["product.product"]._get_inspection_ids()
        if not any(kinds.values()):
            return SQL("SELECT 0 AS inspections, 0 AS reinspections")
        counted = SQL(
            "CASE WHEN billed.id = move.id THEN line.quantity ELSE -line.quantity END"
        )
        return SQL(
            """
            SELECT sum(%(counted)s) FILTER (
                        WHERE line.product_id = ANY(%(first)s)) AS inspections,
                   sum(%(counted)s) FILTER (
                        WHERE line.product_id = ANY(%(again)s)) AS reinspections
              FROM account_move billed
              JOIN account_move_line line ON line.move_id = billed.id
             WHERE (billed.id = move.id
                    OR billed.reversed_entry_id = move.id
                       AND billed.move_type = 'out_refund')
               AND billed.state = 'posted' AND line.display_type = 'product'
               AND line.product_id = ANY(%(all)s)
            """,
            counted=counted,
            first=kinds["inspection"],
            again=kinds["reinspection"],
            all=kinds["inspection"] + kinds["reinspection"],
        )

    @api.model
    def _get_visits_query(self, partners):
        """Return a query: the finished, invoiced repair orders of each month."""
        return SQL(
            """
            SELECT company.loyalty_company_id AS company_id, visit.partner_id,
                   date_trunc('month', visit.date::timestamp)::date AS month,
                   count(*)::int AS visits, bool_or(visit.is_member) AS is_member
              FROM garage_loyalty_visit visit
              JOIN res_company company ON company.id = visit.company_id
             WHERE visit.kind = 'repair' AND visit.partner_id = ANY(%(partners)s)
             GROUP BY 1, 2, 3
            """,
            partners=partners,
        )

    @api.model
    def _get_counts_query(self, months):
        """Return a query: what active months add to the counts of the movement report.

        :param months: a query with the columns of ``_get_names`` and ``sign``, 1 for
            what is added and -1 for what is taken away
        """
        return SQL(
            """
            SELECT company_id, month, way, gap, is_member,
                   sum(sign * customers)::int AS customers,
                   sum(sign * work * visits)::int AS visits,
                   sum(sign * work * inspections)::int AS inspections,
                   sum(sign * work * reinspections)::int AS reinspections
              FROM (%(months)s) active
             CROSS JOIN LATERAL (VALUES
                   ('in', prev_gap, (invoices > 0)::int, 0),
                   ('out', next_gap, (invoices > 0)::int, 0),
                   ('work', 0, (invoices > 0)::int, 1)
                   ) AS counted (way, gap, customers, work)
             WHERE invoices > 0 OR way = 'work'
             GROUP BY 1, 2, 3, 4, 5
            """,
            months=months,
        )
