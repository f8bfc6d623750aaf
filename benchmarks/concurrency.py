"""Many people at once: nobody spends points twice, waits, or loses points.

Real processes, each with its own registry, against PostgreSQL through the real ORM.
See README.md for what is proven. Ends with status 1 when a bound is broken.
"""

import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import requests
from common import (
    Report,
    Tally,
    Workers,
    Workshop,
    deal,
    environment,
    open_registry,
    parser,
)

from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tools import SQL

SPENT = 1000  # points; the balance of every round is exactly this
CONFIRMING = 0.02  # seconds that confirming a quotation takes, about
LONG = "1s"  # who waits longer than this for a lock is blocked


# -- one redemption for many ---------------------------------------------------


class Contest:
    """Documents of one member, each with the member's whole balance planned on it."""

    model, method, field, won = "sale.order", "action_confirm", "order_id", "sale"

    def __init__(self, registry, workers, wanted):
        self.registry, self.workers = registry, workers
        with environment(registry) as env:
            shop = Workshop(env)
            # What is redeemed must not be earned again by the same document.
            shop.program.earn_trigger = "paid"
            member, labour = shop.member(), shop.labour()
            self.uids = shop.advisors(workers.number).ids
            self.member_id, self.labour_id = member.id, labour.id
            self._refill(env)
            self.ids = self._create(env, shop, member.partner_id, labour, wanted).ids
        hands = zip(self.uids, deal(self.ids, workers.number), strict=True)
        tally = workers.run(_plan, [(self.field, *hand) for hand in hands])
        if tally.refused or tally.tracebacks:
            raise RuntimeError(f"{tally.messages} {tally.tracebacks[:1]}")

    def _create(self, env, shop, customer, labour, number):
        line = {"product_id": labour.id, "product_uom_qty": 1}
        vals = {"partner_id": customer.id, "order_line": [Command.create(line)]}
        return env["sale.order"].create([vals] * number)

    def _refill(self, env):
        """Give what one redemption takes: half in the stored balance, half new."""
        member = env["garage.loyalty.member"].browse(self.member_id)
        invoice = Workshop(env).invoices(
            member.partner_id, env["product.product"].browse(self.labour_id), 1
        )
        for kind, source in (("adjust", member), ("earn", invoice)):
            member._post_points(
                kind, SPENT // 2, "2024-06-03", source=source, reason="Benchmark"
            )

    def round(self, attempts):
        """Let all workers try at once; return their tally and what is wrong after."""
        pool = self.ids[: attempts * self.workers.number]
        hands = zip(self.uids, deal(pool, self.workers.number), strict=True)
        tally = self.workers.run(
            _try_all, [(self.model, self.method, *hand) for hand in hands]
        )
        self.ids = [number for number in self.ids if number not in set(tally.done)]
        with environment(self.registry) as env:
            wrong = self._find_wrong(env, pool, tally)
            self._refill(env)
        return tally, wrong

    def _find_wrong(self, env, pool, tally):
        """Return what contradicts exactly one redemption in this round."""
        member = env["garage.loyalty.member"].browse(self.member_id)
        documents = env[self.model].browse(pool)
        won = documents.filtered(lambda document: document.state == self.won)
        redemptions = env["garage.loyalty.redemption"].search(
            [(self.field, "in", pool), ("points_spent", "!=", 0)]
        )
        facts = {
            "documents through": (won.ids, tally.done),
            "redemptions": (redemptions[self.field].ids, tally.done),
            "points redeemed": (sum(redemptions.mapped("points_spent")), SPENT),
            "balance": (member.points, 0),
            "ledger": (sum(member.entry_ids.mapped("points")), 0),
            "differences": (Workshop(env).differences(member), []),
        }
        return {name: pair for name, pair in facts.items() if pair[0] != pair[1]}


class InvoiceContest(Contest):
    model, method, field, won = "account.move", "action_post", "move_id", "posted"

    def _create(self, env, shop, customer, labour, number):
        return shop.invoices(customer, labour, number)


def _plan(registry, tally, field, uid, ids):
    """Plan the whole balance on each document, with the dialog."""
    for number in ids:

        def plan(env, number=number):
            dialog = env["garage.loyalty.redeem"].create({field: number})
            dialog.points = SPENT
            dialog.action_redeem()

        tally.attempt(number, registry, uid, plan)


def _try_all(registry, tally, model, method, uid, ids):
    for number in ids:
        tally.attempt(
            number,
            registry,
            uid,
            lambda env, number=number: getattr(env[model].browse(number), method)(),
        )


def prove_redeeming(report, registry, workers, options):
    sizes = (
        (Contest, "confirming quotations", options.attempts, options.rounds),
        (
            InvoiceContest,
            "posting invoices of one journal",
            4,
            options.rounds // 5 or 1,
        ),
    )
    for contest, text, attempts, rounds in sizes:
        report.title(
            f"Redeeming by {text}: {workers.number} workers × {attempts} attempts × "
            f"{rounds} rounds, balance for one"
        )
        # In each round one document is used up.
        wanted = workers.number * attempts + rounds
        _run_contest(report, contest(registry, workers, wanted), attempts, rounds)


def _run_contest(report, contest, attempts, rounds):
    total, ones, wrong = Tally(), 0, []
    for number in range(1, rounds + 1):
        tally, found = contest.round(attempts)
        ones += len(tally.done) == 1
        wrong += [(number, found)] if found else []
        total += tally
        if not number % 25:
            report.note(f"… {number} rounds, {ones} with exactly one redemption")
    made = contest.workers.number * attempts * rounds
    report.exactly("rounds with exactly one redemption", ones, rounds)
    report.exactly("rounds after which ledger and documents disagree", len(wrong), 0)
    report.exactly("clear refusals", total.refused, made - rounds)
    report.nothing_broken(total)
    report.line(
        "attempts that had to be tried again", total.retries, "> 0", total.retries > 0
    )
    report.note(f"slowest attempt {total.slowest:.1f} s, the host's waits included")
    for message, count in total.messages.most_common(2):
        report.note(f"{count} × “{message}”")
    for item in wrong[:3]:
        report.note(f"round {item[0]}: {item[1]}")


# -- what would go wrong -------------------------------------------------------


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


# -- the dialog, over HTTP -----------------------------------------------------


class Client:
    """A browser's calls, logged in as one user."""

    def __init__(self, address, database, login):
        self.address, self.session = address, requests.Session()
        self._post(
            "/web/session/authenticate",
            {"db": database, "login": login, "password": login},
        )

    def _post(self, path, params):
        answer = self.session.post(
            self.address + path,
            json={"jsonrpc": "2.0", "method": "call", "params": params},
            timeout=120,
        )
        answer.raise_for_status()
        answer = answer.json()
        if "error" in answer:
            raise ServerError(answer["error"]["data"])
        return answer["result"]

    def call(self, model, method, *args):
        params = {"model": model, "method": method, "args": args, "kwargs": {}}
        return self._post(f"/web/dataset/call_kw/{model}/{method}", params)


class ServerError(Exception):
    """What the server answered instead of a result."""

    def __init__(self, data):
        super().__init__(data["message"])
        self.name, self.trace = data["name"], data["debug"]

    @property
    def is_clear(self):
        return self.name in (
            "odoo.exceptions.UserError",
            "odoo.exceptions.ValidationError",
        )


@contextmanager
def server(database):
    """Run the host's own server with two workers; give its address and its log."""
    ports = _free_ports(2)
    with tempfile.TemporaryDirectory() as folder:
        log, program = Path(folder) / "server.log", Path(folder) / "serve.py"
        # The host starts its helpers with the program that it was started with.
        log.touch()
        program.write_text("import odoo.cli\n\nodoo.cli.main()\n")
        command = [sys.executable, str(program), "server", "--workers=2"]
        command += [f"--database={database}", f"--db-filter=^{re.escape(database)}$"]
        command += ["--max-cron-threads=0", "--http-interface=127.0.0.1"]
        command += [f"--http-port={ports[0]}", f"--gevent-port={ports[1]}"]
        with log.open("a") as output:
            process = subprocess.Popen(  # noqa: S603 - our own interpreter
                [*command, f"--logfile={log}"], stdout=output, stderr=output
            )
        address = f"http://127.0.0.1:{ports[0]}"
        try:
            _wait_for(address, process, log)
            yield address, log
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=60)


def _free_ports(number):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _number in range(number)]
    ports = [item.getsockname()[1] for item in sockets]
    for item in sockets:
        item.close()
    return ports


def _wait_for(address, process, log):
    for _try in range(240):
        if process.poll() is not None:
            raise RuntimeError(f"The server did not start:\n{log.read_text()}")
        try:
            requests.get(f"{address}/web/health", timeout=10)
            return
        except requests.RequestException:
            time.sleep(0.5)
    raise RuntimeError("The server did not answer within two minutes.")


def prove_http(report, registry, options):
    report.title(
        f"The same through the dialog over HTTP: {options.clients} clients × "
        f"{options.http_rounds} rounds, a server with 2 workers"
    )
    with environment(registry) as env:
        shop = Workshop(env)
        logins = shop.advisors(options.clients).mapped("login")
        member, labour = shop.member(), shop.labour()
        member_id, labour_id = member.id, labour.id
    with server(options.database) as (address, log):
        with ThreadPoolExecutor(options.clients) as pool:
            clients = list(
                pool.map(lambda login: Client(address, options.database, login), logins)
            )
            results = [
                _http_round(registry, pool, clients, member_id, labour_id, number)
                for number in range(options.http_rounds)
            ]
        text = log.read_text()
    _report_http(report, results, options, text)


def _http_round(registry, pool, clients, member_id, labour_id, number):
    """Let all clients redeem and confirm; in every second round, confirm at once."""
    with environment(registry) as env:
        member = env["garage.loyalty.member"].browse(member_id)
        if member.points:
            member._post_points("adjust", -member.points, "2024-06-03", reason="Bench")
        member._post_points("adjust", SPENT, "2024-06-03", reason="Benchmark")
        line = {"product_id": labour_id, "product_uom_qty": 1}
        vals = {"partner_id": member.partner_id.id}
        orders = env["sale.order"].create(
            [vals | {"order_line": [Command.create(line)]} for _client in clients]
        )
        ids = orders.ids
    barrier = threading.Barrier(len(clients)) if number % 2 else None
    answers = list(pool.map(_use_dialog, clients, ids, [barrier] * len(clients)))
    with environment(registry) as env:
        member = env["garage.loyalty.member"].browse(member_id)
        orders = env["sale.order"].browse(ids)
        taken = env["garage.loyalty.redemption"].search(
            [("order_id", "in", ids), ("points_spent", "=", SPENT)]
        )
        won = orders.filtered(lambda order: order.state == "sale")
        wrong = (
            won != taken.order_id or member.points or Workshop(env).differences(member)
        )
        return answers, len(taken), bool(wrong)


def _use_dialog(client, order_id, barrier):
    """Return None when the order is confirmed with points, else the error."""
    error = None
    try:
        dialog = "garage.loyalty.redeem"
        dialog_id = client.call(dialog, "create", {"order_id": order_id})
        client.call(dialog, "write", [dialog_id], {"points": SPENT})
        client.call(dialog, "action_redeem", [dialog_id])
    except ServerError as refusal:
        error = refusal
    if barrier:
        barrier.wait()
    if error:
        return error
    try:
        client.call("sale.order", "action_confirm", [order_id])
    except ServerError as refusal:
        return refusal
    return None


def _report_http(report, results, options, log):
    errors = [error for answers, *_rest in results for error in answers if error]
    unclear = [error for error in errors if not error.is_clear]
    ones = sum(taken == 1 for _answers, taken, _wrong in results)
    rounds = options.http_rounds
    report.exactly("rounds with exactly one order confirmed with points", ones, rounds)
    report.exactly(
        "rounds after which ledger and documents disagree",
        sum(wrong for *_rest, wrong in results),
        0,
    )
    report.exactly(
        "clear refusals", len(errors) - len(unclear), (options.clients - 1) * rounds
    )
    report.exactly("other errors in the browser", len(unclear), 0)
    report.exactly("tracebacks in the server's log", log.count("Traceback (most"), 0)
    report.note(f"requests that the server had to try again: {log.count('tries left')}")
    for message, count in Counter(str(error) for error in errors).most_common(3):
        report.note(f"{count} × “{message}”")
    for error in unclear[:1]:
        report.note(error.trace)


# -- posting in parallel -------------------------------------------------------


def prove_posting(report, registry, workers, options):
    report.title(
        f"Posting for one customer: {workers.number} processes × {options.posts} "
        f"invoices, each process its own journal"
    )
    posting = Posting(registry, workers, options.posts)
    posting.run(report, "host alone, not a member", member=False, hold="post")
    posting.run(report, "earned when posted", hold="post")
    posting.run(report, "points being spent", hold="spend")
    posting.run(report, "earned when paid", trigger="paid", hold="post")
    posting.run(report, "invoices of repair orders", repairs=True, hold="post")
    report.title("The same in one journal, where the host itself hands out numbers")
    posting.run(report, "host alone, not a member", member=False, one_journal=True)
    posting.run(report, "earned when posted", one_journal=True)


class Posting:
    """Invoices of one customer, posted by many processes while one holds back."""

    def __init__(self, registry, workers, number):
        self.registry, self.workers, self.number = registry, workers, number
        with environment(registry) as env:
            shop = Workshop(env)
            self.sales = shop.journals(workers.number + 1).ids
            self.banks = shop.journals(workers.number + 1, "bank").ids
            self.uids = shop.advisors(workers.number).ids
            self.labour_id = shop.labour().id

    def run(self, report, text, **options):
        """Let everybody post; ``options`` are those of ``Case``."""
        case = Case(self, **options)
        with environment(self.registry) as env:
            case.prepare(env)
        with environment(self.registry) as env:
            case.hold_back(env)
            tally = self.workers.run(_post_all, case.shares)
        with environment(self.registry) as env:
            case.report(env, report, text, tally)


class Case:
    """One way in which the invoices of a customer are made and posted.

    :param hold: what a transaction has done that is open all the time: post or spend
    :param repairs: whether they are invoices of repair orders, before a later visit
    """

    def __init__(
        self,
        posting,
        member=True,
        trigger="posted",
        hold=None,
        one_journal=False,
        repairs=False,
    ):
        self.posting, self.member, self.trigger = posting, member, trigger
        self.hold, self.one_journal, self.repairs = hold, one_journal, repairs
        self.number = posting.number // (5 if repairs else 1) or 1
        self.expected = self.number * posting.workers.number

    def prepare(self, env):
        shop, posting = Workshop(env), self.posting
        shop.program.earn_trigger = self.trigger
        customer = shop.customers(1)
        account = shop.enrol(customer) if self.member else None
        if self.hold == "spend":
            account._post_points("adjust", 100, "2024-06-03", reason="Benchmark")
        if self.repairs:
            self._make(shop, customer, 1, -1, "2024-07-01").action_post()
            self.expected += 1
        self.shares = []
        for index, uid in enumerate(posting.uids):
            journal = 0 if self.one_journal else index
            invoices = self._make(shop, customer, self.number, journal)
            bank = self.trigger == "paid" and posting.banks[index]
            self.shares.append((uid, invoices.ids, bank, not self.one_journal))
        self.held_id = self._make(shop, customer, 1, -1).id
        self.account_id = account and account.id

    def _make(self, shop, customer, number, journal, date="2024-06-03"):
        labour = shop.env["product.product"].browse(self.posting.labour_id)
        vals = {"journal_id": self.posting.sales[journal]}
        if not self.repairs:
            return shop.invoices(customer, labour, number, date, **vals)
        bills = [shop.bill(customer, labour, date, **vals) for _number in range(number)]
        return bills[0].concat(*bills)

    def hold_back(self, env):
        """Do something, without committing it."""
        invoice = env["account.move"].browse(self.held_id)
        if self.hold == "spend":
            account = env["garage.loyalty.member"].browse(self.account_id)
            account._post_points("redeem", -100, "2024-06-03", source=invoice)
        elif self.hold:
            invoice.action_post()
            self.expected += 1
        if self.hold and self.trigger == "paid":
            _pay(invoice, self.posting.banks[-1])
        env.flush_all()

    def report(self, env, report, text, tally):
        if self.one_journal:
            speed = f"{len(tally.done) / tally.seconds:.0f} a second"
            report.note(f"{text}: tried again {tally.retries} times, {speed}")
        else:
            report.exactly(f"{text}: blocked or tried again", tally.retries, 0)
        if tally.refused or tally.tracebacks:
            report.exactly(f"{text}: errors", tally.refused + len(tally.tracebacks), 0)
            report.note((tally.tracebacks or list(tally.messages))[0])
        if self.account_id:
            member = env["garage.loyalty.member"].browse(self.account_id)
            found = Workshop(env).differences(member)
            report.exactly(f"{text}: points", member.points, 100 * self.expected)
            report.exactly(f"{text}: ledger differences", len(found), 0)


def _post_all(registry, tally, uid, ids, bank, free):
    """Post, and pay, each invoice; whoever waits long for a lock gets an error."""

    def post(env, number):
        if free:
            env.cr.execute(SQL("SET LOCAL lock_timeout = %s", LONG))
        env["account.move"].browse(number).action_post()

    def pay(env, number):
        env.cr.execute(SQL("SET LOCAL lock_timeout = %s", LONG))
        _pay(env["account.move"].browse(number), bank)

    for number in ids:
        for step in (post, pay) if bank else (post,):
            tally.attempt(number, registry, uid, partial(step, number=number))


def _pay(invoice, bank):
    """Register the payment, with the host's dialog."""
    invoice.env["account.payment.register"].with_context(
        active_model="account.move", active_ids=invoice.ids
    ).create(
        {"journal_id": bank, "payment_date": invoice.invoice_date}
    )._create_payments()


# -- one synchronisation, a thousand times -------------------------------------


def prove_synchronising(report, registry, workers, options):
    report.title(
        f"One synchronisation called {options.calls} times by {workers.number} "
        f"processes, {options.sync_rounds} invoices in turn"
    )
    with environment(registry) as env:
        shop = Workshop(env)
        shop.program.earn_trigger = "paid"
        bank_id = shop.journals(1, "bank").id
        member_id = shop.member().id
        labour_id = shop.labour().id
    total, given, taken = Tally(), 0, 0
    for _round in range(options.sync_rounds):
        invoice_id = _pay_silently(registry, member_id, labour_id, bank_id)
        share = [len(part) for part in deal(range(options.calls), workers.number)]
        tasks = [(invoice_id, number) for number in share]
        total += workers.run(_sync_all, tasks)
        given += _get_entries(registry, invoice_id) == [100]
        _cancel_silently(registry, invoice_id)
        total += workers.run(_sync_all, tasks)
        taken += _get_entries(registry, invoice_id) == [100, -100]
    rounds = options.sync_rounds
    report.exactly("paid invoices with exactly one entry", given, rounds)
    report.exactly("… and, no longer posted, one that takes it back", taken, rounds)
    report.exactly("calls that ended well", len(total.done), 2 * rounds * options.calls)
    report.nothing_broken(total)
    report.note(f"calls that had to be tried again: {total.retries}")
    with environment(registry) as env:
        member = env["garage.loyalty.member"].browse(member_id)
        report.exactly("ledger differences", len(Workshop(env).differences(member)), 0)


def _pay_silently(registry, member_id, labour_id, bank_id):
    """Return a paid invoice of which the ledger has not heard."""
    with environment(registry) as env:
        env = env(context={"garage_loyalty_defer": True})
        member = env["garage.loyalty.member"].browse(member_id)
        labour = env["product.product"].browse(labour_id)
        invoice = Workshop(env).invoices(member.partner_id, labour, 1)
        invoice.action_post()
        _pay(invoice, bank_id)
        assert invoice._is_loyalty_earned(0)
        assert not env["garage.loyalty.entry"]._get_sums(invoice)
        return invoice.id


def _cancel_silently(registry, invoice_id):
    with environment(registry) as env:
        env = env(context={"garage_loyalty_defer": True})
        env["account.move"].browse(invoice_id).button_draft()


def _sync_all(registry, tally, invoice_id, number):
    for _call in range(number):
        tally.attempt(
            invoice_id,
            registry,
            1,
            lambda env: env["account.move"].browse(invoice_id)._sync_loyalty(),
        )


def _get_entries(registry, invoice_id):
    with environment(registry) as env:
        entries = env["garage.loyalty.entry"].search(
            [("source_model", "=", "account.move"), ("source_id", "=", invoice_id)],
            order="id",
        )
        return entries.mapped("points")


# -- all of it -----------------------------------------------------------------


def main():
    options = parse_options()
    registry = open_registry(options.database)
    with environment(registry) as env:
        Workshop(env).open()
    report, workers = Report(), Workers(options.database, options.workers)
    proofs = {
        "naive": lambda: prove_naive_fails(report, registry, workers, options),
        "http": lambda: prove_http(report, registry, options),
        "posting": lambda: prove_posting(report, registry, workers, options),
        "sync": lambda: prove_synchronising(report, registry, workers, options),
        "redeem": lambda: prove_redeeming(report, registry, workers, options),
    }
    for name in options.only or proofs:
        proofs[name]()
    workers.stop()
    report.finish()


def parse_options():
    result = parser(__doc__.splitlines()[0])
    add = result.add_argument
    add("--workers", type=int, default=16, help="processes")
    add("--attempts", type=int, default=64, help="of each worker in a round")
    add("--rounds", type=int, default=100, help="of redeeming")
    add("--clients", type=int, default=16, help="browsers over HTTP")
    add("--http-rounds", type=int, default=20, help="over HTTP")
    add("--posts", type=int, default=20, help="invoices of each process")
    add("--calls", type=int, default=1000, help="of one synchronisation")
    add("--sync-rounds", type=int, default=10, help="invoices to synchronise")
    names = ("naive", "http", "posting", "sync", "redeem")
    add("--only", action="append", choices=names, help="this proof; may be repeated")
    return result.parse_args()


if __name__ == "__main__":
    main()
