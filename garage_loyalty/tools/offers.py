"""Rules for personal offers, and for who is a regular of a kind of work.

Plain functions: days are ``datetime.date``, amounts are net, in one currency.
"""

from datetime import date
from typing import NamedTuple

from dateutil.relativedelta import relativedelta

OPEN, USED, EXPIRED, DECLINED = "open", "used", "expired", "declined"


def state(is_used, is_declined, until, today):
    """Return the state of an offer. The last day is a day on which it can be used.

    >>> today = date(2024, 2, 20)
    >>> state(False, False, today, today), state(False, False, date(2024, 2, 19), today)
    ('open', 'expired')
    >>> state(True, False, date(2024, 2, 19), today), state(False, True, today, today)
    ('used', 'declined')
    """
    if is_used:
        return USED
    if is_declined:
        return DECLINED
    return OPEN if today <= until else EXPIRED


def refusal(offers):
    """Return the state that explains why a customer cannot have a reward now, or None.

    It is the state of the offer that ends last: one that was used before explains less.
    ``""`` when it was never offered.

    :param offers: pairs of the state and the last day

    >>> one, two = date(2024, 2, 1), date(2024, 3, 1)
    >>> refusal([("used", two), ("open", one)])
    >>> refusal([("expired", two), ("used", one)]), refusal([])
    ('expired', '')
    """
    if any(found == OPEN for found, _until in offers):
        return None
    return max(offers, key=lambda offer: offer[1], default=("", None))[0]


def count_from(today, months):
    """Return the first day that counts for regular work.

    >>> count_from(date(2024, 2, 29), 12), count_from(date(2024, 5, 31), 3)
    (datetime.date(2023, 2, 28), datetime.date(2024, 2, 29))
    """
    return today - relativedelta(months=months)


class Work(NamedTuple):
    """One kind of service on one invoice.

    :ivar kind: what is the same for work of the same kind
    :ivar amount: what was invoiced for it, less what was credited of it
    """

    day: date
    kind: int
    amount: float


class Regular(NamedTuple):
    """How often a customer had a kind of work done, and when."""

    times: int
    first: date
    last: date
    amount: float


def regulars(works, today, least, months, offered=None):
    """Return what a customer had done ``least`` times or more, by kind.

    After an offer of a kind, counting begins again. Work that was credited as a whole
    does not count, nor does what is dated in the future.

    :param offered: the day of the last offer, by kind

    >>> days = [date(2024, month, 1) for month in (1, 2, 3)]
    >>> works = [Work(day, 7, 50) for day in days]
    >>> regulars(works, date(2024, 3, 1), 3, 24)[7].times
    3
    >>> regulars(works, date(2024, 3, 1), 3, 24, {7: date(2024, 1, 1)})
    {}
    """
    if not least:
        return {}
    start = count_from(today, months)
    found = {}
    for work in works:
        last_offer = (offered or {}).get(work.kind)
        is_new = last_offer is None or work.day > last_offer
        if start <= work.day <= today and work.amount > 0 and is_new:
            found.setdefault(work.kind, []).append(work)
    return {
        kind: Regular(
            times=len(some),
            first=min(work.day for work in some),
            last=max(work.day for work in some),
            amount=sum(work.amount for work in some),
        )
        for kind, some in found.items()
        if len(some) >= least
    }
