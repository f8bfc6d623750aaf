from odoo import api, fields, models
from odoo.tools import SQL
from odoo.tools.query import Query

from ..models.garage_loyalty_visit import KINDS


class GarageLoyaltyVisitReport(models.Model):
    """Members against non-members, on the facts of each visit.

    Ratios are computed by the database for every grouping, from the sums of that
    grouping, so that totals are right at every level:

    * ARO = net invoiced / repair orders
    * visit frequency = repair orders / customers with at least one
    * customer value = ARO x frequency = net invoiced / customers
    """

    _name = "garage.loyalty.visit.report"
    _description = "Members and Non-members"
    _inherit = [
        "garage.loyalty.visit.report.query",
        "garage.loyalty.fold.mixin",
        "garage.loyalty.export.mixin",
    ]
    _auto = False
    _order = "date desc, id desc"
    _rec_name = "date"
    _depends = {
        "garage.loyalty.visit": [
            "amount",
            "amount_discount",
            "amount_labour",
            "amount_parts",
            "company_id",
            "date",
            "is_member",
            "is_warranty",
            "kind",
            "member_id",
            "partner_id",
            "prev_date",
            "repair_id",
            "tier_id",
            "user_id",
        ],
        "account.move.line": ["balance", "move_id", "product_id"],
        "product.product": ["product_tmpl_id"],
        "product.template": ["categ_id"],
        "repair.order": ["sale_order_id"],
        "res.company": ["currency_id"],
        "res.partner": ["is_company"],
        "sale.order.line": ["order_id", "price_subtotal", "product_id"],
        "stock.move": [
            "quantity",
            "repair_id",
            "repair_line_type",
            "sale_line_id",
            "state",
            "value",
        ],
    }

    date = fields.Date(readonly=True)
    kind = fields.Selection(KINDS, readonly=True)
    membership = fields.Selection(
        [("member", "Members"), ("other", "Non-members")],
        string="Membership then",
        readonly=True,
        help="Whether the customer was an active member on the day of the visit.",
    )
    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    partner_id = fields.Many2one("res.partner", string="Customer", readonly=True)
    member_id = fields.Many2one(
        "garage.loyalty.member", string="Membership", readonly=True
    )
    tier_id = fields.Many2one("garage.loyalty.tier", string="Tier then", readonly=True)
    user_id = fields.Many2one("res.users", string="Advisor", readonly=True)
    repair_id = fields.Many2one("repair.order", string="Repair order", readonly=True)
    is_warranty = fields.Boolean(string="Under warranty", readonly=True)
    customer_type = fields.Selection(
        [("new", "First visit"), ("returning", "Returning")],
        string="New or returning",
        readonly=True,
        help="Whether the customer had a repair order before.",
    )
    work_kind = fields.Selection(
        [
            ("both", "Labour and parts"),
            ("labour", "Labour only"),
            ("parts", "Parts only"),
            ("none", "Nothing invoiced"),
        ],
        string="Kind of work",
        readonly=True,
    )
    category_id = fields.Many2one(
        "product.category",
        string="Main category",
        readonly=True,
        help="The product category that most of the visit comes to.",
    )
    days_since = fields.Integer(
        string="Days between visits",
        readonly=True,
        aggregator="avg",
        help="Days since the repair order before; first visits have none.",
    )

    customer_count = fields.Integer(
        string="Customers", readonly=True, aggregator="count_distinct"
    )
    visit_count = fields.Integer(string="Visits", readonly=True)
    amount = fields.Monetary(
        string="Net invoiced",
        readonly=True,
        help="Labour and parts, without taxes, after discounts and rewards, less what "
        "was credited.",
    )
    amount_labour = fields.Monetary(
        string="Labour", readonly=True, help="Services invoiced, without taxes."
    )
    amount_parts = fields.Monetary(
        string="Parts", readonly=True, help="Goods invoiced, without taxes."
    )
    amount_discount = fields.Monetary(string="Paid with points", readonly=True)
    amount_before_discount = fields.Monetary(string="Net before rewards", readonly=True)
    amount_cost = fields.Monetary(
        string="Cost of parts",
        readonly=True,
        help="What the parts used in the repair order were worth in stock. Empty where "
        "one of them has no cost, or parts were invoiced that it did not use.",
    )
    amount_costed = fields.Monetary(string="Net invoiced, cost known", readonly=True)
    margin = fields.Monetary(
        string="Margin after parts",
        readonly=True,
        help="Net invoiced less the cost of parts, where it is known. Wages are not "
        "deducted.",
    )
    margin_rate = fields.Float(
        string="Margin after parts (%)",
        readonly=True,
        aggregator="avg",
        digits=(16, 1),
        help="Of what was invoiced net on the visits whose cost is known.",
    )
    aro = fields.Monetary(
        string="ARO",
        readonly=True,
        aggregator="avg",
        help="Average repair order: net invoiced divided by the number of repair "
        "orders.",
    )
    aro_before_discount = fields.Monetary(
        string="ARO before rewards",
        readonly=True,
        aggregator="avg",
        help="As if nothing had been paid with points: rewards lower members' "
        "invoices and must not make members look poorer.",
    )
    visit_frequency = fields.Float(
        string="Visit frequency",
        readonly=True,
        aggregator="avg",
        digits=(16, 2),
        help="Visits divided by the customers with at least one of them.",
    )
    customer_value = fields.Monetary(
        string="Customer value",
        readonly=True,
        aggregator="avg",
        help="ARO multiplied by visit frequency: net invoiced per customer.",
    )

    aro_uplift = fields.Float(
        string="ARO lead (%)",
        readonly=True,
        aggregator="avg",
        digits=(16, 1),
        help="By how many percent the ARO of members is above that of others. The raw "
        "difference: it also says who joins, not only what membership does. Empty "
        "where a group has only one of them.",
    )
    frequency_ratio = fields.Float(
        string="Times as often",
        readonly=True,
        aggregator="avg",
        digits=(16, 2),
        help="How many times as often members come as others, within the period of the "
        "group. The raw ratio, as for ARO.",
    )
    visit_share = fields.Float(
        string="Members' visits (%)",
        readonly=True,
        aggregator="avg",
        digits=(16, 1),
        help="Which part of the visits are those of members.",
    )
    amount_share = fields.Float(
        string="Members' revenue (%)",
        readonly=True,
        aggregator="avg",
        digits=(16, 1),
        help="Which part of what was invoiced net comes from members.",
    )

    @property
    def _table_query(self) -> SQL:
        return SQL("%s %s %s", self._select(), self._from(), self._where())

    @api.model
    def _get_ratios(self):
        return {
            **super()._get_ratios(),
            "aro:avg": ("amount:sum", "visit_count:sum"),
            "aro_before_discount:avg": (
                "amount_before_discount:sum",
                "visit_count:sum",
            ),
            "visit_frequency:avg": (
                "visit_count:sum",
                "customer_count:count_distinct",
            ),
            "customer_value:avg": ("amount:sum", "customer_count:count_distinct"),
            "margin_rate:avg": ("margin:sum", "amount_costed:sum", 100),
        }

    @api.model
    def _get_shares(self):
        """Return of which aggregate each percentage says the part of members.

        Override to add one.
        """
        return {"visit_share:avg": "visit_count:sum", "amount_share:avg": "amount:sum"}

    @api.model
    def _get_comparisons(self):
        """Return which ratio each comparison of members with others is about.

        And whether it says by how many percent they differ, or how many times one is
        the other. Override to compare one ratio more.
        """
        return {
            "aro_uplift:avg": ("aro:avg", True),
            "frequency_ratio:avg": ("visit_frequency:avg", False),
        }

    @api.model
    def _get_fold_keys(self):
        names = ("company_id", "currency_id", "date", "kind", "tier_id", "user_id")
        return super()._get_fold_keys() | {
            "customer_kind": ("is_firm", self._get_customer_kind(SQL("is_firm"))),
            "membership": ("is_member", self._get_membership(SQL("is_member"))),
            **dict.fromkeys(names),
        }

    @api.model
    def _get_fold_ones(self):
        return ("visit_count",)

    @api.model
    def _get_fold_parts(self, spec):
        comparison = self._get_comparisons().get(spec)
        parts = self._get_ratios()[comparison[0]][:2] if comparison else ()
        parts = parts or filter(None, [self._get_shares().get(spec)])
        parts = [self._convert(part, spec) for part in parts]
        if parts:
            return self._join_fold_parts(parts, ["membership"])
        return super()._get_fold_parts(spec)

    def _read_group_select(self, aggregate_spec: str, query: Query) -> SQL:
        comparison = self._get_comparisons().get(aggregate_spec)
        if comparison:
            ratio, is_percent = comparison
            parts = self._get_ratios()[ratio][:2]
            parts = [self._convert(part, aggregate_spec) for part in parts]
            return self._get_comparison_sql(parts, is_percent, query)
        share = self._get_shares().get(aggregate_spec)
        if share:
            return self._get_share_sql(self._convert(share, aggregate_spec), query)
        return super()._read_group_select(aggregate_spec, query)

    def _get_share_sql(self, spec, query):
        """Return the SQL of the part of members in an aggregate, in percent."""
        membership = self._field_to_sql(self._table, "membership", query)
        plain = super()._read_group_select
        whole = plain(spec, query)
        return SQL(
            "100 * COALESCE(%(whole)s FILTER (WHERE %(membership)s = 'member'), 0)"
            "::numeric / NULLIF(%(whole)s, 0)",
            whole=whole,
            membership=membership,
        )

    def _get_comparison_sql(self, parts, is_percent, query):
        """Return the SQL of a ratio of members divided by that of others."""
        numerator, denominator = parts
        membership = self._field_to_sql(self._table, "membership", query)
        plain = super()._read_group_select
        sides = (
            SQL(
                "(%s FILTER (WHERE %s = %s)::numeric "
                "/ NULLIF(%s FILTER (WHERE %s = %s), 0))",
                *(plain(numerator, query), membership, side),
                *(plain(denominator, query), membership, side),
            )
            for side in ("member", "other")
        )
        quotient = SQL("%s / NULLIF(%s, 0)", *sides)
        return SQL("100 * (%s - 1)", quotient) if is_percent else quotient
