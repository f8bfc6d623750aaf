"""Rules for lots of points: what is spent first, what is given back, what expires when.

Plain functions: points are whole numbers, days are ``datetime.date``.
"""

from calendar import monthrange
from datetime import date

from dateutil.relativedelta import relativedelta

NEVER, AGE, INACTIVITY, FIXED = "never", "age", "inactivity", "fixed"


def take(points, lots):
    """Take ``points`` from the lots in the order in which they are given.

    :param lots: pairs of (lot, what is left of it)
    :return: pairs of (lot, points taken), and the points that are missing

    >>> take(60, [("B", 50), ("A", 100)])
    ([('B', 50), ('A', 10)], 0)
    >>> take(60, [("B", 50)])
    ([('B', 50)], 10)
    """
    taken = []
    for lot, left in lots:
        if not points:
            break
        part = min(points, left)
        if part > 0:
            taken.append((lot, part))
            points -= part
    return taken, points


def spending_order(expiry, granted, number):
    """Return the key by which lots are spent: what expires first goes first.

    Lots that never expire come last; of two equal ones the older goes first.

    >>> march, may = date(2024, 3, 31), date(2024, 5, 31)
    >>> keys = [(None, march, 1), (may, may, 2), (march, may, 3), (march, march, 4)]
    >>> [number for *_, number in sorted(keys, key=lambda key: spending_order(*key))]
    [4, 3, 2, 1]
    """
    return expiry or date.max, granted, number


def share(points, weights):
    """Divide ``points`` in proportion to whole ``weights``; the parts add up exactly.

    Largest remainder: what rounding down leaves over goes to the largest fractions.
    Nobody gets more than their weight while ``points`` is not more than all weights.

    >>> share(15, [50, 10])
    [13, 2]
    >>> share(60, [50, 10])
    [50, 10]
    """
    whole = sum(weights)
    if whole <= 0:
        return [0] * len(weights)
    parts = [points * weight // whole for weight in weights]
    fractions = [points * weight % whole for weight in weights]
    order = sorted(range(len(weights)), key=lambda index: -fractions[index])
    for index in order[: points - sum(parts)]:
        parts[index] += 1
    return parts


def end_of_month(day):
    """Return the last day of a month.

    >>> end_of_month(date(2024, 2, 10))
    datetime.date(2024, 2, 29)
    """
    return day.replace(day=monthrange(day.year, day.month)[1])


def next_fixed_day(start, month, day):
    """Return the first ``day`` of ``month`` on or after ``start``.

    In a shorter month it is that month's last day.

    >>> next_fixed_day(date(2024, 3, 1), 2, 30)
    datetime.date(2025, 2, 28)
    >>> next_fixed_day(date(2024, 3, 1), 12, 31)
    datetime.date(2024, 12, 31)
    """
    for year in (start.year, start.year + 1):
        candidate = date(year, month, min(day, monthrange(year, month)[1]))
        if candidate >= start:
            return candidate
    raise ValueError(f"{month} is not a month")


def expiry_day(rule, start, months=0, month_end=False, fixed=(12, 31)):
    """Return the last day on which points can be spent, or None.

    Month arithmetic keeps the day, or takes the last one of a shorter month:
    31 January and one month is 28 or 29 February.

    :param rule: "never"; "age" and "inactivity": some months after ``start``;
        "fixed": the first fixed day of the year at least some months after it
    :param start: the day they were earned, or the last visit
    :param fixed: (month, day) of the fixed day

    >>> expiry_day("age", date(2024, 1, 31), 1)
    datetime.date(2024, 2, 29)
    >>> expiry_day("age", date(2024, 1, 15), 12, month_end=True)
    datetime.date(2025, 1, 31)
    >>> expiry_day("fixed", date(2024, 11, 20), 3, fixed=(12, 31))
    datetime.date(2025, 12, 31)
    >>> expiry_day("never", date(2024, 1, 15), 12)
    """
    if rule == NEVER:
        return None
    end = start + relativedelta(months=months)
    if rule == FIXED:
        return next_fixed_day(end, *fixed)
    return end_of_month(end) if month_end else end


def rescheduled(new, old, earliest):
    """Return when points expire after the rules were changed.

    Nothing expires before ``earliest`` because of the change; what was about to
    expire sooner by the old rules anyway, still does.

    >>> today = date(2024, 6, 1)
    >>> rescheduled(date(2024, 1, 31), None, today)
    datetime.date(2024, 6, 1)
    >>> rescheduled(date(2024, 1, 31), date(2024, 5, 31), today)
    datetime.date(2024, 5, 31)
    >>> rescheduled(date(2025, 1, 31), None, today)
    datetime.date(2025, 1, 31)
    >>> rescheduled(None, date(2024, 5, 31), today)
    """
    if new is None:
        return None
    return max(new, min(old or date.max, earliest))
