from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ..tools import checks


class GarageLoyaltyLiabilityLotQuery(models.AbstractModel):
    """What was left in lots at the end of a day, which the context tells.

    As they are now, without what has happened since: that is little for a day that is
    not long ago. Parts of the query of ``garage.loyalty.liability``, by their names.
    """

    _name = "garage.loyalty.liability.lot.query"
    _description = "Query of Lots on a Day"

    @api.model
    def _get_day(self):
        """Return the day that the context asks for; None for today.

        :raise UserError: when it is none
        """
        day = self.env.context.get("loyalty_date") or None
        if checks.day(day):
            text = self.env._("“As of”: enter a day between the years 1900 and 2999.")
            raise UserError(text)
        return fields.Date.to_date(day)

    @api.model
    def _get_days(self):
        """Return pairs of the id of every company and the day in it."""
        return self.env["res.company"]._get_loyalty_days(self._get_day())

    @api.model
    def _get_day_of(self, program) -> SQL:
        """Return the SQL of the day of a programme.

        A constant where it is the same for all: so PostgreSQL knows how many rows are
        before it, and how many after.
        """
        days = {day for _company, day in self._get_days()}
        if len(days) == 1:
            return SQL("%s::date", days.pop())
        return SQL("(SELECT day FROM program WHERE id = %s)", program)

    @api.model
    def _get_later(self) -> SQL:
        """Return a query: the entries after the day."""
        return SQL(
            """
            SELECT entry.id FROM garage_loyalty_entry entry WHERE entry.date > %s
            """,
            self._get_day_of(SQL("entry.program_id")),
        )

    @api.model
    def _get_taken(self) -> SQL:
        """Return a query: what was taken from lots after the day, and given back."""
        return SQL(
            """
            SELECT allocation.lot_id, sum(allocation.points)::int AS points
              FROM later
              JOIN garage_loyalty_allocation allocation
                ON allocation.entry_id = later.id
             GROUP BY 1
            """
        )

    @api.model
    def _get_former(self) -> SQL:
        """Return a query: until when lots could be spent, if that was changed since."""
        return SQL(
            """
            SELECT DISTINCT ON (change.lot_id) change.lot_id, change.date_expiry
              FROM garage_loyalty_lot_expiry change
              JOIN garage_loyalty_lot lot ON lot.id = change.lot_id
              JOIN garage_loyalty_member member ON member.id = lot.member_id
             WHERE change.date > %s
             ORDER BY change.lot_id, change.date, change.id
            """,
            self._get_day_of(SQL("member.program_id")),
        )

    @api.model
    def _get_lots(self) -> SQL:
        """Return a query: lots with what was left in them, also those given later.

        Lots that are open now are found by their index, the others by what was taken.
        """
        return SQL(
            """
            SELECT lot.id, lot.member_id, lot.entry_id, lot.date, lot.date_expiry,
                   lot.remaining + COALESCE(taken.points, 0) AS points
              FROM garage_loyalty_lot lot
              LEFT JOIN taken ON taken.lot_id = lot.id
             WHERE lot.remaining > 0
             UNION ALL
            SELECT lot.id, lot.member_id, lot.entry_id, lot.date, lot.date_expiry,
                   taken.points
              FROM taken JOIN garage_loyalty_lot lot ON lot.id = taken.lot_id
             WHERE lot.remaining = 0
            """
        )
