from odoo import fields, models
from odoo.exceptions import AccessError, UserError

from ..tools.privileges import percent_off
from .res_partner import GROUPS


class GarageLoyaltyFreeLineMixin(models.AbstractModel):
    """A service that a privilege makes free of charge, for ``sale.order.line``."""

    _name = "garage.loyalty.free.line.mixin"
    _description = "Line That a Privilege Makes Free"

    loyalty_privilege_id = fields.Many2one(
        "garage.loyalty.privilege",
        string="Privilege",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="restrict",
        help="Why the line is free of charge.",
    )
    loyalty_use_ids = fields.One2many(
        "garage.loyalty.privilege.use", "order_line_id", readonly=True, groups=GROUPS
    )

    def _check_loyalty_privilege(self, vals):
        """Refuse to change by hand what a privilege makes free.

        Only its quantity may become nothing, as when the host cancels a repair.

        :param self: lines that are written, or none when they are created
        """
        if "loyalty_privilege_id" in vals and self.env.su:
            return
        self._check_loyalty_privilege_kept(vals)
        quantity = vals.get("product_uom_qty")
        if quantity is not None and 0 <= quantity <= 1:
            vals = {name: vals[name] for name in vals if name != "product_uom_qty"}
        for line in self.filtered("loyalty_privilege_id"):
            if line._is_loyalty_changed(vals):
                raise UserError(
                    self.env._(
                        "“%s” is free of charge by a privilege and cannot be changed "
                        "by hand. Press “Undo” beside the privilege, or delete the "
                        "line.",
                        line.product_id.display_name,
                    )
                )

    def _check_loyalty_privilege_kept(self, vals):
        """Refuse to make lines free, or to charge them, by hand."""
        if "loyalty_privilege_id" in vals:
            present = {line.loyalty_privilege_id.id for line in self} or {False}
            if present != {vals["loyalty_privilege_id"] or False}:
                raise AccessError(
                    self.env._("Privileges are used with their buttons only.")
                )

    # -- what it takes off --------------------------------------------------------

    def _keep_loyalty_discount(self):
        """Keep lines free, whatever else would give a discount."""
        for line in self.filtered("loyalty_privilege_id"):
            line.discount = line._get_loyalty_privilege_discount()
            line.loyalty_discount = line.discount  # nobody typed it
            # Whoever edits the quotation need not have loyalty rights.
            line.loyalty_discount_origin = line.sudo().loyalty_privilege_id.name

    def _get_loyalty_privilege_discount(self):
        """Return the discount in percent. Override to make it free otherwise."""
        self.ensure_one()
        # Whoever edits the quotation need not have loyalty rights.
        privilege = self.sudo().loyalty_privilege_id
        company = privilege.company_id
        maximum = company.currency_id._convert(
            privilege.max_value,
            self.currency_id or company.currency_id,
            company,
            self.order_id.date_order or self.env.cr.now(),
        )
        return percent_off(self._get_loyalty_net(1), maximum)

    def _get_loyalty_net(self, quantity):
        """Return what the line costs without discount, net of tax."""
        self.ensure_one()
        return self.tax_ids.compute_all(
            self.price_unit,
            self.currency_id,
            quantity,
            self.product_id,
            self.order_id.partner_id,
        )["total_excluded"]

    def _get_loyalty_saved(self):
        """Return what the customer saves: the list price less what is paid.

        Net of tax, in the currency of the accounts.
        """
        self.ensure_one()
        company = self.loyalty_privilege_id.company_id
        return self.currency_id._convert(
            self._get_loyalty_net(self.product_uom_qty) - self.price_subtotal,
            company.currency_id,
            company,
            self.order_id.date_order or self.env.cr.now(),
        )

    def _get_loyalty_list_price(self):
        """Return the list price of the line, net of tax, in the company's currency."""
        self.ensure_one()
        line = self.with_company(self.company_id)
        net = line.tax_ids.compute_all(
            line._get_display_price(),
            line.currency_id,
            line.product_uom_qty,
            line.product_id,
            line.order_id.partner_id,
        )["total_excluded"]
        company = line.company_id
        return line.currency_id._convert(
            net, company.currency_id, company, line.order_id.date_order
        )

    # -- the log ------------------------------------------------------------------

    def _split_one(self):
        """Return a line of one unit at most: one is free, the others are charged."""
        self.ensure_one()
        if self.product_uom_qty <= 1:
            return self
        vals = self.copy_data({"order_id": self.order_id.id, "product_uom_qty": 1})
        self.product_uom_qty -= 1
        return self.create(vals)

    def _plan_loyalty_use(self, is_added):
        """Note that the line is free if the quotation is confirmed."""
        self.ensure_one()
        member = self.order_id._get_loyalty_document_members()[self.order_id]
        self.loyalty_use_ids._plan(
            member,
            self.loyalty_privilege_id,
            order_id=self.order_id.id,
            order_line_id=self.id,
            is_added=is_added,
            value=self._get_loyalty_saved(),
        )

    def _undo_loyalty_privilege(self):
        """Charge the lines after all; what was added for a privilege is removed."""
        added = self.filtered(lambda line: line.loyalty_use_ids.is_added)
        charged = self - added
        charged.loyalty_use_ids._return_to("released")
        charged.loyalty_use_ids.write({"order_line_id": False})
        charged.write(
            {
                "loyalty_privilege_id": False,
                "discount": 0.0,
                "loyalty_discount": 0.0,
                "loyalty_discount_origin": False,
            }
        )
        charged._compute_discount()
        added.unlink()

    def _sync_loyalty_use(self):
        """Bring the log in line with the quotations. Idempotent.

        :raise UserError: when a privilege cannot be used any more
        """
        for line in self:
            use = line.loyalty_use_ids
            if line.order_id.state == "sale" and line.product_uom_qty > 0:
                if use.state != "used":
                    line._take_loyalty_use()
            elif line.order_id.state in ("draft", "sent"):
                use._return_to("planned", line._get_loyalty_saved())
            else:
                use._return_to("released")

    def _take_loyalty_use(self):
        self.ensure_one()
        problem = self._get_loyalty_privilege_problem()
        if not problem and not self.loyalty_use_ids._take(self._get_loyalty_saved()):
            problem = self._get_loyalty_used_up()
        if problem:
            raise UserError(problem)

    def _get_loyalty_privilege_problem(self):
        """Return in words why the line cannot be free any more, or False.

        Override to check more.
        """
        self.ensure_one()
        order, privilege = self.order_id, self.loyalty_privilege_id
        member = order._get_loyalty_document_members()[order]
        planned = self._origin.loyalty_use_ids.member_id._get_survivor()
        if member != planned or privilege not in member._get_privileges():
            return self.env._(
                "The customer of %(document)s does not have “%(privilege)s” any more. "
                "Press “Undo” beside the privilege, or delete the line.",
                document=order.display_name,
                privilege=privilege.name,
            )
        if member._get_privilege_left(privilege) == 0:
            return self._get_loyalty_used_up()
        return False

    def _get_loyalty_used_up(self):
        return self.env._(
            "“%(privilege)s” was used elsewhere meanwhile: nothing is left of it this "
            "year. Delete the line of %(document)s that is free of charge.",
            privilege=self.loyalty_privilege_id.name,
            document=self.order_id.display_name,
        )
