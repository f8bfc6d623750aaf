from odoo import api, models
from odoo.tools import SQL


class GarageLoyaltyRewardUseQuery(models.AbstractModel):
    """The queries behind the report of rewards: one for each kind of benefit.

    All of them yield the columns of ``_get_names``, in this order.
    """

    _name = "garage.loyalty.reward.use.query"
    _description = "Queries of Rewards and Cost"

    @api.model
    def _get_names(self):
        """Return the columns that every query yields.

        Override, together with the queries, to add one.
        """
        return [
            "id",
            "kind",
            "benefit",
            "company_id",
            "partner_id",
            "member_id",
            "program_id",
            "tier_id",
            "user_id",
            "date",
            "reward_id",
            "privilege_id",
            "points",
            "points_given",
            "cost",
            "repair_id",
            "order_id",
            "move_id",
        ]

    @api.model
    def _get_queries(self):
        """Return the query of each kind of benefit. Override to count another one."""
        return [
            self._get_redemption_query(),
            self._get_privilege_query(),
            self._get_discount_query(),
            self._get_bonus_query(),
        ]

    @api.model
    def _get_name_sql(self, column):
        """Return the SQL of a translated name in the language of the user."""
        lang = self.env.lang or "en_US"
        return SQL("COALESCE(%s->>%s, %s->>'en_US')", column, lang, column)

    @api.model
    def _get_redemption_query(self):
        """Return what points bought, and rewards for nothing, once invoiced.

        What credit notes gave back has cost nothing.
        """
        return SQL(
            """
            SELECT redemption.id::bigint * 4 AS id,
                   CASE WHEN reward.id IS NULL THEN 'money'
                        WHEN reward.is_personal THEN 'personal' ELSE 'reward' END
                       AS kind,
                   COALESCE(%(name)s, %(money)s) AS benefit, redemption.company_id,
                   member.partner_id, redemption.member_id, member.program_id,
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
              FROM garage_loyalty_redemption redemption
              JOIN garage_loyalty_member member ON member.id = redemption.member_id
              LEFT JOIN garage_loyalty_reward reward
                ON reward.id = redemption.reward_id
              JOIN LATERAL (
                    SELECT move.id, move.invoice_date, move.loyalty_tier_id
                      FROM account_move_line line
                      JOIN account_move move ON move.id = line.move_id
                     WHERE line.loyalty_redemption_id = redemption.id
                       AND move.state = 'posted' AND move.move_type = 'out_invoice'
                     ORDER BY move.invoice_date, move.id LIMIT 1) invoice ON TRUE
             WHERE redemption.state = 'done'
            """,
            name=self._get_name_sql(SQL("reward.name")),
            money=self.env._("Points as money"),
        )

    @api.model
    def _get_privilege_query(self):
        """Return the uses of privileges. Special offers are redemptions already."""
        return SQL(
            """
            SELECT used.id::bigint * 4 + 1 AS id, 'privilege' AS kind,
                   %(name)s AS benefit, used.company_id, member.partner_id,
                   used.member_id, member.program_id, used.tier_id, used.user_id,
                   used.date, NULL::int AS reward_id, used.privilege_id,
                   0 AS points, 0 AS points_given, COALESCE(used.value, 0) AS cost,
                   used.repair_id, used.order_id, (
                    SELECT min(move.id)
                      FROM sale_order_line_invoice_rel rel
                      JOIN account_move_line line ON line.id = rel.invoice_line_id
                      JOIN account_move move ON move.id = line.move_id
                     WHERE rel.order_line_id = used.order_line_id
                       AND move.state = 'posted' AND move.move_type = 'out_invoice')
                       AS move_id
              FROM garage_loyalty_privilege_use used
              JOIN garage_loyalty_member member ON member.id = used.member_id
              JOIN garage_loyalty_privilege privilege
                ON privilege.id = used.privilege_id
             WHERE used.state = 'used' AND used.redemption_id IS NULL
            """,
            name=self._get_name_sql(SQL("privilege.name")),
        )

    @api.model
    def _get_discount_query(self):
        """Return what standing discounts took off, of each quotation on an invoice.

        Without what was credited. A line that is entirely free counts at its price.
        """
        return SQL(
            """
            SELECT min(line.id)::bigint * 4 + 2 AS id, 'discount' AS kind,
                   %(name)s AS benefit, company.loyalty_company_id AS company_id,
                   origin.commercial_partner_id AS partner_id,
                   origin.loyalty_member_id AS member_id, member.program_id,
                   ordered.loyalty_discount_tier_id AS tier_id,
                   origin.invoice_user_id AS user_id, origin.invoice_date AS date,
                   NULL::int AS reward_id, NULL::int AS privilege_id, 0 AS points,
                   0 AS points_given, sum(%(cost)s) AS cost, NULL::int AS repair_id,
                   ordered.order_id, origin.id AS move_id
              FROM sale_order_line ordered
              JOIN sale_order_line_invoice_rel rel ON rel.order_line_id = ordered.id
              JOIN account_move_line line ON line.id = rel.invoice_line_id
              JOIN account_move move ON move.id = line.move_id
              JOIN account_move origin
                ON origin.id = COALESCE(move.reversed_entry_id, move.id)
              JOIN res_company company ON company.id = origin.company_id
              LEFT JOIN garage_loyalty_member member
                ON member.id = origin.loyalty_member_id
             WHERE ordered.loyalty_discount_tier_id IS NOT NULL
               AND ordered.loyalty_privilege_id IS NULL
               AND line.display_type = 'product' AND line.discount > 0
               AND move.state = 'posted'
               AND move.move_type IN ('out_invoice', 'out_refund')
             GROUP BY origin.id, ordered.order_id, ordered.loyalty_discount_tier_id,
                      company.loyalty_company_id, member.program_id
            HAVING round(sum(%(cost)s), 6) <> 0
            """,
            name=self.env._("Standing discount"),
            cost=self._get_discount_cost(),
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
    def _get_bonus_query(self):
        """Return bonuses. What their points cost shows where they are spent."""
        return SQL(
            """
            SELECT bonus.id::bigint * 4 + 3 AS id, 'bonus' AS kind,
                   CASE bonus.kind WHEN 'signup' THEN %(signup)s
                        WHEN 'birthday' THEN %(birthday)s
                        WHEN 'campaign' THEN %(campaign)s ELSE %(referral)s END
                       AS benefit,
                   member.company_id, member.partner_id, bonus.member_id,
                   member.program_id, NULL::int AS tier_id, NULL::int AS user_id,
                   bonus.date, NULL::int AS reward_id, NULL::int AS privilege_id,
                   0 AS points, bonus.points AS points_given, 0 AS cost,
                   NULL::int AS repair_id, NULL::int AS order_id, NULL::int AS move_id
              FROM garage_loyalty_bonus bonus
              JOIN garage_loyalty_member member ON member.id = bonus.member_id
            """,
            signup=self.env._("Sign-up bonus"),
            birthday=self.env._("Birthday bonus"),
            campaign=self.env._("Bonus of a campaign"),
            referral=self.env._("Referral bonus"),
        )
