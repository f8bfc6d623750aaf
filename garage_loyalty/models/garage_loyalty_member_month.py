from odoo import api, fields, models
from odoo.tools import SQL

from ..tools.rows import columns


class GarageLoyaltyMemberMonth(models.Model):
    """Facts: the months of a member, and what became of the points in each of them.

    A row for every month in which a customer was a member on at least one day, or in
    which the balance changed. Computed from history and ledger by one statement, the
    same for one customer and for the whole base: computing it again changes nothing.
    """

    _name = "garage.loyalty.member.month"
    _description = "Month of a Member"
    _inherit = [
        "garage.loyalty.member.month.query",
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
    )
    month = fields.Date(required=True, readonly=True, help="Its first day.")
    tier_id = fields.Many2one(
        "garage.loyalty.tier",
        readonly=True,
        ondelete="cascade",
        index="btree_not_null",
        help="On the last day of membership in the month.",
    )
    is_member = fields.Boolean(
        string="Member then",
        readonly=True,
        help="Was an active member on at least one day of the month.",
    )
    used_date = fields.Date(
        string="Last use",
        readonly=True,
        help="Last day of the month on which points were earned or redeemed.",
    )
    earned = fields.Integer(readonly=True, help="Less what was taken back.")
    redeemed = fields.Integer(readonly=True, help="Less what was given back.")
    expired = fields.Integer(readonly=True)
    other = fields.Integer(readonly=True, help="Gifts, corrections and transfers.")

    _customer_uniq = models.UniqueIndex("(partner_id, company_id, month)")
    _month_idx = models.Index("(month, company_id)")
    _used_idx = models.Index(
        "(partner_id, company_id, used_date DESC) WHERE used_date IS NOT NULL"
    )

    def init(self):
        """Let history and ledger say whose months have changed."""
        # The tables of others may not be there yet.
        self.pool.post_init(self._init_notes)

    @api.model
    def _init_notes(self):
        """Let the database note whose history or ledger has grown.

        By whatever way: points are given and taken in several places, most of them by
        one statement for many members. Rows are only added to the list, so nobody
        waits.
        """
        self.env.cr.execute(
            """
            CREATE OR REPLACE FUNCTION garage_loyalty_note_members()
            RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                INSERT INTO garage_loyalty_changed_customer (partner_id)
                SELECT DISTINCT member.partner_id
                  FROM added
                  JOIN garage_loyalty_member member ON member.id = added.member_id;
                RETURN NULL;
            END $$
            """
        )
        for model in ("garage.loyalty.entry", "garage.loyalty.member.status"):
            self.env.cr.execute(
                SQL(
                    """
                    DROP TRIGGER IF EXISTS note_members ON %(table)s;
                    CREATE TRIGGER note_members AFTER INSERT ON %(table)s
                        REFERENCING NEW TABLE AS added
                        FOR EACH STATEMENT EXECUTE FUNCTION
                            garage_loyalty_note_members()
                    """,
                    table=SQL.identifier(self.env[model]._table),
                )
            )

    @api.model
    def _get_sync_query(self, partner_ids):
        """Return the statement that writes the months; yields how many changed."""
        return SQL(
            """
            WITH live AS MATERIALIZED (%(live)s), gone AS (
                DELETE FROM garage_loyalty_member_month old
                 WHERE old.partner_id = ANY(%(partners)s)
                   AND NOT EXISTS (
                        SELECT FROM live WHERE live.company_id = old.company_id
                           AND live.partner_id = old.partner_id
                           AND live.month = old.month)
                RETURNING id
            ), put AS (
                INSERT INTO garage_loyalty_member_month (%(names)s)
                SELECT %(names)s FROM live
                ON CONFLICT (partner_id, company_id, month)
                DO UPDATE SET (%(names)s) = (%(excluded)s)
                 WHERE (%(current)s) IS DISTINCT FROM (%(excluded)s)
                RETURNING id
            )
            SELECT (SELECT count(*) FROM gone) + (SELECT count(*) FROM put)
            """,
            live=self._get_live_query(SQL("%s", partner_ids)),
            partners=partner_ids,
            **self._get_upsert(self._get_names()),
        )

    @api.model
    def _get_now_query(self):
        """Return a query: the months of all members, as history and ledger are now.

        Those of customers of whom something has changed lately are computed, the others
        are known. Months that have not begun are left out.
        """
        names = columns(self._get_names())
        changed = self.env["garage.loyalty.active.month"]._get_changed()
        return SQL(
            """
            SELECT %(names)s FROM garage_loyalty_member_month known
              JOIN (%(running)s) AS running (company_id, last) USING (company_id)
             WHERE known.month <= running.last AND known.partner_id NOT IN (
                    SELECT partner_id FROM garage_loyalty_changed_customer)
            UNION ALL
            SELECT %(names)s FROM (%(live)s) live
              JOIN (%(running)s) AS running (company_id, last) USING (company_id)
             WHERE live.month <= running.last
            """,
            names=names,
            running=self._get_running(),
            live=self._get_live_query(changed),
        )
