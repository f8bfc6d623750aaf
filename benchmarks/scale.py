"""Balances and the daily expiry on a large ledger.

    ./dev bench scale

Makes 200,000 members with 6 million entries by SQL: 18 lots each over six years, the
twelve oldest of them spent. Then it measures what is done every day against one
aggregate over the ledger, in the same database and the same run, with warm caches, as
the median of several runs. For the expiry, each run gets the points of another day.
"""

import statistics
import time

from common import Report, environment, open_registry, parser
from large import get_members, get_partners, timed, vacuum
from workshop import Workshop

from odoo.tools import SQL

ENTRY = SQL(
    "member_id, program_id, company_id, date, kind, points, reason, user_id, "
    "source_model, source_id, source_seq, source_name, create_uid, create_date"
)


def fill(env, members):
    """Make the ledger that the add-on would have made."""
    workshop = Workshop(env)
    workshop.program.write(
        {"expiry_rule": "age", "expiry_months": 24, "expiry_month_end": False}
    )
    for statement in (
        get_partners(members),
        get_members(workshop.program),
        _get_given(),
        _get_lots(),
        _get_taken(),
        _get_allocations(),
        _get_balances(),
    ):
        env.cr.execute(statement)


def _get_given():
    """Lot 1 is of six years ago, lot 13 begins to expire today, lot 18 is new."""
    return SQL(
        """
        INSERT INTO garage_loyalty_entry (%s)
        SELECT id, program_id, company_id,
               (current_date - make_interval(months => 72 - 4 * (n - 1)))::date
               + (id * 7 + n * 13) %% 120,
               'earn', 10 + (id * 31 + n * 17) %% 191, 'Invoice paid', 1,
               'scale.given', id, n, 'INV/' || id || '/' || n, 1, now()
          FROM garage_loyalty_member, generate_series(1, 18) n
         WHERE number LIKE 'S%%'
        """,
        ENTRY,
    )


def _get_lots():
    return SQL(
        """
        INSERT INTO garage_loyalty_lot (entry_id, member_id, date, points, remaining,
               date_available, date_expiry, is_bonus, is_settled)
        SELECT id, member_id, date, points,
               CASE WHEN source_seq <= 12 THEN 0 ELSE points END, date,
               (date + interval '24 months')::date, FALSE, TRUE
          FROM garage_loyalty_entry WHERE source_model = 'scale.given'
        """
    )


def _get_taken():
    return SQL(
        """
        INSERT INTO garage_loyalty_entry (%s)
        SELECT member_id, program_id, company_id, date + 270, 'redeem', -points,
               'Paid with points', 1, 'scale.taken', id, 1, source_name, 1, now()
          FROM garage_loyalty_entry
         WHERE source_model = 'scale.given' AND source_seq <= 12
        """,
        ENTRY,
    )


def _get_allocations():
    return SQL(
        """
        INSERT INTO garage_loyalty_allocation (entry_id, lot_id, points)
        SELECT taken.id, lot.id, lot.points
          FROM garage_loyalty_entry taken
          JOIN garage_loyalty_lot lot ON lot.entry_id = taken.source_id
         WHERE taken.source_model = 'scale.taken'
        """
    )


def _get_balances():
    return SQL(
        """
        UPDATE garage_loyalty_member member SET settled_points = lots.points
          FROM (SELECT member_id, sum(remaining) AS points FROM garage_loyalty_lot
                 GROUP BY 1) lots
         WHERE lots.member_id = member.id
        """
    )


def get_aggregate(env):
    """Return the seconds of the bound: the sum of the entries of every member."""
    query = SQL(
        "SELECT count(*) FROM (SELECT member_id, sum(points) "
        "FROM garage_loyalty_entry GROUP BY member_id) balance"
    )
    return timed(lambda: env.execute_query(query))


def get_balances(env, domain):
    """Return a query: the balances of members, as lists and reports read them."""
    Member = env["garage.loyalty.member"]
    query = Member._search(domain)
    points = Member._field_to_sql(query.table, "points", query)
    return query.select(SQL.identifier(query.table, "id"), points)


def compare_balances(report, env, bound):
    """Print the time of all balances, and how one is found."""
    balances = get_balances(env, [])
    every = SQL("SELECT count(points) FROM (%s) AS one (id, points)", balances)
    seconds = timed(lambda: env.execute_query(every))
    report.line(
        "all balances",
        f"{seconds / bound:.2f} x, {1000 * seconds:.0f} ms",
        "<= 0.2 x",
        seconds <= 0.2 * bound,
    )
    member = env["garage.loyalty.member"].search([], limit=1, order="id desc")
    one = get_balances(env, [("id", "=", member.id)])
    plan = env.execute_query(SQL("EXPLAIN (ANALYZE, BUFFERS, TIMING OFF) %s", one))
    scans = [row[0].strip() for row in plan if "Scan" in row[0]]
    whole = sum("Seq Scan" in scan for scan in scans)
    report.exactly("one balance: tables that are read as a whole", whole, 0)
    for scan in scans:
        report.note(scan)


def compare_expiry(report, registry, bound, days):
    """Let the points of a day expire, of several days in turn; print the time."""
    seconds = []
    for day in range(days):
        with environment(registry) as env:
            env.cr.execute(
                SQL(
                    "UPDATE garage_loyalty_lot SET date_expiry = current_date - 2 "
                    "WHERE remaining > 0 AND date_expiry = current_date + %s",
                    day + 3,
                )
            )
            lots = env.cr.rowcount
        started = time.perf_counter()
        with environment(registry) as env:
            done = env["garage.loyalty.expiry"]._expire_batch(env.company, 5000)
        seconds.append(time.perf_counter() - started)
        if done != lots:
            report.exactly("lots of the day that expired", done, lots)
    report.note(f"{lots} lots in the last of {days} days")
    median = statistics.median(seconds[1:])
    report.line(
        "the expiry of a day",
        f"{median / bound:.2f} x, {1000 * median:.0f} ms",
        "<= 0.4 x",
        median <= 0.4 * bound,
    )


def compare_job(report, registry, bound):
    """Print the time of the whole nightly job when nothing is due any more."""
    with environment(registry) as env:
        seconds = timed(env["garage.loyalty.expiry"]._cron_expire)
    report.line(
        "the whole job on a day on which nothing expires",
        f"{seconds / bound:.2f} x, {1000 * seconds:.0f} ms",
        "<= 0.4 x",
        seconds <= 0.4 * bound,
    )


def check(report, registry, number):
    """Let the ledger check go through the first members."""
    with environment(registry) as env:
        members = env["garage.loyalty.member"].search([], limit=number)
        started = time.perf_counter()
        found = env["garage.loyalty.ledger.check"]._find_differences(members)
        seconds = time.perf_counter() - started
    report.exactly(f"differences found in {number} accounts", len(found), 0)
    report.note(f"{seconds:.1f} s")


def main():
    options = parser(__doc__)
    options.add_argument("--members", type=int, default=200_000)
    options.add_argument("--days", type=int, default=7)
    options = options.parse_args()
    registry = open_registry(options.database)
    report = Report()
    report.title(f"{options.members} members, {30 * options.members} entries")
    with environment(registry) as env:
        fill(env, options.members)
    vacuum(registry, "entry", "lot", "allocation", "member")
    report.note("made")
    with environment(registry) as env:
        bound = get_aggregate(env)
        report.note(f"one aggregate over the ledger: {1000 * bound:.0f} ms")
        compare_balances(report, env, bound)
    compare_expiry(report, registry, bound, options.days)
    compare_job(report, registry, bound)
    check(report, registry, min(20_000, options.members))
    report.finish()


if __name__ == "__main__":
    main()
