from markupsafe import Markup

from odoo import api, fields, models
from odoo.tools import format_date
from odoo.tools.misc import formatLang

from ..tools import retention as rules
from ..tools.movement import month_number, month_start


class GarageLoyaltyRetentionWordsMixin(models.AbstractModel):
    """The figures of a check in plain words, for the form and for activities."""

    _name = "garage.loyalty.retention.words.mixin"
    _description = "Words of the Retention Check"

    explanation = fields.Html(compute="_compute_explanation", sanitize=False)

    @api.depends("change", "figure_ids", "verdict")
    @api.depends_context("lang")
    def _compute_explanation(self):
        for check in self:
            check.explanation = check.month and check._get_explanation()

    def _get_explanation(self):
        """Return the sentences of ``_get_sentences`` as paragraphs, escaped."""
        return Markup().join(
            Markup("<p>%s</p>") % sentence for sentence in self._get_sentences()
        )

    def _get_sentences(self):
        """Return what the figures say, a sentence or two each.

        Override to add to it, or to leave something out.
        """
        self.ensure_one()
        if self.verdict == "unknown":
            return [self._say_visits(), *self._say_why_unknown(), *self._say_basis()]
        return [
            self._say_visits(),
            self._say_why(),
            *self._say_scopes(),
            *self._say_chance(),
            *self._say_basis(),
            self._say_who(),
        ]

    def _get_headline(self):
        """Return the fall in a few words."""
        self.ensure_one()
        return self.env._(
            "Existing customers come %s%% less often than a year ago",
            self._percent(-self.change),
        )

    # -- sentences ------------------------------------------------------------------

    def _say_visits(self):
        return self.env._(
            "%(months)s: %(now)s visits of existing customers. The same months a year "
            "before: %(before)s. %(change)s",
            months=self._name_months(0),
            now=self._number(self.visits),
            before=self._number(self.prev_visits),
            change=self._say_change(self.prev_visits, self.visits),
        ).strip()

    def _say_change(self, before, now):
        change = rules.change(before, now)
        if not before:
            return ""
        if not change:
            return self.env._("That is as many.")
        if change < 0:
            return self.env._("That is %s%% less.", self._percent(-change))
        return self.env._("That is %s%% more.", self._percent(change))

    def _say_why(self):
        """Say whether there are fewer customers, or each comes less often."""
        return self.env._(
            "Existing customers: %(now)s, a year before %(before)s. Of these came "
            "%(came)s%% (%(came_before)s%%). Visits of each existing customer: "
            "%(often)s (%(often_before)s).",
            now=self._number(self.customers),
            before=self._number(self.prev_customers),
            came=self._percent(100 * self.came / (self.customers or 1)),
            came_before=self._percent(
                100 * self.prev_came / (self.prev_customers or 1)
            ),
            often=self._number(self.visits / (self.customers or 1), 2),
            often_before=self._number(self.prev_visits / (self.prev_customers or 1), 2),
        )

    def _say_scopes(self):
        """Say the same of members and of others, where there are both."""
        rows = {(row.scope, row.period): row for row in self.figure_ids}
        labels = self.figure_ids._fields["scope"]._description_selection(self.env)
        if len(set(self.figure_ids.mapped("scope"))) < len(labels):
            return []
        none = self.figure_ids.browse()
        return [
            self._say_scope(
                label,
                rows.get((scope, "now"), none),
                rows.get((scope, "before"), none),
            )
            for scope, label in labels
        ]

    def _say_scope(self, label, now, before):
        return self.env._(
            "%(scope)s: %(now)s visits of %(customers)s customers, a year before "
            "%(before)s of %(customers_before)s.",
            scope=label,
            now=self._number(now.visits),
            customers=self._number(now.customers),
            before=self._number(before.visits),
            customers_before=self._number(before.customers),
        )

    def _say_chance(self):
        if self.change >= 0:
            return []
        if self.chance < 100 * rules.SURE:
            return [
                self.env._(
                    "This is hardly chance: if customers came as often as before, it "
                    "would happen in less than 5 of 100 cases."
                )
            ]
        return [
            self.env._(
                "This may still be chance: if customers came as often as before, it "
                "would happen in %s of 100 cases.",
                self._number(self.chance),
            )
        ]

    def _say_why_unknown(self):
        before = self.env._(
            "Nothing is concluded from fewer than %(least)s visits in the months of "
            "the year before.",
            least=self._number(self.least),
        )
        known = self.env._(
            "Invoices of only %(known)s whole months before %(start)s are known: too "
            "few to tell who was an existing customer then.",
            known=self._number(self.known_months),
            start=self._name_months(1),
        )
        return [before] if self.prev_visits < self.least else [known]

    def _say_basis(self):
        if self.basis == "visits":
            return []
        return [
            self.env._(
                "Invoices are counted here: there are fewer than %s repair orders in "
                "these months, or in those of the year before.",
                self._number(self.least),
            )
        ]

    def _say_who(self):
        return self.env._(
            "Existing customers had an invoice in the %(known)s months before; whoever "
            "came for the first time, or came back after longer, is left out of both "
            "years. You are told when there are more than %(share)s%% fewer visits.",
            known=self._number(self.known_months),
            share=self._percent(self.share),
        )

    # -- words ------------------------------------------------------------------------

    def _name_months(self, years):
        """Return the months compared in words, or the same of some years before."""
        last = month_number(self.month) - rules.YEAR * years
        first = last - self.months + 1
        start, end = month_start(first), month_start(last)
        name = self._name_month(end)
        if first == last:
            return name
        pattern = "MMMM" if start.year == end.year else "MMMM y"
        start = format_date(self.env, start, date_format=pattern)
        return self.env._("%(start)s – %(end)s", start=start, end=name)

    def _name_month(self, day):
        return format_date(self.env, day, date_format="MMMM y")

    def _number(self, value, digits=0):
        return formatLang(self.env, value, digits=digits)

    def _percent(self, value):
        """Return a percentage without a decimal that says nothing."""
        return self._number(value, 0 if float(value).is_integer() else 1)
