from datetime import date
from unittest.mock import patch

from freezegun import freeze_time
from psycopg2 import IntegrityError

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..tools.movement import month_number
from .common import ACCOUNTANT, MANAGER, USER, GarageLoyaltyCommon

MARCH = month_number(date(2024, 3, 1))


class ReviewCommon(GarageLoyaltyCommon):
    """A workshop whose first member joined in January 2024; it is April."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.startClassPatcher(freeze_time("2024-04-20"))
        cls._spend_without_limits()  # a point is worth 0.10
        cls.Review = cls.env["garage.loyalty.review"].sudo()
        cls.bystanders = cls.company._get_loyalty_managers()
        cls.manager = cls._create_user("review_manager", MANAGER)
        cls.manager.email = "manager@example.com"

    @classmethod
    def _come(cls):
        """Let a member come twice and pay, and others once; two are asked to join."""
        member = cls._enrol(cls.customer, date="2024-01-15")
        for day in ("2024-03-01", "2024-03-31"):
            cls._pay(cls._visit(cls.customer, day, parts=2, hours=2)[1], date=day)
        cls._visit(cls.other, "2024-03-10", parts=2, hours=1, loyalty_offer="declined")
        third = cls._create_customer("Third Customer")
        cls._visit(third, "2024-03-12", parts=2, hours=0)
        cls._visit(third, "2024-04-01", parts=2, hours=9)
        firm = cls._create_customer("Firm", is_company=True)
        cls._visit(firm, "2024-03-12", parts=20, hours=9)
        cls._visit(cls.other, "2024-03-20", under_warranty=True)
        member._post_points("expire", -50, "2024-03-31", reason="Expired")
        cls.env["garage.loyalty.changed.customer"]._process()
        cls.env.flush_all()

    def _record(self, first=MARCH, last=None):
        return self.Review._record(self.company, first, last or first)


@tagged("post_install", "-at_install")
class TestReview(ReviewCommon):
    def assertFigures(self, review, **figures):
        for name, expected in figures.items():
            with self.subTest(name=name):
                # Percentages are kept to one decimal.
                self.assertAlmostEqual(review[name], expected, delta=0.05)

    def test_figures_are_those_of_the_period(self):
        self._come()
        review = self._record()
        self.assertEqual(
            (review.date_from, review.date_to), (date(2024, 3, 1), date(2024, 3, 31))
        )
        self.assertFigures(
            review,
            member_visits=2,
            member_customers=1,
            member_aro=300,
            other_visits=2,
            other_customers=2,
            other_aro=150,
            aro_lead=100,
            visit_share=50,
            amount_share=100 * 600 / 900,
            could_ask=3,
            asked=1,
            accepted=0,
            asking_rate=100 / 3,
            conversion_rate=0,
            joined=0,
            members=1,
            active_members=1,
            use_rate=100,
            earned=self.member_points(),
            redeemed=0,
            breakage_rate=100 * 50 / self.member_points(),
            cost=(self.member_points() - 50) * 0.1,
        )
        self.assertEqual(review.currency_id, self.company.currency_id)
        self.assertEqual(review.result_verdict, "unknown")

    def member_points(self):
        """Return the points that the ledger says were earned."""
        entries = self.env["garage.loyalty.entry"].search(
            [("member_id.partner_id", "=", self.customer.id), ("kind", "=", "earn")]
        )
        return sum(entries.mapped("points"))

    def test_quarter_counts_its_three_months(self):
        self._come()
        review = self._record(MARCH - 2, MARCH)
        self.assertEqual(review.period, "quarter")
        self.assertEqual(review.date_from, date(2024, 1, 1))
        self.assertFigures(review, joined=1, member_visits=2, other_visits=2)

    def test_what_there_is_no_figure_of_is_no_nought(self):
        review = self._record()
        self.env.flush_all()
        self.env.cr.execute(
            "SELECT aro_lead, frequency_ratio, use_rate, conversion_rate, roi, effect "
            "FROM garage_loyalty_review WHERE id = %s",
            [review.id],
        )
        self.assertEqual(set(self.env.cr.fetchone()), {None})

    def test_period_in_which_nothing_happened_cannot_be_told(self):
        review = self._record()
        parts = ("aro", "frequency", "enrolment", "use", "result")
        self.assertEqual({review[f"{part}_state"] for part in parts}, {"unknown"})
        self.assertEqual(review.state, "unknown")
        self.assertEqual(review.headline, "Nothing can be told yet")

    def test_frequency_is_that_of_twelve_months(self):
        for month in range(5):
            self._visit(self.other, date(2022 + month // 12, 1 + month, 5))
        self._enrol(self.customer, date="2023-05-01")
        for day in ("2023-06-01", "2023-07-01", "2024-03-30"):
            self._visit(self.customer, day)
        self._visit(self.other, "2024-02-01")
        review = self._record()
        self.assertFigures(
            review,
            member_frequency=3,
            other_frequency=1,
            frequency_ratio=3,
            frequency_goal=2,
            frequency_members=1,
            frequency_others=1,
        )
        self.assertEqual(review.frequency_state, "unknown")  # two customers

    def test_branch_counts_with_its_company(self):
        self.program.share_branches = True
        branch = self.env["res.company"].create(
            {"name": "Branch", "parent_id": self.company.id}
        )
        self.env.user.company_ids += branch
        self._come()
        before = self._record(MARCH - 1).other_visits
        self.env["garage.loyalty.visit"].sudo().create(
            {
                "kind": "repair",
                "company_id": branch.id,
                "partner_id": self.other.id,
                "date": "2024-03-05",
                "amount": 100,
                "amount_labour": 100,
            }
        )
        self.assertEqual(before, 0)
        self.assertEqual(self._record().other_visits, 3)

    def test_estimate_is_kept_with_the_review(self):
        report = (
            self.env["garage.loyalty.estimate"]
            .sudo()
            .create(
                {
                    "company_id": self.company.id,
                    "date_to": "2024-03-31",
                    "state": "done",
                    "verdict": "more",
                    "effect": 5,
                    "effect_low": 4,
                    "effect_high": 6,
                }
            )
        )
        self._come()
        review = self._record()
        self.assertEqual(review.estimate_id, report)
        self.assertEqual(review.aro_state, "good")
        self.assertIn("4.0%", review.explanation)
        self.assertTrue(review.roi)

    def test_review_is_judged_part_by_part(self):
        self._come()
        review = self._record()
        self.assertEqual(
            [review[f"{part}_state"] for part in ("aro", "enrolment", "result")],
            ["unknown", "poor", "unknown"],
        )
        self.assertEqual(review.state, "poor")
        self.assertEqual(review.headline, "To look at: Joining")

    # -- words ------------------------------------------------------------------

    def test_words_say_each_figure_and_what_to_do(self):
        self._come()
        text = self._record().explanation
        for words in (
            "300.00",
            "+100.0%",
            "too few customers yet",
            "At 3 visits a customer could be asked to join, at 1 one was",
            "Customers are not asked",
            "Joined: 0. Left: 0.",
            "Of 1 members 1 earned",
            "not estimated yet",
        ):
            self.assertIn(words, text)

    def test_words_compare_with_the_period_before(self):
        self._come()
        february, march = self._record(MARCH - 1), self._record()
        self.assertNotIn("January 2024:", february.explanation)
        self.assertNotIn("February 2024: 0", march.explanation)
        april = self._record(MARCH + 1)
        self.assertIn("March 2024:", april.explanation)

    def test_words_of_every_state_can_be_said(self):
        self._come()
        vals = {
            "company_id": self.company.id,
            "currency_id": self.company.currency_id.id,
            "period": "month",
        }
        parts = ("aro", "frequency", "enrolment", "use", "result")
        figures = {
            name: 7
            for name, field in self.Review._fields.items()
            if field.type in ("float", "integer", "monetary") and name != "id"
        }
        for number, state in enumerate(("good", "poor", "unknown")):
            for effect in ("more", "less", "open", "few"):
                for verdict in ("pays", "loses", "open", "unknown", "free"):
                    review = self.Review.new(
                        {
                            **vals,
                            **figures,
                            **{f"{part}_state": state for part in parts},
                            "date_from": date(2020 + number, 1, 1),
                            "date_to": date(2020 + number, 1, 31),
                            "state": state,
                            "effect_verdict": effect,
                            "result_verdict": verdict,
                        }
                    )
                    self.assertTrue(review._get_explanation())
                    self.assertEqual("<em>" in review._get_advice(), state == "poor")

    def test_name_of_a_company_is_escaped_in_words(self):
        self.company.currency_id.symbol = "<b>"
        self._come()
        self.assertNotIn("<b>", self._record().explanation)

    # -- what was reviewed stays ------------------------------------------------

    def test_figures_cannot_be_changed_or_removed(self):
        review = self._record()
        with self.assertRaisesRegex(UserError, "kept as it was"):
            review.aro_lead = 99
        with self.assertRaisesRegex(UserError, "kept as it was"):
            review.unlink()
        review.message_post(body="Seen")
        self.assertIn("Seen", review.message_ids[0].body)

    def test_later_invoices_change_nothing(self):
        self._come()
        review = self._record()
        before = review.read(["member_aro", "could_ask", "cost", "explanation"])
        self._visit(self.other, "2024-03-30", parts=9, hours=9)
        self.program.point_value = 5
        self.company.loyalty_asking_target = 10
        review.invalidate_recordset()
        self.assertEqual(
            review.read(["member_aro", "could_ask", "cost", "explanation"]), before
        )

    def test_period_is_reviewed_once(self):
        self._record()
        with (
            self.assertRaises(IntegrityError),
            mute_logger("odoo.sql_db"),
            self.env.cr.savepoint(),
        ):
            self._record()

    def test_goal_that_cannot_be_is_refused(self):
        for name in ("asking", "conversion", "use"):
            with (
                self.subTest(name=name),
                self.assertRaises(IntegrityError),
                mute_logger("odoo.sql_db"),
                self.env.cr.savepoint(),
            ):
                self.company.write({f"loyalty_{name}_target": 101})


@tagged("post_install", "-at_install")
class TestReviewJob(ReviewCommon):
    def _run(self):
        with self.enter_registry_test_mode():
            self.env.ref(
                "garage_loyalty.ir_cron_review_program"
            ).method_direct_trigger()

    def _get_mails(self):
        return self.env["mail.mail"].search(
            [
                ("model", "=", "garage.loyalty.review"),
                ("res_id", "in", self._rows().ids),
                ("recipient_ids", "in", self.manager.partner_id.ids),
            ]
        )

    def _rows(self):
        return self.Review.search([("company_id", "=", self.company.id)])

    def test_months_since_the_first_member_are_reviewed_once(self):
        self._come()
        self._run()
        self._run()
        self.assertEqual(
            self._rows().mapped("date_from"), [date(2024, 3, 1), date(2024, 2, 1)]
        )

    def test_managers_hear_of_the_last_period_only_once(self):
        self._come()
        self._run()
        self._run()
        march, february = self._rows()
        self.assertEqual(march.told_date, date(2024, 4, 20))
        self.assertFalse(february.told_date)
        [mail] = self._get_mails()
        self.assertEqual(mail.res_id, march.id)
        self.assertEqual(mail.recipient_ids, self.manager.partner_id)
        self.assertIn("March 2024: To look at: Joining", mail.subject)
        self.assertIn("Customers are not asked", mail.body_html)
        self.assertIn(f"/odoo/loyalty-reviews/{march.id}", mail.body_html)
        activity = march.activity_ids.filtered(lambda a: a.user_id == self.manager)
        self.assertEqual(len(march.activity_ids), 1 + len(self.bystanders))
        self.assertIn("Customers are not asked", activity.note)

    def test_review_without_anything_poor_gives_no_activity(self):
        self._come()
        self.company.loyalty_asking_target = 0
        self._run()
        self.assertFalse(self._rows().activity_ids)
        self.assertEqual(len(self._get_mails()), 1)

    def test_quarters_are_reviewed_where_they_are_chosen(self):
        self.company.loyalty_review_period = "quarter"
        self._enrol(self.customer, date="2023-11-15")
        self._run()
        [review] = self._rows()
        self.assertEqual(review.date_from, date(2024, 1, 1))
        self.assertIn("Q1 2024", review.display_name)

    def test_nothing_is_reviewed_where_it_is_switched_off(self):
        self._come()
        self.company.loyalty_review_period = "none"
        self._run()
        self.assertFalse(self._rows())

    def test_month_waits_for_late_invoices(self):
        self._come()
        with freeze_time("2024-04-05"):
            self._run()
        self.assertEqual(max(self._rows().mapped("date_from")), date(2024, 2, 1))

    def test_company_without_managers_is_told_when_there_is_one(self):
        self._come()
        self.manager.active = False
        nobody = self.env["res.users"]
        with patch.object(
            type(self.company), "_get_loyalty_managers", lambda _company: nobody
        ):
            self._run()
        self.assertFalse(self._get_mails())
        self.manager.active = True
        self._run()
        self.assertEqual(len(self._get_mails()), 1)

    def test_manager_reads_in_his_own_language(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        self.manager.lang = "fr_FR"
        self._come()
        self._run()
        self.assertIn("mars 2024", self._get_mails().subject)

    def test_second_company_has_reviews_of_its_own_in_its_currency(self):
        elsewhere = self.setup_other_company()["company"]
        elsewhere.currency_id = self.env.ref("base.CHF")
        program = self.program.copy({"company_id": elsewhere.id})
        self.env["garage.loyalty.member"].with_company(elsewhere).create(
            {
                "partner_id": self.other.id,
                "program_id": program.id,
                "date_joined": "2024-02-15",
            }
        )
        self._come()
        self._run()
        theirs = self.Review.search([("company_id", "=", elsewhere.id)])
        self.assertEqual(theirs.mapped("date_from"), [date(2024, 3, 1)])
        self.assertEqual(theirs.currency_id, self.env.ref("base.CHF"))
        self.assertFalse(theirs.member_visits)
        self.assertEqual(len(self._rows()), 2)

    # -- people -----------------------------------------------------------------

    def test_manager_reviews_at_once_and_others_may_not(self):
        self._come()
        mine = self.env["garage.loyalty.review"].with_user(self.manager)
        action = mine.with_company(self.company).action_review_now()
        self.assertEqual(action["res_model"], "garage.loyalty.review")
        self.assertEqual(len(self._rows()), 2)
        self.assertFalse(self._get_mails())
        for login, group in (("books", ACCOUNTANT), ("advisor", USER)):
            user = self._create_user(f"review_{login}", group)
            with self.assertRaises(AccessError):
                mine.with_user(user).action_review_now()

    def test_manager_reads_and_comments_but_writes_no_figures(self):
        review = self._record().with_user(self.manager)
        self.assertTrue(review.explanation)
        with self.assertRaises(AccessError):
            review.write({"told_date": "2024-01-01"})
        with self.assertRaises(AccessError):
            review.create({"company_id": self.company.id})
        review.message_post(body="Let us talk about it")
