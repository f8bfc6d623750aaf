from odoo import api, models
from odoo.exceptions import UserError


class GarageLoyaltyFreeServiceMixin(models.AbstractModel):
    """Services that a privilege makes free of charge, for ``sale.order``.

    Planned on a draft; booked when the quotation is confirmed; given up when it is
    cancelled.
    """

    _name = "garage.loyalty.free.service.mixin"
    _description = "Free Services on a Quotation"
    _inherit = ["garage.loyalty.privileged.mixin"]

    @api.depends("order_line.product_id", "order_line.loyalty_privilege_id")
    def _compute_loyalty_privileges(self):
        return super()._compute_loyalty_privileges()

    @api.depends("order_line.loyalty_privilege_id")
    def _compute_loyalty_warning(self):
        result = super()._compute_loyalty_warning()
        for order in self.filtered(lambda order: order._is_loyalty_redeemable()):
            # Whoever edits the quotation is told, with or without loyalty rights.
            lines = order.sudo().order_line.filtered("loyalty_privilege_id")
            problems = [line._get_loyalty_privilege_problem() for line in lines]
            warnings = filter(None, [order.loyalty_warning, *problems])
            order.loyalty_warning = " ".join(warnings) or False
        return result

    def _get_free_lines(self, privilege):
        """Return the lines that a privilege can make free.

        Override to leave out lines that nobody may have for free.
        """
        return self.order_line.filtered(
            lambda line: (
                line._is_loyalty_priced()
                and not line.loyalty_privilege_id
                and line.product_id._origin in privilege.product_ids
                and line.product_uom_qty > 0
            )
        )

    def _prepare_free_service(self, privilege, left):
        """Return what can be done with a privilege on the quotation, or was.

        :param self: empty for a repair order that has no quotation yet
        """
        is_here = privilege in self.order_line.loyalty_privilege_id
        is_draft = not self or self._is_loyalty_redeemable()
        if is_here:
            return {
                "tone": "info" if is_draft else "success",
                "badge": self.env._("On this quotation")
                if is_draft
                else self.env._("Used here"),
                "action": "undo" if is_draft else False,
            }
        if left == 0 or not is_draft:
            return {}
        lines = self._get_free_lines(privilege)
        products = privilege.product_ids.filtered("active")
        return {
            "action": "use" if lines else "add",
            "choices": [
                {"id": product.id, "name": product.display_name}
                for product in (lines[:1].product_id or products)
            ],
        }

    def _use_free_service(self, privilege, product_id=False):
        self.ensure_one()
        self.check_access("write")
        self._check_free_service(privilege)
        # Which privilege a line has is protected: it was checked above.
        line = self._get_free_lines(privilege)[:1].sudo()
        is_added = not line
        if is_added:
            vals = self._prepare_free_line_vals(privilege, product_id)
            line = line.create(vals)
        else:
            line = line._split_one()
            line.loyalty_privilege_id = privilege
        line._plan_loyalty_use(is_added)

    def _prepare_free_line_vals(self, privilege, product_id=False):
        """Return the values of a line that is added, free of charge.

        Override to fill in more, such as an analytic distribution.
        """
        products = privilege.product_ids.filtered("active")
        chosen = products.filtered(lambda product: product.id == product_id)
        product = chosen or products[:1]
        if not product or (product_id and not chosen):
            raise UserError(
                self.env._("“%s” does not make this service free.", privilege.name)
            )
        return {
            "order_id": self.id,
            "product_id": product.id,
            "product_uom_qty": 1,
            "loyalty_privilege_id": privilege.id,
        }

    def _undo_free_service(self, privilege_id):
        """Charge again what a privilege made free, or remove what it has added."""
        # As for using it.
        lines = self.sudo().order_line.filtered(
            lambda line: line.loyalty_privilege_id.id == privilege_id
        )
        for order in lines.order_id:
            order.sudo(False).check_access("write")
            order._check_loyalty_redeemable()
        lines._undo_loyalty_privilege()

    def _sync_loyalty_privileges(self):
        """Book what is confirmed; give up what is not any more. Idempotent.

        :raise UserError: when a privilege cannot be used any more
        """
        # Whoever confirms or cancels need not have loyalty rights.
        lines = self.sudo().order_line.filtered("loyalty_privilege_id")
        lines._sync_loyalty_use()

    @api.ondelete(at_uninstall=False)
    def _release_loyalty_uses(self):
        # The lines go with the quotation; who deletes it need not have loyalty rights.
        uses = self.sudo().order_line.loyalty_use_ids
        uses._return_to("released")
        # PostgreSQL would look for the line again when it forgets the quotation.
        uses.write({"order_line_id": False})

    def _check_free_service(self, privilege):
        """Refuse what is not a draft, has the privilege already, or none is left of."""
        self._check_loyalty_redeemable()
        if privilege in self.order_line.loyalty_privilege_id:
            raise UserError(
                self.env._("“%s” is on this quotation already.", privilege.name)
            )
        member = self._get_loyalty_document_members()[self]
        if member._get_privilege_left(privilege) == 0:
            raise UserError(
                self.env._("“%s” is used up for this year.", privilege.name)
            )
