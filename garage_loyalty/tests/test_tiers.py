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

    def test_left_member_and_programme_without_conditions_have_no_progress(self):
        self.member._leave()
        self.assertFalse(self.member.next_tier_id)
        self.program.tier_ids.write({"required_spend": 0, "required_visits": 0})
        other = self._enrol(self.other)
        self.assertFalse(other.next_tier_id)
        self.assertEqual(other.tier_progress, 0)
