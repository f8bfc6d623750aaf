"""The monthly movement report, and who lapsed, on a large base.

    ./dev bench movement

Makes 200,000 customers with 3 million posted invoices over 72 months by SQL, and lets
the add-on derive its facts from them. Then it measures the whole report, the same with
200 customers whose documents have just changed, and the customers who lapsed last
month, against one index-only pass over the same invoices, in turn. Computing the facts
again must change nothing.
"""

import time
from contextlib import contextmanager
from functools import partial

from common import Report, environment, open_registry, parser
from large import get_partners, timed_in_turn, vacuum

from odoo.tools import SQL

from odoo.addons.garage_loyalty.tools.movement import month_number

INVOICES, CHANGED = 15, 200


def fill(env, customers):
    """Make the invoices that the host would have posted."""
    env.cr.execute(get_partners(customers))
    env.cr.execute(
        "UPDATE res_partner SET commercial_partner_id = id WHERE name LIKE 'Scale %'"
    )
    journal = env["account.journal"].search([("type", "=", "sale")], limit=1)
    env.cr.execute(get_invoices(env.company, journal))
    env.invalidate_all()


def get_invoices(company, journal):
    """Return the statement that makes posted invoices."""
    return SQL(
        """
        INSERT INTO account_move (name, state, move_type, journal_id, currency_id,
               company_id, date, invoice_date, partner_id, commercial_partner_id,
               amount_total, amount_untaxed_signed, auto_post)
        SELECT 'S/' || id || '/' || n, 'posted', 'out_invoice', %s, %s, %s,
               day, day, id, id, 121, 100, 'no'
          FROM (SELECT id, n, current_date
                       - ((id * 7 + n * 146 + (id * n * 31) %% 911) %% 2190)::int AS day
                  FROM res_partner, generate_series(1, %s) n
                 WHERE name LIKE 'Scale %%') made
        """,
        journal.id,
        company.currency_id.id,
        company.id,
        INVOICES,
    )


def vacuum_invoices(registry):
    """Let PostgreSQL know which pages of the invoices everybody can see."""
    with registry.cursor() as cr:
        cr._cnx.autocommit = True
        cr.execute("VACUUM ANALYZE account_move")
        cr.execute("ANALYZE res_partner")
        cr._cnx.autocommit = False


@contextmanager
def reading_invoices(registry):
    """Give a function that makes one index-only pass over the invoices."""
    query = SQL(
        "SELECT sum(commercial_partner_id::bigint), "
        "sum(invoice_date - date '2000-01-01') FROM account_move "
        "WHERE move_type = 'out_invoice' AND state = 'posted'"
    )
    with environment(registry) as env:
        env.cr.execute("SET LOCAL enable_seqscan = off")
        env.cr.execute("SET LOCAL enable_bitmapscan = off")
        yield partial(env.execute_query, query)


def read_report(env):
    """Return the whole report, as the client asks for it."""
    Report = env["garage.loyalty.movement"]
    names = [name for name, field in Report._fields.items() if field.column_type]
    env.invalidate_all()
    return Report.search_fetch([], names)


def find_lapsed(env):
    """Return who lapsed last month, by the query of the daily job."""
    number = month_number(env.company._get_loyalty_today()) - 1
    Lapse = env["garage.loyalty.lapse"]
    gap = env.company.loyalty_lapse_months
    return env.execute_query(Lapse._get_lapsed_query(env.company, number, gap))


def list_lapsed(env):
    """Return the first page of them, as a click on the figure lists them."""
    row = env["garage.loyalty.movement"].search([], limit=1)
    action = row.with_context(figure="lapsed").action_open_customers()
    return env["garage.loyalty.customer"].search(action["domain"], limit=80)


def change(env, number):
    """Note that documents of some customers have changed, and return their ids."""
    env.cr.execute(
        SQL("SELECT id FROM res_partner WHERE name LIKE 'Scale %%' LIMIT %s", number)
    )
    env["garage.loyalty.changed.customer"]._note([row[0] for row in env.cr.fetchall()])


def compare(registry, report, name, function, factor=None):
    """Measure ``function(env)`` and one pass over the invoices, in turn."""
    with reading_invoices(registry) as read, environment(registry) as env:
        bound, seconds = timed_in_turn(read, partial(function, env))
        found = len(function(env))
    ratio = seconds / bound
    text = f"{ratio:.3f} x, {1000 * seconds:.0f} of {1000 * bound:.0f} ms"
    if factor is None:
        report.note(f"{name}, {found} rows: {text}")
    else:
        report.line(f"{name}, {found} rows", text, f"<= {factor} x", ratio <= factor)


def derive(registry, report):
    """Derive the facts twice: the second time nothing changes."""
    for name in ("first", "again"):
        started = time.perf_counter()
        with environment(registry) as env:
            changed = env["garage.loyalty.changed.customer"]._rebuild(10_000)
        report.note(
            f"facts of everybody, {name}: {time.perf_counter() - started:.0f} s, "
            f"{changed} rows"
        )
    report.line("rows that changed the second time", changed, "0", not changed)
    with environment(registry) as env:
        wrong = env["garage.loyalty.movement.count"]._check()
    report.line("counts that do not agree", wrong, "0", not wrong)


def main():
    options = parser(__doc__)
    options.add_argument("--customers", type=int, default=200_000)
    options = options.parse_args()
    registry = open_registry(options.database)
    report = Report()
    report.title(
        f"{options.customers} customers, {INVOICES * options.customers} invoices"
    )
    with environment(registry) as env:
        fill(env, options.customers)
    vacuum_invoices(registry)
    derive(registry, report)
    vacuum(registry, "active_month", "movement_count", "customer")
    vacuum_invoices(registry)
    compare(registry, report, "the whole report", read_report, 0.5)
    compare(registry, report, "who lapsed last month", find_lapsed, 0.05)
    compare(registry, report, "the report, and a page of who lapsed", list_lapsed, 0.5)
    with environment(registry) as env:
        change(env, CHANGED)
    compare(registry, report, f"the report, {CHANGED} changed", read_report, 0.5)
    report.finish()


if __name__ == "__main__":
    main()
