from odoo import api, models


class AccountPartialReconcile(models.Model):
    _inherit = "account.partial.reconcile"

    @api.model_create_multi
    def create(self, vals_list):
        """An invoice may have become paid."""
        partials = super().create(vals_list)
        partials._get_loyalty_moves()._sync_loyalty()
        return partials

    def unlink(self):
        """An invoice may have become unpaid: the host has no other event for it."""
        if not self:  # as the host often does
            return super().unlink()
        moves = self._get_loyalty_moves()
        result = super().unlink()
        moves.exists()._sync_loyalty()
        return result

    def _get_loyalty_moves(self):
        return (self.debit_move_id | self.credit_move_id).move_id
