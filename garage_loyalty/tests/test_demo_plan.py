from datetime import date, timedelta
from itertools import pairwise

from odoo.tests import TransactionCase, tagged

from ..demo import plan
from ..demo.timetable import SUNDAY, open_near

TODAY = date(2026, 11, 21)
LEAP_DAY = date(2028, 2, 29)
NEW_YEAR = date(2027, 1, 1)


@tagged("post_install", "-at_install")
class TestDemoPlan(TransactionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.plans = {day: plan.build(day) for day in (TODAY, LEAP_DAY, NEW_YEAR)}
        cls.plan = cls.plans[TODAY]

    def invoice_dates(self):
        dates = {}
        for visit in self.plan.visits:
            if visit.stage in ("invoiced", "counter"):
                dates.setdefault(visit.customer.number, []).append(visit.done)
        return dates

    def test_same_day_and_seed_same_plan(self):
        self.assertEqual(plan.build(TODAY), self.plan)
        self.assertNotEqual(plan.build(TODAY, seed=20), self.plan)

    def test_size_on_any_day(self):
        for day, some in self.plans.items():
            since = day - timedelta(days=730)
            recent = [visit for visit in some.finished if visit.done >= since]
            self.assertGreaterEqual(len(recent), 1200, day)
            self.assertLess(len(some.finished), 1900, day)
            self.assertGreaterEqual(len({v.customer.number for v in recent}), 150, day)
            self.assertGreaterEqual(sum(c.is_company for c in some.customers), 12, day)

    def test_a_good_part_are_members(self):
        for day, some in self.plans.items():
            share = len(some.enrolments) / len(some.customers)
            self.assertTrue(0.35 < share < 0.6, (day, share))
            months = {(e.day.year, e.day.month) for e in some.enrolments}
            self.assertGreater(len(months), 15, day)

    def test_workshop_is_closed_on_sundays_and_at_christmas(self):
        for some in self.plans.values():
            for visit in some.visits:
                for day in (visit.day, visit.done):
                    self.assertNotEqual(day.weekday(), SUNDAY)
                    self.assertNotEqual((day.month, day.day), (12, 25))

    def test_nobody_spends_points_twice_among_the_drafts_of_a_month(self):
        for today, some in self.plans.items():
            spent = {}
            for visit in some.visits:
                if visit.redeem:
                    spent.setdefault(visit.customer.number, []).append(visit.done)
            self.assertGreater(len(spent), 10, today)
            for first, following in some.months():
                for days in spent.values():
                    drafts = [day for day in days if first <= day < following]
                    self.assertLessEqual(len(drafts), 1, (today, first))

    def test_finished_work_is_in_the_past(self):
        for today, some in self.plans.items():
            self.assertTrue(all(v.day <= v.done < today for v in some.finished))
            self.assertTrue(all(v.paid is None or v.paid < today for v in some.visits))
            self.assertTrue(all(e.day < today for e in some.enrolments))
            self.assertTrue(all(change.day < today for change in some.changes))

    def test_some_lapsed_and_some_came_back(self):
        year = timedelta(days=366)
        dates = self.invoice_dates().values()
        lapsed = [days for days in dates if TODAY - max(days) > year]
        returned = [
            days for days in dates if any(b - a > year for a, b in pairwise(days))
        ]
        self.assertGreater(len(lapsed), 20)
        self.assertGreater(len(returned), 20)

    def test_every_kind_of_trouble_is_there(self):
        finished = self.plan.finished
        warranty = [visit for visit in finished if visit.warranty]
        unpaid = [v for v in finished if not v.paid and not v.warranty]
        credits = {visit.credit[1] for visit in finished if visit.credit}
        self.assertTrue(20 < len(warranty) < 100)
        self.assertTrue(20 < len(unpaid) < 120)
        self.assertEqual(credits, {"full", "part", "goodwill"})
        self.assertTrue(any(visit.part_paid for visit in finished))
        self.assertTrue(any(visit.offer == "declined" for visit in finished))
        self.assertTrue(any(visit.person is not None for visit in finished))

    def test_the_workshop_is_alive_today(self):
        for some in self.plans.values():
            present = [visit.stage for visit in some.visits if visit.is_present]
            for stage, number, _days in plan.PRESENT:
                self.assertEqual(present.count(stage), number)

    def test_seasons(self):
        months = {"Battery": set(), "Air-conditioning": set()}
        for visit in self.plan.visits:
            for job in visit.jobs:
                if job.name in months:
                    months[job.name].add(visit.day.month)
        self.assertFalse(months["Battery"] & {5, 6, 7, 8, 9})
        self.assertFalse(months["Air-conditioning"] & {11, 12, 1, 2, 3})

    def test_nobody_is_there_twice(self):
        people = [c.contact for c in self.plan.customers]
        people += [contact for c in self.plan.customers for contact in c.staff]
        plates = [v.plate for c in self.plan.customers for v in c.vehicles]
        for values in ([p.email for p in people], [p.phone for p in people], plates):
            self.assertEqual(len(values), len(set(values)))

    def test_open_near_goes_the_way_asked(self):
        sunday = date(2026, 11, 22)
        self.assertEqual(open_near(sunday, 0), date(2026, 11, 21))
        self.assertEqual(open_near(sunday, 7), date(2026, 11, 30))
