from odoo import models
from odoo.exceptions import UserError

from .garage_loyalty_line_mixin import LOCKED


class AccountMoveLine(models.Model):
    _name = "account.move.line"
    _inherit = ["account.move.line", "garage.loyalty.line.mixin"]

    def write(self, vals):
        """Refuse to change what was paid with points by hand."""
        if LOCKED & vals.keys():
            self._check_loyalty_unchanged(vals)
        return super().write(vals)

    def _check_loyalty_unchanged(self, vals):
        changed = self.filtered(
            lambda line: (
                line.loyalty_redemption_id
                and line.move_type == "out_invoice"
                and line._is_loyalty_changed(vals)
            )
        )
        if changed:
            raise UserError(changed[0].loyalty_redemption_id._locked_message())

    def unlink(self):
        """Removing what was paid with points gives the points back."""
        if not self:  # as the host often does
            return super().unlink()
        billed = self.filtered(lambda line: line.move_type == "out_invoice")
        # Whoever edits a draft need not have access to redemptions.
        redemptions = billed.sudo().loyalty_redemption_id.filtered("move_id")
        result = super().unlink()
        redemptions._after_lines_removed()
        return result

    def _is_loyalty_priced(self):
        """Tell whether the line is a product or service that the customer buys."""
        self.ensure_one()
        return (
            self.display_type == "product"
            and not self.is_downpayment
            and not self.loyalty_redemption_id
        )

    def _is_loyalty_earning(self, rules, warranty_lines):
        """Tell whether the line earns points.

        :param rules: ``tools.rules.Rules`` of the programme
        :param warranty_lines: the lines of repair orders under warranty

        Override to leave out more.
        """
        self.ensure_one()
        product = self.product_id
        return (
            self._is_loyalty_priced()
            and not product.loyalty_excluded
            and self not in warranty_lines
            and not rules.excludes(rules.excluded and product.categ_id.parent_path)
        )
