from odoo import models
from odoo.exceptions import UserError
from odoo.fields import Domain

from ..tools import lots as rules


class GarageLoyaltyTransferMixin(models.AbstractModel):
    """Moving points from one account to another of the same company."""

    _name = "garage.loyalty.transfer.mixin"
    _description = "Transfer of Loyalty Points"

    def _transfer_points(self, to_member, points, date, source, reason):
        """Move points, which keep their age, their expiry and their waiting time.

        Each lot that is taken from gives a pair of entries, so that every entry that
        gives points has one lot.

        :param points: how many; None moves everything, and what is owed as well
        :param source: record of any model, the document behind the entries
        :return: the entries
        :raise UserError: between companies, or when less can be moved
        """
        self.ensure_one()
        self._check_transfer(to_member)
        source_vals = (date, source, reason)
        # Nobody has the right to create entries; the rights were checked before.
        giver, taker = self.sudo(), to_member.sudo()
        # Always in the same order: two transfers to and fro do not lock each other.
        for member in (giver | taker).sorted("id"):
            member._settle()
        moved = giver._move_lots(taker, giver._get_transferred(points), *source_vals)
        if points is None and giver.debt:
            moved |= giver._move_debt(taker, *source_vals)
        return moved

    def _check_transfer(self, to_member):
        """Refuse what is no transfer. Override to allow or refuse more."""
        if to_member == self:
            raise UserError(self.env._("Points are moved to another member."))
        if to_member.company_id != self.company_id:
            raise UserError(
                self.env._("Points cannot be moved to a member of another company.")
            )

    def _get_transferred(self, points):
        """Return pairs of (lot, points) to move.

        What has expired is moved only together with everything else.
        """
        Lot = self.env["garage.loyalty.lot"]
        domain = Domain("member_id", "=", self.id) & Domain("remaining", ">", 0)
        if points is not None:
            today = self.company_id._get_loyalty_today()
            domain &= Domain("date_expiry", "=", False) | Domain(
                "date_expiry", ">=", today
            )
        lots = Lot.search(domain)._in_spending_order()
        left = [(lot, lot.remaining) for lot in lots]
        if points is None:
            return left
        parts, missing = rules.take(points, left)
        if missing or points <= 0:
            raise UserError(
                self.env._(
                    "%(member)s has %(left)s points that can be moved: "
                    "enter a number from 1 to that.",
                    member=self.display_name,
                    left=points - missing,
                )
            )
        return parts

    def _move_lots(self, to_member, parts, date, source, reason):
        """Post a pair of entries for each part of a lot."""
        Entry, Lot = self.env["garage.loyalty.entry"], self.env["garage.loyalty.lot"]
        seq = Entry._get_posted(source).get(source.id, (0, 0))[1]
        postings = []
        for lot, points in parts:
            for member, sign in ((self, -1), (to_member, 1)):
                seq += 1
                vals = member._prepare_entry_vals(
                    "transfer", sign * points, date, source, reason, seq=seq
                )
                postings.append((member, lot, vals))
        entries = Entry._append([vals for _member, _lot, vals in postings])
        fresh = []
        for entry, (member, lot, vals) in zip(entries, postings, strict=True):
            if member == self:
                lot._move(entry, [(lot, -vals["points"])])
            else:
                lot_vals = member._prepare_transferred_lot_vals(vals, lot)
                fresh.append({"entry_id": entry.id, **lot_vals})
        Lot._append(fresh)
        total = sum(points for _lot, points in parts)
        if total:
            self._change_balance(-total)
            to_member._change_balance(total)
            to_member._repay()
        return entries

    def _prepare_transferred_lot_vals(self, entry, lot):
        """Return the values of the lot that points of another account's lot make.

        Override to let moved points live longer or shorter.
        """
        vals = self._prepare_lot_vals(
            entry,
            entry["points"],
            expiry=lot.date_expiry,
            is_bonus=lot.is_bonus,
            is_promised=lot.is_promised,
        )
        return vals | {"date": lot.date, "date_available": lot.date_available}

    def _move_debt(self, to_member, date, source, reason):
        """Let another account owe what this one owes."""
        owed = self.debt
        options = {"source": source, "reason": reason}
        return self._post_points("transfer", owed, date, **options) | (
            to_member._post_points("transfer", -owed, date, **options)
        )
