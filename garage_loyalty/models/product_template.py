from odoo import fields, models


class ProductTemplate(models.Model):
    _inherit = "product.template"

    loyalty_excluded = fields.Boolean(
        string="Earns no loyalty points",
        help="Invoice lines with this product earn nothing.",
    )
