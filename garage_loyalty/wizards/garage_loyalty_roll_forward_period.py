from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.tools.date_utils import start_of

PERIODS = [
    ("last_month", "Last month"),
    ("this_month", "This month"),
    ("last_quarter", "Last quarter"),
    ("this_quarter", "This quarter"),
    ("last_year", "Last year"),
    ("this_year", "This year"),
    ("other", "Other days"),
]

MONTHS = {"month": 1, "quarter": 3, "year": 12}


class GarageLoyaltyRollForwardPeriod(models.TransientModel):
    """The days between which *What Is Owed in Points* is shown."""

    _name = "garage.loyalty.roll.forward.period"
    _description = "Period of What Is Owed"
    _inherit = ["garage.loyalty.input.mixin"]
    _rec_name = "date_from"

    period = fields.Selection(PERIODS, default="last_quarter", required=True)
    date_from = fields.Date(
        string="From",
        required=True,
        compute="_compute_days",
        store=True,
        readonly=False,
        precompute=True,
    )
    date_to = fields.Date(
        string="Until",
        required=True,
        compute="_compute_days",
        store=True,
        readonly=False,
        precompute=True,
        help="The last day of it.",
    )

    by_tier = fields.Boolean()

    _days_in_order = models.Constraint(
        "CHECK(date_from <= date_to)", "The period ends before it begins."
    )

    @api.depends("period")
    def _compute_days(self):
        today = self.env.company._get_loyalty_today()
        for wizard in self:
            when, _sep, span = (wizard.period or "other").partition("_")
            if not span:
                wizard.date_from = wizard.date_from or today.replace(day=1)
                wizard.date_to = wizard.date_to or today
                continue
            length = relativedelta(months=MONTHS[span])
            first = start_of(today, span)
            first -= length if when == "last" else relativedelta()
            wizard.date_from = first
            wizard.date_to = first + length - relativedelta(days=1)

    def action_show(self):
        """Open the report of the period."""
        self.ensure_one()
        tiers = self.env["garage.loyalty.roll.forward.tier"]
        report = tiers if self.by_tier else self.env["garage.loyalty.roll.forward"]
        days = {"loyalty_from": self.date_from, "loyalty_to": self.date_to}
        return report.with_context(**days).action_open()
