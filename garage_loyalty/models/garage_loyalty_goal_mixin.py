from odoo import fields, models


class GarageLoyaltyGoalMixin(models.AbstractModel):
    """What the owner of a company wants the programme to reach, and when it is told."""

    _name = "garage.loyalty.goal.mixin"
    _description = "Goals of the Loyalty Programme"

    loyalty_review_period = fields.Selection(
        [("none", "Never"), ("month", "Every month"), ("quarter", "Every quarter")],
        string="Review the programme",
        required=True,
        default="month",
        help="The figures of the period are kept, and managers get them by e-mail, "
        "with an activity where a goal is missed.",
        prefetch="loyalty",
    )
    loyalty_frequency_target = fields.Float(
        string="Members should come (times as often)",
        default=2.0,
        digits=(16, 2),
        help="As often as non-members, multiplied by this. The graph of visit "
        "frequency draws the line.",
        prefetch="loyalty",
    )
    loyalty_asking_target = fields.Float(
        string="Customers asked to join (%)",
        default=80.0,
        digits=(16, 1),
        help="Of the customers who could be asked.",
        prefetch="loyalty",
    )
    loyalty_conversion_target = fields.Float(
        string="Customers who accept (%)",
        default=30.0,
        digits=(16, 1),
        help="Of the customers who were asked to join.",
        prefetch="loyalty",
    )
    loyalty_use_target = fields.Float(
        string="Members who use it (%)",
        default=50.0,
        digits=(16, 1),
        help="Members who earned or redeemed points within the last 12 months.",
        prefetch="loyalty",
    )

    _loyalty_frequency_target_possible = models.Constraint(
        "CHECK(loyalty_frequency_target BETWEEN 1 AND 100)",
        "Members should come at least as often as others: the goal is from 1 to 100 "
        "times as often.",
    )
    _loyalty_targets_possible = models.Constraint(
        "CHECK(loyalty_asking_target BETWEEN 0 AND 100"
        " AND loyalty_conversion_target BETWEEN 0 AND 100"
        " AND loyalty_use_target BETWEEN 0 AND 100)",
        "Goals in percent are from 0 to 100.",
    )
