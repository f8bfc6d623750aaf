from odoo import api, models
from odoo.exceptions import UserError

from ..tools.privileges import OFFER

# States of a redemption as states of the use of a special offer.
STATES = {"draft": "planned", "reserved": "used", "done": "used"}


class GarageLoyaltyOfferLog(models.AbstractModel):
    """Logs special offers that are redeemed, for ``garage.loyalty.redemption``."""

    _name = "garage.loyalty.offer.log"
    _description = "Log of Special Offers"
    _inherit = "garage.loyalty.personal.offer.log"

    @api.model_create_multi
    def create(self, vals_list):
        """Log special offers."""
        redemptions = super().create(vals_list)
        redemptions._log_offers()
        return redemptions

    def write(self, vals):
        """Let the log follow what happens to a special offer."""
        result = super().write(vals)
        if {"cost", "state"} & vals.keys():
            self._log_offers()
        return result

    def _log_offers(self):
        """Bring the log in line with the redemptions. Idempotent."""
        self._log_personal_offers()
        Use = self.env["garage.loyalty.privilege.use"]
        limited = self.filtered(lambda item: item.reward_id.privilege_ids)
        uses = Use.search([("redemption_id", "in", self.filtered("reward_id").ids)])
        logged = uses.grouped("redemption_id")
        for redemption in limited | uses.redemption_id:
            use = logged.get(redemption) or redemption._plan_offer()
            state = STATES.get(redemption.state, "released")
            if not use:
                continue
            if state == "used":
                use._take_anyway(redemption.cost)
            else:
                use._return_to(state, redemption.cost if state == "planned" else 0.0)

    def _reserve_offer(self):
        """Refuse a special offer of which none is left this year.

        :raise UserError: in the words of the advisor
        """
        self.ensure_one()
        self._reserve_personal_offer()
        Use = self.env["garage.loyalty.privilege.use"]
        for use in Use.search([("redemption_id", "=", self.id)]):
            privilege, member = use.privilege_id, self.member_id._get_survivor()
            if not privilege._get_of_which_some_are_left(member):
                raise UserError(
                    self.env._(
                        "“%(offer)s” is used up for this year: %(member)s has had all "
                        "%(quota)s. Press “Redeem” to choose something else.",
                        offer=privilege.name,
                        member=member.partner_id.display_name,
                        quota=privilege.quota,
                    )
                )

    def _plan_offer(self):
        """Log by which privilege the member has the reward, if it is special."""
        self.ensure_one()
        member = self.member_id._get_survivor()
        offers = self.reward_id._get_offers() & member._get_privileges(OFFER)
        if not offers:
            return self.env["garage.loyalty.privilege.use"]
        offer = (offers._get_of_which_some_are_left(member) or offers)[:1]
        return self.env["garage.loyalty.privilege.use"]._plan(
            member, offer, order_id=self.order_id.id, redemption_id=self.id
        )
