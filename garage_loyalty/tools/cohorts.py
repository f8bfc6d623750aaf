"""Rules for cohorts: customers by the month of their first visit.

Plain functions. Spans are whole calendar months, as in ``tools.movement``: who came
back within 12 months is who had not lapsed after 12.
"""

from .movement import month_number

# What a workshop asks for: a season, half a year, the yearly service, the same a little
# late, two of them.
SPANS = (3, 6, 12, 13, 24)


def first_return(days):
    """Return the day of the first visit, and the day of coming back or None.

    Two repair orders on one day are one visit.

    :param days: of the visits, at least one, in any order

    >>> from datetime import date
    >>> first_return([date(2024, 5, 9), date(2024, 2, 1), date(2024, 2, 1)])
    (datetime.date(2024, 2, 1), datetime.date(2024, 5, 9))
    >>> first_return([date(2024, 2, 1), date(2024, 2, 1)])[1]
    """
    first, *later = sorted(set(days))
    return first, later[0] if later else None


def is_within(first, day, span):
    """Tell whether a day lies within so many months of the first visit.

    Until the end of the calendar month: neither month ends nor leap days matter.

    >>> from datetime import date
    >>> first = date(2024, 1, 31)
    >>> [is_within(first, day, 3) for day in (
    ...     date(2024, 1, 31), date(2024, 4, 30), date(2024, 5, 1))]
    [True, True, False]
    """
    return month_number(day) - month_number(first) <= span


def is_old_enough(month, span, today):
    """Tell whether all months of a span are over, so that its figures are final.

    >>> from datetime import date
    >>> [is_old_enough(date(2024, 1, 1), 3, day) for day in (
    ...     date(2024, 4, 30), date(2024, 5, 1))]
    [False, True]
    """
    return month_number(today) - month_number(month) > span


def share(came, due):
    """Return how many percent came back, None where nobody is known for long enough.

    >>> share(1, 4), share(0, 4), share(0, 0)
    (25.0, 0.0, None)
    """
    return 100 * came / due if due else None
