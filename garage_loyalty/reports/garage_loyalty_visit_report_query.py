from odoo import api, models
from odoo.tools import SQL


class GarageLoyaltyVisitReportQuery(models.AbstractModel):
    """The query of ``garage.loyalty.visit.report``."""

    _name = "garage.loyalty.visit.report.query"
    _description = "Query of the Comparison of Members"
    _inherit = ["garage.loyalty.customer.kind.mixin"]

    @api.model
    def _select(self) -> SQL:
        """Return the columns. Override, calling super, to add one."""
        return SQL(
            """
            SELECT visit.id, visit.date, visit.kind, visit.company_id,
                   company.currency_id, visit.partner_id, visit.member_id,
                   visit.tier_id, visit.user_id, visit.repair_id, visit.is_warranty,
                   visit.is_member, %s AS membership,
                   CASE WHEN visit.kind <> 'repair' THEN NULL
                        WHEN visit.prev_date IS NULL THEN 'new' ELSE 'returning' END
                       AS customer_type,
                   visit.date - visit.prev_date AS days_since,
                   %s AS customer_kind, firm.id IS NOT NULL AS is_firm,
                   visit.partner_id AS customer_count, 1 AS visit_count,
                   visit.amount, visit.amount_labour, visit.amount_parts,
                   visit.amount_discount,
                   visit.amount + visit.amount_discount AS amount_before_discount,
                   visit.amount AS aro,
                   visit.amount + visit.amount_discount AS aro_before_discount,
                   1.0 AS visit_frequency, visit.amount AS customer_value,
                   NULL::float AS aro_uplift, NULL::float AS frequency_ratio,
                   NULL::float AS visit_share, NULL::float AS amount_share,
                   CASE WHEN visit.amount_labour <> 0 AND visit.amount_parts <> 0
                        THEN 'both' WHEN visit.amount_labour <> 0 THEN 'labour'
                        WHEN visit.amount_parts <> 0 THEN 'parts' ELSE 'none' END
                       AS work_kind,
                   %s, %s AS category_id
            """,
            self._get_membership(SQL("visit.is_member")),
            self._get_customer_kind(SQL("firm.id IS NOT NULL")),
            self._get_margin(),
            self._get_category(),
        )

    @api.model
    def _get_membership(self, is_member) -> SQL:
        """Return the side, by the fact that it is made of."""
        return SQL("CASE WHEN %s THEN 'member' ELSE 'other' END", is_member)

    @api.model
    def _get_margin(self) -> SQL:
        """Return the columns that follow from the cost of parts."""
        return SQL(
            """
            cost.amount AS amount_cost,
            CASE WHEN cost.amount IS NOT NULL THEN visit.amount END AS amount_costed,
            visit.amount - cost.amount AS margin,
            100 * (visit.amount - cost.amount) / NULLIF(visit.amount, 0) AS margin_rate
            """
        )

    @api.model
    def _get_category(self) -> SQL:
        """Return the SQL of the category that most of a visit comes to.

        PostgreSQL computes it for those visits of which it is asked.
        """
        lines = SQL(
            """
            SELECT line.product_id, line.price_subtotal AS amount
              FROM sale_order_line line
             WHERE line.order_id = repair.sale_order_id AND NOT EXISTS (
                    SELECT FROM stock_move move
                     WHERE move.sale_line_id = line.id
                       AND move.repair_id <> repair.id)
             UNION ALL
            SELECT line.product_id, -line.balance
              FROM account_move_line line
             WHERE line.move_id = visit.move_id AND line.display_type = 'product'
            """
        )
        return SQL(
            """
            (SELECT template.categ_id
               FROM (%s) line
               JOIN product_product product ON product.id = line.product_id
               JOIN product_template template ON template.id = product.product_tmpl_id
              WHERE template.categ_id IS NOT NULL
              GROUP BY 1 ORDER BY sum(line.amount) DESC, 1 LIMIT 1)
            """,
            lines,
        )

    @api.model
    def _from(self) -> SQL:
        """Return the tables. Override, calling super, to join one more.

        By LEFT JOIN on a unique key: PostgreSQL then leaves out what nobody asks for.
        """
        return SQL(
            """
              FROM garage_loyalty_visit visit
              LEFT JOIN res_company company ON company.id = visit.company_id
              LEFT JOIN res_partner firm ON firm.id = visit.partner_id
               AND firm.is_company
              LEFT JOIN repair_order repair ON repair.id = visit.repair_id
              LEFT JOIN LATERAL (%s) cost ON TRUE
            """,
            self._get_cost(),
        )

    @api.model
    def _get_cost(self) -> SQL:
        """Return a query of one row: what the parts of a repair order cost, if known.

        Left out by PostgreSQL where nobody asks for it. Override to add the cost of
        labour.
        """
        return SQL(
            """
            SELECT CASE WHEN visit.kind <> 'repair' THEN NULL
                        WHEN count(*) = 0 AND visit.amount_parts <> 0 THEN NULL
                        WHEN bool_or(move.value = 0 AND move.quantity <> 0) THEN NULL
                        ELSE COALESCE(sum(move.value), 0) END AS amount
              FROM stock_move move
             WHERE move.repair_id = visit.repair_id AND move.state = 'done'
               AND move.repair_line_type = 'add'
            """
        )

    @api.model
    def _where(self) -> SQL:
        """Return the condition on all visits. Override, calling super, to narrow."""
        return SQL("")
