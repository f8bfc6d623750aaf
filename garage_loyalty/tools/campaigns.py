"""Rules for campaigns. Plain functions."""

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


def uplift(contacted, left_out):
    """Return how many percentage points more of those contacted came back.

    :param contacted: pairs of (who came back, how many in all); so is ``left_out``
    :return: None while one of them is nobody

    >>> uplift((30, 100), (10, 50))
    10.0
    >>> uplift((30, 100), (0, 0))
    """
    if not contacted[1] or not left_out[1]:
        return None
    return 100 * (contacted[0] / contacted[1] - left_out[0] / left_out[1])
