"""Rules for joining: which customers may become members, and why others may not.

Plain functions: days are ``datetime.date``, amounts are in the company's currency.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

from dateutil.relativedelta import relativedelta

ANYONE, PRIVATE, COMPANY = "anyone", "private", "company"


class Customer(NamedTuple):
    """What is known of somebody who would like to join.

    :ivar spend: net, in the months that count
    :ivar visits: repair orders in the months that count
    :ivar first: day of the first visit or invoice ever, or None
    :ivar tags: ids of the contact's tags
    """

    spend: float = 0.0
    visits: int = 0
    first: date | None = None
    is_company: bool = False
    tags: frozenset = frozenset()


class Refusal(NamedTuple):
    """One condition that is not met: what it asks for, and what there is."""

    code: str
    asked: object = None
    found: object = None


@dataclass(frozen=True)
class JoinRules:
    """Who may join a programme; 0, and nothing, ask for nothing.

    :ivar months: how many months of spend and visits count
    :ivar age_months: months since the first visit or invoice
    :ivar tags: ids of tags of which a customer has at least one
    :ivar excluded: ids of tags of which a customer has none
    """

    months: int = 12
    spend: float = 0.0
    visits: int = 0
    age_months: int = 0
    kind: str = ANYONE
    tags: frozenset = frozenset()
    excluded: frozenset = frozenset()

    @property
    def asks(self):
        """Tell whether there is any condition at all.

        >>> JoinRules().asks, JoinRules(kind="private").asks, JoinRules(visits=1).asks
        (False, True, True)
        """
        return self.measures or bool(self.kind != ANYONE or self.tags or self.excluded)

    @property
    def measures(self):
        """Tell whether the visits of a customer have to be known."""
        return self.spend > 0 or self.visits > 0 or self.age_months > 0

    def window_start(self, day):
        """Return the first day whose spend and visits count on ``day``.

        >>> JoinRules(months=12).window_start(date(2024, 2, 29))
        datetime.date(2023, 3, 1)
        """
        return day - relativedelta(months=self.months) + timedelta(days=1)

    def first_by(self, day):
        """Return the last day on which a customer must have come for the first time.

        >>> JoinRules(age_months=6).first_by(date(2024, 8, 31))
        datetime.date(2024, 2, 29)
        """
        return day - relativedelta(months=self.age_months)

    def refusals(self, customer, day):
        """Return what is not met on ``day``; nothing when the customer may join.

        >>> rules = JoinRules(visits=3, kind="private")
        >>> rules.refusals(Customer(visits=1), date(2024, 1, 1))
        [Refusal(code='visits', asked=3, found=1)]
        >>> rules.refusals(Customer(visits=3), date(2024, 1, 1))
        []
        """
        checks = [
            ("kind", self.kind, self._is_wrong_kind(customer)),
            ("tags", self.tags, bool(self.tags) and not self.tags & customer.tags),
            ("excluded", self.excluded & customer.tags, self.excluded & customer.tags),
            ("spend", self.spend, self.spend > 0 and customer.spend < self.spend),
            ("visits", self.visits, self.visits > 0 and customer.visits < self.visits),
            ("age", self.age_months, self._is_too_new(customer, day)),
        ]
        found = {
            "spend": customer.spend,
            "visits": customer.visits,
            "age": customer.first,
        }
        return [
            Refusal(code, asked, found.get(code))
            for code, asked, fails in checks
            if fails
        ]

    def _is_wrong_kind(self, customer):
        return self.kind != ANYONE and customer.is_company != (self.kind == COMPANY)

    def _is_too_new(self, customer, day):
        if self.age_months <= 0:
            return False
        return not customer.first or customer.first > self.first_by(day)
