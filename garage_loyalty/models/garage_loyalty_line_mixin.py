from odoo import models


class GarageLoyaltyLineMixin(models.AbstractModel):
    """What a line is to the programme, for ``sale.order.line`` and invoice lines."""

    _name = "garage.loyalty.line.mixin"
    _description = "Line of Labour or Parts"

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
