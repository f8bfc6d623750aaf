from odoo import api, models
from odoo.exceptions import ConcurrencyError
from odoo.tools import SQL


class GarageLoyaltyAppendMixin(models.AbstractModel):
    """Adding many rows at once, so that what was added before is noticed."""

    _name = "garage.loyalty.append.mixin"
    _description = "Adding Rows"

    @api.model
    def _append(self, vals_list):
        """Add rows in one statement, however many, and return them in order.

        All ``vals`` have the same keys. A row that another transaction has added
        meanwhile, by a unique index, makes PostgreSQL refuse the whole transaction;
        Odoo then tries again, and finds the row. The ORM would report an error.

        :raise ConcurrencyError: when the row had been there before
        """
        if not vals_list:
            return self
        names = list(vals_list[0])
        rows = [
            SQL(
                "(%s)",
                SQL(", ").join(
                    SQL(
                        "%s",
                        self._fields[name].convert_to_column_insert(vals[name], self),
                    )
                    for name in names
                ),
            )
            for vals in vals_list
        ]
        added = self.env.execute_query(
            SQL(
                "INSERT INTO %s (%s) VALUES %s ON CONFLICT DO NOTHING RETURNING id",
                SQL.identifier(self._table),
                SQL(", ").join(map(SQL.identifier, names)),
                SQL(", ").join(rows),
            )
        )
        if len(added) < len(vals_list):
            raise ConcurrencyError(self.env._("These points have been posted already."))
        return self.browse(row[0] for row in added)
