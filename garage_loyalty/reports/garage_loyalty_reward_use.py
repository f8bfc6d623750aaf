from odoo import api, fields, models
from odoo.tools import SQL
from odoo.tools.query import Query

KINDS = [
    ("money", "Points as money"),
    ("reward", "Reward"),
    ("personal", "Personal offer"),
    ("privilege", "Privilege"),
    ("discount", "Standing discount"),
    ("bonus", "Bonus points"),
]


class GarageLoyaltyRewardUse(models.Model):
    """What members were given: one row for each benefit on a document.

    Read from ``garage.loyalty.benefit``.

    The cost is net of tax. Money off, percentages, free services and standing discounts
    cost what they take off; a free product costs its cost price on the day. Bonus
    points cost nothing when they are given: what they buy costs when they are spent.

    Of a visit on which several benefits were used, revenue counts once in every group
    and total, as customers do. Ratios are computed from these figures. Of repair orders
    that share a quotation, the first one is the visit.
    """

    _name = "garage.loyalty.reward.use"
    _description = "Rewards and Cost"
    _inherit = [
        "garage.loyalty.reward.use.query",
        "garage.loyalty.export.mixin",
        "garage.loyalty.fold.mixin",
    ]
    _auto = False
    _order = "date desc, id desc"
    _rec_name = "benefit"
    _depends = {
        "account.move": [
            "commercial_partner_id",
            "invoice_currency_rate",
            "invoice_date",
            "invoice_user_id",
            "loyalty_member_id",
            "loyalty_tier_id",
            "move_type",
            "reversed_entry_id",
            "state",
        ],
        "account.move.line": [
            "balance",
            "discount",
            "display_type",
            "loyalty_redemption_id",
            "move_id",
            "price_unit",
            "quantity",
        ],
        "garage.loyalty.benefit": ["partner_id"],
        "garage.loyalty.bonus": ["date", "kind", "member_id", "points"],
        "garage.loyalty.changed.customer": ["partner_id"],
        "garage.loyalty.member": ["company_id", "partner_id", "program_id"],
        "garage.loyalty.privilege": ["name"],
        "garage.loyalty.privilege.use": [
            "company_id",
            "date",
            "member_id",
            "order_id",
            "order_line_id",
            "privilege_id",
            "redemption_id",
            "repair_id",
            "state",
            "tier_id",
            "user_id",
            "value",
        ],
        "garage.loyalty.redemption": [
            "company_id",
            "cost",
            "member_id",
            "order_id",
            "points",
            "points_spent",
            "reward_id",
            "state",
            "user_id",
        ],
        "garage.loyalty.reward": ["is_personal", "name"],
        "garage.loyalty.visit": ["amount", "move_id", "repair_id", "user_id"],
        "repair.order": ["sale_order_id", "state"],
        "res.company": ["currency_id", "loyalty_company_id"],
        "sale.order.line": [
            "invoice_lines",
            "loyalty_discount",
            "loyalty_discount_tier_id",
            "loyalty_privilege_id",
            "order_id",
        ],
    }

    date = fields.Date(readonly=True, help="Day of the invoice, or of the use.")
    kind = fields.Selection(KINDS, readonly=True)
    benefit = fields.Char(readonly=True, help="What was given, by its present name.")
    reward_id = fields.Many2one("garage.loyalty.reward", readonly=True)
    privilege_id = fields.Many2one("garage.loyalty.privilege", readonly=True)
    program_id = fields.Many2one(
        "garage.loyalty.program", string="Programme", readonly=True
    )
    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    partner_id = fields.Many2one("res.partner", string="Customer", readonly=True)
    member_id = fields.Many2one("garage.loyalty.member", readonly=True)
    tier_id = fields.Many2one("garage.loyalty.tier", string="Tier then", readonly=True)
    user_id = fields.Many2one("res.users", string="Advisor", readonly=True)
    visit_id = fields.Many2one("garage.loyalty.visit", readonly=True)
    times = fields.Integer(string="Times used", readonly=True)
    customer_count = fields.Integer(
        string="Customers", readonly=True, aggregator="count_distinct"
    )
    visit_count = fields.Integer(
        string="Visits",
        readonly=True,
        aggregator="count_distinct",
        help="Visits on which it was used, each counted once.",
    )
    points = fields.Integer(
        string="Points spent", readonly=True, help="Less those that were given back."
    )
    points_given = fields.Integer(
        string="Points given",
        readonly=True,
        help="Bonus points. What they cost shows where they are spent.",
    )
    cost = fields.Monetary(
        readonly=True,
        help="Net of tax: what was taken off; of a free product, its cost price. "
        "What credit notes gave back has cost nothing.",
    )
    revenue = fields.Monetary(
        string="Revenue of the visits",
        readonly=True,
        help="Net amount that was invoiced on the visits on which it was used, after "
        "the discounts. Each visit counts once, whatever was used on it.",
    )
    revenue_per_visit = fields.Monetary(
        string="Revenue per visit",
        readonly=True,
        aggregator="avg",
        help="Revenue of the visits divided by their number.",
    )
    cost_per_use = fields.Monetary(
        string="Cost per use", readonly=True, aggregator="avg"
    )
    cost_share = fields.Float(
        string="Cost per revenue (%)",
        readonly=True,
        aggregator="avg",
        digits=(16, 1),
        help="Cost in percent of the revenue of the visits.",
    )

    @property
    def _table_query(self) -> SQL:
        self._compile_nothing()
        return SQL("%s %s %s", self._select(), self._from(), self._where())

    @api.model
    def _get_ratios(self):
        return {
            **super()._get_ratios(),
            "revenue_per_visit:avg": (
                "revenue:sum",
                "visit_count:count_distinct",
            ),
            "cost_per_use:avg": ("cost:sum", "times:sum"),
        }

    @api.model
    def _get_fold_keys(self):
        names = (
            "benefit",
            "company_id",
            "currency_id",
            "date",
            "kind",
            "privilege_id",
            "program_id",
            "reward_id",
            "tier_id",
            "user_id",
        )
        return super()._get_fold_keys() | dict.fromkeys(names)

    @api.model
    def _get_fold_ones(self):
        return ("times",)

    @api.model
    def _get_fold_parts(self, spec):
        # Of a visit with several benefits, revenue counts once.
        if spec.partition(":")[0] == "revenue":
            return None
        return super()._get_fold_parts(spec)

    def _read_group_select(self, aggregate_spec: str, query: Query) -> SQL:
        select = super()._read_group_select
        if aggregate_spec == "cost_share:avg":
            cost, revenue = (
                self._read_group_select(
                    self._convert(f"{name}:sum", aggregate_spec), query
                )
                for name in ("cost", "revenue")
            )
            return SQL("100 * %s / NULLIF(%s, 0)", cost, revenue)
        if aggregate_spec == "visit_count:count_distinct":
            return self._get_visits(query)
        if aggregate_spec not in ("revenue:sum", "revenue:sum_currency"):
            return select(aggregate_spec, query)
        amount = self._field_to_sql(self._table, "revenue", query)
        if aggregate_spec == "revenue:sum_currency":
            select(aggregate_spec, query)  # joins the rates
            rates = query.make_alias(self._table, "currency_id__rates")
            rate = SQL.identifier(rates, "rate")
            amount = SQL("%s / COALESCE(%s, 1.0)", amount, rate)
        return self._get_sum_by_visit(amount, query)

    def _get_visits(self, query):
        """Return the SQL of the number of visits: most have one benefit only."""
        return SQL(
            "count(%(visit)s) FILTER (WHERE NOT %(shared)s) "
            "+ count(DISTINCT %(visit)s) FILTER (WHERE %(shared)s)",
            visit=self._field_to_sql(self._table, "visit_id", query),
            shared=SQL.identifier(self._table, "is_shared"),
        )

    def _get_sum_by_visit(self, amount, query):
        """Return the SQL of a sum to which each visit adds its amount once.

        Only visits that several benefits share are told apart: sorting all of them
        takes longer than all the rest.
        """
        visit = self._field_to_sql(self._table, "visit_id", query)
        shared = SQL.identifier(self._table, "is_shared")
        alone = SQL("sum(%s) FILTER (WHERE NOT %s)", amount, shared)
        # Amounts are told apart by their visits, which are taken off again.
        once = SQL(
            "sum(DISTINCT %(visit)s * 1e15 + %(amount)s) FILTER (WHERE %(shared)s) "
            "- sum(DISTINCT %(visit)s) FILTER (WHERE %(shared)s) * 1e15",
            visit=visit,
            amount=amount,
            shared=shared,
        )
        return SQL("COALESCE(%(one)s + %(two)s, %(one)s, %(two)s)", one=alone, two=once)
