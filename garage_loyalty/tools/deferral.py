"""Points as a promise of their own, by IFRS 15 B39 to B42. No database.

The sale that earned points is allocated to goods and points by their stand-alone
prices, once and for all. What was allocated to points becomes revenue as they are
redeemed, in proportion to all that are expected to be redeemed. The rules that
``garage.loyalty.deferral.query`` states once more in SQL.
"""

from decimal import Decimal
from typing import NamedTuple

from .liability import rounded


class Cohort(NamedTuple):
    """What became, until a day, of the points of a programme earned in one month."""

    earned: int
    redeemed: int
    left: int


def allocate(total, prices, digits):
    """Divide the price of a sale by stand-alone prices; the parts add up exactly.

    Largest remainder: what rounding down leaves over goes to the largest fractions.

    :param total: price of the whole, net of taxes
    :param prices: stand-alone prices, none of them negative
    :param digits: decimals of the currency

    >>> [str(part) for part in allocate(Decimal(100000), [100000, 9500], 0)]
    ['91324', '8676']
    >>> [str(part) for part in allocate(Decimal("-0.05"), [1, 1, 1], 2)]
    ['-0.02', '-0.02', '-0.01']
    >>> [str(part) for part in allocate(Decimal(5), [0, 0], 0)]
    ['5', '0']
    """
    whole = sum(prices)
    if not whole:
        prices = [1, *[0] * (len(prices) - 1)]
        whole = 1
    unit = Decimal(1).scaleb(-digits)
    units = int(rounded(abs(total), digits) / unit)
    exact = [units * Decimal(price) / Decimal(whole) for price in prices]
    parts = [int(part) for part in exact]
    order = sorted(range(len(parts)), key=lambda at: parts[at] - exact[at])
    for index in order[: units - sum(parts)]:
        parts[index] += 1
    sign = -1 if total < 0 else 1
    return [sign * part * unit for part in parts]


def deferred(total, points, worth, digits):
    """Return what a sale is allocated to the points that it earned.

    :param total: net price of the sale, which is its stand-alone price as well
    :param worth: net value of a point times the share expected to be redeemed

    >>> str(deferred(Decimal(100000), 10000, Decimal("0.95"), 0))
    '8676'
    >>> str(deferred(Decimal(2000), 200, Decimal("0.85"), 2))
    '156.68'
    >>> str(deferred(Decimal(0), 200, Decimal("0.85"), 2))
    '0.00'
    """
    return allocate(total, [max(total, 0), points * worth], digits)[1]


def kept(allocated, points, net):
    """Return what is left of an allocation once credit notes took points back.

    >>> str(kept(Decimal(100), 40, 30))
    '75'
    """
    return allocated * min(max(net, 0), points) / points


def expected(cohort, rate):
    """Return how many points of a cohort are expected to be redeemed in the end.

    Never fewer than have been, nor more than still can be: with the last point that
    expires, all that is left of the allocation is revenue.

    :param rate: share of points that is expected to be redeemed, in percent

    >>> expected(Cohort(10000, 4500, 5500), Decimal(95))
    Decimal('9500')
    >>> expected(Cohort(10000, 4500, 1000), Decimal(95))
    Decimal('5500')
    >>> expected(Cohort(10000, 9600, 400), Decimal(95))
    Decimal('9600')
    """
    most = cohort.redeemed + cohort.left
    wanted = cohort.earned * Decimal(rate) / 100
    return max(min(wanted, Decimal(most)), Decimal(cohort.redeemed))


def recognised(allocated, cohort, rate):
    """Return what of an allocation is revenue by now, not rounded.

    >>> round(recognised(Decimal(8676), Cohort(10000, 4500, 5500), Decimal(95)))
    4110
    >>> round(recognised(Decimal(8676), Cohort(10000, 8500, 1500), Decimal(97)))
    7603
    >>> str(recognised(Decimal(8676), Cohort(10000, 8500, 0), Decimal(97)))
    '8676'
    """
    share = expected(cohort, rate)
    return allocated * cohort.redeemed / share if share else allocated


def owed(allocated, cohort, rate, digits):
    """Return what is still owed of an allocation.

    What was allocated less what is recognised, each rounded: so goods, what is
    recognised and what is owed always add up to the sale.

    >>> str(owed(Decimal(8676), Cohort(10000, 4500, 5500), Decimal(95), 0))
    '4566'
    >>> str(owed(Decimal(8676), Cohort(10000, 8500, 1500), Decimal(97), 0))
    '1073'
    """
    past = rounded(recognised(allocated, cohort, rate), digits)
    return rounded(allocated, digits) - past
