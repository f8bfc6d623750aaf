from odoo import api, models

from ..tools import offers as rules


class GarageLoyaltyOfferUseMixin(models.AbstractModel):
    """How a personal offer is used, given back, and follows its customer."""

    _name = "garage.loyalty.offer.use.mixin"
    _description = "Use of a Personal Offer"

    @api.model
    def _get_of(self, partner, company, rewards=None):
        """Return what a customer was offered, what ends first first.

        Without what the customer declined, and what was cancelled.
        """
        domain = [
            ("partner_id", "=", partner.commercial_partner_id.id),
            ("company_id", "=", company.sudo().loyalty_company_id.id),  # no secret
            ("active", "=", True),
            ("is_declined", "=", False),
        ]
        if rewards is not None:
            domain.append(("reward_id", "in", rewards.ids))
        return self.search(domain, order="date_until, id")

    def _get_open(self):
        return self.filtered(lambda offer: offer.state == rules.OPEN)

    def _use_for(self, redemption):
        """Note where the offer is used, and write its row at once.

        Of two documents that use it at once, the second one's transaction fails, is
        tried again, and sees that the offer is used.
        """
        for offer in self:
            today = offer.company_id._get_loyalty_today()
            offer.write(
                {
                    "redemption_id": redemption.id,
                    "used_date": today,
                    "is_latest": False,
                }
            )
        self.flush_recordset()

    def _give_back(self):
        """Open offers again whose redemption was released or credited.

        Until their last day: it is not moved.
        """
        for offer in self:
            key = offer._get_key()
            is_latest = key not in self._get_latest([key])
            offer.write(
                {"redemption_id": False, "used_date": False, "is_latest": is_latest}
            )

    @api.model
    def _follow_partners(self, partners, customer=None):
        """Give the offers of contacts to the customer they have become a part of.

        Where that customer is offered the same, the offer that ends first is cancelled:
        one customer is not offered the same twice.

        :param customer: the commercial partner, the one they have now if not said
        """
        Offer = self.with_context(active_test=False)
        for offer in Offer.search([("partner_id", "in", partners.ids)], order="id"):
            owner = customer or offer.partner_id.commercial_partner_id
            if owner != offer.partner_id:
                offer._give_to(owner)

    def _give_to(self, customer):
        """Give one offer to another customer."""
        key = self.company_id.id, customer.id, self.reward_id.id
        same = self._get_latest([key]).get(key) if self.is_latest else None
        if same:
            first = min(same, self, key=lambda offer: (offer.date_until, offer.id))
            first.write({"active": first.state != rules.OPEN, "is_latest": False})
            first.flush_recordset()
        self.partner_id = customer
