from odoo import api, models

from .garage_loyalty_earning_mixin import PAID


class GarageLoyaltyReferredMixin(models.AbstractModel):
    """The first paid invoice of a member who was referred, for ``account.move``."""

    _name = "garage.loyalty.referred.mixin"
    _description = "Invoices of Referred Members"

    def _sync_loyalty(self):
        """Reward a referral as well, whichever event it was that paid the invoice."""
        result = super()._sync_loyalty()
        if not self.env.context.get("garage_loyalty_defer"):
            self._reward_loyalty_referrals()
        return result

    def _reward_loyalty_referrals(self):
        """Give the bonuses that wait for one of these invoices to be paid.

        Of an invoice that is not paid nothing is read, nor is it of a member whom
        nobody referred but the member itself.
        """
        # Whoever takes the money need not have access to members.
        members = self.env["garage.loyalty.member"].sudo()
        for move in self.sudo():
            if move._is_loyalty_paid() and (member := move._get_loyalty_referred()):
                members |= member
        if members:
            members._give_referral_bonuses()

    def _is_loyalty_paid(self):
        return (
            self.move_type == "out_invoice"
            and self.state == "posted"
            and self.payment_state in PAID
        )

    def _get_loyalty_referred(self):
        """Return the member whose referral this paid invoice rewards, if any.

        Override to ask for more than an invoice that is not wholly credited.
        """
        self.ensure_one()
        member = self.loyalty_member_id._get_survivor()
        if not member.is_referral_due:
            return member.browse()
        credits = self.reversal_move_ids.filtered(lambda move: move.state == "posted")
        left = self.amount_total - sum(credits.mapped("amount_total"))
        is_kept = self.currency_id.compare_amounts(left, 0) > 0
        return member if is_kept else member.browse()

    @api.model
    def _get_loyalty_referral_domain(self):
        """Return the domain of paid invoices of members whose referral is due."""
        return [
            ("move_type", "=", "out_invoice"),
            ("state", "=", "posted"),
            ("payment_state", "in", PAID),
            "|",
            ("loyalty_member_id.is_referral_due", "=", True),
            ("loyalty_member_id.merged_into_id.is_referral_due", "=", True),
        ]
