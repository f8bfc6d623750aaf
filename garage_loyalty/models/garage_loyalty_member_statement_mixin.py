from collections import defaultdict

from odoo import fields, models
from odoo.exceptions import UserError

from ..tools.ages import owed

NO_DAY = fields.Date.to_date("9999-12-31")


class GarageLoyaltyMemberStatementMixin(models.AbstractModel):
    """What a member is told of a period: each entry, the balance, what expires when."""

    _name = "garage.loyalty.member.statement.mixin"
    _description = "Statement of a Member"

    def _get_statement(self, start, end):
        """Return the statement of a period, both days included, as plain values.

        In the language of the environment, and as its user, who must be allowed to
        read entries. Override to say more; the template
        ``garage_loyalty.report_member_statement_document`` says it.

        :raise UserError: when the period is none
        """
        self.ensure_one()
        self._check_statement_period(start, end)
        self.check_access("read")
        opening = self._get_balance_until(fields.Date.subtract(start, days=1))
        lines = self._get_statement_lines(start, end, opening)
        closing = lines[-1]["balance"] if lines else opening
        return {
            "number": self.number,
            "customer": self.partner_id.display_name,
            "program": self.program_id.name,
            "start": start,
            "end": end,
            "opening": opening,
            "lines": lines,
            "closing": closing,
            "worth": self._get_statement_worth(closing, end),
            "currency": self.company_id.currency_id,
            "expiries": self._get_statement_expiries(closing, end),
        }

    def _check_statement_period(self, start, end):
        """Refuse a period of which nothing can be told."""
        if not start or not end:
            raise UserError(self.env._("Enter the first and the last day."))
        if end < start:
            raise UserError(self.env._("The last day lies before the first one."))
        for company in self.company_id:
            if end > company._get_loyalty_today():
                raise UserError(self.env._("The last day lies in the future."))

    # -- entries --------------------------------------------------------------------

    def _get_balance_until(self, day):
        """Return the balance at the end of a day."""
        rows = self.env["garage.loyalty.entry"]._read_group(
            [("member_id", "=", self.id), ("date", "<=", day)], [], ["points:sum"]
        )
        return rows[0][0] or 0

    def _get_statement_lines(self, start, end, balance):
        """Return what happened in a period, the oldest first, with the balance."""
        domain = [("member_id", "=", self.id)]
        entries = self.env["garage.loyalty.entry"].search(
            [*domain, ("date", ">=", start), ("date", "<=", end)], order="date, id"
        )
        names = self._get_statement_names(entries)
        lines = []
        for entry in entries:
            balance += entry.points
            lines.append(self._prepare_statement_line(entry, names, balance))
        return lines

    def _prepare_statement_line(self, entry, names, balance):
        """Return what is told of an entry. Override to tell more.

        Reasons that were typed are not told: colleagues write them for each other.

        :param names: what ``_get_statement_names`` has returned
        """
        kinds = dict(entry._fields["kind"]._description_selection(self.env))
        return {
            "date": entry.date,
            "kind": kinds[entry.kind],
            "name": names.get((entry.source_model, entry.source_id)) or "",
            "points": entry.points,
            "balance": balance,
        }

    def _get_statement_names(self, entries):
        """Return how a customer knows the documents behind entries.

        Override, calling super, for entries of other documents.

        :return: names, by model and id of the document
        """
        found = {}
        for model, mine in entries.grouped("source_model").items():
            name = self._get_statement_naming().get(model)
            if not name:
                continue
            # Whoever reads an entry knows its document; a draft may be deleted.
            sources = self.env[model].sudo().browse(mine.mapped("source_id")).exists()
            found |= {(model, source.id): name(source) for source in sources}
        return found

    def _get_statement_naming(self):
        """Return functions that name a document for its customer, by model."""
        return {
            "account.move": lambda move: move.name,
            "garage.loyalty.adjustment": lambda item: item.reason_id.name,
            "garage.loyalty.bonus": lambda item: item.display_name,
            "garage.loyalty.conversion.line": lambda _line: self.env._(
                "New value of a point"
            ),
            "garage.loyalty.redemption": lambda item: ", ".join(
                filter(None, (item.source_name, item.reward_id.name))
            ),
        }

    # -- what is left ---------------------------------------------------------------

    def _get_statement_worth(self, points, day):
        """Return what points would have taken off an invoice on a day."""
        # What a point takes off is told to every customer.
        valuation = self.program_id.sudo()._get_valuation(day)
        worth = max(points, 0) * valuation.point_value
        return self.company_id.currency_id.round(worth)

    def _get_statement_expiries(self, balance, day):
        """Return what is left on a day, by the last day to spend it, the next first.

        What never expires comes last, without a day.
        """
        left = defaultdict(int)
        for lot, points in owed(balance, self._get_held_on(day)).items():
            last = lot[0] if lot else None
            if points > 0 and not (last and last < day):
                left[last] += points
        days = sorted(left, key=lambda last: last or NO_DAY)
        return [{"date": last or False, "points": left[last]} for last in days]

    def _get_held_on(self, day):
        """Return what was left in lots on a day, as ``tools.ages.owed`` takes it."""
        Allocation = self.env["garage.loyalty.allocation"]
        until = [("entry_id.date", "<=", day)]
        lots = self.env["garage.loyalty.lot"].search(
            [("member_id", "=", self.id), *until]
        )
        taken = dict(
            Allocation._read_group(
                [("lot_id", "in", lots.ids), *until], ["lot_id"], ["points:sum"]
            )
        )
        former = self.env["garage.loyalty.lot.expiry"]._get_former(lots, day)
        held = {
            (former.get(lot.id, lot.date_expiry) or None, lot.date, lot.id): lot.points
            - taken.get(lot, 0)
            for lot in lots
        }
        return {lot: points for lot, points in held.items() if points > 0}
