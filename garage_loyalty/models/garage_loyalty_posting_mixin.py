from collections import defaultdict

from odoo import fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL

from ..tools import lots as rules
from ..tools import rows


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
        elif kind == "earn" and vals["source_seq"] == 1 and not options:
            entry = member._give([(member, vals)])
            member._forget_given()
        else:
            entry = member._receive(vals, **options)
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
            "source_name": self._get_source_name(source),
            "create_uid": self.env.uid,
            "create_date": self.env.cr.now(),
        }

    def _get_source_name(self, source):
        """Return what the ledger calls a document for good: its own number.

        The name that is shown elsewhere may hold personal data, such as the name or
        the reference of the customer.
        """
        name = source[source._rec_name] if source._rec_name else None
        return name if isinstance(name, str) else source.display_name

    def _prepare_lot_vals(
        self, entry, points, expiry=None, is_bonus=False, is_promised=False
    ):
        """Return the values of the lot that an entry makes.

        Override to let points wait, or live, by other means.

        :param expiry: last day to spend them, instead of what the programme says;
            False when they never expire
        :param is_promised: that day stays, whatever the programme says later
        """
        self.ensure_one()
        plan = self.program_id._get_rules()
        if expiry is None:
            expiry = plan.expiry_day(entry["date"], is_bonus)
        return {
            "member_id": self.id,
            "date": entry["date"],
            "points": points,
            "remaining": points,
            "date_available": plan.available_day(entry["date"], entry["kind"]),
            "date_expiry": expiry,
            "is_bonus": is_bonus,
            "is_promised": is_promised,
            "is_settled": True,
        }

    def _give(self, postings, **options):
        """Append entries that give points, each with its lot, in one statement.

        Neither waits for another transaction nor makes one wait.

        :param postings: pairs of (member, values of the entry) of different documents
            of one model
        :param options: see ``_prepare_lot_vals``
        :raise ConcurrencyError: when one of them has been posted before
        """
        Entry, Lot = self.env["garage.loyalty.entry"], self.env["garage.loyalty.lot"]
        lots = [
            {
                "source_id": vals["source_id"],
                **member._prepare_lot_vals(vals, vals["points"], **options),
                "is_settled": False,
            }
            for member, vals in postings
        ]
        names = rows.columns(list(lots[0])[1:])
        added = self.env.execute_query(
            SQL(
                """
                WITH entry AS (%(entries)s RETURNING id, source_id)
                INSERT INTO garage_loyalty_lot (entry_id, %(names)s)
                SELECT entry.id, %(names)s
                  FROM (%(lots)s) AS given (source_id, %(names)s)
                  JOIN entry USING (source_id)
                RETURNING entry_id
                """,
                entries=Entry._get_insert([vals for _member, vals in postings]),
                lots=rows.values(Lot, lots),
                names=names,
            )
        )
        Entry._check_added(added, postings)
        return Entry.browse(row[0] for row in added)

    def _spend(self, vals, cover=False, origin=None):
        """Take points from the lots; what is not there becomes a debt.

        :param cover: refuse instead, when less can be spent today
        :param origin: document whose own points are taken before all others
        """
        wanted = -vals["points"]
        if cover:
            self._check_converted()
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

    def _check_converted(self):
        Line = self.env["garage.loyalty.conversion.line"]
        domain = [("member_id", "=", self.id), ("entry_id", "=", False)]
        if Line.search_count(domain, limit=1):
            raise UserError(
                self.env._(
                    "The value of a point has just changed, and the balance of "
                    "%s is still to be converted: try again in some minutes.",
                    self.display_name,
                )
            )

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

        What has expired meanwhile comes back for some days. What is new covers first
        what ``origin`` still owes, so that undoing leaves everything as it was.

        :param origin: document whose entries are undone
        """
        self._settle()
        Lot, points = self.env["garage.loyalty.lot"], vals["points"]
        parts = self._get_returned(points, origin) if origin else []
        Lot.union(*(lot for lot, _part in parts))._revive()
        entry = self.env["garage.loyalty.entry"]._append([vals])
        Lot._move(entry, parts)
        fresh = points + sum(part for _lot, part in parts)
        lot = Lot
        if fresh:
            lot_vals = self._prepare_lot_vals(vals, fresh, **options)
            lot = Lot._append([{"entry_id": entry.id, **lot_vals}])
        self._change_balance(points)
        if origin and lot:
            self._repay(lot, self._get_entries_of(origin))
        self._repay()
        return entry

    def _get_returned(self, points, origin):
        """Return pairs of (lot, points), negative, that go back to where they were."""
        taken = self._get_taken_by(origin)
        weights = [part for _lot, part in taken]
        back = rules.share(min(points, sum(weights)), weights)
        return [
            (lot, -part)
            for (lot, _taken), part in zip(taken, back, strict=True)
            if part
        ]

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
        """Return pairs of (lot, points) that a document took and has not given back.

        What it owed and has repaid with points of its own was never taken.
        """
        entries = self._get_entries_of(origin)
        rows = self.env["garage.loyalty.allocation"].search(
            [("entry_id", "in", entries.ids)]
        )
        taken = defaultdict(int)
        for row in rows.sorted(lambda row: row.lot_id.id):
            given = row.lot_id.entry_id
            if given not in entries or row.entry_id.id > given.id:
                taken[row.lot_id] += row.points
        return [(lot, points) for lot, points in taken.items() if points > 0]
