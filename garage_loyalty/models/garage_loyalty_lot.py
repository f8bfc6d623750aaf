from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL, format_date

from ..tools.lots import spending_order, take


class GarageLoyaltyLot(models.Model):
    """What is left of the points that one entry gave, and how long they live.

    The entry never changes. This is where its points are spent from; each change is
    explained by an allocation, and checked every night.
    """

    _name = "garage.loyalty.lot"
    _description = "Lot of Points"
    _inherit = ["garage.loyalty.append.mixin", "garage.loyalty.export.mixin"]
    _order = "date_expiry, date, id"
    _rec_name = "date"
    _log_access = False

    entry_id = fields.Many2one(
        "garage.loyalty.entry", required=True, readonly=True, ondelete="restrict"
    )
    member_id = fields.Many2one(
        "garage.loyalty.member", required=True, readonly=True, ondelete="restrict"
    )
    partner_id = fields.Many2one(related="member_id.partner_id")
    company_id = fields.Many2one(related="member_id.company_id")
    source_name = fields.Char(related="entry_id.source_name")
    date = fields.Date(string="Given on", required=True, readonly=True)
    points = fields.Integer(
        string="Given",
        required=True,
        readonly=True,
        help="Points that came with the entry, all with one last day.",
    )
    remaining = fields.Integer(
        string="Left",
        required=True,
        readonly=True,
        help="Points that are neither spent nor expired nor taken back.",
    )
    date_available = fields.Date(
        string="To be spent from",
        required=True,
        readonly=True,
        help="First day on which the points can be spent.",
    )
    date_expiry = fields.Date(
        string="Expires after",
        readonly=True,
        help="Last day on which the points can be spent. Empty: they never expire.",
    )
    date_warned = fields.Date(
        string="Warned on",
        readonly=True,
        help="When the customer was told that the points are about to expire.",
    )
    is_bonus = fields.Boolean(
        string="Bonus", readonly=True, help="A gift, which may expire sooner."
    )
    is_promised = fields.Boolean(
        string="Promised day",
        readonly=True,
        help="The customer was told the last day: neither visits nor new rules of the "
        "programme change it.",
    )
    is_settled = fields.Boolean(
        string="In the balance",
        readonly=True,
        help="Points of new invoices are added to the stored balance later, so that "
        "posting an invoice never waits for anybody.",
    )
    is_restored = fields.Boolean(
        string="Given back",
        readonly=True,
        help="Points came back after they would have expired, for some more days.",
    )
    allocation_ids = fields.One2many(
        "garage.loyalty.allocation", "lot_id", readonly=True
    )

    _remaining_within_points = models.Constraint(
        "CHECK(remaining BETWEEN 0 AND points)",
        "What is left of a lot is never negative, nor more than was given.",
    )
    _entry_uniq = models.UniqueIndex("(entry_id)")
    _open_idx = models.Index("(member_id, date_expiry) WHERE remaining > 0")
    _expiry_idx = models.Index("(date_expiry) WHERE remaining > 0")
    _unsettled_idx = models.Index(
        "(member_id) INCLUDE (remaining) WHERE is_settled IS NOT TRUE"
    )

    @api.depends("date", "entry_id.source_name")
    def _compute_display_name(self):
        for lot in self:
            day = format_date(self.env, lot.date)
            lot.display_name = f"{lot.source_name} · {day}" if lot.source_name else day

    def write(self, vals):
        """Keep until when points could be spent, where that changes."""
        if "date_expiry" in vals:
            day = fields.Date.to_date(vals["date_expiry"])
            changed = self.filtered(lambda lot: lot.date_expiry != day)
            self.env["garage.loyalty.lot.expiry"]._note(changed.ids)
        return super().write(vals)

    @api.model
    def _get_spendable_domain(self, today):
        """Return the domain of the lots that can be spent on a day."""
        return (
            Domain("remaining", ">", 0)
            & Domain("date_available", "<=", today)
            & (Domain("date_expiry", "=", False) | Domain("date_expiry", ">=", today))
        )

    def _in_spending_order(self, first=None):
        """Return the lots in the order in which they are spent.

        :param first: lots that go before all others
        """
        return self.sorted(
            lambda lot: (
                lot not in (first or ()),
                spending_order(lot.date_expiry or None, lot.date, lot.id),
            )
        )

    def _get_left(self, debt, today):
        """Return what is left in lots on a day, once they have repaid a debt.

        Points that cannot be spent yet repay, too.
        """
        lots = self._in_spending_order()
        owed, _missing = take(debt, [(lot, lot.remaining) for lot in lots])
        owed = dict(owed)
        left = {lot: lot.remaining - owed.get(lot, 0) for lot in lots}
        over = lots._get_over(today)
        return {lot: part for lot, part in left.items() if part and lot not in over}

    def _move(self, entry, parts):
        """Take points of lots for ``entry``, or give them back.

        :param parts: pairs of (lot, points); negative points are given back
        """
        self.env["garage.loyalty.allocation"]._append(
            [
                {"entry_id": entry.id, "lot_id": lot.id, "points": points}
                for lot, points in parts
                if points
            ]
        )
        for lot, points in parts:
            lot.remaining -= points
        entry.invalidate_recordset(["allocation_ids"])

    def _revive(self):
        """Let what comes back to lots after their last day be spent for some days.

        What had been left in them expires for good.
        """
        for company, lots in self.grouped("company_id").items():
            today = company._get_loyalty_today()
            past = lots._get_over(today)
            self.env["garage.loyalty.expiry"]._expire_lots(past)
            for lot in past | lots.filtered("is_restored"):
                day = lot.member_id.program_id._get_restored_day(today)
                vals = {"date_expiry": day, "date_warned": False, "is_restored": True}
                lot.write(vals)

    def _get_over(self, today):
        """Return the lots whose last day is past."""
        return self.filtered(lambda lot: lot.date_expiry and lot.date_expiry < today)

    @api.model
    def _set_expiry(self, lot_ids, days):
        """Let lots expire on other days; who was warned is warned again."""
        self.env["garage.loyalty.lot.expiry"]._note(lot_ids)
        self.env.cr.execute(
            SQL(
                """
                UPDATE garage_loyalty_lot lot
                   SET date_expiry = new.day, date_warned = NULL
                  FROM unnest(%s::int[], %s::date[]) AS new(id, day)
                 WHERE lot.id = new.id
                """,
                lot_ids,
                days,
            )
        )
        self.invalidate_model(flush=False)
