"""What a programme changed, estimated from its customers, and how sure that is.

Plain functions. An effect is a share: 0.05 is 5 %. Every customer gives one value, and
an interval holds the truth 95 times in 100, as far as chance goes. What is not chance
(who joins, and why) is the business of ``tools.matching``, or of a draw by lot.
"""

from dataclasses import dataclass, replace
from math import exp, fsum, log, sqrt
from typing import NamedTuple

# How many standard errors an interval reaches to either side.
SURE = 1.96
# With fewer customers on a side nothing is said.
LEAST = 30
# An interval this close to 0 contains it: the rest is the computer's rounding.
TINY = 1e-9

FEW, OPEN, MORE, LESS = "few", "open", "more", "less"
DESCRIBED, BIASED = "described", "biased"


@dataclass(frozen=True)
class Estimate:
    """How much more members do than those they are compared with.

    :ivar value: the estimate; a share, unless the function says what else; None
        when there are too few customers
    :ivar low: where the interval begins
    :ivar high: where it ends
    :ivar members: customers on the one side
    :ivar controls: customers on the other side
    :ivar verdict: ``few`` to tell, ``open``: not conclusive, ``more``, ``less``; of
        frequency also ``described`` and ``biased``, see :func:`describe`
    """

    value: float | None
    low: float | None
    high: float | None
    members: int
    controls: int
    verdict: str

    @property
    def is_known(self):
        """Tell whether there is anything to show."""
        return self.value is not None


class Ratio(NamedTuple):
    """One sum over another, such as revenue over orders.

    :ivar variance: of the value, None when there are not two customers
    :ivar customers: how many there are
    """

    value: float
    variance: float | None
    customers: int

    @property
    def interval(self):
        """Return where the interval begins and ends, None when it is not known."""
        if self.variance is None:
            return None
        reach = SURE * sqrt(self.variance)
        return self.value - reach, self.value + reach

    @property
    def log_variance(self):
        """Return the variance of the logarithm of the value."""
        return self.variance / self.value**2


class Rate(NamedTuple):
    """How often a customer came.

    :ivar before: visits in the year before
    :ivar after: visits in the time after
    :ivar years: how long that time was
    """

    before: float
    after: float
    years: float = 1.0


# -- one group -------------------------------------------------------------------


def ratio(pairs):
    """Return Σy/Σx, None when there is nothing to divide by.

    ARO with revenue as y and orders as x, visit frequency with visits and years:
    R = Σy/Σx, Var(R) = n/(n−1) · Σ(y−Rx)²/(Σx)².

    :param pairs: y and x of each customer

    >>> aro = ratio([(300, 3), (100, 1), (400, 2)])
    >>> round(aro.value, 2), round(aro.variance, 2), aro.customers
    (133.33, 1203.7, 3)
    >>> [round(bound, 2) for bound in aro.interval]
    [65.33, 201.33]
    >>> ratio([(100, 0)])
    """
    pairs = list(pairs)
    below = fsum(x for _y, x in pairs)
    if below <= 0:
        return None
    value = fsum(y for y, _x in pairs) / below
    parts = [(y - value * x) / below for y, x in pairs]
    return Ratio(value, _clustered(parts), len(pairs))


def _clustered(parts):
    """Return the variance of a sum, from what each customer adds to its error."""
    number = len(parts)
    if number < 2:
        return None
    return number / (number - 1) * fsum(part * part for part in parts)


def mean_of(values):
    """Return the mean and its variance.

    >>> mean, variance = mean_of([1, 2, 3, 6])
    >>> mean, round(variance, 6)
    (3.0, 1.166667)
    """
    number = len(values)
    mean = fsum(values) / number
    return mean, _clustered([(value - mean) / number for value in values])


# -- two groups ------------------------------------------------------------------


def judge(mean, variance, sizes, scale=float):
    """Return the estimate with its interval and verdict.

    :param scale: makes what is shown of what was computed; keeps 0 and the order

    >>> judge(0.5, 0.01, (30, 40))
    Estimate(value=0.5, low=0.304, high=0.696, members=30, controls=40, verdict='more')
    """
    reach = SURE * sqrt(variance)
    low, high = mean - reach, mean + reach
    verdict = verdict_of(low, high)
    return Estimate(scale(mean), scale(low), scale(high), *sizes, verdict)


def verdict_of(low, high):
    """Return what an interval says.

    >>> verdict_of(0.01, 0.2), verdict_of(-0.2, 0.1), verdict_of(-0.2, -0.1)
    ('more', 'open', 'less')
    """
    if low > TINY:
        return MORE
    return LESS if high < -TINY else OPEN


def percent(logarithm):
    """Return the share by which something changed, from its logarithm.

    >>> round(percent(log(1.1)), 6)
    0.1
    """
    return exp(logarithm) - 1


def too_few(sizes):
    """Return an estimate that says nothing but how many customers there were.

    >>> too_few((29, 400)).verdict
    'few'
    """
    return Estimate(None, None, None, *sizes, FEW)


def gap(members, controls):
    """Return by how much the ratio of members is above that of the others, as it is.

    The raw gap: it tells who joins rather than what the programme does.

    :param members: y and x of each customer, as for :func:`ratio`
    :param controls: the same of the others

    >>> others = [(100, 1), (120, 1), (80, 1)] * 20
    >>> found = gap([(y * 1.2, x) for y, x in others], others)
    >>> round(found.value, 3), round(found.low, 2), round(found.high, 2), found.verdict
    (0.2, 0.13, 0.27, 'more')
    >>> gap(others[:29], others).verdict
    'few'
    """
    members, controls = list(members), list(controls)
    sizes = len(members), len(controls)
    found = ratio(members), ratio(controls)
    if min(sizes) < LEAST or not all(one and one.value > 0 for one in found):
        return too_few(sizes)
    ours, theirs = found
    mean = log(ours.value) - log(theirs.value)
    return judge(mean, ours.log_variance + theirs.log_variance, sizes, percent)


def effect(members, controls):
    """Return by how much more members changed than those they are compared with.

    Δ is the mean change of members minus that of the others, ± 1.96 · √(s²/n + s²/n),
    in percent exp(Δ) − 1.

    :param members: of each customer, mean logarithm after minus that before
    :param controls: the same of the others

    >>> found = effect([0.2, 0.1, 0.0] * 20, [0.05, -0.05] * 30)
    >>> round(found.value, 3), round(found.low, 3), round(found.high, 3), found.verdict
    (0.105, 0.078, 0.133, 'more')
    >>> effect([0.2, -0.2] * 15, [0.1, -0.1] * 15).verdict
    'open'
    """
    members, controls = list(members), list(controls)
    sizes = len(members), len(controls)
    if min(sizes) < LEAST:
        return too_few(sizes)
    (ours, our_part), (theirs, their_part) = mean_of(members), mean_of(controls)
    return judge(ours - theirs, our_part + their_part, sizes, percent)


def effect_on_rate(members, controls):
    """Return by how much more the visit frequency of members changed.

    Of sums, not of each customer, as many have no visit at all in one of the years.

    :param members: a :class:`Rate` of each customer
    :param controls: the same of the others

    >>> others = [Rate(2, 2), Rate(1, 2), Rate(3, 2)] * 20
    >>> members = [Rate(2, 3), Rate(1, 2), Rate(3, 3)] * 20
    >>> found = effect_on_rate(members, others)
    >>> round(found.value, 3), found.verdict
    (0.333, 'more')
    >>> effect_on_rate([Rate(0, 1)] * 30, others).verdict
    'few'
    """
    members, controls = list(members), list(controls)
    sizes = len(members), len(controls)
    if min(sizes) < LEAST:
        return too_few(sizes)
    found = _change_of_rate(members), _change_of_rate(controls)
    if not all(found):
        return too_few(sizes)
    (ours, our_part), (theirs, their_part) = found
    return judge(ours - theirs, our_part + their_part, sizes, percent)


def _change_of_rate(rates):
    """Return the change of the logarithm, and its variance; None when it has none."""
    before = fsum(rate.before for rate in rates)
    after = fsum(rate.after for rate in rates)
    years = fsum(rate.years for rate in rates)
    if min(before, after, years) <= 0:
        return None
    number = len(rates)
    change = log(after / years) - log(before / number)
    parts = [
        rate.after / after - rate.years / years - rate.before / before + 1 / number
        for rate in rates
    ]
    return change, _clustered(parts)


def describe(found, placebo):
    """Return an estimate from history that proves nothing, with a verdict that says so.

    Whoever comes more often is more likely to be asked to join, and nothing in the
    past tells that from the effect of joining. One year earlier, when nobody had
    joined, the same comparison should find nothing: ``biased`` when it does.

    :param found: the estimate of frequency
    :param placebo: the same one year earlier

    >>> found = effect([0.2, 0.1] * 30, [0.1, -0.1] * 30)
    >>> describe(found, effect([0.2, -0.2] * 30, [0.1, -0.1] * 30)).verdict
    'described'
    >>> describe(found, found).verdict, describe(found, effect([], [])).verdict
    ('biased', 'described')
    """
    if not found.is_known:
        return found
    is_biased = placebo.verdict in (MORE, LESS)
    return replace(found, verdict=BIASED if is_biased else DESCRIBED)
