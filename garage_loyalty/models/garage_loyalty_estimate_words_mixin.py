from odoo import api, fields, models
from odoo.tools import format_amount

from ..tools.estimate import LEAST

UNKNOWN = "–"
KNOWN = ("open", "more", "less")


class GarageLoyaltyEstimateWordsMixin(models.AbstractModel):
    """The report in plain words: for somebody who knows workshops, not statistics."""

    _name = "garage.loyalty.estimate.words.mixin"
    _description = "Words of the Honest Estimate"
    _inherit = ["garage.loyalty.words.mixin"]

    headline = fields.Char(string="Answer", compute="_compute_words")
    gap_label = fields.Char(string="What you see", compute="_compute_words")
    gap_text = fields.Html(compute="_compute_words", sanitize=False)
    effect_label = fields.Char(string="What joining changed", compute="_compute_words")
    effect_text = fields.Html(compute="_compute_words", sanitize=False)
    frequency_text = fields.Html(compute="_compute_words", sanitize=False)
    method_text = fields.Html(compute="_compute_words", sanitize=False)
    holdout_text = fields.Html(compute="_compute_holdout_text", sanitize=False)

    @api.depends("state", "verdict", "date_to")
    @api.depends_context("lang")
    def _compute_words(self):
        for report in self:
            join = report._join_paragraphs
            is_done = report.state == "done"
            report.headline = report._say_verdict()
            report.gap_label = report._label(report.gap_verdict, report.aro_gap)
            report.effect_label = report._label(report.verdict, report.effect)
            report.gap_text = is_done and join(report._say_gap())
            report.effect_text = is_done and join(report._say_effect())
            report.frequency_text = is_done and join(report._say_frequency())
            report.method_text = is_done and join(report._say_method())

    def _compute_holdout_text(self):
        Holdout = self.env["garage.loyalty.holdout"]
        for report in self:
            report.holdout_text = report._join_paragraphs(
                Holdout._say_of_company(report.company_id)
            )

    def _label(self, verdict, value):
        return self._signed(value) if verdict in KNOWN else UNKNOWN

    # -- the answer ----------------------------------------------------------------

    def _say_verdict(self):
        """Return the answer in one sentence."""
        if self.state != "done":
            return self.env._("This is being computed. Look again in a few minutes.")
        if self.verdict == "few":
            return self.env._("Too few customers to tell yet.")
        if self.verdict == "open":
            return self.env._(
                "Not conclusive: it may be that members spend more for each visit "
                "since they joined, or not."
            )
        share = self._percent(self.effect)
        if self.verdict == "more":
            return self.env._(
                "Members spend about %s more for each visit since they joined.", share
            )
        return self.env._(
            "Members spend about %s less for each visit since they joined.", share
        )

    def _say_gap(self):
        """Say by how much members are above others, and what that means."""
        if self.gap_verdict not in KNOWN:
            return [
                self.env._(
                    "In the last year %(members)s members and %(others)s others came. "
                    "It takes %(least)s of each to compare them.",
                    members=self._number(self.gap_members),
                    others=self._number(self.gap_others),
                    least=LEAST,
                )
            ]
        values = {
            "share": self._percent(self.aro_gap),
            "members": format_amount(self.env, self.member_aro, self.currency_id),
            "others": format_amount(self.env, self.other_aro, self.currency_id),
        }
        if self.aro_gap >= 0:
            found = self.env._(
                "Members' average repair order is %(share)s above that of others: "
                "%(members)s against %(others)s in the last year.",
                **values,
            )
        else:
            found = self.env._(
                "Members' average repair order is %(share)s below that of others: "
                "%(members)s against %(others)s in the last year.",
                **values,
            )
        return [found, self._say_who_joins()]

    def _say_who_joins(self):
        if self.verdict in KNOWN and 0 < 2 * max(self.effect, 0) < self.aro_gap:
            return self.env._("Most of that says who joins.")
        return self.env._(
            "That also says who joins, and not only what joining changes."
        )

    def _say_effect(self):
        """Say what joining changed, how sure that is, and of how many it is known."""
        if self.verdict not in KNOWN:
            return [self._say_few(), self._say_need()]
        return [
            self.env._(
                "Compared with customers like them who did not join, the average "
                "repair order of members changed by %(effect)s. As far as chance goes, "
                "the truth most likely lies between %(low)s and %(high)s.",
                effect=self._signed(self.effect),
                low=self._signed(self.effect_low),
                high=self._signed(self.effect_high),
            ),
            self._say_open(),
            self._say_sample(),
        ]

    def _say_few(self):
        return self.env._(
            "%(members)s members and %(others)s customers like them can be compared; "
            "it takes %(least)s of each.",
            members=self._number(self.members),
            others=self._number(self.others),
            least=LEAST,
        )

    def _say_need(self):
        return self.env._(
            "A member counts a year after joining, if there were visits in the year "
            "before. So it takes about two years of visits."
        )

    def _say_open(self):
        if self.verdict != "open":
            return ""
        return self.env._(
            "As that includes no change at all, nothing is concluded. More members, or "
            "more time, will tell."
        )

    def _say_sample(self):
        return self.env._(
            "From %(members)s members and %(others)s customers like them, of "
            "%(joined)s customers who have joined.",
            members=self._number(self.members),
            others=self._number(self.others),
            joined=self._number(self.joined),
        )

    # -- how often they come -------------------------------------------------------

    def _say_frequency(self):
        """Describe how often members come; it is never called an effect."""
        if self.frequency_verdict == "few":
            return [
                self._say_frequency_gap(),
                self.env._("Too few customers to describe how their visits changed."),
                self._say_proof(),
            ]
        return [
            self._say_frequency_gap(),
            self.env._(
                "Compared with customers like them, the visits of members changed by "
                "%(change)s after joining (between %(low)s and %(high)s). That is no "
                "proof: who comes often is asked to join more often, and would have "
                "come anyway.",
                change=self._signed(self.frequency_effect),
                low=self._signed(self.frequency_low),
                high=self._signed(self.frequency_high),
            ),
            self._say_placebo(),
            self._say_proof(),
        ]

    def _say_frequency_gap(self):
        if self.gap_verdict not in KNOWN:
            return ""
        share = self._percent(self.frequency_gap)
        if self.frequency_gap >= 0:
            return self.env._(
                "In the last year members came %s more often than others who came.",
                share,
            )
        return self.env._(
            "In the last year members came %s less often than others who came.", share
        )

    def _say_placebo(self):
        if self.placebo_verdict not in KNOWN:
            return self.env._(
                "There are too few customers to check this with the year before "
                "anybody had joined."
            )
        values = {
            "change": self._signed(self.placebo),
            "low": self._signed(self.placebo_low),
            "high": self._signed(self.placebo_high),
        }
        if self.frequency_verdict == "biased":
            return self.env._(
                "The same comparison a year earlier, when nobody had joined, found "
                "%(change)s (between %(low)s and %(high)s), where there can be "
                "nothing. So do not rely on it.",
                **values,
            )
        return self.env._(
            "The same comparison a year earlier, when nobody had joined, found "
            "%(change)s (between %(low)s and %(high)s). There can be nothing; but this "
            "check overlooks a lot, and makes nothing certain.",
            **values,
        )

    def _say_proof(self):
        return self.env._(
            "Only a hold-out can tell whether the programme makes customers come more "
            "often."
        )

    # -- how it was computed -------------------------------------------------------

    def _say_method(self):
        """Return how it was computed. Override to say what else is different."""
        return [
            self.env._(
                "For each member we look for a customer who had not joined, came in "
                "the same month, came as often in the year before, and had spent about "
                "as much in the year before that."
            ),
            self.env._(
                "Then we look how the amount of a visit changed for both, from the "
                "year before to the year after. The visit at which the member joined "
                "is left out, and so is that of the other customer."
            ),
            self.env._(
                "The difference between the two changes is the estimate. Prices that "
                "rose for everybody are not in it, nor that members spent more from "
                "the start."
            ),
            self.env._(
                "Finished and invoiced repair orders of private customers count, net "
                "of tax and before rewards. Repairs under warranty and those that came "
                "to nothing do not."
            ),
            self.env._("What the rewards cost is not taken off."),
            self.env._(
                "Intervals are computed so that they contain the truth in 95 of 100 "
                "cases. Below %s customers on a side nothing is said.",
                LEAST,
            ),
            self.env._(
                "Customers choose to join. What made them do so, and cannot be seen in "
                "their visits, may still be in the estimate."
            ),
            self._say_period(),
        ]

    def _say_period(self):
        if not self.date_from:
            return self.env._(
                "There were no visits until %s.", self._name_day(self.date_to)
            )
        return self.env._(
            "Visits from %(first)s until %(last)s were read. The report stays as it "
            "was computed.",
            first=self._name_day(self.date_from),
            last=self._name_day(self.date_to),
        )
