"""Rules for birthdays: on which days a bonus is due, and whose day it is."""

from calendar import isleap
from datetime import timedelta

LONGEST = 31  # days that are made up for after the scheduled action stood still


def days_due(last, today, longest=LONGEST):
    """Return the days whose birthdays are still to be rewarded, today included.

    :param last: the last day that was done; without one, only today is

    >>> from datetime import date
    >>> [day.day for day in days_due(date(2024, 3, 4), date(2024, 3, 6))]
    [5, 6]
    >>> days_due(None, date(2024, 3, 6))
    [datetime.date(2024, 3, 6)]
    >>> days_due(date(2024, 3, 6), date(2024, 3, 6))
    []
    >>> len(days_due(date(2020, 1, 1), date(2024, 3, 6)))
    31
    """
    behind = (today - last).days if last else 1
    count = min(max(behind, 0), longest)
    return [today - timedelta(days=number) for number in reversed(range(count))]


def celebrated(day):
    """Return the (month, day) of the birthdays that are celebrated on a day.

    Who was born on 29 February celebrates on 28 February in common years.

    >>> from datetime import date
    >>> celebrated(date(2023, 2, 28)), celebrated(date(2024, 2, 28))
    ([(2, 28), (2, 29)], [(2, 28)])
    """
    found = [(day.month, day.day)]
    if found == [(2, 28)] and not isleap(day.year):
        found.append((2, 29))
    return found
