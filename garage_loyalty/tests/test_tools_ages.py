import doctest
from datetime import date, timedelta

from odoo.tests import BaseCase, tagged

from ..tools import ages

try:
    from hypothesis import given, settings
    from hypothesis import strategies as st
except ImportError:  # a workshop's server has no development tools
    given = None

KEYS = [key for key, _months in ages.BANDS] + [ages.OLDEST]


def _full_months(since, day):
    """Count full months one by one: the day of each, or the last of a shorter month."""
    count = 0
    while True:
        number = since.month + count
        year, month = since.year + number // 12, number % 12 + 1
        last = (date(year + month // 12, month % 12 + 1, 1) - timedelta(1)).day
        if date(year, month, min(since.day, last)) > day:
            return count
        count += 1


@tagged("post_install", "-at_install")
class TestToolsAges(BaseCase):
    def test_doctests_pass(self):
        result = doctest.testmod(ages)
        self.assertGreater(result.attempted, 0)
        self.assertEqual(result.failed, 0)

    def test_keys_are_in_the_order_in_which_a_database_sorts_them(self):
        self.assertEqual(sorted(KEYS), KEYS)
        soon = [ages.PAST, *(key for key, _days in ages.SOON), ages.LATER, ages.NEVER]
        self.assertEqual(sorted(soon), soon)
        self.assertGreater(ages.DEBT, max(KEYS + soon))

    def test_age_changes_on_the_day_on_which_months_are_full(self):
        for since, months, first in (
            # The same day of the month.
            ((2024, 1, 15), 3, (2024, 4, 15)),
            ((2024, 1, 1), 6, (2024, 7, 1)),
            # Month ends: the last day of a shorter month is enough.
            ((2023, 11, 30), 3, (2024, 2, 29)),
            ((2022, 11, 30), 3, (2023, 2, 28)),
            ((2024, 1, 31), 3, (2024, 4, 30)),
            ((2024, 8, 31), 6, (2025, 2, 28)),
            ((2023, 8, 31), 6, (2024, 2, 29)),
            # The last day of a short month is not that of the long one.
            ((2024, 2, 29), 3, (2024, 5, 29)),
            ((2024, 4, 30), 6, (2024, 10, 30)),
            # Leap days.
            ((2024, 2, 29), 12, (2025, 2, 28)),
            ((2023, 2, 28), 12, (2024, 2, 28)),
            ((2024, 2, 29), 24, (2026, 2, 28)),
            ((2022, 2, 28), 24, (2024, 2, 28)),
            # The turn of a year.
            ((2023, 12, 31), 12, (2024, 12, 31)),
            ((2023, 10, 31), 3, (2024, 1, 31)),
        ):
            first = date(*first)
            keys = dict(zip((0, 3, 6, 12, 24), KEYS, strict=True))
            before = KEYS[KEYS.index(keys[months]) - 1]
            with self.subTest(since=since, months=months):
                self.assertEqual(ages.age_band(date(*since), first), keys[months])
                eve = first - timedelta(1)
                self.assertEqual(ages.age_band(date(*since), eve), before)

    def test_points_given_today_or_later_are_the_youngest(self):
        day = date(2024, 2, 29)
        for given_on in (day, day + timedelta(1), day + timedelta(500)):
            self.assertEqual(ages.age_band(given_on, day), KEYS[0])

    def test_expiry_is_counted_in_days(self):
        day = date(2024, 2, 28)
        for left, expected in (
            (-400, "0_past"),
            (-1, "0_past"),
            (0, "1_30"),
            (1, "1_30"),
            (30, "1_30"),
            (31, "2_90"),
            (90, "2_90"),
            (91, "3_later"),
            (4000, "3_later"),
        ):
            with self.subTest(left=left):
                found = ages.expiring(day + timedelta(left), day)
                self.assertEqual(found, expected)
        self.assertEqual(ages.expiring(None, day), "4_never")

    def test_balance_is_divided_among_lots(self):
        day = date(2024, 1, 1)
        soon, late, never = (
            (day + timedelta(1), day, 1),
            (day + timedelta(2), day, 2),
            (None, day, 3),
        )
        lots = {never: 30, late: 20, soon: 10}
        for balance, expected in (
            (60, {soon: 10, late: 20, never: 30}),
            # What was taken from no lot is repaid by what is spent first.
            (55, {soon: 5, late: 20, never: 30}),
            (50, {late: 20, never: 30}),
            (1, {never: 1}),
            (0, {}),
            (-7, {None: -7}),
            # More than lots hold.
            (64, {soon: 10, late: 20, never: 30, None: 4}),
        ):
            with self.subTest(balance=balance):
                self.assertEqual(ages.owed(balance, lots), expected)
        self.assertEqual(ages.owed(5, {}), {None: 5})
        self.assertEqual(ages.owed(0, {}), {})

    if given:
        days = st.dates(date(1990, 1, 1), date(2090, 1, 1))

        @given(days, st.integers(0, 1500))
        @settings(deadline=None)
        def test_band_is_that_of_the_full_months(self, since, age):
            day = since + timedelta(age)
            months = _full_months(since, day)
            expected = KEYS[sum(months >= limit for _key, limit in ages.BANDS)]
            self.assertEqual(ages.age_band(since, day), expected)

        @given(
            st.integers(-500, 500),
            st.dictionaries(
                st.tuples(st.none() | days, days, st.integers(1, 99)),
                st.integers(1, 200),
                max_size=5,
            ),
        )
        @settings(deadline=None)
        def test_parts_of_a_balance_sum_to_it(self, balance, lots):
            found = ages.owed(balance, lots)
            self.assertEqual(sum(found.values()), balance)
            self.assertTrue(all(found.values()))
            for lot, points in found.items():
                if lot:
                    self.assertTrue(0 < points <= lots[lot])
            if balance < 0:
                self.assertEqual(found, {None: balance})
