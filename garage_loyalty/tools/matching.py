"""With whom members are compared: customers like them who were no members then.

Plain functions. A day is a whole number (``date.toordinal()``), amounts are net and in
one currency. The rules:

* A member counts from the visit at which they joined: the one nearest to the day of
  joining, at most a week from it. That visit is left out, as is the control's.
* A control is somebody who was no member and came in the same calendar month, as often
  in the 365 days before, and spent about as much in the 365 days before those.
* Both sides are watched for full 365 days before and after; a control who joins
  in that time, up to and including the visit at which they do.
* Nobody is used twice, and nothing that happened later decides who is compared.

The spend that is compared is not of the year before but of the one before that: the
year before is what the change is measured from. Members spend more on the whole, so a
control with the same amounts in that very year had a good year, and falls back to its
own average afterwards. The difference would look like an effect of the programme.
"""

from bisect import bisect_left, bisect_right
from datetime import date
from itertools import accumulate
from math import log
from typing import NamedTuple

from .estimate import Rate, effect, effect_on_rate
from .movement import month_number

YEAR = 365
# A visit so many days from the day of joining is the one at which they joined.
NEAR = 7
# Two customers spent about the same when one spent at most so many times the other.
ALIKE = 1.5


class Customer(NamedTuple):
    """A customer's visits.

    :ivar visits: day and amount of each, by day; amounts are above 0
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


class Matching(NamedTuple):
    """Who is compared.

    :ivar members: moments of joining
    :ivar controls: the moment of the control of each
    :ivar unmatched: members for whom there is no control
    """

    members: list
    controls: list
    unmatched: int


# -- moments -----------------------------------------------------------------------


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


def moments(customer, span, back=0):
    """Return the visits at which a customer can be compared.

    The first visit in each month before joining, and the one at which they joined; if
    there are visits in the year before, and that year and the one after are known.

    :param back: days by which the years are earlier than the visit, for a placebo

    >>> span = Span(730000, 731500)
    >>> visits = [(730400 + 100 * number, 50.0) for number in range(8)]
    >>> [(found.visits, found.is_joining) for found in moments(
    ...     Customer(1, visits, 730800), span)]
    [(1, False), (2, False), (3, False), (3, True)]
    """
    years = _Years(customer, span, back)
    joining = joining_visit(customer)
    found = [(day, False) for day in years.get_candidates()]
    if joining is not None:
        found.append((joining, True))
    made = (years.get_moment(*each) for each in found)
    return [moment for moment in made if moment]


class _Years:
    """The visits of a customer, to be counted between two days."""

    def __init__(self, customer, span, back):
        self.customer, self.span, self.back = customer, span, back
        self.days = [day for day, _ in customer.visits]
        self.sums = [0.0, *accumulate(amount for _, amount in customer.visits)]
        logs = (log(amount) for _, amount in customer.visits)
        self.logs = [0.0, *accumulate(logs)]
        self.joins = None
        if customer.joined is not None:
            joining = joining_visit(customer)
            self.joins = customer.joined if joining is None else joining

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
        change = self._change(before, after)
        month = _month(day)
        return Moment(
            self.customer.id, day, month, is_joining, number, spend, change, rate
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
        means = (
            (self.logs[last] - self.logs[first]) / (last - first)
            for first, last in (before, after)
        )
        earlier, later = means
        return later - earlier


def _month(day):
    return month_number(date.fromordinal(day))


# -- matching ----------------------------------------------------------------------


def match(found):
    """Find a control for each member, in the order in which they joined.

    Of those who qualify, the one whose spend is nearest; among equals a number made of
    the id decides, so that it is neither the oldest customers nor chance.

    :param found: moments of all customers
    """
    months = {}
    for moment in found:
        months.setdefault(moment.month, []).append(moment)
    used, members, controls, unmatched = set(), [], [], 0
    for month in sorted(months):
        pools = _make_pools(months[month], used)
        joining = [moment for moment in months[month] if moment.is_joining]
        for member in sorted(joining, key=lambda moment: (moment.day, moment.customer)):
            if member.customer in used:
                continue
            used.add(member.customer)
            control = _take_nearest(pools.get(_class(member), []), member, used)
            if not control:
                unmatched += 1
                continue
            used.add(control.customer)
            members.append(member)
            controls.append(control)
    return Matching(members, controls, unmatched)


def _class(moment):
    return moment.visits, moment.spend > 0


def _order(moment):
    """Return the place of a moment among its like: by spend, then mixed."""
    return moment.spend, moment.customer * 2654435761 % 2**32


def _make_pools(found, used):
    """Return who may be a control in a month, by class and in order."""
    pools = {}
    for moment in sorted(found, key=_order):
        if not moment.is_joining and moment.customer not in used:
            pools.setdefault(_class(moment), []).append(moment)
    return pools


def _take_nearest(pool, member, used):
    """Take the control with the nearest spend out of the pool, None without one."""
    middle = bisect_left(pool, member.spend, key=lambda moment: moment.spend)
    places = [
        next((place for place in side if pool[place].customer not in used), None)
        for side in (range(middle - 1, -1, -1), range(middle, len(pool)))
    ]
    distances = {
        place: _distance(member.spend, pool[place].spend)
        for place in places
        if place is not None
    }
    best = min(distances, key=distances.get, default=None)
    if best is None or distances[best] > ALIKE:
        return None
    return pool.pop(best)


def _distance(one, other):
    """Return how many times the smaller amount the larger one is.

    >>> _distance(100, 150), _distance(150, 100), _distance(0, 0)
    (1.5, 1.5, 1.0)
    """
    return max(one, other) / min(one, other) if min(one, other) else 1.0


# -- what comes of it --------------------------------------------------------------


def compare(customers, span, back=0):
    """Return who is compared with whom.

    :param customers: all :class:`Customer` of a workshop, members and others
    :param span: the days of which visits are known
    :param back: 365 for the placebo: as if everybody had joined a year earlier
    """
    return match(
        [moment for each in customers for moment in moments(each, span, back)]
    )


def effect_on_aro(matching):
    """Return by which share joining changed what a visit comes to.

    Of those who came both before and after, on either side.
    """
    return effect(*(_changes(side) for side in matching[:2]))


def effect_on_frequency(matching):
    """Return by which share the visits changed; see ``tools.estimate.describe``."""
    return effect_on_rate(*([one.rate for one in side] for side in matching[:2]))


def _changes(found):
    return [moment.change for moment in found if moment.change is not None]
