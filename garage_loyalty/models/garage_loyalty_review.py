from odoo import api, fields, models
from odoo.exceptions import UserError

from ..tools import review as rules
from .garage_loyalty_estimate import VERDICTS as EFFECTS
from .garage_loyalty_result import VERDICTS as RESULTS

STATES = [
    (rules.GOOD, "On track"),
    (rules.POOR, "Needs attention"),
    (rules.UNKNOWN, "Cannot be told"),
]
# The parts of a review, each judged by itself.
PARTS = ("aro", "frequency", "enrolment", "use", "result")


def _count(label, **attributes):
    return fields.Integer(string=label, readonly=True, aggregator=None, **attributes)


def _amount(label, **attributes):
    return fields.Monetary(string=label, readonly=True, aggregator=None, **attributes)


def _figure(label, decimals=1, **attributes):
    """Return a percentage or ratio; empty where there is none."""
    return fields.Float(
        string=label,
        readonly=True,
        digits=(16, decimals),
        aggregator="avg",
        **attributes,
    )


def _state(label):
    return fields.Selection(STATES, string=label, readonly=True, required=True)


class GarageLoyaltyReview(models.Model):
    """The figures of a programme for a month or a quarter, as they were known then.

    A row for each company and period, written once the period is over. Nothing changes
    it: last year's figures are the same today. Percentages are 0 to 100, amounts in the
    currency of the company that keeps the accounts.
    """

    _name = "garage.loyalty.review"
    _description = "Programme Review"
    _inherit = [
        "garage.loyalty.export.mixin",
        "garage.loyalty.review.figures.mixin",
        "garage.loyalty.review.job.mixin",
        "garage.loyalty.review.words.mixin",
        "mail.thread",
        "mail.activity.mixin",
    ]
    _order = "date_to desc, date_from desc, company_id, id desc"
    _rec_name = "date_to"
    # Nobody writes figures; whoever reads them may comment.
    _mail_post_access = "read"

    company_id = fields.Many2one(
        "res.company", required=True, readonly=True, ondelete="cascade"
    )
    currency_id = fields.Many2one("res.currency", required=True, readonly=True)
    period = fields.Selection(
        [("month", "Month"), ("quarter", "Quarter")], required=True, readonly=True
    )
    date_from = fields.Date(string="From", required=True, readonly=True)
    date_to = fields.Date(string="Until", required=True, readonly=True)
    reviewed_on = fields.Date(readonly=True)
    told_date = fields.Date(string="Managers told on", readonly=True)

    state = _state("Review")
    aro_state = _state("ARO")
    frequency_state = _state("Visits")
    enrolment_state = _state("Joining")
    use_state = _state("Use")
    result_state = _state("Result")

    member_visits = _count("Members' visits")
    other_visits = _count("Non-members' visits")
    member_customers = _count("Members who came")
    other_customers = _count("Non-members who came")
    member_aro = _amount(
        "ARO of members", help="Average repair order in the period, before rewards."
    )
    other_aro = _amount("ARO of non-members")
    aro_lead = _figure(
        "ARO lead (%)", help="The raw difference: it also says who joins."
    )
    visit_share = _figure("Members' visits (%)")
    amount_share = _figure("Members' revenue (%)")
    estimate_id = fields.Many2one("garage.loyalty.estimate", readonly=True)
    effect_verdict = fields.Selection(EFFECTS, string="Honest estimate", readonly=True)
    effect = _figure("Effect on ARO (%)")
    effect_low = _figure("Effect, at least (%)")
    effect_high = _figure("Effect, at most (%)")

    member_frequency = _figure("Members' frequency", 2)
    other_frequency = _figure("Non-members' frequency", 2)
    frequency_ratio = _figure(
        "Times as often",
        2,
        help="How many times as often members came in 12 months as others did.",
    )
    frequency_members = _count("Members who came in 12 months")
    frequency_others = _count("Non-members who came in 12 months")
    frequency_goal = _figure("Goal: times as often", 2)

    could_ask = _count("Could be asked")
    asked = _count("Asked")
    accepted = _count("Accepted")
    asking_rate = _figure("Asked (%)", help="Of those who could be asked.")
    asking_goal = _figure("Goal: asked (%)")
    conversion_rate = _figure(
        "Conversion (%)", help="Of those who were asked, who accepted."
    )
    conversion_goal = _figure("Goal: conversion (%)")
    joined = _count("Joined", help="Customers who became members in the period.")
    left = _count("Left")

    members = _count("Members", help="On at least one day of the last 12 months.")
    active_members = _count("Members who used it", help="In the last 12 months.")
    use_rate = _figure("Use (%)", help="Members who earned or redeemed in 12 months.")
    use_goal = _figure("Goal: use (%)")
    earned = _count("Points earned")
    redeemed = _count("Points redeemed")
    redemption_rate = _figure("Redemption rate (%)")
    breakage_rate = _figure("Breakage (%)")

    cost = _amount(
        "Cost of the programme", help="In the period; the programme result has details."
    )
    margin = _amount("Margin brought")
    result_verdict = fields.Selection(RESULTS, string="Does it pay?", readonly=True)
    roi = _figure(
        "Return on investment (%)",
        0,
        help="What the programme brought by the honest estimate, less its cost, in "
        "percent of the cost.",
    )
    roi_low = _figure("Return, at least (%)", 0)
    roi_high = _figure("Return, at most (%)", 0)

    _period_uniq = models.UniqueIndex("(company_id, date_from, date_to)")

    @api.depends("date_from", "period")
    @api.depends_context("lang")
    def _compute_display_name(self):
        for review in self:
            review.display_name = review.date_from and review._name_period()

    @api.model
    def _record(self, company, first, last):
        """Keep the figures of the months from one to another, and judge them.

        :param company: the one that keeps the accounts
        """
        figures = self._prepare_figures(company, first, last)
        states = self._prepare_states(figures)
        vals = {
            "company_id": company.id,
            "currency_id": company.currency_id.id,
            "reviewed_on": company._get_loyalty_today(),
            **figures,
            **states,
            "state": rules.overall(states.values()),
        }
        # What there is no figure of is left out, and not 0 in an average.
        known = {name: value for name, value in vals.items() if value is not None}
        return self.with_context(tracking_disable=True).create(known)

    @api.model
    def _prepare_states(self, figures):
        """Return what is said of each part. Override to judge in another way."""
        sides = figures["member_customers"], figures["other_customers"]
        enough = min(sides) >= rules.LEAST
        return {
            "aro_state": rules.judge_aro(
                figures["aro_lead"], enough, figures["effect_verdict"]
            ),
            "frequency_state": rules.judge(
                figures["frequency_ratio"],
                figures["frequency_goal"],
                min(figures["frequency_members"], figures["frequency_others"])
                >= rules.LEAST,
            ),
            "enrolment_state": rules.judge_enrolment(
                figures["conversion_rate"],
                figures["conversion_goal"],
                figures["asking_rate"],
                figures["asking_goal"],
                figures["asked"],
            ),
            "use_state": rules.judge(
                figures["use_rate"],
                figures["use_goal"],
                figures["members"] >= rules.LEAST,
            ),
            "result_state": rules.judge_result(figures["result_verdict"]),
        }

    # -- what was reviewed stays ---------------------------------------------------

    def write(self, vals):
        """Refuse to change what was reviewed."""
        if self._get_kept() & vals.keys():
            raise UserError(
                self.env._("A review is kept as it was: last year's never changes.")
            )
        return super().write(vals)

    @api.model
    def _get_kept(self):
        """Return the names of the fields that are never written again."""
        return {
            name
            for name, field in self._fields.items()
            if field.store
            and field.readonly
            and name != "told_date"
            and field._module == "garage_loyalty"
        }

    @api.ondelete(at_uninstall=False)
    def _unlink_except_kept(self):
        raise UserError(
            self.env._("A review is kept as it was: last year's never changes.")
        )
