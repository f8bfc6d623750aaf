"""Rules for the use of a programme: who was a member when, and what counts as use.

Plain functions. A customer counts as a member of a month who was one on at least one
day of it. Points are used by earning and by redeeming them: gifts, corrections and
what expires are nobody's doing.
"""

from datetime import timedelta

from .movement import month_number

# What an entry of each kind is counted as, and with which sign.
FIGURES = {
    "earn": ("earned", 1),
    "clawback": ("earned", 1),
    "redeem": ("redeemed", -1),
    "restore": ("redeemed", -1),
    "expire": ("expired", -1),
    "adjust": ("other", 1),
    "opening": ("other", 1),
    "transfer": ("other", 1),
}
USES = ("earn", "redeem")


def member_months(history, last):
    """Return the tier of each month of membership, by the number of the month.

    :param history: (day, whether a member from then on, tier), in the order in which
        they were noted; of several on one day the last one counts
    :param last: last day that is looked at

    >>> from datetime import date
    >>> joined, left = date(2024, 1, 31), date(2024, 3, 1)
    >>> days = [(joined, True, "bronze"), (left, False, "bronze")]
    >>> [number - 2024 * 12 + 1 for number in member_months(days, date(2024, 12, 31))]
    [1, 2]
    """
    months = {}
    noted = {day: (is_member, tier) for day, is_member, tier in history}
    days = sorted(noted)
    for day, until in zip(days, [*days[1:], None], strict=True):
        is_member, tier = noted[day]
        end = min(until - timedelta(1), last) if until else last
        if is_member and day <= end:
            numbers = range(month_number(day), month_number(end) + 1)
            months |= dict.fromkeys(numbers, tier)
    return months


def percentage(part, whole):
    """Return the part in percent of the whole, None where there is no whole.

    >>> percentage(1, 4), percentage(0, 4), percentage(3, 0)
    (25.0, 0.0, None)
    """
    return 100 * part / whole if whole else None
