from odoo import api, fields, models
from odoo.tools import SQL
from odoo.tools.query import Query

from ..tools.domains import first_day
from .garage_loyalty_frequency_query import LINES

COUNTS = ("visit_count", "customer_count")
SIDES = {
    "member_frequency": "member",
    "other_frequency": "other",
    "target_frequency": "target",
}


class GarageLoyaltyFrequency(models.Model):
    """How often members and others came within twelve months, month by month.

    One row for each month that is over and each line of the graph: the paid repair
    orders of the twelve months that end with it, the customers with at least one, and
    the target, which is what others came multiplied by a setting of the company. A
    month by itself says nothing of how often customers come: nearly all come once.

    Membership is that on the day of the visit. Who came as a member and as a non-member
    counts on both lines, and once in their total (``both_count``). Months of a group,
    such as a quarter, are averaged; those without any customer are no rows.
    """

    _name = "garage.loyalty.frequency"
    _description = "Visit Frequency in Twelve Months"
    _inherit = [
        "garage.loyalty.export.mixin",
        "garage.loyalty.frequency.query",
        "garage.loyalty.ratio.mixin",
    ]
    _auto = False
    _order = "date desc, line, customer_kind, id"
    _rec_name = "date"
    _depends = {
        "garage.loyalty.visit": [
            "amount",
            "amount_discount",
            "company_id",
            "date",
            "is_member",
            "is_warranty",
            "kind",
            "partner_id",
            "prev_paid_date",
            "prev_same_date",
        ],
        "res.company": ["loyalty_frequency_target"],
        "res.partner": ["is_company"],
    }

    date = fields.Date(
        string="Month", readonly=True, help="The last of the twelve months."
    )
    line = fields.Selection(LINES, string="Membership then", readonly=True)
    customer_kind = fields.Selection(
        [("private", "Private"), ("company", "Company")],
        string="Customer kind",
        readonly=True,
    )
    company_id = fields.Many2one("res.company", readonly=True)
    visit_count = fields.Float(
        string="Visits in 12 months",
        readonly=True,
        digits=(16, 1),
        help="Finished, invoiced repair orders, neither under warranty nor of no "
        "value. The average, where several months are together.",
    )
    customer_count = fields.Float(
        string="Customers in 12 months",
        readonly=True,
        digits=(16, 1),
        help="Customers with at least one of these visits. The average, where several "
        "months are together.",
    )
    both_count = fields.Float(
        string="Customers on both lines",
        readonly=True,
        aggregator=None,
        help="They came as non-members and as members within the twelve months.",
    )
    visit_frequency = fields.Float(
        string="Visit frequency",
        readonly=True,
        aggregator="avg",
        digits=(16, 2),
        help="Visits within twelve months, divided by the customers with at least one.",
    )
    member_frequency = fields.Float(
        string="Members' frequency", readonly=True, aggregator="avg", digits=(16, 2)
    )
    other_frequency = fields.Float(
        string="Non-members' frequency", readonly=True, aggregator="avg", digits=(16, 2)
    )
    target_frequency = fields.Float(
        string="Target frequency",
        readonly=True,
        aggregator="avg",
        digits=(16, 2),
        help="How often members should come: as often as non-members, multiplied by "
        "the goal in the settings.",
    )
    frequency_ratio = fields.Float(
        string="Times as often",
        readonly=True,
        aggregator="avg",
        digits=(16, 2),
        help="How many times as often members come as others. It also says who joins, "
        "not only what membership does.",
    )

    @property
    def _table_query(self) -> SQL:
        self._compile_nothing()
        return self._get_table_query()

    @api.model
    def _search(self, domain, *args, **kwargs):
        """Read only the visits that the months asked for are about."""
        model = self.with_context(loyalty_since=first_day(self, domain, "date"))
        return super(GarageLoyaltyFrequency, model)._search(domain, *args, **kwargs)

    def _read_group_select(self, aggregate_spec: str, query: Query) -> SQL:
        name = aggregate_spec.partition(":")[0]
        if name in COUNTS:
            return self._get_count_sql(name, query)
        if name == "visit_frequency":
            visits, customers = (self._get_count_sql(count, query) for count in COUNTS)
            return SQL("%s / NULLIF(%s, 0)", visits, customers)
        if name in SIDES:
            return self._get_side_sql(SIDES[name], query)
        if name == "frequency_ratio":
            sides = (self._get_side_sql(side, query) for side in ("member", "other"))
            return SQL("%s / NULLIF(%s, 0)", *sides)
        return super()._read_group_select(aggregate_spec, query)

    @api.model
    def _get_count_sql(self, name, query):
        """Return the SQL of a count in a group: its months averaged, nobody twice.

        The target is added to nobody: it shows where it is alone.
        """
        line = self._field_to_sql(self._table, "line", query)
        date = self._field_to_sql(self._table, "date", query)
        count = self._field_to_sql(self._table, name, query)
        twice = SQL("0")
        if name == "customer_count":
            twice = SQL(
                "CASE WHEN count(DISTINCT %(line)s) FILTER (WHERE %(line)s <> 'target')"
                " = 2 THEN sum(%(both)s) ELSE 0 END",
                line=line,
                both=self._field_to_sql(self._table, "both_count", query),
            )
        return SQL(
            "((CASE WHEN bool_and(%(line)s = 'target') THEN sum(%(count)s) "
            "ELSE sum(%(count)s) FILTER (WHERE %(line)s <> 'target') END - %(twice)s)"
            " / count(DISTINCT %(date)s))",
            line=line,
            count=count,
            twice=twice,
            date=date,
        )

    @api.model
    def _get_side_sql(self, side, query):
        """Return the SQL of the frequency of one line in a group."""
        line = self._field_to_sql(self._table, "line", query)
        visits, customers = (
            SQL(
                "sum(%s) FILTER (WHERE %s = %s)",
                self._field_to_sql(self._table, name, query),
                line,
                side,
            )
            for name in COUNTS
        )
        return SQL("(%s / NULLIF(%s, 0))", visits, customers)
