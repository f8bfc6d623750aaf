from odoo import api, fields, models


class GarageLoyaltyDiscountedMixin(models.AbstractModel):
    """What the tier of the customer gives, for ``repair.order`` and ``sale.order``."""

    _name = "garage.loyalty.discounted.mixin"
    _description = "Document with Standing Discounts"

    loyalty_discount_text = fields.Char(
        string="Standing discounts",
        compute="_compute_loyalty_discount_text",
        help="What the tier of the customer gives on every quotation.",
    )

    @api.depends("loyalty_tier_id", "loyalty_state")
    def _compute_loyalty_discount_text(self):
        for document in self:
            # The badge is for everybody who may see the document.
            tier = document.sudo().loyalty_tier_id
            is_given = document.loyalty_state == "active" and tier.active
            document.loyalty_discount_text = is_given and tier.discount_text
