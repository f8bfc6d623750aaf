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
        _, companies = self.env._, self.env.companies
        unsummed = ", ".join(book.get_unsummed())
        pairs = [
            (_("Report"), self._get_xlsx_name()),
            (_("Company"), ", ".join(companies.mapped("name"))),
            (_("Filter"), self._say_domain(Domain(domain)) or _("Everything")),
            (_("Rows"), str(book.count)),
            (_("Made by"), self.env.user.name),
            (_("Made on"), self._say_now()),
            (_("Currency"), ", ".join(companies.currency_id.mapped("name"))),
            (_("Totals"), _("They follow the filters that you set in the sheet.")),
        ]
        if unsummed:
            text = _("Amounts are in several currencies: %s", unsummed)
            pairs.append((_("Without a total"), text))
        return pairs

    def _say_now(self):
        zone = self.env.tz.key if hasattr(self.env.tz, "key") else str(self.env.tz)
        return f"{format_datetime(self.env, fields.Datetime.now())} ({zone})"

    # -- a domain in words ----------------------------------------------------------

    def _say_domain(self, domain):
        """Return a domain in words; "" when it finds everything."""
        if domain.is_true():
            return ""
        if domain.is_false():
            return self.env._("Nothing")
        if isinstance(domain, DomainAnd):
            return "; ".join(map(self._say_domain, domain.children))
        if isinstance(domain, DomainOr):
            parts = map(self._say_domain, domain.children)
            return f"({self.env._(' or ').join(parts)})"
        if isinstance(domain, DomainNot):
            return self.env._("not (%s)", self._say_domain(domain.child))
        if isinstance(domain, DomainCondition):
            return self._say_condition(domain)
        return str(domain)

    def _say_condition(self, condition):
        model, labels, field = self, [], None
        for name in condition.field_expr.split("."):
            name = name.partition(":")[0]
            field = model._fields.get(name)
            if field is None:
                # A part of a date, such as its month.
                labels.append(name)
                continue
            described = model.fields_get([name], ["string"]).get(name, {})
            labels.append(described.get("string", name))
            model = self.env[field.comodel_name] if field.relational else model
        value = self._say_value(field, condition.value)
        return f"{' → '.join(labels)} {self._say_operator(condition.operator)} {value}"

    def _say_operator(self, operator):
        _ = self.env._
        words = {
            "in": "=",
            "not in": "≠",
            "like": _("contains"),
            "ilike": _("contains"),
            "=like": _("matches"),
            "=ilike": _("matches"),
            "not like": _("does not contain"),
            "not ilike": _("does not contain"),
            "child_of": _("is, or belongs to,"),
            "parent_of": _("is, or is above,"),
            "any": _("has"),
            "not any": _("has no"),
        }
        return words.get(operator) or SIGNS.get(operator, operator)

    def _say_value(self, field, value):
        if isinstance(value, Domain):
            comodel = self.env[field.comodel_name] if field.relational else self
            words = comodel._say_domain(value) if comodel is self else str(value)
            return f"({words})"
        if isinstance(value, bool) or value is None:
            return self.env._("yes") if value else self.env._("no, or not set")
        values = list(value) if isinstance(value, (list, tuple, set)) else [value]
        if hasattr(value, "__iter__") and not isinstance(value, (str, bytes)):
            values = list(value)
        words = self._say_values(field, values[:SHOWN])
        more = [f"… ({len(values)})"] if len(values) > SHOWN else []
        return ", ".join([*words, *more])

    def _say_values(self, field, values):
        if field is not None and field.relational:
            ids = [item for item in values if isinstance(item, int) and item]
            others = [str(item) for item in values if not isinstance(item, int)]
            return self._get_names(field.comodel_name, ids) + others
        if field is not None and field.type == "selection":
            labels = dict(field._description_selection(self.env))
            values = [labels.get(item, item) for item in values]
        return [str(item) for item in values]

    def _get_names(self, model, ids):
        """Return the names of those records that the user may read."""
        records = self.env[model].with_context(active_test=False)
        if not records.has_access("read"):
            return [str(item) for item in ids]
        return records.search([("id", "in", ids)]).mapped("display_name")
