"""Rules for rewards: who may have one, and what it takes off a document.

Plain functions: points are whole numbers, days are ``datetime.date``, amounts are in
the document's currency, taxes included.
"""

from dataclasses import dataclass
from datetime import date

from .points import exact
from .redeem import Room

AMOUNT, LABOUR, PARTS, PRODUCT = "amount", "labour_percent", "parts_percent", "product"


def caps(kind, percent=0):
    """Return how much of labour and of parts a reward pays at most, in percent.

    >>> caps("amount"), caps("labour_percent", 10), caps("product")
    ((100, 100), (10, 0), (0, 0))
    """
    return {
        AMOUNT: (100, 100),
        LABOUR: (percent, 0),
        PARTS: (0, percent),
        PRODUCT: (0, 0),
    }[kind]


def promise(kind, room: Room, amount=0, maximum=0):
    """Return what a reward takes off, if there is that much left to pay.

    :param room: what its percentages come to on the document
    :param amount: of money off
    :param maximum: of a percentage, 0 when there is none

    >>> promise("labour_percent", Room(40, 0, 15))
    40
    >>> promise("amount", Room(40, 0, 15), 20)
    Decimal('20')
    >>> promise("labour_percent", Room(40, 0, 15), maximum=25)
    Decimal('25')
    """
    if kind == AMOUNT:
        return exact(amount)
    whole = room.labour + room.parts
    return min(whole, exact(maximum)) if maximum else whole


def takes_off(kind, room: Room, amount=0, maximum=0):
    """Return what a reward takes off the document: never more than is left to pay.

    >>> takes_off("amount", Room(40, 0, 15), amount=20)
    15
    """
    return min(promise(kind, room, amount, maximum), room.amount)


@dataclass(frozen=True)
class Terms:
    """Who may have a reward.

    :ivar tier: rank of the lowest tier, None when every member may have it
    :ivar left: how many may still be given, None when there is no limit
    :ivar is_sold: the free product can still be sold
    """

    kind: str
    points: int
    tier: tuple | None = None
    date_from: date | None = None
    date_to: date | None = None
    left: int | None = None
    is_sold: bool = True

    def refusal(self, today, tier, available, amount):
        """Return why a member cannot have it on a document, or None.

        What the member cannot change comes first.

        :param tier: rank of the member's tier, None without one
        :param available: points of the member
        :param amount: what it takes off the document

        >>> terms = Terms("amount", 300, tier=(20, 2), left=1)
        >>> today = date(2024, 6, 1)
        >>> terms.refusal(today, (10, 1), 500, 20)
        'tier'
        >>> terms.refusal(today, (30, 3), 299, 20)
        'points'
        >>> terms.refusal(today, (20, 2), 300, 20)
        """
        reasons = {
            "early": self.date_from and today < self.date_from,
            "over": self.date_to and today > self.date_to,
            "product": not self.is_sold,
            "stock": self.left is not None and self.left <= 0,
            "tier": self.tier and (not tier or tier < self.tier),
            "amount": self.kind != PRODUCT and amount <= 0,
            "points": available < self.points,
        }
        return next((reason for reason, applies in reasons.items() if applies), None)
