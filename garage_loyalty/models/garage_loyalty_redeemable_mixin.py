from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command

from ..tools import redeem, rewards


class GarageLoyaltyRedeemableMixin(models.AbstractModel):
    """Spending points on a document, for ``sale.order`` and ``account.move``.

    Amounts are in the document's currency, taxes included.
    """

    _name = "garage.loyalty.redeemable.mixin"
    _description = "Document on Which Points Are Spent"
    _loyalty_lines_name = None
    _loyalty_quantity_name = None

    loyalty_warning = fields.Char(
        compute="_compute_loyalty_warning",
        help="Why the draft cannot be confirmed as it is: what points pay does not fit "
        "any more.",
    )

    @api.depends("state", "partner_id", "currency_id", "amount_total")
    def _compute_loyalty_warning(self):
        for document in self:
            # Whoever edits the document is told, with or without loyalty rights.
            lines = document.sudo()._get_loyalty_lines()
            redemptions = lines.loyalty_redemption_id._origin
            warnings = (
                [item._get_warning(document) for item in redemptions]
                if redemptions and document._is_loyalty_redeemable()
                else []
            )
            document.loyalty_warning = " ".join(filter(None, warnings)) or False

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

    def _get_loyalty_rewarded_lines(self, kind, reward):
        """Return the lines of labour or of parts that a reward counts, if there is one.

        Override to let a reward count other lines.
        """
        lines = self._get_loyalty_priced_lines(kind)
        return reward._get_covered(lines) if reward else lines

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

    def _get_loyalty_limits(self, redemptions, program, reward=None):
        """Return how much of labour, of parts and of the whole points may pay.

        :param redemptions: of this document, as if they were not there
        :param reward: its own terms stand in place of the caps of the programme
        """
        self.ensure_one()
        lines = self._get_loyalty_lines()
        taken = lines.filtered(lambda line: line.loyalty_redemption_id in redemptions)
        totals = [
            sum(self._get_loyalty_rewarded_lines(kind, reward).mapped("price_total"))
            for kind in ("labour", "parts")
        ]
        left = self.amount_total - sum(taken.mapped("price_total"))
        if reward:
            caps = rewards.caps(reward.kind, reward.percent)
            return redeem.room(*totals, *caps, left)
        others = lines.filtered("loyalty_redemption_id") - taken
        paid = [
            -sum(line.price_total for line in others if line.loyalty_scope == kind)
            for kind in ("labour", "parts")
        ]
        caps = program.labour_cap, program.parts_cap
        return redeem.room(*totals, *caps, left, paid)

    def _get_loyalty_room(self, redemption):
        """Return the most that may be paid with points, instead of ``redemption``."""
        limits = self._get_loyalty_redemption_limits(redemption)
        return self.currency_id.round(float(limits.amount))

    def _get_loyalty_redemption_limits(self, redemption):
        return self._get_loyalty_limits(
            redemption, redemption.member_id.program_id, redemption.reward_id
        )

    def _get_loyalty_reward(self, reward, redemptions):
        """Return what a reward takes off, and what it would if more were left to pay.

        In the document's currency, taxes included. Override to reward by other rules.

        :param redemptions: of this document, as if they were not there
        """
        self.ensure_one()
        limits = self._get_loyalty_limits(redemptions, reward.program_id, reward)
        company = reward.company_id
        terms = [
            company.currency_id._convert(
                value, self.currency_id, company, self._get_loyalty_date()
            )
            for value in (reward.amount, reward.max_amount)
        ]
        return tuple(
            self.currency_id.round(float(rule(reward.kind, limits, *terms)))
            for rule in (rewards.takes_off, rewards.promise)
        )

    def _apply_loyalty_redemption(self, redemption):
        """Add the lines that ``redemption`` takes off, and note what they cost.

        The host's own tax computation splits the amount, so that VAT is right.
        """
        self.ensure_one()
        limits = self._get_loyalty_redemption_limits(redemption)
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
        if redemption.reward_id.kind == rewards.PRODUCT:
            commands = [Command.create(self._prepare_loyalty_product_vals(redemption))]
        self.write({self._loyalty_lines_name: commands})
        redemption.cost = self._get_loyalty_cost(redemption)

    def _get_loyalty_cost(self, redemption):
        """Return what a redemption costs, net of tax, in the company's currency.

        Override to count other costs, such as the hours of a free service.
        """
        self.ensure_one()
        reward, company = redemption.reward_id, redemption.company_id
        if reward.kind == rewards.PRODUCT:
            return reward._get_product_cost()
        lines = self._get_loyalty_lines().filtered(
            lambda line: line.loyalty_redemption_id == redemption
        )
        return self.currency_id._convert(
            -sum(lines.mapped("price_subtotal")),
            company.currency_id,
            company,
            self._get_loyalty_date(),
        )

    def _prepare_loyalty_product_vals(self, redemption):
        """Return the values of the line of a free product, at its price less 100 %.

        Override to fill in more, such as an analytic distribution.
        """
        product = redemption.reward_id.product_id
        return {
            "name": self._get_loyalty_product_name(redemption),
            "product_id": product.id,
            self._loyalty_quantity_name: 1,
            "discount": 100,
            "sequence": 999,
            "loyalty_redemption_id": redemption.id,
        }

    def _get_loyalty_product_name(self, redemption):
        """Return what the customer reads on the line of a free product."""
        product = redemption.reward_id.product_id.display_name
        if not redemption.points:
            return self.env._("%s, free for members", product)
        return self.env._(
            "%(product)s, free for %(points)s loyalty points",
            product=product,
            points=redemption.points,
        )

    def _prepare_loyalty_lines(self, redemption, kind, amount):
        """Return the values of the lines that take ``amount`` off labour or parts."""
        AccountTax = self.env["account.tax"]
        lines = self._get_loyalty_rewarded_lines(kind, redemption.reward_id)
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
        return {
            "name": self._get_loyalty_line_name(redemption, kind),
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

    def _get_loyalty_line_name(self, redemption, kind):
        """Return what the customer reads on a line that points pay."""
        labels = {"labour": self.env._("labour"), "parts": self.env._("parts")}
        if not redemption.points:
            return self.env._(
                "%(reward)s, on %(kind)s",
                reward=redemption.reward_id.name,
                kind=labels[kind],
            )
        if redemption.reward_id:
            return self.env._(
                "%(reward)s: %(points)s loyalty points, on %(kind)s",
                reward=redemption.reward_id.name,
                points=redemption.points,
                kind=labels[kind],
            )
        return self.env._(
            "%(points)s loyalty points, on %(kind)s",
            points=redemption.points,
            kind=labels[kind],
        )

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
