"""Rules for tiers: who deserves which one, and until when it is kept.

Plain functions: days are ``datetime.date``, amounts are in the company's currency. A
tier is named by its place in the programme; every member has at least place 0.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

from dateutil.relativedelta import relativedelta

ROLLING, CALENDAR = "rolling", "calendar"
MONTHLY, QUARTERLY, YEARLY = "monthly", "quarterly", "yearly"
REVIEW_MONTHS = {MONTHLY: 1, QUARTERLY: 3, YEARLY: 12}


class Figures(NamedTuple):
    """What a customer did in the time that counts."""

    spend: float = 0.0
    points: int = 0
    visits: int = 0


@dataclass(frozen=True)
class Level:
    """What one tier asks for; 0 asks for nothing.

    A tier that asks for nothing is given by hand only.

    :ivar match_all: whether all that it asks for is needed, or any of it is enough
    """

    spend: float = 0.0
    points: int = 0
    visits: int = 0
    match_all: bool = True

    def is_met(self, figures):
        """Tell whether the figures suffice.

        >>> Level(spend=500, visits=3).is_met(Figures(spend=900, visits=2))
        False
        >>> Level(spend=500, visits=3, match_all=False).is_met(Figures(spend=900))
        True
        >>> Level().is_met(Figures(spend=900))
        False
        """
        asked = self._get_asked()
        met = [getattr(figures, name) >= least for name, least in asked.items()]
        return bool(met) and (all(met) if self.match_all else any(met))

    def missing(self, figures):
        """Return what is still missing, by measure; nothing when the tier is met.

        Where any of it is enough, each is the whole of what is missing.

        >>> Level(spend=500, visits=3).missing(Figures(spend=450, visits=4))
        {'spend': 50}
        >>> Level(spend=500, visits=3, match_all=False).missing(Figures(spend=450))
        {'spend': 50, 'visits': 3}
        """
        if self.is_met(figures):
            return {}
        return {
            name: least - getattr(figures, name)
            for name, least in self._get_asked().items()
            if getattr(figures, name) < least
        }

    def progress(self, figures):
        """Return how much of what is asked for has been reached, from 0 to 1.

        The least of all that is needed; the most where any of it is enough.

        >>> Level(spend=500, visits=4).progress(Figures(spend=400, visits=1))
        0.25
        >>> level = Level(spend=500, visits=4, match_all=False)
        >>> level.progress(Figures(spend=400, visits=1))
        0.8
        """
        parts = [
            min(max(getattr(figures, name), 0) / least, 1.0)
            for name, least in self._get_asked().items()
        ]
        return (min if self.match_all else max)(parts, default=0.0)

    @property
    def asks(self):
        """Tell whether figures alone can reach the tier."""
        return bool(self._get_asked())

    def _get_asked(self):
        asked = {"spend": self.spend, "points": self.points, "visits": self.visits}
        return {name: least for name, least in asked.items() if least > 0}


@dataclass(frozen=True)
class TierRules:
    """How a programme gives and takes tiers.

    :ivar levels: ``Level`` of each place above 0, lowest first
    :ivar tier_ids: the ids of the tiers of all places, lowest first
    :ivar companies: the ids of the companies whose visits count
    :ivar window: whether the last ``months`` or the calendar year count
    :ivar review: how often a tier can be lost: on the first day of every month, quarter
        or year
    :ivar grace_days: how long a tier is kept at least after the figures fell short
    :ivar by_step: whether one place at most is lost at a review
    """

    levels: tuple = ()
    tier_ids: tuple = ()
    companies: tuple = ()
    window: str = ROLLING
    months: int = 12
    review: str = MONTHLY
    grace_days: int = 30
    by_step: bool = True

    @property
    def are_given(self):
        """Tell whether any tier is given by figures, and not by hand alone."""
        return any(level.asks for level in self.levels)

    @property
    def asks_points(self):
        """Tell whether points that are earned can reach a tier."""
        return any(level.points for level in self.levels)

    def place(self, tier_id):
        """Return the place of a tier; the lowest one if there is none.

        >>> TierRules(tier_ids=(7, 3, 5)).place(5), TierRules().place(None)
        (2, 0)
        """
        return self.tier_ids.index(tier_id) if tier_id in self.tier_ids else 0

    def can_rise(self, tier_id):
        """Tell whether figures can reach a tier above this one."""
        return any(level.asks for level in self.levels[self.place(tier_id) :])

    def window_start(self, day):
        """Return the first day that counts on ``day``.

        >>> TierRules(months=12).window_start(date(2024, 2, 29))
        datetime.date(2023, 3, 1)
        >>> TierRules(window="calendar").window_start(date(2024, 2, 29))
        datetime.date(2024, 1, 1)
        """
        if self.window == CALENDAR:
            return date(day.year, 1, 1)
        return day - relativedelta(months=self.months) + timedelta(days=1)

    def deserved(self, figures):
        """Return the highest place that the figures suffice for.

        >>> rules = TierRules(levels=(Level(visits=3), Level(spend=1000)))
        >>> rules.deserved(Figures(visits=2)), rules.deserved(Figures(spend=1000))
        (0, 2)
        """
        met = (
            place for place, level in enumerate(self.levels, 1) if level.is_met(figures)
        )
        return max(met, default=0)

    def review_day(self, day):
        """Return the first day of review on or after ``day``.

        >>> TierRules(review="quarterly").review_day(date(2024, 2, 1))
        datetime.date(2024, 4, 1)
        >>> TierRules(review="monthly").review_day(date(2024, 2, 1))
        datetime.date(2024, 2, 1)
        """
        step = REVIEW_MONTHS[self.review]
        start = date(day.year, (day.month - 1) // step * step + 1, 1)
        return start if start == day else start + relativedelta(months=step)

    def kept_until(self, day):
        """Return the review at which a tier is lost whose figures fell short on a day.

        >>> TierRules(grace_days=30).kept_until(date(2024, 1, 10))
        datetime.date(2024, 3, 1)
        """
        return self.review_day(day + timedelta(days=self.grace_days))

    def advance(self, day, deserved, place, held):
        """Return the place of a member on a day, and what is held from then on.

        Up at once; down at a review after the grace period. Each place is held by
        itself, so that whoever did more never has less. Called again on the same day,
        it returns the same.

        :param deserved: what the figures of the day suffice for
        :param place: the place until then
        :param held: day of the review at which each place above 0 is lost, by place;
            None while the figures suffice

        >>> rules = TierRules(levels=(Level(visits=2), Level(visits=4)))
        >>> rules.advance(date(2024, 1, 10), 2, 0, {})
        (2, {1: None, 2: None})
        >>> rules.advance(date(2024, 1, 20), 1, 2, {1: None, 2: None})
        (2, {1: None, 2: datetime.date(2024, 3, 1)})
        >>> rules.advance(date(2024, 3, 1), 1, 2, {1: None, 2: date(2024, 3, 1)})
        (1, {1: None})
        """
        kept = dict.fromkeys(range(1, deserved + 1))
        for number, until in held.items():
            if number > deserved:
                until = until or self.kept_until(day)
                if day < until:
                    kept[number] = until
        if self.by_step and max(kept, default=0) < place - 1:
            # The next place below is kept until the review after this one.
            following = self.review_day(day + timedelta(days=1))
            for number in range(1, place):
                if number not in kept or kept[number]:
                    kept[number] = max(following, kept.get(number) or following)
        return max(kept, default=0), dict(sorted(kept.items()))
