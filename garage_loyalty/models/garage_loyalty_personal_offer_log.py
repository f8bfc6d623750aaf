from odoo import fields, models
from odoo.exceptions import UserError

USED = ("reserved", "done")


class GarageLoyaltyPersonalOfferLog(models.AbstractModel):
    """Which personal offer a redemption uses, for ``garage.loyalty.redemption``.

    A reward that everybody may have, and that was offered to a customer all the same,
    uses the offer too: so a campaign knows what came of it.
    """

    _name = "garage.loyalty.personal.offer.log"
    _description = "Log of Personal Offers"

    personal_offer_ids = fields.One2many(
        "garage.loyalty.personal.offer", "redemption_id", readonly=True
    )

    def _get_personal_offers(self):
        """Return the offers of the reward to the customer, the first to end first."""
        self.ensure_one()
        return self.env["garage.loyalty.personal.offer"]._get_of(
            self.member_id._get_survivor().partner_id, self.company_id, self.reward_id
        )

    def _reserve_personal_offer(self):
        """Use the offer that ends first; refuse a personal reward without one.

        :raise UserError: in the words of the advisor
        """
        self.ensure_one()
        if not self.reward_id:
            return
        problem = self._get_personal_problem()
        if problem:
            raise UserError(problem)
        self._get_personal_offers()._get_open()[:1]._use_for(self)

    def _get_personal_problem(self):
        """Return in words why a personal reward is not to be had any more, or False."""
        reward = self.reward_id
        reason = reward._get_personal_refusal(self.member_id._get_survivor())
        if not reason:
            return False
        return self.env._(
            "“%(reward)s” cannot be redeemed. %(reason)s Press “Redeem” to choose "
            "something else.",
            reward=reward.name,
            reason=reason,
        )

    def _get_problem(self, document):
        """Say on a draft that a personal offer is not open any more."""
        problem = super()._get_problem(document)
        if problem or self._is_promised() or not self.reward_id:
            return problem
        return self._get_personal_problem()

    def _log_personal_offers(self):
        """Bring offers in line with the redemptions that use them. Idempotent."""
        for redemption in self.filtered("reward_id"):
            offers = redemption.personal_offer_ids
            if redemption.state not in USED:
                offers._give_back()
            elif not offers:
                redemption._use_offer_again()

    def _use_offer_again(self):
        """Use an offer again after a cancelled credit note, whatever its last day.

        It was paid with it. Of several the one that is open, or ended last.
        """
        self.ensure_one()
        free = self._get_personal_offers().filtered(
            lambda offer: not offer.redemption_id
        )
        (free._get_open()[:1] or free[-1:])._use_for(self)
