"""With whom members are compared: customers like them who were no members then.

Plain functions. The rules:

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

from bisect import bisect_left
from typing import NamedTuple

from .estimate import effect, effect_on_rate
from .moments import find_moments

# Two customers spent about the same when one spent at most so many times the other.
ALIKE = 1.5


class Matching(NamedTuple):
    """Who is compared.

    :ivar members: moments of joining
    :ivar controls: the moment of the control of each
    :ivar unmatched: members for whom there is no control
    """

    members: list
    controls: list
    unmatched: int


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
            if control:
                used.add(control.customer)
                members.append(member)
                controls.append(control)
            else:
                unmatched += 1
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

    :param customers: all :class:`.moments.Customer` of a workshop, members and others
    :param span: the days of which visits are known
    :param back: 365 for the placebo: as if everybody had joined a year earlier

    >>> from .moments import Customer, Span
    >>> visits = [(730600, 80.0), (730800, 90.0), (731000, 100.0)]
    >>> found = compare(
    ...     [Customer(1, visits, joined=730800), Customer(2, visits)],
    ...     Span(730000, 731500),
    ... )
    >>> [(one.customer, one.visits) for one in found.members + found.controls]
    [(1, 1), (2, 1)]
    >>> effect_on_aro(found).verdict
    'few'
    """
    return match(
        [moment for each in customers for moment in find_moments(each, span, back)]
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
