"""Rules for earning points and for taking them back.

Plain functions: amounts are net of tax, in the company's currency; points are
whole numbers. Decimals are exact, so that 0.1 + 0.2 never costs anybody a point.
"""

from decimal import ROUND_FLOOR, Decimal


def exact(value):
    """Return ``value`` (int, float or Decimal) as the Decimal that a person reads.

    >>> exact(0.1) + exact(0.2)
    Decimal('0.3')
    """
    return value if isinstance(value, Decimal) else Decimal(repr(value))


def whole_points(value):
    """Round down to whole points; a fraction of a point does not exist.

    >>> whole_points(Decimal("99.999"))
    99
    """
    return int(exact(value).to_integral_value(rounding=ROUND_FLOOR))


def unredeemed(eligible, gross, redeemed):
    """Return the part of ``eligible`` that was not paid with points.

    A redemption lowers the whole of a document's labour (or parts), so every line
    carries its share of it, whether the line earns points or not.

    :param eligible: amount of the lines that earn points
    :param gross: amount of all lines of that kind, before the redemption
    :param redeemed: amount paid with points, positive

    >>> unredeemed(50, 100, 20)
    Decimal('40')
    >>> unredeemed(50, 0, 20)
    Decimal('50')
    """
    eligible, gross, redeemed = exact(eligible), exact(gross), exact(redeemed)
    if gross <= 0 or redeemed <= 0:
        return eligible
    return eligible * max(gross - redeemed, Decimal(0)) / gross


def earned_points(parts, multiplier=1.0, minimum=0.0):
    """Return the points of a document, rounded down once.

    :param parts: pairs of (base amount, points per currency unit)
    :param multiplier: of the member's tier on the document's date
    :param minimum: a document with a smaller total base earns nothing

    >>> earned_points([(1000, 1), (250, 0.5)])
    1125
    >>> earned_points([(99.99, 1)], multiplier=1.5)
    149
    >>> earned_points([(49.99, 1)], minimum=50)
    0
    """
    parts = [(exact(base), exact(rate)) for base, rate in parts]
    total = sum((base for base, _rate in parts), Decimal(0))
    if total <= 0 or total < exact(minimum):
        return 0
    points = sum((base * rate for base, rate in parts), Decimal(0))
    return max(whole_points(points * exact(multiplier)), 0)


def points_left(points, base, credited):
    """Return what is left of ``points`` after ``credited`` of ``base`` was credited.

    Counting what is left, instead of what each credit note takes, makes any number
    of partial credit notes add up exactly.

    >>> points_left(1000, 1000, 250)
    750
    >>> [points_left(100, 3, n) for n in (1, 2, 3)]
    [66, 33, 0]
    """
    base, credited = exact(base), exact(credited)
    if base <= 0 or credited <= 0:
        return points
    return whole_points(points * max(base - credited, Decimal(0)) / base)


def document_points(points, base, credits):
    """Return the points of an invoice and of each of its credit notes, in order.

    :param credits: the base that each credit note credits, positive, oldest first

    >>> document_points(1000, 1000, [250, 750])
    [1000, -250, -750]
    >>> sum(document_points(100, 3, [1, 1, 1]))
    0
    """
    result, left, total = [points], points, Decimal(0)
    for credit in credits:
        total += exact(credit)
        now_left = points_left(points, base, total)
        result.append(now_left - left)
        left = now_left
    return result
