"""The pivots and graphs on a large base.

    ./dev bench reports

Makes 200,000 customers by SQL, half of them members, with 3 million repair orders, as
many invoices of three lines each and 6 million entries over 72 months, and lets the
add-on derive its facts. Then it measures, in turn:

* ARO by month and membership against one pass over the repair orders;
* each pivot and graph as its menu opens it, by the very calls of the client, against a
  plain ``GROUP BY`` by the same dates on the facts behind it;
* those on visits against the host's invoice analysis of the same invoices, grouped by
  the same dates.
"""

import time
from functools import partial

import benefits
import scale
import screens
from common import Report, environment, open_registry, parser
from large import get_partners, timed_in_turn
from workshop import Workshop

from odoo.tools import SQL

VISITS = 15


# -- data ----------------------------------------------------------------------


def fill(env, customers):
    """Make what the host and the add-on would have made of 72 months.

    Analysed in between: what follows, and the check of each reference, would be planned
    as if there were no rows yet.
    """
    scale.fill(env, customers // 2)
    for statement in (
        get_partners(customers - customers // 2),
        SQL(
            "UPDATE res_partner SET commercial_partner_id = id "
            "WHERE name LIKE 'Scale %%'"
        ),
        SQL("ANALYZE"),
        get_statuses(),
        get_repairs(env),
        get_invoices(env),
        get_lines(env),
        get_visits(env),
        SQL("ANALYZE"),
    ):
        env.cr.execute(statement)
    benefits.fill(env)
    env.invalidate_all()


def get_statuses():
    """Return the statement that lets the members join on one day after the other."""
    return SQL(
        """
        WITH joined AS (
            UPDATE garage_loyalty_member
               SET date_joined = current_date
                   - (30 + garage_loyalty_member.id * 13 %% 3000)::int,
                   tier_id = tier.id
              FROM garage_loyalty_tier tier
             WHERE number LIKE 'S%%'
               AND tier.program_id = garage_loyalty_member.program_id
               AND tier.sequence = (
                    SELECT min(sequence) FROM garage_loyalty_tier
                     WHERE program_id = garage_loyalty_member.program_id)
            RETURNING garage_loyalty_member.id, date_joined,
                      garage_loyalty_member.tier_id
        )
        INSERT INTO garage_loyalty_member_status (member_id, date, state, tier_id,
               user_id)
        SELECT id, date_joined, 'active', tier_id, 1 FROM joined
        """
    )


def get_days():
    """Return a query: a day for each visit of each customer."""
    return SQL(
        """
        SELECT id AS partner_id, n, current_date
               - ((id * 7 + n * 146 + (id * n * 31) %% 911) %% 2190)::int AS day,
               50 + (id * 31 + n * 977) %% 601 AS amount
          FROM res_partner, generate_series(1, %s) n
         WHERE name LIKE 'Scale %%'
        """,
        VISITS,
    )


def get_repairs(env):
    """Return the statement that copies one repair order for every visit."""
    repair = env["repair.order"].create({"partner_id": env.company.partner_id.id})
    env.flush_all()
    mine = {
        "id": SQL("nextval('repair_order_id_seq')"),
        "name": SQL("'Scale/' || days.partner_id || '/' || n"),
        "partner_id": SQL("days.partner_id"),
        "state": SQL("'done'"),
        "date_done": SQL("day + time '12:00'"),
        "loyalty_offer": SQL("(ARRAY['not_asked', 'declined'])[1 + n %% 2]"),
    }
    names = [
        name
        for name, field in env["repair.order"]._fields.items()
        if field.store and field.column_type
    ]
    return SQL(
        "INSERT INTO repair_order (%s) SELECT %s "
        "FROM (%s) days, repair_order template WHERE template.id = %s",
        SQL(", ").join(map(SQL.identifier, names)),
        SQL(", ").join(
            mine.get(name, SQL.identifier("template", name)) for name in names
        ),
        get_days(),
        repair.id,
    )


def get_invoices(env):
    """Return the statement that makes a posted invoice for each repair order."""
    journal = env["account.journal"].search([("type", "=", "sale")], limit=1)
    return SQL(
        """
        INSERT INTO account_move (name, state, move_type, journal_id, currency_id,
               company_id, date, invoice_date, partner_id, commercial_partner_id,
               amount_total, amount_untaxed_signed, invoice_currency_rate, auto_post)
        SELECT 'S/' || partner_id || '/' || n, 'posted', 'out_invoice', %s, %s, %s,
               day, day, partner_id, partner_id, amount, amount, 1, 'no'
          FROM (%s) days
        """,
        journal.id,
        env.company.currency_id.id,
        env.company.id,
        get_days(),
    )


def get_lines(env):
    """Return the statement that gives each invoice its lines: labour and two parts."""
    account = env["account.account"].search([("account_type", "=", "income")], limit=1)
    product = env["product.product"].create({"name": "Labour", "type": "service"})
    env.flush_all()
    return SQL(
        """
        INSERT INTO account_move_line (move_id, journal_id, company_id, currency_id,
               company_currency_id, display_type, account_id, partner_id, product_id,
               product_uom_id, quantity, price_unit, price_subtotal, price_total,
               debit, credit, balance, amount_currency, parent_state, date)
        SELECT move.id, move.journal_id, move.company_id, move.currency_id,
               move.currency_id, 'product', %s, move.partner_id, %s, %s, 1,
               part.amount, part.amount, part.amount, 0, part.amount, -part.amount,
               -part.amount, 'posted', move.date
          FROM account_move move
         CROSS JOIN LATERAL (VALUES
               (move.amount_total / 2), (move.amount_total / 4),
               (move.amount_total / 4)) AS part (amount)
         WHERE move.name LIKE 'S/%%'
        """,
        account.id,
        product.id,
        product.uom_id.id,
    )


def get_visits(env):
    """Return the statement that stamps the facts, as the add-on would."""
    return SQL(
        """
        INSERT INTO garage_loyalty_visit (kind, repair_id, company_id, partner_id,
               user_id, date, amount, amount_labour, amount_parts, amount_discount,
               is_warranty, answer, member_id, is_member, tier_id, prev_date,
               prev_paid_date, prev_same_date)
        SELECT 'repair', repair_id, %(company)s, partner_id, user_id, date, amount,
               amount / 2, amount - amount / 2, 0, FALSE, answer, member_id,
               is_member, tier_id, lag(date) OVER customer, lag(date) OVER customer,
               lag(date) OVER side
          FROM (
            SELECT repair.id AS repair_id, repair.partner_id, repair.user_id,
                   repair.date_done::date AS date,
                   50 + (repair.id * 31) %% 601 AS amount,
                   NULLIF(repair.loyalty_offer, 'not_asked') AS answer,
                   member.id AS member_id,
                   member.id IS NOT NULL AS is_member, member.tier_id
              FROM repair_order repair
              LEFT JOIN garage_loyalty_member member
                ON member.partner_id = repair.partner_id
               AND member.date_joined <= repair.date_done::date
             WHERE repair.name LIKE 'Scale/%%') visit
        WINDOW customer AS (PARTITION BY partner_id ORDER BY date, repair_id),
               side AS (PARTITION BY partner_id, is_member ORDER BY date, repair_id)
         ORDER BY date
        """,
        company=env.company.id,
    )


def derive(env):
    """Let the add-on derive its facts, of everybody: nobody is left to be looked at."""
    env["garage.loyalty.changed.customer"]._rebuild(10_000)
    env.cr.execute("DELETE FROM garage_loyalty_changed_customer")


# -- bounds --------------------------------------------------------------------


def get_pass(env):
    """Return the function that makes one pass over the repair orders."""
    query = SQL(
        "SELECT count(*), sum(partner_id::bigint), max(date_done) FROM repair_order "
        "WHERE state = 'done'"
    )
    return partial(env.execute_query, query)


def alone(env, function):
    """Return a function that calls another one while PostgreSQL has one process."""

    def run():
        env.cr.execute("SET LOCAL max_parallel_workers_per_gather = 0")
        function()
        env.cr.execute("RESET max_parallel_workers_per_gather")

    return run


def get_plain(env):
    """Return the function that groups the visits by day, as plainly as it can be."""
    query = SQL(
        "SELECT date, is_member, count(*), sum(amount) FROM garage_loyalty_visit "
        "GROUP BY 1, 2"
    )
    return partial(env.execute_query, query)


def compare_aro(report, env):
    """Measure ARO by month and membership against one pass over the repair orders.

    The pass is made by one process, as the bound was measured once. A pass by as many
    as the report may use is noted, with a plain grouping of the visits beside it.
    """
    Visits = env["garage.loyalty.visit.report"]
    aro = partial(Visits._read_group, [], ["date:month", "membership"], ["aro:avg"])
    whole = get_pass(env)
    bound, several, seconds, plain = timed_in_turn(
        alone(env, whole), whole, aro, get_plain(env), runs=15
    )
    ratio = seconds / bound
    report.line(
        "ARO by month and membership",
        f"{ratio:.2f} x, {1000 * seconds:.0f} of {1000 * bound:.0f} ms",
        "<= 1.0 x",
        ratio <= 1.0,
    )
    report.note(f"against a pass by several processes: {seconds / several:.2f} x")
    report.note(f"of that, a plain GROUP BY of the visits: {plain / several:.2f} x")


def compare_screens(report, env):
    """Measure every default pivot and graph.

    Those on visits also against the host's analysis of their invoices.
    """
    others = set()
    for screen in screens.get_screens(env):
        if screen.model._name not in screens.FACTS:
            others.add(screen.title)
            continue
        bound, seconds = timed_in_turn(screen.get_bound(), screen.read, runs=3)
        ratio = seconds / bound
        report.line(
            f"{screen.title}, {screen.kind}",
            f"{ratio:.2f} x, {1000 * seconds:.0f} of {1000 * bound:.0f} ms",
            "<= 2 x",
            ratio <= 2,
        )
        if "garage_loyalty_visit" in screens.FACTS[screen.model._name].source:
            compare_host(report, screen, seconds)
    report.note(f"a row for each thing that happened: {', '.join(sorted(others))}")


def compare_host(report, screen, seconds):
    """Measure the host's invoice analysis of the same months, once."""
    started = time.perf_counter()
    screen.read_host()
    ratio = (time.perf_counter() - started) / seconds
    report.line(
        f"{screen.title}, {screen.kind}: the host's invoice analysis",
        f"{ratio:.1f} x",
        ">= 5 x",
        ratio >= 5,
    )


def vacuum_everything(registry):
    """Do what PostgreSQL does by itself after a while."""
    with registry.cursor() as cr:
        cr._cnx.autocommit = True
        cr.execute("VACUUM ANALYZE")
        cr._cnx.autocommit = False


def main():
    options = parser(__doc__)
    options.add_argument("--customers", type=int, default=200_000)
    options.add_argument("--keep", action="store_true", help="the data are there")
    options = options.parse_args()
    registry = open_registry(options.database)
    report = Report()
    report.title(f"{options.customers} customers, {VISITS * options.customers} visits")
    if not options.keep:
        with environment(registry) as env:
            Workshop(env).open()
            fill(env, options.customers)
        vacuum_everything(registry)
        with environment(registry) as env:
            derive(env)
        vacuum_everything(registry)
    with environment(registry) as env:
        compare_aro(report, env)
        compare_screens(report, env)
    report.finish()


if __name__ == "__main__":
    main()
