from odoo import api, fields, models
from odoo.tools import SQL

from ..tools.rows import columns

KEY = ("company_id", "month", "way", "gap", "is_member")
FIGURES = ("customers", "visits", "inspections", "reinspections")


class GarageLoyaltyMovementCount(models.Model):
    """How many customers have an active month after, and before, a gap of so many.

    The movement report for any number of months is a sum of a few thousand rows. They
    are written together with the active months that they count.
    """

    _name = "garage.loyalty.movement.count"
    _description = "Count of Active Months"
    _order = "month, way, gap"
    _rec_name = "month"
    _log_access = False

    company_id = fields.Many2one(
        "res.company", required=True, readonly=True, ondelete="cascade"
    )
    month = fields.Date(required=True, readonly=True)
    way = fields.Selection(
        [("in", "Months before"), ("out", "Months after"), ("work", "Work done")],
        required=True,
        readonly=True,
    )
    gap = fields.Integer(
        required=True, readonly=True, help="Months without an invoice; 0: for good."
    )
    is_member = fields.Boolean(required=True, readonly=True)
    customers = fields.Integer(readonly=True)
    visits = fields.Integer(readonly=True)
    inspections = fields.Integer(readonly=True)
    reinspections = fields.Integer(readonly=True)

    _key_uniq = models.UniqueIndex("(company_id, month, way, gap, is_member)")

    @api.model
    def _get_add_query(self, counts):
        """Return the statement that adds ``counts``, a query, to what is counted."""
        added = (
            SQL(
                "%s = garage_loyalty_movement_count.%s + EXCLUDED.%s",
                *[SQL.identifier(name)] * 3,
            )
            for name in FIGURES
        )
        some = (SQL("%s <> 0", SQL.identifier(name)) for name in FIGURES)
        return SQL(
            """
            INSERT INTO garage_loyalty_movement_count (%(names)s)
            SELECT %(names)s FROM (%(counts)s) delta WHERE %(some)s
            ON CONFLICT (%(key)s) DO UPDATE SET %(added)s
            """,
            names=columns(KEY + FIGURES),
            key=columns(KEY),
            counts=counts,
            some=SQL(" OR ").join(some),
            added=SQL(", ").join(added),
        )

    @api.model
    def _get_now_query(self):
        """Return a query: the counts as the documents are now.

        What is counted, and what the customers whose documents have changed lately make
        of it.
        """
        Month = self.env["garage.loyalty.active.month"]
        changed, names = Month._get_changed(), columns(Month._get_names())
        months = SQL(
            """
            SELECT %(names)s, 1 AS sign FROM (%(live)s) live
            UNION ALL
            SELECT %(names)s, -1 AS sign FROM garage_loyalty_active_month
             WHERE partner_id = ANY(%(changed)s)
            """,
            names=names,
            live=Month._get_live_query(changed),
            changed=changed,
        )
        return SQL(
            """
            SELECT %(columns)s FROM garage_loyalty_movement_count
            UNION ALL SELECT %(columns)s FROM (%(counts)s) lately
            """,
            columns=columns(KEY + FIGURES),
            counts=Month._get_counts_query(months),
        )

    @api.model
    def _check(self):
        """Compare the counts with the active months, and correct them.

        :return: the number of rows that were wrong
        """
        self.env.flush_all()
        Month = self.env["garage.loyalty.active.month"]
        names = columns(KEY + FIGURES)
        counted = Month._get_counts_query(
            SQL("SELECT *, 1 AS sign FROM garage_loyalty_active_month")
        )
        less = (SQL("-%s", SQL.identifier(name)) for name in FIGURES)
        figures = (SQL("sum(%s)::int", SQL.identifier(name)) for name in FIGURES)
        differences = SQL(
            """
            SELECT %(key)s, %(sums)s FROM (
                SELECT %(names)s FROM (%(counted)s) counted
                UNION ALL SELECT %(key)s, %(less)s FROM garage_loyalty_movement_count
                   ) AS both_sides (%(names)s)
             GROUP BY %(key)s
            """,
            key=columns(KEY),
            names=names,
            sums=SQL(", ").join(figures),
            counted=counted,
            less=SQL(", ").join(less),
        )
        self.env.cr.execute(
            self._get_add_query(SQL("SELECT * FROM (%s) AS d (%s)", differences, names))
        )
        wrong = self.env.cr.rowcount
        if wrong:
            self.invalidate_model(flush=False)
        return wrong
