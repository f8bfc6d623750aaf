from odoo import api, models
from odoo.tools import SQL


class GarageLoyaltyRewardUseQuery(models.AbstractModel):
    """The parts of the query of ``garage.loyalty.reward.use``."""

    _name = "garage.loyalty.reward.use.query"
    _description = "Query of Rewards and Cost"

    @api.model
    def _select(self) -> SQL:
        """Return the columns. Override, calling super, to add one."""
        return SQL(
            """
            SELECT given.number::bigint AS id, %(kind)s AS kind,
                   %(benefit)s AS benefit, given.company_id, company.currency_id,
                   given.partner_id, given.member_id, member.program_id, given.tier_id,
                   given.user_id, given.date, given.reward_id, given.privilege_id,
                   given.points, given.points_given, given.cost, 1 AS times,
                   given.visit_id, given.visit_id AS visit_count,
                   given.partner_id AS customer_count, given.revenue,
                   given.revenue AS revenue_per_visit, given.cost AS cost_per_use,
                   100 * given.cost / NULLIF(given.revenue, 0) AS cost_share,
                   given.is_shared
            """,
            kind=SQL(
                "CASE WHEN given.kind = 'reward' AND reward.is_personal "
                "THEN 'personal' ELSE given.kind END"
            ),
            benefit=self._get_benefit_sql(),
        )

    @api.model
    def _from(self) -> SQL:
        """Return the tables. Override, calling super, to join one more."""
        return SQL(
            """
              FROM (%(given)s) given
              LEFT JOIN res_company company ON company.id = given.company_id
              LEFT JOIN garage_loyalty_member member ON member.id = given.member_id
              LEFT JOIN (SELECT id, is_personal, %(name)s AS name
                           FROM garage_loyalty_reward) reward
                ON reward.id = given.reward_id
              LEFT JOIN (SELECT id, %(name)s AS name FROM garage_loyalty_privilege)
                        privilege ON privilege.id = given.privilege_id
            """,
            given=self.env["garage.loyalty.benefit"]._get_now_query(),
            # Translated once for each, not for each benefit.
            name=SQL("COALESCE(name->>%s, name->>'en_US')", self.env.lang or "en_US"),
        )

    @api.model
    def _where(self) -> SQL:
        """Return the condition on all benefits. Override to narrow the report."""
        return SQL("")

    @api.model
    def _get_benefit_sql(self) -> SQL:
        """Return the SQL of what was given, in the language of the user."""
        cases = (
            SQL("WHEN %s THEN %s", key, name)
            for key, name in self._get_benefit_names().items()
        )
        return SQL(
            "COALESCE(reward.name, privilege.name, "
            "CASE given.benefit %s ELSE given.benefit END)",
            SQL(" ").join(cases),
        )

    @api.model
    def _get_benefit_names(self):
        """Return the names of what is neither a reward nor a privilege, by its key.

        Override, together with the queries of ``garage.loyalty.benefit``, to add one.
        """
        return {
            "money": self.env._("Points as money"),
            "discount": self.env._("Standing discount"),
            "signup": self.env._("Sign-up bonus"),
            "birthday": self.env._("Birthday bonus"),
            "campaign": self.env._("Bonus of a campaign"),
            "referral": self.env._("Referral bonus"),
        }
