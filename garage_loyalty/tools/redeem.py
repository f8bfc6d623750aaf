"""Rules for spending points on a quotation or an invoice.

Amounts are in the document's currency, taxes included, because that is what the
customer pays and what a point takes off.
"""

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal
from fractions import Fraction

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


def room(labour, parts, labour_cap, parts_cap, left, paid=(0, 0)):
    """Apply the caps (in percent) of labour and parts.

    :param paid: what points pay of labour and of parts already

    >>> room(100, 200, 50, 10, 1000).amount
    Decimal('70')
    >>> room(100, 200, 50, 10, 1000, paid=(30, 0)).amount
    Decimal('40')
    """
    allowed = (
        max(exact(amount), Decimal(0)) * exact(cap) / 100 - exact(spent)
        for amount, cap, spent in zip(
            (labour, parts), (labour_cap, parts_cap), paid, strict=True
        )
    )
    return Room(*(max(amount, Decimal(0)) for amount in allowed), exact(left))


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


def share_spent(lines):
    """Return the share, from 0 to 1, that is spent of what several lines redeem.

    Each line has its part of it. It is spent as far as the invoices that bill it were
    not credited; billed again, it is spent once all the same.

    :param lines: pairs of (amount, [(billed, credited) of each invoice])

    >>> share_spent([(50, [(300, 75)])])
    Fraction(3, 4)
    >>> share_spent([(30, [(200, 200)]), (20, [(1, 0)])])
    Fraction(2, 5)
    >>> share_spent([(50, [(300, 300), (300, 0)])])
    Fraction(1, 1)
    >>> [int(100 * share_spent([(0, [(3, credited)])])) for credited in (0, 1, 3)]
    [100, 66, 0]
    """
    if not lines:
        return Fraction(0)
    amounts = [Fraction(exact(amount)) for amount, _parts in lines]
    if not any(amounts):
        amounts = [Fraction(1)] * len(lines)
    spent = Fraction(0)
    for amount, (_amount, parts) in zip(amounts, lines, strict=True):
        left = sum(
            max(1 - Fraction(exact(credited)) / Fraction(exact(billed)), Fraction(0))
            for billed, credited in parts
        )
        spent += amount * min(left, Fraction(1))
    return spent / sum(amounts)
