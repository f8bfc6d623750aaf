"""The rules of a programme as plain values, so that they are read once and kept."""

from dataclasses import dataclass, field
from datetime import timedelta

from .joining import JoinRules
from .lots import AGE, NEVER, expiry_day
from .tiers import TierRules


@dataclass(frozen=True)
class Rules:
    """What invoices earn, and from when until when their points can be spent.

    :ivar excluded: ids of product categories that earn nothing
    :ivar multipliers: earning multiplier of each tier, by its id
    :ivar fixed: (month, day) on which points expire
    :ivar joining: ``tools.joining.JoinRules``
    :ivar tiers: ``tools.tiers.TierRules``
    """

    trigger: str = "paid"
    labour_rate: float = 1.0
    parts_rate: float = 1.0
    minimum: float = 0.0
    private_only: bool = False
    earn_when_redeeming: bool = True
    excluded: frozenset = frozenset()
    multipliers: dict = field(default_factory=dict)
    activation_days: int = 0
    expiry: str = NEVER
    months: int = 24
    month_end: bool = True
    fixed: tuple = (12, 31)
    bonus_months: int = 0
    joining: JoinRules = field(default_factory=JoinRules)
    tiers: TierRules = field(default_factory=TierRules)

    def excludes(self, parent_path):
        """Tell whether a category, or one above it, earns nothing.

        >>> Rules(excluded=frozenset([3])).excludes("1/3/7/")
        True
        >>> Rules(excluded=frozenset([3])).excludes("1/33/")
        False
        """
        if not self.excluded:
            return False
        path = (parent_path or "").split("/")
        return not self.excluded.isdisjoint(int(part) for part in path if part)

    def available_day(self, start, kind):
        """Return the first day on which points of an entry can be spent."""
        return start + timedelta(days=self.activation_days if kind == "earn" else 0)

    def expiry_day(self, start, is_bonus=False, given=None):
        """Return the last day on which points can be spent, or None.

        :param start: the day they were given, or that of the last visit
        :param given: the day they were given, if that is another one

        >>> from datetime import date
        >>> rules = Rules(expiry="age", months=12, bonus_months=3)
        >>> rules.expiry_day(date(2024, 1, 15))
        datetime.date(2025, 1, 31)
        >>> rules.expiry_day(date(2024, 1, 15), is_bonus=True)
        datetime.date(2024, 4, 30)
        """
        day = expiry_day(self.expiry, start, self.months, self.month_end, self.fixed)
        if is_bonus and self.bonus_months:
            given = given or start  # a visit does not prolong a gift
            gift = expiry_day(AGE, given, self.bonus_months, self.month_end)
            day = min(day or gift, gift)
        return day
