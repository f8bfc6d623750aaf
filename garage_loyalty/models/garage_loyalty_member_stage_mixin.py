from odoo import api, models
from odoo.fields import Domain
from odoo.tools import SQL


class GarageLoyaltyMemberStageMixin(models.AbstractModel):
    """The stage of a member, in the company that keeps the account."""

    _name = "garage.loyalty.member.stage.mixin"
    _description = "Stage of a Loyalty Member"
    _inherit = ["garage.loyalty.stage.mixin"]

    @api.depends("company_id", "partner_id")
    def _compute_loyalty_stage(self):
        return super()._compute_loyalty_stage()

    def _get_stage_keys(self):
        return {member: (member.company_id, member.partner_id) for member in self}

    @api.model
    def _get_stage_domain(self, cards):
        members = SQL(
            "(SELECT member.id FROM garage_loyalty_member member JOIN (%s) card "
            "USING (company_id, partner_id))",
            cards.select(
                SQL.identifier("garage_loyalty_customer", "company_id"),
                SQL.identifier("garage_loyalty_customer", "partner_id"),
            ),
        )
        return Domain("id", "in", members)

    @api.model
    def _get_card_condition(self, alias, card, query):
        return SQL(
            "(%s, %s) = (%s, %s)",
            SQL.identifier(card, "company_id"),
            SQL.identifier(card, "partner_id"),
            self._field_to_sql(alias, "company_id", query),
            self._field_to_sql(alias, "partner_id", query),
        )
