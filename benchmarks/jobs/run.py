"""A scheduled action in a process of its own, that can be killed."""

import logging
import os
import signal
import time
import traceback

from common import environment

from odoo import sql_db
from odoo.tools import SQL, config


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
