from odoo import fields, models


class ProductCategory(models.Model):
    _inherit = "product.category"

    loyalty_no_offers = fields.Boolean(
        string="No offers for regulars",
        help="Customers who had services of this category several times are not "
        "proposed an offer on them: for labour that everybody buys. Categories below "
        "it decide for themselves.",
    )

    def write(self, vals):
        """Count regular work again, with or without these categories."""
        result = super().write(vals)
        if "loyalty_no_offers" in vals:
            left_out = self.filtered("loyalty_no_offers")
            # Facts are the same whoever edits the category.
            Work = self.env["garage.loyalty.regular.work"].sudo()
            Work._count_again([("categ_id", "in", left_out.ids)])
        return result
