from odoo import api, fields, models
from odoo.tools import SQL

from .garage_loyalty_stage_mixin import STAGES


class GarageLoyaltyCustomer(models.Model):
    """What is known of a customer of a company: when invoiced, and the stage today.

    Members and others alike. Facts, derived from the documents and never typed.
    """

    _name = "garage.loyalty.customer"
    _description = "Customer of a Workshop"
    _inherit = [
        "garage.loyalty.customer.facts.mixin",
        "garage.loyalty.customer.cohort.mixin",
        "garage.loyalty.customer.contact.mixin",
        "garage.loyalty.customer.movement.mixin",
        "garage.loyalty.export.mixin",
    ]
    _order = "last_date desc, id desc"
    _rec_name = "partner_id"
    _log_access = False

    currency_id = fields.Many2one(related="company_id.currency_id")
    first_date = fields.Date(string="First invoice", readonly=True)
    last_date = fields.Date(
        string="Last visit", readonly=True, help="Date of the last invoice."
    )
    last_amount = fields.Monetary(readonly=True, help="Net amount of the last invoice.")
    invoices = fields.Integer(readonly=True)
    visits = fields.Integer(
        readonly=True, help="Repair orders that were finished and invoiced."
    )
    usual_days = fields.Float(
        string="Usual days between visits",
        readonly=True,
        digits=(16, 1),
        help="Nine out of ten times the customer came back sooner. Known from four "
        "visits on.",
    )
    stage = fields.Selection(
        STAGES,
        readonly=True,
        group_expand=True,
        help="By whole calendar months without an invoice; the limits are in Settings.",
    )
    stage_date = fields.Date(string="In this stage since", readonly=True)

    _customer_uniq = models.UniqueIndex("(partner_id, company_id)")
    _last_idx = models.Index("(company_id, last_date)")
    _stage_idx = models.Index("(company_id, stage)")
    _first_visit_idx = models.Index("(company_id, first_visit_date)")

    @api.model
    def _get_sync_query(self, partner_ids):
        """Return the statement that writes what is known; yields changed rows."""
        return SQL(
            """
            WITH fact AS MATERIALIZED (%(facts)s), gone AS (
                DELETE FROM garage_loyalty_customer
                 WHERE partner_id = ANY(%(partners)s)
                   AND (company_id, partner_id) NOT IN (
                        SELECT company_id, partner_id FROM fact)
                RETURNING id
            ), put AS (
                INSERT INTO garage_loyalty_customer (%(names)s, stage_date)
                SELECT %(names)s, today FROM fact
                ON CONFLICT (partner_id, company_id)
                DO UPDATE SET (%(names)s) = (%(excluded)s), stage_date = CASE
                   WHEN garage_loyalty_customer.stage = EXCLUDED.stage
                   THEN garage_loyalty_customer.stage_date
                   ELSE EXCLUDED.stage_date END
                 WHERE (%(current)s) IS DISTINCT FROM (%(excluded)s)
                RETURNING id
            )
            SELECT (SELECT count(*) FROM gone) + (SELECT count(*) FROM put)
            """,
            facts=self._get_fact_query(SQL("%s", partner_ids)),
            partners=partner_ids,
            **self._get_upsert(self._get_names()),
        )

    @api.model
    def _restage(self, companies=None):
        """Put customers in the stage of today; nothing else of them can change by time.

        :param companies: whose customers, all if not said
        :return: the number of customers whose stage changed
        """
        self.env.flush_all()
        mine = SQL("TRUE")
        if companies is not None:
            mine = SQL("customer.company_id = ANY(%s)", companies.ids)
        self.env.cr.execute(
            SQL(
                """
                UPDATE garage_loyalty_customer
                   SET stage = staged.stage, stage_date = staged.today
                  FROM (SELECT customer.id, limits.today, %(stage)s AS stage
                          FROM garage_loyalty_customer customer
                          JOIN (%(limits)s) limits USING (company_id)
                         WHERE %(mine)s) staged
                 WHERE staged.id = garage_loyalty_customer.id
                   AND staged.stage <> garage_loyalty_customer.stage
                """,
                stage=self._get_stage(),
                limits=self._get_limits_query(),
                mine=mine,
            )
        )
        changed = self.env.cr.rowcount
        if changed:
            self.env.invalidate_all(flush=False)
        return changed

    @api.model
    def _get_return_query(self, rows):
        """Return the statement that makes customers active who are not, at once.

        :param rows: pairs of the company that keeps the accounts, and the partner
        """
        values = SQL(", ").join(SQL("(%s, %s)", *row) for row in rows)
        return SQL(
            """
            UPDATE garage_loyalty_customer customer
               SET stage = 'active', stage_date = %(now)s::date
             WHERE (partner_id, company_id) IN (
                    SELECT partner_id, company_id FROM (VALUES %(values)s)
                        AS billed (company_id, partner_id))
               AND stage <> 'active'
            """,
            now=self.env.cr.now(),
            values=values,
        )
