from odoo import api, models
from odoo.tools import SQL


class GarageLoyaltyBilledMixin(models.AbstractModel):
    """Where the money of a repair order is: all that is known of it, for repair.order.

    Odoo 19 bills a repair order through its quotation. Where repair orders are billed
    in another way, these are the methods to override.
    """

    _name = "garage.loyalty.billed.mixin"
    _description = "How a Repair Order Is Billed"

    @api.model
    def _get_loyalty_line_query(self, repair_ids):
        """Return a subquery: the invoice lines of repair orders and their siblings.

        Columns: ``repair_id``, ``order_id``, ``line_id`` and ``is_own``. The lines
        that a repair order brought to its quotation (its parts, and the service it
        came from) are its own. What else stands on the quotation (labour, fees) is
        its own too if it is alone there, and shared by all its repair orders if not.
        So is what stands on the invoice only, such as points paid there.
        Down payments are left out: the final invoice carries the whole.
        """
        return SQL(
            """
            WITH %(quoted)s, billed AS (
                SELECT DISTINCT quoted.repair_id, quoted.order_id, quoted.is_own,
                       rel.invoice_line_id AS line_id, line.move_id,
                       line.display_type = 'product'
                       AND line.is_downpayment IS NOT TRUE AS is_billed
                  FROM quoted
                  JOIN sale_order_line_invoice_rel rel
                    ON rel.order_line_id = quoted.line_id
                  JOIN account_move_line line ON line.id = rel.invoice_line_id
                  JOIN account_move move ON move.id = line.move_id
                 WHERE move.state = 'posted'
                   AND move.move_type IN ('out_invoice', 'out_refund')
            ), added AS (%(added)s)
            SELECT repair_id, order_id, is_own, line_id FROM billed WHERE is_billed
             UNION ALL
            SELECT sibling.repair_id, order_id, sibling.is_alone, line_id
              FROM added JOIN sibling USING (order_id)
            """,
            quoted=self._get_loyalty_quoted(repair_ids),
            added=self._get_loyalty_added(),
        )

    @api.model
    def _get_loyalty_added(self):
        """Return a query: lines that stand on invoices only, and their quotation.

        Of several quotations with repair orders on an invoice it is the first.
        """
        return SQL(
            """
            SELECT DISTINCT invoice.order_id, line.id AS line_id
              FROM (SELECT move_id, min(order_id) AS order_id
                      FROM billed WHERE is_billed GROUP BY move_id) invoice
              JOIN account_move_line line ON line.move_id = invoice.move_id
             WHERE line.display_type = 'product'
               AND line.is_downpayment IS NOT TRUE
               AND NOT EXISTS (
                    SELECT FROM sale_order_line_invoice_rel rel
                     WHERE rel.invoice_line_id = line.id)
               AND NOT EXISTS (
                    SELECT FROM account_move_line other
                      JOIN sale_order_line_invoice_rel rel
                        ON rel.invoice_line_id = other.id
                      JOIN sale_order_line quoted ON quoted.id = rel.order_line_id
                      JOIN repair_order repair
                        ON repair.sale_order_id = quoted.order_id
                     WHERE other.move_id = line.move_id
                       AND repair.state <> 'cancel'
                       AND quoted.order_id < invoice.order_id)
            """
        )

    @api.model
    def _get_loyalty_quoted(self, repair_ids):
        """Return CTEs: the quotation lines of repair orders and their siblings."""
        return SQL(
            """
            sibling AS (
                SELECT id AS repair_id, sale_order_id AS order_id,
                       count(*) OVER (PARTITION BY sale_order_id) = 1 AS is_alone
                  FROM repair_order
                 WHERE state <> 'cancel' AND sale_order_id IN (
                        SELECT sale_order_id FROM repair_order WHERE id = ANY(%s))
            ), own AS (
                SELECT repair.id AS repair_id, repair.sale_order_line_id AS line_id
                  FROM repair_order repair JOIN sibling ON repair_id = repair.id
                 WHERE repair.sale_order_line_id IS NOT NULL
                UNION
                SELECT sibling.repair_id, move.sale_line_id
                  FROM stock_move move
                  JOIN sibling ON sibling.repair_id = move.repair_id
                 WHERE move.sale_line_id IS NOT NULL
            ), quoted AS (
                SELECT sibling.repair_id, sibling.order_id, line.id AS line_id,
                       own.line_id IS NOT NULL OR sibling.is_alone AS is_own
                  FROM sibling
                  JOIN sale_order_line line ON line.order_id = sibling.order_id
                  LEFT JOIN own ON own.line_id = line.id
                 WHERE own.line_id IS NULL OR own.repair_id = sibling.repair_id
            )
            """,
            list(repair_ids),
        )

    @api.model
    def _get_of_loyalty_moves(self, moves):
        """Return the repair orders that are billed by these invoices.

        All those of a quotation, whichever of its lines are billed.
        """
        orders = moves._get_loyalty_orders()
        if not orders:
            return self.browse()
        return self.search_fetch(
            [("sale_order_id", "in", orders.ids)],
            [
                "company_id",
                "date_done",
                "partner_id",
                "sale_order_id",
                "state",
                "under_warranty",
                "user_id",
            ],
        )

    @api.model
    def _get_loyalty_exists(self, move_id):
        """Return a condition: repair orders are billed by an invoice.

        :param move_id: the SQL of the invoice's id
        """
        return SQL("EXISTS (%s)", self._get_loyalty_billed_query(move_id))

    @api.model
    def _get_loyalty_billed_query(self, move_id):
        """Return a subquery: the ids of the repair orders billed by an invoice.

        :param move_id: the SQL of the invoice's id
        """
        return SQL(
            """
            SELECT repair.id
              FROM account_move_line line
              JOIN sale_order_line_invoice_rel rel ON rel.invoice_line_id = line.id
              JOIN sale_order_line quoted ON quoted.id = rel.order_line_id
              JOIN repair_order repair ON repair.sale_order_id = quoted.order_id
             WHERE line.move_id = %s AND repair.state <> 'cancel'
            """,
            move_id,
        )

    @api.model
    def _get_loyalty_sold_query(self, order_id):
        """Return a subquery: the ids of the repair orders sold on a quotation.

        :param order_id: the SQL of the quotation's id
        """
        return SQL(
            "SELECT id FROM repair_order WHERE sale_order_id = %s "
            "AND state <> 'cancel'",
            order_id,
        )

    def _get_loyalty_quotation(self):
        """Return the quotation on which the repair order is sold, if there is one."""
        return self.sale_order_id

    def _ensure_loyalty_quotation(self):
        """Return the quotation of the repair order; create it if there is none."""
        if not self.sale_order_id:
            self.action_create_sale_order()
        return self.sale_order_id

    def _get_loyalty_quoted_lines(self):
        """Return the lines of the quotation that are the repair order's own.

        What it brought there; the rest too if it is alone there.
        """
        self.ensure_one()
        order = self.sale_order_id
        # Whoever reads the quotation need not see all its repair orders.
        siblings = order.sudo().repair_order_ids
        if len(siblings.filtered(lambda repair: repair.state != "cancel")) <= 1:
            return order.order_line
        return self.sale_order_line_id | self.move_ids.sale_line_id

    def _get_loyalty_invoice_lines(self):
        """Return the posted invoice and credit note lines of the repair orders.

        Lines that several repair orders share are in the result of each of them.
        """
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                "SELECT DISTINCT line_id FROM (%s) line WHERE repair_id = ANY(%s)",
                self._get_loyalty_line_query(self.ids),
                self.ids,
            )
        )
        return self.env["account.move.line"].browse(row[0] for row in rows)
