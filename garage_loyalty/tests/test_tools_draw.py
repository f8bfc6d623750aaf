import doctest
from statistics import mean, variance

from hypothesis import given, settings
from hypothesis import strategies as st

from odoo.tests import BaseCase, tagged

from ..tools import draw as rules
from ..tools import dropouts
from ..tools.matching import compare
from ..tools.moments import Customer, Span

check = settings(deadline=None, derandomize=True, max_examples=40, database=None)
ids = st.sets(st.integers(1, 10_000), max_size=60)
FIRST = 730_000
visits = st.lists(
    st.tuples(st.integers(FIRST, FIRST + 1500), st.floats(1, 500)), max_size=12
)
people = st.lists(
    st.tuples(visits, st.none() | st.integers(FIRST, FIRST + 1500)), max_size=12
)


@tagged("post_install", "-at_install")
class TestToolsDraw(BaseCase):
    def test_doctests_pass(self):
        for module in (rules, dropouts):
            result = doctest.testmod(module)
            self.assertGreater(result.attempted, 0)
            self.assertEqual(result.failed, 0)

    def test_detectable_as_statsmodels_has_it(self):
        # statsmodels 0.15.0: NormalIndPower().solve_power(nobs1=held out,
        # ratio=invited / held out, alpha=0.05, power=0.8), times the standard
        # deviation over the mean, exp − 1
        for invited, held_out, average, spread, expected in (
            (1600, 400, 2.0, 3.0, 0.14525920612783594),
            (300, 100, 1.5, 2.0, 0.3566217370500808),
            (30, 30, 1.0, 1.0, 1.061361756831794),
        ):
            with self.subTest(invited=invited, held_out=held_out):
                found = rules.detectable(invited, held_out, average, spread)
                self.assertAlmostEqual(found, expected, 4)

    def test_draw_is_fair(self):
        """Every customer is drawn as often as every other."""
        drawn = [rules.draw(range(20), 25, seed) for seed in range(2000)]
        for number in range(20):
            times = sum(number in each for each in drawn)
            self.assertLess(abs(times - 500), 100)

    @check
    @given(ids, st.integers(0, 100), st.text(max_size=5))
    def test_draw_takes_the_share_and_knows_no_order(self, customers, percent, seed):
        drawn = rules.draw(customers, percent, seed)
        self.assertEqual(drawn, rules.draw(sorted(customers), percent, seed))
        self.assertLessEqual(drawn, customers)
        self.assertEqual(len(drawn), int(len(customers) * percent / 100))

    @check
    @given(ids, st.integers(0, 99), st.text(max_size=5))
    def test_larger_share_draws_the_same_and_more(self, customers, percent, seed):
        less, more = (rules.draw(customers, share, seed) for share in (percent, 100))
        self.assertLessEqual(less, more)

    @check
    @given(st.lists(st.integers(0, 30), min_size=2, max_size=50))
    def test_forecast_of_the_same_time_is_what_was_seen(self, values):
        found = rules.forecast(values, 1)
        self.assertAlmostEqual(found[0], mean(values), 6)
        self.assertAlmostEqual(found[1], max(variance(values), mean(values)), 6)

    @check
    @given(st.integers(30, 5000), st.integers(30, 5000), st.floats(0.1, 20))
    def test_more_customers_find_smaller_differences(self, invited, held_out, spread):
        found = rules.detectable(invited, held_out, 2, spread)
        self.assertGreater(found, rules.detectable(2 * invited, held_out, 2, spread))
        self.assertGreater(found, rules.detectable(invited, 2 * held_out, 2, spread))

    @check
    @given(people)
    def test_every_member_is_compared_or_there_is_a_reason(self, found):
        customers = [
            Customer(number, sorted(mine), joined)
            for number, (mine, joined) in enumerate(found)
        ]
        span = Span(FIRST, FIRST + 1500)
        matching = compare(customers, span)
        dropped = dropouts.count_dropouts(customers, span, matching)
        self.assertGreaterEqual(min(dropped), 0)
        self.assertEqual(
            sum(dropped) - dropped.away + len(matching.members),
            sum(each.joined is not None for each in customers),
        )
        with_visit = sum(one.change is not None for one in matching.members)
        self.assertEqual(with_visit + dropped.away, len(matching.members))
