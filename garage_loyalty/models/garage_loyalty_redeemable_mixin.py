from odoo import models
from odoo.exceptions import UserError
from odoo.fields import Command

from ..tools import redeem


class GarageLoyaltyRedeemableMixin(models.AbstractModel):
    """Spending points on a document, for ``sale.order`` and ``account.move``.

    Amounts are in the document's currency, taxes included.
    """

    _name = "garage.loyalty.redeemable.mixin"
    _description = "Document on Which Points Are Spent"
    _loyalty_lines_name = None
    _loyalty_quantity_name = None

    def _is_loyalty_redeemable(self):
        """Tell whether points may be spent on the document in its present state."""
        self.ensure_one()
        return self.state in ("draft", "sent")

    def _get_loyalty_base_line(self, line):
        """Return ``line`` in the form that the host's tax computation wants."""
        return line._prepare_base_line_for_taxes_computation()

    def action_redeem(self):
        """Open the dialog in which points are spent on this document."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "garage_loyalty.garage_loyalty_redeem_action"
        )
        field = "order_id" if self._name == "sale.order" else "move_id"
        return action | {"context": {f"default_{field}": self.id}}

    def _get_loyalty_lines(self):
        return self[self._loyalty_lines_name]

    def _get_loyalty_priced_lines(self, kind):
        """Return the lines of labour or of parts that points may be spent on.

        Override to leave out lines that nobody may pay with points.
        """
        return self._get_loyalty_lines().filtered(
            lambda line: line._is_loyalty_priced() and line._get_loyalty_kind() == kind
        )

    def _get_loyalty_point_value(self, program):
        """Return what a point is worth in the document's currency."""
        self.ensure_one()
        company = program.company_id
        return company.currency_id._convert(
            program.point_value,
            self.currency_id,
            company,
            self._get_loyalty_date(),
            round=False,
        )

    def _get_loyalty_date(self):
        """Return the day whose rates and rules apply to the document."""
        self.ensure_one()
        date = self.date_order if self._name == "sale.order" else self.invoice_date
        return date or self.env.cr.now()

    def _get_loyalty_limits(self, redemptions, program):
        """Return how much of labour, of parts and of the whole points may pay.

        :param redemptions: of this document, as if they were not there
        """
        self.ensure_one()
        lines = self._get_loyalty_lines()
        taken = lines.filtered(lambda line: line.loyalty_redemption_id in redemptions)
        totals = [
            sum(self._get_loyalty_priced_lines(kind).mapped("price_total"))
            for kind in ("labour", "parts")
        ]
        left = self.amount_total - sum(taken.mapped("price_total"))
        return redeem.room(*totals, program.labour_cap, program.parts_cap, left)

    def _get_loyalty_room(self, redemption):
        """Return the most that may be paid with points, instead of ``redemption``."""
        program = redemption.member_id.program_id
        limits = self._get_loyalty_limits(redemption, program)
        return self.currency_id.round(float(limits.amount))

    def _apply_loyalty_redemption(self, redemption):
        """Add the lines that ``redemption`` takes off, split by tax.

        The host's own tax computation splits the amount, so that VAT is right.
        """
        self.ensure_one()
        limits = self._get_loyalty_limits(redemption, redemption.member_id.program_id)
        amounts = redeem.split(
            redemption.amount,
            limits.labour,
            limits.parts,
            self.currency_id.decimal_places,
        )
        commands = [
            Command.create(vals)
            for kind, amount in zip(("labour", "parts"), amounts, strict=True)
            if amount
            for vals in self._prepare_loyalty_lines(redemption, kind, float(amount))
        ]
        self.write({self._loyalty_lines_name: commands})

    def _prepare_loyalty_lines(self, redemption, kind, amount):
        """Return the values of the lines that take ``amount`` off labour or parts."""
        AccountTax = self.env["account.tax"]
        lines = self._get_loyalty_priced_lines(kind)
        base_lines = [self._get_loyalty_base_line(line) for line in lines]
        AccountTax._add_tax_details_in_base_lines(base_lines, self.company_id)
        AccountTax._round_base_lines_tax_details(base_lines, self.company_id)
        product = redemption.member_id.program_id.redemption_product_id
        discount_lines = AccountTax._prepare_global_discount_lines(
            base_lines,
            self.company_id,
            "fixed",
            amount,
            computation_key=f"global_discount,loyalty-{redemption.id}-{kind}",
            grouping_function=lambda base_line: {"product_id": product},
        )
        return [
            self._prepare_loyalty_line_vals(redemption, kind, base_line)
            for base_line in discount_lines
        ]

    def _prepare_loyalty_line_vals(self, redemption, kind, base_line):
        """Return the values of one line that points pay.

        Override to fill in more, such as an analytic distribution.
        """
        labels = {"labour": self.env._("labour"), "parts": self.env._("parts")}
        return {
            "name": self.env._(
                "%(points)s loyalty points, on %(kind)s",
                points=redemption.points,
                kind=labels[kind],
            ),
            "product_id": base_line["product_id"].id,
            # Rounded for the eye: the exact amounts are in the extra tax data.
            "price_unit": self.currency_id.round(base_line["price_unit"]),
            self._loyalty_quantity_name: base_line["quantity"],
            "tax_ids": [Command.set(base_line["tax_ids"].ids)],
            "extra_tax_data": self.env["account.tax"]._export_base_line_extra_tax_data(
                base_line
            ),
            "sequence": 999,
            "loyalty_redemption_id": redemption.id,
            "loyalty_scope": kind,
        }

    def _check_loyalty_redeemable(self):
        """Refuse to spend points on what is not a draft of this customer any more.

        :raise UserError: with what to do instead
        """
        self.ensure_one()
        if not self._is_loyalty_redeemable():
            raise UserError(
                self.env._(
                    "%s is not a draft any more: points are spent on draft "
                    "quotations and draft invoices.",
                    self.display_name,
                )
            )
