import doctest
import random
from decimal import Decimal

from odoo.tests import BaseCase, tagged

from ..tools import deferral as rules
from ..tools.deferral import Cohort
from ..tools.liability import rounded

try:
    from hypothesis import given, settings
    from hypothesis import strategies as st
except ImportError:  # a workshop's server has no development tools
    given = None

INVOICES = 100_000


@tagged("post_install", "-at_install")
class TestToolsDeferral(BaseCase):
    def test_doctests_pass(self):
        result = doctest.testmod(rules)
        self.assertGreater(result.attempted, 0)
        self.assertEqual(result.failed, 0)

    # -- golden values --------------------------------------------------------------

    def test_example_52_of_ifrs_15_is_met_in_every_period(self):
        goods, points = rules.allocate(Decimal(100000), [100000, 9500], 0)
        self.assertEqual((goods, points), (91324, 8676))
        first, second = Cohort(10000, 4500, 5500), Cohort(10000, 8500, 1500)
        before = rounded(rules.recognised(points, first, Decimal(95)), 0)
        self.assertEqual(before, 4110)
        self.assertEqual(rules.owed(points, first, Decimal(95), 0), 4566)
        after = rounded(rules.recognised(points, second, Decimal(97)), 0)
        self.assertEqual(after - before, 3493)
        self.assertEqual(rules.owed(points, second, Decimal(97), 0), 1073)

    def test_change_of_what_is_expected_is_caught_up_with(self):
        first, second = Cohort(10000, 4500, 5500), Cohort(10000, 8500, 1500)
        for rate, released in ((99, 3552), (92, 4140)):
            before = rules.recognised(Decimal(9000), first, Decimal(97))
            self.assertEqual(rounded(before, 0), 4175)
            after = rules.recognised(Decimal(9000), second, Decimal(rate))
            self.assertEqual(rounded(after, 0) - rounded(before, 0), released)

    def test_sale_of_2000_with_200_points_defers_156_68(self):
        found = rules.deferred(Decimal(2000), 200, Decimal("0.85"), 2)
        self.assertEqual(found, Decimal("156.68"))

    # -- sums -----------------------------------------------------------------------

    def test_goods_and_points_of_any_invoice_sum_to_it_to_the_cent(self):
        rng = random.Random(7)
        for _invoice in range(INVOICES):
            digits = rng.choice((0, 2, 3))
            total = Decimal(rng.randrange(0, 10**8)).scaleb(-digits)
            price = Decimal(rng.randrange(0, 10**9)).scaleb(-rng.randrange(2, 8))
            parts = rules.allocate(total, [total, price], digits)
            self.assertEqual(sum(parts), total)
            self.assertEqual(parts, [rounded(part, digits) for part in parts])
            self.assertTrue(all(0 <= part <= total for part in parts))

    def test_sale_for_nothing_and_points_worth_nothing_defer_nothing(self):
        self.assertEqual(rules.deferred(Decimal(0), 10, Decimal(1), 2), 0)
        self.assertEqual(rules.deferred(Decimal(10), 10, Decimal(0), 2), 0)
        self.assertEqual(rules.deferred(Decimal(-10), 0, Decimal(1), 2), 0)

    # -- recognition ----------------------------------------------------------------

    def test_expected_is_at_least_redeemed_and_at_most_possible(self):
        for cohort, rate, expected in (
            (Cohort(100, 0, 100), 80, 80),
            (Cohort(100, 90, 10), 80, 90),
            (Cohort(100, 10, 20), 80, 30),
            (Cohort(100, 10, 0), 80, 10),
            (Cohort(0, 0, 0), 80, 0),
            (Cohort(100, 0, 100), 0, 0),
        ):
            with self.subTest(cohort=cohort, rate=rate):
                self.assertEqual(rules.expected(cohort, Decimal(rate)), expected)

    def test_everything_is_revenue_when_nothing_is_left(self):
        for redeemed in (0, 1, 60, 100):
            cohort = Cohort(100, redeemed, 0)
            self.assertEqual(rules.owed(Decimal("7.77"), cohort, Decimal(80), 2), 0)

    def test_credit_notes_take_their_part_of_what_was_deferred(self):
        for net, expected in ((40, 100), (30, 75), (0, 0), (-5, 0), (60, 100)):
            self.assertEqual(rules.kept(Decimal(100), 40, net), expected)


if given:
    amounts = st.decimals(0, 10**7, places=3)
    counts = st.integers(0, 10**6)

    @tagged("post_install", "-at_install")
    class TestToolsDeferralProperties(BaseCase):
        @settings(deadline=None, max_examples=300)
        @given(
            st.decimals(-(10**7), 10**7, places=3),
            st.lists(st.integers(0, 10**9), min_size=1, max_size=6),
            st.sampled_from([0, 2, 3]),
        )
        def test_parts_sum_to_the_whole_and_are_off_by_less_than_a_unit(
            self, total, prices, digits
        ):
            parts = rules.allocate(total, prices, digits)
            whole = rounded(total, digits)
            self.assertEqual(sum(parts), whole)
            unit = Decimal(1).scaleb(-digits)
            for part, price in zip(parts, prices, strict=True):
                if sum(prices):
                    exact = whole * price / sum(prices)
                    self.assertLess(abs(part - exact), unit)

        @settings(deadline=None, max_examples=300)
        @given(amounts, counts, counts, counts, st.integers(0, 100))
        def test_owed_is_between_nothing_and_all_and_falls_as_points_are_redeemed(
            self, allocated, redeemed, left, lost, rate
        ):
            earned = redeemed + left + lost
            cohort = Cohort(earned, redeemed, left)
            owed = rules.owed(allocated, cohort, Decimal(rate), 2)
            self.assertGreaterEqual(owed, 0)
            self.assertLessEqual(owed, rounded(allocated, 2))
            if left:
                later = Cohort(earned, redeemed + 1, left - 1)
                after = rules.owed(allocated, later, Decimal(rate), 2)
                self.assertLessEqual(after, owed + Decimal("0.01"))
