"""When a customer comes: the workshop's open days and people's habits. No database."""

from datetime import date, timedelta

from .jobs import SEASON

LAUNCH = 22  # months since customers can join
HISTORY = 28  # months in all: many members were customers a whole year before
ARRIVING = 24  # months since fleets and new customers have been coming

CLOSED = {(12, 25), (12, 26), (1, 1), (4, 27)}
SUNDAY, SATURDAY = 6, 5

# Days between two visits: mean and deviation.
GAPS = {
    "regular": (138, 45),
    "yearly": (310, 50),
    "once": (0, 0),
    "lapsed": (165, 50),
    "returned": (150, 45),
    "fleet": (42, 16),
}
MEMBER_PACE = 0.95  # members come a little more often

# The chance that a customer who is asked joins.
JOINING = {
    "regular": 0.62,
    "yearly": 0.52,
    "once": 0.30,
    "lapsed": 0.40,
    "returned": 0.50,
    "fleet": 0.09,
}


def months_before(day, months):
    """The first of the month so many months before."""
    index = day.year * 12 + day.month - 1 - months
    return date(index // 12, index % 12 + 1, 1)


def is_open(day):
    return day.weekday() != SUNDAY and (day.month, day.day) not in CLOSED


def open_day(day, rng=None):
    """That day or the next open one; of the Saturdays half are left to others."""
    skip_saturday = rng is not None and rng.random() < 0.5
    while not is_open(day) or (skip_saturday and day.weekday() == SATURDAY):
        day += timedelta(days=1)
    return day


def open_near(today, days):
    """The nearest open day so many days away: not later than that for the past."""
    day = today + timedelta(days=days)
    step = timedelta(days=1 if days > 0 else -1)
    while not is_open(day):
        day += step
    return day


class Diary:
    """The visits of one customer, from first to last, and when they joined."""

    def __init__(self, customer, rng, today):
        self.customer = customer
        self.rng = rng
        self.today = today
        self.start = months_before(today, HISTORY)
        self.launch = months_before(today, LAUNCH)
        self.offers = {}  # day of a visit -> "accepted" or "declined"
        self.joined = None
        self.source = "counter"
        self.days = []
        self._live()

    def is_member(self, day):
        return self.joined is not None and self.joined <= day

    def _live(self):
        day = self._first_day()
        end, pause = self._turning_points()
        while day < self.today:
            if pause and pause[0] <= day < pause[1]:
                day = pause[1]
            day = self._in_season(day)
            if day >= self.today or day > end:
                break
            self.days.append(day)
            self._meet(day)
            if self.customer.habit == "once":
                break
            day = open_day(day + self._gap(day), self.rng)

    def _first_day(self):
        """Regulars, and those who lapsed, were there before; others arrive."""
        habit, start = self.customer.habit, self.start
        days = max(60, int(GAPS[habit][0]))
        recent = months_before(self.today, ARRIVING)
        if habit == "once":
            start, days = recent, (self.today - recent).days - 1
        elif habit == "fleet":
            start = recent
        elif habit in ("regular", "yearly") and self.rng.random() < 0.4:
            start, days = recent, (self.today - recent).days - 60
        return open_day(start + timedelta(days=self.rng.randrange(days)), self.rng)

    def _turning_points(self):
        """The last possible day, and the time away of those who come back."""
        habit = self.customer.habit
        if habit == "lapsed":
            return self.today - timedelta(days=self.rng.randint(385, 700)), None
        if habit == "returned":
            back = self.today - timedelta(days=self.rng.randint(20, 420))
            gap = timedelta(days=self.rng.randint(400, 520))
            return self.today, (back - gap, open_day(back))
        return self.today, None

    def _gap(self, day):
        mean, deviation = GAPS[self.customer.habit]
        pace = MEMBER_PACE if self.is_member(day) else 1.0
        days = max(mean * 0.25, self.rng.gauss(mean, deviation)) * pace
        return timedelta(days=round(days))

    def _in_season(self, day):
        """In quiet months some visits wait a few weeks."""
        if self.rng.random() > SEASON[day.month]:
            day = open_day(day + timedelta(days=self.rng.randint(12, 40)), self.rng)
        return day

    def _meet(self, day):
        """At the counter the advisor may ask; some join, at once or later online."""
        if self.joined or day < self.launch or "declined" in self.offers.values():
            return
        if self.rng.random() > self._asking(day):
            return
        if self.rng.random() > JOINING[self.customer.habit]:
            if self.rng.random() < 0.3:
                self.offers[day] = "declined"
            return
        if self.rng.random() < 0.15:
            self.joined = min(
                day + timedelta(days=self.rng.randint(1, 15)),
                self.today - timedelta(days=1),
            )
            self.source = "web"
        else:
            self.joined = day
            self.offers[day] = "accepted"

    def _asking(self, day):
        """A slow start, then a campaign, then routine."""
        days = (day - self.launch).days
        return 0.25 if days < 170 else 0.85 if days < 310 else 0.55
