from odoo import SUPERUSER_ID, fields, models


class GarageLoyaltyRetentionSettingsMixin(models.AbstractModel):
    """When managers of a company are told that existing customers come less often."""

    _name = "garage.loyalty.retention.settings.mixin"
    _description = "Settings of the Retention Check"

    loyalty_retention_share = fields.Float(
        string="Falling by more than (%)",
        default=10.0,
        digits=(16, 1),
        help="Managers are told when existing customers come so much less often than "
        "in the same months a year before. 0: nothing is compared.",
        prefetch="loyalty",
    )
    loyalty_retention_months = fields.Integer(
        string="Months compared",
        default=3,
        help="The last complete months, compared with the same ones a year before.",
        prefetch="loyalty",
    )
    loyalty_retention_visits = fields.Integer(
        string="Visits it takes to tell",
        default=30,
        help="Nothing is concluded from fewer visits in the months of the year before.",
        prefetch="loyalty",
    )

    _loyalty_retention_bounds = models.Constraint(
        "CHECK(loyalty_retention_share BETWEEN 0 AND 100"
        " AND loyalty_retention_months BETWEEN 1 AND 12"
        " AND loyalty_retention_visits >= 1)",
        "Repeat visits are compared over 1 to 12 months, from at least one visit on; "
        "the share is a percentage between 0 and 100.",
    )

    def _get_loyalty_managers(self):
        """Return the users who are told what concerns customers of the company.

        Override to tell other people than its loyalty managers.
        """
        self.ensure_one()
        managers = self.env.ref("garage_loyalty.garage_loyalty_group_manager")
        return managers.all_user_ids.filtered(
            lambda user: (
                user.active and user.id != SUPERUSER_ID and self in user.company_ids
            )
        )
