"""Balances that keep their worth when the value of a point changes. No database.

The rule that ``garage.loyalty.conversion`` states once more in SQL.
"""

from decimal import ROUND_CEILING


def converted(points, before, after):
    """Return the balance that is worth as much at the new value of a point.

    Rounded up: the customer gains less than one point, and never loses.

    :param points: the balance; negative in debt
    :param before: value of a point until now
    :param after: value of a point from now on, greater than 0

    >>> from decimal import Decimal
    >>> converted(100, Decimal("0.05"), Decimal("0.10"))
    50
    >>> converted(101, Decimal("0.05"), Decimal("0.10"))
    51
    >>> converted(100, Decimal("0.05"), Decimal("0.02"))
    250
    >>> converted(-101, Decimal("0.05"), Decimal("0.10"))
    -50
    """
    return int((points * before / after).to_integral_value(ROUND_CEILING))
