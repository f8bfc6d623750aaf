"""Loads a workshop with two years of real documents into an empty database.

odoo shell -d DB <<< \
    "from odoo.addons.garage_loyalty.demo.workshop import load; load(env)"
"""

import sys
import time

from odoo import fields
from odoo.exceptions import UserError

from .books import Books
from .documents import Desk
from .membership import Register
from .outreach import Outreach
from .payments import Till
from .plan import build
from .premises import hire_customer, open_premises
from .results import Results

MARKER = "garage_loyalty.demo_workshop"
# Nobody reads the chatter of a thousand made-up orders.
QUIET = {
    # Three years in a few minutes: tiers are reviewed month by month.
    "garage_loyalty_defer_tiers": True,
    "tracking_disable": True,
    "mail_create_nolog": True,
    "mail_create_nosubscribe": True,
    "mail_notrack": True,
    "no_reset_password": True,
}
BAR = 24


class Progress:
    """A line per step, with a bar, for a terminal and for a log file alike."""

    def __init__(self, steps):
        self.steps = steps
        self.done = 0
        self.started = time.monotonic()

    def step(self, title, **counts):
        self.done += 1
        filled = BAR * self.done // self.steps
        bar = "#" * filled + "-" * (BAR - filled)
        minutes, seconds = divmod(int(time.monotonic() - self.started), 60)
        numbers = ", ".join(f"{n:,} {name}" for name, n in counts.items())
        self.say(f"[{bar}] {minutes}:{seconds:02d}  {title:<10}  {numbers}")

    @staticmethod
    def say(text):
        sys.stdout.write(text + "\n")
        sys.stdout.flush()


class Loader:
    """Walks through the plan month by month: members first, then documents."""

    def __init__(self, env, plan):
        self.env = env
        self.plan = plan
        self.months = list(plan.months())
        self.progress = Progress(len(self.months) + 2)
        self.counts = {"repair orders": 0, "invoices": 0, "credit notes": 0}

    def run(self):
        self.premises = open_premises(self.env, self.plan.customers)
        self.register = Register(self.premises)
        self.till = Till(self.premises)
        self.desk = Desk(self.premises, self.plan.start)
        self._commit("customers", customers=len(self.plan.customers))
        for first, following in self.months:
            self._month(first, following)
            self._commit(f"{first:%b %Y}", **self.counts)
        self.register.review(self.plan.today)
        self.register.open_club()
        present = [visit for visit in self.plan.visits if visit.stage == "started"]
        self.register.honour([visit.customer for visit in present], self.plan.today)
        self._present()
        Outreach(self.premises, self.plan.today).run()
        Results(self.premises, self.plan.today).run()
        Books(self.premises, self.plan.today).run()
        portal = hire_customer(self.env, self.register.portal_partner())
        self._commit(
            "today",
            **self.counts,
            members=len(self.register.members),
            redemptions=self.register.redeemed,
        )
        return portal

    def _commit(self, title, **counts):
        # A script of some minutes: what is done is kept, and memory is freed.
        self.env.cr.commit()  # pylint: disable=invalid-commit
        self.env.invalidate_all()
        self.progress.step(title, **counts)

    def _month(self, first, following):
        def during(rows, name="day"):
            return [row for row in rows if first <= getattr(row, name) < following]

        past = [visit for visit in self.plan.visits if not visit.is_present]
        self.register.review(first)
        self.register.enrol(during(self.plan.enrolments))
        self.register.change(during(self.plan.changes))
        visits = during(past, "done")
        repairs = [visit for visit in visits if visit.stage in ("invoiced", "done")]
        sales = [visit for visit in visits if visit.stage == "counter"]
        self._post(self._repair(repairs) + self._sell(sales))
        self.counts["credit notes"] += self.till.settle(min(following, self.plan.today))

    def _repair(self, visits):
        """Finished repair orders: visits with their draft invoice."""
        if not visits:
            return []
        _repairs, orders = self.desk.finish(visits)
        self.counts["repair orders"] += len(visits)
        chosen = [n for n, visit in enumerate(visits) if visit.stage == "invoiced"]
        visits = [visits[n] for n in chosen]
        orders = orders.browse([orders[n].id for n in chosen])
        return list(zip(visits, self.desk.invoice(visits, orders), strict=True))

    def _sell(self, visits):
        return list(zip(visits, self.desk.sell(visits), strict=True))

    def _post(self, pairs):
        """Spend points, then post in the order of the dates, as the numbers go."""
        if not pairs:
            return
        pairs.sort(key=lambda pair: pair[0].done)
        for visit, invoice in pairs:
            if visit.redeem:
                self.register.redeem(visit, invoice)
        invoices = self.env["account.move"].union(*(invoice for _v, invoice in pairs))
        invoices.action_post()
        for visit, invoice in pairs:
            self.till.expect(visit, invoice)
        self.counts["invoices"] += len(invoices)

    def _present(self):
        """The cars that stand in the workshop today."""
        visits = [visit for visit in self.plan.visits if visit.is_present]
        done = [visit for visit in visits if visit.stage == "done"]
        self.desk.finish(done)
        self.counts["repair orders"] += len(done)
        visits = [visit for visit in visits if visit.stage != "done"]
        repairs = self.desk.open_repairs(visits)
        for visit, repair in zip(visits, repairs, strict=True):
            if visit.stage in ("quoted", "cancelled"):
                self.desk.quote([visit], repair)
            repair = repair.with_user(repair.user_id)
            if visit.stage in ("confirmed", "quoted", "started"):
                repair._action_repair_confirm()
            if visit.stage == "started":
                repair.action_repair_start()
            if visit.stage == "cancelled":
                repair.action_repair_cancel()
                repair.sale_order_id._action_cancel()


def load(env):
    """Fill the company of `env` with the demo workshop; commits as it goes.

    :return: a login for each role, as (role, login, password)
    """
    env = env(context={**env.context, **QUIET})
    _check_empty(env)
    # The day in the workshop, which may not be the day of the server.
    today = fields.Date.context_today(env.user.with_context(tz="Europe/Amsterdam"))
    # Settings are the administrator's; a script may be run by another user.
    env["ir.config_parameter"].sudo().set_param(MARKER, today)
    Loader(env, build(today)).run()
    return [
        ("owner", "owner", "owner"),
        ("service advisor", "advisor", "advisor"),
        ("accountant", "accountant", "accountant"),
        ("customer", "customer", "customer"),
    ]


def _check_empty(env):
    """Refuse where the demo is loaded already, and where a company does business."""
    # As above.
    if env["ir.config_parameter"].sudo().get_param(MARKER):
        raise UserError(
            env._(
                "The demo workshop is in this database already. "
                "Load it into a new database."
            )
        )
    if env["account.move"].search_count([("company_id", "=", env.company.id)], limit=1):
        raise UserError(
            env._(
                "“%s” has invoices or other journal entries. The demo workshop "
                "renames the company: load it into a new database.",
                env.company.name,
            )
        )
