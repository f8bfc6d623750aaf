"""What would go wrong: the same harness finds the fault in what looks right."""

import time

from common import environment

from odoo.exceptions import UserError
from odoo.tools import SQL

from proofs import SPENT

CONFIRMING = 0.02  # seconds that confirming a quotation takes, about


def prove_naive_fails(report, registry, workers, options):
    """Show that the same harness finds the fault in what looks right."""
    rounds = options.rounds // 5 or 1
    report.title(
        f"That this can fail: naive code on scratch tables, {workers.number} workers "
        f"× 4 attempts × {rounds} rounds, {CONFIRMING} s between check and insert"
    )
    for lock, text in (
        (False, "check the sum, insert"),
        (True, "lock the account, check, insert"),
    ):
        spoilt = 0
        for _round in range(rounds):
            with environment(registry) as env:
                env.cr.execute(
                    """
                    DROP TABLE IF EXISTS bench_entry, bench_account;
                    CREATE TABLE bench_account (id int);
                    CREATE TABLE bench_entry (points int);
                    INSERT INTO bench_account VALUES (1);
                    INSERT INTO bench_entry VALUES (%s)
                    """,
                    [SPENT],
                )
            workers.run(_spend_naively, [(lock,)] * workers.number)
            with environment(registry) as env:
                spoilt += _get_scratch_sum(env) < 0
        report.line(
            f"rounds overdrawn by “{text}”", spoilt, f"> 0 of {rounds}", spoilt > 0
        )
    with environment(registry) as env:
        env.cr.execute("DROP TABLE bench_entry, bench_account")


def _get_scratch_sum(env):
    return env.execute_query(SQL("SELECT sum(points) FROM bench_entry"))[0][0]


def _spend_naively(registry, tally, lock):
    def spend(env):
        if lock:
            env.cr.execute("SELECT id FROM bench_account FOR UPDATE")
        if _get_scratch_sum(env) < SPENT:
            raise UserError("There are not enough points.")
        time.sleep(CONFIRMING)
        env.cr.execute("INSERT INTO bench_entry VALUES (%s)", [-SPENT])

    for number in range(4):
        tally.attempt(number, registry, 1, spend)
