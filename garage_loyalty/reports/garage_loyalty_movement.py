from itertools import chain

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from ..tools.movement import month_number

# Rows of one month differ by these and by the months without an invoice: a report that
# mixed them would count twice. The first of each is the whole, the others its parts.
SCOPES = [("all", "Everybody"), ("member", "Members"), ("other", "Non-members")]
KINDS = [
    ("all", "All"),
    ("first", "First"),
    ("returning", "Returning"),
    ("lapsed", "Lapsed"),
]
KIND_FIGURES = {
    "first": "first_count",
    "returning": "returning_count",
    "lapsed": "lapsed",
}
# Numbers of months for which the search view has a filter.
FILTERED_MONTHS = (6, 12, 18, 24)


class GarageLoyaltyMovement(models.Model):
    """Who is leaving and who is new, a row for each calendar month.

    Computed from the invoices as they are now: a late invoice changes the figures. The
    rules are those of ``tools.movement``. Unless the domain chooses a number of months
    or between members and others, rows are of the company's setting, and of everybody.
    Who groups by members, or by what the net is made of, gets the parts of each.
    """

    _name = "garage.loyalty.movement"
    _description = "Monthly Movement of Customers"
    _inherit = ["garage.loyalty.export.mixin", "garage.loyalty.movement.query"]
    _auto = False
    _order = "month desc, id desc"
    _rec_name = "month"
    _depends = {
        "account.move": [
            "commercial_partner_id",
            "company_id",
            "invoice_date",
            "move_type",
            "state",
        ],
        "garage.loyalty.active.month": ["partner_id"],
        "garage.loyalty.changed.customer": ["partner_id"],
        "garage.loyalty.movement.count": ["customers", "visits"],
        "garage.loyalty.visit": ["date", "partner_id"],
        "res.company": ["loyalty_company_id"],
    }

    month = fields.Date(readonly=True, help="Its first day.")
    company_id = fields.Many2one("res.company", readonly=True)
    scope = fields.Selection(
        SCOPES,
        string="Customers",
        readonly=True,
        help="Members are those who were members at their last invoice until then.",
    )
    kind = fields.Selection(
        KINDS,
        string="Movement",
        readonly=True,
        help="Group by it to see what the net is made of: who came for the first time "
        "or again, less who left.",
    )
    gap = fields.Integer(
        string="Months without an invoice",
        readonly=True,
        aggregator=None,
        help="After so many calendar months without an invoice a customer counts as "
        "lapsed; who comes after more than that counts as returning.",
    )
    is_running = fields.Boolean(
        string="Running month",
        readonly=True,
        help="The month is not over: whoever is counted as lapsed may still come.",
    )
    lapsed = fields.Integer(
        readonly=True,
        help="Customers whose months without an invoice were complete at the end of "
        "this month. Everybody is counted in one month only.",
    )
    returned = fields.Integer(
        string="Came back since",
        readonly=True,
        help="Of those who lapsed in this month: how many have had an invoice since.",
    )
    first_count = fields.Integer(
        string="First", readonly=True, help="Customers invoiced for the first time."
    )
    returning_count = fields.Integer(
        string="Returning",
        readonly=True,
        help="Customers invoiced again after they had lapsed.",
    )
    net = fields.Integer(readonly=True, help="First and returning, less lapsed.")
    active_count = fields.Integer(
        string="Active customers",
        readonly=True,
        aggregator="avg",
        help="Customers with an invoice in the last months, this one included. Totals "
        "are averages per month.",
    )
    visits = fields.Integer(
        string="Workshop visits",
        readonly=True,
        help="Repair orders finished in this month and invoiced.",
    )
    inspections = fields.Integer(
        string="Periodic inspections",
        readonly=True,
        help="Invoiced in this month, less what was credited. Products say that they "
        "are inspections.",
    )
    reinspections = fields.Integer(
        string="Re-inspections",
        readonly=True,
        help="Invoiced in this month, less what was credited. Products say that they "
        "are re-inspections.",
    )

    @api.depends("month", "is_running")
    def _compute_display_name(self):
        for row in self:
            row.display_name = row.month and fields.Date.to_string(row.month)[:7]

    @api.model
    def _search(self, domain, *args, **kwargs):
        """Choose the months of the setting, and everybody, unless the domain does.

        Rows that are known by their ids say so themselves: others are not computed.
        """
        domain = Domain(domain)
        asked = {item.field_expr: item for item in domain.iter_conditions()}
        chosen = self._get_choices(asked["id"]) if "id" in asked else {}
        if "id" not in asked:
            company = self.env.company.loyalty_company_id
            chosen = {
                "gap": [company.loyalty_lapse_months],
                "scope": ["all"],
                "kind": ["all"],
            }
        for name, values in chosen.items():
            if name not in asked:
                domain &= Domain(name, "in", values)
        return super()._search(domain, *args, **kwargs)

    @api.model
    def _get_choices(self, condition):
        """Return the months, scopes and kinds of rows whose ids are asked for.

        The ids are made of them, see ``_select``.
        """
        if condition.operator not in ("=", "in"):
            return {}
        ids = condition.value if condition.operator == "in" else [condition.value]
        if not all(isinstance(item, int) for item in ids):
            return {}
        return {
            "gap": list({item // 100 % 100 for item in ids}),
            "kind": list({KINDS[item // 10 % 10 % len(KINDS)][0] for item in ids}),
            "scope": list({SCOPES[item % 10 % len(SCOPES)][0] for item in ids}),
        }

    @api.model
    def _read_group(self, domain, groupby=(), *args, **kwargs):
        domain = self._get_parts_domain(domain, groupby)
        return super()._read_group(domain, groupby, *args, **kwargs)

    @api.model
    def _read_grouping_sets(self, domain, grouping_sets, *args, **kwargs):
        groupby = set(chain.from_iterable(grouping_sets))
        domain = self._get_parts_domain(domain, groupby)
        return super()._read_grouping_sets(domain, grouping_sets, *args, **kwargs)

    @api.model
    def _get_parts_domain(self, domain, groupby):
        """Return the domain of the parts that rows are grouped by, not of the whole."""
        domain = Domain(domain)
        asked = {item.field_expr for item in domain.iter_conditions()}
        for name in ("scope", "kind"):
            if name in groupby and name not in asked:
                domain &= Domain(name, "!=", "all")
        return domain

    # -- buttons ------------------------------------------------------------------

    @api.model
    def action_open(self):
        """Open the report with the number of months of the setting.

        :return: an action whose facet shows the number, and which can be replaced
        """
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "garage_loyalty.garage_loyalty_movement_action"
        )
        months = self.env.company.loyalty_company_id.loyalty_lapse_months
        # As a filter, where there is one: another one then replaces it by two clicks,
        # and never leaves an empty list.
        if months in FILTERED_MONTHS:
            return action | {"context": {f"search_default_filter_gap_{months}": 1}}
        return action | {"context": {"search_default_gap": months}}

    def action_open_customers(self, figure="moved"):
        """Open the customers that a figure of the month counts.

        :param figure: name of the field that was clicked; both sides if not said
        """
        self.ensure_one()
        figure = self.env.context.get("figure", figure)
        if figure in ("moved", "net"):
            figure = KIND_FIGURES.get(self.kind, figure)
        # What was posted a moment ago is listed too: anybody who sees the report may
        # bring the facts in line with the documents.
        self.env["garage.loyalty.changed.customer"].sudo()._process()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "garage_loyalty.garage_loyalty_customer_action_movement"
        )
        number = month_number(self.month)
        value = f"{figure},{number},{self.gap},{self.scope}"
        title = self._get_title(figure)
        return action | {
            "name": title,
            "display_name": title,
            "domain": [
                ("company_id", "=", self.company_id.id),
                ("movement", "=", value),
            ],
            "context": {"loyalty_movement": value},
        }

    def _get_title(self, figure):
        """Return the title of the customers behind a figure."""
        month = fields.Date.to_string(self.month)[:7]
        if figure not in self._fields:
            return self.env._("New and lapsed in %s", month)
        label = self._fields[figure]._description_string(self.env)
        return self.env._("%(figure)s, %(month)s", figure=label, month=month)

    # -- the query ------------------------------------------------------------------

    @property
    def _table_query(self) -> SQL:
        return SQL("%s %s", self._select(), self._from())

    @api.model
    def _select(self) -> SQL:
        """Return the columns. Override, calling super, to add one."""
        return SQL(
            """
            SELECT ((company_id::bigint * 100000 + number) * 100 + gap) * 100
                   + place * 10
                   + CASE scope WHEN 'all' THEN 0 WHEN 'member' THEN 1 ELSE 2 END AS id,
                   company_id, scope, kind, gap, is_running,
                   make_date(number / 12, number %% 12 + 1, 1) AS month,
                   part.lapsed, part.returned, part.first_count, part.returning_count,
                   part.first_count + part.returning_count - part.lapsed AS net,
                   part.active_count, part.visits, part.inspections, part.reinspections
            """
        )

    @api.model
    def _from(self) -> SQL:
        """Return the rows. Override, calling super, to join one more table."""
        return SQL(
            "FROM (%s) months CROSS JOIN LATERAL (%s) part",
            self._get_rows(),
            self._get_parts(),
        )
