from odoo import api, fields, models

from ..tools.tiers import Level


class GarageLoyaltyTier(models.Model):
    _name = "garage.loyalty.tier"
    _description = "Loyalty Tier"
    _inherit = ["garage.loyalty.program.item.mixin", "garage.loyalty.standing.mixin"]

    color = fields.Integer()
    multiplier = fields.Float(
        string="Earning multiplier",
        default=1.0,
        digits=(16, 4),
        help="Points of members in this tier are multiplied by this number.",
    )
    privilege_ids = fields.Many2many(
        "garage.loyalty.privilege",
        "garage_loyalty_privilege_tier_rel",
        "tier_id",
        "privilege_id",
        copy=False,
        help="Privileges of this tier; those of all members are not listed.",
    )
    required_spend = fields.Monetary(
        string="Spend needed",
        help="Net amount, in the time that counts. 0: none is needed.",
    )
    required_points = fields.Integer(
        string="Points needed", help="Points earned in the time that counts."
    )
    required_visits = fields.Integer(
        string="Visits needed", help="Visits in the time that counts."
    )
    match = fields.Selection(
        [("all", "All of it"), ("any", "Any of it")],
        string="What is needed",
        required=True,
        default="all",
        help="A tier above the first that needs nothing is given by hand only.",
    )

    _required_positive = models.Constraint(
        "CHECK(required_spend >= 0 AND required_points >= 0 AND required_visits >= 0)",
        "What a tier needs cannot be negative.",
    )
    _multiplier_positive = models.Constraint(
        "CHECK(multiplier >= 0)", "The earning multiplier cannot be negative."
    )
    _name_program_uniq = models.UniqueIndex(
        "(program_id, name) WHERE active",
        "Two tiers of a programme cannot have the same name.",
    )

    def _prepare_level(self):
        """Return what the tier asks for as plain values."""
        self.ensure_one()
        return Level(
            spend=self.required_spend,
            points=self.required_points,
            visits=self.required_visits,
            match_all=self.match == "all",
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
