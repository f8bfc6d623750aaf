from odoo import api, fields, models
from odoo.tools import SQL, format_date
from odoo.tools.query import Query
from odoo.tools.safe_eval import safe_eval

from .garage_loyalty_roll_forward_query import FIGURES

# Which end of a period each of these figures belongs to.
ENDS = {
    "opening": "min",
    "opening_amount": "min",
    "closing": "max",
    "closing_amount": "max",
}


def _points(label, help=None):
    return fields.Integer(string=label, readonly=True, help=help)


def _money(label, help=None):
    return fields.Monetary(string=label, readonly=True, help=help)


class GarageLoyaltyRollForward(models.Model):
    """What is owed in points, and why it moved: a row for each programme and month.

    Opening and all movements make the closing, in points and in money, and the closing
    of a month is the opening of the next. Of a group of months, the opening is that of
    the first and the closing that of the last. The context may ask for a period that
    begins and ends on any day, as ``loyalty_from`` and ``loyalty_to``.

    What is owed for a point is what it takes off times the share that is expected to be
    redeemed, by the valuations of the programme; a new one revalues what is
    outstanding. Amounts of a programme are rounded so that they add up.
    """

    _name = "garage.loyalty.roll.forward"
    _description = "Roll-Forward of Points"
    _inherit = [
        "garage.loyalty.roll.forward.query",
        "garage.loyalty.export.mixin",
        "garage.loyalty.ratio.mixin",
    ]
    _auto = False
    _order = "month desc, program_id, id"
    _rec_name = "month"
    _depends = {
        "garage.loyalty.entry": ["company_id", "date", "kind", "points", "program_id"],
        "garage.loyalty.program": ["company_id"],
        "garage.loyalty.valuation": ["date", "program_id", "worth"],
        "res.company": ["currency_id"],
        "res.currency": ["decimal_places"],
    }

    month = fields.Date(readonly=True, help="Its first day.")
    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    program_id = fields.Many2one(
        "garage.loyalty.program", string="Programme", readonly=True
    )
    is_running = fields.Boolean(
        string="Running month", readonly=True, help="The month is not over."
    )
    opening = _points("Opening", "Points outstanding when the first month begins.")
    earned = _points("Earned", "Points given for sales.")
    opened = _points("Opening balances", "Points that were taken over from elsewhere.")
    redeemed = _points("Redeemed", "Points that members have spent on rewards.")
    restored = _points("Given back", "Redeemed points, by credit notes.")
    expired = _points("Expired", "Points that were not spent by their last day.")
    taken_back = _points("Clawed back", "Earned points, by credit notes.")
    adjusted = _points("Adjusted", "Gifts, goodwill and corrections.")
    transferred = _points(
        "Transferred", "Between accounts. 0 as long as they are of one programme."
    )
    closing = _points("Closing", "Points outstanding when the last month ends.")
    opening_amount = _money(
        "Opening (value)",
        "What was owed for the points outstanding when the first month begins.",
    )
    earned_amount = _money(
        "Earned (value)", "What is owed more, for the points that were earned."
    )
    opened_amount = _money(
        "Opening balances (value)", "What is owed more, for points from elsewhere."
    )
    redeemed_amount = _money(
        "Redeemed (value)", "What is owed less, for the points redeemed."
    )
    restored_amount = _money(
        "Given back (value)", "What is owed more, for points given back."
    )
    expired_amount = _money(
        "Expired (value)", "What is owed less, for the points expired."
    )
    taken_back_amount = _money(
        "Clawed back (value)", "What is owed less, for earned points taken back."
    )
    adjusted_amount = _money(
        "Adjusted (value)", "What is owed more or less by adjustments."
    )
    transferred_amount = _money(
        "Transferred (value)", "What is owed more or less by transfers."
    )
    revalued_amount = _money(
        "Revalued",
        "What a new value of a point, or a new share that is expected to be redeemed, "
        "has changed in what was owed already.",
    )
    closing_amount = _money(
        "Closing (value)", "What is owed for the points outstanding."
    )

    @api.depends("month", "program_id")
    def _compute_display_name(self):
        for row in self:
            month = fields.Date.to_string(row.month)
            row.display_name = month and f"{row.program_id.display_name}, {month[:7]}"

    def _read_group_select(self, aggregate_spec: str, query: Query) -> SQL:
        name, _colon, func = aggregate_spec.partition(":")
        plain = super()._read_group_select(aggregate_spec, query)
        if name not in ENDS or func not in ("sum", "sum_currency"):
            return plain
        # The same figure, in whatever currency, of each row instead of all of them.
        figures = SQL(plain.code.replace("SUM(", "array_agg(", 1), *plain.params)
        month = self._field_to_sql(self._table, "month", query)
        return SQL(
            "(SELECT sum(figure) FROM unnest(array_agg(%(month)s), %(figures)s) "
            "AS item (month, figure) WHERE item.month = %(end)s(%(month)s))",
            month=month,
            figures=figures,
            end=SQL(ENDS[name]),
        )

    @api.readonly
    def action_open_entries(self):
        """Open the entries of the ledger that a figure of the month is made of.

        The context tells the ``figure`` that was clicked: all that moved the balance,
        where it is none; all until then, for what is outstanding.
        """
        self.ensure_one()
        figure = (self.env.context.get("figure") or "").removesuffix("_amount")
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "garage_loyalty.garage_loyalty_entry_action"
        )
        title = self._get_title(figure)
        return action | {
            "name": title,
            "display_name": title,
            "domain": self._get_entry_domain(figure),
            "context": self._get_entry_context(figure),
        }

    def _get_entry_context(self, figure):
        """Return the context in which the entries behind a figure are shown."""
        return {}

    def _get_entry_domain(self, figure):
        """Return the domain of the entries behind a figure."""
        first, last = self._get_days()
        domain = [("program_id", "=", self.program_id.id)]
        if figure == "opening":
            return [*domain, ("date", "<", first)]
        if figure == "closing":
            return [*domain, ("date", "<=", last)]
        kinds = [kind for kind, name in FIGURES.items() if name == figure]
        domain += [("date", ">=", first), ("date", "<=", last)]
        return [*domain, ("kind", "in", kinds)] if kinds else domain

    def _get_days(self):
        """Return the first and the last day of the month, as far as of the period."""
        start, end = self._get_period()
        last = fields.Date.end_of(self.month, "month")
        return max(self.month, start or self.month), min(last, end or last)

    @api.model
    @api.readonly
    def action_open(self):
        """Open the report of the period of the context, which its title says."""
        name = f"garage_loyalty.{self._name.replace('.', '_')}_action"
        action = self.env["ir.actions.act_window"]._for_xml_id(name)
        start, end = self._get_period()
        if not (start and end):
            return action
        first, last = (format_date(self.env, day) for day in (start, end))
        title = self.env._(
            "Owed in points, %(first)s to %(last)s", first=first, last=last
        )
        context = safe_eval(action["context"] or "{}")
        context.pop("search_default_filter_year", None)
        context |= {
            "loyalty_from": fields.Date.to_string(start),
            "loyalty_to": fields.Date.to_string(end),
        }
        return action | {"name": title, "display_name": title, "context": context}

    # -- Excel ------------------------------------------------------------------------

    @api.model
    def _get_xlsx_about(self, domain, book):
        start, end = self._get_period()
        pairs = [(self.env._("From"), start), (self.env._("Until"), end)]
        told = [(label, format_date(self.env, day)) for label, day in pairs if day]
        return [*told, *super()._get_xlsx_about(domain, book)]

    def _get_title(self, figure):
        """Return the title of the entries behind a figure."""
        month = fields.Date.to_string(self.month)[:7]
        if figure not in self._fields:
            return self.env._("Points in %s", month)
        label = self._fields[figure]._description_string(self.env)
        return self.env._("%(figure)s, %(month)s", figure=label, month=month)
