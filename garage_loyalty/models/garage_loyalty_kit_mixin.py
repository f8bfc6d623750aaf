from odoo import Command, api, fields, models
from odoo.tools import format_amount

from ..tools.scale import nice, price_level

# Visits or spend, as a multiple of an average repair order, that reach each tier.
EXAMPLE_LEVELS = ((3, 3), (6, 8))
EXAMPLE_DISCOUNTS = (((5, "labour"),), ((10, "labour"), (5, "parts")))


class GarageLoyaltyKitMixin(models.AbstractModel):
    """The three ready-made kinds of programme, which can be mixed.

    A kind that is switched off gives nothing, and loses nothing: what was set up for it
    is there again when it is switched on. What a kind lacks is filled with a working
    example in the company's currency; what people have set up is left as it is.
    """

    _name = "garage.loyalty.kit.mixin"
    _description = "Kinds of Loyalty Programme"

    has_points = fields.Boolean(
        string="Points",
        default=True,
        tracking=True,
        help="Customers collect points with every invoice, and pay with them.",
    )
    has_discount = fields.Boolean(
        string="Standing discount",
        tracking=True,
        help="Tiers give percentages off quotations, or a pricelist.",
    )
    has_privileges = fields.Boolean(
        string="Privileges",
        tracking=True,
        help="Tiers give priority, free services, longer warranty, special offers.",
    )
    date_set_up = fields.Date(
        string="Set up on",
        readonly=True,
        copy=False,
        help="When somebody chose the kind of programme.",
    )

    def _set_up(self, has_points, has_discount, has_privileges):
        """Switch kinds on and off, and give each what it lacks to work."""
        self.ensure_one()
        self.write(
            {
                "has_points": has_points,
                "has_discount": has_discount,
                "has_privileges": has_privileges,
                "date_set_up": self.company_id._get_loyalty_today(),
            }
        )
        for _text, add in self._get_missing(has_points, has_discount, has_privileges):
            add()

    def _get_missing(self, has_points, has_discount, has_privileges):
        """Return what kinds lack to work: pairs of words and the method that adds it.

        Override to set up more.
        """
        self.ensure_one()
        tiers, missing = self.tier_ids, []
        if len(tiers) < 2 or not any(tier._prepare_level().asks for tier in tiers):
            missing.append((self._get_tiers_text(), self._add_example_tiers))
        if has_points and not self.reward_ids:
            missing.append((self.env._("A first reward"), self._add_example_reward))
        if has_discount and not (tiers.discount_ids or tiers.pricelist_id):
            missing.append(
                (self.env._("Discounts of the tiers"), self._add_example_discounts)
            )
        if has_privileges and not self.privilege_ids:
            missing.append(
                (self.env._("Privileges of the tiers"), self._add_example_privileges)
            )
        return missing

    def _get_tiers_text(self):
        unit, names = self._get_example_unit(), self._get_example_names()
        parts = [
            self.env._(
                "%(tier)s from %(visits)s visits or %(amount)s",
                tier=name,
                visits=visits,
                amount=format_amount(self.env, spend * unit, self.currency_id),
            )
            for name, (visits, spend) in zip(names[1:], EXAMPLE_LEVELS, strict=False)
        ]
        return self.env._("Tiers, by 12 months: %s", ", ".join(parts))

    def _get_example_names(self):
        """Return the names of the tiers as they are once the programme is set up."""
        known = self.tier_ids.mapped("name")
        examples = [vals["name"] for vals in self._prepare_tiers(self.company_id)]
        return known + examples[len(known) :]

    def _get_example_unit(self):
        """Return a round amount near the average repair order of last year.

        About 250 euros where there was none.
        """
        today = self.company_id._get_loyalty_today()
        # Whoever sets up a programme may see what it is about.
        rows = (
            self.env["garage.loyalty.visit"]
            .sudo()
            ._read_group(
                [
                    ("kind", "=", "repair"),
                    ("company_id", "in", self._get_loyalty_companies().ids),
                    ("date", ">", fields.Date.subtract(today, years=1)),
                    ("amount", ">", 0),
                ],
                [],
                ["amount:avg"],
            )
        )
        return nice(rows[0][0] or 250 * price_level(self.currency_id.name))

    def _add_example_tiers(self):
        """Give the tiers something to ask for; add those that are not there."""
        known = self.tier_ids.mapped("name")
        self.tier_ids = [
            Command.create(vals)
            for vals in self._prepare_tiers(self.company_id)[len(known) :]
            if vals["name"] not in known
        ]
        unit = self._get_example_unit()
        for tier, (visits, spend) in zip(
            self.tier_ids[1:], EXAMPLE_LEVELS, strict=False
        ):
            tier.write(
                {
                    "required_visits": visits,
                    "required_spend": spend * unit,
                    "match": "any",
                }
            )

    def _add_example_reward(self):
        self.reward_ids = [Command.create(self._prepare_reward(self.company_id))]

    def _add_example_discounts(self):
        for tier, discounts in zip(self.tier_ids[1:], EXAMPLE_DISCOUNTS, strict=False):
            tier.discount_ids = [
                Command.create({"percent": percent, "scope": scope})
                for percent, scope in discounts
            ]

    def _add_example_privileges(self):
        self.privilege_ids = [
            Command.create(vals) for vals in self._prepare_privileges()
        ]

    def _prepare_privileges(self):
        """Return the values of the privileges that a VIP club starts with.

        Override to start with others.
        """
        above, best = self.tier_ids[1:], self.tier_ids[-1:]
        diagnostics = self._get_diagnostics()
        return [
            self._prepare_offer(best),
            {
                "name": self.env._("Priority"),
                "kind": "priority",
                "tier_ids": [Command.set(best.ids)],
            },
            {
                "name": self.env._("Free diagnostics"),
                "kind": "free_service",
                "quota": 1,
                "product_ids": [Command.set(diagnostics.ids)],
                "tier_ids": [Command.set((above - best or best).ids)],
            },
            {
                "name": self.env._("Free diagnostics, twice"),
                "kind": "free_service",
                "quota": 2,
                "product_ids": [Command.set(diagnostics.ids)],
                "tier_ids": [Command.set(best.ids)],
            },
            {
                "name": self.env._("Warranty of two years on repairs"),
                "kind": "warranty",
                "warranty_months": 24,
                "tier_ids": [Command.set(best.ids)],
            },
        ]

    def _prepare_offer(self, tiers):
        """Return the values of the special offer of some tiers."""
        return {
            "name": self.env._("Special offers"),
            "kind": "offer",
            "sequence": 20,
            # Points limit an offer that they buy.
            "quota": 0 if self.has_points else 1,
            "reward_ids": [Command.create(self._prepare_offer_reward())],
            "tier_ids": [Command.set(tiers.ids)],
        }

    def _prepare_offer_reward(self):
        """Return the values of the reward that only the best tier can choose."""
        reward = self._prepare_reward(self.company_id)
        return reward | {
            "name": self.env._("20% off labour"),
            "percent": 20,
            "points": reward["points"] if self.has_points else 0,
            "program_id": self.id,
        }

    def _get_diagnostics(self):
        """Return the service that is free: a new one, at a quarter of a repair.

        Override to take one that the workshop sells already.
        """
        return self.env["product.product"].create(
            {
                "name": self.env._("Diagnostics"),
                "type": "service",
                "invoice_policy": "order",
                "list_price": self._get_diagnostics_price(),
                "company_id": self.company_id.id,
            }
        )

    def _get_diagnostics_price(self):
        return nice(self._get_example_unit() / 4)

    @api.model
    def _prepare_default_vals(self, company):
        """Return the values of the programme that a new company starts with.

        Override to start with other rules, tiers or rewards.
        """
        level = price_level(company.currency_id.name)
        return {
            "name": self.env._("Loyalty programme"),
            "company_id": company.id,
            "labour_rate": 1 / level,
            "parts_rate": 1 / level,
            "point_value": 0.05 * level,
            "tier_ids": [Command.create(vals) for vals in self._prepare_tiers(company)],
            "reward_ids": [Command.create(self._prepare_reward(company))],
        }

    @api.model
    def _prepare_tiers(self, company):
        """Return the values of the tiers that a programme starts with."""
        unit = 250 * price_level(company.currency_id.name)
        tiers = [
            (self.env._("Bronze"), 1.0, 4, 0, 0),
            (self.env._("Silver"), 1.25, 8, *EXAMPLE_LEVELS[0]),
            (self.env._("Gold"), 1.5, 3, *EXAMPLE_LEVELS[1]),
        ]
        return [
            {
                "name": name,
                "sequence": 10 * number,
                "multiplier": multiplier,
                "color": color,
                "required_visits": visits,
                "required_spend": spend * unit,
                "match": "any",
            }
            for number, (name, multiplier, color, visits, spend) in enumerate(tiers, 1)
        ]

    @api.model
    def _prepare_reward(self, company):
        """Return the values of the reward that a programme starts with."""
        return {
            "name": self.env._("10% off labour"),
            "kind": "labour_percent",
            "percent": 10,
            "max_amount": 50 * price_level(company.currency_id.name),
            "points": 500,
        }
