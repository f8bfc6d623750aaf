from odoo import api, fields, models
from odoo.tools import SQL

from ..tools.rows import columns


class GarageLoyaltyBenefit(models.Model):
    """Facts: what members were given, a row for each benefit on a document.

    Derived from redemptions, uses of privileges, invoices and bonuses by one statement,
    the same for one customer and for the whole base: computing it again changes
    nothing. Names, programmes and currencies are those of the present: the report
    looks them up.
    """

    _name = "garage.loyalty.benefit"
    _description = "Benefit That Was Given"
    _inherit = ["garage.loyalty.benefit.query", "garage.loyalty.customer.facts.mixin"]
    _order = "date desc, id desc"
    _rec_name = "kind"
    _log_access = False

    number = fields.Float(
        digits=(20, 0),
        required=True,
        readonly=True,
        help="Technical: of the document. Greater than an integer can be.",
    )
    kind = fields.Char(required=True, readonly=True)
    benefit = fields.Char(
        readonly=True, help="What was given. Empty for rewards and privileges."
    )
    company_id = fields.Many2one(
        "res.company", required=True, readonly=True, ondelete="cascade"
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    partner_id = fields.Many2one(
        "res.partner",
        string="Customer",
        required=True,
        readonly=True,
        ondelete="cascade",
    )
    member_id = fields.Many2one(
        "garage.loyalty.member",
        readonly=True,
        ondelete="cascade",
        index="btree_not_null",
    )
    tier_id = fields.Many2one(
        "garage.loyalty.tier",
        readonly=True,
        ondelete="cascade",
        index="btree_not_null",
        help="Tier of the member at that time.",
    )
    user_id = fields.Many2one(
        "res.users", string="Advisor", readonly=True, ondelete="set null"
    )
    date = fields.Date(readonly=True, index=True)
    reward_id = fields.Many2one(
        "garage.loyalty.reward",
        readonly=True,
        ondelete="cascade",
        index="btree_not_null",
    )
    privilege_id = fields.Many2one(
        "garage.loyalty.privilege",
        readonly=True,
        ondelete="cascade",
        index="btree_not_null",
    )
    visit_id = fields.Many2one(
        "garage.loyalty.visit",
        readonly=True,
        ondelete="set null",
        index="btree_not_null",
    )
    points = fields.Integer(string="Points spent", readonly=True)
    points_given = fields.Integer(readonly=True)
    cost = fields.Monetary(readonly=True, help="Net of tax.")
    revenue = fields.Monetary(readonly=True, help="Net amount of the visit.")
    is_foreign = fields.Boolean(
        string="Used on the visit of somebody else", readonly=True
    )
    is_shared = fields.Boolean(
        string="Not the only one on the visit",
        readonly=True,
        help="Technical: of these, each visit must be looked for in all others.",
    )

    _customer_uniq = models.UniqueIndex("(partner_id, number)")
    _foreign_idx = models.Index("(visit_id) WHERE is_foreign")

    def init(self):
        """Let redemptions and uses say whose benefits have changed."""
        # The tables of others may not be there yet.
        self.pool.post_init(self._init_notes)

    @api.model
    def _init_notes(self):
        """Let the database note whose redemptions or uses of privileges have changed.

        What costs no points is in no ledger. Rows are only added to the list, so nobody
        waits. Bonuses are in the ledger, invoices note their customers.
        """
        self.env.cr.execute(
            """
            CREATE OR REPLACE FUNCTION garage_loyalty_note_benefit()
            RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                INSERT INTO garage_loyalty_changed_customer (partner_id)
                SELECT DISTINCT partner_id FROM garage_loyalty_member
                 WHERE id IN (OLD.member_id, NEW.member_id);
                RETURN NULL;
            END $$
            """
        )
        for model in ("garage.loyalty.privilege.use", "garage.loyalty.redemption"):
            self.env.cr.execute(
                SQL(
                    """
                    DROP TRIGGER IF EXISTS note_benefit ON %(table)s;
                    CREATE TRIGGER note_benefit
                        AFTER INSERT OR UPDATE OR DELETE ON %(table)s
                        FOR EACH ROW EXECUTE FUNCTION garage_loyalty_note_benefit()
                    """,
                    table=SQL.identifier(self.env[model]._table),
                )
            )

    @api.model
    def _get_sync_query(self, partner_ids):
        """Return the statement that writes the benefits; yields how many changed."""
        return SQL(
            """
            WITH live AS MATERIALIZED (%(live)s), gone AS (
                DELETE FROM garage_loyalty_benefit old
                 WHERE old.partner_id = ANY(%(partners)s)
                   AND NOT EXISTS (
                        SELECT FROM live WHERE live.partner_id = old.partner_id
                           AND live.number = old.number)
                RETURNING id
            ), put AS (
                INSERT INTO garage_loyalty_benefit (%(names)s)
                SELECT %(names)s FROM live
                ON CONFLICT (partner_id, number)
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
        """Return a query: all benefits, as the documents are now.

        Those of customers of whom something has changed lately are computed, the others
        are known. A visit on which somebody else has used something is shared by all.
        """
        names = self._get_names()
        parts = {
            "now": SQL("SELECT %s FROM garage_loyalty_benefit known", columns(names)),
            "foreign": SQL(
                "SELECT visit_id FROM garage_loyalty_benefit WHERE is_foreign"
            ),
        }
        # Planning how to derive the benefits of nobody takes its time, too.
        if not self.env["garage.loyalty.changed.customer"]._is_empty():
            parts = self._add_live_parts(**parts)
        return SQL(
            """
            %(live)s
            SELECT %(plain)s, now.is_shared OR other.visit_id IS NOT NULL AS is_shared
              FROM (%(now)s) now
              LEFT JOIN (SELECT DISTINCT visit_id FROM (%(foreign)s) used) other
                ON other.visit_id = now.visit_id
            """,
            plain=SQL(", ").join(
                SQL.identifier("now", name) for name in names if name != "is_shared"
            ),
            **({"live": SQL()} | parts),
        )

    @api.model
    def _add_live_parts(self, now, foreign):
        """Return the parts of the query with what is computed in place of what changed.

        :param now: the query of all benefits that are known
        :param foreign: the query of visits on which somebody else has used something
        """
        changed = self.env["garage.loyalty.active.month"]._get_changed()
        return {
            "live": SQL(
                "WITH live AS MATERIALIZED (%s)", self._get_live_query(changed)
            ),
            "now": SQL(
                """
                %s
                 WHERE NOT EXISTS (
                        SELECT FROM garage_loyalty_changed_customer changed
                         WHERE changed.partner_id = known.partner_id)
                 UNION ALL SELECT %s FROM live
                """,
                now,
                columns(self._get_names()),
            ),
            "foreign": SQL(
                "%s UNION ALL SELECT visit_id FROM live WHERE is_foreign", foreign
            ),
        }
