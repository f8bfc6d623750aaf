from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from odoo.tests import TransactionCase, tagged

from ..tools import movement as rules

check = settings(deadline=None, derandomize=True, max_examples=60, database=None)
days = st.lists(st.dates(date(2010, 1, 1), date(2022, 12, 31)), max_size=12)
gaps = st.integers(1, 60)


def number(text):
    return rules.month_number(date.fromisoformat(f"{text}-01"))


@tagged("post_install", "-at_install")
class TestToolsMovement(TransactionCase):
    """The worked examples of who lapses, who is new and who returns: 12 months."""

    def _tell(self, *days, gap=12):
        """Return the months of lapses, and of firsts and returns."""
        months = rules.months(map(date.fromisoformat, days))
        lapses = [rules.lapsed_in(month, gap) for month in months]
        kinds = [(rules.kind(month, gap), month.number) for month in months]
        return (
            [lapse for lapse in lapses if lapse is not None],
            [kind for kind in kinds if kind[0]],
        )

    def test_worked_examples(self):
        first = ("first", number("2015-05"))
        for days, lapses, kinds in (
            (["2015-05-14"], ["2016-05"], []),
            (["2015-05-14", "2016-06-02"], ["2016-05", "2017-06"], ["2016-06"]),
            (["2015-05-14", "2016-05-31"], ["2017-05"], []),
            (["2015-05-14", "2016-05-01"], ["2017-05"], []),
        ):
            with self.subTest(days=days):
                found = self._tell(*days)
                self.assertEqual(found[0], list(map(number, lapses)))
                returns = [("returning", number(month)) for month in kinds]
                self.assertEqual(found[1], [first, *returns])

    def test_month_ends_and_leap_days_do_not_matter(self):
        for first, second in (
            ("2015-02-28", "2016-02-29"),
            ("2016-02-29", "2017-02-01"),
            ("2015-12-31", "2016-12-01"),
        ):
            with self.subTest(first=first):
                lapses, kinds = self._tell(first, second)
                self.assertEqual(len(lapses), 1)
                self.assertEqual(len(kinds), 1)

    def test_one_month_and_sixty_months(self):
        self.assertEqual(
            self._tell("2015-01-31", "2015-02-01", "2015-04-01", gap=1)[0],
            [number("2015-03"), number("2015-05")],
        )
        self.assertEqual(self._tell("2015-01-31", gap=60)[0], [number("2020-01")])


@tagged("post_install", "-at_install")
class TestToolsMovementProperties(TransactionCase):
    @check
    @given(days, gaps)
    def test_each_lapse_is_counted_in_one_month_and_nobody_is_new_twice(
        self, days, gap
    ):
        months = rules.months(days)
        lapses = [rules.lapsed_in(month, gap) for month in months]
        lapses = [lapse for lapse in lapses if lapse is not None]
        self.assertEqual(len(lapses), len(set(lapses)))
        kinds = [rules.kind(month, gap) for month in months]
        self.assertEqual(kinds.count("first"), min(len(months), 1))
        # Whoever came back had left, whoever left once more had come back.
        self.assertEqual(len(lapses), kinds.count("first") + kinds.count("returning"))

    @check
    @given(days, gaps)
    def test_active_customers_move_by_the_net(self, days, gap):
        months = rules.months(days)
        for end in range(number("2009-12"), number("2028-01")):
            active = [
                any(rules.is_active(month, item, gap) for month in months)
                for item in (end - 1, end)
            ]
            new = sum(
                month.number == end and bool(rules.kind(month, gap)) for month in months
            )
            lapsed = sum(rules.lapsed_in(month, gap) == end for month in months)
            self.assertEqual(active[1] - active[0], new - lapsed)

    @check
    @given(days, gaps)
    def test_active_is_an_invoice_in_the_last_months(self, days, gap):
        months = rules.months(days)
        numbers = {rules.month_number(day) for day in days}
        for end in range(number("2009-12"), number("2024-01")):
            self.assertEqual(
                any(rules.is_active(month, end, gap) for month in months),
                any(end - gap < item <= end for item in numbers),
            )

    @check
    @given(st.dates(date(2010, 1, 1), date(2020, 1, 1)), st.integers(0, 2000))
    def test_stage_only_gets_worse_with_time(self, last, later):
        order = [None, "active", "at_risk", "lapsed", "lost"]
        limits = 6, 12, 18
        stages = [
            rules.stage(last, last + timedelta(after), limits)
            for after in (later, later + 1)
        ]
        self.assertLessEqual(order.index(stages[0]), order.index(stages[1]))
