import doctest
from datetime import date
from decimal import Decimal

from freezegun import freeze_time

from odoo.exceptions import AccessError, UserError
from odoo.tests import BaseCase, Form, tagged

from ..tools import conversion as rules
from .common import ACCOUNTANT, MANAGER, GarageLoyaltyCommon

try:
    from hypothesis import given, settings
    from hypothesis import strategies as st
except ImportError:  # a workshop's server has no development tools
    given = None

DAY = "2024-03-10"


@tagged("post_install", "-at_install")
class TestToolsConversion(BaseCase):
    def test_doctests_pass(self):
        result = doctest.testmod(rules)
        self.assertGreater(result.attempted, 0)
        self.assertEqual(result.failed, 0)

    if given:
        values = st.decimals("0.000001", 1000, places=6)

        @settings(deadline=None, max_examples=300)
        @given(st.integers(-(10**6), 10**6), values, values)
        def test_customer_never_loses_and_gains_less_than_a_point(
            self, points, before, after
        ):
            kept = rules.converted(points, before, after)
            self.assertGreaterEqual(kept * after, points * before)
            self.assertLess((kept - 1) * after, points * before)


@tagged("post_install", "-at_install")
class TestConversion(GarageLoyaltyCommon):
    """Balances that keep their worth at a new value of a point."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.startClassPatcher(freeze_time(DAY))
        cls.env.flush_all()
        cls.env.cr.execute("DELETE FROM garage_loyalty_valuation")
        cls.env.invalidate_all()
        cls._spend_without_limits(point_value=0.05)
        cls.ada = cls._enrol(cls.customer)
        cls.bob = cls._enrol(cls.other)
        cls.eve = cls._enrol(cls._create_customer("Eve Customer"))
        cls.ada._post_points("earn", 100, date(2024, 3, 1), expiry="2024-06-30")
        cls.ada._post_points("adjust", 41, date(2024, 3, 2), expiry="2024-12-31")
        cls.bob._post_points("earn", 60, date(2024, 3, 1))
        cls.bob._post_points("clawback", -81, date(2024, 3, 2))

    def _valuate(self, value, keep=True, user=None):
        Valuation = self.env["garage.loyalty.valuation"].with_user(
            user or self.env.user
        )
        return Valuation.create(
            {
                "program_id": self.program.id,
                "point_value": value,
                "keep_balances": keep,
            }
        )

    def _convert(self):
        self._run_job("ir_cron_convert_balances")

    def test_higher_value_takes_points_and_keeps_the_worth(self):
        self._valuate(0.1)
        self._convert()
        self.assertEqual(self.ada.points, 71)
        self.assertEqual(self.bob.points, -10)
        self.assertEqual(self.eve.points, 0)
        self.assertFalse(self.eve.entry_ids)
        self.assertLots(self.ada, (30, "2024-06-30"), (41, "2024-12-31"))
        self.assertSound(self.ada + self.bob)

    def test_lower_value_adds_points_that_live_as_long_as_the_latest(self):
        self._valuate(0.02)
        self._convert()
        self.assertEqual(self.ada.points, rules.converted(141, Decimal(5), Decimal(2)))
        self.assertEqual(self.bob.points, -52)
        lots = self._lots(self.ada)
        self.assertEqual(lots[-1].remaining, 353 - 141)
        self.assertEqual(lots[-1].date_expiry, date(2024, 12, 31))
        self.assertTrue(lots[-1].is_promised)
        self.assertSound(self.ada + self.bob)

    def test_one_entry_for_each_member_says_why(self):
        self._valuate(0.1)
        self._convert()
        self._convert()
        conversion = self.env["garage.loyalty.conversion"].search([])
        self.assertEqual(conversion.state, "done")
        self.assertEqual(conversion.line_ids.member_id, self.ada + self.bob)
        entry = conversion.line_ids.entry_id.filtered(
            lambda entry: entry.member_id == self.ada
        )
        self.assertEqual((entry.kind, entry.points), ("adjust", -70))
        self.assertIn("keeps its worth", entry.reason)
        self.assertEqual(len(self.ada.entry_ids), 3)

    def test_interrupted_job_goes_on_where_it_was(self):
        self._valuate(0.1)
        conversion = self.env["garage.loyalty.conversion"].sudo().search([])
        self.assertEqual(conversion._convert_some(batch=1), 1)
        self.assertEqual(self.ada.points, 71)
        self.assertEqual(self.bob.points, -21)
        self._convert()
        self.assertEqual((self.ada.points, self.bob.points), (71, -10))

    def test_what_is_earned_before_the_job_is_not_converted(self):
        self._valuate(0.1)
        self.ada._post_points("earn", 1000, date(2024, 3, 10))
        self._convert()
        self.assertEqual(self.ada.points, 1071)

    def test_nobody_redeems_before_their_balance_is_converted(self):
        invoice = self._invoice(self.customer, [(self.labour, 1, 100)], post=False)
        self._valuate(0.1)
        with self.assertRaisesRegex(UserError, "converted"):
            self.ada._post_points("redeem", -50, DAY)
        self._convert()
        self._redeem(invoice, 50)
        invoice.action_post()
        self.assertEqual(self.ada.points, 71 - 50)

    def test_account_that_was_merged_meanwhile_is_converted_in_the_other(self):
        self._valuate(0.1)
        self.ada.sudo()._merge_into(self.eve)
        self._convert()
        self.assertEqual(self.eve.points, 71)
        self.assertSound(self.ada + self.eve)

    def test_balances_stay_where_nobody_asks_to_keep_them(self):
        self._valuate(0.1, keep=False)
        self.assertFalse(self.env["garage.loyalty.conversion"].search([]))
        self._convert()
        self.assertEqual(self.ada.points, 141)

    def test_same_value_converts_nothing(self):
        self._valuate(0.05)
        self.assertFalse(self.env["garage.loyalty.conversion"].search([]))

    def test_effect_is_shown_before_saving(self):
        with Form(self.env["garage.loyalty.valuation"]) as form:
            form.program_id = self.program
            form.point_value = 0.1
            form.keep_balances = True
            self.assertEqual(form.kept_text, "2 members: 120 points become 61.")
            tax = 1 + form.tax_percent / 100
            self.assertAlmostEqual(form.effect, (61 * 0.1 - 120 * 0.05) / tax, 2)
            form.keep_balances = False
            self.assertFalse(form.kept_text)

    def test_what_is_owed_hardly_moves(self):
        self._valuate(0.1)
        self._convert()
        Report = self.env["garage.loyalty.roll.forward"]
        [row] = Report._read_group(
            [("program_id", "=", self.program.id)],
            [],
            ["adjusted:sum", "revalued_amount:sum", "closing_amount:sum"],
        )
        self.assertEqual(row[0], 41 - 59)
        worth = 0.1 / (1 + self.program._get_valuation().tax_percent / 100)
        self.assertAlmostEqual(float(row[2]), 61 * worth, 2)

    def test_result_of_the_program_counts_no_conversion(self):
        self._valuate(0.02)
        self._convert()
        issued = self.env["garage.loyalty.result"]._get_points_issued(
            self.company, date(2024, 3, 1), date(2024, 3, 31)
        )
        self.assertEqual(issued[self.program, "adjust"], 41)

    def test_only_managers_keep_balances(self):
        accountant = self._create_user("auditor", ACCOUNTANT)
        with self.assertRaises(AccessError):
            self._valuate(0.1, user=accountant)
        self._valuate(0.1, user=self._create_user("owner", MANAGER))
        self.assertTrue(self.env["garage.loyalty.conversion"].search([]))
