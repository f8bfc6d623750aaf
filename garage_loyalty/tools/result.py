"""What a programme cost in a period, and what it brought. Plain functions."""

from typing import NamedTuple

# Kinds of benefits that take points, in ``garage.loyalty.reward.use``.
REDEEMED = ("money", "personal", "reward")

# What can be said of a programme.
PAYS, LOSES, OPEN, UNKNOWN, FREE = "pays", "loses", "open", "unknown", "free"


class Range(NamedTuple):
    """An amount or a share that is known within an interval."""

    low: float
    mid: float
    high: float


class Result(NamedTuple):
    """What came of a programme.

    :ivar cost: in all
    :ivar margin: what it brought, None when that is not known
    :ivar net: what it brought less the cost
    :ivar roi: the net in percent of the cost, None also where it cost nothing
    :ivar verdict: one of the constants
    """

    cost: float
    margin: Range | None
    net: Range | None
    roi: Range | None
    verdict: str


def settled(cost, points, point_value):
    """Return what redemptions cost above the value of the points that they took.

    Points were counted at their value when they were given: what they buy settles that.
    Only the difference is left to count, negative when they buy for less.

    >>> settled(cost=80, points=1000, point_value=0.1)
    -20.0
    >>> settled(cost=15, points=0, point_value=0.1)
    15.0
    """
    return float(cost - points * point_value)


def incremental(invoiced, margin, effect):
    """Return the margin that would not be there without the effect.

    :param invoiced: net amount, with the effect in it
    :param margin: what is left of an amount, as a share
    :param effect: by what share the amount is higher: low, mid, high; or None

    >>> incremental(1500, 0.5, (0.0, 0.25, 0.5))
    Range(low=0.0, mid=150.0, high=250.0)
    >>> incremental(1500, 0.5, None)
    """
    if effect is None:
        return None
    return Range(*(invoiced * margin * share / (1 + share) for share in effect))


def result(costs, margin):
    """Return what came of a programme that cost so much, and brought so much.

    :param costs: the parts of the cost
    :param margin: what it brought, see :func:`incremental`; None when it is not known

    >>> found = result([60, 40], Range(110, 150, 190))
    >>> found.cost, found.net, found.roi
    (100, Range(low=10, mid=50, high=90), Range(low=10.0, mid=50.0, high=90.0))
    >>> found.verdict
    'pays'
    >>> result([60, 40], None)
    Result(cost=100, margin=None, net=None, roi=None, verdict='unknown')
    >>> result([], Range(1, 2, 3)).roi
    """
    cost = sum(costs)
    net = margin and Range(*(amount - cost for amount in margin))
    roi = net and cost > 0 and Range(*(100 * amount / cost for amount in net))
    return Result(cost, margin, net, roi or None, _verdict_of(cost, net))


def _verdict_of(cost, net):
    if cost <= 0:
        return FREE
    if net is None:
        return UNKNOWN
    if net.low > 0:
        return PAYS
    return LOSES if net.high < 0 else OPEN
