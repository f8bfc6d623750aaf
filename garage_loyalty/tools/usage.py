"""How much a reward is used, and what members hold. Plain functions."""

from typing import NamedTuple

# Of what fewer members may have, nothing is said.
LEAST = 10


class Usage(NamedTuple):
    """How a reward or a privilege was used lately.

    :ivar users: members who used it
    :ivar audience: members who may have it
    :ivar is_settled: it has been offered for as long as use is counted
    """

    users: int
    audience: int
    is_settled: bool = True

    @property
    def percent(self):
        """Return the users in percent of the audience, at most 100; 0 of nobody.

        >>> Usage(3, 120).percent, Usage(0, 0).percent, Usage(9, 6).percent
        (2.5, 0.0, 100.0)
        """
        if not self.audience:
            return 0.0
        return min(100 * self.users / self.audience, 100.0)

    def is_hardly_used(self, threshold):
        """Tell whether fewer than ``threshold`` percent of the audience used it.

        What is new, or for a handful of members, is not judged.

        >>> Usage(1, 100).is_hardly_used(2), Usage(2, 100).is_hardly_used(2)
        (True, False)
        >>> Usage(0, 100, is_settled=False).is_hardly_used(2)
        False
        >>> Usage(0, 9).is_hardly_used(2), Usage(0, 100).is_hardly_used(0)
        (False, False)
        """
        is_known = self.is_settled and self.audience >= LEAST
        return is_known and self.percent < threshold


def held_by_half(balances, members):
    """Return how many points half of the members do not have more than.

    :param balances: of those who have points
    :param members: how many members there are in all; the others have none

    >>> held_by_half([500, 20, 120], 3), held_by_half([500], 3), held_by_half([], 0)
    (120, 0, 0)
    """
    missing = max(members - len(balances), 0)
    ordered = sorted([*balances, *[0] * missing])
    return ordered[(len(ordered) - 1) // 2] if ordered else 0
