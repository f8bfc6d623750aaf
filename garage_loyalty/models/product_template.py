from odoo import fields, models


class ProductTemplate(models.Model):
    _inherit = "product.template"

    loyalty_excluded = fields.Boolean(
        string="Earns no loyalty points",
        help="Invoice lines with this product earn nothing.",
    )
    inspection_kind = fields.Selection(
        [("inspection", "Periodic inspection"), ("reinspection", "Re-inspection")],
        string="Counts as",
        help="The movement report counts how many were invoiced: periodic inspections "
        "(MOT, APK, TÜV, KIR), and random re-inspections.",
    )

    def write(self, vals):
        """Count inspections again when a product has become one."""
        if "inspection_kind" not in vals:
            return super().write(vals)
        changed = self.filtered(
            lambda product: product.inspection_kind != vals["inspection_kind"]
        )
        result = super().write(vals)
        if changed:
            variants = changed.with_context(active_test=False).product_variant_ids
            # Facts are the same whoever edits the product.
            Changed = self.env["garage.loyalty.changed.customer"].sudo()
            Changed._note_buyers(variants.ids)
        return result
