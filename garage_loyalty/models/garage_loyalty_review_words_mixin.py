from markupsafe import Markup

from odoo import api, fields, models
from odoo.tools import format_date
from odoo.tools.misc import formatLang

from ..tools import review as rules


class GarageLoyaltyReviewWordsMixin(models.AbstractModel):
    """A review in plain words: what each part says, and what to do about it."""

    _name = "garage.loyalty.review.words.mixin"
    _description = "Words of a Programme Review"
    _inherit = ["garage.loyalty.words.mixin"]

    headline = fields.Char(compute="_compute_words")
    explanation = fields.Html(compute="_compute_words", sanitize=False)

    @api.depends("state")
    @api.depends_context("lang")
    def _compute_words(self):
        for review in self:
            review.headline = review.date_from and review._get_headline()
            review.explanation = review.date_from and review._get_explanation()

    # -- the whole -----------------------------------------------------------------

    def _get_parts(self):
        """Return the parts in the order in which they are told.

        Title, state, what the figures say, what to do. Override to tell of more.
        """
        self.ensure_one()
        titles = {
            "aro": self.env._("Average repair order"),
            "frequency": self.env._("Visit frequency"),
            "enrolment": self.env._("Joining"),
            "use": self.env._("Use"),
            "result": self.env._("Cost and return"),
        }
        says = {
            "aro": self._say_aro,
            "frequency": self._say_frequency,
            "enrolment": self._say_enrolment,
            "use": self._say_use,
            "result": self._say_result,
        }
        return [
            (title, self[f"{name}_state"], *says[name]())
            for name, title in titles.items()
        ]

    def _get_headline(self):
        """Return what needs attention, in a line."""
        self.ensure_one()
        if self.state == rules.UNKNOWN:
            return self.env._("Nothing can be told yet")
        poor = [title for title, state, *_words in self._get_parts() if state == "poor"]
        if not poor:
            return self.env._("All goals that can be told are reached")
        return self.env._("To look at: %s", ", ".join(poor))

    def _get_explanation(self):
        """Return all parts as paragraphs, escaped."""
        labels = dict(self._fields["state"]._description_selection(self.env))
        colours = {rules.GOOD: "text-success", rules.POOR: "text-danger"}
        return Markup().join(
            Markup("<p><strong>%s</strong> · <span class='%s'>%s</span><br/>%s%s</p>")
            % (
                title,
                colours.get(state, "text-muted"),
                labels[state],
                " ".join(filter(None, facts)),
                Markup(" <em>%s</em>") % advice if advice else "",
            )
            for title, state, facts, advice in self._get_parts()
        )

    def _get_advice(self):
        """Return what needs attention and what to do, as paragraphs, escaped."""
        return Markup().join(
            Markup("<p><strong>%s</strong><br/>%s <em>%s</em></p>")
            % (title, " ".join(filter(None, facts)), advice)
            for title, state, facts, advice in self._get_parts()
            if state == rules.POOR
        )

    # -- the parts -----------------------------------------------------------------

    def _say_aro(self):
        """Return the facts about invoices, and the advice if they are poor."""
        if not (self.member_visits and self.other_visits):
            return [self.env._("There were no visits of both sides to compare.")], ""
        facts = [
            self.env._(
                "Members' average repair order was %(mine)s, that of others %(others)s "
                "(%(lead)s).",
                mine=self._money(self.member_aro),
                others=self._money(self.other_aro),
                lead=self._signed(self.aro_lead),
            ),
            self._say_before("member_aro", self._money),
            self._say_effect(),
        ]
        return facts, self._advise(
            self.aro_state,
            self.env._(
                "Members should spend more on each visit than they would otherwise: "
                "give points for what is worth more to you, such as labour, and offer "
                "rewards that go with larger jobs."
            ),
        )

    def _say_effect(self):
        says = {
            "more": self.env._(
                "By the honest estimate joining raised it by %(low)s to %(high)s.",
                low=self._signed(self.effect_low),
                high=self._signed(self.effect_high),
            ),
            "less": self.env._(
                "By the honest estimate joining lowered it: %(low)s to %(high)s.",
                low=self._signed(self.effect_low),
                high=self._signed(self.effect_high),
            ),
            "open": self.env._(
                "The difference also says who joins: by the honest estimate joining "
                "changed it by %(low)s to %(high)s, which is not conclusive.",
                low=self._signed(self.effect_low),
                high=self._signed(self.effect_high),
            ),
        }
        return says.get(
            self.effect_verdict,
            self.env._(
                "The difference also says who joins; for an honest estimate there are "
                "too few customers yet."
            ),
        )

    def _say_frequency(self):
        if not (self.member_frequency and self.other_frequency):
            return [
                self.env._("It takes twelve months of visits of members and others.")
            ], ""
        facts = [
            self.env._(
                "In twelve months members came %(mine)s times each, others %(others)s "
                "times: %(ratio)s times as often. The goal is %(goal)s.",
                mine=self._number(self.member_frequency, 2),
                others=self._number(self.other_frequency, 2),
                ratio=self._number(self.frequency_ratio, 2),
                goal=self._number(self.frequency_goal, 2),
            ),
            self._say_before("frequency_ratio", lambda value: self._number(value, 2)),
        ]
        return facts, self._advise(
            self.frequency_state,
            self.env._(
                "Write to members who are due for a service, and look at Who Comes "
                "Back for the month in which they are lost."
            ),
        )

    def _say_enrolment(self):
        if not self.could_ask:
            return [self.env._("Nobody came who could have been asked to join.")], ""
        facts = [
            self.env._(
                "At %(could)s visits a customer could be asked to join, at %(asked)s "
                "one was (%(rate)s; the goal is %(goal)s).",
                could=self._number(self.could_ask),
                asked=self._number(self.asked),
                rate=self._percent(self.asking_rate),
                goal=self._percent(self.asking_goal),
            )
        ]
        if self.asked:
            facts.append(
                self.env._(
                    "Of these %(accepted)s accepted (%(rate)s; the goal is %(goal)s).",
                    accepted=self._number(self.accepted),
                    rate=self._percent(self.conversion_rate),
                    goal=self._percent(self.conversion_goal),
                )
            )
        facts.append(
            self.env._(
                "Joined: %(joined)s. Left: %(left)s.",
                joined=self._number(self.joined),
                left=self._number(self.left),
            )
        )
        return facts, self._advise(self.enrolment_state, self._advise_enrolment())

    def _advise_enrolment(self):
        if self.asking_rate < self.asking_goal:
            return self.env._(
                "Customers are not asked: look at Enrolment by advisor, and talk about "
                "it with those who rarely ask."
            )
        return self.env._(
            "Customers are asked and decline: what they get at once is too little. "
            "Consider a bonus for joining."
        )

    def _say_use(self):
        if not self.members:
            return [self.env._("There are no members yet.")], ""
        facts = [
            self.env._(
                "Of %(members)s members %(active)s earned or redeemed points in twelve "
                "months (%(rate)s; the goal is %(goal)s).",
                members=self._number(self.members),
                active=self._number(self.active_members),
                rate=self._percent(self.use_rate),
                goal=self._percent(self.use_goal),
            ),
            self._say_before("use_rate", self._percent),
            self.env._(
                "Points earned: %(earned)s, redeemed: %(redeemed)s.",
                earned=self._number(self.earned),
                redeemed=self._number(self.redeemed),
            ),
        ]
        return facts, self._advise(
            self.use_state,
            self.env._(
                "Write to Sleeping Members, and replace rewards that are Hardly Used."
            ),
        )

    def _say_result(self):
        facts = [
            self.env._("The programme cost %s.", self._money(self.cost)),
            self._say_before("cost", self._money),
        ]
        if self.result_verdict in ("pays", "loses", "open"):
            facts.append(
                self.env._(
                    "Return on investment: %(roi)s%%, between %(low)s%% and "
                    "%(high)s%%.",
                    roi=self._number(self.roi),
                    low=self._number(self.roi_low),
                    high=self._number(self.roi_high),
                )
            )
        elif self.result_verdict == "unknown":
            facts.append(self.env._("What it brought is not estimated yet."))
        return facts, self._advise(
            self.result_state,
            self.env._(
                "Look in Rewards and Cost at what costs most: fewer points, or rewards "
                "that cost less than members value them."
            ),
        )

    # -- words ---------------------------------------------------------------------

    @api.model
    def _advise(self, state, advice):
        return advice if state == rules.POOR else ""

    def _say_before(self, name, write):
        """Return what a figure was in the period before, where it is kept."""
        before = self._get_before()
        if not before or not before[name]:
            return ""
        return self.env._(
            "%(period)s: %(figure)s.",
            period=before._name_period(),
            figure=write(before[name]),
        )

    def _get_before(self):
        """Return the review of the period before."""
        self.ensure_one()
        return self.search(
            [
                ("company_id", "=", self.company_id.id),
                ("period", "=", self.period),
                ("date_to", "=", fields.Date.subtract(self.date_from, days=1)),
            ]
        )

    def _name_period(self):
        """Return the month or quarter in words."""
        self.ensure_one()
        pattern = "QQQ y" if self.period == "quarter" else "MMMM y"
        return format_date(self.env, self.date_from, date_format=pattern)

    def _money(self, amount):
        return formatLang(self.env, amount, currency_obj=self.currency_id)
