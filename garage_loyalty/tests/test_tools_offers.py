from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from odoo.tests import BaseCase, tagged

from ..tools import offers as rules

TODAY = date(2024, 6, 15)
check = settings(deadline=None, derandomize=True, max_examples=40, database=None)
works_of_customers = st.lists(
    st.builds(
        rules.Work,
        st.dates(TODAY - timedelta(900), TODAY + timedelta(30)),
        st.integers(1, 3),
        st.integers(-2, 5).map(float),
    ),
    max_size=12,
)


@tagged("post_install", "-at_install")
class TestOfferRules(BaseCase):
    def test_state_of_an_offer(self):
        day = timedelta(days=1)
        for is_used, is_declined, until, expected in (
            (False, False, TODAY, "open"),
            (False, False, TODAY + day, "open"),
            (False, False, TODAY - day, "expired"),
            (False, True, TODAY, "declined"),
            (False, True, TODAY - day, "declined"),
            (True, False, TODAY - day, "used"),
            (True, True, TODAY, "used"),
        ):
            with self.subTest(used=is_used, declined=is_declined, until=until):
                found = rules.state(is_used, is_declined, until, TODAY)
                self.assertEqual(found, expected)

    def test_why_a_customer_cannot_have_a_reward(self):
        early, late = date(2024, 1, 1), date(2024, 2, 1)
        for offers, expected in (
            ([], ""),
            ([("open", early)], None),
            ([("open", early), ("used", late)], None),
            ([("used", early)], "used"),
            ([("used", early), ("expired", late)], "expired"),
            ([("expired", early), ("used", late)], "used"),
        ):
            with self.subTest(offers=offers):
                self.assertEqual(rules.refusal(offers), expected)

    def test_what_makes_a_regular(self):
        days = [date(2024, 2, 1), date(2024, 3, 1), date(2024, 6, 15)]
        works = [rules.Work(day, 7, 50.0) for day in days]
        for least, months, offered, more, expected in (
            (3, 24, None, [], (3, 150)),
            (2, 24, None, [], (3, 150)),
            (4, 24, None, [], None),
            (0, 24, None, [], None),
            (3, 4, None, [], None),
            (2, 4, None, [], (2, 100)),
            (3, 24, {7: days[0]}, [], None),
            (2, 24, {7: days[0]}, [], (2, 100)),
            (3, 24, {8: days[0]}, [], (3, 150)),
            (4, 24, None, [rules.Work(TODAY, 8, 50.0)], None),
            (4, 24, None, [rules.Work(TODAY, 7, 0.0)], None),
            (4, 24, None, [rules.Work(TODAY, 7, -5.0)], None),
            (4, 24, None, [rules.Work(TODAY + timedelta(1), 7, 50.0)], None),
            (4, 24, None, [rules.Work(TODAY, 7, 5.0)], (4, 155)),
        ):
            terms = least, months, offered
            with self.subTest(terms=terms, more=more):
                found = rules.regulars(works + more, TODAY, *terms).get(7)
                self.assertEqual(found and (found.times, found.amount), expected)

    def test_first_and_last_time(self):
        days = [date(2024, 3, 1), date(2024, 1, 1), date(2024, 2, 1)]
        works = [rules.Work(day, 7, 1.0) for day in days]
        found = rules.regulars(works, TODAY, 2, 24)[7]
        self.assertEqual((found.first, found.last), (days[1], days[0]))


@tagged("post_install", "-at_install")
class TestOfferProperties(BaseCase):
    @check
    @given(works_of_customers, st.integers(2, 4), st.integers(1, 30), st.randoms())
    def test_order_of_invoices_does_not_matter(self, works, least, months, rng):
        shuffled = rng.sample(works, len(works))
        self.assertEqual(
            rules.regulars(works, TODAY, least, months),
            rules.regulars(shuffled, TODAY, least, months),
        )

    @check
    @given(works_of_customers, st.integers(2, 4), st.integers(1, 30))
    def test_more_months_and_fewer_times_propose_no_fewer(self, works, least, months):
        found = rules.regulars(works, TODAY, least, months)
        for more in (
            rules.regulars(works, TODAY, least, months + 1),
            rules.regulars(works, TODAY, least - 1, months),
        ):
            self.assertLessEqual(found.keys(), more.keys())
            for kind, regular in found.items():
                self.assertGreaterEqual(more[kind].times, regular.times)

    @check
    @given(works_of_customers, st.integers(1, 4))
    def test_whoever_was_offered_something_today_is_proposed_nothing(
        self, works, least
    ):
        offered = dict.fromkeys(range(1, 4), TODAY)
        self.assertEqual(rules.regulars(works, TODAY, least, 30, offered), {})
