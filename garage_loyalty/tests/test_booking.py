import random
from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal

from freezegun import freeze_time
from psycopg2 import IntegrityError

from odoo import Command
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..tools import deferral as rules
from ..tools.liability import rounded
from .common import ACCOUNTANT, MANAGER, USER
from .test_roll_forward import START, LiabilityCommon

TODAY = date(2024, 6, 10)
MAY, APRIL = date(2024, 5, 1), date(2024, 4, 1)


class BookingCommon(LiabilityCommon):
    """Points of several months, and a company that books them."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.liability = cls._create_account("2801", "liability_current")
        cls.expense = cls._create_account("6801", "expense")
        cls.income = cls._create_account("4801", "income")
        cls.member = cls._enrol(cls.customer, date=START)

    @classmethod
    def _create_account(cls, code, kind):
        return cls.env["account.account"].create(
            {"name": f"Points {code}", "code": code, "account_type": kind}
        )

    @classmethod
    def _set_up(cls, **vals):
        return cls.env["garage.loyalty.accounting"].create(
            {
                "company_id": cls.company.id,
                "journal_id": cls.company_data["default_journal_misc"].id,
                "liability_account_id": cls.liability.id,
                "result_account_id": cls.expense.id,
                "first_month": "2024-03-01",
                **vals,
            }
        )

    def _get_booking(self, month, program=None):
        Booking = self.env["garage.loyalty.booking"]
        domain = [
            ("program_id", "=", (program or self.program).id),
            ("month", "=", month),
        ]
        return Booking.search(domain)

    def _get_booked(self, day="2999-12-31", states=("draft", "posted")):
        lines = self.env["account.move.line"].search(
            [
                ("account_id", "=", self.liability.id),
                ("date", "<=", day),
                ("parent_state", "in", states),
            ]
        )
        return -sum(lines.mapped("balance"))

    def _get_closing(self, month):
        domain = [("program_id", "=", self.program.id), ("month", "=", month)]
        [row] = self.Report._read_group(domain, [], ["closing_amount:sum"])
        return float(row[0])

    def _reverse(self, move, day="2024-06-01"):
        wizard = (
            self.env["account.move.reversal"]
            .with_context(active_model="account.move", active_ids=move.ids)
            .create({"date": day, "journal_id": move.journal_id.id})
        )
        wizard.reverse_moves()
        wizard.new_move_ids.filtered(
            lambda reverse: reverse.state == "draft"
        ).action_post()
        return wizard.new_move_ids


@tagged("post_install", "-at_install")
class TestBooking(BookingCommon):
    """Journal entries by the provision method."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for kind, points, day in (
            ("earn", 1000, "2024-01-20"),
            ("earn", 501, "2024-03-31"),
            ("redeem", -300, "2024-04-01"),
            ("expire", -77, "2024-04-30"),
            ("adjust", 33, "2024-05-05"),
        ):
            cls._append(cls.member, kind, points, date.fromisoformat(day))
        cls._value(cls.program, date(2024, 5, 20), 80)
        cls.startClassPatcher(freeze_time(TODAY))
        cls.rule = cls._set_up()

    def test_each_month_that_is_over_gets_one_draft(self):
        self.rule.action_book()
        bookings = self.env["garage.loyalty.booking"].search([], order="month")
        self.assertEqual(
            bookings.mapped("month"), [date(2024, number, 1) for number in (3, 4, 5)]
        )
        self.assertEqual(set(bookings.mapped("state")), {"draft"})
        days = [move.date.day for move in bookings.move_id]
        self.assertEqual(days, [31, 30, 31])

    def test_books_say_what_is_owed_at_the_end_of_every_month(self):
        self.rule.action_book()
        for number, day in ((3, "2024-03-31"), (4, "2024-04-30"), (5, "2024-05-31")):
            owed = self._get_closing(date(2024, number, 1))
            self.assertAlmostEqual(self._get_booked(day), owed, 2)

    def test_first_month_takes_over_what_was_owed_before(self):
        self.rule.action_book()
        lines = self._get_booking("2024-03-01").line_ids
        amounts = dict(zip(lines.mapped("kind"), lines.mapped("amount"), strict=True))
        self.assertEqual(amounts, {"earned": 18.54, "earlier": 37.0})

    def test_entry_has_two_lines_for_each_reason_and_no_taxes(self):
        self.expense.tax_ids = self.tax
        self.rule.action_book()
        move = self._get_booking(MAY).move_id
        self.assertEqual(len(move.line_ids), 4)
        self.assertFalse(move.line_ids.tax_ids)
        self.assertEqual(move.journal_id, self.rule.journal_id)
        self.assertIn("2024-05", move.ref)
        names = set(move.line_ids.mapped("name"))
        self.assertEqual(names, {"Adjusted", "Revalued"})

    def test_run_twice_books_nothing_twice(self):
        self.rule.action_book()
        before = self._get_booked()
        self.rule.action_book()
        self._run_job("ir_cron_book_points")
        self.assertEqual(self._get_booked(), before)
        self.assertEqual(len(self._get_booking(MAY).move_ids), 1)

    def test_job_books_what_is_missing_and_leaves_drafts_alone(self):
        self._run_job("ir_cron_book_points")
        draft = self._get_booking(MAY).move_id
        lines = draft.line_ids
        self._append(self.member, "adjust", 100, MAY)
        self._run_job("ir_cron_book_points")
        self.assertEqual(draft.line_ids, lines)

    def test_draft_follows_what_was_posted_late(self):
        self.rule.action_book()
        self._append(self.member, "adjust", 1000, MAY)
        self.rule.action_book()
        closing = self._get_closing(MAY)
        self.assertAlmostEqual(self._get_booked("2024-05-31"), closing, 2)
        self.assertEqual(len(self._get_booking(MAY).move_ids), 1)

    def test_posted_entry_stays_and_the_next_one_makes_up_for_it(self):
        self.rule.action_book()
        march = self._get_booking("2024-03-01").move_id
        march.action_post()
        before = march.line_ids.mapped("balance")
        self._append(self.member, "adjust", 1000, date(2024, 3, 15))
        self.rule.action_book()
        self.assertEqual(march.line_ids.mapped("balance"), before)
        earlier = self._get_booking(APRIL).line_ids.filtered(
            lambda line: line.kind == "earlier"
        )
        self.assertAlmostEqual(earlier.amount, 37.0, 2)
        closing = self._get_closing(MAY)
        self.assertAlmostEqual(self._get_booked(), closing, 2)

    def test_reversed_entry_is_nothing_and_can_be_booked_again(self):
        self.rule.action_book()
        booking = self._get_booking(APRIL)
        booking.move_id.action_post()
        self._reverse(booking.move_id)
        self.assertEqual(booking.state, "reversed")
        self.assertFalse(booking.move_id)
        booking.action_book_again()
        self.assertEqual(booking.state, "draft")
        self.assertEqual(len(booking.move_ids), 3)
        self.assertAlmostEqual(self._get_booked(), self._get_closing(MAY), 2)

    def test_deleted_or_cancelled_draft_is_booked_again(self):
        self.rule.action_book()
        booking = self._get_booking(APRIL)
        booking.move_id.unlink()
        self.assertEqual(booking.state, "none")
        self.rule.action_book()
        self.assertEqual(booking.state, "draft")
        booking.move_id.button_cancel()
        self.rule.action_book()
        self.assertEqual(booking.state, "draft")
        self.assertAlmostEqual(self._get_booked(), self._get_closing(MAY), 2)

    def test_last_valuation_of_the_first_day_holds_before_it_in_books_and_report(self):
        program = self.program.copy({"name": "Second"})
        member = self._enrol(self.other, date=START, program=program)
        self._append(member, "earn", 1000, date(2024, 4, 2))
        self._value(program, TODAY, 40)
        self.rule.action_book()
        domain = [("program_id", "=", program.id), ("month", "=", APRIL)]
        [row] = self.Report._read_group(domain, [], ["closing_amount:sum"])
        provision = self.env["garage.loyalty.provision"]
        owed = provision._get_owed(program, date(2024, 4, 30))
        self.assertAlmostEqual(owed, float(row[0]), 2)
        self.assertAlmostEqual(owed, 1000 * program.point_value * 0.4, 2)

    def test_copy_of_an_entry_is_no_booked_month(self):
        self.rule.action_book()
        copy = self._get_booking(MAY).move_id.copy()
        self.assertFalse(copy.loyalty_booking_id)

    def test_locked_month_is_booked_on_the_first_open_day_of_the_host(self):
        self.company.fiscalyear_lock_date = "2024-04-30"
        self.rule.action_book()
        moves = self.env["garage.loyalty.booking"].search([], order="month").move_id
        self.assertTrue(all(move.date > date(2024, 4, 30) for move in moves))
        moves.action_post()
        self.assertAlmostEqual(self._get_booked(), self._get_closing(MAY), 2)

    def test_month_without_movement_has_no_entry(self):
        self.rule.action_book()
        empty = self.program.copy({"name": "Second"})
        self.rule.action_book()
        self.assertFalse(self._get_booking(MAY, empty))

    def test_reviewer_is_asked_to_review(self):
        accountant = self._create_user(
            "books", ACCOUNTANT, "account.group_account_user"
        )
        self.rule.user_id = accountant
        self.rule.action_book()
        activity = self._get_booking(MAY).move_id.activity_ids
        self.assertEqual(activity.user_id, accountant)

    def test_nothing_is_booked_where_it_is_off(self):
        self.rule.active = False
        self._run_job("ir_cron_book_points")
        self.assertFalse(self._get_booking(MAY))
        with self.assertRaises(UserError):
            self.rule.action_book()

    def test_other_company_books_in_its_own_currency(self):
        company = self.companies - self.company
        program = self.programs[1]
        member = self._enrol(self.other, date=START, program=program)
        self._append(member, "earn", 333, date(2024, 5, 2))
        Account = self.env["account.account"].with_company(company)
        liability, expense = Account.create(
            [
                {
                    "name": "Points",
                    "code": code,
                    "account_type": kind,
                    "company_ids": [Command.set(company.ids)],
                }
                for code, kind in (
                    ("2801", "liability_current"),
                    ("6801", "expense"),
                )
            ]
        )
        journal = self.env["account.journal"].search(
            [("company_id", "=", company.id), ("type", "=", "general")], limit=1
        )
        rule = self._set_up(
            company_id=company.id,
            journal_id=journal.id,
            liability_account_id=liability.id,
            result_account_id=expense.id,
        )
        rule.action_book()
        booking = self._get_booking(MAY, program)
        self.assertEqual(booking.amount, round(333 * 7.5))
        self.assertEqual(booking.move_id.company_id, company)
        self.assertFalse(self._get_booking(MAY))

    # -- settings -------------------------------------------------------------------

    def test_settings_begin_with_a_whole_month(self):
        self.rule.first_month = "2024-02-17"
        self.assertEqual(self.rule.first_month, date(2024, 2, 1))

    def test_accounts_and_journal_of_another_kind_are_refused(self):
        bank = self.company_data["default_journal_bank"]
        for vals in (
            {"liability_account_id": self.expense.id},
            {"result_account_id": self.liability.id},
            {"method": "deferral"},
            {"journal_id": bank.id},
        ):
            with self.assertRaises(ValidationError), self.env.cr.savepoint():
                self.rule.write(vals)

    @mute_logger("odoo.sql_db")
    def test_company_books_in_one_way(self):
        with self.assertRaises(IntegrityError), self.env.cr.savepoint():
            self._set_up()

    # -- rights ---------------------------------------------------------------------

    def test_accountant_with_books_may_book(self):
        user = self._create_user("books", ACCOUNTANT, "account.group_account_user")
        self.rule.with_user(user).action_book()
        booking = self._get_booking(MAY)
        self.assertEqual(booking.move_id.create_uid, user)
        booking.with_user(user).action_book_again()

    def test_accountant_without_books_may_read_but_not_book(self):
        self.rule.action_book()
        user = self._create_user("auditor", ACCOUNTANT)
        mine = self._get_booking(MAY).with_user(user)
        self.assertEqual(mine.state, "draft")
        self.assertTrue(mine.line_ids.mapped("kind"))
        for action in (
            self.rule.with_user(user).action_book,
            mine.action_book_again,
        ):
            with self.assertRaises(AccessError):
                action()
        with self.assertRaises(AccessError):
            mine.write({"owed": 0})

    def test_advisor_may_neither_read_nor_book(self):
        self.rule.action_book()
        user = self._create_user("counter", USER, "account.group_account_invoice")
        for records in (self.rule, self._get_booking(MAY)):
            with self.assertRaises(AccessError):
                records.with_user(user).mapped("company_id.name")
        with self.assertRaises(AccessError):
            self.rule.with_user(user).action_book()
        with self.assertRaises(AccessError):
            self._get_booking(MAY).with_user(user).action_book_again()

    def test_manager_of_another_company_sees_nothing(self):
        self.rule.action_book()
        user = self._create_user("owner", MANAGER)
        other = self.companies - self.company
        user.write({"company_ids": [Command.set(other.ids)], "company_id": other.id})
        for model in ("accounting", "booking", "booking.line"):
            records = self.env[f"garage.loyalty.{model}"].with_user(user).search([])
            self.assertFalse(records, model)


@tagged("post_install", "-at_install")
class TestDeferral(BookingCommon):
    """Journal entries by the deferral of IFRS 15, from real invoices."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._spend_without_limits(point_value=0.1)
        cls.program.write({"earn_trigger": "posted", "labour_rate": 1, "parts_rate": 1})
        cls.rule = cls._set_up(method="deferral", result_account_id=cls.income.id)

    def _sell(self, amount, day, customer=None):
        with freeze_time(day):
            return self._invoice(
                customer or self.customer, [(self.labour, 1, amount)], date=day
            )

    def _post(self, kind, points, day, member=None):
        with freeze_time(day):
            (member or self.member)._post_points(kind, points, day)

    def _book(self, day=TODAY):
        with freeze_time(day):
            self.rule.action_book()

    def test_sale_is_divided_by_stand_alone_prices(self):
        self._value(self.program, "2024-01-05", 85)
        invoice = self._sell(2000, "2024-03-05")
        self._book()
        deferral = self.env["garage.loyalty.deferral"].search([])
        self.assertEqual(deferral.entry_id.source_id, invoice.id)
        self.assertEqual(deferral.points, 2000)
        # 2000 x 170 / (2000 + 170)
        self.assertAlmostEqual(deferral.allocated, 156.68, 2)
        self.assertAlmostEqual(self._get_booked("2024-03-31"), 156.68, 2)

    def test_revenue_follows_redemption_and_expectation(self):
        self._value(self.program, "2024-01-05", 95)
        self._sell(10000, "2024-03-05")
        allocated = rules.deferred(Decimal(10000), 10000, Decimal("0.095"), 2)
        self._post("redeem", -4500, "2024-04-10")
        self._value(self.program, "2024-05-01", 97)
        self._post("redeem", -4000, "2024-05-10")
        self._book()
        april = round(float(allocated) * 4500 / 9500, 2)
        may = round(float(allocated) * 8500 / 9700, 2)
        self.assertAlmostEqual(
            self._get_booked("2024-04-30"), float(allocated) - april, 2
        )
        self.assertAlmostEqual(self._get_booked(), float(allocated) - may, 2)
        booking = self._get_booking(MAY)
        self.assertEqual(booking.cohort_ids.redeemed, 8500)
        self.assertAlmostEqual(booking.cohort_ids.expected, 9700)
        [line] = booking.line_ids
        self.assertEqual(line.kind, "recognised")
        self.assertAlmostEqual(line.amount, april - may, 2)

    def test_expiry_makes_the_rest_revenue(self):
        self._value(self.program, "2024-01-05", 90)
        self._sell(1000, "2024-03-05")
        self._post("redeem", -100, "2024-04-10")
        self._post("expire", -900, "2024-05-10")
        self._book()
        self.assertGreater(self._get_booked("2024-04-30"), 0)
        self.assertAlmostEqual(self._get_booked(), 0, 2)

    def test_credit_note_takes_its_part_of_what_was_deferred(self):
        invoice = self._sell(1000, "2024-03-05")
        with freeze_time("2024-04-10"):
            self._credit(invoice, amount=250, date="2024-04-10")
        self._book()
        allocated = float(rules.deferred(Decimal(1000), 1000, Decimal("0.1"), 2))
        self.assertAlmostEqual(self._get_booked("2024-03-31"), allocated, 2)
        self.assertAlmostEqual(self._get_booked(), round(allocated * 0.75, 2), 2)
        with freeze_time("2024-05-10"):
            self._credit(invoice, date="2024-05-10")
        self._book()
        self.assertAlmostEqual(self._get_booked(), 0, 2)

    def test_allocation_is_never_done_again(self):
        invoice = self._sell(1000, "2024-03-05")
        self._book()
        deferral = self.env["garage.loyalty.deferral"].search([])
        before = deferral.allocated
        self._value(self.program, "2024-05-02", 50, 0.5)
        self._book()
        self.assertEqual(len(self.env["garage.loyalty.deferral"].search([])), 1)
        self.assertEqual(deferral.allocated, before)
        self.assertEqual(deferral.source_name, invoice.name)
        with self.assertRaises(UserError):
            deferral.allocated = 1

    def test_gifts_are_not_deferred_and_opening_balances_are(self):
        self._post("adjust", 500, "2024-03-05")
        self._post("opening", 200, "2024-03-05")
        self._book()
        self.assertAlmostEqual(self._get_booked(), 20.0, 2)
        self._post("expire", -700, "2024-05-20")
        self._book()
        self.assertAlmostEqual(self._get_booked(), 0, 2)

    def test_points_moved_to_another_member_stay_deferred(self):
        self._sell(1000, "2024-03-05")
        taker = self._enrol(self.other, date=START)
        with freeze_time("2024-04-10"):
            self.member._transfer_points(
                taker, 1000, date(2024, 4, 10), self.member, None
            )
        self._book()
        allocated = float(rules.deferred(Decimal(1000), 1000, Decimal("0.1"), 2))
        self.assertAlmostEqual(self._get_booked(), allocated, 2)
        self._post("redeem", -1000, "2024-05-10", taker)
        self._book()
        self.assertAlmostEqual(self._get_booked(), 0, 2)

    def test_sale_in_another_currency_is_deferred_in_that_of_the_company(self):
        yen = (self.companies - self.company).currency_id
        with freeze_time("2024-03-05"):
            self._invoice(
                self.customer,
                [(self.labour, 1, 2000)],
                date="2024-03-05",
                currency_id=yen.id,
            )
        self._book()
        deferral = self.env["garage.loyalty.deferral"].search([])
        self.assertAlmostEqual(deferral.base, 1000, 2)

    def test_change_of_method_is_made_up_for_with_the_next_month(self):
        self._sell(1000, "2024-03-05")
        self._book(date(2024, 5, 3))
        self.env["garage.loyalty.booking"].search([]).move_id.action_post()
        self.rule.method = "provision"
        self._book()
        with freeze_time(TODAY):
            self.assertAlmostEqual(self._get_booked(), self._get_closing(MAY), 2)


@tagged("post_install", "-at_install")
class TestDeferralOracle(BookingCommon):
    """Random invoices, credit notes and redemptions, against a replay of the ledger."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._spend_without_limits(point_value=0.037)
        cls.programs.write(
            {"earn_trigger": "posted", "labour_rate": 1.3, "parts_rate": 1}
        )
        cls.rule = cls._set_up(method="deferral", result_account_id=cls.income.id)
        cls.rng = random.Random(19)
        cls.members = cls.member + cls._enrol(cls.other, date=START)
        cls._value(cls.program, START, 88.5)
        for number in range(40):
            day = date(2024, 1, 6) + timedelta(days=4 * number)
            with freeze_time(day):
                cls._do_something(day)
        cls._value(cls.program, date(2024, 6, 20), 71)
        cls.env.flush_all()

    @classmethod
    def _do_something(cls, day):
        member = cls.rng.choice(cls.members)
        chance = cls.rng.random()
        invoices = cls.env["account.move"].search(
            [
                ("loyalty_member_id", "=", member.id),
                ("move_type", "=", "out_invoice"),
                ("payment_state", "=", "not_paid"),
            ]
        )
        points = member.points_available
        if chance < 0.5 or not invoices:
            price = cls.rng.randrange(100, 90000) / 100
            cls._invoice(member.partner_id, [(cls.labour, 1, price)], date=day)
        elif chance < 0.65:
            invoice = cls.rng.choice(invoices)
            part = round(invoice.amount_untaxed * cls.rng.random() / 2, 2)
            cls._credit(invoice, amount=max(part, 1), date=day)
        elif points > 1:
            kind = cls.rng.choice(("redeem", "redeem", "expire", "adjust"))
            member._post_points(kind, -cls.rng.randrange(1, points), day)

    # -- the oracle -----------------------------------------------------------------

    def _get_root(self, entry):
        move = self.env["account.move"].browse(entry.source_id)
        return move.reversed_entry_id or move

    def _replay(self, day):
        """Return what is deferred at the end of a day, one entry after the other."""
        entries = self.Entry.search(
            [("program_id", "=", self.program.id), ("date", "<=", day)], order="id"
        )
        sold = entries.filtered(lambda entry: entry.kind in ("earn", "clawback"))
        net, first = defaultdict(int), {}
        for entry in sold:
            root = self._get_root(entry)
            net[root] += entry.points
            first.setdefault(root, entry)
        allocated, cohorts = defaultdict(Decimal), defaultdict(lambda: [0, 0, 0])
        for root, entry in first.items():
            self.assertEqual(entry.kind, "earn")
            valuation = self.program._get_valuation(entry.date)
            worth = Decimal(f"{valuation.worth:.8f}")
            due = Decimal(entry.points) / root.loyalty_points_due
            base = rounded(Decimal(str(root.amount_untaxed)) * due, 2)
            points = entry.points * worth
            amount = base * points / (base + points)
            month = entry.date.replace(day=1)
            left = Decimal(max(net[root], 0)) / entry.points
            allocated[month] += rounded(amount, 2) * left
            self._count(entry, day, cohorts[month])
        rate = Decimal(f"{self.program._get_valuation(day).redemption_rate:.2f}")
        return sum(
            rules.owed(allocated[month], rules.Cohort(*counts), rate, 2)
            for month, counts in cohorts.items()
        )

    def _count(self, entry, day, counts):
        counts[0] += entry.lot_ids.points
        counts[2] += entry.lot_ids.points
        for taken in entry.lot_ids.allocation_ids:
            if taken.entry_id.date > day:
                continue
            counts[2] -= taken.points
            if taken.entry_id.kind in ("redeem", "restore"):
                counts[1] += taken.points
            elif taken.entry_id.kind in ("earn", "clawback"):
                counts[0] -= taken.points

    def test_books_are_what_a_replay_of_the_ledger_says_every_month(self):
        with freeze_time("2024-08-01"):
            self.rule.action_book()
        kinds = self.Entry.search([]).mapped("kind")
        self.assertTrue({"earn", "clawback", "redeem"} <= set(kinds))
        for number in range(3, 8):
            day = date(2024, number + 1, 1) - timedelta(days=1)
            expected = float(self._replay(day))
            self.assertGreater(expected, 0)
            self.assertAlmostEqual(self._get_booked(day), expected, 2, str(day))

    def test_goods_and_points_of_each_invoice_sum_to_it(self):
        with freeze_time("2024-08-01"):
            self.rule.action_book()
        deferrals = self.env["garage.loyalty.deferral"].search([])
        self.assertGreater(len(deferrals), 10)
        for deferral in deferrals:
            price = Decimal(str(round(deferral.base, 2)))
            worth = deferral.points * Decimal(f"{deferral.worth:.8f}")
            goods, points = rules.allocate(price, [price, worth], 2)
            self.assertEqual(goods + points, price)
            self.assertAlmostEqual(deferral.allocated, float(points), 6)

    def test_past_day_gives_what_it_gave_then(self):
        Deferral = self.env["garage.loyalty.deferral"]
        day = date(2024, 4, 30)
        before = Deferral._get_owed(self.program, day)
        with freeze_time("2024-08-01"):
            for member in self.members:
                member._post_points("expire", -member.points, date(2024, 8, 1))
            self._value(self.program, date(2024, 8, 1), 10)
        self.assertEqual(Deferral._get_owed(self.program, day), before)
        self.assertEqual(Deferral._get_owed(self.program, date(2024, 8, 1)), 0)
