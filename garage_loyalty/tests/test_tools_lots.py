import doctest
import heapq
import random
from calendar import monthrange
from collections import Counter
from datetime import date, timedelta

from dateutil.relativedelta import relativedelta

from odoo.tests import BaseCase, tagged

from ..tools import lots as rules

try:
    from hypothesis import given, settings
    from hypothesis import strategies as st
except ImportError:  # a workshop's server has no development tools
    given = None

LOTS = 1_000_000


@tagged("post_install", "-at_install")
class TestToolsLots(BaseCase):
    def _check(self, function, cases):
        """Check pairs of (arguments, expected result)."""
        for args, expected in cases:
            with self.subTest(function=function.__name__, args=args):
                self.assertEqual(function(*args), expected)

    def test_doctests_pass(self):
        result = doctest.testmod(rules)
        self.assertGreater(result.attempted, 0)
        self.assertEqual(result.failed, 0)

    # -- spending ---------------------------------------------------------------

    def test_take_empties_lots_in_order_and_says_what_is_missing(self):
        lots = [("A", 3), ("B", 0), ("C", 5)]
        self._check(
            rules.take,
            [
                ((0, lots), ([], 0)),
                ((2, lots), ([("A", 2)], 0)),
                ((3, lots), ([("A", 3)], 0)),
                ((4, lots), ([("A", 3), ("C", 1)], 0)),
                ((8, lots), ([("A", 3), ("C", 5)], 0)),
                ((9, lots), ([("A", 3), ("C", 5)], 1)),
                ((9, []), ([], 9)),
            ],
        )

    def test_spending_order_is_expiry_then_age_then_number(self):
        first, second = date(2024, 1, 1), date(2024, 1, 2)
        keys = [
            (first, first, 1),
            (first, first, 2),
            (first, second, 1),
            (second, first, 1),
            (None, first, 1),
            (None, second, 1),
        ]
        ordered = [rules.spending_order(*key) for key in keys]
        self.assertEqual(ordered, sorted(ordered))
        self.assertEqual(len(set(ordered)), len(keys))

    def test_allocation_of_a_million_lots_equals_a_plain_queue_of_points(self):
        chance = random.Random(2024)
        left = LOTS
        while left > 0:
            left -= self._compare_history(chance, min(left, 500))

    def _compare_history(self, chance, size):
        """Give, take and expire at random; compare with a queue of single points."""
        today, left, queue = date(2024, 1, 1), {}, []
        for number in range(size):
            today += timedelta(days=chance.randrange(3))
            expiry = chance.choice((None, today + timedelta(chance.randrange(40))))
            points = chance.randrange(1, 5)
            left[(expiry, today, number)] = points
            for _point in range(points):
                heapq.heappush(queue, (expiry or date.max, today, number))
            if chance.random() < 0.3:
                self._compare_taking(left, queue, chance.randrange(1, 25))
            if chance.random() < 0.05:
                self._compare_expiry(left, queue, today)
        return size

    def _compare_taking(self, left, queue, wanted):
        lots = sorted(left.items(), key=lambda item: rules.spending_order(*item[0]))
        parts, missing = rules.take(wanted, lots)
        taken = Counter()
        while queue and wanted:
            _expiry, _given, number = heapq.heappop(queue)
            taken[number] += 1
            wanted -= 1
        if missing != wanted or taken != {lot[2]: points for lot, points in parts}:
            self.fail(f"{lots}: {parts}, {missing} instead of {taken}, {wanted}")
        for lot, points in parts:
            left[lot] -= points
            if not left[lot]:
                del left[lot]

    def _compare_expiry(self, left, queue, today):
        """What expired by the lots is what stood first in the queue, to the point."""
        gone = [lot for lot in left if lot[0] and lot[0] < today]
        points = sum(left.pop(lot) for lot in gone)
        while queue and queue[0][0] < today:
            heapq.heappop(queue)
            points -= 1
        self.assertEqual(points, 0)
        self.assertEqual(len(queue), sum(left.values()))

    def test_mixed_lifetimes_expire_as_single_points_would(self):
        """The counter-example to running sums: see 4.3 of the design."""
        day = {number: date(2024, 1, number) for number in range(1, 4)}
        lots = [(day[3], 3), (day[1], 1), (day[1], 1)]
        lots = sorted(lots, key=lambda lot: rules.spending_order(lot[0], day[1], 0))
        parts, missing = rules.take(1, lots)
        self.assertEqual((parts, missing), ([(day[1], 1)], 0))

    # -- giving back ------------------------------------------------------------

    def test_share_is_in_proportion_and_adds_up(self):
        self._check(
            rules.share,
            [
                ((0, [1, 2]), [0, 0]),
                ((3, [1, 2]), [1, 2]),
                ((1, [1, 2]), [0, 1]),
                ((2, [1, 1, 1]), [1, 1, 0]),
                ((50, [50, 50]), [25, 25]),
                ((1, [1, 1]), [1, 0]),
                ((7, [0, 7]), [0, 7]),
                ((0, []), []),
                ((5, []), []),
                ((5, [0, 0]), [0, 0]),
                ((1, [10**9, 10**9 + 1]), [0, 1]),
            ],
        )

    # -- expiry -----------------------------------------------------------------

    def test_end_of_month(self):
        self._check(
            rules.end_of_month,
            [
                ((date(2023, 2, 1),), date(2023, 2, 28)),
                ((date(2024, 2, 29),), date(2024, 2, 29)),
                ((date(2100, 2, 1),), date(2100, 2, 28)),
                ((date(2024, 4, 30),), date(2024, 4, 30)),
                ((date(2024, 12, 31),), date(2024, 12, 31)),
            ],
        )

    def test_next_fixed_day_at_the_ends_of_months_and_years(self):
        self._check(
            rules.next_fixed_day,
            [
                ((date(2024, 12, 31), 12, 31), date(2024, 12, 31)),
                ((date(2025, 1, 1), 12, 31), date(2025, 12, 31)),
                ((date(2023, 1, 1), 2, 29), date(2023, 2, 28)),
                ((date(2024, 1, 1), 2, 29), date(2024, 2, 29)),
                ((date(2024, 1, 1), 2, 30), date(2024, 2, 29)),
                ((date(2024, 2, 29), 2, 31), date(2024, 2, 29)),
                ((date(2024, 3, 1), 2, 31), date(2025, 2, 28)),
                ((date(2023, 3, 1), 2, 31), date(2024, 2, 29)),
                ((date(2024, 4, 30), 4, 31), date(2024, 4, 30)),
                ((date(2024, 5, 1), 4, 31), date(2025, 4, 30)),
            ],
        )

    def test_next_fixed_day_of_no_month_refused(self):
        for month in (0, 13):
            with self.subTest(month=month), self.assertRaises(ValueError):
                rules.next_fixed_day(date(2024, 1, 1), month, 1)

    def test_expiry_day_by_each_rule(self):
        january, leap = date(2024, 1, 31), date(2024, 2, 29)
        self._check(
            rules.expiry_day,
            [
                ((rules.NEVER, january, 12), None),
                ((rules.AGE, january, 0), january),
                ((rules.AGE, january, 1), leap),
                ((rules.AGE, january, 13), date(2025, 2, 28)),
                ((rules.AGE, january, 3), date(2024, 4, 30)),
                ((rules.AGE, leap, 12), date(2025, 2, 28)),
                ((rules.AGE, leap, 48), date(2028, 2, 29)),
                ((rules.AGE, leap, 12, True), date(2025, 2, 28)),
                ((rules.AGE, date(2024, 2, 28), 12, True), date(2025, 2, 28)),
                ((rules.AGE, date(2023, 2, 28), 12, True), leap),
                ((rules.AGE, date(2023, 11, 30), 3, True), leap),
                ((rules.INACTIVITY, january, 6), date(2024, 7, 31)),
                ((rules.INACTIVITY, date(2024, 1, 1), 6, True), date(2024, 7, 31)),
                ((rules.FIXED, january, 0), date(2024, 12, 31)),
                ((rules.FIXED, january, 11), date(2024, 12, 31)),
                ((rules.FIXED, january, 12), date(2025, 12, 31)),
                ((rules.FIXED, leap, 0, False, (2, 29)), leap),
                ((rules.FIXED, leap, 12, False, (2, 29)), date(2025, 2, 28)),
                ((rules.FIXED, leap, 13, True, (2, 29)), date(2026, 2, 28)),
            ],
        )

    def test_rescheduled_never_before_the_warning_nor_before_what_was_due(self):
        early, middle, late = date(2024, 5, 1), date(2024, 6, 1), date(2024, 7, 1)
        self._check(
            rules.rescheduled,
            [
                ((None, None, middle), None),
                ((None, early, middle), None),
                ((early, None, middle), middle),
                ((early, late, middle), middle),
                ((early, middle, late), middle),
                ((late, early, middle), late),
                ((late, None, middle), late),
                ((middle, middle, middle), middle),
            ],
        )


if given:
    check = settings(deadline=None, derandomize=True, max_examples=100, database=None)
    days = st.dates(date(2000, 1, 1), date(2100, 12, 31))
    months = st.integers(0, 1200)
    weights = st.lists(st.integers(0, 10**6), max_size=8)

    @tagged("post_install", "-at_install")
    class TestToolsLotsProperties(BaseCase):
        @check
        @given(st.integers(0, 10**6), weights)
        def test_take_conserves_points(self, wanted, left):
            parts, missing = rules.take(wanted, list(enumerate(left)))
            self.assertEqual(sum(points for _lot, points in parts) + missing, wanted)
            self.assertEqual(missing, max(wanted - sum(left), 0))
            self.assertTrue(all(0 < points <= left[lot] for lot, points in parts))
            # all but the last one are emptied, in the order given
            self.assertTrue(all(points == left[lot] for lot, points in parts[:-1]))
            self.assertEqual([lot for lot, _points in parts], sorted(dict(parts)))

        @check
        @given(st.data(), weights)
        def test_share_is_exact_and_never_above_the_weight(self, data, shares):
            points = data.draw(st.integers(0, sum(shares)))
            parts = rules.share(points, shares)
            self.assertEqual(sum(parts), points)
            for part, weight in zip(parts, shares, strict=True):
                self.assertTrue(0 <= part <= weight, (points, shares, parts))
                # never a whole point away from the exact share
                away = abs(part * sum(shares) - points * weight)
                self.assertLess(away, sum(shares) or 1)

        @check
        @given(days, st.integers(1, 12), st.integers(1, 31))
        def test_next_fixed_day_is_the_first_one_within_a_year(self, start, month, day):
            found = rules.next_fixed_day(start, month, day)
            last = monthrange(found.year, month)[1]
            self.assertEqual((found.month, found.day), (month, min(day, last)))
            self.assertGreaterEqual(found, start)
            self.assertLessEqual(found, start + relativedelta(years=1))

        @check
        @given(days, months, st.booleans())
        def test_expiry_by_age_lies_in_the_month_that_is_meant(
            self, start, number, month_end
        ):
            day = rules.expiry_day(rules.AGE, start, number, month_end)
            distance = (day.year - start.year) * 12 + day.month - start.month
            self.assertEqual(distance, number)
            last = monthrange(day.year, day.month)[1]
            self.assertEqual(day.day, last if month_end else min(start.day, last))

        @check
        @given(days, st.integers(0, 40), months, st.booleans())
        def test_what_was_earned_later_never_expires_sooner(
            self, start, later, number, month_end
        ):
            for rule in (rules.AGE, rules.FIXED):
                first, second = (
                    rules.expiry_day(rule, day, number, month_end, (2, 29))
                    for day in (start, start + timedelta(days=later))
                )
                self.assertLessEqual(first, second)

        @check
        @given(st.none() | days, st.none() | days, days)
        def test_rescheduled_is_never_earlier_than_both_old_and_warning(
            self, new, old, earliest
        ):
            day = rules.rescheduled(new, old, earliest)
            if new is None:
                self.assertIsNone(day)
            else:
                self.assertGreaterEqual(day, new)
                self.assertGreaterEqual(day, min(old or date.max, earliest))
                self.assertIn(day, (new, old, earliest))
