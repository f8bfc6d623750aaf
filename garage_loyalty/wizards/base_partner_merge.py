from odoo import models


class BasePartnerMergeAutomaticWizard(models.TransientModel):
    _inherit = "base.partner.merge.automatic.wizard"

    def _update_foreign_keys(self, src_partners, dst_partner):
        """Merge the loyalty accounts before the host rewrites whose they are.

        It would find two accounts of one customer, which the database refuses.
        """
        partners = src_partners | dst_partner
        # What is merged with a company becomes a company.
        is_company = any(partners.mapped("is_company"))
        customer = dst_partner if is_company else dst_partner.commercial_partner_id
        src_partners._get_loyalty_accounts()._follow_partner(customer)
        # Whoever merges contacts need not have any right on offers.
        Offer = self.env["garage.loyalty.personal.offer"].sudo()
        Offer._follow_partners(src_partners, customer)
        # Nor on hold-outs.
        Customer = self.env["garage.loyalty.holdout.customer"].sudo()
        Customer._follow_partners(src_partners, customer)
        # Facts of both customers are derived again, from all of their documents.
        Changed = self.env["garage.loyalty.changed.customer"].sudo()
        Changed._forget(partners.ids)
        result = super()._update_foreign_keys(src_partners, dst_partner)
        # The host has written by SQL what the cache still remembers otherwise.
        self.env.invalidate_all()
        (dst_partner | customer)._sync_loyalty_visits()
        return result
