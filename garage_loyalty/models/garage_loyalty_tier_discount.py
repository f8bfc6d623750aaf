from odoo import api, fields, models
from odoo.tools.misc import formatLang

from ..tools.discounts import ALL, LABOUR, PARTS, Discount

SCOPES = [(ALL, "Labour and parts"), (LABOUR, "Labour"), (PARTS, "Parts")]


class GarageLoyaltyTierDiscount(models.Model):
    """A percentage that members of a tier get off every quotation."""

    _name = "garage.loyalty.tier.discount"
    _description = "Standing Discount of a Tier"
    _inherit = ["garage.loyalty.input.mixin"]
    _order = "tier_id, percent desc, id"
    _rec_name = "percent"

    tier_id = fields.Many2one(
        "garage.loyalty.tier", required=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one(
        related="tier_id.company_id", store=True, precompute=True
    )
    percent = fields.Float(
        string="Discount (%)", required=True, default=10.0, digits="Discount"
    )
    scope = fields.Selection(SCOPES, string="On", required=True, default=ALL)
    # Without its category, a discount would be given on everything.
    categ_id = fields.Many2one(
        "product.category",
        string="Product category",
        ondelete="restrict",
        index="btree_not_null",
        help="Products of this category, and of those below it. Empty means every "
        "product. The discount of the nearest category applies, also when it is the "
        "lower one.",
    )

    _percent_range = models.Constraint(
        "CHECK(percent > 0 AND percent <= 100)",
        "The percentage of a discount is more than 0 and at most 100.",
    )
    _tier_categ_scope_uniq = models.UniqueIndex(
        "(tier_id, COALESCE(categ_id, 0), scope)",
        "The tier has a discount on this category already.",
    )

    @api.depends("percent", "scope", "categ_id.name")
    @api.depends_context("lang")
    def _compute_display_name(self):
        for discount in self:
            discount.display_name = self.env._(
                "%(percent)s%% off %(goods)s",
                percent=discount._get_percent_text(),
                goods=discount._get_goods_text(),
            )

    def _get_percent_text(self):
        most = self.env["decimal.precision"].precision_get("Discount")
        digits = next(
            (
                count
                for count in range(most)
                if round(self.percent, count) == self.percent
            ),
            most,
        )
        return formatLang(self.env, self.percent, digits=digits)

    def _get_goods_text(self):
        kinds = {LABOUR: self.env._("labour"), PARTS: self.env._("parts")}
        kind = kinds.get(self.scope)
        category = self.categ_id.name
        if kind and category:
            return self.env._("%(kind)s in %(category)s", kind=kind, category=category)
        return category or kind or self.env._("everything")

    def _prepare_discount(self):
        """Return the discount as plain values."""
        self.ensure_one()
        return Discount(self.id, self.percent, self.categ_id.id or 0, self.scope)

    @api.model_create_multi
    def create(self, vals_list):
        """Read the discounts again; show them to everybody who writes quotations."""
        discounts = super().create(vals_list)
        self.env.registry.clear_cache()
        if discounts:
            discounts.tier_id._show_discounts()
        return discounts

    def write(self, vals):
        """Read the discounts again."""
        result = super().write(vals)
        self.env.registry.clear_cache()
        return result

    def unlink(self):
        """Read the discounts again."""
        self.env.registry.clear_cache()
        return super().unlink()
