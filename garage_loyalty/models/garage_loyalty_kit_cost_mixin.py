from dataclasses import replace

from odoo import models

from ..tools import whatif
from ..tools.discounts import LABOUR, PARTS
from ..tools.privileges import FREE, OFFER
from ..tools.rewards import AMOUNT, PRODUCT, caps
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
        """Return what privileges would have been worth, had all been used.

        Free services, and special offers that need no points.
        """
        everywhere = set(range(len(groups)))
        services = self._get_free_services() + self._get_free_offers(groups)
        return whatif.free_services(
            groups,
            [
                (places or everywhere, number, worth)
                for places, number, worth in services
            ],
        )

    def _get_free_services(self):
        """Return (places, number a year, worth) of each free service.

        One without a limit is taken to be used at one visit a year. No places stand for
        every member.
        """
        free = self.privilege_ids.filtered(lambda item: item.kind == FREE)
        if not free:
            worth = self._get_diagnostics_price()
            return [({1}, 1, worth), ({2}, 2, worth)]
        return [
            (
                self._get_places(item),
                item.quota or 1,
                item.max_value or max(item.product_ids.mapped("list_price")),
            )
            for item in free
        ]

    def _get_free_offers(self, groups):
        """Return (places, number a year, worth) of special offers without points."""
        if not self.privilege_ids and not self.has_points:
            reward = self.env["garage.loyalty.reward"].new(self._prepare_offer_reward())
            return [({2}, 1, self._get_reward_worth(reward, groups))]
        offers = self.privilege_ids.filtered(lambda item: item.kind == OFFER)
        return [
            (
                self._get_places(item),
                item.quota or 1,
                max(self._get_reward_worth(reward, groups) for reward in rewards),
            )
            for item in offers
            if (rewards := item.reward_ids.filtered(lambda reward: not reward.points))
        ]

    def _get_places(self, privilege):
        """Return the places of the tiers that have a privilege."""
        tiers = list(self.tier_ids)
        return {tiers.index(tier) for tier in privilege.tier_ids if tier in tiers}

    def _get_reward_worth(self, reward, groups):
        """Return about what a reward takes off an average repair order."""
        if reward.kind == PRODUCT:
            return reward.product_id.list_price
        return whatif.reward_worth(
            groups,
            self._get_example_unit(),
            *caps(reward.kind, reward.percent),
            reward.amount if reward.kind == AMOUNT else reward.max_amount,
        )
