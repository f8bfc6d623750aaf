"""Rules for whether existing customers come as often as a year before.

Plain functions. Months are whole numbers, see ``tools.movement.month_number``.
"""

from datetime import timedelta
from math import erfc, sqrt
from typing import NamedTuple

from .movement import month_number
from .points import exact

YEAR = 12
# Invoices of a month that are posted this late are still in its figures.
WAIT_DAYS = 5
# Of how many months before the ones compared invoices must be known.
LEAST_KNOWN = 6
# How many months are looked at when nothing was looked at before.
HISTORY = 12
# What happens less often than this, without a reason, is hardly chance.
SURE = 0.05


class Window(NamedTuple):
    """The months in which visits are counted.

    :ivar first: number of the first month
    :ivar last: number of the last month
    :ivar known: whoever was invoiced in so many months before is an existing customer
    """

    first: int
    last: int
    known: int


def windows(last, months, began, most):
    """Return the months that end with ``last``, and the same of the year before.

    Existing customers of both are told by the same number of months before. Otherwise
    there would be more of them every year, and a fall would be hidden.

    :param months: how many are compared
    :param began: month of the first invoice of all, which need not be a whole month
    :param most: months without an invoice after which a customer is lost

    >>> now, before = windows(24300, 3, 24240, 18)
    >>> tuple(now), tuple(before)
    ((24298, 24300, 18), (24286, 24288, 18))
    >>> windows(24300, 3, 24280, 18)[0].known
    5
    >>> windows(24300, 3, 24299, 18)[0].known
    0
    """
    first = last - months + 1
    known = max(0, min(most, first - YEAR - began - 1))
    return Window(first, last, known), Window(first - YEAR, last - YEAR, known)


def is_known(known, most):
    """Tell whether enough is known of the time before the months compared.

    >>> [is_known(*args) for args in ((5, 18), (6, 18), (3, 3), (0, 3))]
    [False, True, True, False]
    """
    return known >= min(LEAST_KNOWN, most)


def last_settled(today):
    """Return the last month that is complete, late invoices included.

    >>> from datetime import date
    >>> march = month_number(date(2024, 3, 1))
    >>> [last_settled(date(2024, 3, day)) - march for day in (1, 5, 6, 31)]
    [-2, -2, -1, -1]
    """
    return month_number(today - timedelta(WAIT_DAYS)) - 1


def due_months(last, months, began, most, done):
    """Return the months to look at: the last one, and those before that say something.

    :param done: the months that were looked at

    >>> due_months(24300, 3, 24240, 18, set(range(24200, 24299)))
    [24299, 24300]
    >>> due_months(24300, 3, 24279, 18, {24300})
    []
    >>> due_months(24300, 3, 24279, 18, set())
    [24300]
    >>> due_months(24300, 3, 24301, 18, set())
    []
    """
    if began > last:
        return []
    return [
        number
        for number in range(last - HISTORY + 1, last + 1)
        if number not in done
        and (
            number == last
            or is_known(windows(number, months, began, most)[0].known, most)
        )
    ]


def basis(visits, invoices, least):
    """Return what is compared: repair orders, or invoices where there are too few.

    :param visits: repair orders of the year before, and now
    :param invoices: the same of invoices

    >>> basis((40, 35), (60, 60), 30), basis((0, 0), (60, 60), 30)
    ('visits', 'invoices')

    A workshop that began, or ceased, to use repair orders has not lost its customers.

    >>> basis((40, 0), (60, 60), 30)
    'invoices'
    >>> basis((40, 2), (0, 0), 30), basis((0, 0), (5, 3), 30)
    ('visits', 'invoices')
    """
    if min(visits) >= least:
        return "visits"
    is_billed = max(invoices) >= least or sum(invoices) > sum(visits)
    return "invoices" if is_billed else "visits"


def change(before, now):
    """Return by how many percent a figure has changed, 0 when there was none.

    >>> change(200, 150), change(0, 5)
    (-25.0, 0.0)
    """
    return 100 * (now - before) / before if before else 0.0


def verdict(before, now, share, least):
    """Return whether visits fall by more than a share.

    :param share: in percent; 0 is never exceeded
    :param least: visits of the year before below which nothing is concluded

    >>> [verdict(100, now, 10, 30) for now in (89, 90, 200)]
    ['falling', 'holding', 'holding']
    >>> verdict(29, 0, 10, 30), verdict(30, 0, 10, 30), verdict(30, 0, 0, 30)
    ('unknown', 'falling', 'holding')
    """
    if before < least:
        return "unknown"
    is_falling = share and 100 * (before - now) > exact(share) * before
    return "falling" if is_falling else "holding"


def chance(before, now, spread):
    """Return how likely a fall as large is if customers come as often as before.

    Visits of one customer hang together, those of different ones do not: so the sum of
    the squares of what each one did is the variance of the difference. Of two counts
    of single visits that is the usual test of two rates.

    :param spread: that sum, of both years
    :return: between 0 and 1

    >>> round(chance(100, 80, 180), 3), chance(100, 100, 200)
    (0.068, 0.5)
    >>> round(chance(100, 80, 180 * 4), 3)
    0.228
    >>> chance(0, 0, 0)
    1.0
    """
    return erfc((before - now) / sqrt(2 * spread)) / 2 if spread else 1.0


def should_tell(checks, months):
    """Tell whether managers are told of the last month that was looked at.

    Once for each fall; again when it goes on and none of the months are the same.

    :param checks: whether visits fell, and whether managers were told, by month
    :param months: how many are compared each time

    >>> should_tell({7: (True, False)}, 3)
    True
    >>> should_tell({6: (True, True), 7: (True, False)}, 3)
    False
    >>> should_tell({6: (False, False), 7: (True, False)}, 3)
    True
    >>> should_tell({4: (True, True), 5: (True, False), 6: (True, False),
    ...     7: (True, False)}, 3)
    True
    >>> should_tell({7: (True, True)}, 3), should_tell({}, 3)
    (False, False)
    """
    last = max(checks, default=None)
    if checks.get(last) != (True, False):
        return False
    for number in range(last - 1, last - months, -1):
        is_falling, is_told = checks.get(number, (False, False))
        if is_told or not is_falling:
            return not is_falling
    return True
