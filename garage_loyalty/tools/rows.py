"""Rows of a model as SQL, for statements that write many rows at once."""

from odoo.tools import SQL


def values(model, vals_list):
    """Return ``VALUES``, every value converted and typed as its column.

    :param vals_list: dicts with the same keys; those that are no fields are integers
    """
    fields = {name: model._fields.get(name) for name in vals_list[0]}
    # The types are those of the model's columns, no input; one piece of SQL per row,
    # as one per value takes longer than the statement.
    types = (field.column_type[0] if field else "int" for field in fields.values())
    row = f"({', '.join(f'%s::{name}' for name in types)})"
    return SQL(
        "VALUES %s",
        SQL(", ").join(
            SQL(row, *(_convert(model, fields[name], vals[name]) for name in fields))
            for vals in vals_list
        ),
    )


def month_number(day):
    """Return the SQL of ``movement.month_number``.

    >>> month_number(SQL("invoice_date")).code.count("invoice_date")
    2
    """
    return SQL(
        "(extract(year FROM %(day)s)::int * 12 + extract(month FROM %(day)s)::int - 1)",
        day=day,
    )


def unnested(types, rows):
    """Return ``SELECT`` of rows as arrays, one a column: quicker for thousands of them.

    :param types: the type of each column, as PostgreSQL writes it
    :param rows: tuples
    """
    columns = zip(*rows, strict=True) if rows else ([] for _type in types)
    # The types are those of the caller's code, no input.
    arrays = (
        SQL(f"%s::{name}[]", list(column))
        for name, column in zip(types, columns, strict=True)
    )
    return SQL("SELECT * FROM unnest(%s)", SQL(", ").join(arrays))


def columns(names):
    """Return column names, separated by commas."""
    return SQL(", ").join(map(SQL.identifier, names))


def _convert(model, field, value):
    return field.convert_to_column_insert(value, model) if field else value
