from odoo import api, fields, models


class GarageLoyaltyTier(models.Model):
    _name = "garage.loyalty.tier"
    _description = "Loyalty Tier"
    _inherit = ["garage.loyalty.input.mixin"]
    _order = "program_id, sequence, id"

    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    color = fields.Integer()
    program_id = fields.Many2one(
        "garage.loyalty.program",
        string="Programme",
        required=True,
        ondelete="cascade",
        index=True,
    )
    company_id = fields.Many2one(related="program_id.company_id", store=True)
    multiplier = fields.Float(
        string="Earning multiplier",
        default=1.0,
        digits=(16, 4),
        help="Points of members in this tier are multiplied by this number.",
    )

    _multiplier_positive = models.Constraint(
        "CHECK(multiplier >= 0)", "The earning multiplier cannot be negative."
    )
    _name_program_uniq = models.UniqueIndex(
        "(program_id, name) WHERE active",
        "Two tiers of a programme cannot have the same name.",
    )

    @api.model_create_multi
    def create(self, vals_list):
        """A new multiplier: the rules of the programme are read again."""
        self.env.registry.clear_cache()
        return super().create(vals_list)

    def write(self, vals):
        """A multiplier may change: the rules of the programme are read again."""
        self.env.registry.clear_cache()
        return super().write(vals)
