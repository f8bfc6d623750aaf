from odoo import api, models


class ProductPricelist(models.Model):
    _inherit = "product.pricelist"

    @api.model
    def _get_partner_pricelist_multi(self, partner_ids):
        """Give members the pricelist of their tier, unless they have their own."""
        result = super()._get_partner_pricelist_multi(partner_ids)
        feature = "product.group_product_pricelist"
        if not self.env["res.groups"]._is_feature_enabled(feature):
            return result
        # Contacts may be archived, as the host says.
        Partner = self.env["res.partner"].with_context(active_test=False)
        given = Partner.browse(partner_ids)._get_loyalty_pricelists()
        for partner, pricelist in given.items():
            if not partner._has_own_pricelist():
                result[partner.id] = pricelist
        return result

    def _get_partner_pricelist_multi_search_domain_hook(self, company_id):
        """Leave those of tiers out: the host gives everybody the first it finds."""
        domain = super()._get_partner_pricelist_multi_search_domain_hook(company_id)
        ids = self.env["garage.loyalty.tier"]._get_reserved_pricelist_ids()
        return [*domain, ("id", "not in", ids)] if ids else domain

    @api.constrains("company_id", "currency_id")
    def _check_loyalty_tiers(self):
        # Whoever changes a pricelist need not have access to tiers.
        Tier = self.env["garage.loyalty.tier"].sudo()
        Tier.search([("pricelist_id", "in", self.ids)])._check_pricelist()
