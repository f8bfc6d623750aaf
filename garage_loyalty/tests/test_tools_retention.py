import doctest
from datetime import date
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from odoo.tests import TransactionCase, tagged

from ..tools import movement
from ..tools import retention as rules

check = settings(deadline=None, derandomize=True, max_examples=60, database=None)
months = st.integers(1, 12)
numbers = st.integers(24000, 24500)
counts = st.integers(0, 5000)


@tagged("post_install", "-at_install")
class TestToolsRetention(TransactionCase):
    def test_doctests_pass(self):
        result = doctest.testmod(rules)
        self.assertGreater(result.attempted, 0)
        self.assertEqual(result.failed, 0)

    def test_share_is_exceeded_not_reached(self):
        for before, now, share, expected in (
            (1000, 900, 10, "holding"),
            (1000, 899, 10, "falling"),
            (1000, 667, 33.3, "holding"),
            (1000, 666, 33.3, "falling"),
            (30, 30, 0.1, "holding"),
            (30, 29, 0.1, "falling"),
            (30, 0, 100, "holding"),
            (29, 0, 10, "unknown"),
        ):
            with self.subTest(before=before, now=now, share=share):
                self.assertEqual(rules.verdict(before, now, share, 30), expected)

    def test_month_ends(self):
        for day, expected in (
            (date(2024, 1, 5), "2023-11"),
            (date(2024, 1, 6), "2023-12"),
            (date(2024, 3, 6), "2024-02"),
            (date(2023, 3, 5), "2023-01"),
        ):
            with self.subTest(day=day):
                month = movement.month_start(rules.last_settled(day))
                self.assertEqual(str(month)[:7], expected)


@tagged("post_install", "-at_install")
class TestToolsRetentionProperties(TransactionCase):
    @check
    @given(numbers, months, numbers, st.integers(3, 120))
    def test_years_are_compared_alike(self, last, months, began, most):
        now, before = rules.windows(last, months, began, most)
        self.assertEqual(now.first - before.first, 12)
        self.assertEqual(now.last - before.last, 12)
        self.assertEqual(now.last - now.first, months - 1)
        self.assertEqual(now.known, before.known)
        self.assertLessEqual(now.known, most)
        if now.known:
            # Only whole months are known, and no month is in both windows.
            self.assertGreater(before.first - before.known, began)
            self.assertLess(before.last, now.first)

    @check
    @given(counts, counts, st.integers(1, 100), st.integers(1, 100))
    def test_verdict_gets_no_worse_with_more_visits(self, before, now, share, least):
        order = ["falling", "holding"]
        found = [
            rules.verdict(before, visits, share, least) for visits in (now, now + 1)
        ]
        if before < least:
            self.assertEqual(found, ["unknown", "unknown"])
        else:
            self.assertLessEqual(*map(order.index, found))

    @check
    @given(counts, counts, st.integers(1, 10**6))
    def test_chance_is_a_probability_and_grows_with_spread(self, before, now, spread):
        found = rules.chance(before, now, spread)
        self.assertTrue(0 <= found <= 1)
        wider = rules.chance(before, now, 2 * spread)
        self.assertLessEqual(abs(wider - 0.5), abs(found - 0.5) + 1e-12)

    @check
    @given(st.integers(1, 6), st.lists(st.booleans(), min_size=1, max_size=40))
    def test_managers_are_told_of_every_fall_and_not_twice_of_a_month(
        self, months, falls
    ):
        checks, told = {}, []
        for number, is_falling in enumerate(falls):
            checks[number] = (is_falling, False)
            if rules.should_tell(checks, months):
                checks[number] = (is_falling, True)
                told.append(number)
        for number, is_falling in enumerate(falls):
            is_first = is_falling and not (number and falls[number - 1])
            if is_first:
                self.assertIn(number, told)
        for first, second in pairwise(told):
            went_on = all(falls[first:second])
            self.assertTrue(second - first >= months or not went_on)
        self.assertTrue(all(falls[number] for number in told))

    @check
    @given(numbers, months, numbers, st.integers(3, 60), st.sets(numbers, max_size=20))
    def test_months_become_due_once(self, last, months, began, most, done):
        due = rules.due_months(last, months, began, most, done)
        self.assertEqual(due, sorted(set(due) - done))
        self.assertLessEqual(len(due), rules.HISTORY)
        self.assertFalse(rules.due_months(last, months, began, most, done | set(due)))
        self.assertEqual(last in due, last not in done and began <= last)
