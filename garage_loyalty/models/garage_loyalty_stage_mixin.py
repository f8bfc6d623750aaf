from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

STAGES = [
    ("active", "Active"),
    ("at_risk", "At risk"),
    ("lapsed", "Lapsed"),
    ("lost", "Lost"),
    ("never", "Never invoiced"),
]


class GarageLoyaltyStageMixin(models.AbstractModel):
    """The stage of a customer, for contacts and for members."""

    _name = "garage.loyalty.stage.mixin"
    _description = "Stage of a Customer"

    loyalty_stage = fields.Selection(
        STAGES,
        string="Stage",
        compute="_compute_loyalty_stage",
        search="_search_loyalty_stage",
        help="By whole calendar months without an invoice; the limits are in Settings.",
    )

    def _get_stage_keys(self):
        """Return the company that keeps the accounts, and the customer, by record."""
        raise NotImplementedError

    @api.model
    def _get_stage_domain(self, cards):
        """Return the domain of the records that some cards, a query, are about."""
        raise NotImplementedError

    @api.depends_context("company")
    def _compute_loyalty_stage(self):
        keys = self._get_stage_keys()
        cards = self.env["garage.loyalty.customer"].search(
            [
                (
                    "company_id",
                    "in",
                    [company.id for company, _partner in keys.values()],
                ),
                (
                    "partner_id",
                    "in",
                    [partner.id for _company, partner in keys.values()],
                ),
            ]
        )
        stages = {(card.company_id, card.partner_id): card.stage for card in cards}
        for record in self:
            record.loyalty_stage = stages.get(keys[record], False)

    @api.model
    def _search_loyalty_stage(self, operator, value):
        if operator != "in":
            return NotImplemented
        Customer = self.env["garage.loyalty.customer"]
        stages = [item for item in value if item]
        found = self._get_stage_domain(Customer._search([("stage", "in", stages)]))
        if False not in value:
            return found
        known = Customer._search([("stage", "!=", False)])
        return Domain(found) | ~Domain(self._get_stage_domain(known))

    @api.model
    def _get_card_condition(self, alias, card, query):
        """Return the SQL of the join between a record and the card of its customer."""
        raise NotImplementedError

    def _field_to_sql(self, alias, field_expr, query=None):
        """Let lists group and sort by the stage, which is not stored."""
        if field_expr != "loyalty_stage" or query is None:
            return super()._field_to_sql(alias, field_expr, query)
        self._check_field_access(self._fields[field_expr], "read")
        card = query.make_alias(alias, "loyalty_card")
        query.add_join(
            "LEFT JOIN",
            card,
            "garage_loyalty_customer",
            self._get_card_condition(alias, card, query),
        )
        return SQL.identifier(card, "stage")
