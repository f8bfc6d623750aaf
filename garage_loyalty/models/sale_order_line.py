from odoo import models
from odoo.exceptions import UserError


class SaleOrderLine(models.Model):
    _name = "sale.order.line"
    _inherit = ["sale.order.line", "garage.loyalty.line.mixin"]

    def write(self, vals):
        """Refuse to change what is paid with points by hand."""
        changed = self.filtered(
            lambda line: line.loyalty_redemption_id and line._is_loyalty_changed(vals)
        )
        if changed:
            raise UserError(changed[0].loyalty_redemption_id._locked_message())
        return super().write(vals)

    def unlink(self):
        """Removing what is paid with points gives the points back."""
        redemptions = self.loyalty_redemption_id
        result = super().unlink()
        redemptions._after_lines_removed()
        return result

    def _compute_qty_to_invoice(self):
        """Bill what points bought with the rest of the order, delivered or not."""
        result = super()._compute_qty_to_invoice()
        for line in self:
            if line.loyalty_redemption_id and line.state == "sale":
                line.qty_to_invoice = line.product_uom_qty - line.qty_invoiced
        return result

    def _prepare_invoice_line(self, **optional_values):
        vals = super()._prepare_invoice_line(**optional_values)
        if self.loyalty_redemption_id:
            vals["loyalty_redemption_id"] = self.loyalty_redemption_id.id
            vals["loyalty_scope"] = self.loyalty_scope
        return vals

    def _is_loyalty_priced(self):
        """Tell whether the line is a product or service that the customer buys."""
        self.ensure_one()
        return (
            not self.display_type
            and not self.is_downpayment
            and not self.loyalty_redemption_id
        )
