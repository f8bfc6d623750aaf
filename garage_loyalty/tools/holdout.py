"""What inviting customers changed, when lots were drawn who is not invited.

Plain functions. Everybody stays in the group that was drawn, whether the invited joined
or not, and whoever of the others joined all the same: only the draw makes the groups
alike. So this is the effect of inviting; that of joining is larger.
"""

from math import sqrt

from .estimate import LEAST, SURE, Estimate, gap, judge, mean_of, too_few, verdict_of


def visits_gap(invited, held_out):
    """Return how many more visits an invited customer made, in visits.

    :param invited: visits of each customer in the time, 0 for who did not come
    :param held_out: the same of those who were not invited

    >>> found = visits_gap([2, 3, 4] * 20, [1, 2, 3] * 20)
    >>> round(found.value, 6), round(found.low, 2), round(found.high, 2), found.verdict
    (1.0, 0.71, 1.29, 'more')
    """
    invited, held_out = list(invited), list(held_out)
    sizes = len(invited), len(held_out)
    if min(sizes) < LEAST:
        return too_few(sizes)
    (ours, our_part), (theirs, their_part) = mean_of(invited), mean_of(held_out)
    return judge(ours - theirs, our_part + their_part, sizes)


def visits_change(invited, held_out):
    """Return by which share invited customers came more often.

    >>> found = visits_change([2, 3, 4] * 20, [1, 2, 3] * 20)
    >>> round(found.value, 6), round(found.low, 2), round(found.high, 2), found.verdict
    (0.5, 0.32, 0.7, 'more')
    """
    return gap(
        [(number, 1) for number in invited], [(number, 1) for number in held_out]
    )


def shares_gap(invited, held_out):
    """Return how much larger the share of the invited is that did something.

    Such as coming at all; in shares of 1, which people call percentage points. By
    Newcombe's interval: it knows that nobody of 30 is not the same as nobody ever.

    :param invited: whether it did, of each customer
    :param held_out: the same of those who were not invited

    >>> found = shares_gap([True] * 45 + [False] * 15, [True] * 30 + [False] * 30)
    >>> round(found.value, 2), round(found.low, 2), round(found.high, 2), found.verdict
    (0.25, 0.08, 0.4, 'more')
    >>> shares_gap([True] * 2 + [False] * 28, [False] * 30).verdict
    'open'
    """
    invited, held_out = list(invited), list(held_out)
    sizes = len(invited), len(held_out)
    if min(sizes) < LEAST:
        return too_few(sizes)
    (ours, our_low, our_high), (theirs, their_low, their_high) = (
        _share(sum(map(bool, group)), len(group)) for group in (invited, held_out)
    )
    value = ours - theirs
    low = value - sqrt((ours - our_low) ** 2 + (their_high - theirs) ** 2)
    high = value + sqrt((our_high - ours) ** 2 + (theirs - their_low) ** 2)
    return Estimate(value, low, high, *sizes, verdict_of(low, high))


def _share(number, size):
    """Return a share with Wilson's interval."""
    share, square = number / size, SURE**2
    middle = share + square / (2 * size)
    reach = SURE * sqrt(share * (1 - share) / size + square / (4 * size**2))
    scale = 1 + square / size
    return share, (middle - reach) / scale, (middle + reach) / scale
