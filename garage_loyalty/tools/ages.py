"""How old points are on a day, and how soon they expire. No database.

The rules that ``garage.loyalty.liability`` states once more in SQL.
"""

from datetime import timedelta

from dateutil.relativedelta import relativedelta

from .lots import spending_order, take

# The band of points that are younger than so many full months, the youngest first.
# The keys are in the order in which the database sorts them.
BANDS = (("00_03", 3), ("03_06", 6), ("06_12", 12), ("12_24", 24))
OLDEST, DEBT = "24_up", "debt"

# When points expire, by the days that are left after a day.
SOON = (("1_30", 30), ("2_90", 90))
PAST, LATER, NEVER = "0_past", "3_later", "4_never"


def age_band(given, day):
    """Return the band of the age of points on a day, by full months.

    Month arithmetic keeps the day, or takes the last one of a shorter month: points
    of 30 November are three months old on 28 or 29 February.

    >>> from datetime import date
    >>> [age_band(date(2023, 11, 30), date(2024, 2, last)) for last in (28, 29)]
    ['00_03', '03_06']
    >>> age_band(date(2022, 2, 28), date(2024, 2, 28))
    '24_up'
    """
    for key, months in BANDS:
        if day < given + relativedelta(months=months):
            return key
    return OLDEST


def expiring(last, day):
    """Return how soon points expire, seen from a day.

    :param last: the last day on which they can be spent, or None

    >>> from datetime import date
    >>> today = date(2024, 1, 31)
    >>> [expiring(today + timedelta(days=left), today) for left in (-1, 0, 30, 31, 91)]
    ['0_past', '1_30', '1_30', '2_90', '3_later']
    >>> expiring(None, today)
    '4_never'
    """
    if last is None:
        return NEVER
    if last < day:
        return PAST
    for key, days in SOON:
        if last <= day + timedelta(days=days):
            return key
    return LATER


def owed(balance, lots):
    """Divide the balance of a member among the lots in which points are left.

    What lots hold more than the balance repays what was taken from no lot, in the
    order in which lots are spent. What they do not hold is in no lot: a debt, mostly.

    :param lots: dicts of lots as (last day or None, day given, number), and what is
        left in them
    :return: the same for what is owed; None stands for what is in no lot

    >>> from datetime import date
    >>> first, second = (date.min, date.min, 1), (None, date.min, 2)
    >>> list(owed(70, {first: 50, second: 50}).values())
    [20, 50]
    >>> owed(40, {first: 50, second: 50}) == {second: 40}
    True
    >>> owed(-5, {first: 50}), owed(60, {first: 50})[None]
    ({None: -5}, 10)
    """
    held = sum(lots.values())
    order = sorted(lots, key=lambda lot: spending_order(*lot))
    repaid = dict(take(max(held - balance, 0), [(lot, lots[lot]) for lot in order])[0])
    found = {lot: lots[lot] - repaid.get(lot, 0) for lot in order}
    found[None] = balance - sum(found.values())
    return {lot: points for lot, points in found.items() if points}
