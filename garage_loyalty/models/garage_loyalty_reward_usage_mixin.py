from odoo import models
from odoo.tools.misc import formatLang

from ..tools.rewards import AMOUNT


class GarageLoyaltyRewardUsageMixin(models.AbstractModel):
    """How much members use a reward, for ``garage.loyalty.reward``."""

    _name = "garage.loyalty.reward.usage.mixin"
    _description = "Use of a Reward"
    _inherit = "garage.loyalty.usage.mixin"
    _usage_name = "reward_id"

    def _is_offered_since(self, day):
        """Tell whether it has been valid since a day, and still is."""
        today = self.company_id._get_loyalty_today()
        return (
            super()._is_offered_since(day)
            and (not self.date_from or self.date_from <= day)
            and (not self.date_to or self.date_to >= today)
            and (not self.stock or self.stock_left > 0)
        )

    def _get_audiences(self, since):
        personal = self.filtered("is_personal")
        offered = self.env["garage.loyalty.personal.offer"]._read_group(
            [("reward_id", "in", personal._origin.ids), ("date", ">", since)],
            ["reward_id"],
            ["partner_id:count_distinct"],
        )
        audiences = {reward.id: count for reward, count in offered}
        members = self._count_members(self.program_id)
        for reward in self - personal:
            audiences[reward._origin.id] = sum(
                count
                for program, tier, count in members
                if program == reward.program_id and reward._is_for_tier(tier)
            )
        return audiences

    def _is_for_tier(self, tier):
        """Tell whether members of a tier may have it."""
        self.ensure_one()
        least = self._get_rank(self.tier_id)
        is_high_enough = least is None or (tier and self._get_rank(tier) >= least)
        offers = self._get_offers()
        return bool(is_high_enough and (not offers or offers._get_of_tier(tier)))

    def _get_usage_category(self):
        return self.categ_id

    def _say_obstacles(self):
        """Look at the points it asks for, and at what they are worth otherwise."""
        obstacles = super()._say_obstacles()
        if self.points:
            obstacles += self._say_points(self.points) + self._say_worth()
        return obstacles

    def _say_worth(self):
        """Say when members get more for their points without the reward."""
        worth = self.points * self.program_id.point_value
        currency = self.currency_id
        if self.kind != AMOUNT or currency.compare_amounts(self.amount, worth) >= 0:
            return []
        return [
            self.env._(
                "It gives %(amount)s for points that pay %(worth)s as money.",
                amount=formatLang(self.env, self.amount, currency_obj=currency),
                worth=formatLang(self.env, worth, currency_obj=currency),
            )
        ]
