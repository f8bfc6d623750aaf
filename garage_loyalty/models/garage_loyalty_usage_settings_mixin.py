from odoo import fields, models


class GarageLoyaltyUsageSettingsMixin(models.AbstractModel):
    """How rewards and the result of the programme are judged, for ``res.company``."""

    _name = "garage.loyalty.usage.settings.mixin"
    _description = "Settings of Rewards and Cost"

    loyalty_usage_percent = fields.Float(
        string="Hardly used below (%)",
        default=2.0,
        digits=(16, 1),
        help="A reward or privilege is hardly used when a smaller share of the members "
        "who may have it has used it. 0: nothing is marked.",
        prefetch="loyalty",
    )
    loyalty_usage_months = fields.Integer(
        string="Use counted over (months)",
        default=12,
        help="Nothing is said of what has been offered for a shorter time.",
        prefetch="loyalty",
    )
    loyalty_margin_percent = fields.Float(
        string="Gross margin (%)",
        default=50.0,
        digits=(16, 1),
        help="What is left of a net invoice after wages and parts, in percent. The "
        "programme result takes it for what the programme brought.",
        prefetch="loyalty",
    )

    _loyalty_usage_bounds = models.Constraint(
        "CHECK(loyalty_usage_percent BETWEEN 0 AND 100"
        " AND loyalty_usage_months BETWEEN 1 AND 120)",
        "Use is counted over 1 to 120 months; the share of members is a percentage "
        "between 0 and 100.",
    )
    _loyalty_margin_bounds = models.Constraint(
        "CHECK(loyalty_margin_percent > 0 AND loyalty_margin_percent <= 100)",
        "The gross margin is more than 0 and at most 100 percent.",
    )
