from odoo import api, fields, models
from odoo.tools import SQL, float_compare

# Points that have met their end this much are enough to learn from, as are those of
# which nearly nothing is left.
ENOUGH_POINTS = 1000
MOST_LEFT = 0.05


class GarageLoyaltyValuedMixin(models.AbstractModel):
    """What the points of a programme are expected to cost."""

    _name = "garage.loyalty.valued.mixin"
    _description = "Programme with Valuations"

    valuation_ids = fields.One2many(
        "garage.loyalty.valuation", "program_id", readonly=True
    )

    @api.model_create_multi
    def create(self, vals_list):
        """Value the points of new programmes, all of them to be redeemed."""
        programs = super().create(vals_list)
        programs._revalue()
        return programs

    def write(self, vals):
        """Note a new value of a point as a valuation from today on."""
        result = super().write(vals)
        if "point_value" in vals:
            # What the programme refuses is refused in its own words.
            self.flush_recordset(["point_value"])
            self._revalue()
        return result

    def _revalue(self):
        """Note the value of a point, where the latest valuation says another."""
        for program in self:
            latest = program._get_valuation()
            if latest and not float_compare(latest.point_value, program.point_value, 6):
                continue
            today = program.company_id._get_loyalty_today()
            vals = {
                "program_id": program.id,
                # Where the day of the company has moved backwards, it is the same day.
                "date": max(today, latest.date or today),
                "reason": self.env._("Value of a point in the programme"),
            }
            self.env["garage.loyalty.valuation"].create(vals)

    def _get_valuations(self):
        """Return the valuations, the latest first."""
        return self.env["garage.loyalty.valuation"].search(
            [("program_id", "in", self.ids)]
        )

    def _get_valuation(self, day=None):
        """Return the valuation that holds on a day, or the latest one.

        That of the first day also holds before it. Of several of one day, the last.
        """
        found = self._get_valuations()
        first = found[-1:].date
        past = found.filtered(lambda item: not day or item.date <= max(day, first))
        return past[:1]

    def _get_outstanding(self, day):
        """Return the points that are outstanding when a day begins."""
        rows = self.env["garage.loyalty.entry"]._read_group(
            [("program_id", "in", self.ids), ("date", "<", day)], [], ["points:sum"]
        )
        return rows[0][0] or 0

    def _has_entries(self, day):
        """Tell whether points have moved before a day."""
        domain = [("program_id", "in", self.ids), ("date", "<", day)]
        return bool(self.env["garage.loyalty.entry"].search_count(domain, limit=1))

    def _get_redemption_estimate(self):
        """Return the share of points that were redeemed, in percent, and its basis.

        Of all months of earning of which nearly nothing is left: the others are not
        over yet. Override to learn from something else.

        :return: (percent, text); percent is None where too little is known
        """
        months = self.env["garage.loyalty.earning.cohort"].search_fetch(
            [("program_id", "in", self.ids), ("origin", "=", "earned")],
            ["month", "earned", "redeemed", "left_points"],
        )
        over = months.filtered(
            lambda row: row.earned and row.left_points <= MOST_LEFT * row.earned
        )
        earned = sum(over.mapped("earned"))
        if earned < ENOUGH_POINTS:
            return None, self.env._(
                "Too little is known: fewer than %s points have been redeemed or have "
                "expired.",
                ENOUGH_POINTS,
            )
        rate = 100 * sum(over.mapped("redeemed")) / earned
        return rate, self.env._(
            "%(rate)s %% of the %(points)s points earned from %(first)s to %(last)s "
            "were redeemed.",
            rate=round(rate, 1),
            points=earned,
            first=fields.Date.to_string(min(over.mapped("month")))[:7],
            last=fields.Date.to_string(max(over.mapped("month")))[:7],
        )

    @api.model
    def _get_worth_query(self) -> SQL:
        """Return a query: what is owed for a point, with the days between.

        ``since`` is empty for the first valuation of a programme, ``until`` for the
        last one. Of several of one day, the last counts.
        """
        return SQL(
            """
            SELECT program_id, worth::numeric AS worth, until,
                   CASE WHEN former IS NOT NULL THEN date END AS since,
                   worth::numeric - former::numeric AS change
              FROM (SELECT program_id, date, worth,
                           lag(worth) OVER program AS former,
                           lead(date) OVER program AS until
                      FROM (SELECT DISTINCT ON (program_id, date) *
                              FROM garage_loyalty_valuation
                             ORDER BY program_id, date, id DESC) daily
                    WINDOW program AS (PARTITION BY program_id ORDER BY date)) valued
            """
        )
