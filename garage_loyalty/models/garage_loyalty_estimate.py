from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL
from odoo.tools.query import Query

from ..tools import dropouts, estimate, matching
from ..tools.moments import YEAR, Span

VERDICTS = [
    ("few", "Too few customers"),
    ("open", "Not conclusive"),
    ("more", "They spend more"),
    ("less", "They spend less"),
]
# Which verdict tells whether a figure is known; the 0 of others means nothing.
VERDICT_OF = {
    "aro_gap": "gap_verdict",
    "effect": "verdict",
    "effect_high": "verdict",
    "effect_low": "verdict",
    "frequency_effect": "frequency_verdict",
    "frequency_gap": "gap_verdict",
}
FREQUENCY_VERDICTS = [
    ("few", "Too few customers"),
    ("described", "Described only"),
    ("biased", "Not to be relied on"),
]


class GarageLoyaltyEstimate(models.Model):
    """Does the programme pay? What it changed, as far as the past can tell.

    A row for each company and last day. Once it is computed nothing changes it. The
    rules are those of ``tools.matching`` and ``tools.estimate``; shares are kept in
    percent.
    """

    _name = "garage.loyalty.estimate"
    _description = "Honest Estimate"
    _inherit = [
        "garage.loyalty.export.mixin",
        "garage.loyalty.estimate.query",
        "garage.loyalty.estimate.job.mixin",
        "garage.loyalty.estimate.words.mixin",
    ]
    _order = "date_to desc, company_id, id desc"
    _rec_name = "date_to"

    company_id = fields.Many2one(
        "res.company", required=True, readonly=True, ondelete="cascade"
    )
    currency_id = fields.Many2one("res.currency", readonly=True)
    state = fields.Selection(
        [("waiting", "Waiting"), ("done", "Done")],
        required=True,
        readonly=True,
        default="waiting",
    )
    date_from = fields.Date(
        string="Visits from", readonly=True, help="Day of the first visit that counts."
    )
    date_to = fields.Date(string="Visits until", required=True, readonly=True)
    computed_on = fields.Datetime(string="Computed on", readonly=True)

    member_aro = fields.Monetary(
        string="ARO of members",
        readonly=True,
        aggregator=None,
        help="Average repair order in the last year, before rewards.",
    )
    other_aro = fields.Monetary(
        string="ARO of non-members", readonly=True, aggregator=None
    )
    aro_gap = fields.Float(
        string="Raw gap (%)",
        readonly=True,
        digits=(16, 1),
        aggregator="avg",
        help="By how much members' average repair order was above that of others in "
        "the last year. It says who joins.",
    )
    gap_members = fields.Integer(
        string="Members who came", readonly=True, aggregator=None
    )
    gap_others = fields.Integer(
        string="Non-members who came", readonly=True, aggregator=None
    )
    gap_verdict = fields.Selection(VERDICTS, readonly=True)

    effect = fields.Float(
        string="Effect on ARO (%)", readonly=True, digits=(16, 1), aggregator="avg"
    )
    effect_low = fields.Float(
        string="At least (%)", readonly=True, digits=(16, 1), aggregator="avg"
    )
    effect_high = fields.Float(
        string="At most (%)", readonly=True, digits=(16, 1), aggregator="avg"
    )
    members = fields.Integer(string="Members compared", readonly=True, aggregator=None)
    others = fields.Integer(
        string="Non-members compared", readonly=True, aggregator=None
    )
    verdict = fields.Selection(VERDICTS, readonly=True)

    joined = fields.Integer(string="Who have joined", readonly=True, aggregator=None)
    matched = fields.Integer(
        string="With somebody like them", readonly=True, aggregator=None
    )
    dropped_no_visit = fields.Integer(readonly=True, aggregator=None)
    dropped_soon = fields.Integer(readonly=True, aggregator=None)
    dropped_early = fields.Integer(readonly=True, aggregator=None)
    dropped_new = fields.Integer(readonly=True, aggregator=None)
    dropped_unmatched = fields.Integer(readonly=True, aggregator=None)
    dropped_used = fields.Integer(readonly=True, aggregator=None)
    dropped_away = fields.Integer(readonly=True, aggregator=None)

    frequency_gap = fields.Float(
        string="Raw gap in visits (%)",
        readonly=True,
        digits=(16, 1),
        aggregator="avg",
        help="By how much more often members came than others in the last year. It "
        "says who joins.",
    )
    frequency_effect = fields.Float(
        string="Change in visits (%)",
        readonly=True,
        digits=(16, 1),
        aggregator="avg",
        help="A description: nothing in the past tells it from who is asked to join.",
    )
    frequency_low = fields.Float(readonly=True, digits=(16, 1), aggregator=None)
    frequency_high = fields.Float(readonly=True, digits=(16, 1), aggregator=None)
    frequency_verdict = fields.Selection(FREQUENCY_VERDICTS, readonly=True)
    placebo = fields.Float(
        string="The same a year earlier (%)",
        readonly=True,
        digits=(16, 1),
        aggregator=None,
        help="Nobody had joined then: it should find nothing.",
    )
    placebo_low = fields.Float(readonly=True, digits=(16, 1), aggregator=None)
    placebo_high = fields.Float(readonly=True, digits=(16, 1), aggregator=None)
    placebo_verdict = fields.Selection(VERDICTS, readonly=True)

    _period_uniq = models.UniqueIndex("(company_id, date_to)")

    @api.depends("date_to")
    @api.depends_context("lang")
    def _compute_display_name(self):
        for report in self:
            day = report.date_to and report._name_day(report.date_to)
            report.display_name = day and self.env._("Does It Pay? Until %s", day)

    @api.model
    def _get_verdict_of(self):
        """Return the verdict that tells whether a figure is known, for each figure.

        Override to add a figure of your own: an average leaves it out where there were
        too few customers, the verdict "few".
        """
        return dict(VERDICT_OF)

    def _read_group_select(self, aggregate_spec: str, query: Query) -> SQL:
        found = super()._read_group_select(aggregate_spec, query)
        name, _colon, function = aggregate_spec.partition(":")
        verdict_of = self._get_verdict_of()
        if function != "avg" or name not in verdict_of:
            return found
        verdict = self._field_to_sql(self._table, verdict_of[name], query)
        return SQL("%s FILTER (WHERE %s <> 'few')", found, verdict)

    # -- computing -----------------------------------------------------------------

    def _compute_report(self):
        """Compute the figures from the visits, once."""
        self.ensure_one()
        self.write({**self._prepare_report_vals(), "state": "done"})

    def _prepare_report_vals(self):
        """Return the figures of the report. Override to note more."""
        company, last = self.company_id, self.date_to
        self.env.flush_all()
        customers = list(self._read_customers(company, last))
        first = min((each.visits[0][0] for each in customers), default=None)
        span = Span(first or last.toordinal(), last.toordinal())
        found = matching.compare(customers, span)
        return {
            "currency_id": company.currency_id.id,
            "date_from": first and fields.Date.to_date(last).fromordinal(first),
            "computed_on": fields.Datetime.now(),
            **self._prepare_gap_vals(*self._get_sums(company, last)),
            **self._prepare_effect_vals(customers, span, found),
            **self._prepare_frequency_vals(
                found, matching.compare(customers, span, back=YEAR)
            ),
        }

    @api.model
    def _prepare_gap_vals(self, members, others):
        """Return the raw gaps of the last year.

        :param members: revenue and visits of each customer
        """
        aro = estimate.gap(members, others)
        frequency = estimate.gap(
            *([(count, 1) for _value, count in side] for side in (members, others))
        )
        ratios = estimate.ratio(members), estimate.ratio(others)
        return {
            "member_aro": ratios[0].value if ratios[0] else 0,
            "other_aro": ratios[1].value if ratios[1] else 0,
            "aro_gap": self._share(aro.value),
            "gap_members": aro.members,
            "gap_others": aro.controls,
            "gap_verdict": aro.verdict,
            "frequency_gap": self._share(frequency.value),
        }

    @api.model
    def _prepare_effect_vals(self, customers, span, found):
        """Return the estimate of the effect on ARO, and who is not in it."""
        effect = matching.effect_on_aro(found)
        dropped = dropouts.count_dropouts(customers, span, found)
        return {
            "effect": self._share(effect.value),
            "effect_low": self._share(effect.low),
            "effect_high": self._share(effect.high),
            "members": effect.members,
            "others": effect.controls,
            "verdict": effect.verdict,
            "joined": sum(each.joined is not None for each in customers),
            "matched": len(found.members),
            **{f"dropped_{name}": count for name, count in dropped._asdict().items()},
        }

    @api.model
    def _prepare_frequency_vals(self, found, earlier):
        """Return what is seen of the visit frequency, and the placebo."""
        placebo = matching.effect_on_frequency(earlier)
        seen = estimate.describe(matching.effect_on_frequency(found), placebo)
        return {
            "frequency_effect": self._share(seen.value),
            "frequency_low": self._share(seen.low),
            "frequency_high": self._share(seen.high),
            "frequency_verdict": seen.verdict,
            "placebo": self._share(placebo.value),
            "placebo_low": self._share(placebo.low),
            "placebo_high": self._share(placebo.high),
            "placebo_verdict": placebo.verdict,
        }

    @api.model
    def _share(self, value):
        """Return a share in percent; nothing for what is not known."""
        return value is not None and 100 * value

    # -- what was computed stays ---------------------------------------------------

    def write(self, vals):
        """Refuse to change what was computed."""
        if self.filtered(lambda report: report.state == "done"):
            raise UserError(
                self.env._("A report is kept as it was computed. Compute a new one.")
            )
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_done(self):
        if self.filtered(lambda report: report.state == "done"):
            raise UserError(self.env._("A report is kept as it was computed."))
