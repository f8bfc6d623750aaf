"""Why a member is not compared with anybody. Plain functions."""

from collections import Counter
from typing import NamedTuple

from .matching import Matching
from .moments import YEAR, find_moments, joining_visit

NO_VISIT, SOON, EARLY, NEW = "no_visit", "soon", "early", "new"


class Dropouts(NamedTuple):
    """How many members are not compared, by reason; the first one that holds.

    :ivar no_visit: did not come within a week of joining
    :ivar soon: joined less than a year ago
    :ivar early: joined when less than a year of visits was known
    :ivar new: had not come in the year before
    :ivar unmatched: nobody else was like them
    :ivar used: were compared with others before they joined
    :ivar away: were compared, but did not come in the year after: no visit to value
    """

    no_visit: int = 0
    soon: int = 0
    early: int = 0
    new: int = 0
    unmatched: int = 0
    used: int = 0
    away: int = 0


def why_not(customer, span):
    """Return why a member cannot be compared, None when it is possible.

    >>> from .moments import Customer, Span
    >>> span = Span(730000, 731500)
    >>> visits = [(day, 50.0) for day in (730100, 730500, 730900, 731300)]
    >>> [why_not(Customer(1, visits, day), span) for day in (
    ...     730100, 730499, 730700, 731301)]
    ['early', 'new', 'no_visit', 'soon']
    >>> why_not(Customer(1, [(730300, 50.0), *visits[1:]], 730499), span)
    """
    day = joining_visit(customer)
    if day is None:
        return NO_VISIT
    if day + YEAR > span.last:
        return SOON
    if day - YEAR < span.first:
        return EARLY
    found = find_moments(customer, span)
    return None if any(moment.is_joining for moment in found) else NEW


def count_dropouts(customers, span, matching: Matching):
    """Return the :class:`Dropouts` of those who have joined.

    With those who are compared they make up all members:

    >>> from .matching import compare
    >>> from .moments import Customer, Span
    >>> visits = [(730600, 80.0), (730800, 90.0), (731000, 100.0)]
    >>> customers = [Customer(1, visits, 730800), Customer(2, visits, 731000)]
    >>> customers.append(Customer(3, visits, 730700))
    >>> span = Span(730000, 731500)
    >>> count_dropouts(customers, span, compare(customers, span))
    Dropouts(no_visit=1, soon=0, early=0, new=0, unmatched=0, used=1, away=0)
    """
    joined = [each for each in customers if each.joined is not None]
    found = Counter(why_not(each, span) for each in joined)
    usable = found.pop(None, 0)
    used = usable - len(matching.members) - matching.unmatched
    away = sum(moment.change is None for moment in matching.members)
    return Dropouts(**found, unmatched=matching.unmatched, used=used, away=away)
