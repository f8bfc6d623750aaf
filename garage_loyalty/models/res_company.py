from odoo import api, fields, models


class ResCompany(models.Model):
    _inherit = "res.company"

    @api.model_create_multi
    def create(self, vals_list):
        """Start a new company with a loyalty programme."""
        companies = super().create(vals_list)
        # Whoever may create a company need not be a loyalty manager.
        self.env["garage.loyalty.program"].sudo()._create_default(companies)
        return companies

    def _get_loyalty_today(self):
        """Return the present day in the time zone of the company's contact."""
        # The time zone of the workshop is no secret.
        zone = self.sudo().partner_id.tz or "UTC"
        return fields.Date.context_today(self.with_context(tz=zone))
