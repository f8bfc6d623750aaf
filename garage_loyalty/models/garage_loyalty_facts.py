from odoo import api, models
from odoo.tools import SQL


class GarageLoyaltyFacts(models.AbstractModel):
    """The queries that derive the facts of a visit from its documents."""

    _name = "garage.loyalty.facts"
    _description = "Facts of Customer Visits"

    @api.model
    def _get_names(self):
        """Return the columns that the queries of both documents yield.

        Override, together with the two queries, to stamp one fact more.
        """
        return [
            "kind",
            "repair_id",
            "move_id",
            "company_id",
            "partner_id",
            "user_id",
            "date",
            "member_id",
            "is_member",
            "tier_id",
            "is_warranty",
            "answer",
            "amount_labour",
            "amount_parts",
            "amount",
            "amount_discount",
        ]

    @api.model
    def _get_status_query(self, company, partner, date):
        """Return a subquery: the membership of a customer as of a day.

        The arguments are the SQL of the company that keeps the customer's account,
        of the commercial partner and of the day.
        """
        return SQL(
            """
            SELECT member.id AS member_id, status.tier_id
              FROM garage_loyalty_member member
              JOIN LATERAL (
                    SELECT state, tier_id
                      FROM garage_loyalty_member_status
                     WHERE member_id = member.id AND date <= %(date)s
                     ORDER BY date DESC, id DESC
                     LIMIT 1) status ON status.state = 'active'
             WHERE member.company_id = %(company)s
               AND member.partner_id = %(partner)s
             ORDER BY member.merged_into_id IS NOT NULL, member.id DESC
             LIMIT 1
            """,
            company=company,
            partner=partner,
            date=date,
        )

    @api.model
    def _get_amounts(self):
        """Return what an invoice line adds to labour, to parts and to the discount.

        The same rule as ``garage.loyalty.line.mixin._get_loyalty_kind``.
        """
        is_labour = SQL(
            "COALESCE(move_line.loyalty_scope = 'labour', "
            "product.id IS NULL OR template.type = 'service')"
        )
        return SQL(
            """
            move_line.partner_id,
            CASE WHEN %(is_labour)s THEN -move_line.balance ELSE 0 END AS labour,
            CASE WHEN %(is_labour)s THEN 0 ELSE -move_line.balance END AS parts,
            CASE WHEN move_line.loyalty_redemption_id IS NULL THEN 0
                 ELSE move_line.balance END AS discount
            """,
            is_labour=is_labour,
        )

    @api.model
    def _get_joins(self):
        """Return the joins that ``_get_amounts`` needs, on ``move_line``."""
        return SQL(
            """
            LEFT JOIN product_product product ON product.id = move_line.product_id
            LEFT JOIN product_template template
              ON template.id = product.product_tmpl_id
            """
        )

    @api.model
    def _get_repair_query(self, repair_ids):
        """Return a query that yields the facts of finished, invoiced repair orders.

        Shared lines are divided in proportion to what the repair orders' own lines
        come to, equally if they have none; to the cent, by running totals.
        """
        date = SQL(
            "(repair.date_done AT TIME ZONE 'UTC' "
            "AT TIME ZONE COALESCE(company_partner.tz, 'UTC'))::date"
        )
        customer = SQL("COALESCE(customer.commercial_partner_id, total.partner_id)")
        return SQL(
            """
            WITH %(amounts)s, %(weights)s, %(totals)s
            SELECT 'repair' AS kind, repair.id AS repair_id, NULL::int AS move_id,
                   repair.company_id, %(customer)s AS partner_id, repair.user_id,
                   %(date)s AS date, %(sums)s,
                   COALESCE(repair.under_warranty, FALSE) AS is_warranty,
                   %(answer)s AS answer
              FROM total
              JOIN repair_order repair ON repair.id = total.repair_id
              JOIN res_company company ON company.id = repair.company_id
              JOIN res_partner company_partner
                ON company_partner.id = company.partner_id
              LEFT JOIN res_partner customer ON customer.id = repair.partner_id
              LEFT JOIN LATERAL (%(status)s) status ON TRUE
             WHERE repair.state = 'done' AND repair.date_done IS NOT NULL
               AND repair.id = ANY(%(ids)s)
            """,
            amounts=self._get_repair_amounts(repair_ids),
            weights=self._get_repair_weights(),
            totals=self._get_repair_totals(),
            answer=self._get_answer(),
            customer=customer,
            date=date,
            sums=self._get_sums(),
            status=self._get_status_query(
                SQL("company.loyalty_company_id"), customer, date
            ),
            ids=list(repair_ids),
        )

    @api.model
    def _get_answer(self):
        """Return the SQL of what the customer said at ``repair`` about joining.

        Override, together with ``account.move._prepare_repair_visit``, where answers
        stand elsewhere.
        """
        return SQL("NULLIF(repair.loyalty_offer, 'not_asked')")

    @api.model
    def _get_sums(self):
        """Return the columns that both queries take from ``total`` and ``status``."""
        return SQL(
            """
            status.member_id, status.member_id IS NOT NULL AS is_member,
            status.tier_id, total.labour AS amount_labour,
            total.parts AS amount_parts, total.labour + total.parts AS amount,
            total.discount AS amount_discount
            """
        )

    @api.model
    def _get_repair_amounts(self, repair_ids):
        """Return CTEs: what each repair order bills itself, and what it shares."""
        return SQL(
            """
            line AS (%(lines)s), priced AS (
                SELECT line.repair_id, line.order_id, line.is_own, %(priced)s
                  FROM line
                  JOIN account_move_line move_line ON move_line.id = line.line_id
                  %(joins)s
            ), own AS (
                SELECT repair_id, order_id, min(priced.partner_id) AS partner_id,
                       COALESCE(sum(labour) FILTER (WHERE is_own), 0) AS labour,
                       COALESCE(sum(parts) FILTER (WHERE is_own), 0) AS parts,
                       COALESCE(sum(discount) FILTER (WHERE is_own), 0) AS discount
                  FROM priced GROUP BY repair_id, order_id
            ), shared AS (
                SELECT order_id, repair_id, sum(labour) AS labour,
                       sum(parts) AS parts, sum(discount) AS discount
                  FROM priced WHERE NOT is_own GROUP BY order_id, repair_id
            )
            """,
            lines=self.env["repair.order"]._get_loyalty_line_query(repair_ids),
            priced=self._get_amounts(),
            joins=self._get_joins(),
        )

    @api.model
    def _get_repair_weights(self):
        """Return CTEs: each repair order's part of what its quotation shares.

        Override to share by another measure, such as hours.
        """
        return SQL(
            """
            weighted AS (
                SELECT own.*, CASE
                    WHEN sum(GREATEST(labour + parts, 0)) OVER quotation > 0
                    THEN GREATEST(labour + parts, 0) ELSE 1 END AS weight
                  FROM own WINDOW quotation AS (PARTITION BY order_id)
            ), cumulated AS (
                SELECT weighted.*,
                       sum(weight) OVER (PARTITION BY order_id) AS whole,
                       sum(weight) OVER (
                           PARTITION BY order_id ORDER BY repair_id) AS upto
                  FROM weighted
            )
            """
        )

    @api.model
    def _get_repair_totals(self):
        """Return a CTE: own amounts plus the share, rounded to the currency."""
        share = """
            cumulated.%(name)s
            + round(COALESCE(shared.%(name)s, 0) * upto / whole,
                    currency.decimal_places)
            - round(COALESCE(shared.%(name)s, 0) * (upto - weight) / whole,
                    currency.decimal_places) AS %(name)s
        """
        names = ("labour", "parts", "discount")
        return SQL(
            """
            total AS (
                SELECT cumulated.repair_id, cumulated.partner_id, %s
                  FROM cumulated
                  JOIN repair_order repair ON repair.id = cumulated.repair_id
                  JOIN res_company company ON company.id = repair.company_id
                  JOIN res_currency currency ON currency.id = company.currency_id
                  LEFT JOIN shared USING (order_id, repair_id)
            )
            """,
            SQL(", ").join(SQL(share, name=SQL.identifier(name)) for name in names),
        )

    @api.model
    def _get_invoice_query(self, move_ids):
        """Return a query that yields the facts of invoices without repair order."""
        customer = SQL("invoice.commercial_partner_id")
        date = SQL("invoice.invoice_date")
        return SQL(
            """
            WITH %(amounts)s
            SELECT 'sale' AS kind, NULL::int AS repair_id, invoice.id AS move_id,
                   invoice.company_id, %(customer)s AS partner_id,
                   invoice.invoice_user_id AS user_id, %(date)s AS date, %(sums)s,
                   FALSE AS is_warranty, NULL::varchar AS answer
              FROM total
              JOIN invoice ON invoice.id = total.move_id
              JOIN res_company company ON company.id = invoice.company_id
              LEFT JOIN LATERAL (%(status)s) status ON TRUE
            """,
            amounts=self._get_invoice_amounts(move_ids),
            customer=customer,
            date=date,
            sums=self._get_sums(),
            status=self._get_status_query(
                SQL("company.loyalty_company_id"), customer, date
            ),
        )

    @api.model
    def _get_invoice_amounts(self, move_ids):
        """Return CTEs: invoices without repair order, less their credit notes."""
        return SQL(
            """
            invoice AS MATERIALIZED (
                SELECT id, company_id, commercial_partner_id, invoice_date,
                       invoice_user_id
                  FROM account_move
                 WHERE id = ANY(%(ids)s) AND move_type = 'out_invoice'
                   AND state = 'posted' AND commercial_partner_id IS NOT NULL
                   AND NOT %(repaired)s
            ), document AS (
                SELECT id, id AS invoice_id FROM invoice
                UNION ALL
                SELECT refund.id, invoice.id
                  FROM account_move refund
                  JOIN invoice ON invoice.id = refund.reversed_entry_id
                 WHERE refund.reversed_entry_id = ANY(%(ids)s)
                   AND refund.state = 'posted' AND refund.move_type = 'out_refund'
            ), total AS (
                SELECT priced.move_id, sum(labour) AS labour, sum(parts) AS parts,
                       sum(discount) AS discount
                  FROM (SELECT document.invoice_id AS move_id, %(priced)s
                          FROM document
                          JOIN account_move_line move_line
                            ON move_line.move_id = document.id
                          %(joins)s
                         WHERE move_line.display_type = 'product'
                           AND move_line.is_downpayment IS NOT TRUE) priced
                 GROUP BY 1
            )
            """,
            ids=list(move_ids),
            repaired=self.env["repair.order"]._get_loyalty_exists(
                SQL("account_move.id")
            ),
            priced=self._get_amounts(),
            joins=self._get_joins(),
        )
