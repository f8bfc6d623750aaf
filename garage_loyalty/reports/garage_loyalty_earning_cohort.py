from odoo import api, fields, models

from .garage_loyalty_earning_cohort_query import SPANS


def _due(span):
    return fields.Integer(
        string=f"Known for {span} months",
        readonly=True,
        help="Points that were earned long enough ago. The others are left out of the "
        "figures of these months.",
    )


def _redeemed(span):
    return fields.Integer(
        string=f"Redeemed within {span} months",
        readonly=True,
        help="Until the end of the calendar month so long after they were earned.",
    )


def _rate(span):
    return fields.Float(
        string=f"Redeemed within {span} months (%)",
        readonly=True,
        aggregator="avg",
        digits=(16, 1),
        help="Of the points that were earned long enough ago. Totals are of all these "
        "points, not averages of percentages.",
    )


def _share(label, help):
    return fields.Float(
        string=label, readonly=True, aggregator="avg", digits=(16, 1), help=help
    )


class GarageLoyaltyEarningCohort(models.Model):
    """Points by the month in which they were earned, and what became of them.

    Ratios are computed by the database for every grouping, from the sums of that
    grouping; cohorts that are not old enough for a span are in neither.
    """

    _name = "garage.loyalty.earning.cohort"
    _description = "Points by Month of Earning"
    _inherit = [
        "garage.loyalty.export.mixin",
        "garage.loyalty.earning.cohort.query",
        "garage.loyalty.ratio.mixin",
    ]
    _auto = False
    _order = "month desc, origin, id desc"
    _rec_name = "month"
    _depends = {
        "garage.loyalty.allocation": ["entry_id", "lot_id", "points"],
        "garage.loyalty.entry": ["company_id", "date", "kind", "program_id"],
        "garage.loyalty.lot": ["date", "entry_id", "is_bonus", "points", "remaining"],
        "garage.loyalty.program": ["point_value"],
        "res.company": ["currency_id", "loyalty_company_id"],
    }

    month = fields.Date(string="Earned in", readonly=True, help="Its first day.")
    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    program_id = fields.Many2one(
        "garage.loyalty.program", string="Programme", readonly=True
    )
    origin = fields.Selection(
        [("earned", "Earned on invoices"), ("gift", "Gifts and corrections")],
        readonly=True,
    )
    is_running = fields.Boolean(
        string="Running month",
        readonly=True,
        help="The month is not over: more points may be earned.",
    )
    earned = fields.Integer(
        string="Points earned",
        readonly=True,
        help="Less what was taken back. They were redeemed, have expired, were "
        "corrected, or are left.",
    )
    redeemed = fields.Integer(
        string="Points redeemed",
        readonly=True,
        help="Of these very points, until today; less what was given back.",
    )
    expired = fields.Integer(
        string="Points expired",
        readonly=True,
        help="Until today, of the points earned.",
    )
    taken_back = fields.Integer(
        string="Points taken back",
        readonly=True,
        help="By credit notes. No longer in “Points earned”.",
    )
    other = fields.Integer(
        string="Points corrected", readonly=True, help="Taken away by hand."
    )
    left_points = fields.Integer(
        string="Points left",
        readonly=True,
        help="Still on the accounts of members, of the points earned.",
    )
    redemption_rate = _share(
        "Redemption rate (%)", "Points redeemed until today, of the points earned."
    )
    breakage_rate = _share(
        "Breakage (%)", "Points expired until today, of the points earned."
    )
    left_rate = _share("Left (%)", "Points left, of the points earned.")
    redeemed_value = fields.Monetary(
        string="Redeemed, value",
        readonly=True,
        help="By what the programme says a point is worth now. Rewards may have been "
        "worth something else.",
    )
    expired_value = fields.Monetary(
        string="Expired, value",
        readonly=True,
        help="By what the programme says a point is worth now.",
    )
    left_value = fields.Monetary(
        string="Left, value",
        readonly=True,
        help="What the points left would take off invoices now.",
    )
    due_3 = _due(3)
    due_6 = _due(6)
    due_12 = _due(12)
    redeemed_3 = _redeemed(3)
    redeemed_6 = _redeemed(6)
    redeemed_12 = _redeemed(12)
    rate_3 = _rate(3)
    rate_6 = _rate(6)
    rate_12 = _rate(12)

    @api.depends("month")
    def _compute_display_name(self):
        for row in self:
            row.display_name = row.month and fields.Date.to_string(row.month)[:7]

    @api.model
    def _get_ratios(self):
        ratios = {
            "redemption_rate:avg": ("redeemed:sum", "earned:sum", 100),
            "breakage_rate:avg": ("expired:sum", "earned:sum", 100),
            "left_rate:avg": ("left_points:sum", "earned:sum", 100),
        }
        for span in SPANS:
            parts = (f"redeemed_{span}:sum", f"due_{span}:sum", 100)
            ratios[f"rate_{span}:avg"] = parts
        return super()._get_ratios() | ratios
