"""Rules for privileges: what is left of a quota, what is free, how long a warranty is.

Plain functions: days are ``datetime.date``, amounts are net, in one currency.
"""

from datetime import date

from dateutil.relativedelta import relativedelta

PRIORITY, FREE, WARRANTY, OFFER = "priority", "free_service", "warranty", "offer"
# Kinds that can be limited to so many uses a calendar year.
LIMITED = {PRIORITY, FREE, OFFER}


def left(quota, used):
    """Return how many uses are left of a year's quota, None when it has no limit.

    A quota that was lowered meanwhile leaves nothing, never less than that.

    >>> left(2, 1), left(2, 3), left(0, 7)
    (1, 0, None)
    """
    return max(quota - used, 0) if quota else None


def free_slot(quota, taken):
    """Return the number that the next use takes: the lowest one that nobody has.

    None when the quota is used up. Whoever sees the same uses gets the same number, so
    that the database refuses the second of two who take the last one at once.

    :param taken: the number of each use of the year; two may be the same when the
        accounts of two customers were merged

    >>> free_slot(2, []), free_slot(3, [1, 3]), free_slot(2, [1, 2])
    (1, 2, None)
    >>> free_slot(2, [2, 3])
    """
    if left(quota, len(taken)) == 0:
        return None
    return min(set(range(1, len(taken) + 2)) - set(taken))


def year_end(day):
    """Return the last day on which a quota of the year can be used.

    >>> year_end(date(2024, 2, 29))
    datetime.date(2024, 12, 31)
    """
    return date(day.year, 12, 31)


def warranty_end(done, months):
    """Return the last day of a warranty that starts when a repair is done.

    >>> warranty_end(date(2024, 2, 29), 12), warranty_end(date(2024, 8, 31), 6)
    (datetime.date(2025, 2, 28), datetime.date(2025, 2, 28))
    """
    return done + relativedelta(months=months)


def is_same(ours, theirs):
    """Tell whether two repairs may be of one vehicle.

    What is not known of both of them tells nothing apart.

    :param ours: serial number and product, or any other marks; the first one known of
        both decides
    :param theirs: the same marks of the other repair

    >>> is_same(("VIN1", "Car"), ("VIN1", "Car"))
    True
    >>> is_same(("VIN1", "Car"), ("VIN2", "Car"))
    False
    >>> is_same((None, "Car"), ("VIN2", "Car")), is_same((None, None), ("VIN2", "Car"))
    (True, True)
    """
    pairs = zip(ours, theirs, strict=True)
    return next((mine == other for mine, other in pairs if mine and other), True)


def percent_off(price, maximum=0):
    """Return the discount in percent that makes a service free, at most ``maximum``.

    >>> percent_off(80), percent_off(80, 100), percent_off(80, 20), percent_off(0, 20)
    (100.0, 100.0, 25.0, 100.0)
    """
    if not maximum or price <= maximum:
        return 100.0
    return 100.0 * maximum / price
