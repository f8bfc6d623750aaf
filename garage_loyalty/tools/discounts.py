"""Standing discounts: which of those that a tier gives applies to a line."""

from typing import NamedTuple

ALL, LABOUR, PARTS = "all", "labour", "parts"


class Discount(NamedTuple):
    """A percentage off products of a category, and of those below it.

    :ivar categ_id: 0 means every category
    :ivar scope: whether it is given on labour, on parts, or on both
    """

    id: int
    percent: float
    categ_id: int = 0
    scope: str = ALL


class Terms(NamedTuple):
    """What a tier gives on every quotation.

    :ivar pricelist_id: 0 means none
    """

    pricelist_id: int = 0
    discounts: tuple = ()


def category_path(parent_path):
    """Return the ids of a category and of those above it, the highest first.

    >>> category_path("1/3/7/")
    (1, 3, 7)
    >>> category_path(False)
    ()
    """
    return tuple(int(part) for part in (parent_path or "").split("/") if part)


def best(discounts, path, kind):
    """Return the discount for the nearest category of a product, or None.

    Of several for the same category, the highest one.

    :param path: ``category_path`` of the product's category
    :param kind: "labour" or "parts"

    >>> everything, tyres = Discount(1, 10), Discount(2, 5, categ_id=3)
    >>> best([everything, tyres], (1, 3, 7), PARTS).percent
    5
    >>> best([everything, tyres], (1, 4), PARTS).percent
    10
    >>> best([Discount(1, 10, scope=LABOUR)], (1, 4), PARTS)
    """
    depths = {0: 0} | {categ_id: depth for depth, categ_id in enumerate(path, 1)}
    return max(
        (
            discount
            for discount in discounts
            if discount.categ_id in depths and discount.scope in (ALL, kind)
        ),
        key=lambda discount: (depths[discount.categ_id], discount.percent),
        default=None,
    )
