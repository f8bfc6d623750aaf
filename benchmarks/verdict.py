"""Whether the honest estimate tells a programme that works from one that does not.

    ./dev bench verdict

Makes up workshops of which the truth is known, and lets the add-on judge them: richer
and more frequent customers join more, prices rise by 4 % a year, and the programme does
nothing, or makes visits worth 10 % more, or makes members come 15 % more often. The
raw gap between members and others is judged beside it, as sellers of programmes do.

Only the rules are at work, on visits made up in memory: the database is left alone.
"""

import random
from math import exp, log
from typing import NamedTuple

from common import Report, parser

from odoo.addons.garage_loyalty.tools import estimate, holdout, matching, moments
from odoo.addons.garage_loyalty.tools.moments import YEAR, Customer, Span

# Visits are known for six years; in the middle of them the programme begins.
FIRST = 731_000
BEGAN, LAST = FIRST + 3 * YEAR, FIRST + 6 * YEAR - 1
PRICES = log(1.04)
# How much customers differ: in what a visit is worth, visit by visit, and in how often
# they come (standard deviations of logarithms), around so many visits a year.
VALUE, VISIT, RATE, OFTEN = 0.4, 0.5, 0.5, 2.5
AMOUNT = 250


class Person(NamedTuple):
    """What is true of a customer, and nobody knows."""

    value: float
    often: float

    @property
    def joining(self):
        """Return how likely a visit is to be the one at which they join."""
        wish = self.value / VALUE + 0.7 * log(self.often / OFTEN) / RATE
        return 1 / (1 + exp(2.2 - wish))


def make_people(rng, number):
    return [
        Person(rng.gauss(0, VALUE), OFTEN * exp(rng.gauss(0, RATE)))
        for _number in range(number)
    ]


def visit_days(rng, often, first, last):
    """Return days of visits at random."""
    days, day = [], first + rng.expovariate(often / YEAR)
    while day <= last:
        days.append(int(day))
        day += rng.expovariate(often / YEAR)
    return days


# -- programmes that anybody may join ----------------------------------------------


def draw_joining(rng, people, days, members):
    """Return when everybody joined, in order of time, until there are enough."""
    visits = sorted(
        (day, number) for number, own in enumerate(days) for day in own if day >= BEGAN
    )
    joined, chances = {}, [person.joining for person in people]
    for day, number in visits:
        if number not in joined and rng.random() < chances[number]:
            joined[number] = day
        if len(joined) == members:
            break
    return joined


def make_workshop(rng, options, on_aro):
    """Return the customers of a workshop.

    :param on_aro: by which share visits of members are worth more
    """
    people = make_people(rng, options.customers)
    days = [visit_days(rng, person.often, FIRST, LAST) for person in people]
    joined = draw_joining(rng, people, days, options.members)
    customers = []
    for number, (person, own) in enumerate(zip(people, days, strict=True)):
        since = joined.get(number)
        visits = [
            (
                day,
                AMOUNT
                * exp(
                    person.value
                    + PRICES * (day - FIRST) / YEAR
                    + rng.gauss(0, VISIT)
                    + (log(1 + on_aro) if since is not None and day > since else 0)
                ),
            )
            for day in own
        ]
        customers.append(Customer(number, visits, since))
    return customers


def raw_gaps(customers):
    """Return the gap in ARO and in frequency over the last year, as it is."""
    aro, often = ([], []), ([], [])
    for customer in customers:
        since = LAST + 1 if customer.joined is None else customer.joined
        start = LAST - YEAR + 1
        for is_member, begin, end in (
            (True, max(since, start), LAST),
            (False, start, min(since - 1, LAST)),
        ):
            if begin > end:
                continue
            amounts = [amount for day, amount in customer.visits if begin <= day <= end]
            side = 0 if is_member else 1
            often[side].append((len(amounts), (end - begin + 1) / YEAR))
            if amounts:
                aro[side].append((sum(amounts), len(amounts)))
    return estimate.gap(*aro), estimate.gap(*often)


def same_year(found, customers):
    """Return the moments with the spend of the year that the change starts from."""
    visits = {customer.id: customer.visits for customer in customers}
    return [
        moment._replace(
            spend=sum(
                amount
                for day, amount in visits[moment.customer]
                if moment.day - YEAR <= day < moment.day
            )
        )
        for moment in found
    ]


def judge_workshop(customers):
    """Return what each way of judging finds."""
    span = Span(FIRST, LAST)
    found = [
        moment
        for customer in customers
        for moment in moments.find_moments(customer, span)
    ]
    matched = matching.match(found)
    placebo = matching.effect_on_frequency(matching.compare(customers, span, YEAR))
    often = matching.effect_on_frequency(matched)
    raw_aro, raw_often = raw_gaps(customers)
    return {
        "raw ARO": raw_aro,
        "raw frequency": raw_often,
        "ARO": matching.effect_on_aro(matched),
        "same year": matching.effect_on_aro(
            matching.match(same_year(found, customers))
        ),
        "frequency": often,
        "described": estimate.describe(often, placebo),
    }


# -- programmes with a hold-out ----------------------------------------------------


def draw_lots(rng, number, on_rate, take_up=1.0):
    """Return the visits in a year of customers who were invited, and who were not.

    :param on_rate: by which share those come more often who take up the invitation
    :param take_up: the share who does
    """
    groups = [], []
    for place, person in enumerate(make_people(rng, number)):
        is_invited = place % 2 == 0
        joins = is_invited and rng.random() < take_up
        often = person.often * (1 + on_rate * joins)
        groups[0 if is_invited else 1].append(len(visit_days(rng, often, 1, YEAR)))
    return groups


# -- what is said ------------------------------------------------------------------


def count(found, verdict=estimate.MORE):
    """Return in how many programmes the verdict was this."""
    return sum(one.verdict == verdict for one in found)


def show(report, name, found):
    """Note what was found on average, and how wide the intervals are."""
    values = [one.value for one in found]
    reach = sum((one.high - one.low) / 2 for one in found) / len(found)
    report.note(
        f"{name}: {100 * sum(values) / len(values):+.1f} % ± {100 * reach:.1f} on "
        f"average, from {100 * min(values):+.1f} to {100 * max(values):+.1f} %"
    )


def judge_all(options, on_aro):
    """Return what each way of judging finds in each programme, by its name."""
    found = {}
    for number in range(options.programmes):
        rng = random.Random(f"{options.seed}/{on_aro}/{number}")
        for name, one in judge_workshop(make_workshop(rng, options, on_aro)).items():
            found.setdefault(name, []).append(one)
    return found


def report_nothing(report, options):
    """A programme that does nothing."""
    total = options.programmes
    report.title(f"{total} programmes of {options.members} members that do nothing")
    found = judge_all(options, 0)
    for name in ("raw ARO", "raw frequency", "same year", "ARO", "frequency"):
        show(report, name, found[name])
    most, few = 0.5 * total, 0.07 * total
    for name, bound in (("raw ARO", most), ("raw frequency", most)):
        number = count(found[name])
        report.line(f'{name} says "works"', number, f"> {bound:g}", number > bound)
    number = count(found["same year"])
    report.line(
        'matched on the year itself, ARO says "works"',
        number,
        f"> {most:g}, the harness can fail",
        number > most,
    )
    number = count(found["ARO"])
    report.line('the estimate says "works"', number, f"<= {few:g}", number <= few)
    number = count(found["described"], estimate.BIASED)
    report.note(
        f"frequency matched: {count(found['frequency'])} would say more visits; "
        f"the placebo finds fault with {number}, none is said to work"
    )


def report_aro(report, options):
    """A programme whose members spend more at each visit."""
    total = options.programmes
    report.title(
        f"{total} programmes of {options.members} members that raise ARO by 10 %"
    )
    found = judge_all(options, 0.1)
    for name in ("raw ARO", "ARO"):
        show(report, name, found[name])
    number = count(found["ARO"])
    least = 0.8 * total
    report.line("the estimate finds it", number, f">= {least:g}", number >= least)
    # Of intervals that hold the truth 95 times in 100, hardly ever fewer.
    least, inside = (
        0.88 * total,
        sum(one.low <= 0.1 <= one.high for one in found["ARO"]),
    )
    report.line("its interval holds it", inside, f">= {least:g}", inside >= least)


def report_holdout(report, options):
    """Invitations drawn by lot."""
    total, half = options.programmes, options.eligible // 2
    report.title(f"{total} hold-outs, {half} customers invited and {half} not")
    for what, on_rate, take_up in (
        ("that do nothing", 0, 1),
        ("that make the invited come 15 % more often", 0.15, 1),
        ("the same, but only half of the invited join", 0.15, 0.5),
    ):
        found = []
        for number in range(total):
            rng = random.Random(f"{options.seed}/{what}/{number}")
            groups = draw_lots(rng, options.eligible, on_rate, take_up)
            found.append((holdout.visits_gap(*groups), holdout.visits_change(*groups)))
        works = count(one for one, _ in found)
        show(report, what, [one for _, one in found])
        if not on_rate:
            report.line(what, works, f"<= {0.07 * total:g}", works <= 0.07 * total)
        elif take_up == 1:
            report.line(what, works, f">= {0.8 * total:g}", works >= 0.8 * total)
        else:
            report.note(f"{what}: found in {works}")


def main():
    options = parser(__doc__)
    options.add_argument("--programmes", type=int, default=100)
    options.add_argument("--customers", type=int, default=4500)
    options.add_argument("--members", type=int, default=2000)
    options.add_argument("--eligible", type=int, default=2000, help="for hold-outs")
    options.add_argument("--seed", default="1")
    options = options.parse_args()
    report = Report()
    report_nothing(report, options)
    report_aro(report, options)
    report_holdout(report, options)
    report.finish()


if __name__ == "__main__":
    main()
