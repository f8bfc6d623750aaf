"""Drawing lots who is not invited, and what the draw will be able to tell.

Plain functions. Whoever knows the seed and the customers can draw again, and see that
nobody chose.
"""

from hashlib import sha256
from math import exp, sqrt

from .estimate import LEAST, SURE

# A difference is found in 8 of 10 cases when it is so many standard errors, and those
# of the interval.
POWER = 0.8416


def draw(customers, percent, seed):
    """Return those who are drawn, as a set.

    :param customers: ids, in any order
    :param percent: the share that is drawn
    :param seed: anything; another one draws others

    >>> sorted(draw(range(10), 30, 1)), sorted(draw(range(9, -1, -1), 30, 1))
    ([4, 7, 8], [4, 7, 8])
    >>> sorted(draw(range(10), 30, 2))
    [2, 5, 6]
    >>> draw(range(10), 0, 1), len(draw(range(10), 100, 1)), len(draw(range(5), 50, 1))
    (set(), 10, 2)
    """
    mixed = sorted(set(customers), key=lambda number: (_mix(seed, number), number))
    return set(mixed[: int(len(mixed) * percent / 100)])


def _mix(seed, number):
    return sha256(f"{seed}:{number}".encode()).digest()


def forecast(visits, share):
    """Return mean and variance of visits in a time of another length.

    Of customers who differ in how often they come, and come when they come: what of
    the variance is not chance grows with the square of the time.

    :param visits: of each customer in a time of the past
    :param share: how many times as long the other time is

    >>> forecast([1, 3, 5], 1), forecast([1, 3, 5], 0.5)
    ((3.0, 4.0), (1.5, 1.75))
    >>> forecast([2, 2], 2), forecast([], 1)
    ((4.0, 4.0), (0.0, 0.0))
    """
    visits = list(visits)
    number = len(visits)
    mean = sum(visits) / number if visits else 0.0
    variance = sum((one - mean) ** 2 for one in visits) / max(number - 1, 1)
    lasting = max(variance - mean, 0.0)
    return mean * share, mean * share + lasting * share**2


def detectable(invited, held_out, mean, variance):
    """Return the share by which visits must differ to be found in 8 of 10 cases.

    :param invited: how many customers are invited, and how many are held out
    :param mean: visits of a customer in the time
    :param variance: of the same
    :return: None with too few customers, or when nobody comes

    >>> round(detectable(1600, 400, 2.0, 3.0), 3)
    0.145
    >>> detectable(1600, 29, 2.0, 3.0), detectable(1600, 400, 0, 0)
    (None, None)
    """
    if min(invited, held_out) < LEAST or mean <= 0:
        return None
    error = sqrt(variance * (1 / invited + 1 / held_out)) / mean
    return exp((SURE + POWER) * error) - 1
