"""What the add-on adds to posting an invoice: statements and time.

    ./dev bench posting

The same invoices are posted by turns in a database with the add-on and in one without
it, both in this process. Time is that of ``action_post`` and of writing its changes.
Each turn gives one ratio, as the speed of a machine changes from minute to minute; the
median of many is compared with the bound.
"""

import gc
import statistics
import time
from contextlib import contextmanager
from datetime import date

from common import Report, environment, open_registry, parser
from workshop import Workshop

from odoo.fields import Command
from odoo.sql_db import Cursor

MORE_STATEMENTS = 4
# A repair order's visit is written with what goes before and after it in the history.
MORE_TIME = {"invoice": 0.05, "repair order": 0.10}


@contextmanager
def counting():
    """Count the statements that are sent to PostgreSQL."""
    execute, count = Cursor.execute, [0]

    def counted(self, *args, **kwargs):
        count[0] += 1
        return execute(self, *args, **kwargs)

    Cursor.execute = counted
    try:
        yield count
    finally:
        Cursor.execute = execute


class Shop:
    """A customer and what to bill, in one of the two databases."""

    def __init__(self, database, scene):
        self.registry, self.scene = open_registry(database), scene
        self.with_addon = "garage.loyalty.member" in self.registry
        with environment(self.registry) as env:
            self._open(env)

    def _open(self, env):
        if not env.company.chart_template:
            env["account.chart.template"].try_loading("generic_coa", env.company)
        goods = {"taxes_id": [Command.clear()], "invoice_policy": "order"}
        labour = {"name": "Labour", "type": "service", "list_price": 100, **goods}
        part = {"name": "Pads", "type": "consu", "list_price": 50, **goods}
        self.goods = env["product.product"].create([labour, part]).ids
        self.partner = env["res.partner"].create({"name": "C", "customer_rank": 1}).id
        if self.with_addon:
            workshop = Workshop(env)
            posted = self.scene.startswith("earned when posted")
            workshop.program.earn_trigger = "posted" if posted else "paid"
            # Always looked for, and never reached: each turn costs the same.
            workshop.program.tier_ids[1:].write(
                {"required_spend": 10**9, "required_visits": 0}
            )
            if "nobody" not in self.scene:
                workshop.enrol(env["res.partner"].browse(self.partner))

    def prepare(self, number=1):
        """Make draft invoices; return their ids."""
        with environment(self.registry) as env:
            make = self._bill_repair if "repair" in self.scene else self._bill
            return [make(env).id for _index in range(number)]

    def _bill(self, env):
        return env["account.move"].create(
            {
                "move_type": "out_invoice",
                "partner_id": self.partner,
                "invoice_date": str(date.today()),
                "invoice_line_ids": [
                    Command.create({"product_id": good, "quantity": 1})
                    for good in self.goods
                ],
            }
        )

    def _bill_repair(self, env):
        repair = env["repair.order"].create({"partner_id": self.partner})
        repair.action_create_sale_order()
        order = repair.sale_order_id
        order.order_line = [Command.create({"product_id": g}) for g in self.goods]
        repair.action_validate()
        repair.action_repair_start()
        repair.action_repair_end()
        order.action_confirm()
        invoice = order._create_invoices()
        invoice.invoice_date = date.today()
        return invoice

    def post(self, ids):
        """Post the invoices in a transaction; return statements and seconds."""
        with environment(self.registry) as env, counting() as count:
            moves = env["account.move"].browse(ids)
            gc.collect()
            gc.disable()
            started = time.perf_counter()
            moves.action_post()
            env.cr.flush()
            seconds = time.perf_counter() - started
            gc.enable()
            return count[0], seconds


def measure(shops, rounds):
    """Post one invoice after the other, by turns; return counts and seconds of each."""
    for shop in shops:
        for _warm in range(5):
            shop.post(shop.prepare())
    results = [[] for _shop in shops]
    for number in range(rounds):
        turn = list(zip(shops, results, strict=True))
        for shop, result in turn if number % 2 else reversed(turn):
            result.append(shop.post(shop.prepare()))
    return results


def compare(report, scene, databases, rounds, more_time):
    """Print what one invoice costs more with the add-on than without."""
    report.title(f"One invoice: {scene}")
    host, ours = measure([Shop(name, scene) for name in databases], rounds)
    counts = [statistics.median(count for count, _s in rows) for rows in (host, ours)]
    more = int(counts[1] - counts[0])
    report.line(
        f"statements beyond the host's {counts[0]:.0f}",
        more,
        f"<= {MORE_STATEMENTS}",
        more <= MORE_STATEMENTS,
    )
    turns = [(a, b) for (_c, a), (_d, b) in zip(host, ours, strict=True)]
    ratio = statistics.median(b / a for a, b in turns) - 1
    typical = 1000 * statistics.median(a for a, _b in turns)
    report.line(
        f"time beyond the host's {typical:.1f} ms",
        f"{typical * ratio:.1f} ms, {ratio:+.1%}",
        f"<= {more_time:.0%}",
        ratio <= more_time,
    )


def compare_batch(report, databases, number):
    """Print how many statements many invoices in one call need more than a few."""
    report.title(f"{number} invoices in one call, earned when posted")
    more = []
    for size in (10, number):
        host, ours = [Shop(name, "earned when posted") for name in databases]
        counts = [shop.post(shop.prepare(size))[0] for shop in (host, ours)]
        more.append(counts[1] - counts[0])
        report.note(f"{size}: host {counts[0]}, with the add-on {counts[1]}")
    report.line(
        "more statements for many than for 10",
        more[1] - more[0],
        "<= 0",
        more[1] <= more[0],
    )


def main():
    options = parser(__doc__)
    options.add_argument("host_database", help="the same without the add-on")
    options.add_argument("--rounds", type=int, default=150)
    options.add_argument("--batch", type=int, default=1000)
    options = options.parse_args()
    databases = (options.host_database, options.database)
    report = Report()
    for scene in (
        "default programme, a member",
        "default programme, a member, a repair order",
        "default programme, nobody",
        "earned when posted, a member",
    ):
        kind = "repair order" if "repair order" in scene else "invoice"
        compare(report, scene, databases, options.rounds, MORE_TIME[kind])
    compare_batch(report, databases, options.batch)
    report.finish()


if __name__ == "__main__":
    main()
