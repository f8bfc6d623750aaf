from odoo import fields, models

from ..tools.privileges import OFFER


class GarageLoyaltyLimitedOfferMixin(models.AbstractModel):
    """Rewards that only members with a privilege can choose."""

    _name = "garage.loyalty.limited.offer.mixin"
    _description = "Reward for Some Members Only"

    privilege_ids = fields.Many2many(
        "garage.loyalty.privilege",
        "garage_loyalty_privilege_garage_loyalty_reward_rel",
        "garage_loyalty_reward_id",
        "garage_loyalty_privilege_id",
        string="Special offer of",
        readonly=True,
        copy=False,
        help="Only members with one of these privileges can choose it.",
    )

    def _get_offers(self):
        """Return the special offers to which the reward belongs."""
        return self.privilege_ids.filtered(lambda privilege: privilege.kind == OFFER)

    def _get_offer_refusal(self, member):
        """Return in words why the reward is not for a member, or "".

        Override to limit rewards by other means.
        """
        self.ensure_one()
        offers = self._get_offers()
        mine = offers & member._get_privileges(OFFER)
        if not offers or mine._get_of_which_some_are_left(member):
            return ""
        if mine:
            return self.env._("Used up for this year.")
        tiers = offers.tier_ids
        if not tiers:
            return self.env._("Only for active members.")
        return self.env._(
            "Only for members of %s.", ", ".join(tiers.sorted().mapped("name"))
        )
