from odoo.fields import Domain
from odoo.orm.domains import DomainAnd


def first_day(model, domain, name):
    """Return the day before which a domain finds nothing, as far as can be told.

    :param model: the model of the domain
    :param name: name of a date field
    :return: None where the domain has no such condition
    """
    domain = Domain(domain).optimize_full(model)
    parts = domain.children if isinstance(domain, DomainAnd) else [domain]
    days = [
        part.value
        for part in parts
        for item in part.iter_conditions()
        if item is part and item.field_expr == name and item.operator in (">", ">=")
    ]
    return max(days, default=None)
