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
        "garage.loyalty.export.mixin",
        "garage.loyalty.ratio.mixin",
        "garage.loyalty.reward.use.query",
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
        "garage.loyalty.bonus": ["date", "kind", "member_id", "points"],
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
    points = fields.Integer(string="Points spent", readonly=True)
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
    def _select(self) -> SQL:
        """Return the columns. Override, calling super, to add one."""
        names = SQL(", ").join(
            SQL.identifier("given", name)
            for name in self._get_names()
            if name in self._fields and name != "user_id"
        )
        return SQL(
            """
            SELECT %s, COALESCE(given.user_id, visit.user_id) AS user_id,
                   company.currency_id, 1 AS times, visit.id AS visit_id,
                   visit.id AS visit_count, given.partner_id AS customer_count,
                   visit.amount AS revenue, visit.amount AS revenue_per_visit,
                   given.cost AS cost_per_use,
                   100 * given.cost / NULLIF(visit.amount, 0) AS cost_share
            """,
            names,
        )

    @api.model
    def _from(self) -> SQL:
        """Return the tables. Override, calling super, to join one more."""
        return SQL(
            """
              FROM (SELECT given.*, %s AS visit_id
                      FROM (%s) given
                      LEFT JOIN garage_loyalty_visit repaired
                        ON repaired.repair_id = given.repair_id
                      LEFT JOIN garage_loyalty_visit sold
                        ON sold.move_id = given.move_id) given
              JOIN res_company company ON company.id = given.company_id
              LEFT JOIN garage_loyalty_visit visit ON visit.id = given.visit_id
            """,
            self._get_visit_sql(),
            SQL(" UNION ALL ").join(self._get_queries()),
        )

    @api.model
    def _where(self) -> SQL:
        """Return the condition on all benefits. Override to narrow the report."""
        return SQL("")

    @api.model
    def _get_visit_sql(self) -> SQL:
        """Return the SQL of the id of the visit on which a benefit was used.

        By the surest of what is known: repair order, quotation, invoice. The database
        looks no further than it must, and not at all where nobody asks for the visit.
        """
        Repair = self.env["repair.order"]
        visits = SQL("SELECT min(id) FROM garage_loyalty_visit WHERE repair_id IN")
        return SQL(
            "COALESCE(repaired.id, (%(visits)s (%(sold)s)), sold.id, "
            "(%(visits)s (%(billed)s)))",
            visits=visits,
            sold=Repair._get_loyalty_sold_query(SQL("given.order_id")),
            billed=Repair._get_loyalty_billed_query(SQL("given.move_id")),
        )

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
        if aggregate_spec not in ("revenue:sum", "revenue:sum_currency"):
            return select(aggregate_spec, query)
        amount = self._field_to_sql(self._table, "revenue", query)
        if aggregate_spec == "revenue:sum_currency":
            select(aggregate_spec, query)  # joins the rates
            rates = query.make_alias(self._table, "currency_id__rates")
            rate = SQL.identifier(rates, "rate")
            amount = SQL("%s / COALESCE(%s, 1.0)", amount, rate)
        return self._get_sum_by_visit(amount, query)

    def _get_sum_by_visit(self, amount, query):
        """Return the SQL of a sum to which each visit adds its amount once."""
        visit = self._field_to_sql(self._table, "visit_id", query)
        return SQL(
            """
            (SELECT sum((pair->>1)::numeric) FROM jsonb_array_elements(
                jsonb_agg(DISTINCT jsonb_build_array(%(visit)s, %(amount)s))
                FILTER (WHERE %(visit)s IS NOT NULL)) pair)
            """,
            visit=visit,
            amount=amount,
        )
