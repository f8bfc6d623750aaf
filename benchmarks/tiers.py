"""The review of tiers on a large base.

    ./dev bench tiers

Makes 200,000 members with 3 million visits over six years by SQL, some of them still to
come. Then it measures the review of a day, of one on which tiers are lost, and of
everybody, as once a month, against one grouped sum over the same visits, in the same
database and the same run. What rises has risen before, as it does when an invoice is
posted. The first review of all, in which every member gets a tier, has no bound.
"""

import statistics
import time
from datetime import timedelta

from common import Report, environment, open_registry, parser
from large import get_members, get_partners, timed, vacuum
from workshop import Workshop

from odoo.tools import SQL

VISITS, DAYS = 15, 100


def fill(env, members):
    """Make the visits that the add-on would have made."""
    program = Workshop(env).program
    program.tier_ids[1].write({"required_spend": 750, "required_visits": 0})
    program.tier_ids[2].write(
        {"required_spend": 1500, "required_visits": 6, "match": "any"}
    )
    for statement in (get_partners(members), get_members(program), get_visits(program)):
        env.cr.execute(statement)
    env.cr.execute(
        "UPDATE garage_loyalty_member SET tier_id = %s WHERE number LIKE 'S%%'",
        [program.tier_ids[0].id],
    )
    env.invalidate_all()
    return program


def get_visits(program):
    """Return the statement that makes visits, each with the one before it."""
    return SQL(
        """
        INSERT INTO garage_loyalty_visit (kind, company_id, partner_id, date, amount,
               amount_labour, amount_parts, amount_discount, is_warranty, member_id,
               is_member, prev_date)
        SELECT 'repair', %s, partner_id, date, amount, amount / 2, amount / 2, 0, FALSE,
               id, TRUE, lag(date) OVER (PARTITION BY id ORDER BY date)
          FROM (SELECT id, partner_id, (20 + id %% 20 * 20)
                          * (50 + (id * 31 + n * 977) %% 101) / 100 AS amount,
                       current_date + %s
                       - ((id * 7 + n * 146 + (id * n) %% 97) %% 2190)::int AS date
                  FROM garage_loyalty_member, generate_series(1, %s) n
                 WHERE number LIKE 'S%%') made
        """,
        program.company_id.id,
        DAYS,
        VISITS,
    )


def get_bound(env):
    """Return the seconds of one grouped sum over all visits.

    The sums are looked at: PostgreSQL leaves out what nobody asks for.
    """
    query = SQL(
        "SELECT max(spend), max(visits) FROM (SELECT partner_id, sum(amount) AS spend, "
        "count(*) AS visits FROM garage_loyalty_visit GROUP BY 1) customer"
    )
    return timed(lambda: env.execute_query(query))


def post(registry, program_id, day):
    """Let members rise whose visits are of a day, as posting their invoices does."""
    with environment(registry) as env:
        customers = env["garage.loyalty.visit"]._search([("date", "=", day)])
        env["garage.loyalty.member"].search(
            [
                ("program_id", "=", program_id),
                ("partner_id", "in", customers.subselect("partner_id")),
            ]
        )._rise(day)


def review(registry, program_id, day):
    """Review a day; return the seconds, and how many members moved."""
    started = time.perf_counter()
    with environment(registry) as env:
        program = env["garage.loyalty.program"].browse(program_id)
        moved = env["garage.loyalty.tier.review"]._review_day(program, day)
    return time.perf_counter() - started, len(moved)


def compare(report, registry, program_id, first, days):
    """Review days one after the other; print the median of usual and of full ones.

    Each is compared with the grouped sum measured right before it, as the speed of a
    machine changes from minute to minute.
    """
    usual, falls, full = [], [], []
    for number in range(days):
        day = first + timedelta(number)
        post(registry, program_id, day)
        with environment(registry) as env:
            bound = get_bound(env)
        seconds, moved = review(registry, program_id, day)
        kind = {1: falls, 2: full}.get(day.day, usual)
        kind.append((seconds / bound, seconds, moved))
    for name, rows, factor in (
        ("a day", usual, 0.5),
        ("a day on which tiers are lost", falls, 2),
        ("everybody, once a month", full, 2),
    ):
        if not rows:
            continue
        ratio = statistics.median(row[0] for row in rows)
        seconds = statistics.median(row[1] for row in rows)
        most = max(row[2] for row in rows)
        report.line(
            f"{name}, {len(rows)}",
            f"{ratio:.2f} x, {1000 * seconds:.0f} ms",
            f"<= {factor} x",
            ratio <= factor,
        )
        report.note(f"at most {most} members moved in one of them")


def main():
    options = parser(__doc__)
    options.add_argument("--members", type=int, default=200_000)
    options.add_argument("--days", type=int, default=66)
    options = options.parse_args()
    registry = open_registry(options.database)
    report = Report()
    report.title(f"{options.members} members, {VISITS * options.members} visits")
    with environment(registry) as env:
        program = fill(env, options.members)
        program_id, today = program.id, program.company_id._get_loyalty_today()
    vacuum(registry, "member", "visit")
    seconds, moved = review(registry, program_id, today)
    report.note(f"the first review of all: {seconds:.1f} s, {moved} members moved")
    vacuum(registry, "member", "member_status", "qualification")
    with environment(registry) as env:
        bound = get_bound(env)
    report.note(f"one grouped sum over the visits: {1000 * bound:.0f} ms")
    compare(report, registry, program_id, today + timedelta(1), options.days)
    report.finish()


if __name__ == "__main__":
    main()
