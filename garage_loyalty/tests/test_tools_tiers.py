import doctest
from datetime import date, timedelta
from itertools import pairwise

from odoo.tests import BaseCase, tagged

from ..tools import tiers as rules
from ..tools.tiers import Figures, Level, TierRules

try:
    from hypothesis import example, given, settings
    from hypothesis import strategies as st
except ImportError:  # a workshop's server has no development tools
    given = None

START, DAYS = date(2023, 9, 1), 300
# Two visits that suffice for tiers, which are lost when they are too long ago.
FEW = [(date(2023, 10, 5), 100), (date(2023, 11, 20), 100)]


def get_figures(plan, visits, day):
    """Add up what counts on a day, of (day, spend) in any order."""
    first = plan.window_start(day)
    mine = [spend for when, spend in visits if first <= when <= day]
    return Figures(spend=sum(mine), visits=len(mine))


def replay(plan, visits, days):
    """Return the places day by day, as the nightly job would find them."""
    place, held, places = 0, {}, []
    for number in range(days):
        day = START + timedelta(days=number)
        deserved = plan.deserved(get_figures(plan, visits, day))
        place, held = plan.advance(day, deserved, place, held)
        places.append(place)
    return places


def look_back(plan, visits, days):
    """Return the places day by day, each found anew from all that was deserved before.

    A place is held on a day if the figures sufficed on it, or if its review since the
    last day on which they did has not come.
    """
    deserved = [
        plan.deserved(get_figures(plan, visits, START + timedelta(days=number)))
        for number in range(days)
    ]
    places = []
    for number in range(days):
        day = START + timedelta(days=number)
        held = [
            earlier
            for earlier in range(number)
            if day < plan.kept_until(START + timedelta(days=earlier + 1))
        ]
        places.append(max(deserved[earlier] for earlier in [*held, number]))
    return places


@tagged("post_install", "-at_install")
class TestToolsTiers(BaseCase):
    def test_doctests_pass(self):
        result = doctest.testmod(rules)
        self.assertGreater(result.attempted, 0)
        self.assertEqual(result.failed, 0)

    def test_level_is_met_by_all_or_by_any(self):
        cases = [
            (Level(spend=100), Figures(spend=99.99), False),
            (Level(spend=100), Figures(spend=100), True),
            (Level(points=5, visits=2), Figures(points=5, visits=1), False),
            (Level(points=5, visits=2), Figures(points=5, visits=2), True),
            (Level(points=5, visits=2, match_all=False), Figures(visits=2), True),
            (Level(points=5, visits=2, match_all=False), Figures(visits=1), False),
            (Level(), Figures(10**9, 10**9, 10**9), False),
            (Level(match_all=False), Figures(10**9, 10**9, 10**9), False),
        ]
        for level, figures, expected in cases:
            with self.subTest(level=level, figures=figures):
                self.assertEqual(level.is_met(figures), expected)
                asked = level.spend or level.points or level.visits
                self.assertEqual(bool(level.missing(figures)), asked and not expected)

    def test_window_of_months_ends_with_the_day(self):
        cases = [
            (1, date(2024, 3, 31), date(2024, 3, 1)),
            (1, date(2024, 3, 1), date(2024, 2, 2)),
            (12, date(2025, 2, 28), date(2024, 2, 29)),
            (24, date(2024, 12, 31), date(2023, 1, 1)),
        ]
        for months, day, expected in cases:
            with self.subTest(months=months, day=day):
                plan = TierRules(months=months)
                self.assertEqual(plan.window_start(day), expected)

    def test_reviews_are_on_first_days(self):
        cases = [
            ("monthly", date(2024, 12, 2), date(2025, 1, 1)),
            ("quarterly", date(2024, 4, 1), date(2024, 4, 1)),
            ("quarterly", date(2024, 11, 30), date(2025, 1, 1)),
            ("yearly", date(2024, 1, 2), date(2025, 1, 1)),
            ("yearly", date(2024, 1, 1), date(2024, 1, 1)),
        ]
        for review, day, expected in cases:
            with self.subTest(review=review, day=day):
                self.assertEqual(TierRules(review=review).review_day(day), expected)

    def test_fall_is_by_step_or_direct(self):
        levels = (Level(visits=1), Level(visits=2), Level(visits=3))
        day = date(2024, 3, 1)
        held = {1: day, 2: day, 3: day}
        direct = TierRules(levels=levels, by_step=False)
        self.assertEqual(direct.advance(day, 0, 3, held), (0, {}))
        step = TierRules(levels=levels, by_step=True)
        following = date(2024, 4, 1)
        place, held = step.advance(day, 0, 3, held)
        self.assertEqual((place, held), (2, {1: following, 2: following}))
        self.assertEqual(step.advance(day, 0, place, held), (place, held))
        place, held = step.advance(following, 0, place, held)
        self.assertEqual((place, held), (1, {1: date(2024, 5, 1)}))


if given:
    check = settings(deadline=None, derandomize=True, max_examples=40, database=None)
    days = st.integers(0, 250).map(lambda number: START + timedelta(days=number))
    visit_lists = st.lists(st.tuples(days, st.integers(0, 400)), max_size=12)
    level_lists = st.lists(
        st.builds(
            Level,
            spend=st.integers(0, 900),
            visits=st.integers(0, 5),
            match_all=st.booleans(),
        ),
        max_size=3,
    )
    plans = st.builds(
        TierRules,
        levels=level_lists.map(tuple),
        window=st.sampled_from(["rolling", "calendar"]),
        months=st.integers(1, 12),
        review=st.sampled_from(["monthly", "quarterly", "yearly"]),
        grace_days=st.integers(0, 100),
        by_step=st.booleans(),
    )

    @tagged("post_install", "-at_install")
    class TestToolsTiersProperties(BaseCase):
        @check
        @example(TierRules(levels=(Level(visits=1), Level(visits=2)), months=3), FEW)
        @given(plans, visit_lists)
        def test_day_by_day_is_the_same_as_looking_back(self, plan, visits):
            direct = TierRules(**(vars(plan) | {"by_step": False}))
            self.assertEqual(
                replay(direct, visits, DAYS), look_back(direct, visits, DAYS)
            )

        @check
        @given(plans, visit_lists, st.randoms())
        def test_order_of_the_visits_does_not_matter(self, plan, visits, random):
            shuffled = random.sample(visits, len(visits))
            self.assertEqual(replay(plan, visits, DAYS), replay(plan, shuffled, DAYS))

        @check
        @given(plans, visit_lists, visit_lists)
        def test_whoever_does_more_never_has_less(self, plan, visits, more):
            places = zip(
                replay(plan, visits, DAYS),
                replay(plan, visits + more, DAYS),
                strict=True,
            )
            self.assertTrue(all(less <= best for less, best in places))

        @check
        @given(plans, visit_lists)
        def test_nothing_is_lost_within_the_grace_period(self, plan, visits):
            places = replay(plan, visits, DAYS)
            for number, place in enumerate(places):
                grace = places[number : number + plan.grace_days + 1]
                sufficed = plan.deserved(
                    get_figures(plan, visits, START + timedelta(days=number))
                )
                self.assertTrue(all(later >= sufficed for later in grace), place)

        @check
        @given(plans, visit_lists)
        def test_a_tier_is_lost_on_days_of_review_only(self, plan, visits):
            for number, (before, after) in enumerate(
                pairwise(replay(plan, visits, DAYS)), 1
            ):
                day = START + timedelta(days=number)
                if after < before:
                    self.assertEqual(plan.review_day(day), day)
                    self.assertTrue(not plan.by_step or after == before - 1)
