from datetime import date

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from ..tools.movement import month_number, month_start


class GarageLoyaltyCustomerMovementMixin(models.AbstractModel):
    """The customers that a figure of the movement report counts."""

    _name = "garage.loyalty.customer.movement.mixin"
    _description = "Customers behind the Movement Report"

    movement = fields.Char(
        string="Figure of the report",
        compute="_compute_movement",
        search="_search_movement",
        exportable=False,
        help="Figure of the movement report, number of the month, months without an "
        "invoice, and whose: separated by commas.",
    )
    movement_kind = fields.Selection(
        [("lapsed", "Lapsed"), ("first", "First"), ("returning", "Returning")],
        string="Movement",
        compute="_compute_movement",
    )
    returned_date = fields.Date(
        string="Came back on",
        compute="_compute_movement",
        help="First invoice after the customer lapsed in the month of the report.",
    )

    @api.depends_context("loyalty_movement")
    def _compute_movement(self):
        value = self.env.context.get("loyalty_movement")
        found = self._get_movements(value) if value else {}
        for customer in self:
            customer.movement = value
            kind, returned = found.get(customer._origin.id, (False, False))
            customer.movement_kind, customer.returned_date = kind, returned

    def _get_movements(self, value):
        """Return what customers did in the month: the kind, and when they came back."""
        _figure, number, gap, _scope = self._parse_movement(value)
        rows = self.env.execute_query(
            SQL(
                """
                SELECT customer.id, CASE WHEN active.month = %(left)s THEN 'lapsed'
                       WHEN active.prev_gap = 0 THEN 'first' ELSE 'returning' END,
                       CASE WHEN active.month = %(left)s THEN later.first_date END
                  FROM garage_loyalty_customer customer
                  JOIN garage_loyalty_active_month active
                    USING (company_id, partner_id)
                  LEFT JOIN garage_loyalty_active_month later
                    ON later.company_id = active.company_id
                   AND later.partner_id = active.partner_id AND active.next_gap > 0
                   AND later.month = active.month
                       + make_interval(months => active.next_gap)
                 WHERE customer.id = ANY(%(ids)s) AND active.invoices > 0
                   AND (active.month = %(left)s
                        AND (active.next_gap = 0 OR active.next_gap > %(gap)s)
                        OR active.month = %(month)s
                        AND (active.prev_gap = 0 OR active.prev_gap > %(gap)s))
                """,
                left=month_start(number - gap),
                month=month_start(number),
                gap=gap,
                ids=self._origin.ids,
            )
        )
        return {row[0]: row[1:] for row in rows}

    @api.model
    def _parse_movement(self, value):
        """Return the parts of a value: figure, month, gap, scope; checked.

        What is not understood is nobody's: such values come from a client.
        """
        figure, number, gap, scope = (str(value).split(",") + [""] * 4)[:4]
        numbers = [int(item) if item.isdecimal() else 0 for item in (number, gap)]
        if not 1200 <= numbers[0] <= 12 * date.max.year or not 1 <= numbers[1] <= 60:
            return None, month_number(date(2000, 1, 1)), 1, "all"
        return figure, *numbers, scope

    @api.model
    def _search_movement(self, operator, value):
        if operator != "in":
            return NotImplemented
        return Domain.OR(
            Domain("id", "in", self._get_movement_query(item)) for item in value
        )

    @api.model
    def _get_movement_query(self, value):
        """Return a subquery: the customers that a figure counts."""
        figure, number, gap, scope = self._parse_movement(value)
        mine = {"member": SQL("is_member"), "other": SQL("NOT is_member")}
        found = SQL(
            """
            SELECT id FROM garage_loyalty_customer
             WHERE (company_id, partner_id) IN (
                   SELECT company_id, partner_id FROM garage_loyalty_active_month
                    WHERE company_id = ANY(%(companies)s)
                      AND %(figure)s AND %(mine)s)
            """,
            companies=self._get_companies().ids,
            figure=self._get_figure_condition(figure, number, gap),
            mine=mine.get(scope, SQL("TRUE")),
        )
        if figure != "active_count":
            # They are few: as an array, lest PostgreSQL looks for a page of them among
            # all customers, in the order of the list.
            found = SQL("SELECT unnest(ARRAY(%s))", found)
        return SQL("(%s)", found)

    @api.model
    def _get_companies(self):
        """Return all companies that keep accounts: the index leads with them."""
        companies = self.env["res.company"].sudo()  # whose rows, the rules say later
        companies = companies.search([("loyalty_company_id", "!=", False)])
        return companies.loyalty_company_id

    @api.model
    def _get_figure_condition(self, figure, number, gap):
        """Return the condition that a figure counts ``active``.

        Override for figures that were added to the report.
        """
        month, left = month_start(number), month_start(number - gap)
        today = self.env.company._get_loyalty_today()
        now = SQL("month = %s AND invoices > 0", month)
        gone = SQL(
            "month = %s AND invoices > 0 AND (next_gap = 0 OR next_gap > %s)", left, gap
        )
        first = SQL("%s AND prev_gap = 0", now)
        returning = SQL("%s AND prev_gap > %s", now, gap)
        return {
            "lapsed": gone,
            "returned": SQL(
                "%s AND next_gap > 0 "
                "AND month + make_interval(months => next_gap) <= %s",
                gone,
                today,
            ),
            "first_count": first,
            "returning_count": returning,
            "net": SQL("(%s OR %s OR %s)", gone, first, returning),
            "moved": SQL("(%s OR %s OR %s)", gone, first, returning),
            "active_count": SQL(
                "month BETWEEN %s AND %s AND invoices > 0 AND (next_gap = 0 "
                "OR month + make_interval(months => next_gap) > %s)",
                month_start(number - gap + 1),
                month,
                month,
            ),
            "visits": SQL("month = %s AND visits > 0", month),
            "inspections": SQL("month = %s AND inspections > 0", month),
            "reinspections": SQL("month = %s AND reinspections > 0", month),
        }.get(figure, SQL("FALSE"))
