from odoo import fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL

from ..tools import lots as rules


class GarageLoyaltyPostingMixin(models.AbstractModel):
    """How a balance changes: through the ledger, lots and allocations together."""

    _name = "garage.loyalty.posting.mixin"
    _description = "Posting of Loyalty Points"

    def _post_points(self, kind, points, date, source=None, reason=None, **options):
        """Append an entry to the ledger: the only way to change a balance.

        Points of a document that earns for the first time are only added. Everything
        else writes the account's row first: of two people at once, the second one's
        transaction fails, is tried again, and sees what the first one did.

        :param source: record of any model, the document behind the entry
        :param options: see ``_prepare_lot_vals``, ``_spend`` and ``_receive``
        :raise UserError: when points are redeemed that are not there
        """
        self.ensure_one()
        # Nobody has the right to create entries: they come from here only.
        member = self.sudo()
        if not points:
            return member.env["garage.loyalty.entry"]
        vals = member._prepare_entry_vals(kind, points, date, source or self, reason)
        vals |= {"user_id": self.env.uid}
        if points < 0:
            entry = member._spend(vals, **{"cover": kind == "redeem"} | options)
        elif kind == "earn" and vals["source_seq"] == 1:
            entry = member._give([(member, vals)])
        else:
            entry = member._receive(vals, **options)
        member._forget_balance()
        return entry

    def _prepare_entry_vals(self, kind, points, date, source, reason, seq=None):
        """Return the values of an entry. Override to note more in the ledger.

        :param seq: how many entries the source has, plus one, if the caller knows
        """
        self.ensure_one()
        if seq is None:
            posted = self.env["garage.loyalty.entry"]._get_posted(source)
            seq = posted.get(source.id, (0, 0))[1] + 1
        return {
            "member_id": self.id,
            "program_id": self.program_id.id,
            "company_id": self.company_id.id,
            "date": fields.Date.to_date(date),
            "kind": kind,
            "points": points,
            "reason": reason,
            "user_id": self.env.uid,
            "source_model": source._name,
            "source_id": source.id,
            "source_seq": seq,
            # A member's name is personal data, and the ledger is kept for good.
            "source_name": self.number if source == self else source.display_name,
            "create_uid": self.env.uid,
            "create_date": self.env.cr.now(),
        }

    def _prepare_lot_vals(self, entry, points, expiry=None, is_bonus=False):
        """Return the values of the lot that an entry makes.

        Override to let points wait, or live, by other means.

        :param expiry: last day to spend them, instead of what the programme says;
            False when they never expire
        """
        self.ensure_one()
        program = self.program_id
        if expiry is None:
            expiry = program._get_expiry_day(entry["date"], is_bonus)
        return {
            "member_id": self.id,
            "date": entry["date"],
            "points": points,
            "remaining": points,
            "date_available": program._get_available_day(entry["date"], entry["kind"]),
            "date_expiry": expiry,
            "is_bonus": is_bonus,
            "is_settled": entry["kind"] != "earn" or entry["source_seq"] > 1,
        }

    def _give(self, postings, **options):
        """Append entries that give points, each with its lot.

        Neither waits for another transaction nor makes one wait.

        :param postings: pairs of (member, values of the entry)
        """
        entries = self.env["garage.loyalty.entry"]._append(
            [vals for _member, vals in postings]
        )
        self.env["garage.loyalty.lot"]._append(
            [
                {
                    "entry_id": entry.id,
                    **member._prepare_lot_vals(vals, vals["points"], **options),
                }
                for entry, (member, vals) in zip(entries, postings, strict=True)
            ]
        )
        return entries

    def _spend(self, vals, cover=False, origin=None):
        """Take points from the lots; what is not there becomes a debt.

        :param cover: refuse instead, when less can be spent today
        :param origin: document whose own points are taken before all others
        """
        wanted = -vals["points"]
        if cover:
            self._check_cover(wanted)
        self._settle()
        Lot = self.env["garage.loyalty.lot"]
        domain = Domain("member_id", "=", self.id) & Domain("remaining", ">", 0)
        if cover:
            today = self.company_id._get_loyalty_today()
            domain &= Lot._get_spendable_domain(today)
        own = self._get_lots_of(origin) if origin else Lot
        lots = Lot.search(domain)._in_spending_order(first=own)
        parts, missing = rules.take(wanted, [(lot, lot.remaining) for lot in lots])
        if missing and cover:
            self._check_cover(wanted)
        entry = self.env["garage.loyalty.entry"]._append([vals])
        lots._move(entry, parts)
        self._change_balance(-wanted, missing)
        return entry

    def _check_cover(self, wanted):
        if self.points_available < wanted:
            raise UserError(
                self.env._(
                    "%(member)s has %(available)s points: %(wanted)s cannot be spent.",
                    member=self.display_name,
                    available=self.points_available,
                    wanted=wanted,
                )
            )

    def _receive(self, vals, origin=None, **options):
        """Give points: back to the lots that ``origin`` took them from, else as new.

        What has expired meanwhile comes back for some days.

        :param origin: document whose entries are undone
        """
        self._settle()
        Lot, points = self.env["garage.loyalty.lot"], vals["points"]
        taken = self._get_taken_by(origin) if origin else []
        back = rules.share(
            min(points, sum(part for _lot, part in taken)),
            [part for _lot, part in taken],
        )
        today = self.company_id._get_loyalty_today()
        parts = [(lot, -part) for (lot, _taken), part in zip(taken, back, strict=True)]
        alive = [
            (lot, part)
            for lot, part in parts
            if not lot.date_expiry or lot.date_expiry >= today
        ]
        entry = self.env["garage.loyalty.entry"]._append([vals])
        Lot._move(entry, alive)
        fresh = points + sum(part for _lot, part in alive)
        if fresh:
            if len(alive) < sum(1 for _lot, part in parts if part):
                options["expiry"] = self.program_id._get_restored_day(today)
            lot_vals = self._prepare_lot_vals(vals, fresh, **options)
            Lot._append([{"entry_id": entry.id, **lot_vals}])
        self._change_balance(points)
        self._repay()
        return entry

    def _get_lots_of(self, origin):
        """Return the lots that a document has given."""
        entries = self._get_entries_of(origin)
        return self.env["garage.loyalty.lot"].search([("entry_id", "in", entries.ids)])

    def _get_entries_of(self, origin):
        return self.env["garage.loyalty.entry"].search(
            [
                ("source_model", "=", origin._name),
                ("source_id", "in", origin.ids),
                ("member_id", "=", self.id),
            ]
        )

    def _get_taken_by(self, origin):
        """Return pairs of (lot, points): what a document has taken and not given back."""
        rows = self.env["garage.loyalty.allocation"]._read_group(
            [("entry_id", "in", self._get_entries_of(origin).ids)],
            ["lot_id"],
            ["points:sum"],
        )
        return sorted(
            ((lot, points) for lot, points in rows if points > 0),
            key=lambda row: row[0].id,
        )

    # -- the account's row --------------------------------------------------------

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

    def _repay(self):
        """Let what is left in lots repay what is owed, the oldest debt first."""
        if not self.debt:
            return
        Lot, Entry = self.env["garage.loyalty.lot"], self.env["garage.loyalty.entry"]
        lots = Lot.search([("member_id", "=", self.id), ("remaining", ">", 0)])
        lots = lots._in_spending_order()
        repaid = 0
        for entry_id, owed in self._get_debts():
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

    def _forget_balance(self):
        self.invalidate_recordset()
        self.env["garage.loyalty.lot"].invalidate_model(flush=True)
        self.partner_id.invalidate_recordset(["loyalty_points"])
        self.env["account.move"].invalidate_model(
            ["loyalty_points_earned", "loyalty_points_redeemed"], flush=False
        )
