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
