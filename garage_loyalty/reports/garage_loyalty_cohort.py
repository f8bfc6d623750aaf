from odoo import api, fields, models
from odoo.fields import Domain

from ..tools.cohorts import SPANS
from ..tools.movement import month_number, month_start


def _due(span):
    return fields.Integer(
        string=f"Known for {span} months",
        readonly=True,
        help="Customers whose first visit was long enough ago. The others are left out "
        "of the figures of these months.",
    )


def _came(span):
    return fields.Integer(
        string=f"Back within {span} months",
        readonly=True,
        help="Customers with another visit, on a later day, until the end of the "
        "calendar month so long after the first one.",
    )


def _share(span):
    return fields.Float(
        string=f"Back within {span} months (%)",
        readonly=True,
        digits=(16, 1),
        aggregator="avg",
        help="Of the customers whose first visit was long enough ago. Totals are of "
        "all these customers, not averages of percentages.",
    )


def _amount(span):
    return fields.Monetary(
        string=f"Net in {span} months",
        readonly=True,
        help="Net invoiced for repair orders, the first visit included, of customers "
        "whose first visit was long enough ago.",
    )


def _value(span):
    return fields.Monetary(
        string=f"Net per customer in {span} months",
        readonly=True,
        aggregator="avg",
        help="Net invoiced for repair orders, the first visit included, divided by all "
        "customers whose first visit was long enough ago.",
    )


class GarageLoyaltyCohort(models.Model):
    """Customers by the month of their first visit: who came back, and what they paid.

    The rules are those of ``tools.cohorts``. Ratios are computed by the database for
    every grouping, from the sums of that grouping; cohorts that are not old enough for
    a span are in neither.
    """

    _name = "garage.loyalty.cohort"
    _description = "Customers by First Visit"
    _inherit = [
        "garage.loyalty.export.mixin",
        "garage.loyalty.cohort.query",
        "garage.loyalty.ratio.mixin",
    ]
    _auto = False
    _order = "month desc, membership, customer_kind, id desc"
    _rec_name = "month"
    _depends = {
        "garage.loyalty.changed.customer": ["partner_id"],
        "garage.loyalty.customer": ["partner_id"],
        "garage.loyalty.visit": [
            "amount",
            "amount_discount",
            "company_id",
            "date",
            "is_member",
            "is_warranty",
            "kind",
            "partner_id",
        ],
        "res.company": ["currency_id", "loyalty_company_id"],
        "res.partner": ["is_company"],
    }

    month = fields.Date(string="First visit in", readonly=True, help="Its first day.")
    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    membership = fields.Selection(
        [("member", "Members"), ("other", "Non-members")],
        string="Membership then",
        readonly=True,
        help="Members are those who were members on the day of their first visit. Who "
        "joined later counts as a non-member: to join later one has to come back, so "
        "it would make the programme look better than it is.",
    )
    customer_kind = fields.Selection(
        [("private", "Private"), ("company", "Company")], readonly=True
    )
    is_running = fields.Boolean(
        string="Running month",
        readonly=True,
        help="The month is not over: more customers may come for the first time.",
    )
    customers = fields.Integer(
        readonly=True,
        help="Customers whose first visit was in this month. A visit is a finished, "
        "invoiced repair order that was neither under warranty nor free.",
    )
    due_3 = _due(3)
    due_6 = _due(6)
    due_12 = _due(12)
    due_13 = _due(13)
    due_24 = _due(24)
    came_3 = _came(3)
    came_6 = _came(6)
    came_12 = _came(12)
    came_13 = _came(13)
    came_24 = _came(24)
    share_3 = _share(3)
    share_6 = _share(6)
    share_12 = _share(12)
    share_13 = _share(13)
    share_24 = _share(24)
    amount_3 = _amount(3)
    amount_6 = _amount(6)
    amount_12 = _amount(12)
    amount_13 = _amount(13)
    amount_24 = _amount(24)
    value_3 = _value(3)
    value_6 = _value(6)
    value_12 = _value(12)
    value_13 = _value(13)
    value_24 = _value(24)

    @api.depends("month")
    def _compute_display_name(self):
        for row in self:
            row.display_name = row.month and fields.Date.to_string(row.month)[:7]

    @api.model
    def _get_ratios(self):
        ratios = super()._get_ratios()
        for span in SPANS:
            due = f"due_{span}:sum"
            ratios[f"share_{span}:avg"] = (f"came_{span}:sum", due, 100)
            ratios[f"value_{span}:avg"] = (f"amount_{span}:sum", due, 1)
        return ratios

    # -- buttons ------------------------------------------------------------------

    def action_open_customers(self):
        """Open the customers of a cohort; of a share, those of them who came back.

        The context tells the ``figure`` that was clicked.
        """
        self.ensure_one()
        span = self._get_figure_span(self.env.context.get("figure"))
        # What was posted a moment ago is listed too: anybody who sees the report may
        # bring the facts in line with the documents.
        self.env["garage.loyalty.changed.customer"].sudo()._process()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "garage_loyalty.garage_loyalty_customer_action_movement"
        )
        title = self._get_title(span)
        return action | {
            "name": title,
            "display_name": title,
            "domain": list(self._get_customer_domain(span)),
            "context": {},
        }

    @api.model
    def _get_figure_span(self, figure):
        """Return the months of a figure of those who came back, None of any other."""
        spans = {f"{name}_{span}": span for name in ("came", "share") for span in SPANS}
        return spans.get(figure)

    def _get_customer_domain(self, span):
        """Return the domain of the customers of the cohort, or of who came back."""
        number = month_number(self.month)
        domain = (
            Domain("company_id", "=", self.company_id.id)
            & Domain("first_visit_date", ">=", month_start(number))
            & Domain("first_visit_date", "<", month_start(number + 1))
            & Domain("is_first_member", "=", self.membership == "member")
            & Domain("partner_id.is_company", "=", self.customer_kind == "company")
        )
        if span:
            domain &= Domain("second_visit_date", "<", month_start(number + span + 1))
        return domain

    def _get_title(self, span):
        """Return the title of the customers of the cohort, or of who came back."""
        month = fields.Date.to_string(self.month)[:7]
        if not span:
            return self.env._("First visit in %s", month)
        label = self._fields[f"came_{span}"]._description_string(self.env)
        return self.env._(
            "%(figure)s, first visit in %(month)s", month=month, figure=label
        )
