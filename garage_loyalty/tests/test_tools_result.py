import doctest

from hypothesis import given, settings
from hypothesis import strategies as st

from odoo.tests import BaseCase, tagged

from ..tools import result as rules
from ..tools import usage
from ..tools.result import FREE, LOSES, OPEN, PAYS, UNKNOWN, Range

check = settings(deadline=None, derandomize=True, max_examples=40, database=None)
money = st.integers(-100_000, 100_000)
effects = st.lists(st.floats(-0.9, 3), min_size=3, max_size=3).map(sorted)


@tagged("post_install", "-at_install")
class TestToolsResult(BaseCase):
    def test_doctests_pass(self):
        for module in (rules, usage):
            self.assertEqual(doctest.testmod(module).failed, 0)

    def test_verdict_follows_the_interval(self):
        for costs, margin, verdict in (
            ([100], None, UNKNOWN),
            ([100], Range(101, 150, 200), PAYS),
            ([100], Range(100, 150, 200), OPEN),
            ([100], Range(0, 50, 100), OPEN),
            ([100], Range(0, 50, 99), LOSES),
            ([], None, FREE),
            ([50, -50], Range(1, 2, 3), FREE),
            ([50, -80], Range(1, 2, 3), FREE),
        ):
            with self.subTest(costs=costs, margin=margin):
                self.assertEqual(rules.result(costs, margin).verdict, verdict)

    def test_return_is_not_stated_without_estimate_or_cost(self):
        self.assertIsNone(rules.result([100], None).roi)
        self.assertIsNone(rules.result([0], Range(1, 2, 3)).roi)
        self.assertIsNone(rules.result([-5], Range(1, 2, 3)).roi)
        self.assertEqual(rules.result([0], Range(1, 2, 3)).net, (1, 2, 3))

    def test_return_where_it_brought_nothing_is_stated(self):
        found = rules.result([100], Range(0, 0, 0))
        self.assertEqual(found.roi, (-100, -100, -100))

    @check
    @given(st.integers(1, 10**6), st.floats(0.01, 3), st.floats(0.01, 1))
    def test_an_effect_is_taken_out_of_what_was_invoiced(self, before, effect, margin):
        found = rules.incremental(before * (1 + effect), margin, [effect] * 3)
        self.assertAlmostEqual(found.mid / (before * effect * margin), 1)

    @check
    @given(st.integers(0, 10**6), effects, st.lists(money, max_size=6))
    def test_intervals_stay_in_order(self, invoiced, effect, costs):
        found = rules.result(costs, rules.incremental(invoiced, 0.5, effect))
        for values in filter(None, (found.margin, found.net, found.roi)):
            self.assertEqual(list(values), sorted(values))
        if found.roi:
            self.assertEqual(found.roi.low > 0, found.verdict == PAYS)
            self.assertEqual(found.roi.high < 0, found.verdict == LOSES)

    @check
    @given(
        st.lists(st.tuples(st.integers(0, 500), st.integers(0, 90)), max_size=8),
        st.integers(0, 5000),
    )
    def test_nothing_counts_twice_over_the_life_of_a_programme(self, spent, unused):
        value = 0.1
        given_points = sum(points for points, _cost in spent) + unused
        cost = given_points * value - unused * value  # what is left expires
        cost += sum(rules.settled(price, points, value) for points, price in spent)
        self.assertAlmostEqual(cost, sum(price for _points, price in spent))

    @check
    @given(st.lists(st.integers(-50, 1000), max_size=9), st.integers(0, 12))
    def test_half_of_the_members_hold_no_more(self, balances, others):
        members = len(balances) + others
        half = usage.held_by_half(balances, members)
        held = [*balances, *[0] * others]
        self.assertGreaterEqual(2 * sum(points <= half for points in held), members)
        self.assertLessEqual(2 * sum(points < half for points in held), members)
