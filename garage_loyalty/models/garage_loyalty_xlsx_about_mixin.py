from collections.abc import Iterable

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.orm.domains import DomainAnd, DomainCondition, DomainNot, DomainOr
from odoo.tools import format_datetime

SIGNS = {"!=": "≠", ">=": "≥", "<=": "≤"}
SHOWN = 10  # values of a condition that are named


class GarageLoyaltyXlsxAboutMixin(models.AbstractModel):
    """What the second sheet of an Excel file says about the first one."""

    _name = "garage.loyalty.xlsx.about.mixin"
    _description = "Words about an Excel File"

    @api.model
    def _get_xlsx_name(self):
        """Return the name of the report. Override where that of the model is none."""
        return self.env["ir.model"]._get(self._name).name

    @api.model
    def _get_xlsx_about(self, domain, book):
        """Return pairs of words and what they are. Override to say more.

        :param book: the workbook after its rows are written
        """
        companies = self.env.companies
        unsummed = ", ".join(book.get_unsummed())
        pairs = [
            (self.env._("Report"), self._get_xlsx_name()),
            (self.env._("Company"), ", ".join(companies.mapped("name"))),
            (
                self.env._("Filter"),
                self._say_xlsx_domain(Domain(domain)) or self.env._("Everything"),
            ),
            (self.env._("Rows"), str(book.count)),
            (self.env._("Made by"), self.env.user.name),
            (self.env._("Made on"), self._say_xlsx_now()),
            (self.env._("Currency"), ", ".join(companies.currency_id.mapped("name"))),
            (
                self.env._("Totals"),
                self.env._("They follow the filters that you set in the sheet."),
            ),
        ]
        if unsummed:
            text = self.env._("Amounts are in several currencies: %s", unsummed)
            pairs.append((self.env._("Without a total"), text))
        return pairs

    def _say_xlsx_now(self):
        now = format_datetime(self.env, fields.Datetime.now(), tz=str(self.env.tz))
        return f"{now} ({self.env.tz})"

    # -- a domain in words ----------------------------------------------------------

    def _say_xlsx_domain(self, domain, model=None):
        """Return a domain in words; "" when it finds everything.

        :param model: the model of the domain; None for this one
        """
        model = self if model is None else model
        if domain.is_true():
            return ""
        if domain.is_false():
            return self.env._("Nothing")
        if isinstance(domain, DomainCondition):
            return self._say_xlsx_condition(domain, model)
        if isinstance(domain, DomainNot):
            return self.env._("not (%s)", self._say_xlsx_domain(domain.child, model))
        if not isinstance(domain, (DomainAnd, DomainOr)):
            return str(domain)
        parts = [self._say_xlsx_domain(child, model) for child in domain.children]
        if isinstance(domain, DomainAnd):
            return "; ".join(parts)
        return f"({self.env._(' or ').join(parts)})"

    def _say_xlsx_condition(self, condition, model):
        labels, field = [], None
        for name in condition.field_expr.split("."):
            field = model._fields.get(name.partition(":")[0])
            if field is None:
                # A part of a date, such as its month.
                labels.append(name)
                continue
            described = model.fields_get([field.name], ["string"]).get(field.name, {})
            labels.append(described.get("string", field.name))
            model = self.env[field.comodel_name] if field.relational else model
        sign = self._say_xlsx_operator(condition.operator)
        value = condition.value
        if condition.operator in ("any", "not any"):
            value = Domain(value)
        value = self._say_xlsx_value(field, value, model)
        return f"{' → '.join(labels)} {sign} {value}"

    def _say_xlsx_operator(self, operator):
        words = {
            "in": "=",
            "not in": "≠",
            "like": self.env._("contains"),
            "ilike": self.env._("contains"),
            "=like": self.env._("matches"),
            "=ilike": self.env._("matches"),
            "not like": self.env._("does not contain"),
            "not ilike": self.env._("does not contain"),
            "child_of": self.env._("is, or belongs to,"),
            "parent_of": self.env._("is, or is above,"),
            "any": self.env._("has"),
            "not any": self.env._("has no"),
        }
        return words.get(operator) or SIGNS.get(operator, operator)

    def _say_xlsx_value(self, field, value, model):
        if isinstance(value, Domain):
            return f"({self._say_xlsx_domain(value, model)})"
        if isinstance(value, bool):
            return self._say_xlsx_truth(field, value)
        values = [value] if isinstance(value, str) else value
        values = list(values) if isinstance(values, Iterable) else [value]
        words = self._say_xlsx_values(field, values[:SHOWN])
        more = [f"… ({len(values)})"] if len(values) > SHOWN else []
        return ", ".join([*words, *more])

    def _say_xlsx_truth(self, field, value):
        if value:
            return self.env._("yes")
        is_boolean = field is not None and field.type == "boolean"
        return self.env._("no") if is_boolean else self.env._("(nothing)")

    def _say_xlsx_values(self, field, values):
        if field is not None and field.relational:
            ids = [item for item in values if isinstance(item, int) and item]
            others = [str(item) for item in values if not isinstance(item, int)]
            return self._get_xlsx_names(field.comodel_name, ids) + others
        if field is not None and field.type == "selection":
            labels = dict(field._description_selection(self.env))
            values = [labels.get(item, item) for item in values]
        return [str(item) for item in values]

    def _get_xlsx_names(self, model, ids):
        """Return the names of those records that the user may read."""
        records = self.env[model].with_context(active_test=False)
        if not records.has_access("read"):
            return [str(item) for item in ids]
        return records.search([("id", "in", ids)]).mapped("display_name")
