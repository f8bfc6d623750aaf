from odoo import api, models
from odoo.exceptions import UserError


class SaleOrderLine(models.Model):
    _name = "sale.order.line"
    _inherit = [
        # Before the host, whose discounts it extends.
        "garage.loyalty.discounted.line.mixin",
        "sale.order.line",
        "garage.loyalty.free.line.mixin",
        "garage.loyalty.line.mixin",
    ]

    @api.depends("loyalty_privilege_id")
    def _compute_discount(self):
        result = super()._compute_discount()
        self._keep_loyalty_discount()
        return result

    @api.model_create_multi
    def create(self, vals_list):
        """Refuse to make lines free by hand."""
        for vals in vals_list:
            self.browse()._check_loyalty_privilege(vals)
        lines = super().create(vals_list)
        lines._keep_loyalty_discount()
        return lines

    def copy_data(self, default=None):
        """Charge the copy of what a privilege makes free."""
        vals_list = super().copy_data(default)
        for line, vals in zip(self, vals_list, strict=True):
            if line.loyalty_privilege_id:
                vals.pop("discount", None)
        return vals_list

    def write(self, vals):
        """Refuse to change what points pay, or a privilege makes free, by hand."""
        self._check_loyalty_privilege(vals)
        changed = self.filtered(
            lambda line: line.loyalty_redemption_id and line._is_loyalty_changed(vals)
        )
        if changed:
            raise UserError(changed[0].loyalty_redemption_id._locked_message())
        result = super().write(vals)
        if "product_uom_qty" in vals:
            # Whoever changes a quantity need not have loyalty rights.
            self.sudo().filtered("loyalty_privilege_id")._sync_loyalty_use()
        return result

    def unlink(self):
        """Removing what points pay, or a privilege makes free, gives it back."""
        redemptions = self.loyalty_redemption_id
        # Whoever removes a line need not have loyalty rights.
        uses = self.sudo().filtered("loyalty_privilege_id").loyalty_use_ids
        result = super().unlink()
        redemptions._after_lines_removed()
        uses._return_to("released")
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
