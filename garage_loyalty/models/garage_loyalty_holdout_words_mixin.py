from odoo import api, fields, models

from ..tools.estimate import LEAST
from ..tools.retention import WAIT_DAYS

# How many hold-outs are told of in the report.
NEWEST = 3


class GarageLoyaltyHoldoutWordsMixin(models.AbstractModel):
    """What a hold-out can tell, and what it has told, in plain words."""

    _name = "garage.loyalty.holdout.words.mixin"
    _description = "Words of a Hold-Out"
    _inherit = ["garage.loyalty.words.mixin"]

    headline = fields.Char(string="Answer", compute="_compute_words")
    explanation = fields.Html(compute="_compute_words", sanitize=False)

    @api.depends("company_id", "date_end", "share", "state")
    @api.depends_context("lang")
    def _compute_words(self):
        for holdout in self:
            holdout.headline = holdout._say_headline()
            holdout.explanation = holdout._join_paragraphs(holdout._say_more())

    def _say_headline(self):
        if self.state == "draft":
            return self.env._("Does inviting customers make them come more often?")
        if self.state == "running":
            return self.env._(
                "Running until %s. The result comes a few days after.",
                self._name_day(self.date_end),
            )
        return self._say_result()

    def _say_more(self):
        return {
            "draft": self._say_plan,
            "running": self._say_running,
            "done": self._say_done,
        }[self.state or "draft"]()

    # -- before the draw -----------------------------------------------------------

    def _say_plan(self):
        """Say what will happen, and how large a difference would be found."""
        if not (self.company_id and self.date_end):
            return []
        counts = self._get_visit_counts()
        total = sum(count for _visits, count in counts)
        held_out = self._get_held_out_number(total)
        return [
            self.env._(
                "Lots decide which %(held_out)s of %(total)s customers who could join "
                "are not invited until %(day)s. At the end the report compares how "
                "often both groups came, and what they spent.",
                held_out=self._number(held_out),
                total=self._number(total),
                day=self._name_day(self.date_end),
            ),
            self._say_size(counts, total, held_out),
        ]

    def _say_size(self, counts, total, held_out):
        found = self._get_detectable(counts)
        if found is None:
            return self._say_too_few(total, held_out)
        return self.env._(
            "If they come as often as lately: with %(held_out)s customers in the "
            "hold-out, a difference of %(share)s in visits would be found in about 8 "
            "of 10 cases. A larger share, or a longer time, finds smaller ones.",
            held_out=self._number(held_out),
            share=self._percent(found),
        )

    def _say_too_few(self, total, held_out):
        return self.env._(
            "Too few to tell anything: it takes at least %(least)s customers in each "
            "group, and these would be %(invited)s and %(held_out)s.",
            least=LEAST,
            invited=self._number(total - held_out),
            held_out=self._number(held_out),
        )

    # -- while it runs -------------------------------------------------------------

    def _say_running(self):
        return [
            self.env._(
                "%(held_out)s customers are not invited; %(invited)s can be. Invite "
                "them soon, and all of them: what nobody was asked cannot change "
                "anything.",
                held_out=self._number(self.held_out_count),
                invited=self._number(self.invited_count),
            ),
            self.env._(
                "Whoever asks to join may always do so, and stays in the group that "
                "was drawn."
            ),
            self._say_alike(),
            self.env._(
                "Nobody sees a result before the end: whoever stops when it looks good "
                "is often wrong. It is computed %s days after the end, with late "
                "invoices.",
                WAIT_DAYS + 1,
            ),
        ]

    def _say_alike(self):
        return self.env._(
            "Before the draw, those to be invited had come %(invited)s times each, "
            "those held out %(held_out)s times.",
            invited=self._number(self.invited_before, 2),
            held_out=self._number(self.held_out_before, 2),
        )

    # -- at the end ----------------------------------------------------------------

    def _say_result(self):
        """Return what was found of the visits, in one sentence."""
        found = self.figure_ids.filtered(lambda figure: figure.measure == "visits")
        share = self._percent(found.value)
        return {
            "few": self.env._("Too few customers to tell."),
            "open": self.env._(
                "Not conclusive: inviting may have made customers come more often, or "
                "not."
            ),
            "more": self.env._(
                "Inviting made customers come about %s more often.", share
            ),
            "less": self.env._(
                "Inviting made customers come about %s less often.", share
            ),
        }.get(found.verdict, "")

    def _say_done(self):
        return [
            *self._say_interval(),
            self.env._(
                "%(invited_joined)s of %(invited)s customers who could be invited have "
                "joined, and %(held_out_joined)s of %(held_out)s who were held out. "
                "Each counts in the group that was drawn: the result is what inviting "
                "changes, not what joining does.",
                invited_joined=self._number(self.invited_joined),
                invited=self._number(self.invited_count),
                held_out_joined=self._number(self.held_out_joined),
                held_out=self._number(self.held_out_count),
            ),
            self._say_alike(),
            self._say_stopped(),
        ]

    def _say_interval(self):
        visits = self.figure_ids.filtered(lambda figure: figure.measure == "visits")
        if visits.verdict == "few":
            return []
        return [
            self.env._(
                "The difference in visits is %(value)s. As far as chance goes, the "
                "truth most likely lies between %(low)s and %(high)s.",
                value=self._signed(visits.value),
                low=self._signed(visits.low),
                high=self._signed(visits.high),
            )
        ]

    def _say_stopped(self):
        if self.date_last >= self.date_end:
            return ""
        return self.env._(
            "It was stopped on %(day)s, before its end: %(reason)s",
            day=self._name_day(self.date_last),
            reason=self.stop_reason,
        )

    # -- in the report whether the programme pays ----------------------------------

    @api.model
    def _say_of_company(self, company):
        """Return what the newest hold-outs of a company told, or why to make one."""
        drawn = [("company_id", "=", company.id), ("state", "!=", "draft")]
        if holdouts := self.search(drawn, limit=NEWEST):
            return [f"{each.name}: {each._say_headline()}" for each in holdouts]
        return [
            self.env._(
                "There has been no hold-out yet. Let lots decide which customers are "
                "not invited for a year: then their visits show what inviting changes."
            )
        ]
