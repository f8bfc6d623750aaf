from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import SQL, format_date

from ..tools import rewards as rules

KINDS = [
    (rules.AMOUNT, "Money off"),
    (rules.LABOUR, "% off labour"),
    (rules.PARTS, "% off parts"),
    (rules.PRODUCT, "Free product"),
]
# States of a redemption in which the reward is given, or promised for good.
USED = ("reserved", "done")


class GarageLoyaltyReward(models.Model):
    """Something that points buy: money off, a percentage off, a free product."""

    _name = "garage.loyalty.reward"
    _description = "Loyalty Reward"
    _inherit = [
        "garage.loyalty.export.mixin",
        "garage.loyalty.program.item.mixin",
        "garage.loyalty.personal.reward.mixin",
        "garage.loyalty.reward.usage.mixin",
    ]

    kind = fields.Selection(KINDS, required=True, default=rules.AMOUNT)
    points = fields.Integer(
        string="Points needed",
        required=True,
        default=100,
        help="0: it is given without points, such as a special offer of a club.",
    )
    amount = fields.Monetary(
        help="Money off labour and parts, taxes included. Never more than there is "
        "left to pay."
    )
    percent = fields.Float(
        string="Percentage", default=10.0, help="Of the amount taxes included."
    )
    max_amount = fields.Monetary(
        string="At most",
        help="The most that the percentage takes off, taxes included. "
        "0 means that there is no maximum.",
    )
    product_id = fields.Many2one(
        "product.product",
        string="Free product",
        ondelete="restrict",
        check_company=True,
        index="btree_not_null",
        domain=[("sale_ok", "=", True), ("type", "!=", "combo")],
        help="One of it is added to the document, free of charge.",
    )
    tier_id = fields.Many2one(
        "garage.loyalty.tier",
        string="From tier",
        ondelete="restrict",
        index="btree_not_null",
        domain="[('program_id', '=', program_id)]",
        help="Members of this tier and of higher ones may have it. "
        "Empty means every member.",
    )
    date_from = fields.Date(string="Valid from")
    date_to = fields.Date(
        string="Valid until", help="Last day on which it can be redeemed."
    )
    stock = fields.Integer(
        string="How many in all",
        help="How many may be given in all. 0 means that there is no limit.",
    )
    redemption_ids = fields.One2many(
        "garage.loyalty.redemption", "reward_id", readonly=True
    )
    stock_left = fields.Integer(
        string="Still to give", compute="_compute_use", compute_sudo=True
    )
    use_count = fields.Integer(
        string="Used",
        compute="_compute_use",
        compute_sudo=True,
        help="Redemptions of it that are reserved or done.",
    )
    cost = fields.Monetary(
        compute="_compute_use",
        compute_sudo=True,
        help="What it cost so far: discounts net of tax, and free products at the "
        "cost price of the day they were redeemed.",
    )

    _points_positive = models.Constraint(
        "CHECK(points >= 0)", "The points that a reward needs cannot be negative."
    )
    _amount_positive = models.Constraint(
        "CHECK(kind <> 'amount' OR COALESCE(amount, 0) > 0 AND amount < 1e15)",
        "Say how much money the reward takes off.",
    )
    _percent_positive = models.Constraint(
        "CHECK(kind NOT IN ('labour_percent', 'parts_percent')"
        " OR COALESCE(percent, 0) > 0 AND percent <= 100)",
        "The percentage of a reward is more than 0 and at most 100.",
    )
    _max_amount_positive = models.Constraint(
        "CHECK(max_amount IS NULL OR max_amount >= 0 AND max_amount < 1e15)",
        "The most that a reward takes off cannot be negative.",
    )
    _product_required = models.Constraint(
        "CHECK(kind <> 'product' OR product_id IS NOT NULL)",
        "Choose the product that is free.",
    )
    _dates_order = models.Constraint(
        "CHECK(date_from IS NULL OR date_to IS NULL OR date_from <= date_to)",
        "A reward cannot end before it starts.",
    )
    _stock_positive = models.Constraint(
        "CHECK(stock >= 0)", "How many may be given in all cannot be negative."
    )

    @api.depends("redemption_ids.cost", "redemption_ids.state", "stock")
    def _compute_use(self):
        rows = self.env["garage.loyalty.redemption"]._read_group(
            [("reward_id", "in", self.ids), ("state", "in", USED)],
            ["reward_id"],
            ["__count", "cost:sum"],
        )
        used = {reward.id: (count, cost) for reward, count, cost in rows}
        for reward in self:
            reward.use_count, reward.cost = used.get(reward._origin.id, (0, 0.0))
            reward.stock_left = max(reward.stock - reward.use_count, 0)

    @api.constrains("tier_id", "program_id")
    def _check_tier(self):
        for reward in self.filtered("tier_id"):
            if reward.tier_id.program_id != reward.program_id:
                raise ValidationError(
                    self.env._(
                        "“%(tier)s” is not a tier of “%(program)s”.",
                        tier=reward.tier_id.name,
                        program=reward.program_id.name,
                    )
                )

    @api.constrains("program_id")
    def _check_company_unchanged(self):
        # Whoever moves a reward need not see the redemptions of other companies.
        redemptions = self.env["garage.loyalty.redemption"].sudo()
        for reward in self:
            domain = [
                ("reward_id", "=", reward.id),
                ("company_id", "!=", reward.company_id.id),
            ]
            if redemptions.search_count(domain, limit=1):
                raise ValidationError(
                    self.env._(
                        "“%s” was redeemed: it cannot move to another company.",
                        reward.name,
                    )
                )

    @api.ondelete(at_uninstall=False)
    def _unlink_except_redeemed(self):
        # Redemptions of any state and company keep the reward.
        Redemption = self.env["garage.loyalty.redemption"].sudo()
        used = Redemption.search([("reward_id", "in", self.ids)], limit=1).reward_id
        if used:
            raise UserError(
                self.env._(
                    "“%s” was redeemed and cannot be deleted. Archive it instead.",
                    used.name,
                )
            )

    def action_open_redemptions(self):
        """Open the redemptions of the reward."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "garage_loyalty.garage_loyalty_redemption_action"
        )
        return action | {
            "domain": [("reward_id", "=", self.id)],
            "context": {"search_default_filter_used": 1},
        }

    # -- who may have it --------------------------------------------------------

    def _get_rank(self, tier):
        """Return the rank of a tier, None for no tier. Override to rank otherwise."""
        return (tier.sequence, tier.id) if tier else None

    def _get_terms(self):
        """Return who may have the reward. Override to add conditions."""
        self.ensure_one()
        return rules.Terms(
            kind=self.kind,
            points=self.points,
            tier=self._get_rank(self.tier_id),
            date_from=self.date_from or None,
            date_to=self.date_to or None,
            left=self.stock_left if self.stock else None,
            is_sold=self.kind != rules.PRODUCT or self.product_id.active,
        )

    def _get_refusal(self, member, available, amount):
        """Return in words why a member cannot have the reward, or "".

        :param available: points that the member can spend
        :param amount: what it takes off the document, see ``_get_loyalty_reward``
        """
        self.ensure_one()
        today = self.company_id._get_loyalty_today()
        rank = self._get_rank(member.tier_id)
        reason = self._get_terms().refusal(today, rank, available, amount)
        refusal = self._get_refusals(available)[reason] if reason else ""
        return self._get_offer_refusal(member) or refusal

    def _get_refusals(self, available):
        """Return the words for each reason. Override together with ``_get_terms``."""
        return {
            "early": self.env._(
                "Valid from %s.", format_date(self.env, self.date_from)
            ),
            "over": self.env._("Ended on %s.", format_date(self.env, self.date_to)),
            "product": self.env._("The product is not sold any more."),
            "stock": self.env._("All %s have been given.", self.stock),
            "tier": self.env._("From tier %s on.", self.tier_id.name),
            "amount": self._get_nothing_left(),
            "points": self.env._("%s points are missing.", self.points - available),
        }

    # -- what it costs ----------------------------------------------------------

    def _get_product_cost(self):
        """Return the cost of the free product, in the company's currency.

        The list price, net of tax, for a product without cost price.
        """
        self.ensure_one()
        product = self.product_id.with_company(self.company_id)
        if product.standard_price:
            return product.standard_price
        price = product.currency_id._convert(
            product.lst_price, self.currency_id, self.company_id
        )
        taxes = product.taxes_id._filter_taxes_by_company(self.company_id)
        return taxes.compute_all(price, self.currency_id, product=product)[
            "total_excluded"
        ]

    def _reserve(self):
        """Refuse a redemption when all that may be given are given.

        Writes the row of the reward: of two people who want the last one at once,
        the second one's transaction fails, is tried again, and sees what the first
        one did. Nothing is counted here that could go astray: the redemptions are
        the count.

        :raise UserError: when none is left
        """
        for reward in self.filtered("stock"):
            reward.flush_recordset()
            self.env.cr.execute(
                SQL(
                    "UPDATE garage_loyalty_reward SET stock = stock WHERE id = %s",
                    reward.id,
                )
            )
            if not reward.stock_left:
                raise UserError(
                    self.env._(
                        "“%(reward)s” cannot be redeemed: all %(stock)s have been "
                        "given. Press “Redeem” to choose something else.",
                        reward=reward.name,
                        stock=reward.stock,
                    )
                )
