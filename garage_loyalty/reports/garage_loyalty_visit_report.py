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
    _inherit = ["garage.loyalty.export.mixin"]
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
        "res.company": ["currency_id"],
        "res.partner": ["is_company"],
    }

    date = fields.Date(readonly=True)
    kind = fields.Selection(KINDS, readonly=True)
    membership = fields.Selection(
        [("member", "Members"), ("other", "Non-members")],
        string="Membership then",
        readonly=True,
        help="Whether the customer was an active member on the day of the visit.",
    )
    customer_kind = fields.Selection(
        [("private", "Private"), ("company", "Company")], readonly=True
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
    amount = fields.Monetary(string="Net invoiced", readonly=True)
    amount_labour = fields.Monetary(string="Labour", readonly=True)
    amount_parts = fields.Monetary(string="Parts", readonly=True)
    amount_discount = fields.Monetary(string="Paid with points", readonly=True)
    amount_before_discount = fields.Monetary(string="Net before rewards", readonly=True)
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
        readonly=True,
        aggregator="avg",
        digits=(16, 2),
        help="Visits divided by the customers with at least one of them.",
    )
    customer_value = fields.Monetary(
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
        string="Frequency ratio",
        readonly=True,
        aggregator="avg",
        digits=(16, 2),
        help="How many times as often members come as others, within the period of the "
        "group. The raw ratio, as for ARO.",
    )

    @property
    def _table_query(self) -> SQL:
        return SQL("%s %s %s", self._select(), self._from(), self._where())

    @api.model
    def _select(self) -> SQL:
        """Return the columns. Override, calling super, to add one."""
        return SQL(
            """
            SELECT visit.id, visit.date, visit.kind, visit.company_id,
                   company.currency_id, visit.partner_id, visit.member_id,
                   visit.tier_id, visit.user_id, visit.repair_id, visit.is_warranty,
                   CASE WHEN visit.is_member THEN 'member' ELSE 'other' END
                       AS membership,
                   CASE WHEN visit.kind <> 'repair' THEN NULL
                        WHEN visit.prev_date IS NULL THEN 'new' ELSE 'returning' END
                       AS customer_type,
                   visit.date - visit.prev_date AS days_since,
                   CASE WHEN partner.is_company THEN 'company' ELSE 'private' END
                       AS customer_kind,
                   visit.partner_id AS customer_count, 1 AS visit_count,
                   visit.amount, visit.amount_labour, visit.amount_parts,
                   visit.amount_discount,
                   visit.amount + visit.amount_discount AS amount_before_discount,
                   visit.amount AS aro,
                   visit.amount + visit.amount_discount AS aro_before_discount,
                   1.0 AS visit_frequency, visit.amount AS customer_value,
                   NULL::float AS aro_uplift, NULL::float AS frequency_ratio
            """
        )

    @api.model
    def _from(self) -> SQL:
        """Return the tables. Override, calling super, to join one more."""
        return SQL(
            """
              FROM garage_loyalty_visit visit
              JOIN res_company company ON company.id = visit.company_id
              JOIN res_partner partner ON partner.id = visit.partner_id
            """
        )

    @api.model
    def _where(self) -> SQL:
        """Return the condition on all visits. Override, calling super, to narrow."""
        return SQL("")

    @api.model
    def _get_ratios(self):
        """Return (numerator, denominator) of each ratio, as aggregates.

        Override to add a ratio of your own; its field needs ``aggregator="avg"``.
        """
        return {
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
        }

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

    def _read_group_select(self, aggregate_spec: str, query: Query) -> SQL:
        comparison = self._get_comparisons().get(aggregate_spec)
        if comparison:
            return self._get_comparison_sql(*comparison, query)
        ratio = self._get_ratios().get(aggregate_spec)
        if not ratio:
            return super()._read_group_select(aggregate_spec, query)
        numerator, denominator = (
            super(GarageLoyaltyVisitReport, self)._read_group_select(spec, query)
            for spec in ratio
        )
        return SQL("%s::numeric / NULLIF(%s, 0)", numerator, denominator)

    def _get_comparison_sql(self, ratio, is_percent, query):
        """Return the SQL of a ratio of members divided by that of others."""
        numerator, denominator = self._get_ratios()[ratio]
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
