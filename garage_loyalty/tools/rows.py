"""Rows of a model as SQL, for statements that write many rows at once."""

from odoo.tools import SQL


def values(model, vals_list):
    """Return ``VALUES``, every value converted and typed as its column.

    :param vals_list: dicts with the same keys; those that are no fields are integers
    """
    return SQL(
        "VALUES %s",
        SQL(", ").join(
            SQL("(%s)", SQL(", ").join(_value(model, *item) for item in vals.items()))
            for vals in vals_list
        ),
    )


def columns(names):
    """Return column names, separated by commas."""
    return SQL(", ").join(map(SQL.identifier, names))


def _value(model, name, value):
    field = model._fields.get(name)
    if not field:
        return SQL("%s::int", value)
    return SQL(
        "%s::%s",
        field.convert_to_column_insert(value, model),
        SQL.identifier(field.column_type[0]),
    )
