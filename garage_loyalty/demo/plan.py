"""The demo workshop's three years as a plan: the same for the same day and seed.

Nothing here touches a database. `documents.py` turns the plan into documents.
"""

import random
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from .catalog import COUNTER
from .money import plan_money
from .people import Customer, Town
from .timetable import HISTORY, Diary, months_before, open_day, open_near
from .workbench import ADVISORS, Workbench, part_line

SEED = 19
RECENT_REPAIRS = 1220  # finished in the last 24 months

# Today's cars: stage, how many, and how many days ahead of today.
PRESENT = (
    ("quoted", 6, 1),
    ("done", 3, -1),
    ("started", 5, 0),
    ("confirmed", 4, 1),
    ("new", 5, 2),
    ("cancelled", 4, -3),
)


@dataclass(frozen=True)
class Enrolment:
    customer: Customer
    day: date
    source: str
    advisor: int
    marketing: bool


@dataclass(frozen=True)
class StatusChange:
    customer: Customer
    day: date
    action: str  # leave, suspend or come_back
    reason: str


@dataclass
class Plan:
    today: date
    start: date
    customers: list = field(default_factory=list)
    visits: list = field(default_factory=list)
    enrolments: list = field(default_factory=list)
    changes: list = field(default_factory=list)

    @property
    def finished(self):
        """Repair orders that are finished, oldest first."""
        return [visit for visit in self.visits if visit.stage in ("invoiced", "done")]

    def months(self):
        first = self.start
        while first <= self.today:
            following = months_before(first, -1)
            yield first, following
            first = following


def build(today, seed=SEED):
    """The whole plan for a workshop looked at on `today`."""
    # Fixed on purpose: everyone shall see the same workshop.
    rng = random.Random(seed)  # noqa: S311
    plan = Plan(today, months_before(today, HISTORY))
    diaries = _fill(plan, rng)
    plan.visits += _counter_sales(plan, rng)
    plan.visits.sort(key=lambda visit: (visit.done, visit.day, visit.customer.number))
    plan.enrolments.sort(key=lambda enrolment: enrolment.day)
    plan.changes = _status_changes(plan, rng)
    plan_money(plan, rng)
    plan.visits += _present(plan, diaries, rng)
    return plan


def _fill(plan, rng):
    """Customers with their visits, until the workshop has enough work."""
    diaries = []
    recent, since = 0, plan.today - timedelta(days=730)
    for customer in Town(rng).people():
        diary = Diary(customer, rng, plan.today)
        visits = Workbench(diary, rng).visits()
        diaries.append(diary)
        plan.customers.append(customer)
        plan.visits += visits
        if diary.joined:
            plan.enrolments.append(_enrolment(diary, rng))
        recent += sum(visit.done >= since for visit in visits)
        if recent >= RECENT_REPAIRS:
            return diaries
    return diaries


def _enrolment(diary, rng):
    return Enrolment(
        diary.customer,
        diary.joined,
        diary.source,
        rng.randrange(ADVISORS),
        rng.random() < 0.7,
    )


def _counter_sales(plan, rng):
    """Now and then a customer only buys something: an invoice without a repair."""
    sales = []
    for visit in rng.sample(plan.visits, len(plan.visits) // 35):
        day = open_day(visit.done + timedelta(days=rng.randint(3, 40)))
        line = part_line(rng.choice(COUNTER), 1, visit.vehicle)
        if day < plan.today:
            sale = replace(visit, day=day, done=day, jobs=[], lines=[line])
            sales.append(replace(sale, stage="counter", warranty=False))
    return sales


def _status_changes(plan, rng):
    """A few members leave or are suspended; one of those comes back."""
    seasoned = [
        enrolment
        for enrolment in plan.enrolments
        if (plan.today - enrolment.day).days > 200 and not enrolment.customer.is_company
    ]
    actions = ["leave"] * 6 + ["suspend"] * 2
    changes = []
    for action, enrolment in zip(
        actions, rng.sample(seasoned, len(actions)), strict=True
    ):
        day = enrolment.day + timedelta(days=rng.randint(90, 190))
        reason = {"leave": "Asked to be removed", "suspend": "Invoice in dispute"}
        changes.append(StatusChange(enrolment.customer, day, action, reason[action]))
    first = changes[0]
    back = min(first.day + timedelta(days=60), plan.today - timedelta(days=1))
    changes.append(StatusChange(first.customer, back, "come_back", "Joined again"))
    return sorted(changes, key=lambda change: change.day)


def _present(plan, diaries, rng):
    """What stands in the workshop today, in every stage, and what was called off."""
    recent = [
        diary
        for diary in diaries
        if diary.days
        and not diary.customer.is_company
        and 60 < (plan.today - diary.days[-1]).days < 330
    ]
    rng.shuffle(recent)
    stages = [(stage, days) for stage, number, days in PRESENT for _n in range(number)]
    # Loyal members have points for the quotations they are shown.
    loyal = sorted(recent, key=lambda diary: -sum(map(diary.is_member, diary.days)))
    loyal = loyal[: PRESENT[0][1]]
    recent = loyal + [diary for diary in recent if diary not in loyal]
    present = []
    for (stage, days), diary in zip(stages, recent, strict=False):
        visit = Workbench(diary, rng).visit(open_near(plan.today, days), stage)
        visit.done, visit.is_present = visit.day, True
        present.append(visit)
    return present
