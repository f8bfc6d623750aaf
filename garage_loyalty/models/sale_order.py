from odoo import api, fields, models

from .res_partner import GROUPS


class SaleOrder(models.Model):
    _name = "sale.order"
    _inherit = [
        # Before the host, whose prices it extends.
        "garage.loyalty.discounted.order.mixin",
        "sale.order",
        "garage.loyalty.badge.mixin",
        "garage.loyalty.discounted.mixin",
        "garage.loyalty.offered.mixin",
        # Before the one that it extends.
        "garage.loyalty.free.service.mixin",
        "garage.loyalty.redeemable.mixin",
    ]
    _loyalty_lines_name = "order_line"
    _loyalty_quantity_name = "product_uom_qty"

    loyalty_redemption_ids = fields.One2many(
        "garage.loyalty.redemption", "order_id", readonly=True, groups=GROUPS
    )

    @api.depends("partner_id", "company_id")
    def _compute_loyalty(self):
        # The badge is for everybody who may see the quotation.
        for company, orders in self.sudo().grouped("company_id").items():
            members = orders.partner_id._get_loyalty_members(
                company or self.env.company
            )
            for order in orders:
                member = members.get(order.partner_id.commercial_partner_id._origin)
                member = member and member.sudo()  # as above
                current = member if member and member.state != "left" else None
                order.loyalty_member_id = current
                order.loyalty_tier_id = current and current.tier_id
                order.loyalty_points = current and current.points
                order.loyalty_state = current and current.state

    def action_confirm(self):
        """Take the points that are redeemed on the quotations."""
        result = super().action_confirm()
        redemptions = self.order_line.loyalty_redemption_id
        redemptions._before_posting(self)
        redemptions.sudo()._sync()  # whoever confirms need not have ledger rights
        self._sync_loyalty_privileges()
        return result

    def _action_cancel(self):
        result = super()._action_cancel()
        # Whoever cancels need not have access to the ledger.
        self.sudo().loyalty_redemption_ids._sync()
        self._sync_loyalty_privileges()
        return result

    def action_draft(self):
        """Plan again what was redeemed before the quotation was cancelled."""
        result = super().action_draft()
        self.sudo().loyalty_redemption_ids._sync()  # as for cancelling
        self._sync_loyalty_privileges()
        return result

    def _get_update_prices_lines(self):
        """Leave out what points pay or privileges make free: it has its own price."""
        lines = super()._get_update_prices_lines()
        return lines.filtered(
            lambda line: (
                not line.loyalty_redemption_id and not line.loyalty_privilege_id
            )
        )

    def copy_data(self, default=None):
        """Points are spent once: a copy of a quotation is not paid with them."""
        vals_list = super().copy_data(default)
        for vals in vals_list:
            if vals.get("order_line"):
                vals["order_line"] = [
                    command
                    for command in vals["order_line"]
                    if not command[2].get("loyalty_redemption_id")
                ]
        return vals_list
