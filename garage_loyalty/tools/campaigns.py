"""Rules for campaigns. Plain functions."""

from math import sqrt
from zlib import crc32


def is_left_out(campaign, customer, percent):
    """Tell whether a customer is left out of a campaign, for comparison.

    As good as chance, but the same every time: who is left out stays left out.

    :param campaign: its id
    :param customer: id of the customer
    :param percent: the share of customers that is left out

    >>> is_left_out(1, 2, 0), is_left_out(1, 2, 100)
    (False, True)
    >>> sum(is_left_out(7, customer, 20) for customer in range(10_000)) // 100
    20
    """
    return crc32(f"{campaign}:{customer}".encode()) % 10_000 < percent * 100


def effect(contacted, left_out):
    """Return how many percentage points more of those contacted came back.

    With it, how large a difference chance alone may make: half the width of the 95 %
    interval of Agresti and Caffo (The American Statistician 54, 2000), which holds for
    few customers, too.

    :param contacted: pair of who came back and how many in all; so is ``left_out``
    :return: the difference and the margin, or None while one of them is nobody

    >>> effect((30, 100), (10, 50))
    (10.0, 14.2)
    >>> effect((30, 100), (0, 0))
    """
    if not contacted[1] or not left_out[1]:
        return None
    difference = contacted[0] / contacted[1] - left_out[0] / left_out[1]
    variance = 0.0
    for count, total in (contacted, left_out):
        share = (count + 1) / (total + 2)
        variance += share * (1 - share) / (total + 2)
    return round(100 * difference, 1), round(100 * 1.96 * sqrt(variance), 1)
