"""The dialog over HTTP, with two server workers."""

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
from pathlib import Path

import requests
from common import environment
from workshop import Workshop

from odoo.fields import Command

from proofs import SPENT


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
