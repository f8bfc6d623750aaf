from odoo import api, fields, models


class ResCompany(models.Model):
    _inherit = "res.company"

    loyalty_program_ids = fields.One2many("garage.loyalty.program", "company_id")
    loyalty_company_id = fields.Many2one(
        "res.company",
        string="Company of the loyalty accounts",
        compute="_compute_loyalty_company_id",
        store=True,
        recursive=True,
        index=True,
        help="The company itself, or one above it whose programme branches share.",
    )

    @api.depends(
        "parent_id.loyalty_company_id",
        "parent_id.loyalty_company_id.loyalty_program_ids.active",
        "parent_id.loyalty_company_id.loyalty_program_ids.share_branches",
    )
    def _compute_loyalty_company_id(self):
        for company in self:
            above = company.parent_id.loyalty_company_id
            shared = above.loyalty_program_ids.filtered("share_branches")
            company.loyalty_company_id = above if shared else company

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
