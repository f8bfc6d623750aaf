"""What outstanding points are worth, and how it moved. No database.

The rules that ``garage.loyalty.roll.forward`` states once more in SQL.
"""

from collections import defaultdict
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

# Decimals of what is owed for a point.
WORTH_DIGITS = 8


class Valuation(NamedTuple):
    """What a point is expected to cost from a day on, in units of currency."""

    day: object
    point_value: Decimal
    rate: Decimal
    tax: Decimal = Decimal(0)

    @property
    def worth(self):
        """Return the net value of a point times the share expected to be redeemed.

        >>> Valuation(None, Decimal("0.05"), Decimal("80")).worth
        Decimal('0.04000000')
        >>> Valuation(None, Decimal("0.05"), Decimal("80"), Decimal("19")).worth
        Decimal('0.03361345')
        """
        return rounded(self.point_value * self.rate / (100 + self.tax), WORTH_DIGITS)


def rounded(amount, digits):
    """Return an amount in the smallest units of a currency, halves away from zero.

    >>> rounded(Decimal("1.005"), 2), rounded(Decimal("-0.5"), 0)
    (Decimal('1.01'), Decimal('-1'))
    """
    return amount.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)


def valuation_on(day, valuations):
    """Return the valuation that holds on a day; the first one also before its day.

    >>> early, late = (Valuation(day, Decimal(1), Decimal(100)) for day in (10, 20))
    >>> [valuation_on(day, [early, late]).day for day in (5, 10, 19, 20)]
    [10, 10, 10, 20]
    """
    past = [item for item in valuations if item.day <= day]
    return past[-1] if past else valuations[0]


def movements(entries, valuations, digits):
    """Return what each day and kind adds to what is owed, in whole smallest units.

    Points are valued on their day; a new valuation revalues, at the start of its day,
    all that is outstanding. Each amount is the rounded total after it less the rounded
    total before it, so that they always sum to the rounded total.

    :param entries: triples of day, kind and points
    :param valuations: in the order of their days; of one day, the last counts
    :param digits: decimals of the currency
    :return: ``{(day, kind): (points, amount)}``; revaluations are of kind "revalue"

    >>> values = [Valuation(1, Decimal("0.05"), Decimal(100)),
    ...           Valuation(3, Decimal("0.05"), Decimal(90))]
    >>> entries = [(1, "earn", 101), (2, "redeem", -50), (3, "earn", 10)]
    >>> for key, (points, amount) in movements(entries, values, 2).items():
    ...     print(*key, points, amount)
    1 earn 101 5.05
    2 redeem -50 -2.50
    3 revalue 0 -0.25
    3 earn 10 0.45
    """
    cells = defaultdict(lambda: [0, Decimal(0)])
    for day, kind, points in entries:
        cell = cells[day, kind]
        cell[0] += points
        cell[1] += points * valuation_on(day, valuations).worth
    days = sorted({item.day for item in valuations[1:]})
    for day in days:
        held = sum(points for at, _kind, points in entries if at < day)
        before = valuation_on_eve(day, valuations)
        change = valuation_on(day, valuations).worth - before.worth
        cells[day, "revalue"][1] += held * change
    found, total = {}, Decimal(0)
    for key in sorted(cells, key=lambda key: (key[0], key[1] != "revalue", key[1])):
        points, amount = cells[key]
        step = rounded(total + amount, digits) - rounded(total, digits)
        found[key], total = (points, step), total + amount
    return found


def valuation_on_eve(day, valuations):
    """Return the valuation that held before a day on which another begins.

    >>> early, late = (Valuation(day, Decimal(1), Decimal(100)) for day in (10, 20))
    >>> valuation_on_eve(20, [early, late]).day
    10
    """
    past = [item for item in valuations if item.day < day]
    return past[-1] if past else valuations[0]
