from odoo import models
from odoo.tools import SQL

from ..tools import lots as rules


class GarageLoyaltyBalanceMixin(models.AbstractModel):
    """The row of an account: its stored balance, and what it owes.

    Whoever spends writes it first. Of two at once, the second one's transaction fails,
    is tried again by the host, and then sees what the first one did. A lock alone
    would not do: the second one would go on with what it saw before.
    """

    _name = "garage.loyalty.balance.mixin"
    _description = "Stored Balance of Loyalty Points"

    def _settle(self):
        """Write the account's row, with the points that were given since last time."""
        self.flush_recordset()
        self.env["garage.loyalty.lot"].flush_model()
        self.env.cr.execute(
            SQL(
                """
                WITH fresh AS (
                    UPDATE garage_loyalty_lot SET is_settled = TRUE
                     WHERE member_id = ANY(%(ids)s) AND is_settled IS NOT TRUE
                    RETURNING member_id, remaining
                )
                UPDATE garage_loyalty_member member
                   SET settled_points = settled_points + COALESCE((
                       SELECT sum(remaining) FROM fresh
                        WHERE fresh.member_id = member.id), 0)
                 WHERE id = ANY(%(ids)s)
                """,
                ids=self.ids,
            )
        )
        self._forget_balance()
        for member in self.filtered("debt"):
            member._repay()

    def _change_balance(self, points, debt=0):
        self.env.cr.execute(
            SQL(
                "UPDATE garage_loyalty_member SET debt = debt + %s, "
                "settled_points = settled_points + %s WHERE id = %s",
                debt,
                points,
                self.id,
            )
        )
        self._forget_balance()

    def _repay(self, lots=None, entries=None):
        """Let what is left in lots repay what is owed, the oldest debt first.

        :param lots: all of the member's, unless given
        :param entries: those that owe; all of the member's, unless given
        """
        if not self.debt:
            return
        Lot, Entry = self.env["garage.loyalty.lot"], self.env["garage.loyalty.entry"]
        if lots is None:
            lots = Lot.search([("member_id", "=", self.id), ("remaining", ">", 0)])
        lots = lots._in_spending_order()
        repaid = 0
        for entry_id, owed in self._get_debts():
            if entries is not None and entry_id not in entries.ids:
                continue
            parts, missing = rules.take(owed, [(lot, lot.remaining) for lot in lots])
            lots._move(Entry.browse(entry_id), parts)
            repaid += owed - missing
        if repaid:
            self._change_balance(0, -repaid)

    def _get_debts(self):
        """Return pairs of (entry id, points) that were taken from no lot yet."""
        return self.env.execute_query(
            SQL(
                """
                SELECT entry.id, -entry.points - COALESCE(sum(allocation.points), 0)
                  FROM garage_loyalty_entry entry
                  LEFT JOIN garage_loyalty_allocation allocation
                    ON allocation.entry_id = entry.id
                 WHERE entry.member_id = %s AND entry.points < 0
                 GROUP BY entry.id
                HAVING -entry.points > COALESCE(sum(allocation.points), 0)
                 ORDER BY entry.id
                """,
                self.id,
            )
        )

    def _forget_given(self):
        """Forget what depends on new lots; the account's row is as it was."""
        names = ["entry_count", "entry_ids", "lot_ids", "points", "points_available"]
        self.invalidate_recordset(
            [*names, "next_expiry_date", "next_expiry_points", "points_pending"],
            flush=False,
        )
        self._forget_points_of_documents()

    def _forget_given(self):
        """Forget the balance after points were given: that changes no column."""
        self.invalidate_recordset(
            [
                name
                for name, field in self._fields.items()
                if not field.store or not field.column_type
            ],
            flush=False,
        )
        self.env["garage.loyalty.lot"].invalidate_model(flush=True)
        self._forget_points_of_documents()

    def _forget_balance(self):
        self.invalidate_recordset()
        self.env["garage.loyalty.lot"].invalidate_model(flush=True)
        self._forget_points_of_documents()

    def _forget_points_of_documents(self):
        self.env["res.partner"].invalidate_model(["loyalty_points"], flush=False)
        self.env["account.move"].invalidate_model(
            ["loyalty_points_earned", "loyalty_points_redeemed"], flush=False
        )
