from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

KINDS = [("private", "Private"), ("company", "Company")]


class GarageLoyaltyCustomerKindMixin(models.AbstractModel):
    """Reports on customers of either kind.

    Their query has a column ``is_firm``, never NULL, beside ``customer_kind``.
    PostgreSQL knows how many partners are companies, but takes the text that is made of
    it for a rare one, and then looks customers up one after the other.
    """

    _name = "garage.loyalty.customer.kind.mixin"
    _description = "Report on Kinds of Customers"

    customer_kind = fields.Selection(KINDS, string="Customer kind", readonly=True)

    @api.model
    def _get_customer_kind(self, is_firm) -> SQL:
        """Return the kind, by the fact that it is made of."""
        return SQL("CASE WHEN %s THEN 'company' ELSE 'private' END", is_firm)

    @api.model
    def _search(self, domain, *args, **kwargs):
        domain = Domain(domain).map_conditions(self._get_kind_domain)
        return super()._search(domain, *args, **kwargs)

    @api.model
    def _get_kind_domain(self, condition):
        """Return a condition on the kind as one on the column that it is made of."""
        if condition.field_expr != "customer_kind":
            return condition
        value = condition.value
        if condition.operator == "in" and len(value) == 1:
            [value] = value
        elif condition.operator != "=":
            return condition
        if value not in ("company", "private"):
            return condition
        test = "NOT %s" if value == "private" else "%s"
        return Domain.custom(
            to_sql=lambda model, alias, query: SQL(
                test, SQL.identifier(alias, "is_firm")
            )
        )
