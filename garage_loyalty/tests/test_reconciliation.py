import random
from datetime import date, timedelta

from freezegun import freeze_time

from odoo import Command
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged
from odoo.tools import format_date

from .common import ACCOUNTANT, MANAGER, USER
from .test_booking import BookingCommon
from .test_roll_forward import START

TODAY = date(2024, 8, 20)
END = date(2024, 7, 31)


@tagged("post_install", "-at_install")
class TestReconciliation(BookingCommon):
    """The points ledger against the books."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._fill(seed=5)
        cls.startClassPatcher(freeze_time(TODAY))
        cls.rule = cls._set_up()

    def _compare(self, day=END, **vals):
        return self.env["garage.loyalty.reconciliation"].create(
            {"company_id": self.company.id, "date": day, **vals}
        )

    def _get_moves(self):
        bookings = self.env["garage.loyalty.booking"].search([], order="month")
        return bookings.move_ids

    def _post_by_hand(self, amount, day="2024-07-15"):
        move = self.env["account.move"].create(
            {
                "move_type": "entry",
                "date": day,
                "journal_id": self.rule.journal_id.id,
                "line_ids": [
                    Command.create({"account_id": account.id, "balance": balance})
                    for account, balance in (
                        (self.liability, -amount),
                        (self.expense, amount),
                    )
                ],
            }
        )
        move.action_post()
        return move

    def _assert_explained(self, check):
        causes = sum(check.line_ids.mapped("amount"))
        self.assertAlmostEqual(causes, check.difference, 2)
        self.assertAlmostEqual(check.owed - check.booked, check.difference, 2)

    def test_difference_is_zero_when_everything_is_booked(self):
        self.rule.action_book()
        self._get_moves().action_post()
        for month in (3, 4, 5, 6, 7):
            last = date(2024, month + 1, 1) - timedelta(days=1)
            check = self._compare(last)
            self.assertEqual(check.difference, 0)
            self.assertFalse(check.line_ids)
            owed = self._get_closing(last.replace(day=1))
            self.assertAlmostEqual(check.owed, owed, 2)
            self.assertNotEqual(check.owed, 0)

    def test_months_not_booked_are_causes(self):
        check = self._compare()
        self.assertEqual(check.booked, 0)
        self.assertEqual(check.difference, check.owed)
        self.assertEqual(set(check.line_ids.mapped("kind")), {"open"})
        days = check.line_ids.mapped("date")
        self.assertEqual(days, [date(2024, number, 1) for number in range(3, 8)])
        self._assert_explained(check)

    def test_running_month_is_not_booked_yet(self):
        self.rule.action_book()
        self._get_moves().action_post()
        check = self._compare("2024-08-10")
        self.assertEqual(check.line_ids.mapped("kind"), ["open"])
        self._assert_explained(check)

    def test_drafts_are_causes_with_their_entries(self):
        self.rule.action_book()
        moves = self._get_moves()
        moves[:-1].action_post()
        check = self._compare()
        self.assertEqual(check.line_ids.mapped("kind"), ["draft"])
        self.assertEqual(check.line_ids.move_id, moves[-1])
        self.assertTrue(check.line_ids.entry_name)
        self._assert_explained(check)

    def test_postings_by_hand_are_causes(self):
        self.rule.action_book()
        self._get_moves().action_post()
        move = self._post_by_hand(12.34)
        self._post_by_hand(99, "2024-08-01")
        check = self._compare()
        self.assertEqual(check.line_ids.mapped("kind"), ["manual"])
        self.assertEqual(check.line_ids.move_id, move)
        self.assertAlmostEqual(check.difference, -12.34, 2)
        self._assert_explained(check)

    def test_entry_of_a_locked_month_is_booked_on_a_later_day(self):
        self.company.fiscalyear_lock_date = END
        self.rule.action_book()
        self._get_moves().filtered(lambda move: move.date <= TODAY).action_post()
        check = self._compare()
        self.assertTrue({"draft", "later"} >= set(check.line_ids.mapped("kind")))
        self._assert_explained(check)

    def test_what_was_dated_back_after_booking_is_a_cause(self):
        self.rule.action_book()
        self._get_moves().action_post()
        self._append(self.member, "adjust", 1000, date(2024, 5, 5))
        check = self._compare()
        self.assertEqual(check.line_ids.mapped("kind"), ["changed"])
        self._assert_explained(check)

    def test_reversal_is_explained_before_and_after_its_day(self):
        self.rule.action_book()
        moves = self._get_moves()
        moves.action_post()
        self._reverse(moves[1], "2024-08-05")
        self._assert_explained(self._compare())
        self.assertEqual(self._compare().difference, 0)
        self._assert_explained(self._compare("2024-08-10"))

    def test_account_that_was_used_before_still_counts(self):
        self.rule.action_book()
        self._get_moves()[:3].action_post()
        self._get_moves()[3:].unlink()
        self.rule.liability_account_id = self._create_account(
            "2802", "liability_current"
        )
        self.rule.action_book()
        self._get_moves()[3:].action_post()
        self.assertEqual(self._compare().difference, 0)

    def test_random_books_are_always_explained(self):
        rng = random.Random(11)
        members = self.Member.search([("program_id", "=", self.program.id)])
        for _round in range(6):
            self.rule.action_book()
            drafts = self._get_moves().filtered(lambda move: move.state == "draft")
            for move in drafts:
                if rng.random() < 0.5:
                    move.action_post()
                elif rng.random() < 0.3:
                    move.unlink()
            day = START + timedelta(days=rng.randrange(220))
            self._append(rng.choice(members), "adjust", rng.randrange(1, 999), day)
            if rng.random() < 0.5:
                self._post_by_hand(rng.randrange(1, 10**5) / 100, day)
            for _check in range(2):
                day = date(2024, 3, 1) + timedelta(days=rng.randrange(170))
                self._assert_explained(self._compare(day))

    # -- signing --------------------------------------------------------------------

    def test_signed_comparison_stays_what_it_was(self):
        self.rule.action_book()
        self._get_moves().action_post()
        check = self._compare()
        check.action_sign()
        self.assertEqual(check.state, "signed")
        self.assertEqual(check.signed_by_id, self.env.user)
        owed = check.owed
        self._append(self.member, "adjust", 1000, date(2024, 5, 5))
        for change in (
            lambda: check.write({"note": "x"}),
            lambda: check.write({"date": "2024-06-30"}),
            check.action_compare,
            check.unlink,
        ):
            with self.assertRaises(UserError):
                change()
        for vals in ({"owed": 1}, {"state": "draft"}):
            with self.assertRaises(UserError):
                check.write(vals)
            with self.assertRaises(UserError):
                check.sudo().write(vals)
        self.assertEqual((check.owed, check.state), (owed, "signed"))
        check.message_post(body="Seen by the auditor")

    def test_valuation_names_the_last_signed_day_that_it_changes(self):
        for day in (date(2024, 6, 30), END):
            self._compare(day, note="Not booked yet.").action_sign()
        self._compare(date(2024, 8, 10))  # not signed
        owner = self._create_user("owner", MANAGER)
        Valuation = self.env["garage.loyalty.valuation"].with_user(owner)
        vals = {"program_id": self.program.id}
        first = self.program._get_valuations()[-1:].date
        for day, expected in (
            (first, END),
            (date(2024, 7, 1), END),
            (END, END),
            (END + timedelta(days=1), False),
            (TODAY, False),
        ):
            with self.subTest(day=day):
                text = Valuation.new(vals | {"date": day}).signed_text or ""
                self.assertEqual(bool(text), bool(expected))
                self.assertIn(format_date(self.env, expected), text)
        saved = Valuation.create(vals | {"date": TODAY, "redemption_rate": 50})
        self.assertFalse(saved.signed_text)

    def test_difference_is_signed_only_with_a_remark(self):
        check = self._compare()
        with self.assertRaises(UserError):
            check.action_sign()
        check.note = "July is booked tomorrow."
        check.action_sign()
        self.assertEqual(check.state, "signed")

    def test_signing_compares_once_more(self):
        self.rule.action_book()
        self._get_moves().action_post()
        check = self._compare(note="Late gift")
        self._append(self.member, "adjust", 1000, date(2024, 5, 5))
        check.action_sign()
        self.assertGreater(check.difference, 0)

    def test_figures_cannot_be_typed(self):
        check = self._compare(owed=1, difference=0, state="signed")
        self.assertNotEqual(check.owed, 1)
        self.assertEqual(check.state, "draft")
        check.write({"owed": 1, "state": "signed"})
        self.assertNotEqual(check.owed, 1)
        self.assertEqual(check.state, "draft")

    def test_day_must_be_over(self):
        with self.assertRaises(ValidationError):
            self._compare(TODAY)

    def test_company_that_does_not_book_cannot_compare(self):
        self.rule.active = False
        with self.assertRaisesRegex(UserError, "does not book points"):
            self._compare()

    def test_deferral_is_compared_by_its_own_method(self):
        self.rule.write({"method": "deferral", "result_account_id": self.income.id})
        self._append(self.member, "opening", 1000, date(2024, 6, 5))
        check = self._compare()
        self._assert_explained(check)
        self.rule.action_book()
        self._get_moves().action_post()
        check.action_compare()
        self.assertEqual(check.difference, 0)

    # -- rights ---------------------------------------------------------------------

    def test_accountant_compares_and_signs_without_rights_on_journals(self):
        user = self._create_user("auditor", ACCOUNTANT)
        Check = self.env["garage.loyalty.reconciliation"].with_user(user)
        check = Check.create({"date": END, "note": "Not booked yet"})
        check.action_sign()
        self.assertEqual(check.signed_by_id, user)

    def test_manager_reads_and_advisor_sees_nothing(self):
        check = self._compare()
        manager = self._create_user("owner", MANAGER)
        advisor = self._create_user("counter", USER)
        self.assertEqual(check.with_user(manager).owed, check.owed)
        with self.assertRaises(AccessError):
            check.with_user(advisor).mapped("owed")
        with self.assertRaises(AccessError):
            check.with_user(advisor).action_sign()
