"""What is done to a car, and what it takes. No database."""

from dataclasses import dataclass
from datetime import date, timedelta

from .catalog import SIZED_PARTS, sized
from .jobs import EXTRAS, JOBS
from .people import Customer, Vehicle
from .timetable import SATURDAY, open_day

ADVISORS = 3


@dataclass(frozen=True)
class Line:
    code: str
    quantity: float
    text: str = ""
    is_part: bool = False


def part_line(code, quantity, vehicle):
    code = sized(code, vehicle.size) if code in SIZED_PARTS else code
    return Line(code, quantity, is_part=True)


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
            rng.randint(7, 9) if day.weekday() == SATURDAY else rng.randint(7, 14),
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
        for chance in (1.0, 0.34 if member else 0.24, 0.05):
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
                    lines.append(part_line(code, self.amount(quantity), vehicle))
            for code, quantity, *text in job.services:
                lines.append(Line(code, self.amount(quantity), "".join(text)))
        return lines + self.extras(seen, vehicle, member)

    def extras(self, seen, vehicle, member):
        """Small things on top; members buy more."""
        return [
            part_line(code, quantity, vehicle) if is_part else Line(code, quantity)
            for chance, code, quantity, is_part in EXTRAS
            if self.rng.random() < chance * (1.8 if member else 1.0)
            and code not in seen
        ]

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
