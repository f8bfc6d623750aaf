from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import ormcache

from ..tools.discounts import Terms


class GarageLoyaltyStandingMixin(models.AbstractModel):
    """What members of a tier get on every quotation: a pricelist, percentages."""

    _name = "garage.loyalty.standing.mixin"
    _description = "Standing Discounts of a Tier"

    pricelist_id = fields.Many2one(
        "product.pricelist",
        check_company=True,
        ondelete="restrict",
        index="btree_not_null",
        help="Active members get it on new quotations, unless the customer has a "
        "pricelist of its own. Other customers do not get it, except by hand.",
    )
    discount_ids = fields.One2many(
        "garage.loyalty.tier.discount",
        "tier_id",
        string="Standing discounts",
        copy=True,
        help="Active members get them on every quotation. A line never has two "
        "discounts: the greater one of the pricelist and the tier applies.",
    )
    discount_text = fields.Char(string="Discounts", compute="_compute_discount_text")

    @api.depends(
        "discount_ids.display_name", "pricelist_id.name", "program_id.has_discount"
    )
    @api.depends_context("lang")
    def _compute_discount_text(self):
        for tier in self:
            given = tier if tier.program_id.has_discount else tier.browse()
            parts = given.discount_ids.mapped("display_name")
            if given.pricelist_id:
                parts.append(self.env._("pricelist “%s”", tier.pricelist_id.name))
            tier.discount_text = ", ".join(parts) or False

    @api.constrains("pricelist_id", "program_id")
    def _check_pricelist(self):
        for tier in self.filtered("pricelist_id"):
            # Whoever changes a pricelist need not have access to tiers.
            pricelist, program = tier.sudo().pricelist_id, tier.sudo().program_id
            currency = program.company_id.currency_id
            if pricelist.currency_id != currency:
                raise ValidationError(
                    self.env._(
                        "“%(pricelist)s” is in %(other)s. Members of “%(tier)s” need a "
                        "pricelist in %(currency)s, the currency of %(company)s.",
                        pricelist=pricelist.name,
                        other=pricelist.currency_id.name,
                        tier=tier.name,
                        currency=currency.name,
                        company=program.company_id.name,
                    )
                )
            if program.share_branches and pricelist.company_id:
                raise ValidationError(
                    self.env._(
                        "“%(pricelist)s” is for %(company)s alone. Branches share the "
                        "programme: choose a pricelist for all companies.",
                        pricelist=pricelist.name,
                        company=pricelist.company_id.name,
                    )
                )

    @api.model_create_multi
    def create(self, vals_list):
        """Read the terms again; show pricelists when a tier has one."""
        tiers = super().create(vals_list)
        self.env.registry.clear_cache()
        if tiers.pricelist_id:
            tiers.filtered("pricelist_id")._show_pricelists()
        return tiers

    def write(self, vals):
        """Read the terms again; show pricelists when a tier has one."""
        result = super().write(vals)
        self.env.registry.clear_cache()
        if vals.get("pricelist_id"):
            self._show_pricelists()
        return result

    @api.model
    @ormcache("company_id")
    def _get_terms(self, company_id):
        """Return the ``Terms`` of the tiers that give something, by id of the tier.

        Read once and kept: where no tier gives anything, quotations cost nothing more.

        :param company_id: of the company that keeps the accounts
        """
        # Discounts are the same whoever writes the quotation.
        tiers = self.sudo().search(
            [
                ("company_id", "=", company_id),
                ("active", "=", True),
                ("program_id.active", "=", True),
                ("program_id.has_discount", "=", True),
                "|",
                ("pricelist_id", "!=", False),
                ("discount_ids", "!=", False),
            ]
        )
        return {tier.id: tier._prepare_terms() for tier in tiers}

    def _prepare_terms(self):
        """Return what the tier gives as plain values.

        Override to give more; call ``env.registry.clear_cache()`` where that changes.
        """
        self.ensure_one()
        return Terms(
            self.pricelist_id.id or 0,
            tuple(discount._prepare_discount() for discount in self.discount_ids),
        )

    @api.model
    def _get_pricelist_ids(self, company):
        """Return the ids of pricelists that tiers give in ``company``, by tier."""
        # To which company an account belongs is no secret.
        terms = self._get_terms(company.sudo().loyalty_company_id.id)
        return {
            tier_id: item.pricelist_id
            for tier_id, item in terms.items()
            if item.pricelist_id
        }

    @api.model
    @ormcache()
    def _get_reserved_pricelist_ids(self):
        """Return the ids of pricelists that are for members alone, of any company.

        Those of archived tiers too: with the tier, they do not become everybody's.
        """
        # Which pricelists are not for everybody is the same whoever asks.
        tiers = self.sudo().with_context(active_test=False)
        return tuple(tiers.search([("pricelist_id", "!=", False)]).pricelist_id.ids)

    def _show_discounts(self):
        """Switch discounts on in the programme; show them, as the settings' box does.

        The host hides the column until then, and so what the tier gives.
        """
        programs = self.program_id.filtered(lambda program: not program.has_discount)
        programs.write({"has_discount": True})
        # Whoever may give discounts need not have access to groups.
        users = self.env.ref("base.group_user").sudo()
        users._apply_group(self.env.ref("sale.group_discount_per_so_line").sudo())

    def _show_pricelists(self):
        """Switch pricelists and discounts on, as the boxes in the settings do."""
        self._show_discounts()
        group = "product.group_product_pricelist"
        if self.env["res.groups"]._is_feature_enabled(group):
            return
        # As above.
        self.env.ref("base.group_user").sudo()._apply_group(self.env.ref(group).sudo())
        # Nor to the pricelists of all companies, which the host's box adds as well.
        self.env["res.company"].sudo()._activate_or_create_pricelists()
