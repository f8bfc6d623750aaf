"""Killed at any moment: the jobs lose nothing, and do nothing twice.

Each job is run by the host's scheduler in a process of its own, which is killed with
SIGKILL at a random moment, again and again. See README.md for what is proven. Ends
with status 1 when a bound is broken.
"""

import gc
import random

from common import Report, environment, open_registry, parser
from jobs.bonuses import Bonuses
from jobs.earning import Earning
from jobs.expiry import Expiry
from jobs.ledger_check import LedgerCheck
from jobs.outreach import Outreach
from jobs.run import Run
from jobs.tier_review import TierReview
from jobs.visit_check import VisitCheck
from workshop import Workshop

from odoo.tools import SQL

# The scheduler's own book-keeping, and what tells processes to empty their caches.
HOST_TABLES = ("ir_cron", "ir_cron_progress", "ir_cron_trigger")


class Proof:
    """Kills a job many times, and looks after each time."""

    def __init__(self, report, registry, job):
        self.report, self.registry, self.job = report, registry, job
        self.writing = self.rounds = self.differences = 0
        self.wrong, self.progress, self.durations, self.unfinished = [], [], [], 0

    def run(self, kills):
        self.report.title(self.job.title)
        gc.freeze()  # a forked process then copies less
        self.prepare()
        hits = tries = 0
        while hits < kills and tries < 20 * kills + 100:
            if hits >= 10 * len(self.durations):
                self.measure()
            tries += 1
            hits += self.kill()
        self.finish_round()
        again = self.run_again()
        self.ask(self.job.clean_up)
        self.say(hits, kills, again)

    def prepare(self):
        with environment(self.registry) as env:
            self.job.prepare(env, Workshop(env))

    def finish_round(self):
        """Run the job until nothing is left to do; return how long that took."""
        seconds = self.run_to_end()
        self.rounds += 1
        self.wrong += self.ask(self.job.find_wrong)
        self.differences += len(self.ask(self.job.get_differences))
        return seconds

    def measure(self):
        """Measure how long the job takes, as fast as the machine is now."""
        self.finish_round()
        self.prepare()
        self.durations.append(self.finish_round())
        self.prepare()

    def kill(self):
        """Let the job work for a while, kill it, look; tell whether it was working."""
        before = self.ask(self.job.count_done)
        run = Run(self.registry, self.job.id)
        hit, writing = run.kill_after(random.uniform(0, self.durations[-1]))
        if hit:
            self.writing += writing
            self.progress.append(max(self.ask(self.job.count_done) - before, 0))
        self.differences += len(self.ask(self.job.get_differences))
        if not hit and not self.ask(self.job.is_left):
            self.finish_round()
            self.prepare()
        return hit

    def ask(self, question):
        with environment(self.registry) as env:
            return question(env)

    def run_to_end(self):
        """Run the job as often as the scheduler would, until nothing is left."""
        seconds = 0
        for _run in range(20):
            seconds += Run(self.registry, self.job.id).finish()
            if not self.ask(self.job.is_left):
                break
        else:
            self.unfinished += 1
        return seconds

    def run_again(self):
        """Return the tables of which one more run changes a row."""
        before = self.ask(fingerprint)
        Run(self.registry, self.job.id).finish()
        after = self.ask(fingerprint)
        return [name for name in after if before.get(name) != after[name]]

    def say(self, hits, kills, again):
        report, progress = self.report, self.progress
        report.exactly("kills that found the job working", hits, kills)
        report.note(
            f"at moments spread over its {min(self.durations):.2f} to "
            f"{max(self.durations):.2f} s (measured again after every ten), "
            f"{self.writing} of them in a transaction that had written"
        )
        if progress:
            report.note(
                f"{self.job.unit} committed before a kill: "
                f"{min(progress)} to {max(progress)}, "
                f"{sum(progress) // len(progress)} on average, {sum(progress)} in all"
            )
        report.exactly(
            "ledger differences, looked for after every kill", self.differences, 0
        )
        report.exactly("rounds of work that were never finished", self.unfinished, 0)
        report.exactly(
            f"lost or twice, in {self.rounds} rounds of work", len(self.wrong), 0
        )
        for text in self.wrong[:5]:
            report.note(text)
        report.exactly("tables that a further run changes", len(again), 0)
        if again:
            report.note(", ".join(again))


def fingerprint(env):
    """Return a checksum of every table: of its rows, and of who wrote them last."""
    names = env.execute_query(
        SQL(
            "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() "
            "AND tablename <> ALL(%s) AND tablename NOT LIKE 'orm\\_signaling%%'",
            [*HOST_TABLES, "ir_config_parameter"],
        )
    )
    rows = SQL("md5(row::text || row.xmin::text)")
    sums = {
        name: env.execute_query(
            SQL(
                "SELECT count(*), md5(string_agg(%(row)s, '' ORDER BY %(row)s)) "
                "FROM %(table)s row",
                row=rows,
                table=SQL.identifier(name),
            )
        )
        for (name,) in names
    }
    # The check jobs write their place down, and clear it: its value counts, not who.
    sums["ir_config_parameter"] = env.execute_query(
        SQL("SELECT key, value FROM ir_config_parameter ORDER BY key")
    )
    return sums


JOBS = {
    "earning": Earning,
    "expiry": Expiry,
    "visits": VisitCheck,
    "ledger": LedgerCheck,
    "tiers": TierReview,
    "bonuses": Bonuses,
    "outreach": Outreach,
}


def main():
    options = parse_options()
    random.seed(options.seed)
    registry = open_registry(options.database)
    with environment(registry) as env:
        Workshop(env).open()
    report = Report()
    report.note(f"{options.kills} kills for each job, seed {options.seed}")
    for name in options.only or JOBS:
        job = JOBS[name](registry)
        Proof(report, registry, job).run(options.kills)
    report.finish()


def parse_options():
    result = parser(__doc__.splitlines()[0])
    add = result.add_argument
    add("--kills", type=int, default=100, help="of each job while it works")
    add("--seed", type=int, default=random.randrange(10**6), help="of the moments")
    add("--only", action="append", choices=JOBS, help="this job; may be repeated")
    return result.parse_args()


if __name__ == "__main__":
    main()
