from markupsafe import Markup

from odoo import api, fields, models
from odoo.tools import format_date
from odoo.tools.misc import formatLang

from ..tools.result import FREE, LOSES, OPEN, PAYS, UNKNOWN


class GarageLoyaltyResultWordsMixin(models.AbstractModel):
    """The result of a period in plain words."""

    _name = "garage.loyalty.result.words.mixin"
    _description = "Words of a Programme Result"
    _inherit = ["garage.loyalty.words.mixin"]

    explanation = fields.Html(compute="_compute_explanation", sanitize=False)

    @api.depends("computed_on", "cost", "net", "roi", "verdict")
    @api.depends_context("lang")
    def _compute_explanation(self):
        for item in self:
            item.explanation = Markup().join(
                Markup("<p class='mb-1'>%s</p>") % sentence
                for sentence in (item.verdict and item._get_sentences()) or []
            )

    def _get_sentences(self):
        """Return what the figures say. Override to add to it."""
        self.ensure_one()
        says = {
            PAYS: self._say_it_pays,
            LOSES: self._say_it_loses,
            OPEN: self._say_it_is_open,
            UNKNOWN: self._say_it_is_unknown,
            FREE: self._say_it_cost_nothing,
        }
        return [*says[self.verdict](), *self._say_if_not_over()]

    def _name_period(self):
        """Return the period in words."""
        self.ensure_one()
        if not (self.date_from and self.date_to):
            return self.env._("Programme result")
        return self.env._(
            "%(start)s – %(end)s",
            start=format_date(self.env, self.date_from),
            end=format_date(self.env, self.date_to),
        )

    def _money(self, amount):
        return formatLang(self.env, amount, currency_obj=self.currency_id)

    def _say_cost(self):
        return self.env._(
            "The programme cost %(cost)s; %(invoiced)s was invoiced to members.",
            cost=self._money(self.cost),
            invoiced=self._money(self.invoiced),
        )

    def _say_interval(self):
        return self.env._(
            "Return on investment: %(mid)s, by the estimate between %(low)s and "
            "%(high)s.",
            mid=self._signed(self.roi, 0),
            low=self._signed(self.roi_low, 0),
            high=self._signed(self.roi_high, 0),
        )

    def _say_it_pays(self):
        return [
            self.env._(
                "The programme pays: it brought a margin of %(margin)s and cost "
                "%(cost)s.",
                margin=self._money(self.margin),
                cost=self._money(self.cost),
            ),
            self._say_interval(),
        ]

    def _say_it_loses(self):
        return [
            self.env._(
                "The programme costs more than it brings: it cost %(cost)s, and the "
                "margin that it brought is %(high)s at most.",
                high=self._money(self.margin_high),
                cost=self._money(self.cost),
            ),
            self._say_interval(),
            self.env._(
                "Look at what costs most: fewer points, smaller rewards, or rewards "
                "that cost less than members value them."
            ),
        ]

    def _say_it_is_open(self):
        return [
            self._say_cost(),
            self.env._(
                "Whether it pays cannot be told: what it left lies between %(low)s and "
                "%(high)s.",
                low=self._money(self.net_low),
                high=self._money(self.net_high),
            ),
            self._say_interval(),
        ]

    def _say_it_is_unknown(self):
        return [
            self._say_cost(),
            self.env._(
                "What it brought is not estimated yet, so there is no return on "
                "investment to state."
            ),
        ]

    def _say_it_cost_nothing(self):
        return [
            self.env._(
                "The programme cost nothing in this period, so there is no return on "
                "investment to state."
            )
        ]

    def _say_if_not_over(self):
        if not self.computed_on or self.date_to < self.computed_on:
            return []
        return [
            self.env._(
                "The period is not over: these are its figures until %s.",
                format_date(self.env, self.computed_on),
            )
        ]
