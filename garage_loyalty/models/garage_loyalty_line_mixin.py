from odoo import fields, models

SCOPES = [("labour", "Labour"), ("parts", "Parts")]

# What nobody changes by hand on a line that points pay.
LOCKED = {
    "discount",
    "price_unit",
    "product_id",
    "product_uom_id",
    "product_uom_qty",
    "quantity",
}


class GarageLoyaltyLineMixin(models.AbstractModel):
    """What a line is to the programme, for ``sale.order.line`` and invoice lines."""

    _name = "garage.loyalty.line.mixin"
    _description = "Line of Labour or Parts"

    loyalty_redemption_id = fields.Many2one(
        "garage.loyalty.redemption",
        string="Redemption",
        readonly=True,
        index="btree_not_null",
        ondelete="restrict",
    )
    loyalty_scope = fields.Selection(
        SCOPES,
        string="Redeemed on",
        readonly=True,
        help="Whether points were spent on labour or on parts.",
    )

    def _get_loyalty_kind(self):
        """Return "labour" or "parts".

        Services, and lines without a product, are labour. Override to tell them
        apart by other means; the same rule stands in ``garage.loyalty.facts``.
        """
        self.ensure_one()
        if self.loyalty_scope:
            return self.loyalty_scope
        product = self.product_id
        return "labour" if not product or product.type == "service" else "parts"

    def _is_loyalty_changed(self, vals):
        """Tell whether ``vals`` change what the customer gets, or what it costs."""
        self.ensure_one()
        return any(
            self._fields[name].convert_to_write(self[name], self) != vals[name]
            for name in LOCKED & vals.keys()
        )
