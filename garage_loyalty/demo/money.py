"""Who pays when, what is credited, who spends points. No database."""

from datetime import timedelta

from .timetable import open_day

RECENT = 45  # days
# A month's invoices are drafts together: nobody spends the same points on two of them.
APART = 40  # days


def plan_money(plan, rng):
    """Settle every invoice of the plan, in the order of their dates."""
    visits_as_member, redeemed = {}, {}
    for visit in plan.visits:
        if visit.stage not in ("invoiced", "counter"):
            continue
        number = visit.customer.number
        if visit.is_member and not visit.warranty:
            visits_as_member[number] = visits_as_member.get(number, 0) + 1
        if not visit.warranty:
            visit.paid = _payment_day(visit, plan.today, rng)
            visit.credit = _credit(visit, plan.today, rng)
            wants = visits_as_member.get(number, 0) >= 3 and rng.random() < 0.32
            last = redeemed.get(number)
            visit.redeem = wants and (not last or (visit.done - last).days > APART)
            if visit.redeem:
                redeemed[number] = visit.done
        if visit.paid and rng.random() < 0.006:
            visit.part_paid = 0.5


def _payment_day(visit, today, rng):
    """Private customers pay at the counter, companies by transfer; a few never."""
    chance = rng.random()
    if chance < 0.018:
        return None
    if visit.customer.is_company:
        wait = rng.randint(10, 45)
    elif chance < 0.84 and ((today - visit.done).days > RECENT or chance < 0.66):
        wait = 0
    else:
        wait = rng.randint(4, 30) + RECENT * (chance > 0.97)
    day = visit.done + timedelta(days=wait)
    return day if day < today else None


def _credit(visit, today, rng):
    """(day, kind): all of it, a part taken back, or some labour out of goodwill."""
    chance = rng.random()
    if chance > 0.03 or visit.stage == "counter":
        return ()
    day = open_day(visit.done + timedelta(days=rng.randint(1, 40)))
    kind = ("full", "part", "part", "goodwill")[int(chance * 1e4) % 4]
    return (day, kind) if day < today else ()
