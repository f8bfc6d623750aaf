"""Killed at any moment: the jobs lose nothing, and do nothing twice.

Each job is run by the host's scheduler in a process of its own, which is killed with
SIGKILL at a random moment, again and again. See README.md for what is proven. Ends
with status 1 when a bound is broken.
"""

import gc
import logging
import os
import random
import re
import signal
import time
import traceback
from collections import Counter, defaultdict
from datetime import timedelta

from common import Report, Workshop, environment, open_registry, parser

from odoo import sql_db
from odoo.fields import Date
from odoo.tools import SQL, config

# The scheduler's own book-keeping, and what tells processes to empty their caches.
HOST_TABLES = ("ir_cron", "ir_cron_progress", "ir_cron_trigger")


# -- a job in a process of its own ---------------------------------------------


class Run:
    """The scheduler runs a job, in a process forked like those of Odoo's own server."""

    def __init__(self, registry, job_id):
        with environment(registry) as env:
            env.cr.execute(
                "UPDATE ir_cron SET nextcall = now() AT TIME ZONE 'UTC' "
                "- interval '1 day' WHERE id = %s",
                [job_id],
            )
        sql_db.close_all()  # or parent and child would talk on one connection
        self.registry = registry
        reading, writing = os.pipe()
        self.pid = os.fork()
        if not self.pid:
            _run_job(registry, job_id, writing)
        os.close(writing)
        self.pipe = os.fdopen(reading, "rb", buffering=0)
        self.pipe.read(1)  # the process has begun
        self.started = time.monotonic()

    def kill_after(self, seconds):
        """Kill the process; tell whether it was working, and whether it was writing."""
        while self.age < seconds and not self._has_ended():
            time.sleep(0.001)
        writing = self._count_writing() > 1  # the scheduler's lock is one of them
        os.kill(self.pid, signal.SIGKILL)
        return self._end() == -signal.SIGKILL, writing

    @property
    def age(self):
        return time.monotonic() - self.started

    def _has_ended(self):
        return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)

    def finish(self):
        """Wait for the process; return how long it worked."""
        errors = self.pipe.read()
        seconds = self.age
        if self._end() or errors:
            raise RuntimeError(f"The job failed:\n{errors.decode()}")
        return seconds

    def _end(self):
        _pid, status = os.waitpid(self.pid, 0)
        self.pipe.close()
        # PostgreSQL needs a moment to notice, and to undo what was not committed.
        while self._count_backends("TRUE"):
            time.sleep(0.002)
        return os.waitstatus_to_exitcode(status)

    def _count_writing(self):
        return self._count_backends("backend_xid IS NOT NULL")

    def _count_backends(self, condition):
        with environment(self.registry) as env:
            env.cr.execute(
                SQL(
                    "SELECT count(*) FROM pg_stat_activity "
                    "WHERE application_name = %s AND %s",
                    f"job-{self.pid}",
                    SQL(condition),
                )
            )
            return env.cr.fetchone()[0]


def _run_job(registry, job_id, pipe):
    """Do what the scheduler does for one job, tell of errors, and end the process."""

    class Errors(logging.Handler):
        def emit(self, record):
            if record.exc_info:
                os.write(pipe, logging.Formatter().format(record).encode())

    status = 1
    try:
        config["db_app_name"] = "job-{pid}"
        logger = logging.getLogger("odoo.addons.base.models.ir_cron")
        logger.setLevel(logging.ERROR)
        logger.addHandler(Errors())
        registry._db = sql_db.db_connect(registry.db_name)
        with registry.cursor() as cr:
            cr.execute("SELECT 1")
            os.write(pipe, b".")
            registry["ir.cron"]._process_jobs_loop(cr, job_ids=[job_id])
        status = 0
    except Exception:  # noqa: BLE001 - told to the parent, which ends all
        os.write(pipe, traceback.format_exc().encode())
    finally:
        os._exit(status)


# -- the work, and what must be there when it is done --------------------------


class Job:
    """A scheduled action, work for it, and what must come of it."""

    action, code, unit = None, None, None

    def __init__(self, registry):
        self.registry = registry
        with environment(registry) as env:
            action = env.ref(f"garage_loyalty.{self.action}")
            action.code = self.code
            self.id = action.id
            self.set_up(env, Workshop(env))

    def set_up(self, env, shop):
        """Make what all rounds of work need."""

    def prepare(self, env, shop):
        """Make a round of work."""
        raise NotImplementedError

    def count_done(self, env):
        """Return how much of the work of all rounds has been committed."""
        raise NotImplementedError

    def is_left(self, env):
        """Tell whether there is still work to do."""
        raise NotImplementedError

    def find_wrong(self, env):
        """Return what is missing or too much, when no work is left."""
        raise NotImplementedError

    def clean_up(self, env):
        """Leave a ledger that adds up."""

    def get_differences(self, env):
        """Return what the ledger check finds, beyond what was tampered with."""
        shop = Workshop(env)
        return shop.differences(env["garage.loyalty.member"].search([]))


class Earning(Job):
    """Invoices and withdrawals of which the ledger has not heard, some unstamped."""

    title = "Earning: points that no event has announced"
    action, unit = "ir_cron_sync_documents", "entries"
    code = "model._cron_sync_documents(batch=1)"

    def set_up(self, env, shop):
        shop.program.earn_trigger = "posted"
        self.labour_id = shop.labour().id
        members = shop.enrol(shop.customers(12))
        self.partner_ids = members.partner_id.ids
        self.expected, self.latest = {}, []

    def prepare(self, env, shop):
        env = env(context={"garage_loyalty_defer": True})
        shop = Workshop(env)
        withdrawn = env["account.move"].browse(self.latest[:12])
        withdrawn.button_draft()
        for number in withdrawn.ids:
            self.expected[number] = [100, -100]
        labour = env["product.product"].browse(self.labour_id)
        moves = env["account.move"]
        for customer in env["res.partner"].browse(self.partner_ids):
            moves += shop.invoices(customer, labour, 3)
        moves.action_post()
        self.latest = moves.ids
        self.expected |= {number: [100] for number in moves.ids}
        env.flush_all()
        env.cr.execute(
            "UPDATE account_move SET loyalty_member_id = NULL, loyalty_points_due = 0 "
            "WHERE id = ANY(%s)",
            [moves.ids[::3]],
        )
        env["account.move"].invalidate_model(flush=False)

    def _get_entries(self, env):
        rows = env.execute_query(
            SQL(
                "SELECT source_id, points FROM garage_loyalty_entry "
                "WHERE source_model = 'account.move' AND source_id = ANY(%s) "
                "ORDER BY id",
                list(self.expected),
            )
        )
        entries = defaultdict(list)
        for number, points in rows:
            entries[number].append(points)
        return entries

    def count_done(self, env):
        return sum(map(len, self._get_entries(env).values()))

    def is_left(self, env):
        query = env["garage.loyalty.entry"]._get_mismatch_query()
        return bool(env.execute_query(query))

    def find_wrong(self, env):
        entries = self._get_entries(env)
        return [
            f"invoice {number}: {entries[number]} instead of {points}"
            for number, points in self.expected.items()
            if entries[number] != points
        ]


class Expiry(Job):
    """Members with lots that are due, soon due, or due for those who came back."""

    title = "Expiry: new points settled, more time given, warned, expired"
    action, unit = "ir_cron_expire", "steps on a lot"
    code = "model._cron_expire(batch=4)"

    def set_up(self, env, shop):
        shop.program.write(
            {
                "expiry_rule": "inactivity",
                "expiry_months": 12,
                "warning_days": 30,
            }
        )
        self.today = shop.company._get_loyalty_today()
        self.came_back = self.today - timedelta(35)  # when all lots were alive
        self.count = self.mails = 0
        self.due, self.soon, self.later = {}, {}, {}
        members = shop.enrol(shop.customers(12, email="customer@example.com"))
        self.member_ids, self.visitor_ids = members.ids, members[::3].ids
        env.cr.execute(
            "INSERT INTO garage_loyalty_visit (kind, company_id, partner_id, date, "
            "amount) SELECT 'sale', %s, unnest(%s), %s, 100",
            [shop.company.id, members[::3].partner_id.ids, self.came_back],
        )

    def prepare(self, env, shop):
        members = env["garage.loyalty.member"].browse(self.member_ids)
        visitors = members.browse(self.visitor_ids)
        self.mails += 1
        for days in (-30, -10, -1):
            lots = self._give(shop, members, days)
            self._expect(lots, visitors, self.due)
        lots = self._give(shop, members, 10)
        self._expect(lots, visitors, self.soon)

    def _give(self, shop, members, days):
        """Give points that can be spent until some days from today."""
        day = self.today + timedelta(days)
        postings = []
        for member in members:
            vals = member._prepare_entry_vals("earn", 50, day, member, "Benchmark", 1)
            vals["date"] -= timedelta(800)
            # Any document will do: each of these entries has one of its own.
            self.count += 1
            vals |= {"source_model": "benchmark", "source_id": self.count}
            postings.append((member, vals))
        lots = members._give(postings).lot_ids
        env = members.env
        env.flush_all()
        env.cr.execute(
            "UPDATE garage_loyalty_lot SET date_expiry = %s WHERE id = ANY(%s)",
            [day, lots.ids],
        )
        env.invalidate_all()
        return lots

    def _expect(self, lots, visitors, kind):
        for lot in lots:
            if lot.member_id in visitors:
                self.later[lot.id] = lot.date_expiry
            else:
                kind[lot.id] = lot.date_expiry

    def _get_lots(self, env):
        ids = [*self.due, *self.soon, *self.later]
        return env["garage.loyalty.lot"].browse(ids)

    def count_done(self, env):
        lots = self._get_lots(env)
        return sum(
            lot.is_settled
            + bool(lot.date_warned)
            + (not lot.remaining)
            + (lot.date_expiry != self.later.get(lot.id, lot.date_expiry))
            for lot in lots
        )

    def is_left(self, env):
        wanted = 2 * len(self.due) + 2 * len(self.soon) + 2 * len(self.later)
        return self.count_done(env) < wanted

    def find_wrong(self, env):
        expired = self._get_expired(env)
        wrong = [f"lot {key} expired twice" for key in expired if len(expired[key]) > 1]
        for lot in self._get_lots(env):
            taken = [(-50, lot.date_expiry)] if lot.id in self.due else []
            if expired[lot.id] != taken or lot.remaining != (0 if taken else 50):
                wrong.append(f"lot {lot.id}: {expired[lot.id]} instead of {taken}")
            if bool(lot.date_warned) != (lot.id in self.soon):
                wrong.append(f"lot {lot.id}: warned on {lot.date_warned}")
            if lot.id in self.later and lot.date_expiry <= self.today:
                wrong.append(f"lot {lot.id}: expires on {lot.date_expiry} after all")
        return wrong + self._find_wrong_mails(env)

    def _get_expired(self, env):
        entries = env["garage.loyalty.entry"].search(
            [
                ("source_model", "=", "garage.loyalty.lot"),
                ("source_id", "in", self._get_lots(env).ids),
            ]
        )
        result = defaultdict(list)
        for entry in entries:
            result[entry.source_id].append((entry.points, entry.date))
        return result

    def _find_wrong_mails(self, env):
        """Each member whose points are soon due gets a mail; nobody else any."""
        members = set(self.member_ids) - set(self.visitor_ids)
        mails = env["mail.mail"].search([("model", "=", "garage.loyalty.member")])
        sent = Counter(mails.mapped("res_id"))
        if sent == Counter(dict.fromkeys(members, self.mails)):
            return []
        return [f"{sent} mails instead of {self.mails} for each of {members}"]


class LedgerCheck(Job):
    """A ledger in which some rows were tampered with: each is to be reported once."""

    title = "Check of the ledger: rows that were tampered with are reported once"
    action, unit = "ir_cron_check_ledger", "members checked"
    code = "model._cron_check_ledger(batch=5)"
    place = "garage_loyalty.ledger_check"

    def set_up(self, env, shop):
        members = shop.enrol(shop.customers(200))
        postings = []
        for member in members:
            vals = member._prepare_entry_vals(
                "opening", 50, "2024-06-03", member, "Benchmark", 1
            )
            postings.append((member, vals))
        members._give(postings)
        members._settle()
        self.tampered, self.rounds, self.lines = members[::10].ids, 0, []

    def prepare(self, env, shop):
        """Forget the last report; change other balances than in the round before."""
        self._get_activities(env).unlink()
        self.rounds += 1
        env.cr.execute(
            "UPDATE garage_loyalty_member SET settled_points = 50 + %s "
            "WHERE id = ANY(%s)",
            [self.rounds, self.tampered],
        )
        env.invalidate_all()
        members = env["garage.loyalty.member"].search([])
        self.lines = [item["row_name"] for item in shop.differences(members)]

    def _get_activities(self, env):
        kind = env.ref("garage_loyalty.mail_activity_type_ledger")
        return env["mail.activity"].search([("activity_type_id", "=", kind.id)])

    def _get_reported(self, env):
        """Return the rows that are named in the activities of each manager."""
        managers = defaultdict(list)
        for activity in self._get_activities(env):
            rows = re.findall(r"garage_loyalty_member \d+", str(activity.note))
            managers[activity.user_id.id] += rows
        return managers

    def count_done(self, env):
        """Return the place that the job has kept: how many members it has behind it."""
        env.cr.execute(
            "SELECT value FROM ir_config_parameter WHERE key = %s", [self.place]
        )
        value = int((env.cr.fetchone() or [0])[0])
        return env["garage.loyalty.member"].search_count([("id", "<=", value)])

    def is_left(self, env):
        reported = self._get_reported(env).values()
        return self.count_done(env) or not all(
            len(lines) >= len(self.lines) for lines in reported or [()]
        )

    def find_wrong(self, env):
        wanted = sorted(self.lines)
        return [
            f"user {user}: {len(lines)} lines, {len(set(lines))} rows "
            f"instead of {len(wanted)}"
            for user, lines in self._get_reported(env).items()
            if sorted(lines) != wanted
        ]

    def get_differences(self, env):
        found = [item["row_name"] for item in super().get_differences(env)]
        return sorted(set(found) ^ set(self.lines))

    def clean_up(self, env):
        env.cr.execute(
            "UPDATE garage_loyalty_member SET settled_points = 50 WHERE id = ANY(%s)",
            [self.tampered],
        )
        self._get_activities(env).unlink()


class VisitCheck(Job):
    """Facts that do not agree with their documents, or are missing."""

    title = "Check of visits: facts that are wrong or missing are corrected"
    action, unit = "ir_cron_check_visits", "visits corrected"
    code = "model._cron_check_visits(batch=3)"

    def set_up(self, env, shop):
        labour = shop.labour()
        day = Date.to_date("2024-06-03")
        for customer in shop.customers(5):
            for number in range(20):
                date = day + timedelta(7 * number)
                shop.invoices(customer, labour, 1, date).action_post()
            for number in range(6):
                date = day + timedelta(7 * number + 3)
                shop.bill(customer, labour, date).action_post()
        env["garage.loyalty.visit"]._rebuild()
        env.flush_all()
        self.rows = self._get_rows(env)
        self.corrected = 0

    def _get_rows(self, env):
        return set(
            env.execute_query(
                SQL(
                    """
                    SELECT kind, repair_id, move_id, company_id, partner_id, date,
                           prev_date, member_id, is_member, tier_id, is_warranty,
                           amount_labour, amount_parts, amount, amount_discount
                      FROM garage_loyalty_visit
                     WHERE repair_id IS NOT NULL OR move_id IS NOT NULL
                    """
                )
            )
        )

    def prepare(self, env, shop):
        self.corrected += self._count_right(env)
        env.cr.execute(
            """
            DELETE FROM garage_loyalty_visit
             WHERE (repair_id IS NOT NULL OR move_id IS NOT NULL)
               AND COALESCE(repair_id, move_id) % 3 = 0;
            UPDATE garage_loyalty_visit SET amount = amount + 1
             WHERE (repair_id IS NOT NULL OR move_id IS NOT NULL)
               AND COALESCE(repair_id, move_id) % 3 = 1
            """
        )
        env.invalidate_all()
        self.corrected -= self._count_right(env)

    def _count_right(self, env):
        return len(self.rows & self._get_rows(env))

    def count_done(self, env):
        return self.corrected + self._count_right(env)

    def is_left(self, env):
        env.cr.execute(
            "SELECT 1 FROM ir_config_parameter WHERE value <> '0' "
            "AND key LIKE 'garage_loyalty.visit_check.%%'"
        )
        return bool(env.cr.fetchone()) or self._get_rows(env) != self.rows

    def find_wrong(self, env):
        rows = self._get_rows(env)
        return [f"missing: {row}" for row in self.rows - rows] + [
            f"too much: {row}" for row in rows - self.rows
        ]


# -- the proof -----------------------------------------------------------------


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
