from odoo import models


class AccountPayment(models.Model):
    _inherit = "account.payment"

    def write(self, vals):
        """A payment without journal entry pays its invoices by its state alone."""
        result = super().write(vals)
        if "state" in vals:
            self.filtered(lambda pay: not pay.move_id).invoice_ids._sync_loyalty()
        return result
