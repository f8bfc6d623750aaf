import os
from datetime import date, timedelta

from odoo import Command
from odoo.exceptions import UserError
from odoo.tests import freeze_time, tagged
from odoo.tools import SQL

from .common import GarageLoyaltyCommon

try:
    from hypothesis import HealthCheck, Phase, settings
    from hypothesis import strategies as st
    from hypothesis.stateful import (
        RuleBasedStateMachine,
        initialize,
        invariant,
        precondition,
        rule,
        run_state_machine_as_test,
    )
except ImportError:  # a workshop's server has no development tools
    settings = None

START = date(2024, 2, 1)
DOCUMENTS = ("account.move", "garage.loyalty.redemption")
# How many histories, and how many steps each of them has.
PROFILES = {"default": (200, 8), "nightly": (50_000, 8)}


@tagged("post_install", "-at_install")
class TestLedgerHistories(GarageLoyaltyCommon):
    """Whatever happens, in whatever order: the ledger adds up.

    ``HYPOTHESIS_PROFILE=nightly`` runs 50,000 histories instead of some hundreds, which
    takes hours; ``HYPOTHESIS_HISTORIES`` sets another number. Those of the default
    profile are always the same; with the other settings they are new every time, and
    what fails is printed as a program to be run again.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # Neither messages nor rights matter here, and both take time.
        cls.env = cls.env(context={"tracking_disable": True}, su=True)
        cls.company = cls.company.with_env(cls.env)
        cls.program = cls.program.with_env(cls.env)
        cls.program.write(
            {
                "point_value": 0.1,
                "minimum_redemption": 1,
                "labour_cap": 100,
                "expiry_month_end": False,
                "restored_days": 20,
            }
        )
        cls.labour = cls.labour.with_env(cls.env)
        cls.labour.taxes_id = [Command.clear()]
        cls.customers = (cls.customer | cls.other).with_env(cls.env)
        members = [cls._enrol(customer) for customer in cls.customers]
        cls.members = cls.env["garage.loyalty.member"].union(*members)
        cls.receivable = cls.company_data["default_account_receivable"]
        cls.prepaid = {customer: cls._prepay(customer) for customer in cls.customers}
        cls.env.flush_all()

    @classmethod
    def _prepay(cls, customer):
        """Return what a customer has paid in advance, for all invoices to come."""
        accounts = (cls.receivable, cls.company_data["default_account_revenue"])
        lines = [
            {"account_id": account.id, "partner_id": customer.id, "balance": amount}
            for account, amount in zip(accounts, (-1e9, 1e9), strict=True)
        ]
        move = cls.env["account.move"].create(
            {
                "journal_id": cls.company_data["default_journal_misc"].id,
                "date": "2024-01-01",
                "line_ids": [Command.create(vals) for vals in lines],
            }
        )
        move.action_post()
        return move.line_ids[0]

    def test_every_history_adds_up(self):
        if not settings:
            self.skipTest("hypothesis is not installed")
        profile = os.environ.get("HYPOTHESIS_PROFILE", "default")
        histories, steps = PROFILES.get(profile, PROFILES["default"])
        wanted = os.environ.get("HYPOTHESIS_HISTORIES")
        freezer = freeze_time(START)
        self.clock = freezer.start()
        self.addCleanup(freezer.stop)
        run_state_machine_as_test(
            lambda: History(self),
            settings=settings(
                max_examples=int(wanted or histories),
                stateful_step_count=steps,
                deadline=None,
                database=None,
                derandomize=profile == "default" and not wanted,
                suppress_health_check=list(HealthCheck),
                phases=[Phase.generate, Phase.shrink],
                print_blob=False,
            ),
        )


if settings:
    numbers = st.integers(0, 5)  # which one of the documents that come into question
    amounts = st.sampled_from([1, 30, 33.33, 100])
    shares = st.sampled_from([1, 0.5, 1 / 3, 0.01])
    some_points = st.integers(1, 120)
    some_merges = st.sampled_from([False, False, False, True])
    expiry_rules = st.sampled_from(["never", "age", "inactivity", "fixed"])

    class History(RuleBasedStateMachine):
        """What two customers, and who serves them, may do in the course of time."""

        def __init__(self, test):
            super().__init__()
            self.test, self.env = test, test.env
            self.point = self.env.cr.savepoint()
            self.members, self.program = test.members, test.program
            self.customers = test.customers
            self.today = START
            self.test.clock.move_to(START)
            self.invoices = self.credits = self.env["account.move"]
            self.orders = self.env["sale.order"]
            self.failed = False

        def teardown(self):
            try:
                if not self.failed:
                    self._take_everything_back()
            finally:
                self.point.close()
                self.env.invalidate_all(flush=False)
                self.env.registry.clear_cache()

        # -- helpers ----------------------------------------------------------------

        def _attempt(self, action, *args, **options):
            """Do what may be refused in words; it then leaves no trace."""
            try:
                with self.env.cr.savepoint():
                    return action(*args, **options)
            except UserError:
                self.env.invalidate_all(flush=False)
                return None

        @staticmethod
        def _pick(documents, number):
            return documents[number % len(documents)]

        def _in_state(self, *states):
            return self.invoices.filtered(lambda move: move.state in states)

        def _member(self, number):
            return self._pick(self.members, number)

        def _new_invoice(self, who, amount):
            invoice = self.env["account.move"].create(
                {
                    "move_type": "out_invoice",
                    "partner_id": self._pick(self.customers, who).id,
                    "invoice_date": self.today,
                    "invoice_line_ids": [
                        Command.create(
                            {"product_id": self.test.labour.id, "price_unit": amount}
                        )
                    ],
                }
            )
            self.invoices |= invoice
            return invoice

        def _get_receivable(self, invoice):
            return invoice.line_ids.filtered(
                lambda line: line.account_id == self.test.receivable
            )

        def _redeem(self, document, points):
            field = "order_id" if document._name == "sale.order" else "move_id"
            dialog = self.env["garage.loyalty.redeem"].create({field: document.id})
            dialog.points = min(points, dialog.max_points)
            dialog.action_redeem()

        def _pay(self, invoice):
            line = self._get_receivable(invoice)
            if line.amount_residual > 0:
                (line | self.test.prepaid[invoice.partner_id]).reconcile()

        # -- invoices ---------------------------------------------------------------

        @initialize(
            trigger=st.sampled_from(["posted", "paid"]),
            points=some_points,
            amount=st.none() | amounts,
        )
        def begin(self, trigger, points, amount):
            if self.program.earn_trigger != trigger:
                self.program.earn_trigger = trigger
            for number, member in enumerate(self.members):
                expiry = self.today + timedelta(30) if number else False
                member._post_points("opening", points, self.today, expiry=expiry)
            if amount:
                self.bill(who=0, amount=amount, is_paid=True)

        @rule(who=numbers, amount=amounts, is_paid=st.booleans())
        def bill(self, who, amount, is_paid):
            invoice = self._new_invoice(who, amount)
            invoice.action_post()
            if is_paid:
                self._pay(invoice)

        @rule(who=numbers, amount=amounts, points=some_points, is_paid=st.booleans())
        def bill_with_redemption(self, who, amount, points, is_paid):
            invoice = self._new_invoice(who, amount)
            self._attempt(self._redeem, invoice, points)
            self._attempt(invoice.action_post)
            if is_paid and invoice.state == "posted":
                self._pay(invoice)

        @precondition(lambda self: self._in_state("posted"))
        @rule(number=numbers)
        def pay_or_take_the_payment_back(self, number):
            invoice = self._pick(self._in_state("posted"), number)
            line = self._get_receivable(invoice)
            if line.reconciled:
                line.remove_move_reconcile()
            else:
                self._pay(invoice)

        @precondition(lambda self: self._in_state("posted", "draft"))
        @rule(number=numbers, then=st.sampled_from(["draft", "posted", "cancel"]))
        def set_to_draft_and_then(self, number, then):
            invoice = self._pick(self._in_state("posted", "draft"), number)
            self._set_to_draft_and_then(invoice, then)

        def _set_to_draft_and_then(self, move, then):
            if move.state == "posted":
                self._attempt(move.button_draft)
            if then != "draft" and move.state == "draft":
                self._attempt(
                    move.action_post if then == "posted" else move.button_cancel
                )

        # -- credit notes -----------------------------------------------------------

        @precondition(lambda self: self._in_state("posted"))
        @rule(number=numbers, share=shares, cancel=st.booleans())
        def credit(self, number, share, cancel):
            invoice = self._pick(self._in_state("posted"), number)
            vals = {"invoice_date": self.today, "date": self.today}
            credit = invoice._reverse_moves([vals], cancel=cancel and share == 1)
            self.credits |= credit
            if share != 1:
                lines = credit.invoice_line_ids
                lines[1:].unlink()
                lines[0].price_unit *= share
            if credit.state == "draft":
                self._attempt(credit.action_post)

        @precondition(lambda self: self.credits)
        @rule(number=numbers, then=st.sampled_from(["draft", "posted", "cancel"]))
        def set_credit_to_draft_and_then(self, number, then):
            self._set_to_draft_and_then(self._pick(self.credits, number), then)

        # -- quotations -------------------------------------------------------------

        @rule(who=numbers, amount=amounts, points=some_points)
        def quote_with_redemption(self, who, amount, points):
            order = self.env["sale.order"].create(
                {
                    "partner_id": self._pick(self.customers, who).id,
                    "order_line": [
                        Command.create(
                            {"product_id": self.test.labour.id, "price_unit": amount}
                        )
                    ],
                }
            )
            self.orders |= order
            self._attempt(self._redeem, order, points)
            self._attempt(order.action_confirm)

        @precondition(lambda self: self.orders)
        @rule(number=numbers)
        def cancel_or_confirm_order(self, number):
            order = self._pick(self.orders, number)
            if order.state == "sale":
                self._attempt(order._action_cancel)
            else:
                self._attempt(order.action_draft)
                self._attempt(order.action_confirm)

        @precondition(lambda self: self.orders)
        @rule(number=numbers)
        def bill_order(self, number):
            order = self._pick(self.orders, number)
            if order.state == "sale" and order.invoice_status == "to invoice":
                invoice = self._attempt(order._create_invoices)
                if invoice:
                    self.invoices |= invoice
                    invoice.invoice_date = self.today
                    self._attempt(invoice.action_post)

        # -- points -----------------------------------------------------------------

        @rule(
            who=numbers,
            points=st.integers(-120, 120).filter(bool),
            life=st.none() | st.integers(0, 40),
            is_bonus=st.booleans(),
        )
        def adjust(self, who, points, life, is_bonus):
            """What is given may have a life of its own: lifetimes are mixed."""
            options = {}
            if points > 0:
                options["is_bonus"] = is_bonus
                if life is not None:
                    options["expiry"] = self.today + timedelta(life)
            member = self._member(who)
            member._post_points("adjust", points, self.today, **options)

        @precondition(lambda self: len(self.customers) > 1)
        @rule(who=numbers, points=st.none() | some_points)
        def transfer(self, who, points):
            member = self._member(who)
            others = self.members - member
            options = (points, self.today, member, "A gift")
            self._attempt(member._transfer_points, others, *options)

        @precondition(lambda self: len(self.customers) > 1)
        @rule(who=numbers, really=some_merges)
        def merge(self, who, really):
            """It takes long, so not every history has it."""
            if really:
                wizard = self.env["base.partner.merge.automatic.wizard"].create({})
                survivor = self._pick(self.customers, who)
                wizard._merge(self.customers.ids, survivor)
                self.customers = survivor

        # -- time -------------------------------------------------------------------

        @rule(
            expiry=expiry_rules,
            months=st.integers(1, 3),
            bonus=st.integers(0, 1),
            wait=st.sampled_from([0, 0, 10]),
        )
        def change_rules(self, expiry, months, bonus, wait):
            self.program.write(
                {
                    "expiry_rule": expiry,
                    "expiry_months": months,
                    "bonus_expiry_months": bonus,
                    "activation_days": wait,
                }
            )

        @rule(days=st.integers(1, 70), job_runs=st.booleans())
        def time_passes(self, days, job_runs):
            self.today += timedelta(days)
            self.test.clock.move_to(self.today)
            self.env.invalidate_all()
            if job_runs:
                self._run_job()

        def _run_job(self):
            Expiry = self.env["garage.loyalty.expiry"]
            Expiry._settle_batch(100)
            while Expiry._postpone(self.program):
                pass
            Expiry._warn_batch(self.program, 100)
            Expiry._expire_batch(self.program.company_id, 100)

        # -- what always holds ------------------------------------------------------

        @invariant()
        def the_ledger_adds_up(self):
            self.failed = True
            Check = self.env["garage.loyalty.ledger.check"]
            assert Check._find_differences(self.members) == []
            before = self._get_balances()
            for member, (entries, lots, debt) in zip(self.members, before, strict=True):
                assert member.points == entries == lots - debt
            self._synchronise()
            assert self._get_balances() == before
            assert not self._is_spendable_twice()
            mismatches = self.env["garage.loyalty.entry"]._get_mismatch_query()
            assert self.env.execute_query(mismatches) == []
            assert self.env["garage.loyalty.visit"]._rebuild() == 0
            self.failed = False

        def _get_balances(self):
            self.env.flush_all()
            return self.env.execute_query(
                SQL(
                    """
                    SELECT (SELECT COALESCE(sum(points), 0) FROM garage_loyalty_entry
                             WHERE member_id = member.id),
                           (SELECT COALESCE(sum(remaining), 0) FROM garage_loyalty_lot
                             WHERE member_id = member.id),
                           debt
                      FROM garage_loyalty_member member
                     WHERE id = ANY(%s) ORDER BY id
                    """,
                    self.members.ids,
                )
            )

        def _synchronise(self):
            (self.invoices | self.credits)._sync_loyalty()
            lines = (self.invoices | self.credits).invoice_line_ids
            redemptions = lines.loyalty_redemption_id
            (redemptions | self.orders.loyalty_redemption_ids)._sync()

        def _is_spendable_twice(self):
            """What is available and pending is never more than the balance."""
            return any(
                member.points_available + member.points_pending > max(member.points, 0)
                for member in self.members
            )

        # -- the end ----------------------------------------------------------------

        def _take_everything_back(self):
            posted = (self.credits | self.invoices).filtered(
                lambda move: move.state == "posted"
            )
            posted.button_draft()
            for order in self.orders.filtered(lambda order: order.state == "sale"):
                order._action_cancel()
            entries = self.env["garage.loyalty.entry"].search(
                [("member_id", "in", self.members.ids)], order="id"
            )
            documents = entries.filtered(lambda entry: entry.source_model in DOCUMENTS)
            assert sum(documents.mapped("points")) == 0, documents.mapped("points")
            for entry in entries - documents:
                entry.member_id._post_points("adjust", -entry.points, self.today)
            self.the_ledger_adds_up()
            assert sum(self.members.mapped("points")) == 0
