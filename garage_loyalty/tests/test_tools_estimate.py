import doctest
from math import log

from hypothesis import given, settings
from hypothesis import strategies as st

from odoo.tests import BaseCase, tagged

from ..tools import estimate as rules
from ..tools import holdout

check = settings(deadline=None, derandomize=True, max_examples=40, database=None)
changes = st.lists(st.floats(-3, 3), min_size=30, max_size=50)
visits = st.lists(st.integers(0, 20), min_size=30, max_size=50)
answers = st.lists(st.booleans(), min_size=30, max_size=50)
orders = st.tuples(st.floats(1, 1000), st.integers(1, 9))
sales = st.lists(orders, min_size=30, max_size=50)


def make_sales(number, factor):
    """Revenue and orders of some customers."""
    return [
        (factor * (50 + place * 37 % 101) * (1 + place % 4) ** 0.5, 1 + place % 4)
        for place in range(number)
    ]


def make_changes(number, more):
    return [more + (place * 53 % 97 - 48) / 100 for place in range(number)]


def make_rates(number, more):
    return [
        rules.Rate(
            1 + place % 5,
            place * 7 % 6 + more * (place % 2),
            1 - (place % 3) / 4 * (more == 0),
        )
        for place in range(number)
    ]


def make_visits(number, more):
    return [place * 11 % 5 + more * (place % 3 == 0) for place in range(number)]


def make_answers(yes, number):
    return [True] * yes + [False] * (number - yes)


@tagged("post_install", "-at_install")
class TestToolsEstimate(BaseCase):
    def _check(self, found, expected):
        """Compare value, low and high."""
        values = found.value, found.low, found.high
        for value, wanted in zip(values, expected, strict=True):
            self.assertAlmostEqual(value, wanted, 9)

    def test_doctests_pass(self):
        for module in (rules, holdout):
            result = doctest.testmod(module)
            self.assertGreater(result.attempted, 0)
            self.assertEqual(result.failed, 0)

    # -- reference values, by statsmodels 0.15.0 with scipy 1.17.1 -----------------

    def test_ratio_as_statsmodels_has_it(self):
        # WLS of revenue on orders, weights 1/orders, cov_type="HC1"
        found = rules.ratio(make_sales(60, 1.0))
        self.assertAlmostEqual(found.value, 61.406501631345, 9)
        self.assertAlmostEqual(found.variance, 8.255591506482, 9)
        self.assertEqual(found.customers, 60)

    def test_gap_as_statsmodels_has_it(self):
        # GLM Poisson with a constant, offset log(orders), cov_type="HC0", of each
        # group; variances × n/(n − 1), 1.96 standard errors, exp − 1
        self._check(
            rules.gap(make_sales(60, 1.1), make_sales(80, 1.0)),
            (0.102869504469, -0.025419341283, 0.248045641998),
        )

    def test_effect_as_statsmodels_has_it(self):
        # CompareMeans.zconfint_diff(usevar="unequal"), alpha of 1.96, exp − 1
        self._check(
            rules.effect(make_changes(60, 0.15), make_changes(80, 0.02)),
            (0.123557510467, 0.021980490267, 0.235230507187),
        )

    def test_effect_on_rate_as_statsmodels_has_it(self):
        # GLM Poisson on visits before and after, offset log(years), cov_type="cluster"
        # by customer without correction, of each group; then as for the gap
        self._check(
            rules.effect_on_rate(make_rates(60, 1), make_rates(80, 0)),
            (-0.077806122449, -0.316123005992, 0.243559229575),
        )

    def test_visits_gap_as_statsmodels_has_it(self):
        # CompareMeans.zconfint_diff(usevar="unequal"), alpha of 1.96
        self._check(
            holdout.visits_gap(make_visits(60, 1), make_visits(80, 0)),
            (0.333333333333, -0.158549506597, 0.825216173263),
        )

    def test_shares_gap_as_statsmodels_has_it(self):
        # confint_proportions_2indep(method="newcomb", compare="diff"), alpha of 1.96
        for invited, held_out, expected, verdict in (
            ((45, 60), (40, 80), (0.25, 0.087464228021, 0.391288500473), "more"),
            ((0, 30), (3, 30), (-0.1, -0.256214413153, 0.031009109743), "open"),
            ((30, 30), (24, 40), (0.4, 0.222451306896, 0.554043801726), "more"),
            ((5, 1000), (20, 1000), (-0.015, -0.02606684901, -0.005332135418), "less"),
        ):
            with self.subTest(invited=invited, held_out=held_out):
                found = holdout.shares_gap(
                    make_answers(*invited), make_answers(*held_out)
                )
                self._check(found, expected)
                self.assertEqual(found.verdict, verdict)

    # -- what is not said -----------------------------------------------------------

    def test_nothing_is_said_below_thirty_customers_a_side(self):
        rates = [rules.Rate(1, 2)] * 40
        for function, values in (
            (rules.gap, [(10, 1)] * 40),
            (rules.effect, [0.5] * 40),
            (rules.effect_on_rate, rates),
            (holdout.visits_gap, [1] * 40),
            (holdout.visits_change, [1] * 40),
            (holdout.shares_gap, [True] * 40),
        ):
            with self.subTest(function=function.__name__):
                for ours, theirs in ((29, 40), (40, 29), (0, 40), (0, 0)):
                    self.assertEqual(
                        function(values[:ours], values[:theirs]),
                        rules.Estimate(None, None, None, ours, theirs, "few"),
                    )
                self.assertEqual(function(values[:30], values[:30]).verdict, "open")

    def test_ratio_without_orders_or_with_one_customer(self):
        self.assertIsNone(rules.ratio([]))
        self.assertIsNone(rules.ratio([(5, 0), (0, 0)]))
        one = rules.ratio([(5, 2)])
        self.assertEqual((one.value, one.variance, one.interval), (2.5, None, None))

    def test_percent_of_nothing_is_not_said(self):
        nothing, something = [(0, 1)] * 30, [(9, 1)] * 30
        self.assertEqual(rules.gap(something, nothing).verdict, "few")
        self.assertEqual(rules.gap(nothing, something).verdict, "few")
        never, always = [rules.Rate(0, 1)] * 30, [rules.Rate(1, 0)] * 30
        self.assertEqual(rules.effect_on_rate(never, always).verdict, "few")
        self.assertEqual(holdout.visits_change([1] * 30, [0] * 30).verdict, "few")

    def test_verdict_is_open_while_the_interval_contains_zero(self):
        for low, high, verdict in (
            (0, 1, "open"),
            (1e-12, 1e-12, "open"),
            (-1, 0, "open"),
            (1e-6, 1, "more"),
            (-1, -1e-6, "less"),
        ):
            with self.subTest(low=low, high=high):
                self.assertEqual(rules.verdict_of(low, high), verdict)

    def test_equal_changes_with_nothing_between_them_are_open(self):
        found = rules.effect([0.1] * 30, [0.3 - 0.2] * 37)
        self.assertEqual(found.verdict, "open")

    def test_frequency_from_history_never_works(self):
        large = rules.effect(make_changes(60, 1), make_changes(60, 0))
        none = rules.effect(make_changes(60, 0), make_changes(60, 0))
        few = rules.too_few((3, 3))
        for found, placebo, verdict in (
            (large, none, "described"),
            (large, few, "described"),
            (large, large, "biased"),
            (none, none, "described"),
            (few, large, "few"),
        ):
            described = rules.describe(found, placebo)
            self.assertEqual(described.verdict, verdict)
            self.assertEqual(described.value, found.value)

    def test_one_customer_with_many_visits_counts_once(self):
        # Ten times the visits of each do not make the estimate any surer.
        few = rules.ratio(make_sales(60, 1))
        many = rules.ratio([(10 * y, 10 * x) for y, x in make_sales(60, 1)])
        self.assertAlmostEqual(many.variance, few.variance, 9)


@tagged("post_install", "-at_install")
class TestToolsEstimateProperties(BaseCase):
    def _check_mirror(self, found, back, turn):
        self.assertAlmostEqual(back.value, turn(found.value), 6)
        self.assertAlmostEqual(back.low, turn(found.high), 6)
        self.assertAlmostEqual(back.high, turn(found.low), 6)
        mirrored = {"more": "less", "less": "more", "open": "open"}
        self.assertEqual(back.verdict, mirrored[found.verdict])
        self.assertEqual((back.members, back.controls), (found.controls, found.members))

    @check
    @given(changes, changes)
    def test_swapping_groups_mirrors_the_effect(self, one, other):
        found, back = rules.effect(one, other), rules.effect(other, one)
        self._check_mirror(found, back, lambda value: 1 / (1 + value) - 1)

    @check
    @given(sales, sales)
    def test_swapping_groups_mirrors_the_gap(self, one, other):
        found, back = rules.gap(one, other), rules.gap(other, one)
        for value, mirrored in (
            (back.value, found.value),
            (back.low, found.high),
            (back.high, found.low),
        ):
            self.assertAlmostEqual(log(1 + value), -log(1 + mirrored), 6)

    @check
    @given(visits, visits, answers, answers)
    def test_swapping_groups_mirrors_the_holdout(self, one, other, yes, no):
        for function, ours, theirs in (
            (holdout.visits_gap, one, other),
            (holdout.shares_gap, yes, no),
        ):
            found, back = function(ours, theirs), function(theirs, ours)
            self._check_mirror(found, back, lambda value: -value)

    @check
    @given(sales, sales, st.floats(0.001, 1000))
    def test_scaling_money_changes_nothing_of_percent(self, one, other, factor):
        scaled = [[(factor * y, x) for y, x in group] for group in (one, other)]
        found, again = rules.gap(one, other), rules.gap(*scaled)
        for name in ("value", "low", "high"):
            self.assertAlmostEqual(getattr(found, name), getattr(again, name), 6)
        self.assertEqual(found.verdict, again.verdict)

    @check
    @given(changes, changes, st.integers(2, 5))
    def test_more_customers_of_the_same_kind_narrow_the_interval(
        self, one, other, times
    ):
        found = rules.effect(one, other)
        surer = rules.effect(one * times, other * times)
        self.assertAlmostEqual(found.value, surer.value, 6)
        self.assertLessEqual(found.low, surer.low + 1e-6)
        self.assertGreaterEqual(found.high, surer.high - 1e-6)

    @check
    @given(changes, changes, st.floats(-1, 1))
    def test_what_changes_on_both_sides_is_no_effect(self, one, other, prices):
        found = rules.effect(one, other)
        again = rules.effect(
            [value + prices for value in one], [value + prices for value in other]
        )
        self.assertAlmostEqual(found.value, again.value, 6)

    @check
    @given(visits, visits)
    def test_the_interval_is_around_the_value(self, one, other):
        for found in (
            holdout.visits_gap(one, other),
            holdout.visits_change(one, other),
            holdout.shares_gap(one, other),
            rules.effect(one, other),
        ):
            if found.is_known:
                self.assertLessEqual(found.low, found.value)
                self.assertLessEqual(found.value, found.high)

    @check
    @given(visits)
    def test_ratio_of_single_visits_is_the_mean(self, values):
        found = rules.ratio([(value, 1) for value in values])
        mean, variance = rules.mean_of(values)
        self.assertAlmostEqual(found.value, mean, 9)
        self.assertAlmostEqual(found.variance, variance, 9)
