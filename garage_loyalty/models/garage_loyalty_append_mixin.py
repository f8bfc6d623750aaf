from odoo import api, models
from odoo.exceptions import ConcurrencyError
from odoo.tools import SQL

from ..tools import rows


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
        added = self.env.execute_query(
            SQL("%s RETURNING id", self._get_insert(vals_list))
        )
        self._check_added(added, vals_list)
        return self.browse(row[0] for row in added)

    @api.model
    def _check_added(self, added, vals_list):
        if len(added) < len(vals_list):
            raise ConcurrencyError(self.env._("These points have been posted already."))

    @api.model
    def _get_insert(self, vals_list):
        return SQL(
            "INSERT INTO %s (%s) %s ON CONFLICT DO NOTHING",
            SQL.identifier(self._table),
            rows.columns(vals_list[0]),
            rows.values(self, vals_list),
        )
