from odoo import api, fields, models

from ..tools import tiers as rules

# A change of these means that every member is looked at again.
REVIEWED = {
    "tier_count_warranty",
    "tier_excluded_tag_ids",
    "tier_fall",
    "tier_grace_days",
    "tier_ids",
    "tier_months",
    "tier_review",
    "tier_visit_gap",
    "tier_window",
}


class GarageLoyaltyTierRulesMixin(models.AbstractModel):
    """How members reach, keep and lose tiers, for programmes."""

    _name = "garage.loyalty.tier.rules.mixin"
    _description = "Rules of Loyalty Tiers"

    tier_window = fields.Selection(
        [(rules.ROLLING, "The last months"), (rules.CALENDAR, "The calendar year")],
        string="What counts",
        required=True,
        default=rules.ROLLING,
        tracking=True,
        help="Over which time spend, points and visits are added up.",
    )
    tier_months = fields.Integer(string="Number of months", default=12, tracking=True)
    tier_review = fields.Selection(
        [
            (rules.MONTHLY, "Every month"),
            (rules.QUARTERLY, "Every quarter"),
            (rules.YEARLY, "Every year"),
        ],
        string="Tiers are reviewed",
        required=True,
        default=rules.MONTHLY,
        tracking=True,
        help="A tier is lost on the first day of a month, quarter or year only. "
        "A higher tier is reached at once.",
    )
    tier_grace_days = fields.Integer(
        string="Days of grace",
        default=30,
        tracking=True,
        help="How long a tier is kept at least after the figures fell short.",
    )
    tier_fall = fields.Selection(
        [("step", "One tier at a time"), ("direct", "To what the figures say")],
        string="Members fall",
        required=True,
        default="step",
        tracking=True,
    )
    tier_warning_days = fields.Integer(
        string="Days of warning before a fall",
        default=14,
        tracking=True,
        help="Members are told by e-mail this number of days before they lose a tier, "
        "with what is missing. 0: no warning.",
    )
    tier_visit_gap = fields.Integer(
        string="Days between visits that count",
        default=7,
        tracking=True,
        help="A visit this number of days or less after the one before does not count "
        "once more: splitting a job does not help. 0: every visit counts.",
    )
    tier_count_warranty = fields.Boolean(
        string="Warranty jobs count",
        tracking=True,
        help="Whether repair orders under warranty count as visits and spend.",
    )
    tier_excluded_tag_ids = fields.Many2many(
        "repair.tags",
        string="Jobs that do not count",
        help="Repair orders with one of these tags, such as insurance jobs, count "
        "neither as visits nor as spend.",
    )
    tier_reviewed_until = fields.Date(
        readonly=True,
        copy=False,
        help="Last day for which the scheduled action has reviewed all members.",
    )

    _tier_numbers = models.Constraint(
        "CHECK(tier_months BETWEEN 1 AND 120 AND tier_grace_days BETWEEN 0 AND 3660 "
        "AND tier_warning_days BETWEEN 0 AND 366 "
        "AND tier_visit_gap BETWEEN 0 AND 366)",
        "Tiers look at 1 to 120 months; numbers of days cannot be negative.",
    )

    def write(self, vals):
        """Let the next review look at every member when a rule changes."""
        if REVIEWED & vals.keys():
            vals = {"tier_reviewed_until": False, **vals}
        return super().write(vals)

    def _prepare_tier_rules(self):
        """Return the rules of tiers as plain values.

        Override to return an object of a derived class with more rules.
        """
        self.ensure_one()
        return rules.TierRules(
            levels=tuple(tier._prepare_level() for tier in self.tier_ids[1:]),
            tier_ids=tuple(self.tier_ids.ids),
            companies=tuple(self._get_loyalty_companies().ids),
            window=self.tier_window,
            months=self.tier_months,
            review=self.tier_review,
            grace_days=self.tier_grace_days,
            by_step=self.tier_fall == "step",
        )

    def _get_loyalty_companies(self):
        """Return the companies whose visits count: those that keep accounts here."""
        self.ensure_one()
        # Visits count whichever branches the user may see.
        companies = self.env["res.company"].sudo()
        return companies.search([("loyalty_company_id", "=", self.company_id.id)])

    @api.model
    def _get_review_days(self, last, today, longest=31):
        """Return the days that are to be reviewed.

        :param last: the last one that was, if any
        :param longest: of more days, only today is looked at
        """
        days = (today - last).days if last else longest + 1
        if days > longest:
            return [today]
        return [fields.Date.add(last, days=number) for number in range(1, days + 1)]
