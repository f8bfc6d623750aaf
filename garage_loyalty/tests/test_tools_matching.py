import doctest
from datetime import date
from math import exp, log
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from odoo.tests import BaseCase, tagged

from ..tools import matching as rules
from ..tools import moments
from ..tools.movement import month_number

check = settings(deadline=None, derandomize=True, max_examples=40, database=None)
# The first of January 2010; visits are known for five years.
START = 733773
SPAN = moments.Span(START, START + 5 * 365)
JOINED = START + 3 * 365 + 10


def make_customer(number, offsets, amount=100.0, joined=None):
    """A customer with visits so many days from the day on which members join."""
    return moments.Customer(
        number, [(JOINED + offset, amount) for offset in offsets], joined
    )


def make_workshop(seed, number=60):
    """Customers at random; every second visit or so, one may join."""
    random, customers = Random(seed), []
    for place in range(number):
        days = sorted(
            random.sample(range(SPAN.last - SPAN.first), random.randrange(25))
        )
        visits = [(SPAN.first + day, exp(random.gauss(5, 0.5))) for day in days]
        joined = None
        if visits and random.random() < 0.5:
            joined = random.choice(visits)[0] + random.choice((0, 0, 3, 20))
        customers.append(moments.Customer(place, visits, joined))
    return customers


def look_up(customer, moment, back=0):
    """What a moment should say, read off the visits one by one."""
    joins = moments.joining_visit(customer)
    before, after, earlier = [], [], []
    for day, amount in customer.visits:
        away = day - moment.day + back
        if -365 <= away <= -1:
            before.append(amount)
        if -730 <= away <= -366:
            earlier.append(amount)
        if back:
            is_after = 0 <= away <= 364
        else:
            is_after = 1 <= away <= 365
            if not moment.is_joining and customer.joined is not None:
                is_after &= day <= (customer.joined if joins is None else joins)
        if is_after:
            after.append(amount)
    return before, after, earlier


def mean_log(amounts):
    return sum(map(log, amounts)) / len(amounts)


def pairs(found):
    return [
        (member.customer, control.customer)
        for member, control in zip(found.members, found.controls, strict=True)
    ]


@tagged("post_install", "-at_install")
class TestToolsMatching(BaseCase):
    def test_doctests_pass(self):
        for module in (rules, moments):
            result = doctest.testmod(module)
            self.assertGreater(result.attempted, 0)
            self.assertEqual(result.failed, 0)

    def test_joining_visit_is_the_nearest_within_a_week(self):
        for offsets, expected in (
            ([0], 0),
            ([-7], -7),
            ([-8], None),
            ([8], None),
            ([-2, 2], -2),
            ([-3, 2], 2),
            ([], None),
        ):
            with self.subTest(offsets=offsets):
                found = moments.joining_visit(make_customer(1, offsets, joined=JOINED))
                self.assertEqual(found, None if expected is None else JOINED + expected)

    def test_years_are_full_and_without_the_visit_itself(self):
        offsets = [-731, -730, -366, -365, -1, 0, 1, 365, 366]
        customer = make_customer(1, offsets, joined=JOINED)
        moment = moments.find_moments(customer, SPAN)[-1]
        self.assertTrue(moment.is_joining)
        self.assertEqual(moment.visits, 2)
        self.assertEqual(moment.rate, (2, 2, 1.0))
        self.assertEqual(moment.spend, 200)
        placebo = moments.find_moments(customer, SPAN, moments.YEAR)[-1]
        self.assertEqual(placebo.rate, (2, 2, 1.0))

    def test_years_that_are_not_known_do_not_count(self):
        customer = make_customer(1, [-100, 0, 100], joined=JOINED)
        for first, last, number in (
            (-365, 365, 1),
            (-364, 365, 0),
            (-365, 364, 0),
        ):
            with self.subTest(first=first, last=last):
                span = moments.Span(JOINED + first, JOINED + last)
                self.assertEqual(len(moments.find_moments(customer, span)), number)

    def test_customers_without_visits_in_the_year_before_do_not_count(self):
        self.assertFalse(
            moments.find_moments(make_customer(1, [0, 9], joined=JOINED), SPAN)
        )

    def test_visits_that_came_to_nothing_do_not_count(self):
        paid = make_customer(1, [-20, 0, 20], joined=JOINED)
        free = [(JOINED - 9, 0.0), (JOINED + 9, -5.0)]
        both = paid._replace(visits=sorted(paid.visits + free))
        self.assertEqual(
            moments.find_moments(both, SPAN), moments.find_moments(paid, SPAN)
        )

    def test_control_is_watched_until_the_visit_at_which_it_joins(self):
        later = JOINED + 100
        customer = make_customer(1, [-50, 0, 60, 99, 130], joined=later)
        moment = next(
            each for each in moments.find_moments(customer, SPAN) if each.day == JOINED
        )
        self.assertFalse(moment.is_joining)
        self.assertEqual(moment.rate, (1, 2, 99 / 365))

    def test_control_has_as_many_visits_and_about_the_same_spend(self):
        member = make_customer(1, [-400, -20, 0, 20], 100.0, JOINED)
        for offsets, amount, is_alike in (
            ([-400, -20, 0, 20], 150.0, True),
            ([-400, -20, 0, 20], 67.0, True),
            ([-400, -20, 0, 20], 151.0, False),
            ([-400, -20, 0, 20], 66.0, False),
            ([-20, 0, 20], 100.0, False),
            ([-400, -30, -20, 0, 20], 100.0, False),
            ([-400, -60, 40, 60], 100.0, False),
        ):
            with self.subTest(offsets=offsets, amount=amount):
                control = make_customer(2, offsets, amount)
                found = rules.compare([member, control], SPAN)
                self.assertEqual(pairs(found), [(1, 2)] * is_alike)
                self.assertEqual(found.unmatched, 1 - is_alike)

    def test_nearest_spend_is_taken_and_nobody_twice(self):
        offsets = [-400, -20, 0, 20]
        others = [
            make_customer(number, offsets, amount)
            for number, amount in ((11, 80.0), (12, 110.0), (13, 104.0))
        ]
        members = [make_customer(each, offsets, 100.0, JOINED) for each in (1, 2, 3, 4)]
        found = rules.compare(members + others, SPAN)
        self.assertEqual(pairs(found), [(1, 13), (2, 12), (3, 11)])
        self.assertEqual(found.unmatched, 1)

    def test_year_before_does_not_decide_which_spend_is_nearest(self):
        # A control with the member's amounts in that very year had a good year.
        member = make_customer(1, [-400, -20, 0, 20], 100.0, JOINED)
        good_year, alike = (
            moments.Customer(
                number,
                [
                    (JOINED - 400, earlier),
                    (JOINED - 20, before),
                    (JOINED, 100.0),
                    (JOINED + 20, 100.0),
                ],
            )
            for number, earlier, before in ((2, 80.0, 100.0), (3, 100.0, 500.0))
        )
        found = rules.compare([member, good_year, alike], SPAN)
        self.assertEqual(pairs(found), [(1, 3)])

    def test_control_who_joins_later_is_not_used_again(self):
        member = make_customer(1, [-20, 0, 20], joined=JOINED)
        later = make_customer(2, [-20, 0, 60, 90], joined=JOINED + 60)
        other = make_customer(3, [-20, 60, 90])
        found = rules.compare([member, later, other], SPAN)
        self.assertEqual((pairs(found), found.unmatched), ([(1, 2)], 0))
        found = rules.compare([later, other], SPAN)
        self.assertFalse(pairs(found), "the other came only once in the year before")
        other = make_customer(3, [-20, -19, 60, 90])
        found = rules.compare([later, other], SPAN)
        self.assertEqual(pairs(found), [(2, 3)])

    def test_effects_are_of_those_with_visits_on_both_sides(self):
        offsets = [-20, 0]
        customers = [
            make_customer(place, offsets + [20] * (place % 2), 100.0, JOINED)
            for place in range(80)
        ]
        customers += [make_customer(place, [-20, 0, 20]) for place in range(80, 200)]
        found = rules.compare(customers, SPAN)
        aro = rules.effect_on_aro(found)
        self.assertEqual((aro.members, aro.controls), (40, 80))
        often = rules.effect_on_frequency(found)
        self.assertEqual((often.members, often.controls), (80, 80))
        self.assertAlmostEqual(often.value, -0.5)


@tagged("post_install", "-at_install")
class TestToolsMatchingProperties(BaseCase):
    @check
    @given(st.integers(0, 10**6), st.sampled_from((0, moments.YEAR)))
    def test_moments_agree_with_visits_read_one_by_one(self, seed, back):
        for customer in make_workshop(seed, 10):
            for moment in moments.find_moments(customer, SPAN, back):
                before, after, earlier = look_up(customer, moment, back)
                self.assertEqual(moment.rate[:2], (len(before), len(after)))
                self.assertAlmostEqual(moment.spend, sum(earlier), 6)
                if after:
                    change = mean_log(after) - mean_log(before)
                    self.assertAlmostEqual(moment.change, change, 9)
                else:
                    self.assertIsNone(moment.change)

    @check
    @given(st.integers(0, 10**6))
    def test_pairs_are_alike_and_nobody_is_in_two(self, seed):
        found = rules.compare(make_workshop(seed, 200), SPAN)
        used = [number for pair in pairs(found) for number in pair]
        self.assertEqual(len(used), len(set(used)))
        for member, control in zip(found.members, found.controls, strict=True):
            self.assertTrue(member.is_joining)
            self.assertFalse(control.is_joining)
            self.assertEqual(member.month, control.month)
            self.assertEqual(member.visits, control.visits)
            self.assertLessEqual(
                max(member.spend, control.spend),
                rules.ALIKE * min(member.spend, control.spend) + 1e-6,
            )

    @check
    @given(st.integers(0, 10**6), st.randoms(use_true_random=False))
    def test_order_of_customers_does_not_matter(self, seed, random):
        customers = make_workshop(seed)
        mixed = random.sample(customers, len(customers))
        found, again = (rules.compare(each, SPAN) for each in (customers, mixed))
        self.assertEqual(found, again)

    @check
    @given(st.integers(0, 10**6), st.integers(365, 4 * 365))
    def test_nothing_that_happens_later_decides_who_is_compared(self, seed, days):
        customers, end = make_workshop(seed, 200), SPAN.first + days
        cut = [
            each._replace(visits=[visit for visit in each.visits if visit[0] <= end])
            for each in customers
        ]
        found, again = (rules.compare(each, SPAN) for each in (customers, cut))
        # Whoever joined in the last week may have their joining visit cut off.
        safe = month_number(date.fromordinal(end - 2 * moments.NEAR))
        for matching in (found, again):
            matching.members[:] = [m for m in matching.members if m.month < safe]
            matching.controls[:] = [m for m in matching.controls if m.month < safe]
        self.assertEqual(pairs(found), pairs(again))

    @check
    @given(st.integers(0, 10**6), st.integers(-8, 8))
    def test_scaling_money_changes_nothing_of_who_and_how_much(self, seed, power):
        customers = make_workshop(seed, 200)
        scaled = [
            each._replace(
                visits=[(day, amount * 2.0**power) for day, amount in each.visits]
            )
            for each in customers
        ]
        found, again = (rules.compare(each, SPAN) for each in (customers, scaled))
        self.assertEqual(pairs(found), pairs(again))
        for one, other in zip(found.members, again.members, strict=True):
            if one.change is not None:
                self.assertAlmostEqual(one.change, other.change, 9)
