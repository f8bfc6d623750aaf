"""Rules for spending points on a quotation or an invoice.

Amounts are in the document's currency, taxes included, because that is what the
customer pays and what a point takes off.
"""

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal

from .points import exact, whole_points


@dataclass(frozen=True)
class Room:
    """How much of a document may be paid with points.

    :ivar labour: of its labour
    :ivar parts: of its parts
    :ivar left: of the whole document, whatever the caps say
    """

    labour: Decimal
    parts: Decimal
    left: Decimal

    @property
    def amount(self):
        """The most that this document allows.

        >>> Room(Decimal(50), Decimal(20), Decimal(60)).amount
        Decimal('60')
        """
        return max(min(self.labour + self.parts, self.left), Decimal(0))


def room(labour, parts, labour_cap, parts_cap, left):
    """Apply the caps (in percent) of labour and parts.

    >>> room(100, 200, 50, 10, 1000).amount
    Decimal('70')
    """
    return Room(
        max(exact(labour), Decimal(0)) * exact(labour_cap) / 100,
        max(exact(parts), Decimal(0)) * exact(parts_cap) / 100,
        exact(left),
    )


def points_for(amount, value):
    """Return the most points whose worth does not exceed ``amount``.

    >>> points_for(10, 0.03)
    333
    """
    if exact(value) <= 0:
        return 0
    return max(whole_points(exact(amount) / exact(value)), 0)


def points_needed(amount, value):
    """Return the fewest points that are worth at least ``amount``.

    >>> points_needed(10, 0.03)
    334
    """
    if exact(value) <= 0:
        return 0
    return int((exact(amount) / exact(value)).to_integral_value(ROUND_CEILING))


def worth(points, value, digits=2):
    """Return what ``points`` take off, rounded to ``digits``.

    >>> worth(333, 0.03)
    Decimal('9.99')
    """
    step = Decimal(1).scaleb(-digits)
    return (points * exact(value)).quantize(step, ROUND_HALF_UP)


def split(amount, labour_room, parts_room, digits=2):
    """Share a redemption between labour and parts, in proportion to their room.

    The two always add up to ``amount``.

    >>> split(Decimal("10.00"), 50, 100)
    (Decimal('3.33'), Decimal('6.67'))
    """
    amount, labour, parts = exact(amount), exact(labour_room), exact(parts_room)
    if labour + parts <= 0:
        return Decimal(0), Decimal(0)
    step = Decimal(1).scaleb(-digits)
    on_labour = (amount * labour / (labour + parts)).quantize(step, ROUND_HALF_UP)
    on_labour = min(on_labour, amount)
    return on_labour, amount - on_labour
