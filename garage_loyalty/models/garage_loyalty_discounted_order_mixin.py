from odoo import api, fields, models


class GarageLoyaltyDiscountedOrderMixin(models.AbstractModel):
    """Standing discounts on quotations, for ``sale.order``."""

    _name = "garage.loyalty.discounted.order.mixin"
    _description = "Quotation with Standing Discounts"

    loyalty_discount_missing = fields.Char(
        compute="_compute_loyalty_discount_missing",
        help="What the discounts on the quotation lack, because the customer or its "
        "tier has changed since. “Update prices” brings them up to date.",
    )

    @api.depends(
        "partner_id",
        "pricelist_id",
        "state",
        "order_line.discount",
        "order_line.loyalty_discount",
        "order_line.product_id",
    )
    def _compute_loyalty_discount_missing(self):
        drafts = self.filtered(lambda order: order.state in ("draft", "sent"))
        (self - drafts).loyalty_discount_missing = False
        offers = drafts.order_line._get_loyalty_offers()
        for order in drafts:
            order.loyalty_discount_missing = order._get_loyalty_discount_gaps(offers)

    def _get_loyalty_discount_gaps(self, offers):
        """Return in words what is to be updated on a quotation, or False."""
        missing, outdated = set(), set()
        for line in self.order_line.filtered(
            lambda line: (
                not line.loyalty_privilege_id
                and (line.loyalty_discount or line in offers)
            )
        ):
            gap = line._get_loyalty_discount_gap(offers.get(line))
            if gap == "missing":
                missing.add(offers[line].tier.name)
            elif gap:
                # The name of a tier is no secret.
                outdated.add(line.sudo().loyalty_discount_tier_id.name)
        pricelist = self._get_changed_loyalty_pricelist()
        texts = [
            missing
            and self.env._(
                "The discounts of %s are not on this quotation yet.",
                ", ".join(sorted(missing)),
            ),
            outdated
            and self.env._(
                "The discounts of %s do not apply to this quotation any more.",
                ", ".join(sorted(outdated)),
            ),
            pricelist and self.env._("The customer has “%s” by now.", pricelist.name),
        ]
        return " ".join(filter(None, texts)) or False

    def _get_changed_loyalty_pricelist(self):
        """Return the customer's pricelist where a change of tier brought another one.

        Nothing where the membership has not changed since the quotation was made: then
        somebody chose its pricelist.
        """
        self.ensure_one()
        order = self.with_company(self.company_id)
        Tier = self.env["garage.loyalty.tier"]
        ids = set(Tier._get_pricelist_ids(order.env.company).values())
        customer = order.partner_id
        if not ids or not self._origin.id or self.state != "draft":
            return None
        present = customer.property_product_pricelist
        if present == self.pricelist_id or not ids & {present.id, self.pricelist_id.id}:
            return None
        members = customer._get_loyalty_members(order.env.company)
        member = members.get(customer.commercial_partner_id._origin)
        # The day of a change is no secret to whoever is told of the change.
        since = member and member.sudo().status_date
        changed = since and since >= self.create_date.date()
        return present if changed else None

    @api.onchange("partner_id")
    def _onchange_partner_id_loyalty_discounts(self):
        if self.loyalty_discount_missing:
            self.show_update_pricelist = True

    def _recompute_prices(self):
        """Bring what the tier gives up to date, with all other prices."""
        for order in self:
            pricelist = order._get_changed_loyalty_pricelist()
            if pricelist:
                order.pricelist_id = pricelist
        orders = self.with_context(garage_loyalty_renew=True)
        return super(GarageLoyaltyDiscountedOrderMixin, orders)._recompute_prices()

    def copy_data(self, default=None):
        """A pricelist of a tier is found anew for a copy: the tier may have changed."""
        vals_list = super().copy_data(default)
        for order, vals in zip(self, vals_list, strict=True):
            # Whose pricelist it was is no secret.
            tiers = order.sudo().order_line.loyalty_discount_tier_id
            if order.pricelist_id in tiers.pricelist_id and not (
                default and "pricelist_id" in default
            ):
                vals.pop("pricelist_id", None)
        return vals_list
