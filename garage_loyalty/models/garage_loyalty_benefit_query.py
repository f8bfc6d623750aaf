from odoo import api, models
from odoo.tools import SQL


class GarageLoyaltyBenefitQuery(models.AbstractModel):
    """The queries that derive benefits from documents: one for each kind.

    All of them yield the columns of ``_get_sources``, in this order. ``partners`` is
    always the SQL of an array of commercial partners.
    """

    _name = "garage.loyalty.benefit.query"
    _description = "Query of Benefits"

    @api.model
    def _get_names(self):
        """Return the columns that the query of the documents yields.

        Override, together with ``_get_live_query``, to keep one fact more.
        """
        return [
            "number",
            "kind",
            "benefit",
            "company_id",
            "partner_id",
            "member_id",
            "tier_id",
            "user_id",
            "date",
            "reward_id",
            "privilege_id",
            "points",
            "points_given",
            "cost",
            "visit_id",
            "revenue",
            "is_foreign",
            "is_shared",
        ]

    @api.model
    def _get_sources(self):
        """Return the columns that the query of each kind yields.

        Of a document, ``repair_id``, ``order_id`` and ``move_id`` say what is known of
        it. ``benefit`` is a key of ``_get_benefit_names`` of the report, and empty for
        what has a name of its own.
        """
        found = {"visit_id", "revenue", "is_foreign", "is_shared"}
        names = [name for name in self._get_names() if name not in found]
        return [*names, "repair_id", "order_id", "move_id"]

    @api.model
    def _get_live_query(self, partners):
        """Return a query: what customers were given, as the documents are now.

        A visit is shared when several benefits were used on it: each counts it. It is
        foreign when it is another customer's, who may have used something on it, too.
        """
        return SQL(
            """
            SELECT given.number, given.kind, given.benefit, given.company_id,
                   given.partner_id, given.member_id, given.tier_id,
                   COALESCE(given.user_id, visit.user_id) AS user_id, given.date,
                   given.reward_id, given.privilege_id, given.points,
                   given.points_given, given.cost, visit.id AS visit_id,
                   visit.amount AS revenue, %(foreign)s AS is_foreign,
                   %(foreign)s OR visit.id IS NOT NULL AND count(*) OVER (
                        PARTITION BY given.partner_id, visit.id) > 1 AS is_shared
              FROM (SELECT given.*, %(visit)s AS visit_id
                      FROM (%(queries)s) given
                      LEFT JOIN garage_loyalty_visit repaired
                        ON repaired.repair_id = given.repair_id
                      LEFT JOIN garage_loyalty_visit sold
                        ON sold.move_id = given.move_id) given
              LEFT JOIN garage_loyalty_visit visit ON visit.id = given.visit_id
            """,
            foreign=SQL("COALESCE(visit.partner_id <> given.partner_id, FALSE)"),
            visit=self._get_visit_sql(),
            queries=SQL(" UNION ALL ").join(self._get_queries(partners)),
        )

    @api.model
    def _get_visit_sql(self) -> SQL:
        """Return the SQL of the id of the visit on which a benefit was used.

        By the surest of what is known: repair order, quotation, invoice. The database
        looks no further than it must.
        """
        Repair = self.env["repair.order"]
        visits = SQL("SELECT min(id) FROM garage_loyalty_visit WHERE repair_id IN")
        return SQL(
            "COALESCE(repaired.id, (%(visits)s (%(sold)s)), sold.id, "
            "(%(visits)s (%(billed)s)))",
            visits=visits,
            sold=Repair._get_loyalty_sold_query(SQL("given.order_id")),
            billed=Repair._get_loyalty_billed_query(SQL("given.move_id")),
        )

    @api.model
    def _get_queries(self, partners):
        """Return the query of each kind of benefit. Override to count another one."""
        return [
            self._get_redemption_query(partners),
            self._get_privilege_query(partners),
            self._get_discount_query(partners),
            self._get_bonus_query(partners),
        ]

    @api.model
    def _get_redemption_query(self, partners):
        """Return what points bought, and rewards for nothing, once invoiced.

        What credit notes gave back has cost nothing.
        """
        return SQL(
            """
            SELECT redemption.id::bigint * 4 AS number,
                   CASE WHEN redemption.reward_id IS NULL THEN 'money' ELSE 'reward' END
                       AS kind,
                   CASE WHEN redemption.reward_id IS NULL THEN 'money' END AS benefit,
                   redemption.company_id, member.partner_id, redemption.member_id,
                   invoice.loyalty_tier_id AS tier_id, redemption.user_id,
                   invoice.invoice_date AS date, redemption.reward_id,
                   (SELECT min(privilege_id) FROM garage_loyalty_privilege_use
                     WHERE redemption_id = redemption.id) AS privilege_id,
                   redemption.points_spent AS points, 0 AS points_given,
                   CASE WHEN redemption.points > 0
                        THEN COALESCE(redemption.cost, 0) * redemption.points_spent
                             / redemption.points
                        ELSE COALESCE(redemption.cost, 0) END AS cost,
                   NULL::int AS repair_id, redemption.order_id, invoice.id AS move_id
              FROM garage_loyalty_member member
              JOIN garage_loyalty_redemption redemption
                ON redemption.member_id = member.id
              JOIN LATERAL (
                    SELECT move.id, move.invoice_date, move.loyalty_tier_id
                      FROM account_move_line line
                      JOIN account_move move ON move.id = line.move_id
                     WHERE line.loyalty_redemption_id = redemption.id
                       AND move.state = 'posted' AND move.move_type = 'out_invoice'
                     ORDER BY move.invoice_date, move.id LIMIT 1) invoice ON TRUE
             WHERE member.partner_id = ANY(%s) AND redemption.state = 'done'
            """,
            partners,
        )

    @api.model
    def _get_privilege_query(self, partners):
        """Return the uses of privileges. Special offers are redemptions already."""
        return SQL(
            """
            SELECT used.id::bigint * 4 + 1 AS number, 'privilege' AS kind,
                   NULL AS benefit, used.company_id, member.partner_id, used.member_id,
                   used.tier_id, used.user_id, used.date, NULL::int AS reward_id,
                   used.privilege_id, 0 AS points, 0 AS points_given,
                   COALESCE(used.value, 0) AS cost, used.repair_id, used.order_id, (
                    SELECT min(move.id)
                      FROM sale_order_line_invoice_rel rel
                      JOIN account_move_line line ON line.id = rel.invoice_line_id
                      JOIN account_move move ON move.id = line.move_id
                     WHERE rel.order_line_id = used.order_line_id
                       AND move.state = 'posted' AND move.move_type = 'out_invoice')
                       AS move_id
              FROM garage_loyalty_member member
              JOIN garage_loyalty_privilege_use used ON used.member_id = member.id
             WHERE member.partner_id = ANY(%s)
               AND used.state = 'used' AND used.redemption_id IS NULL
            """,
            partners,
        )

    @api.model
    def _get_discount_query(self, partners):
        """Return what standing discounts took off, of each quotation on an invoice.

        Without what was credited. A line that is entirely free counts at its price.
        """
        return SQL(
            """
            SELECT min(line.id)::bigint * 4 + 2 AS number, 'discount' AS kind,
                   'discount' AS benefit, company.loyalty_company_id AS company_id,
                   origin.commercial_partner_id AS partner_id,
                   origin.loyalty_member_id AS member_id,
                   ordered.loyalty_discount_tier_id AS tier_id,
                   origin.invoice_user_id AS user_id, origin.invoice_date AS date,
                   NULL::int AS reward_id, NULL::int AS privilege_id, 0 AS points,
                   0 AS points_given, sum(%(cost)s) AS cost, NULL::int AS repair_id,
                   ordered.order_id, origin.id AS move_id
              FROM (%(origins)s) invoiced
              JOIN account_move origin ON origin.id = invoiced.id
              JOIN res_company company ON company.id = origin.company_id
             CROSS JOIN LATERAL (
                    SELECT origin.id WHERE origin.reversed_entry_id IS NULL
                     UNION ALL
                    SELECT id FROM account_move WHERE reversed_entry_id = origin.id
                   ) document
              JOIN account_move move ON move.id = document.id
              JOIN account_move_line line ON line.move_id = move.id
              JOIN sale_order_line_invoice_rel rel ON rel.invoice_line_id = line.id
              JOIN sale_order_line ordered ON ordered.id = rel.order_line_id
             WHERE origin.commercial_partner_id = ANY(%(partners)s)
               AND ordered.loyalty_discount_tier_id IS NOT NULL
               AND ordered.loyalty_privilege_id IS NULL
               AND line.display_type = 'product' AND line.discount > 0
               AND move.state = 'posted'
               AND move.move_type IN ('out_invoice', 'out_refund')
             GROUP BY origin.id, ordered.order_id, ordered.loyalty_discount_tier_id,
                      company.loyalty_company_id
            HAVING round(sum(%(cost)s), 6) <> 0
            """,
            cost=self._get_discount_cost(),
            origins=self._get_origins_query(partners),
            partners=partners,
        )

    @api.model
    def _get_origins_query(self, partners):
        """Return a query: the invoices of customers, also of what was credited."""
        return SQL(
            """
            SELECT id FROM account_move
             WHERE commercial_partner_id = ANY(%(partners)s)
               AND move_type = 'out_invoice' AND state = 'posted'
             UNION
            SELECT COALESCE(reversed_entry_id, id) FROM account_move
             WHERE commercial_partner_id = ANY(%(partners)s)
               AND move_type = 'out_refund' AND state = 'posted'
            """,
            partners=partners,
        )

    @api.model
    def _get_discount_cost(self):
        """Return the SQL of what a standing discount takes off a line, net of tax.

        What somebody typed on the invoice on top of it is not the programme's.
        """
        return SQL(
            """
            CASE WHEN line.discount < 100
                 THEN -line.balance::numeric
                      * LEAST(line.discount, ordered.loyalty_discount)::numeric
                      / (100 - line.discount::numeric)
                 ELSE CASE move.move_type WHEN 'out_refund' THEN -1 ELSE 1 END
                      * line.quantity * line.price_unit
                      * ordered.loyalty_discount::numeric / 100
                      / COALESCE(NULLIF(move.invoice_currency_rate::numeric, 0), 1)
            END
            """
        )

    @api.model
    def _get_bonus_query(self, partners):
        """Return bonuses. What their points cost shows where they are spent."""
        return SQL(
            """
            SELECT bonus.id::bigint * 4 + 3 AS number, 'bonus' AS kind,
                   CASE bonus.kind WHEN 'referred' THEN 'referral' ELSE bonus.kind END
                       AS benefit,
                   member.company_id, member.partner_id, bonus.member_id,
                   NULL::int AS tier_id, NULL::int AS user_id, bonus.date,
                   NULL::int AS reward_id, NULL::int AS privilege_id, 0 AS points,
                   bonus.points AS points_given, 0 AS cost, NULL::int AS repair_id,
                   NULL::int AS order_id, NULL::int AS move_id
              FROM garage_loyalty_member member
              JOIN garage_loyalty_bonus bonus ON bonus.member_id = member.id
             WHERE member.partner_id = ANY(%s)
            """,
            partners,
        )
