import random
from datetime import date, timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import freeze_time, tagged

from ..tools.tiers import Figures
from .common import USER, GarageLoyaltyCommon


@tagged("post_install", "-at_install")
class TestTierReview(GarageLoyaltyCommon):
    """Tiers as the scheduled action gives, keeps and takes them."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Review = cls.env["garage.loyalty.tier.review"]
        cls.silver.required_spend = 500
        cls.gold.write({"required_spend": 1000, "required_visits": 2, "match": "any"})
        cls.program.write({"tier_months": 3, "tier_grace_days": 10})
        cls.member = cls._enrol(cls.customer)

    def _review(self, day):
        """Review a day as if all before it had been."""
        day = fields.Date.to_date(day)
        if not self.program.tier_reviewed_until:
            self.program.tier_reviewed_until = day - timedelta(days=1)
        self.env.flush_all()
        return self.Review._review_day(self.program, day)

    def _review_until(self, last):
        last = fields.Date.to_date(last)
        for day in self.program._get_review_days(
            self.program.tier_reviewed_until, last, longest=10**4
        ):
            self._review(day)

    def test_enough_spend_reaches_the_tier_at_once(self):
        self._invoice(self.customer, [(self.labour, 1, 499.99)], date="2024-02-01")
        self._review("2024-02-01")
        self.assertEqual(self.member.tier_id, self.bronze)
        self._invoice(self.customer, [(self.labour, 1, 0.01)], date="2024-02-02")
        self._review("2024-02-02")
        self.assertEqual(self.member.tier_id, self.silver)
        row = self.member.status_ids[0]
        self.assertEqual((row.spend, row.visits), (500, 0))
        self.assertEqual(str(row.date), "2024-02-02")
        self.assertEqual(str(self.member.status_date), "2024-02-02")

    def test_reviewed_again_changes_nothing(self):
        self._invoice(self.customer, date="2024-02-01")
        self._review("2024-02-01")
        rows = self.member.status_ids
        self.assertFalse(self._review("2024-02-01"))
        self.assertEqual(self.member.status_ids, rows)

    def test_tier_is_lost_one_step_at_a_review_after_the_grace(self):
        self._invoice(self.customer, date="2024-02-10")
        self._review("2024-02-10")
        self.assertEqual(self.member.tier_id, self.gold)
        # Counts until 9 May; with ten days of grace, the review is on 1 June.
        self._review_until("2024-05-31")
        self.assertEqual(self.member.tier_id, self.gold)
        kept = self.member.qualification_ids.mapped("date_until")
        self.assertEqual(set(map(str, kept)), {"2024-06-01"})
        self._review_until("2024-06-01")
        self.assertEqual(self.member.tier_id, self.silver)
        self._review_until("2024-06-30")
        self.assertEqual(self.member.tier_id, self.silver)
        self._review_until("2024-07-01")
        self.assertEqual(self.member.tier_id, self.bronze)
        self.assertFalse(self.member.qualification_ids)

    def test_visits_close_together_count_once(self):
        self.gold.required_spend = 0
        self._visit(self.customer, "2024-02-01")
        self._visit(self.customer, "2024-02-08")
        self._review("2024-02-08")
        self.assertEqual(self.member.tier_id, self.bronze)
        self._visit(self.customer, "2024-02-16")
        self._review("2024-02-16")
        self.assertEqual(self.member.tier_id, self.gold)

    def test_free_visits_do_not_count(self):
        self.gold.required_spend = 0
        self._visit(self.customer, "2024-01-15")
        _repair, invoice = self._visit(self.customer, "2024-02-15")
        self._credit(invoice, date="2024-02-16")
        self._review("2024-02-16")
        self.assertEqual(self.member.tier_id, self.bronze)

    def test_warranty_and_tagged_jobs_do_not_count(self):
        self.gold.required_spend = 0
        insurance = self.env["repair.tags"].create({"name": "Insurance"})
        self.program.tier_excluded_tag_ids = insurance
        self._visit(self.customer, "2024-01-01")
        self._visit(self.customer, "2024-02-01", under_warranty=True)
        self._visit(self.customer, "2024-03-01", tag_ids=[Command.link(insurance.id)])
        self._review("2024-03-01")
        self.assertEqual(self.member.tier_id, self.bronze)
        self.program.write({"tier_count_warranty": True})
        self._review("2024-03-01")
        self.assertEqual(self.member.tier_id, self.gold)

    def test_points_count_by_the_day_they_were_earned(self):
        self.silver.write({"required_spend": 0, "required_points": 300})
        self.program.earn_trigger = "posted"
        self._invoice(self.customer, [(self.labour, 1, 300)], date="2024-02-01")
        self._review("2024-02-01")
        self.assertEqual(self.member.tier_id, self.silver)

    def test_job_catches_up_day_by_day(self):
        self._invoice(self.customer, date="2024-02-10")
        self.program.tier_reviewed_until = "2024-02-05"
        self._run_job("ir_cron_review_tiers", "2024-02-20 12:00:00")
        self.assertEqual(str(self.member.status_ids[0].date), "2024-02-10")
        self.assertEqual(str(self.program.tier_reviewed_until), "2024-02-20")

    def test_two_years_day_by_day_are_as_the_rules_say(self):
        numbers = random.Random(4)
        start, days = date(2023, 1, 1), 500
        spends = [
            (start + timedelta(days=numbers.randrange(days)), numbers.randrange(900))
            for _number in range(14)
        ]
        self.program.tier_reviewed_until = start - timedelta(days=1)
        rules = self.program._get_rules().tiers
        place, held = 0, {}
        for number in range(days):
            day = start + timedelta(days=number)
            for when, spend in spends:
                if when == day and spend:
                    self._invoice(self.customer, [(self.labour, 1, spend)], date=day)
            self._review(day)
            first = rules.window_start(day)
            done = sum(spend for when, spend in spends if first <= when <= day)
            figures = Figures(spend=done)
            place, held = rules.advance(day, rules.deserved(figures), place, held)
            self.assertEqual(self.member.tier_id, self.program.tier_ids[place], day)

    def test_tier_set_by_hand_stays_until_its_end_date(self):
        today = self.company._get_loyalty_today()
        until = today + timedelta(days=5)
        self.member._fix_tier(self.gold, until=until, reason="Rally driver")
        self.assertEqual(self.member.status_ids[0].reason, "Rally driver")
        self.program.tier_reviewed_until = today - timedelta(days=1)
        self._review_until(until)
        self.assertEqual(self.member.tier_id, self.gold)
        self._review_until(until + timedelta(days=1))
        self.assertEqual(self.member.tier_id, self.silver)
        self.assertFalse(self.member.is_tier_fixed)

    def test_tier_set_in_the_form_stays_until_it_is_released(self):
        self.member.tier_id = self.gold
        self._review("2024-02-01")
        self.assertEqual(self.member.tier_id, self.gold)
        self.program.tier_fall = "direct"
        self.member.action_release_tier()
        self.assertEqual(self.member.tier_id, self.bronze)

    def test_programme_without_conditions_takes_nothing_away(self):
        self.program.tier_ids.write({"required_spend": 0, "required_visits": 0})
        self.member._set_tier(self.gold)
        self._run_job("ir_cron_review_tiers")
        self.assertEqual(self.member.tier_id, self.gold)

    def test_dialog_asks_for_a_tier_and_a_reason(self):
        Dialog = self.env["garage.loyalty.status.change"]
        dialog = Dialog.create({"member_id": self.member.id, "change": "tier"})
        with self.assertRaisesRegex(UserError, "Choose a tier"):
            dialog.action_apply()
        dialog.write({"tier_id": self.gold.id, "reason": "Rally driver"})
        dialog.action_apply()
        self.assertEqual(self.member.tier_id, self.gold)
        self.assertTrue(self.member.is_tier_fixed)

    def test_advisor_sets_no_tier(self):
        advisor = self._create_user("advisor", USER)
        member = self.member.with_user(advisor)
        for act in (lambda: member._fix_tier(self.gold), member.action_release_tier):
            with self.assertRaises(AccessError):
                act()

    def test_progress_says_what_is_missing_to_the_next_tier_and_to_keep_this_one(self):
        today = self.company._get_loyalty_today()
        self._invoice(self.customer, [(self.labour, 1, 400)], date=today)
        self.assertEqual(self.member.next_tier_id, self.silver)
        self.assertEqual(self.member.tier_progress, 80)
        self.assertIn("100", self.member.tier_missing)
        self._invoice(self.customer, [(self.labour, 1, 200)], date=today)
        self._review(today)
        self.assertEqual(self.member.tier_id, self.silver)
        self.assertEqual(self.member.next_tier_id, self.gold)
        self.assertRegex(self.member.tier_missing, r"400.* or 2 visits")
        self.assertFalse(self.member.tier_kept_until)
        with freeze_time(today + timedelta(days=100)):
            self._review(today + timedelta(days=100))
            self.env.invalidate_all()
            self.assertTrue(self.member.tier_kept_until)
            self.assertIn("500", self.member.tier_to_keep)

    def test_what_is_nearly_reached_is_not_shown_as_reached(self):
        today = self.company._get_loyalty_today()
        self._invoice(self.customer, [(self.labour, 1, 499.9)], date=today)
        self.assertEqual(self.member.tier_progress, 99)

    def test_left_member_and_programme_without_conditions_have_no_progress(self):
        self.member._leave()
        self.assertFalse(self.member.next_tier_id)
        self.program.tier_ids.write({"required_spend": 0, "required_visits": 0})
        other = self._enrol(self.other)
        self.assertFalse(other.next_tier_id)
        self.assertEqual(other.tier_progress, 0)


@tagged("post_install", "-at_install")
class TestTierWarning(GarageLoyaltyCommon):
    """Members are told once before they lose a tier, and what would keep it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.silver.required_spend = 500
        cls.program.write(
            {"tier_months": 3, "tier_grace_days": 10, "tier_warning_days": 14}
        )
        cls.customer.email = "ada@example.com"
        cls.member = cls._enrol(cls.customer)
        with freeze_time("2024-02-10 12:00:00"):
            cls._invoice(cls.customer, date="2024-02-10")
        # The figures suffice until 9 May; the tier is lost on 1 June.

    def _review(self, day):
        self._run_job("ir_cron_review_tiers", f"{day} 12:00:00")

    def _get_mails(self):
        domain = [
            ("model", "=", "garage.loyalty.member"),
            ("res_id", "=", self.member.id),
        ]
        return self.env["mail.mail"].search(domain)

    def test_once_and_some_days_before(self):
        self._review("2024-05-17")
        self.assertFalse(self._get_mails())
        self._review("2024-05-18")
        mail = self._get_mails()
        self.assertIn("Silver", mail.subject)
        self.assertIn("06/01/2024", mail.subject)
        self.assertIn("500.00", mail.body_html)
        self._review("2024-05-20")
        self.assertEqual(self._get_mails(), mail)
        self._review("2024-06-01")
        self.assertEqual(self.member.tier_id, self.bronze)

    def test_whoever_came_back_meanwhile_is_warned_again_next_time(self):
        self._review("2024-05-20")
        self._invoice(self.customer, date="2024-05-21")
        self._review("2024-05-21")
        self.assertFalse(self.member.qualification_ids.date_until)
        self._review("2024-08-21")
        self.assertEqual(len(self._get_mails()), 2)

    def test_nobody_without_address_or_with_a_tier_by_hand(self):
        self.customer.email = False
        self._review("2024-05-18")
        self.customer.email = "ada@example.com"
        self.member._fix_tier(self.silver, reason="Rally driver")
        self._review("2024-05-19")
        self.assertFalse(self._get_mails())

    def test_no_warning_when_the_programme_says_so(self):
        self.program.tier_warning_days = 0
        self._review("2024-05-31")
        self.assertFalse(self._get_mails())


@tagged("post_install", "-at_install")
class TestTierRise(GarageLoyaltyCommon):
    """A higher tier is there at once, in the transaction that suffices for it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.today = cls.company._get_loyalty_today()
        cls.silver.required_spend = 500
        cls.gold.write({"required_spend": 1000, "required_visits": 2, "match": "any"})
        cls.member = cls._enrol(cls.customer)

    def _bill_amount(self, amount, **vals):
        lines = [(self.labour, 1, amount)]
        return self._invoice(self.customer, lines, date=self.today, **vals)

    def test_posting_an_invoice_that_suffices(self):
        self._bill_amount(499)
        self.assertEqual(self.member.tier_id, self.bronze)
        self._bill_amount(1)
        self.assertEqual(self.member.tier_id, self.silver)
        row = self.member.status_ids[0]
        self.assertEqual((row.date, row.spend), (self.today, 500))

    def test_invoices_posted_together_suffice_together(self):
        invoices = self._bill_amount(300, post=False) + self._bill_amount(
            200, post=False
        )
        invoices.action_post()
        self.assertEqual(self.member.tier_id, self.silver)

    def test_second_repair_done_and_billed(self):
        self._visit(self.customer, self.today - timedelta(days=30))
        self.assertEqual(self.member.tier_id, self.bronze)
        self._visit(self.customer, self.today)
        self.assertEqual(self.member.tier_id, self.gold)

    def test_second_repair_billed_then_done(self):
        self._visit(self.customer, self.today - timedelta(days=30))
        repair = self._create_repair(self.customer, hours=1)
        self._bill(repair.sale_order_id, self.today)
        self.assertEqual(self.member.tier_id, self.bronze)
        self._finish(repair)
        self.assertEqual(self.member.tier_id, self.gold)

    def test_points_of_a_paid_invoice_suffice(self):
        self.silver.write({"required_spend": 0, "required_points": 300})
        invoice = self._bill_amount(300)
        self.assertEqual(self.member.tier_id, self.bronze)
        self._pay(invoice)
        self.assertEqual(self.member.tier_id, self.silver)

    def test_visits_that_do_not_count_suffice_for_nothing(self):
        self.program.tier_visit_gap = 7
        self._visit(self.customer, self.today - timedelta(days=5))
        self._visit(self.customer, self.today)
        self.assertEqual(self.member.tier_id, self.bronze)

    def test_tier_set_by_hand_and_suspended_member_stay(self):
        self.member._fix_tier(self.bronze, reason="Asked not to")
        self._bill_amount(5000)
        self.assertEqual(self.member.tier_id, self.bronze)
        other = self._enrol(self.other)
        other._suspend()
        self._invoice(self.other, [(self.labour, 1, 5000)], date=self.today)
        self.assertEqual(other.tier_id, self.bronze)

    def test_draft_again_takes_no_tier_away(self):
        invoice = self._bill_amount(600)
        invoice.button_draft()
        self.assertEqual(self.member.tier_id, self.silver)

    def test_credit_note_of_an_old_invoice_is_known_at_once(self):
        self.program.tier_reviewed_until = self.today
        invoice = self._invoice(
            self.customer,
            [(self.labour, 1, 600)],
            date=self.today - timedelta(days=60),
        )
        self.assertEqual(self.member.tier_id, self.silver)
        self.assertFalse(self.member.tier_kept_until)
        self._credit(invoice, date=self.today)
        self.assertEqual(self.member.tier_id, self.silver)
        self.assertTrue(self.member.tier_kept_until)

    def test_who_may_not_see_members_raises_them_all_the_same(self):
        biller = self._create_user("biller", "account.group_account_invoice")
        invoice = self._bill_amount(600, post=False)
        invoice.with_user(biller).action_post()
        self.assertEqual(self.member.tier_id, self.silver)
