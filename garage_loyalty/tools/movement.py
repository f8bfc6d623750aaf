"""Rules for who is leaving and who is new, by calendar month.

Plain functions. Months are whole numbers, see ``month_number``; only the dates of
invoices count, so that month ends, leap days and time zones do not matter.
"""

from datetime import date
from itertools import pairwise
from typing import NamedTuple

STAGES = ("active", "at_risk", "lapsed", "lost", "never")
# A gap of no months stands for none: the first month of a customer, or the last one.
NONE = 0


def month_number(day):
    """Return the number of a calendar month.

    >>> month_number(date(2016, 5, 31)) - month_number(date(2015, 5, 1))
    12
    """
    return 12 * day.year + day.month - 1


def month_start(number):
    """Return the first day of a month.

    >>> month_start(month_number(date(2016, 2, 29)))
    datetime.date(2016, 2, 1)
    """
    return date(number // 12, number % 12 + 1, 1)


class Month(NamedTuple):
    """A month in which a customer was invoiced.

    :ivar number: of the month
    :ivar prev_gap: months since the one before, 0 when it is the first
    :ivar next_gap: months until the next one, 0 when it is the last
    """

    number: int
    prev_gap: int
    next_gap: int


def months(days):
    """Return the months of a customer, from the days of the invoices in any order.

    >>> [tuple(month) for month in months([date(2020, 3, 1), date(2020, 1, 31)])]
    [(24240, 0, 2), (24242, 2, 0)]
    """
    numbers = sorted({month_number(day) for day in days})
    if not numbers:
        return []
    before, after = [None, *numbers[:-1]], [*numbers[1:], None]
    return [
        Month(
            number,
            NONE if prev is None else number - prev,
            NONE if following is None else following - number,
        )
        for prev, number, following in zip(before, numbers, after, strict=True)
    ]


def lapsed_in(month, gap):
    """Return the month in which a customer lapses after this one, or None.

    The one in which ``gap`` months without an invoice are complete: each lapse is
    counted once.

    >>> month_start(lapsed_in(Month(24240, 0, 0), 12))
    datetime.date(2021, 1, 1)
    >>> lapsed_in(Month(24240, 0, 12), 12)
    >>> lapsed_in(Month(24240, 0, 13), 12) - 24240
    12
    """
    is_over = month.next_gap == NONE or month.next_gap > gap
    return month.number + gap if is_over else None


def kind(month, gap):
    """Return what a customer is in this month: first, returning, or None: neither.

    >>> [kind(Month(24240, prev, 0), 12) for prev in (0, 12, 13)]
    ['first', None, 'returning']
    """
    if month.prev_gap == NONE:
        return "first"
    return "returning" if month.prev_gap > gap else None


def is_active(month, number, gap):
    """Tell whether the customer is active in a month because of this one.

    Of the months of a customer, the last one up to then decides.

    >>> [is_active(Month(100, 0, 5), number, 3) for number in (99, 100, 102, 103)]
    [False, True, True, False]
    >>> is_active(Month(100, 0, 2), 102, 3)
    False
    """
    lasts = min(gap, month.next_gap or gap)
    return month.number <= number < month.number + lasts


def stage(last, today, limits, is_overdue=False):
    """Return the stage of a customer on a day.

    :param last: date of the last invoice, None when there is none
    :param limits: months after which a customer is at risk, lapsed, lost
    :param is_overdue: away longer than usual for this very customer

    >>> today = date(2016, 6, 1)
    >>> [stage(day, today, (6, 12, 18)) for day in (
    ...     date(2015, 12, 1), date(2015, 11, 30), date(2015, 5, 31),
    ...     date(2014, 11, 30))]
    ['active', 'at_risk', 'lapsed', 'lost']
    >>> stage(None, today, (6, 12, 18))
    'never'
    >>> stage(date(2016, 5, 1), today, (6, 12, 18), is_overdue=True)
    'at_risk'
    """
    if last is None:
        return "never"
    away = month_number(today) - month_number(last)
    at_risk, lapsed, lost = limits
    if away > lost:
        return "lost"
    if away > lapsed:
        return "lapsed"
    return "at_risk" if away > at_risk or is_overdue else "active"


def usual_interval(days, least=4, share=0.9):
    """Return after how many days this customer is overdue, None when it is not known.

    The 90th percentile of the days between visits, linear between two values, as
    ``percentile_cont`` of PostgreSQL.

    :param days: of the visits
    :param least: how many visits it takes to know

    >>> usual_interval([date(2020, 1, 1), date(2020, 4, 1), date(2020, 7, 1)])
    >>> usual_interval([date(2020, month, 1) for month in (1, 4, 7, 12)])
    140.6
    """
    days = sorted(set(days))
    if len(days) < least:
        return None
    gaps = sorted((b - a).days for a, b in pairwise(days))
    place = share * (len(gaps) - 1)
    low = int(place)
    high = min(low + 1, len(gaps) - 1)
    return round(gaps[low] + (gaps[high] - gaps[low]) * (place - low), 6)


AWAY, BACK, VOID = "away", "back", "void"


def outcome(month, returned=None):
    """Return what became of a lapse that was recorded for a month.

    :param month: number of the month in which the customer was counted as lapsed
    :param returned: day of the first invoice in a later month than the last one before
    :return: ``AWAY``, ``BACK``, or ``VOID`` for what turned out to be none: a late
        invoice lies within the months without one

    >>> lapsed = month_number(date(2016, 5, 31))
    >>> outcome(lapsed), outcome(lapsed, date(2016, 6, 1))
    ('away', 'back')
    >>> outcome(lapsed, date(2016, 5, 31))
    'void'
    """
    if returned is None:
        return AWAY
    return BACK if month_number(returned) > month else VOID
