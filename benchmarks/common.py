"""What the proofs share: Odoo in a script, processes of their own, a workshop.

Nothing of the host is replaced or shortened. The database is the one given, the
configuration that of the environment (``ODOO_RC``), as for Odoo itself.
"""

import argparse
import logging
import multiprocessing
import sys
import time
import traceback
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

from odoo import SUPERUSER_ID, api
from odoo.exceptions import UserError, ValidationError
from odoo.modules.module import initialize_sys_path
from odoo.modules.registry import Registry
from odoo.service.model import retrying
from odoo.tools import config

# So that a program can import the add-on's rules at its top.
initialize_sys_path()

# -- Odoo ----------------------------------------------------------------------


def open_registry(database):
    """Return Odoo's registry of ``database``; its log is silent but for our counts."""
    config.parse_config(["--database", database], setup_logging=False)
    logging.getLogger("odoo").setLevel(logging.CRITICAL)
    return Registry(database)


@contextmanager
def environment(registry, uid=SUPERUSER_ID):
    """Give a transaction of its own; commit it, unless it fails, and say so to all."""
    with registry.check_signaling().cursor() as cr:
        yield api.Environment(cr, uid, {})
    registry.signal_changes()


def in_request(registry, uid, function):
    """Call ``function(env)`` as the host calls a method for a client.

    In a transaction of its own, begun again by the host's ``retrying``, with the
    host's waits, when PostgreSQL refuses it because of another one.
    """
    with registry.check_signaling().cursor() as cr:
        env = api.Environment(cr, uid, {})
        env.transaction.default_env = env
        return retrying(partial(function, env), env)


class RetryCounter(logging.Handler):
    """Counts how often the host begins a transaction again: it says so in its log."""

    def __init__(self):
        super().__init__()
        self.retries = 0
        logger = logging.getLogger("odoo.service.model")
        logger.setLevel(logging.INFO)
        logger.propagate = False
        logger.addHandler(self)

    def emit(self, record):
        self.retries += "tries left" in record.msg


# -- what people get -----------------------------------------------------------


@dataclass
class Tally:
    """What came of many attempts, in one process or in all."""

    done: list = field(default_factory=list)
    refused: int = 0
    retries: int = 0
    slowest: float = 0.0
    seconds: float = 0.0
    messages: Counter = field(default_factory=Counter)
    tracebacks: list = field(default_factory=list)

    def attempt(self, key, registry, uid, function):
        """Do ``function(env)`` as a request, and note what its user sees."""
        started = time.monotonic()
        try:
            in_request(registry, uid, function)
            self.done.append(key)
        except UserError as error:
            self.refuse(error)
        except Exception:  # noqa: BLE001 - whatever it is, a user would see a traceback
            self.tracebacks.append(traceback.format_exc())
        self.slowest = max(self.slowest, time.monotonic() - started)

    def refuse(self, error):
        if type(error) not in (UserError, ValidationError):
            self.tracebacks.append(f"{type(error).__name__}: {error}")
        else:
            self.refused += 1
            self.messages[str(error)] += 1

    def __add__(self, other):
        return Tally(
            self.done + other.done,
            self.refused + other.refused,
            self.retries + other.retries,
            max(self.slowest, other.slowest),
            max(self.seconds, other.seconds),
            self.messages + other.messages,
            self.tracebacks + other.tracebacks,
        )


# -- processes -----------------------------------------------------------------


class Workers:
    """Processes that share nothing but the database: each loads a registry itself."""

    def __init__(self, database, number):
        context = multiprocessing.get_context("spawn")
        self.number = number
        self.barrier = context.Barrier(number)
        self.pipes, self.processes = [], []
        for _number in range(number):
            ours, theirs = context.Pipe()
            process = context.Process(
                target=_work, args=(database, theirs, self.barrier), daemon=True
            )
            process.start()
            self.pipes.append(ours)
            self.processes.append(process)
        for pipe in self.pipes:
            _receive(pipe)

    def run(self, function, shares):
        """Call ``function(registry, tally, *share)`` in all processes at once.

        :param shares: the arguments for each process
        :return: the sum of their tallies
        """
        for pipe, share in zip(self.pipes, shares, strict=True):
            pipe.send((function, share))
        tallies = [_receive(pipe) for pipe in self.pipes]
        return sum(tallies, Tally())

    def stop(self):
        for pipe in self.pipes:
            pipe.send(None)
        for process in self.processes:
            process.join()


def _receive(pipe):
    answer = pipe.recv()
    if isinstance(answer, str):
        raise RuntimeError(f"A worker failed:\n{answer}")
    return answer


def _work(database, pipe, barrier):
    try:
        registry = open_registry(database)
        counter = RetryCounter()
        pipe.send(Tally())
        while task := pipe.recv():
            function, share = task
            tally, before = Tally(), counter.retries
            barrier.wait()
            started = time.monotonic()
            function(registry, tally, *share)
            tally.seconds = time.monotonic() - started
            tally.retries = counter.retries - before
            pipe.send(tally)
    except Exception:  # noqa: BLE001 - told to the main process, which ends all
        barrier.abort()
        pipe.send(traceback.format_exc())


def deal(items, hands):
    """Share ``items`` among ``hands`` like cards."""
    return [items[number::hands] for number in range(hands)]


# -- what is said --------------------------------------------------------------


class Report:
    """A table of what was measured, each line with its bound."""

    def __init__(self):
        self.failed = 0
        self.started = time.monotonic()

    def title(self, text):
        print(f"\n{text}", flush=True)

    def note(self, text):
        print(f"      {text}", flush=True)

    def line(self, what, measured, bound, kept):
        """Print one line; ``kept`` tells whether the bound was kept."""
        self.failed += not kept
        mark = "ok  " if kept else "FAIL"
        print(f"  {mark} {what:<60} {measured:>16}   {bound}", flush=True)

    def exactly(self, what, measured, expected):
        self.line(what, measured, f"= {expected}", measured == expected)

    def nothing_broken(self, tally):
        """Say that nobody saw a traceback; show the first one if somebody did."""
        self.exactly("tracebacks that a user would see", len(tally.tracebacks), 0)
        for text in tally.tracebacks[:1]:
            print(text, flush=True)

    def finish(self):
        minutes, seconds = divmod(round(time.monotonic() - self.started), 60)
        verdict = f"{self.failed} bounds were broken." if self.failed else "All kept."
        print(f"\n{verdict} ({minutes} min {seconds} s)", flush=True)
        sys.exit(1 if self.failed else 0)


def parser(description):
    """Return the parser of a proof's command line: a database, and its sizes."""
    result = argparse.ArgumentParser(
        description=description, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    result.add_argument("database", help="a database with the add-on installed")
    return result
