from typing import NamedTuple

from odoo import api, fields, models
from odoo.tools import float_compare

from ..tools import discounts
from ..tools.discounts import Discount

# What a line says when its discount is not the tier's.
BLANK = {"loyalty_discount_tier_id": False, "loyalty_discount_origin": False}


class Offer(NamedTuple):
    """What a tier gives on a line.

    :ivar tier: the record, with all rights
    :ivar discount: of ``tools.discounts``, or None
    :ivar pricelist_id: of the tier, or 0
    """

    tier: models.BaseModel
    discount: Discount | None
    pricelist_id: int

    @property
    def percent(self):
        """Return the discount in percent, 0 if there is none."""
        return self.discount.percent if self.discount else 0.0


class GarageLoyaltyDiscountedLineMixin(models.AbstractModel):
    """Standing discounts on quotation lines, for ``sale.order.line``.

    Whatever computes the discount of a line comes through ``_compute_discount``; what a
    person types does not, and stays.
    """

    _name = "garage.loyalty.discounted.line.mixin"
    _description = "Quotation Line with a Standing Discount"

    loyalty_discount = fields.Float(
        string="Discount of the tier (%)",
        digits="Discount",
        copy=False,
        help="Technical: what the line got from the tier. Another discount than this "
        "was typed.",
    )
    loyalty_discount_tier_id = fields.Many2one(
        "garage.loyalty.tier",
        string="Tier of the discount",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="restrict",
    )
    loyalty_discount_origin = fields.Char(
        string="Discount from",
        readonly=True,
        copy=False,
        help="Why the line has its discount. The greater one of the pricelist and the "
        "tier applies, never both. Empty when the discount was typed.",
    )

    def _compute_discount(self):
        """Give the tier's discount where it is greater than the pricelist's.

        What was typed stays, and so does what a confirmed order has.
        """
        renew = self.env.context.get("garage_loyalty_renew")
        lines = self.filtered(
            lambda line: renew or not line._is_loyalty_discount_kept()
        )
        given = lines.filtered(
            lambda line: line.loyalty_discount and not line.loyalty_privilege_id
        )
        for line in given:
            line.discount = 0.0  # without a pricelist, the host leaves it as it is
        result = super(GarageLoyaltyDiscountedLineMixin, lines)._compute_discount()
        lines.filtered(
            lambda line: renew or not line._is_loyalty_confirmed()
        )._give_loyalty_discounts()
        return result

    def _is_loyalty_confirmed(self):
        """Tell whether the line was there when the customer confirmed."""
        origin = self._origin
        return bool(
            self.order_id.state == "sale"
            and origin.id
            and origin.product_id == self.product_id
        )

    def _is_loyalty_discount_kept(self):
        return bool(self.loyalty_discount) and (
            not self._has_loyalty_discount() or self._is_loyalty_confirmed()
        )

    def _has_loyalty_discount(self):
        """Tell whether the line has the discount that it got from the tier."""
        return bool(self.loyalty_discount) and self._is_same_discount(
            self.discount, self.loyalty_discount
        )

    @api.model
    def _is_same_discount(self, one, other):
        digits = self.env["decimal.precision"].precision_get("Discount")
        return float_compare(one, other, precision_digits=digits) == 0

    def _is_loyalty_discountable(self):
        """Tell whether a standing discount may be given on the line.

        Override to leave out more lines, or to allow more of them.
        """
        self.ensure_one()
        return bool(
            self.product_id
            and self.product_id.type != "combo"
            and self._is_loyalty_priced()
            and not self.loyalty_privilege_id
            and not self.combo_item_id
            and not self.is_expense
            and not self._is_discount_line()
            and not self._is_global_discount()
            # Of other add-ons, which need not be there.
            and not ("is_reward_line" in self._fields and self["is_reward_line"])
            and not ("is_delivery" in self._fields and self["is_delivery"])
        )

    def _get_loyalty_offers(self):
        """Return what tiers give today, by line; lines without an offer are left out.

        One query for all lines of a company; none where no tier gives anything.
        """
        offers = {}
        companies = self.grouped(lambda line: line.order_id.company_id)
        Tier = self.env["garage.loyalty.tier"].sudo()  # whoever writes the quotation
        for company, lines in companies.items():
            company = company or self.env.company
            # To which company an account belongs is no secret.
            terms = Tier._get_terms(company.sudo().loyalty_company_id.id)
            partners = lines.order_id.partner_id
            tiers = partners._get_loyalty_tiers(company) if terms and partners else {}
            for line in lines if tiers else ():
                customer = line.order_id.partner_id.commercial_partner_id._origin
                tier = Tier.browse(tiers.get(customer) or ())
                if tier.id in terms and line._is_loyalty_discountable():
                    offers[line] = line._get_loyalty_offer(tier, terms[tier.id])
        return offers

    def _get_loyalty_offer(self, tier, terms):
        """Return the ``Offer`` of a tier on one line.

        Override to choose among discounts by other means than the nearest category.

        :param terms: of ``tools.discounts``
        """
        path = discounts.category_path(self.product_id.categ_id.parent_path)
        best = discounts.best(terms.discounts, path, self._get_loyalty_kind())
        return Offer(tier, best, terms.pricelist_id)

    def _give_loyalty_discounts(self):
        """Give what tiers give today, and note it. ``self`` has the pricelist's."""
        offers = self._get_loyalty_offers()
        for line in self:
            offer = offers.get(line)
            if offer and offer.percent > line.discount:
                line.discount = offer.percent
            line._note_loyalty_discount(offer)

    def _note_loyalty_discount(self, offer):
        """Note from where the line has its discount."""
        self.ensure_one()
        vals = {"loyalty_discount": 0.0, **BLANK}
        origin = offer and self._get_loyalty_discount_origin(offer)
        if origin:
            vals = {
                "loyalty_discount": self.discount,
                "loyalty_discount_tier_id": offer.tier.id,
                "loyalty_discount_origin": origin,
            }
        changed = {
            name: value
            for name, value in vals.items()
            if self._fields[name].convert_to_write(self[name], self) != value
        }
        if changed:
            self.update(changed)

    def _get_loyalty_discount_origin(self, offer):
        """Return in words which part of an offer gives the line's discount, if any."""
        if offer.percent and self._is_offered(offer):
            rule = self.env["garage.loyalty.tier.discount"].browse(offer.discount.id)
            # Whoever writes the quotation is told.
            text = rule.sudo().display_name
        elif self._is_discounted_by_pricelist(offer):
            text = self.env._("pricelist “%s”", self.order_id.pricelist_id.name)
        else:
            return False
        return self.env._("%(tier)s: %(discount)s", tier=offer.tier.name, discount=text)

    def _is_discounted_by_pricelist(self, offer):
        return (
            self.discount > 0
            and self._is_priced_by_tier(offer)
            and self.pricelist_item_id._show_discount()
        )

    def _is_priced_by_tier(self, offer):
        pricelist = self.order_id.pricelist_id
        return bool(pricelist) and pricelist.id == offer.pricelist_id

    @api.model_create_multi
    def create(self, vals_list):
        """Note from where new lines have their discounts, or that they were typed."""
        given = [{"discount", "loyalty_discount"} & vals.keys() for vals in vals_list]
        lines = super().create(vals_list)
        offers = lines._get_loyalty_offers()
        for line, names in zip(lines, given, strict=True):
            offer = offers.get(line)
            if names == {"discount"} and offer and not line._is_offered(offer):
                line.loyalty_discount = offer.percent
            else:
                line._note_again(offer, names)
        return lines

    def write(self, vals):
        """A discount that was typed is not the tier's; another product has its own."""
        changed = self.browse()
        if "product_id" in vals and "discount" not in vals:
            changed = self.filtered(
                lambda line: (
                    line.order_id.state == "sale"
                    and line.product_id.id != vals["product_id"]
                )
            )
        result = super().write(vals)
        if "discount" in vals:
            # A form that sends both has computed them.
            is_computed = "loyalty_discount" in vals
            offers = self._get_loyalty_offers() if is_computed else {}
            for line in self:
                line._note_again(offers.get(line), {"discount"})
        if changed:
            changed.with_context(garage_loyalty_renew=True)._compute_discount()
        return result

    def _is_offered(self, offer):
        return self._is_same_discount(self.discount, offer.percent)

    def _note_again(self, offer, names):
        """Note from where the discount is after it was saved, whatever was sent.

        :param names: the fields of the discount that were sent; a form sends all
        """
        is_given = self._has_loyalty_discount() or (offer and self._is_offered(offer))
        if offer and (is_given or "discount" not in names):
            self._note_loyalty_discount(offer)
        elif self.loyalty_discount_tier_id and not self._has_loyalty_discount():
            self.update(BLANK)

    def copy_data(self, default=None):
        """What a tier gave is found anew for a copy: the tier may have changed."""
        vals_list = super().copy_data(default)
        for line, vals in zip(self, vals_list, strict=True):
            if line.loyalty_discount_tier_id and "discount" not in (default or {}):
                vals.pop("discount", None)
        return vals_list

    def _get_loyalty_discount_gap(self, offer):
        """Return "missing", "outdated" or None: the discount against an offer."""
        self.ensure_one()
        percent = offer.percent if offer else 0.0
        is_higher = percent > self.discount and not self._is_same_discount(
            percent, self.discount
        )
        if not self.loyalty_discount:
            return "missing" if is_higher else None
        if not self._has_loyalty_discount():
            return None  # it was typed
        if offer and offer.tier == self.loyalty_discount_tier_id:
            if self._is_priced_by_tier(offer):
                return "missing" if is_higher else None
            if self._is_offered(offer):
                return None
        return "missing" if percent else "outdated"
