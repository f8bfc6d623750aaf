"""What the benchmarks on a large base share."""

import statistics
import time

from odoo.tools import SQL


def get_partners(members):
    """Return the statement that makes customers."""
    return SQL(
        """
        WITH partner AS (
            INSERT INTO res_partner (name, complete_name, active, autopost_bills, type)
            SELECT 'Scale ' || n, 'Scale ' || n, TRUE, 'ask', 'contact'
              FROM generate_series(1, %s) n RETURNING id)
        SELECT count(*) FROM partner
        """,
        members,
    )


def get_members(program):
    """Return the statement that enrols them."""
    return SQL(
        """
        INSERT INTO garage_loyalty_member (number, partner_id, program_id, company_id,
               state, source, date_joined, status_date, settled_points, debt)
        SELECT 'S' || id, id, %s, %s, 'active', 'import', '2015-01-01', '2015-01-01',
               0, 0
          FROM res_partner WHERE name LIKE 'Scale %%'
        """,
        program.id,
        program.company_id.id,
    )


def vacuum(registry, *tables):
    """Do what PostgreSQL does by itself after a while."""
    with registry.cursor() as cr:
        cr._cnx.autocommit = True
        for table in tables:
            cr.execute(
                SQL("VACUUM ANALYZE %s", SQL.identifier(f"garage_loyalty_{table}"))
            )
        cr._cnx.autocommit = False


def timed(function, runs=7):
    """Return the median seconds of ``function``, after one run to warm up."""
    return timed_in_turn(function, runs=runs)[0]


def timed_in_turn(*functions, runs=7):
    """Return the median seconds of each function.

    They run in turn, so that what else the machine does is shared by all; once before
    to warm up.
    """
    seconds = [[] for _function in functions]
    for run in range(runs + 1):
        for function, measured in zip(functions, seconds, strict=True):
            started = time.perf_counter()
            function()
            if run:
                measured.append(time.perf_counter() - started)
    return [statistics.median(measured) for measured in seconds]
