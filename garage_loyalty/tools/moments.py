"""Moments at which customers can be compared: visits, with the years around them.

Plain functions. A day is a whole number (``date.toordinal()``), amounts are net and in
one currency. How they are compared is told in ``tools.matching``.
"""

from bisect import bisect_left, bisect_right
from datetime import date
from itertools import accumulate
from math import log
from typing import NamedTuple

from .estimate import Rate
from .movement import month_number

YEAR = 365
# A visit so many days from the day of joining is the one at which they joined.
NEAR = 7


class Customer(NamedTuple):
    """A customer's visits.

    :ivar visits: day and amount of each, by day; what came to nothing is not counted
    :ivar joined: the day on which they joined for the first time, None for never
    """

    id: int
    visits: list
    joined: int | None = None


class Span(NamedTuple):
    """The days of which visits are known: the first, and the last."""

    first: int
    last: int


class Moment(NamedTuple):
    """A visit, with what came before and after it.

    :ivar month: number of the calendar month
    :ivar visits: in the year before
    :ivar spend: in the year before that
    :ivar change: mean logarithm of amounts after minus that before, None without any
    :ivar rate: visits before and after
    """

    customer: int
    day: int
    month: int
    is_joining: bool
    visits: int
    spend: float
    change: float | None
    rate: Rate


def joining_visit(customer):
    """Return the day of the visit at which a customer joined, None without one.

    >>> joining_visit(Customer(1, [(90, 10.0), (98, 10.0), (106, 10.0)], 102))
    98
    >>> joining_visit(Customer(1, [(90, 10.0)], 98))
    >>> joining_visit(Customer(1, [(90, 10.0)]))
    """
    if customer.joined is None:
        return None
    days = [day for day, _ in customer.visits if abs(day - customer.joined) <= NEAR]
    return min(days, key=lambda day: abs(day - customer.joined), default=None)


def find_moments(customer, span, back=0):
    """Return the visits at which a customer can be compared.

    The first visit in each month before joining, and the one at which they joined; if
    there are visits in the year before, and that year and the one after are known.

    :param back: days by which the years are earlier than the visit, for a placebo

    >>> span = Span(730000, 731500)
    >>> visits = [(730400 + 100 * number, 50.0) for number in range(8)]
    >>> [(found.visits, found.is_joining) for found in find_moments(
    ...     Customer(1, visits, 730800), span)]
    [(1, False), (2, False), (3, False), (3, True)]
    """
    years = _Years(customer, span, back)
    found = [(day, False) for day in years.get_candidates()]
    if years.joining is not None:
        found.append((years.joining, True))
    made = (years.get_moment(*each) for each in found)
    return [moment for moment in made if moment]


class _Years:
    """The visits of a customer, to be counted between two days."""

    def __init__(self, customer, span, back):
        self.customer, self.span, self.back = customer, span, back
        self.joining = joining_visit(customer)
        # A control is watched until then.
        self.joins = customer.joined if self.joining is None else self.joining
        paid = [(day, amount) for day, amount in customer.visits if amount > 0]
        self.days = [day for day, _ in paid]
        self.sums = [0.0, *accumulate(amount for _, amount in paid)]
        self.logs = [0.0, *accumulate(log(amount) for _, amount in paid)]

    def get_candidates(self):
        """Return the first day of a visit in each month before joining."""
        end = len(self.days)
        if self.joins is not None:
            end = bisect_left(self.days, min(self.joins, self.customer.joined))
        firsts = {}
        for day in self.days[:end]:
            firsts.setdefault(_month(day), day)
        return firsts.values()

    def get_moment(self, day, is_joining):
        """Return the moment of a visit, None when its years are not known."""
        start = day - self.back
        if start - YEAR < self.span.first or day + YEAR > self.span.last:
            return None
        before = self._range(start - YEAR, start - 1)
        number = before[1] - before[0]
        if not number:
            return None
        earlier = self._range(start - 2 * YEAR, start - YEAR - 1)
        after, years = self._after(start, is_joining)
        rate = Rate(number, after[1] - after[0], years)
        spend = self.sums[earlier[1]] - self.sums[earlier[0]]
        return Moment(
            customer=self.customer.id,
            day=day,
            month=_month(day),
            is_joining=is_joining,
            visits=number,
            spend=spend,
            change=self._change(before, after),
            rate=rate,
        )

    def _range(self, first, last):
        """Return between which places the visits of some days are."""
        return bisect_left(self.days, first), bisect_right(self.days, last)

    def _after(self, start, is_joining):
        """Return where the visits after are, and how many years they took."""
        first, last = (start + 1, start + YEAR)
        if self.back:
            # Nobody has joined yet, and the visit itself is left out here, too.
            first, last = start, start + YEAR - 1
        elif self.joins is not None and not is_joining:
            last = min(last, self.joins)
        return self._range(first, last), (last - first + 1) / YEAR

    def _change(self, before, after):
        if after[0] >= after[1]:
            return None
        return self._mean_log(*after) - self._mean_log(*before)

    def _mean_log(self, first, last):
        return (self.logs[last] - self.logs[first]) / (last - first)


def _month(day):
    return month_number(date.fromordinal(day))
