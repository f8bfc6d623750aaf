from odoo import api, models


class ResCompany(models.Model):
    _inherit = "res.company"

    @api.model_create_multi
    def create(self, vals_list):
        """Start a new company with a loyalty programme."""
        companies = super().create(vals_list)
        # Whoever may create a company need not be a loyalty manager.
        self.env["garage.loyalty.program"].sudo()._create_default(companies)
        return companies
