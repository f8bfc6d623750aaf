from decimal import Decimal

from odoo import api, fields, models

from ..reports.garage_loyalty_roll_forward_query import FIGURES
from ..tools.liability import WORTH_DIGITS, rounded


class GarageLoyaltyProvision(models.AbstractModel):
    """What is booked by the provision method: what outstanding points will cost."""

    _name = "garage.loyalty.provision"
    _description = "Provision for Points"

    @api.model
    def _get_owed(self, program, day):
        """Return what is owed for the points of a programme at the end of a day."""
        points = program._get_outstanding(fields.Date.add(day, days=1))
        worth = Decimal(f"{program._get_valuation(day).worth:.{WORTH_DIGITS}f}")
        currency = program.company_id.currency_id
        return float(rounded(points * worth, currency.decimal_places))

    @api.model
    def _get_booked_figures(self, program, month, last):
        """Return what is owed at the end of a month, and why that has changed.

        :return: (amount, values of ``garage.loyalty.booking.line``, values of
            ``garage.loyalty.booking.cohort``, which are none)
        """
        names = [*FIGURES.values()]
        specs = [f"{name}:sum" for name in names]
        specs += [f"{name}_amount:sum" for name in (*names, "revalued", "closing")]
        domain = [("program_id", "=", program.id), ("month", "=", month)]
        Report = self.env["garage.loyalty.roll.forward"]
        [row] = Report._read_group(domain, [], specs)
        figures = dict(zip(specs, row, strict=True))
        lines = [
            {
                "kind": name,
                "points": figures.get(f"{name}:sum") or 0,
                "amount": float(figures[f"{name}_amount:sum"] or 0),
            }
            for name in (*names, "revalued")
        ]
        return float(figures["closing_amount:sum"] or 0), lines, []
