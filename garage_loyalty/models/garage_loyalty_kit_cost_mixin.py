from dataclasses import replace

from odoo import models

from ..tools import whatif
from ..tools.discounts import LABOUR, PARTS
from ..tools.privileges import FREE
from ..tools.tiers import Level
from .garage_loyalty_kit_mixin import EXAMPLE_DISCOUNTS, EXAMPLE_LEVELS


class GarageLoyaltyKitCostMixin(models.AbstractModel):
    """What each kind of programme would cost, set up as it is or as the example.

    Amounts are net, in the company's currency.
    """

    _name = "garage.loyalty.kit.cost.mixin"
    _description = "Cost of a Kind of Loyalty Programme"

    def _get_planned_rules(self):
        """Return the rules of tiers as they are once the programme is set up."""
        self.ensure_one()
        rules = self._get_rules().tiers
        if rules.are_given:
            return rules
        unit = self._get_example_unit()
        levels = (
            Level(spend=spend * unit, visits=visits, match_all=False)
            for visits, spend in EXAMPLE_LEVELS
        )
        return replace(rules, levels=tuple(levels))

    def _get_points_given(self, groups):
        """Return the points that ``tools.whatif.Group`` would have earned."""
        multipliers = self.tier_ids.mapped("multiplier")
        multipliers += [1.0] * len(groups)
        return whatif.points(groups, self.labour_rate, self.parts_rate, multipliers)

    def _get_discounts_given(self, groups):
        """Return the discounts that groups would have got.

        By the discounts on all labour or all parts: what was invoiced by product
        category is not known of a visit.
        """
        percents = [
            tuple(self._get_percent(tier, scope) for scope in (LABOUR, PARTS))
            for tier in self.tier_ids
        ]
        if not any(map(any, percents)):
            example = [dict(map(reversed, pairs)) for pairs in EXAMPLE_DISCOUNTS]
            percents = [(0, 0)] + [
                (kinds.get(LABOUR, 0), kinds.get(PARTS, 0)) for kinds in example
            ]
        percents += [(0, 0)] * len(groups)
        return whatif.discounts(groups, percents)

    def _get_percent(self, tier, scope):
        rules = tier.discount_ids.filtered(
            lambda rule: not rule.categ_id and rule.scope in ("all", scope)
        )
        return max(rules.mapped("percent"), default=0.0)

    def _get_services_given(self, groups):
        """Return what free services would have been worth, had all been used."""
        return whatif.free_services(groups, self._get_free_offers(len(groups)))

    def _get_free_offers(self, count):
        """Return (places, number a year, worth) of each free service.

        One without a limit is taken to be used at one visit a year.
        """
        free = self.privilege_ids.filtered(lambda item: item.kind == FREE)
        if not free:
            worth = self._get_diagnostics_price()
            return [({1}, 1, worth), ({2}, 2, worth)]
        tiers = list(self.tier_ids)
        return [
            (
                {tiers.index(tier) for tier in item.tier_ids if tier in tiers}
                or set(range(count)),
                item.quota or 1,
                item.max_value or max(item.product_ids.mapped("list_price")),
            )
            for item in free
        ]
