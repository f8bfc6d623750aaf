import doctest

from hypothesis import given, settings
from hypothesis import strategies as st

from odoo.tests import TransactionCase, tagged

from ..tools import review as rules

check = settings(deadline=None, derandomize=True, max_examples=60, database=None)
numbers = st.integers(24000, 24500)


@tagged("post_install", "-at_install")
class TestToolsReview(TransactionCase):
    def test_doctests_pass(self):
        result = doctest.testmod(rules)
        self.assertGreater(result.attempted, 0)
        self.assertEqual(result.failed, 0)

    @check
    @given(st.sampled_from(list(rules.MONTHS)), numbers, st.integers(0, 60))
    def test_periods_are_whole_calendar_periods_one_after_the_other(
        self, kind, began, length
    ):
        last = began + length
        periods = rules.due_periods(kind, last, began, set())
        months = [month for first, end in periods for month in range(first, end + 1)]
        self.assertEqual(months, sorted(set(months)))
        self.assertLessEqual(len(periods), rules.HISTORY)
        for first, end in periods:
            self.assertEqual(first % rules.MONTHS[kind], 0)
            self.assertEqual(end - first + 1, rules.MONTHS[kind])
            self.assertGreater(first, began)
            self.assertLessEqual(end, last)
        if periods:  # none in between is left out, and none after the last
            self.assertEqual(months, list(range(months[0], months[-1] + 1)))
            self.assertGreater(months[-1] + rules.MONTHS[kind], last)

    @check
    @given(st.sampled_from(list(rules.MONTHS)), numbers, st.integers(0, 60))
    def test_what_was_reviewed_is_not_due_again(self, kind, began, length):
        periods = rules.due_periods(kind, began + length, began, set())
        done = {first for first, _end in periods}
        self.assertFalse(rules.due_periods(kind, began + length, began, done))

    def test_figure_is_judged_by_its_goal(self):
        for value, goal, enough, expected in (
            (50.0, 50.0, True, rules.GOOD),
            (49.9, 50.0, True, rules.POOR),
            (0.0, 0.0, True, rules.GOOD),
            (None, 0.0, True, rules.UNKNOWN),
            (0.0, 50.0, False, rules.UNKNOWN),
        ):
            with self.subTest(value=value, goal=goal, enough=enough):
                self.assertEqual(rules.judge(value, goal, enough), expected)

    def test_lead_alone_never_says_that_the_programme_works(self):
        for lead in (None, -20.0, 0.0, 80.0):
            for verdict in ("open", "few", False, None):
                for enough in (True, False):
                    state = rules.judge_aro(lead, enough, verdict)
                    self.assertNotEqual(state, rules.GOOD)

    def test_joining_is_judged_once_customers_are_asked(self):
        for conversion, asking, asked, expected in (
            (None, None, 0, rules.UNKNOWN),
            (None, 0.0, 0, rules.POOR),
            (90.0, 79.0, 500, rules.POOR),
            (30.0, 80.0, 10, rules.GOOD),
            (29.0, 80.0, 10, rules.POOR),
            (0.0, 80.0, 9, rules.UNKNOWN),
        ):
            with self.subTest(conversion=conversion, asking=asking, asked=asked):
                state = rules.judge_enrolment(conversion, 30, asking, 80, asked)
                self.assertEqual(state, expected)
