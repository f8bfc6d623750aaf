from odoo import api, models


class GarageLoyaltyPricedMixin(models.AbstractModel):
    """The pricelist that a customer has by its tier, for ``res.partner``.

    It is found anew whenever the host asks for the customer's pricelist, and written
    nowhere: with the tier, it is gone.
    """

    _name = "garage.loyalty.priced.mixin"
    _description = "Customer Whose Tier Has a Pricelist"

    @api.depends(
        "commercial_partner_id.loyalty_account_ids.state",
        "commercial_partner_id.loyalty_account_ids.tier_id.active",
        "commercial_partner_id.loyalty_account_ids.tier_id.pricelist_id.active",
        "commercial_partner_id.loyalty_account_ids.tier_id.program_id.active",
    )
    def _compute_product_pricelist(self):
        return super()._compute_product_pricelist()

    def _inverse_product_pricelist(self):
        """Note as the customer's own what differs from what the tier gives.

        The host notes what differs from the default for the country.
        """
        given = self._get_loyalty_pricelists()
        chosen = {partner: partner.property_product_pricelist for partner in given}
        others = self.filtered(lambda partner: partner not in given)
        result = super(GarageLoyaltyPricedMixin, others)._inverse_product_pricelist()
        for partner, pricelist in chosen.items():
            own = pricelist - given[partner]
            if partner.specific_property_product_pricelist != own:
                partner.specific_property_product_pricelist = own
        return result

    def _get_loyalty_pricelists(self):
        """Return the pricelists that active members have by their tier, by customer.

        One query for all of them; none where no tier has a pricelist.
        """
        company = self.env.company
        given = self.env["garage.loyalty.tier"]._get_pricelist_ids(company)
        # Which pricelist members have is no secret to whom sees their prices.
        pricelists = self.env["product.pricelist"].sudo().browse(set(given.values()))
        usable = pricelists._get_partner_pricelist_multi_filter_hook().filtered(
            lambda item: not item.company_id or item.company_id == company
        )
        tiers = self._get_loyalty_tiers(company) if usable else {}
        found = {}
        for partner in self if tiers else ():
            tier_id = tiers.get(partner.commercial_partner_id._origin)
            if given.get(tier_id) in usable.ids:
                found[partner] = self.env["product.pricelist"].browse(given[tier_id])
        return found

    def _get_loyalty_tiers(self, company):
        """Return the ids of tiers of active members, by commercial partner."""
        members = self._get_loyalty_members(company)
        # A member's tier decides on prices, whoever writes the quotation.
        return {
            partner: member.sudo().tier_id.id
            for partner, member in members.items()
            if member.sudo().state == "active"
        }

    def _has_own_pricelist(self):
        """Tell whether somebody chose a pricelist for this customer."""
        self.ensure_one()
        return any(
            customer.specific_property_product_pricelist._get_partner_pricelist_multi_filter_hook()
            for customer in (self, self.commercial_partner_id)
        )
