from odoo import api, fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    loyalty_program_id = fields.Many2one(
        "garage.loyalty.program",
        string="Loyalty programme",
        compute="_compute_loyalty_program_id",
        help="The programme that new members join: the first one of the company.",
    )
    loyalty_earn_trigger = fields.Selection(
        related="loyalty_program_id.earn_trigger", readonly=False
    )
    loyalty_labour_rate = fields.Float(
        related="loyalty_program_id.labour_rate", readonly=False
    )
    loyalty_parts_rate = fields.Float(
        related="loyalty_program_id.parts_rate", readonly=False
    )
    loyalty_point_value = fields.Float(
        related="loyalty_program_id.point_value", readonly=False
    )
    loyalty_labour_cap = fields.Float(
        related="loyalty_program_id.labour_cap", readonly=False
    )
    loyalty_parts_cap = fields.Float(
        related="loyalty_program_id.parts_cap", readonly=False
    )

    loyalty_statement = fields.Selection(
        related="company_id.loyalty_statement", readonly=False, required=True
    )
    loyalty_risk_months = fields.Integer(
        related="company_id.loyalty_risk_months", readonly=False
    )
    loyalty_lapse_months = fields.Integer(
        related="company_id.loyalty_lapse_months", readonly=False
    )
    loyalty_lost_months = fields.Integer(
        related="company_id.loyalty_lost_months", readonly=False
    )
    loyalty_sleep_months = fields.Integer(
        related="company_id.loyalty_sleep_months", readonly=False
    )
    loyalty_use_rhythm = fields.Boolean(
        related="company_id.loyalty_use_rhythm", readonly=False
    )

    loyalty_retention_share = fields.Float(
        related="company_id.loyalty_retention_share", readonly=False
    )
    loyalty_retention_months = fields.Integer(
        related="company_id.loyalty_retention_months", readonly=False
    )
    loyalty_retention_visits = fields.Integer(
        related="company_id.loyalty_retention_visits", readonly=False
    )
    loyalty_review_period = fields.Selection(
        related="company_id.loyalty_review_period", readonly=False
    )
    loyalty_frequency_target = fields.Float(
        related="company_id.loyalty_frequency_target", readonly=False
    )
    loyalty_asking_target = fields.Float(
        related="company_id.loyalty_asking_target", readonly=False
    )
    loyalty_conversion_target = fields.Float(
        related="company_id.loyalty_conversion_target", readonly=False
    )
    loyalty_use_target = fields.Float(
        related="company_id.loyalty_use_target", readonly=False
    )

    loyalty_regular_times = fields.Integer(
        related="company_id.loyalty_regular_times", readonly=False
    )
    loyalty_regular_months = fields.Integer(
        related="company_id.loyalty_regular_months", readonly=False
    )
    loyalty_regular_percent = fields.Float(
        related="company_id.loyalty_regular_percent", readonly=False
    )
    loyalty_regular_days = fields.Integer(
        related="company_id.loyalty_regular_days", readonly=False
    )

    loyalty_usage_percent = fields.Float(
        related="company_id.loyalty_usage_percent", readonly=False
    )
    loyalty_margin_percent = fields.Float(
        related="company_id.loyalty_margin_percent", readonly=False
    )
    loyalty_usage_months = fields.Integer(
        related="company_id.loyalty_usage_months", readonly=False
    )

    @api.depends("company_id")
    def _compute_loyalty_program_id(self):
        Program = self.env["garage.loyalty.program"]
        for settings in self:
            settings.loyalty_program_id = Program._get_default(settings.company_id)

    def action_open_loyalty_program(self):
        """Open the programme that new members join, to change all of its rules."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "garage.loyalty.program",
            "res_id": self.loyalty_program_id.id,
            "views": [[False, "form"]],
        }
