import doctest

from hypothesis import given, settings
from hypothesis import strategies as st

from odoo.tests import BaseCase, tagged

from ..tools import campaigns
from ..tools.campaigns import effect, is_left_out

check = settings(deadline=None, derandomize=True, max_examples=40, database=None)

ids = st.integers(1, 10**9)
groups = st.integers(0, 500).flatmap(
    lambda total: st.tuples(st.integers(0, total), st.just(total))
)


@tagged("post_install", "-at_install")
class TestToolsCampaigns(BaseCase):
    def test_doctests_pass(self):
        self.assertEqual(doctest.testmod(campaigns).failed, 0)

    @check
    @given(ids, ids, st.integers(0, 100))
    def test_left_out_by_a_lower_share_is_left_out_by_a_higher_one(
        self, campaign, customer, percent
    ):
        for more in range(percent, 101, 10):
            if is_left_out(campaign, customer, percent):
                self.assertTrue(is_left_out(campaign, customer, more))

    @check
    @given(ids, st.sampled_from([5, 10, 25, 50, 90]))
    def test_share_left_out_is_near_the_one_asked_for(self, campaign, percent):
        out = sum(is_left_out(campaign, customer, percent) for customer in range(5000))
        self.assertLess(abs(out / 50 - percent), 3)

    @check
    @given(groups, groups)
    def test_effect_is_mirrored_and_its_margin_is_not(self, one, other):
        there, back = effect(one, other), effect(other, one)
        if not one[1] or not other[1]:
            self.assertIsNone(there)
            return
        self.assertAlmostEqual(there[0], -back[0])
        self.assertAlmostEqual(there[1], back[1])
        self.assertTrue(-100 <= there[0] <= 100)
        self.assertGreater(there[1], 0)

    def test_margin_shrinks_with_more_customers(self):
        margins = [effect((3 * n, 10 * n), (2 * n, 10 * n))[1] for n in (1, 10, 100)]
        self.assertEqual(margins, sorted(margins, reverse=True))
