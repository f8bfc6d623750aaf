import doctest
from datetime import date, timedelta

from odoo.tests import BaseCase, tagged

from ..tools import birthdays, joining
from ..tools.joining import COMPANY, PRIVATE, Customer, JoinRules

try:
    from hypothesis import given, settings
    from hypothesis import strategies as st
except ImportError:  # a workshop's server has no development tools
    given = None

DAY = date(2024, 3, 31)


@tagged("post_install", "-at_install")
class TestToolsJoining(BaseCase):
    def test_doctests_pass(self):
        for module in (joining, birthdays):
            with self.subTest(module=module.__name__):
                result = doctest.testmod(module)
                self.assertGreater(result.attempted, 0)
                self.assertEqual(result.failed, 0)

    def test_each_condition_refuses_by_itself(self):
        tags, other = frozenset([1, 2]), frozenset([3])
        cases = [
            (JoinRules(spend=100), Customer(spend=99.99), "spend"),
            (JoinRules(spend=100), Customer(spend=100), None),
            (JoinRules(spend=0), Customer(spend=-5), None),
            (JoinRules(visits=2), Customer(visits=1), "visits"),
            (JoinRules(visits=2), Customer(visits=2), None),
            (JoinRules(kind=PRIVATE), Customer(is_company=True), "kind"),
            (JoinRules(kind=PRIVATE), Customer(), None),
            (JoinRules(kind=COMPANY), Customer(), "kind"),
            (JoinRules(kind=COMPANY), Customer(is_company=True), None),
            (JoinRules(tags=tags), Customer(), "tags"),
            (JoinRules(tags=tags), Customer(tags=other), "tags"),
            (JoinRules(tags=tags), Customer(tags=frozenset([2, 3])), None),
            (JoinRules(excluded=tags), Customer(tags=frozenset([2, 3])), "excluded"),
            (JoinRules(excluded=tags), Customer(tags=other), None),
            (JoinRules(age_months=1), Customer(), "age"),
            (JoinRules(age_months=1), Customer(first=date(2024, 3, 1)), "age"),
            (JoinRules(age_months=1), Customer(first=date(2024, 2, 29)), None),
        ]
        for rules, customer, code in cases:
            with self.subTest(rules=rules, customer=customer):
                codes = [refusal.code for refusal in rules.refusals(customer, DAY)]
                self.assertEqual(codes, [code] if code else [])

    def test_all_that_is_not_met_is_said(self):
        rules = JoinRules(spend=100, visits=3, age_months=6, kind=COMPANY)
        customer = Customer(spend=50, visits=1, first=DAY)
        self.assertEqual(
            rules.refusals(customer, DAY),
            [
                ("kind", COMPANY, None),
                ("spend", 100, 50),
                ("visits", 3, 1),
                ("age", 6, DAY),
            ],
        )

    def test_excluded_tag_that_is_named_is_the_customers_own(self):
        rules = JoinRules(excluded=frozenset([1, 2]))
        refusal = rules.refusals(Customer(tags=frozenset([2, 3])), DAY)[0]
        self.assertEqual(refusal.asked, {2})

    def test_days_that_are_made_up_for(self):
        today = date(2024, 3, 6)
        cases = [
            (None, [today]),
            (today, []),
            (today + timedelta(days=1), []),  # the clock went back
            (today - timedelta(days=1), [today]),
            (today - timedelta(days=31), 31),
            (today - timedelta(days=32), 31),
        ]
        for last, expected in cases:
            with self.subTest(last=last):
                days = birthdays.days_due(last, today)
                if isinstance(expected, int):
                    self.assertEqual(len(days), expected)
                    self.assertEqual(days[-1], today)
                else:
                    self.assertEqual(days, expected)


if given:
    check = settings(deadline=None, derandomize=True, max_examples=40, database=None)
    tag_sets = st.frozensets(st.integers(1, 4), max_size=3)
    days = st.dates(date(2019, 1, 1), date(2024, 12, 31))
    customers = st.builds(
        Customer,
        spend=st.integers(-100, 500),
        visits=st.integers(0, 5),
        first=st.none() | days,
        is_company=st.booleans(),
        tags=tag_sets,
    )
    plans = st.builds(
        JoinRules,
        months=st.integers(1, 36),
        spend=st.integers(0, 500),
        visits=st.integers(0, 5),
        age_months=st.integers(0, 36),
        kind=st.sampled_from(["anyone", "private", "company"]),
        tags=tag_sets,
        excluded=tag_sets,
    )

    @tagged("post_install", "-at_install")
    class TestToolsJoiningProperties(BaseCase):
        @check
        @given(plans, customers, days)
        def test_nobody_is_refused_without_conditions(self, plan, customer, day):
            self.assertEqual(JoinRules(months=plan.months).refusals(customer, day), [])
            if not plan.asks:
                self.assertEqual(plan.refusals(customer, day), [])

        @check
        @given(plans, customers, days)
        def test_doing_more_never_hurts(self, plan, customer, day):
            more = customer._replace(
                spend=customer.spend + 1, visits=customer.visits + 1
            )
            before = {refusal.code for refusal in plan.refusals(customer, day)}
            after = {refusal.code for refusal in plan.refusals(more, day)}
            self.assertLessEqual(after, before)

        @check
        @given(plans, customers, days)
        def test_waiting_never_makes_a_customer_too_new(self, plan, customer, day):
            def is_too_new(when):
                refusals = plan.refusals(customer, when)
                return "age" in [refusal.code for refusal in refusals]

            if not is_too_new(day):
                self.assertFalse(is_too_new(day + timedelta(days=1)))

        @check
        @given(st.dates(date(1920, 1, 1), date(2020, 1, 1)), st.integers(2021, 2030))
        def test_every_birthday_is_celebrated_once_a_year(self, birthday, year):
            start = date(year, 1, 1)
            length = (date(year + 1, 1, 1) - start).days
            found = [
                day
                for number in range(length)
                if (birthday.month, birthday.day)
                in birthdays.celebrated(day := start + timedelta(days=number))
            ]
            self.assertEqual(len(found), 1)

        @check
        @given(st.lists(st.integers(0, 40), max_size=8))
        def test_no_day_is_done_twice_or_left_out(self, gaps):
            today, last, done = date(2024, 1, 1), date(2023, 12, 31), []
            for gap in gaps:
                today += timedelta(days=gap)
                due = birthdays.days_due(last, today)
                done += due
                last = due[-1] if due else last
            self.assertEqual(len(done), len(set(done)))
            if all(gap < birthdays.LONGEST for gap in gaps) and done:
                span = (done[-1] - date(2023, 12, 31)).days
                self.assertEqual(len(done), span)
