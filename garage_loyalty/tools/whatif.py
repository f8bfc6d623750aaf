"""What a programme would have cost on the invoices of last year.

Plain functions: amounts are net, in one currency.
"""

from typing import NamedTuple


class Group(NamedTuple):
    """What customers in one tier did in the year.

    :ivar place: of the tier in the programme, the lowest is 0
    :ivar members: how many are in the tier at the end of the year
    :ivar labour: what was invoiced to customers while they were in the tier
    :ivar parts: the same for parts
    """

    place: int
    members: int
    labour: float
    parts: float


def points(groups, labour_rate, parts_rate, multipliers):
    """Return the points that would have been given.

    >>> bronze, silver = Group(0, 9, 1000, 500), Group(1, 1, 200, 0)
    >>> points([bronze, silver], 1, 2, [1, 1.5])
    2300
    """
    return int(
        sum(
            (group.labour * labour_rate + group.parts * parts_rate)
            * multipliers[group.place]
            for group in groups
        )
    )


def discounts(groups, percents):
    """Return the discounts that would have been given.

    :param percents: pairs of percent off labour and off parts, by place

    >>> discounts([Group(0, 9, 1000, 500), Group(1, 1, 200, 100)], [(0, 0), (10, 5)])
    25.0
    """
    return sum(
        group.labour * percents[group.place][0] / 100
        + group.parts * percents[group.place][1] / 100
        for group in groups
    )


def free_services(groups, offers):
    """Return what free services would have been worth, had all been used.

    :param offers: (places of the tiers, number a year, worth of one)

    >>> free_services([Group(0, 9, 0, 0), Group(1, 2, 0, 0)], [({1}, 2, 60)])
    240
    """
    return sum(
        group.members * number * worth
        for group in groups
        for places, number, worth in offers
        if group.place in places
    )


def reward_worth(groups, order, labour_cap, parts_cap, maximum):
    """Return what a reward takes off a repair order that is like all of them.

    :param order: what a repair order comes to
    :param labour_cap: percent of labour that it takes off at most
    :param parts_cap: the same for parts
    :param maximum: the most that it takes off, 0 when there is none

    >>> reward_worth([Group(0, 9, 600, 200)], 100, 20, 0, 50)
    15.0
    >>> reward_worth([], 100, 100, 100, 20)
    20
    """
    labour = sum(group.labour for group in groups)
    parts = sum(group.parts for group in groups)
    share = labour / (labour + parts) if labour + parts else 1
    worth = order * (share * labour_cap + (1 - share) * parts_cap) / 100
    return min(worth, maximum) if maximum else worth
