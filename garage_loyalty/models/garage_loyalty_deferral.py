from decimal import Decimal

from odoo import api, fields, models
from odoo.tools import split_every

from ..tools import deferral as rules

BATCH = 5000


class GarageLoyaltyDeferral(models.Model):
    """What of a sale was allocated to the points that it earned, once and for all.

    By IFRS 15, B39 to B42: relative stand-alone prices, net of taxes. Credit notes that
    take points back take the same part of it; nothing else changes it. Points that were
    taken over from elsewhere are deferred at what they were worth then, since nobody
    knows their sales; gifts were paid for by nobody, and are not deferred.
    """

    _name = "garage.loyalty.deferral"
    _description = "Deferred Part of a Sale"
    _inherit = [
        "garage.loyalty.immutable.mixin",
        "garage.loyalty.deferral.query",
        "garage.loyalty.export.mixin",
    ]
    _order = "date desc, id desc"
    _rec_name = "entry_id"
    _log_access = False
    _checksum_names = ("id", "entry_id", "base", "worth", "points", "allocated")

    entry_id = fields.Many2one(
        "garage.loyalty.entry", required=True, readonly=True, ondelete="restrict"
    )
    company_id = fields.Many2one(
        "res.company", required=True, readonly=True, ondelete="restrict", index=True
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    program_id = fields.Many2one(
        "garage.loyalty.program",
        string="Programme",
        required=True,
        readonly=True,
        ondelete="restrict",
    )
    source_name = fields.Char(related="entry_id.source_name")
    date = fields.Date(string="Earned on", required=True, readonly=True)
    base = fields.Monetary(
        string="Sale", readonly=True, help="Net, and of the part that earned points."
    )
    points = fields.Integer(
        required=True, readonly=True, help="Points that the sale has earned."
    )
    worth = fields.Float(
        string="Price of a point",
        digits=(16, 8),
        readonly=True,
        help="Net value of a point times the share expected to be redeemed, then.",
    )
    allocated = fields.Monetary(
        string="Deferred",
        readonly=True,
        help="Sale x points x price of a point / (sale + points x price of a point).",
    )

    _entry_uniq = models.UniqueIndex("(entry_id)")
    _program_idx = models.Index("(program_id, date)")

    # -- facts ----------------------------------------------------------------------

    @api.model
    def _defer(self, program, day):
        """Note what is deferred of all sales until a day; return how many were new."""
        self.env.flush_all()
        found = self.env.execute_query(self._get_new_query(program, day))
        digits = program.company_id.currency_id.decimal_places
        for rows in split_every(BATCH, found, list):
            self._append([self._prepare(program, digits, *row) for row in rows])
        return len(found)

    @api.model
    def _prepare(self, program, digits, entry_id, kind, date, points, base, worth):
        """Return the values of a deferral. Override to allocate by other prices."""
        base, worth = Decimal(base or 0), Decimal(worth)
        if kind == "opening":
            allocated = rules.rounded(points * worth, digits)
        else:
            allocated = rules.deferred(base, points, worth, digits)
        return {
            "entry_id": entry_id,
            "company_id": program.company_id.id,
            "program_id": program.id,
            "date": date,
            "base": base,
            "points": points,
            "worth": worth,
            "allocated": allocated,
        }

    # -- what is booked -------------------------------------------------------------

    @api.model
    def _get_owed(self, program, day):
        """Return what of sales is still to become revenue at the end of a day."""
        return float(sum(row["owed"] for row in self._get_state(program, day)))

    @api.model
    def _get_booked_figures(self, program, month, last):
        """Return what is owed at the end of a month, and why that has changed.

        :return: (amount, values of ``garage.loyalty.booking.line``, values of
            ``garage.loyalty.booking.cohort``)
        """
        state = self._get_state(program, last)
        before = self._get_state(program, fields.Date.subtract(month, days=1))
        changes = {
            name: sum(row[name] for row in state) - sum(row[name] for row in before)
            for name in ("allocated", "recognised", "earned", "redeemed")
        }
        lines = [
            {
                "kind": "deferred",
                "points": changes["earned"],
                "amount": float(changes["allocated"]),
            },
            {
                "kind": "recognised",
                "points": -changes["redeemed"],
                "amount": -float(changes["recognised"]),
            },
        ]
        return float(sum(row["owed"] for row in state)), lines, state

    @api.model
    def _get_state(self, program, day):
        """Return a dict for each month of earning, as at the end of a day.

        Past days give what they gave then, but for entries that were dated back.
        """
        self._defer(program, day)
        rate = Decimal(f"{program._get_valuation(day).redemption_rate:.2f}")
        digits = program.company_id.currency_id.decimal_places
        found = self.env.execute_query(self._get_cohort_query(program, day))
        return [
            self._get_cohort(
                month, Decimal(allocated), rules.Cohort(*points), rate, digits
            )
            for month, allocated, *points in found
        ]

    @api.model
    def _get_cohort(self, month, allocated, cohort, rate, digits):
        owed = rules.owed(allocated, cohort, rate, digits)
        allocated_now = rules.rounded(allocated, digits)
        return {
            "month": month,
            "earned": cohort.earned,
            "redeemed": cohort.redeemed,
            "left": cohort.left,
            "expected": rules.expected(cohort, rate),
            "allocated": allocated_now,
            "recognised": allocated_now - owed,
            "owed": owed,
        }
