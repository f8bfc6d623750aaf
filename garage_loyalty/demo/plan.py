"""The demo workshop's three years as a plan: the same for the same day and seed.

Nothing here touches a database. `documents.py` turns the plan into documents.
"""

import random
from dataclasses import dataclass, field
from datetime import date, timedelta

from .catalog import COUNTER, SIZED_PARTS, sized
from .jobs import EXTRAS, JOBS
from .money import plan_money
from .people import Customer, Town, Vehicle
from .timetable import HISTORY, Diary, months_before, open_day, open_near

SEED = 19
ADVISORS = 3
RECENT_REPAIRS = 1230  # finished in the last 24 months

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
class Line:
    code: str
    quantity: float
    text: str = ""
    is_part: bool = False


@dataclass
class Visit:
    """One coming to the workshop; `stage` says how far it got."""

    customer: Customer
    vehicle: Vehicle
    day: date
    done: date
    hour: int
    advisor: int
    jobs: list
    lines: list
    person: int | None = None  # which contact of a company brought the car
    is_member: bool = False
    stage: str = "invoiced"
    warranty: bool = False
    offer: str = "not_asked"
    redeem: bool = False
    paid: date | None = None
    part_paid: float = 0.0
    credit: tuple = ()  # (day, "full", "part" or "goodwill")
    is_present: bool = False  # stands in the workshop today


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


class Workbench:
    """Decides what is done to the cars of one customer."""

    def __init__(self, diary, rng):
        self.diary = diary
        self.rng = rng
        self.last = {}  # (plate, job) -> day

    def visits(self):
        visits = [self.visit(day) for day in self.diary.days]
        return visits + self.comebacks(visits)

    def visit(self, day, stage="invoiced"):
        customer, rng = self.diary.customer, self.rng
        vehicle = rng.choice(customer.vehicles)
        member = self.diary.is_member(day)
        jobs = self.choose(vehicle, day, member)
        return Visit(
            customer,
            vehicle,
            day,
            self.done(day),
            rng.randint(7, 9) if day.weekday() == 5 else rng.randint(7, 14),
            rng.randrange(ADVISORS),
            jobs,
            self.lines(jobs, vehicle, member),
            rng.choice([None, *range(len(customer.staff))]),
            member,
            stage,
            offer=self.diary.offers.get(day, "not_asked"),
        )

    def done(self, day):
        """One job in eight is finished on the next open day."""
        following = open_day(day + timedelta(days=1))
        late = self.rng.random() < 0.125 and following < self.diary.today
        return following if late else day

    def choose(self, vehicle, day, member):
        """One job by the season, often a second, sometimes a third."""
        jobs = []
        for chance in (1.0, 0.34 if member else 0.28, 0.07):
            if self.rng.random() > chance:
                break
            weights = [
                0 if job in jobs else self.weight(job, vehicle, day) for job in JOBS
            ]
            job = self.rng.choices(JOBS, weights)[0]
            jobs.append(job)
            self.last[vehicle.plate, job.code] = day
        return jobs

    def weight(self, job, vehicle, day):
        last = self.last.get((vehicle.plate, job.code))
        if last and (day - last).days < job.every * 30:
            return 0
        # The inspection is a duty: who has not had it for a year comes for it.
        urgent = job.code == "apk" and last
        return job.weight_in(day.month) * (4 if urgent else 1)

    def lines(self, jobs, vehicle, member):
        lines, seen = [], set()
        for job in jobs:
            for code, quantity in job.parts:
                if code not in seen:
                    seen.add(code)
                    lines.append(self.part(code, self.amount(quantity), vehicle))
            for code, quantity, *text in job.services:
                lines.append(Line(code, self.amount(quantity), "".join(text)))
        return lines + self.extras(seen, vehicle, member)

    def extras(self, seen, vehicle, member):
        """Small things on top; members buy half as many again."""
        return [
            self.part(code, quantity, vehicle) if is_part else Line(code, quantity)
            for chance, code, quantity, is_part in EXTRAS
            if self.rng.random() < chance * (1.5 if member else 1.0)
            and code not in seen
        ]

    def part(self, code, quantity, vehicle):
        code = sized(code, vehicle.size) if code in SIZED_PARTS else code
        return Line(code, quantity, is_part=True)

    def amount(self, quantity):
        if not isinstance(quantity, tuple):
            return quantity
        if isinstance(quantity[0], float):
            return round(self.rng.uniform(*quantity), 1)
        return self.rng.choice(quantity)

    def comebacks(self, visits):
        """Some cars are back within weeks: the part failed, under warranty."""
        comebacks = []
        for visit in visits:
            parts = [line for line in visit.lines if line.is_part]
            if not parts or self.rng.random() > 0.045:
                continue
            day = visit.done + timedelta(days=self.rng.randint(4, 60))
            day = open_day(day, self.rng)
            if day < self.diary.today:
                comebacks.append(self.comeback(visit, parts[0], day))
        return comebacks

    def comeback(self, visit, part, day):
        again = self.visit(day)
        again.vehicle, again.person = visit.vehicle, visit.person
        again.jobs = visit.jobs[:1]
        again.lines = [part, Line("LAB", 0.8, "Part replaced under warranty")]
        again.warranty = True
        again.stage = "invoiced" if self.rng.random() < 0.7 else "done"
        return again


def _counter_sales(plan, rng):
    """Now and then a customer only buys something: an invoice without a repair."""
    sales = []
    for visit in rng.sample(plan.visits, len(plan.visits) // 35):
        day = open_day(visit.done + timedelta(days=rng.randint(3, 40)))
        code = rng.choice(COUNTER)
        code = sized(code, visit.vehicle.size) if code in SIZED_PARTS else code
        if day < plan.today:
            sales.append(
                Visit(
                    visit.customer,
                    visit.vehicle,
                    day,
                    day,
                    visit.hour,
                    visit.advisor,
                    [],
                    [Line(code, 1, is_part=True)],
                    stage="counter",
                )
            )
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
    # Loyal members have points for the quotations they are shown.
    recent.sort(key=lambda diary: -sum(diary.is_member(day) for day in diary.days))
    stages = [(stage, days) for stage, number, days in PRESENT for _n in range(number)]
    present = []
    for (stage, days), diary in zip(stages, recent, strict=False):
        visit = Workbench(diary, rng).visit(open_near(plan.today, days), stage)
        visit.done, visit.is_present = visit.day, True
        present.append(visit)
    return present
