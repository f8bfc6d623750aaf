import doctest
from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from odoo.tests import TransactionCase, tagged

from ..tools import cohorts as rules
from ..tools import movement

check = settings(deadline=None, derandomize=True, max_examples=60, database=None)
days = st.dates(date(2015, 1, 1), date(2030, 12, 31))
spans = st.sampled_from(rules.SPANS)


@tagged("post_install", "-at_install")
class TestToolsCohorts(TransactionCase):
    def test_doctests_pass(self):
        result = doctest.testmod(rules)
        self.assertGreater(result.attempted, 0)
        self.assertEqual(result.failed, 0)

    def test_spans_end_with_the_month(self):
        for first, day, span, expected in (
            ("2024-02-29", "2024-02-29", 3, True),
            ("2024-02-29", "2025-02-28", 12, True),
            ("2024-02-29", "2025-03-01", 12, False),
            ("2024-02-29", "2025-03-31", 13, True),
            ("2023-12-31", "2024-03-31", 3, True),
            ("2023-12-01", "2024-04-01", 3, False),
        ):
            with self.subTest(first=first, day=day, span=span):
                found = rules.is_within(*map(date.fromisoformat, (first, day)), span)
                self.assertEqual(found, expected)


@tagged("post_install", "-at_install")
class TestToolsCohortsProperties(TransactionCase):
    @check
    @given(st.lists(days, min_size=1, max_size=8))
    def test_return_is_the_next_day_whatever_the_order(self, visits):
        first, back = rules.first_return(visits)
        self.assertEqual(first, min(visits))
        self.assertEqual(rules.first_return(visits[::-1] + visits), (first, back))
        later = [day for day in visits if day != first]
        self.assertEqual(back, min(later, default=None))

    @check
    @given(days, st.integers(0, 1500), spans)
    def test_figures_are_final_once_the_span_is_over(self, first, away, span):
        day = first + timedelta(away)
        month = first.replace(day=1)
        # While a visit of today can still change the figure, it is not shown.
        self.assertNotEqual(
            rules.is_within(first, day, span), rules.is_old_enough(month, span, day)
        )

    @check
    @given(days, st.integers(1, 1500), spans)
    def test_who_came_back_in_time_has_not_lapsed(self, first, away, span):
        day = first + timedelta(away)
        month = movement.months([first, day])[0]
        self.assertEqual(
            rules.is_within(first, day, span),
            movement.lapsed_in(month, span) is None or month.next_gap == movement.NONE,
        )

    @check
    @given(st.integers(0, 500), st.integers(0, 500))
    def test_share_is_a_percentage_or_unknown(self, came, others):
        found = rules.share(came, came + others)
        if came + others:
            self.assertTrue(0 <= found <= 100)
        else:
            self.assertIsNone(found)
