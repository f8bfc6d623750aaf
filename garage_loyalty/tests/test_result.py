from psycopg2.errors import CheckViolation, UniqueViolation

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import Form, tagged
from odoo.tools import mute_logger

from ..tools.result import FREE, LOSES, OPEN, PAYS, UNKNOWN
from .common import ACCOUNTANT, MANAGER, USER, GarageLoyaltyCommon


@tagged("post_install", "-at_install")
class TestResult(GarageLoyaltyCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._spend_without_limits()  # a point is worth 0.10
        cls.member = cls._enrol(cls.customer)
        cls.Result = cls.env["garage.loyalty.result"]

    def _result(self, start="2024-01-01", end="2024-12-31", **vals):
        vals = {"company_id": self.company.id, "date_from": start, **vals}
        result = self.Result.create({**vals, "date_to": end})
        result.flush_recordset()  # as at the end of the request
        return result

    def _estimate(self, *effect):
        """Let the estimate say by what share invoices are higher."""
        self.patch(
            type(self.Result),
            "_get_effect",
            lambda self, company, date_from, date_to: effect,
        )

    def _get_costs(self, result):
        names = ["earned", "given", "expired", "settled", "privileges", "discounts"]
        return [round(result[f"cost_{name}"], 2) for name in names]

    def test_points_cost_their_value_when_they_are_earned(self):
        self._pay(self._invoice(self.customer))
        result = self._result()
        self.assertEqual(self._get_costs(result), [100, 0, 0, 0, 0, 0])
        self.assertEqual((result.cost, result.invoiced), (100, 1000))

    def test_what_a_credit_note_takes_back_costs_nothing(self):
        invoice = self._invoice(self.customer)
        self._pay(invoice)
        self._credit(invoice, 250)
        self.assertEqual(self._result().cost_earned, 75)

    def test_gifts_cost_and_what_expires_does_not(self):
        self.member._post_points("adjust", 300, "2024-02-01", reason="Gift")
        self.member._post_points("expire", -100, "2024-06-30", reason="Expired")
        self.member._post_points("opening", 900, "2024-02-01", reason="Old card")
        result = self._result()
        self.assertEqual(self._get_costs(result), [0, 30, -10, 0, 0, 0])

    def test_points_that_are_spent_are_not_counted_again(self):
        self.member._post_points("adjust", 1000, "2024-01-05", reason="Gift")
        invoice = self._invoice(self.customer, post=False)
        redemption = self._redeem(invoice, 1000)
        invoice.action_post()
        result = self._result()
        net = round(redemption.cost, 2)
        self.assertLess(net, 100)  # the value of a point includes taxes
        self.assertEqual(result.cost_given, 100)
        self.assertAlmostEqual(result.cost_settled, net - 100)
        self.assertAlmostEqual(result.cost, net)

    def test_a_reward_adds_what_it_costs_beyond_its_points(self):
        self.part.standard_price = 30
        reward = self.env["garage.loyalty.reward"].create(
            {
                "name": "Free pads",
                "program_id": self.program.id,
                "kind": "product",
                "product_id": self.part.id,
                "points": 100,
            }
        )
        self.member._post_points("adjust", 100, "2024-01-05", reason="Gift")
        invoice = self._invoice(self.customer, post=False)
        wizard = self.env["garage.loyalty.redeem"].create({"move_id": invoice.id})
        wizard.write({"kind": "reward", "reward_id": reward.id})
        wizard.action_redeem()
        invoice.action_post()
        result = self._result()
        self.assertEqual(self._get_costs(result), [0, 10, 0, 20, 0, 0])
        self.assertEqual(result.cost, 30)

    def test_only_the_period_counts(self):
        self._pay(self._invoice(self.customer, date="2024-02-01"))
        self._pay(self._invoice(self.customer, date="2024-05-01"))
        self.assertEqual(self._result("2024-02-01", "2024-02-29").cost, 100)
        self.assertEqual(self._result("2024-02-02", "2024-04-30").cost, 0)

    def test_without_an_estimate_nothing_is_said_of_the_return(self):
        self._pay(self._invoice(self.customer))
        result = self._result()
        self.assertEqual(result.verdict, UNKNOWN)
        self.assertFalse(result.is_estimated)
        self.assertEqual((result.roi, result.net), (0, 0))
        self.assertIn("not estimated yet", result.explanation)

    def _repair(self):
        """Let the member have repairs worth 1,000, which earn points worth 100."""
        self._pay(self._visit(self.customer, parts=8, hours=6)[1])

    def _report(self, day, verdict="more", **vals):
        """Return an honest estimate that was computed on visits until a day."""
        vals = {"effect_low": 10, "effect": 25, "effect_high": 50, **vals}
        Estimate = self.env["garage.loyalty.estimate"].sudo()
        return Estimate.create(
            {
                "company_id": self.company.id,
                "date_to": day,
                "state": "done",
                "verdict": verdict,
                **vals,
            }
        )

    def test_effect_is_that_of_the_last_estimate_before_the_end(self):
        self._repair()
        self.company.loyalty_margin_percent = 50
        self._report("2024-03-31", effect=100)
        used = self._report("2024-11-30")
        self._report("2025-01-31", effect=200)
        result = self._result()
        self.assertEqual(result.estimate_id, used)
        self.assertAlmostEqual(result.margin, 100)
        self.assertAlmostEqual(result.margin_low, 500 * 0.1 / 1.1, 2)
        self.assertAlmostEqual(result.margin_high, 500 * 0.5 / 1.5, 2)

    def test_margin_is_brought_by_what_the_estimate_is_about(self):
        self._report("2024-11-30")
        self._repair()
        margin = self._result().margin
        self._invoice(self.customer)
        self._visit(self.customer, under_warranty=True)
        firm = self._create_customer("Firm", is_company=True)
        self._enrol(firm)
        self._visit(firm)
        result = self._result("2024-01-02")
        self.assertEqual(result.repaired, 1000)
        self.assertGreater(result.invoiced, 2000)
        self.assertEqual(result.margin, margin)

    def test_period_before_all_estimates_takes_the_first(self):
        self._pay(self._invoice(self.customer))
        first = self._report("2025-01-31")
        self._report("2025-02-28", effect=200)
        self.assertEqual(self._result().estimate_id, first)

    def test_estimate_of_too_few_customers_says_nothing(self):
        self._pay(self._invoice(self.customer))
        self._report("2024-11-30", "few")
        result = self._result()
        self.assertEqual(result.verdict, UNKNOWN)
        self.assertFalse(result.estimate_id)

    def test_return_follows_the_estimate_and_its_interval(self):
        self.company.loyalty_margin_percent = 40
        self._repair()
        for effect, verdict, roi in (
            ((1.0, 1.0, 1.0), PAYS, 100),
            ((0.0, 1.0, 3.0), OPEN, 100),
            ((-0.2, 0.0, 0.25), LOSES, -100),
        ):
            with self.subTest(effect=effect):
                self._estimate(*effect)
                result = self._result()
                self.assertEqual(result.verdict, verdict)
                self.assertAlmostEqual(result.roi, roi)
                self.assertLessEqual(result.roi_low, result.roi)
                self.assertGreaterEqual(result.roi_high, result.roi)
                self.assertIn(
                    f"{'+' if roi > 0 else chr(0x2212)}100%", result.explanation
                )
                result.unlink()

    def test_rewards_are_not_deducted_twice(self):
        """What they took off is a cost: the margin is that of the amount before."""
        self.member._post_points("adjust", 1000, "2024-01-05", reason="Gift")
        invoice = self._invoice(self.customer, post=False)
        self._redeem(invoice, 1000)
        invoice.action_post()
        self.assertEqual(self._result().invoiced, 1000)

    def test_a_period_without_anything_cost_nothing(self):
        result = self._result("2020-01-01", "2020-03-31")
        self.assertEqual((result.verdict, result.cost), (FREE, 0))
        self.assertIn("cost nothing", result.explanation)

    def test_a_result_stays_as_it_was_until_it_is_computed_again(self):
        self._pay(self._invoice(self.customer))
        result = self._result()
        self._pay(self._invoice(self.customer))
        self.program.point_value = 1
        self.company.loyalty_margin_percent = 10
        result.invalidate_recordset()
        self.assertEqual((result.cost, result.margin_percent), (100, 50))
        result.action_recompute()
        self.assertEqual((result.cost, result.margin_percent), (2000, 10))

    def test_figures_cannot_be_typed(self):
        result = self._result("2020-01-01", "2020-03-31", cost=5, verdict=PAYS)
        self.assertEqual((result.cost, result.verdict), (0, FREE))
        manager = self._create_user("manager", MANAGER)
        with self.assertRaises(AccessError):
            result.with_user(manager).cost = 5

    def test_a_period_has_one_result_and_an_end(self):
        self._result()
        with self.assertRaises(UniqueViolation), mute_logger("odoo.sql_db"):
            self._result()

    def test_a_period_cannot_end_before_it_starts(self):
        with (
            self.assertRaises(CheckViolation),
            mute_logger("odoo.sql_db"),
            self.cr.savepoint(),
        ):
            self._result("2024-02-01", "2024-01-01")

    def test_form_shows_the_last_quarter_before_it_is_saved(self):
        self._pay(self._invoice(self.customer))
        manager = self._create_user("manager", MANAGER)
        with Form(self.Result.with_user(manager)) as form:
            end = form.date_to
            self.assertEqual(end, fields.Date.end_of(end, "quarter"))
            self.assertLess(end, fields.Date.today())
            self.assertEqual(form.cost, 0)
            form.date_to = False
            self.assertFalse(form.explanation)
            form.date_from, form.date_to = "2024-01-01", "2024-12-31"
            self.assertEqual(form.cost, 100)
        self.assertEqual(form.record.cost, 100)

    def test_text_says_when_the_period_is_not_over(self):
        today = fields.Date.today()
        over = self._result("2024-01-01", "2024-12-31")
        running = self._result(today, fields.Date.add(today, days=9))
        self.assertNotIn("not over", over.explanation)
        self.assertIn("not over", running.explanation)

    # -- rights -----------------------------------------------------------------------

    def test_accountant_reads_and_changes_nothing(self):
        self._pay(self._invoice(self.customer))
        result = self._result()
        theirs = result.with_user(self._create_user("auditor", ACCOUNTANT))
        self.assertEqual(theirs.cost, 100)
        self.assertTrue(theirs.explanation)
        for change in (theirs.action_recompute, theirs.unlink):
            with self.assertRaises(AccessError):
                change()

    def test_advisor_sees_nothing(self):
        result = self._result()
        theirs = result.with_user(self._create_user("advisor", USER))
        with self.assertRaises(AccessError):
            theirs.mapped("cost")

    def test_figures_of_another_company_are_not_told(self):
        elsewhere = self.setup_other_company()["company"]
        manager = self._create_user("manager", MANAGER)
        Result = self.Result.with_user(manager)
        vals = {
            "company_id": elsewhere.id,
            "date_from": "2024-01-01",
            "date_to": "2024-12-31",
        }
        for make in (Result.new, Result.create):
            with self.subTest(make=make), self.assertRaises(AccessError):
                make(vals).mapped("cost")

    def test_result_opens_what_was_given(self):
        self.member._post_points("adjust", 1000, "2024-01-05", reason="Gift")
        invoice = self._invoice(self.customer, post=False)
        self._redeem(invoice, 1000)
        invoice.action_post()
        action = self._result().action_open_uses()
        uses = self.env[action["res_model"]].search(action["domain"])
        self.assertEqual(uses.mapped("kind"), ["money"])
