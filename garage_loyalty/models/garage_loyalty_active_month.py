from odoo import api, fields, models
from odoo.tools import SQL

from ..tools.rows import columns


class GarageLoyaltyActiveMonth(models.Model):
    """Facts: the months in which a customer was invoiced, as narrow as they can be.

    Computed from the documents by one SQL statement, the same for one customer and for
    the whole base: computing it again changes nothing. What the movement report counts
    is brought in line by the same statement.
    """

    _name = "garage.loyalty.active.month"
    _description = "Active Month of a Customer"
    _inherit = [
        "garage.loyalty.active.month.query",
        "garage.loyalty.customer.facts.mixin",
    ]
    _order = "month desc, id desc"
    _rec_name = "month"
    _log_access = False

    company_id = fields.Many2one(
        "res.company", required=True, readonly=True, ondelete="cascade"
    )
    partner_id = fields.Many2one(
        "res.partner",
        string="Customer",
        required=True,
        readonly=True,
        ondelete="cascade",
        index=True,
    )
    month = fields.Date(required=True, readonly=True, help="Its first day.")
    first_date = fields.Date(string="First invoice", readonly=True)
    last_date = fields.Date(string="Last invoice", readonly=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    last_amount = fields.Monetary(
        readonly=True, help="Net amount of the last invoice of the month."
    )
    is_member = fields.Boolean(
        string="Member then",
        readonly=True,
        help="The customer was a member at the last invoice of the month.",
    )
    invoices = fields.Integer(readonly=True)
    visits = fields.Integer(
        readonly=True, help="Finished, invoiced repair orders of the month."
    )
    inspections = fields.Integer(readonly=True)
    reinspections = fields.Integer(readonly=True)
    prev_gap = fields.Integer(
        string="Months since the one before", readonly=True, help="0: it is the first."
    )
    next_gap = fields.Integer(
        string="Months until the next one", readonly=True, help="0: it is the last."
    )

    _customer_uniq = models.UniqueIndex("(partner_id, company_id, month)")
    _month_idx = models.Index("(company_id, month, next_gap)")

    @api.model
    def _get_sync_query(self, partner_ids):
        """Return the statement that writes months and counts; yields changed rows."""
        return SQL(
            """
            WITH live AS MATERIALIZED (%(live)s), old AS MATERIALIZED (
                SELECT * FROM garage_loyalty_active_month
                 WHERE partner_id = ANY(%(partners)s)
            ), gone AS (
                DELETE FROM garage_loyalty_active_month
                 WHERE id IN (
                    SELECT old.id FROM old
                     WHERE NOT EXISTS (
                        SELECT FROM live WHERE live.company_id = old.company_id
                           AND live.partner_id = old.partner_id
                           AND live.month = old.month))
                RETURNING id
            ), put AS (
                INSERT INTO garage_loyalty_active_month (%(names)s)
                SELECT %(names)s FROM live
                ON CONFLICT (partner_id, company_id, month)
                DO UPDATE SET (%(names)s) = (%(excluded)s)
                 WHERE (%(current)s) IS DISTINCT FROM (%(excluded)s)
                RETURNING id
            ), counted AS (%(counted)s)
            SELECT (SELECT count(*) FROM gone) + (SELECT count(*) FROM put)
            """,
            live=self._get_live_query(SQL("%s", partner_ids)),
            partners=partner_ids,
            **self._get_upsert(self._get_names()),
            counted=self.env["garage.loyalty.movement.count"]._get_add_query(
                self._get_counts_query(self._get_differences())
            ),
        )

    @api.model
    def _forget(self, partner_ids):
        """Remove the months of customers, and what counts them.

        They are there again when their documents are looked at the next time.
        """
        self.env.flush_all()
        old = SQL(
            "SELECT *, -1 AS sign FROM garage_loyalty_active_month "
            "WHERE partner_id = ANY(%s)",
            list(partner_ids),
        )
        Count = self.env["garage.loyalty.movement.count"]
        self.env.cr.execute(Count._get_add_query(self._get_counts_query(old)))
        self.env.cr.execute(
            SQL(
                "DELETE FROM garage_loyalty_active_month WHERE partner_id = ANY(%s)",
                list(partner_ids),
            )
        )
        self.env.invalidate_all(flush=False)

    @api.model
    def _get_differences(self):
        """Return a query of what is new in ``live`` and what is not any more."""
        names = columns(self._get_names())
        return SQL(
            "SELECT %(names)s, 1 AS sign FROM live UNION ALL "
            "SELECT %(names)s, -1 AS sign FROM old",
            names=names,
        )

    @api.model
    def _get_now_query(self):
        """Return a query: all active months as the documents are now.

        Those of customers whose documents have changed lately are computed, the others
        are known.
        """
        names, changed = columns(self._get_names()), self._get_changed()
        return SQL(
            """
            SELECT %(names)s FROM garage_loyalty_active_month
             WHERE partner_id <> ALL(%(changed)s)
            UNION ALL SELECT %(names)s FROM (%(live)s) live
            """,
            names=names,
            changed=changed,
            live=self._get_live_query(changed),
        )

    @api.model
    def _get_changed(self):
        """Return the SQL of an array: customers whose documents have changed lately."""
        return SQL("ARRAY(SELECT partner_id FROM garage_loyalty_changed_customer)")
