from odoo import api, fields, models
from odoo.tools import SQL
from odoo.tools.query import Query


class GarageLoyaltyRetentionFigure(models.Model):
    """What existing customers did in the months of a check: members and others apart.

    A row for this year and one for the year before, so that a graph shows both.
    """

    _name = "garage.loyalty.retention.figure"
    _description = "Repeat Visits of Existing Customers"
    _inherit = ["garage.loyalty.export.mixin"]
    _order = "month desc, company_id, scope, period desc, id desc"
    _rec_name = "month"
    _log_access = False

    check_id = fields.Many2one(
        "garage.loyalty.retention.check",
        required=True,
        readonly=True,
        index=True,
        ondelete="cascade",
    )
    company_id = fields.Many2one(related="check_id.company_id", store=True)
    month = fields.Date(related="check_id.month", store=True)
    scope = fields.Selection(
        [("member", "Members"), ("other", "Non-members")],
        string="Customers",
        required=True,
        readonly=True,
        help="Members are those who were members at their last invoice before the "
        "months compared.",
    )
    period = fields.Selection(
        [("now", "This year"), ("before", "A year before")],
        string="Year",
        required=True,
        readonly=True,
    )
    customers = fields.Integer(
        string="Existing customers",
        readonly=True,
        aggregator="avg",
        help="Whoever had an invoice in so many months before the months compared that "
        "they are not lost.",
    )
    came = fields.Integer(
        string="Of these came",
        readonly=True,
        aggregator="avg",
        help="With at least one visit or invoice in the months compared.",
    )
    visits = fields.Integer(
        string="Repeat visits",
        readonly=True,
        aggregator="avg",
        help="Totals are averages: the months of one row are in the next ones as well.",
    )
    came_share = fields.Float(
        string="Of these came (%)",
        help="Existing customers with at least one visit or invoice in the months.",
        compute="_compute_ratios",
        store=True,
        digits=(16, 1),
        aggregator="avg",
    )
    frequency = fields.Float(
        string="Visits per customer",
        compute="_compute_ratios",
        store=True,
        digits=(16, 2),
        aggregator="avg",
        help="Repeat visits divided by existing customers.",
    )

    @api.depends("customers", "came", "visits")
    def _compute_ratios(self):
        for figure in self:
            customers = figure.customers or 1
            figure.came_share = 100 * figure.came / customers
            figure.frequency = figure.visits / customers

    @api.model
    def _get_ratios(self):
        """Return numerator, denominator and factor of each average.

        Without a denominator it is the number of months: customers and companies add
        up, months that overlap do not. Override to add one; its field needs
        ``aggregator="avg"``.
        """
        return {
            "customers:avg": ("customers:sum", None, 1),
            "came:avg": ("came:sum", None, 1),
            "visits:avg": ("visits:sum", None, 1),
            "came_share:avg": ("came:sum", "customers:sum", 100),
            "frequency:avg": ("visits:sum", "customers:sum", 1),
        }

    def _read_group_select(self, aggregate_spec: str, query: Query) -> SQL:
        select = super()._read_group_select
        ratio = self._get_ratios().get(aggregate_spec)
        if not ratio:
            return select(aggregate_spec, query)
        above, below, factor = ratio
        return SQL(
            "%s * %s::numeric / NULLIF(%s, 0)",
            factor,
            select(above, query),
            select(below, query) if below else self._get_period_count(query),
        )

    @api.model
    def _get_period_count(self, query: Query) -> SQL:
        """Return the SQL of how many months were looked at, this year and before."""
        names = ("month", "period")
        columns = (self._field_to_sql(self._table, name, query) for name in names)
        return SQL("count(DISTINCT (%s))", SQL(", ").join(columns))
