import doctest
from datetime import date

from odoo.tests import BaseCase, tagged

from ..tools import privileges as rules

try:
    from hypothesis import given, settings
    from hypothesis import strategies as st
except ImportError:  # a workshop's server has no development tools
    given = None


@tagged("post_install", "-at_install")
class TestToolsPrivileges(BaseCase):
    def test_doctests_pass(self):
        result = doctest.testmod(rules)
        self.assertGreater(result.attempted, 0)
        self.assertEqual(result.failed, 0)

    def test_free_slot_is_the_lowest_that_is_not_taken(self):
        for quota, taken, expected in (
            (1, [], 1),
            (1, [1], None),
            (3, [1, 2], 3),
            (3, [2, 3], 1),
            (2, [1, 3], None),  # the quota was lowered
            (2, [3], 1),
            (3, [1, 1], 2),  # two accounts were merged
            (0, [1, 2], 3),
        ):
            with self.subTest(quota=quota, taken=taken):
                self.assertEqual(rules.free_slot(quota, taken), expected)

    def test_warranty_ends_on_the_same_day_or_the_last_of_the_month(self):
        for done, months, expected in (
            (date(2026, 3, 4), 12, date(2027, 3, 4)),
            (date(2024, 2, 29), 12, date(2025, 2, 28)),
            (date(2024, 1, 31), 1, date(2024, 2, 29)),
            (date(2024, 12, 31), 2, date(2025, 2, 28)),
        ):
            with self.subTest(done=done, months=months):
                self.assertEqual(rules.warranty_end(done, months), expected)

    def test_vehicles_are_told_apart_by_what_is_known_of_both(self):
        for ours, theirs, expected in (
            ((1, 7), (1, 7), True),
            ((1, 7), (2, 7), False),
            ((0, 7), (2, 7), True),
            ((0, 7), (2, 8), False),
            ((1, 0), (0, 8), True),
            ((0, 0), (0, 0), True),
        ):
            with self.subTest(ours=ours, theirs=theirs):
                self.assertIs(rules.is_same(ours, theirs), expected)
                self.assertIs(rules.is_same(theirs, ours), expected)

    def test_discount_reaches_what_is_worth_at_most(self):
        for price, maximum, expected in (
            (80, 0, 100),
            (80, 80, 100),
            (80, 60, 75),
            (0, 60, 100),
            (-5, 60, 100),
        ):
            with self.subTest(price=price, maximum=maximum):
                self.assertEqual(rules.percent_off(price, maximum), expected)


if given:
    check = settings(deadline=None, derandomize=True, max_examples=40, database=None)
    quotas = st.integers(1, 6)
    numbers = st.lists(st.integers(1, 8), max_size=8)

    @tagged("post_install", "-at_install")
    class TestToolsPrivilegesAlways(BaseCase):
        @check
        @given(quotas, numbers)
        def test_slot_is_new_and_within_the_quota(self, quota, taken):
            number = rules.free_slot(quota, taken)
            self.assertEqual(number is None, len(taken) >= quota)
            if number:
                self.assertNotIn(number, taken)
                self.assertLessEqual(number, quota)

        @check
        @given(quotas)
        def test_slots_taken_one_by_one_are_the_quota(self, quota):
            taken = []
            while (number := rules.free_slot(quota, taken)) is not None:
                taken.append(number)
            self.assertEqual(taken, list(range(1, quota + 1)))
            self.assertEqual(rules.left(quota, len(taken)), 0)

        @check
        @given(st.floats(0.01, 1e6), st.floats(0, 1e6))
        def test_discount_never_takes_off_more_than_allowed(self, price, maximum):
            percent = rules.percent_off(price, maximum)
            self.assertTrue(0 <= percent <= 100)
            if maximum:
                self.assertLessEqual(price * percent / 100, maximum * (1 + 1e-9))

        @check
        @given(st.dates(date(2000, 1, 1), date(2100, 1, 1)), st.integers(1, 60))
        def test_longer_warranty_never_ends_sooner(self, done, months):
            end = rules.warranty_end(done, months)
            self.assertGreater(end, done)
            self.assertLess(end, rules.warranty_end(done, months + 1))
