import random
from collections import defaultdict
from datetime import date

from dateutil.relativedelta import relativedelta
from freezegun import freeze_time
from psycopg2 import IntegrityError

from odoo.tests import tagged
from odoo.tools import mute_logger

from ..models.garage_loyalty_visit_months_mixin import STEP
from ..tools.domains import first_day
from ..tools.movement import month_number
from .common import GarageLoyaltyCommon

COUNTS = ["visit_count:sum", "customer_count:sum"]
BY_SIDE = ["member_frequency:avg", "other_frequency:avg", "target_frequency:avg"]
MEASURES = [*COUNTS, "visit_frequency:avg", "frequency_ratio:avg", *BY_SIDE]
SIDES = {"member": [True], "other": [False], "both": [True, False]}
FIRST, TODAY = date(2021, 12, 1), date(2024, 7, 10)


@tagged("post_install", "-at_install")
class TestFrequency(GarageLoyaltyCommon):
    """The report against a slow and obvious count, one window after the other."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.startClassPatcher(freeze_time(TODAY))
        cls.Report = cls.env["garage.loyalty.frequency"]
        cls.company.loyalty_frequency_target = 1.5
        rng = random.Random(6)
        customers = [cls.customer, cls.other]
        customers += [cls._create_customer(f"Customer {n}") for n in range(3)]
        customers.append(cls._create_customer("Firm", is_company=True))
        cls._visit(cls.other, FIRST)
        for _visit in range(34):
            customer = rng.choice(customers)
            day = date(2022, 1, 3) + relativedelta(days=rng.randrange(900))
            cls._visit(customer, day, parts=1, hours=rng.choice((0, 1)))
        cls._visit(cls.customer, "2023-02-02", under_warranty=True)
        cls._enrol(customers[1], date="2022-06-01")
        cls._enrol(customers[2], date="2023-03-15")
        member = cls._enrol(cls.customer, date="2022-04-01")
        member._leave(date="2022-09-01")
        member._come_back(date="2023-05-01")
        cls.env.flush_all()

    # -- the oracle -------------------------------------------------------------

    def _get_months(self):
        month, months = date(2022, 11, 1), []
        while month < TODAY.replace(day=1):
            months.append(month)
            month += relativedelta(months=1)
        return months

    def _get_window(self, month, sides, kinds=(False, True)):
        """Return the visits and customers of the twelve months that end with one."""
        start, end = month - relativedelta(months=11), month + relativedelta(months=1)
        visits = self.Visit.search(
            [
                ("kind", "=", "repair"),
                ("company_id", "=", self.company.id),
                ("date", ">=", start),
                ("date", "<", end),
                ("is_member", "in", sides),
            ]
        ).filtered(
            lambda visit: (
                not visit.is_warranty
                and visit.amount + visit.amount_discount
                and visit.partner_id.is_company in kinds
            )
        )
        return len(visits), len(visits.partner_id)

    def _average(self, months, sides, kinds=(False, True)):
        """Return the windows of several months, averaged, and what follows."""
        windows = [self._get_window(month, sides, kinds) for month in months]
        visits, customers = (
            sum(column) / len(windows) for column in zip(*windows, strict=True)
        )
        return {
            "visit_count:sum": visits,
            "customer_count:sum": customers,
            "visit_frequency:avg": visits / customers if customers else None,
        }

    def _compare(self, months, kinds=(False, True)):
        member, other = (
            self._average(months, SIDES[side], kinds)["visit_frequency:avg"]
            for side in ("member", "other")
        )
        return {
            "member_frequency:avg": member,
            "other_frequency:avg": other,
            "target_frequency:avg": other and 1.5 * other,
            "frequency_ratio:avg": member / other if member and other else None,
        }

    def assertFigures(self, found, expected, message=None):
        for name, value in expected.items():
            if value is None:
                self.assertFalse(found[name], f"{message} {name}")
            else:
                self.assertAlmostEqual(found[name], value, 6, f"{message} {name}")

    def _read(self, domain, groupby):
        return [
            (row[: len(groupby)], dict(zip(MEASURES, row[len(groupby) :], strict=True)))
            for row in self.Report._read_group(domain, groupby, MEASURES)
        ]

    # -- every level ------------------------------------------------------------

    def test_lines_of_every_month_are_what_was_counted(self):
        rows = self._read([], ["date:month", "line"])
        self.assertEqual({key[0] for key, _row in rows}, set(self._get_months()))
        for (month, line), row in rows:
            if line != "target":
                expected = self._average([month], SIDES[line])
                self.assertFigures(row, expected, f"{month} {line}")

    def test_months_from_a_day_on_are_what_they_are_among_all(self):
        rows = dict(self._read([], ["date:month", "line"]))
        for first in self._get_months():
            found = dict(self._read([("date", ">=", first)], ["date:month", "line"]))
            expected = {key: row for key, row in rows.items() if key[0] >= first}
            self.assertEqual(found, expected)

    def test_first_day_is_told_by_conditions_that_hold_for_every_row(self):
        for domain, expected in [
            ([("date", ">=", "2024-01-01")], date(2024, 1, 1)),
            ([("date", ">", "2024-01-01"), ("line", "=", "other")], date(2024, 1, 1)),
            ([("date", ">=", "=1d -5m")], date(2024, 2, 1)),
            (["|", ("date", ">=", "2024-01-01"), ("line", "=", "other")], None),
            (["!", ("date", "<", "2024-01-01")], None),
            ([("date", "<", "2024-01-01")], None),
            ([("visit_count", ">", 3)], None),
            ([], None),
        ]:
            day = first_day(self.Report, domain, "date")
            self.assertEqual(day, expected, domain)

    def test_first_day_from_outside_is_ignored(self):
        Report = self.Report.with_context(loyalty_since="x'); DROP TABLE")
        self.assertTrue(Report.search_count([]))

    def test_customer_on_both_lines_counts_once_in_the_total(self):
        differ = 0
        for (month,), row in self._read([], ["date:month"]):
            expected = self._average([month], SIDES["both"])
            expected.update(self._compare([month]))
            self.assertFigures(row, expected, month)
            sides = sum(
                self._average([month], SIDES[side])["customer_count:sum"]
                for side in ("member", "other")
            )
            differ += sides != row["customer_count:sum"]
        self.assertGreater(differ, 3)

    def test_months_of_a_quarter_are_averaged(self):
        quarters = defaultdict(list)
        for month in self._get_months():
            first = month.replace(month=3 * ((month.month - 1) // 3) + 1)
            quarters[first].append(month)
        rows = self._read([], ["date:quarter"])
        self.assertEqual({key[0] for key, _row in rows}, set(quarters))
        for (quarter,), row in rows:
            expected = self._average(quarters[quarter], SIDES["both"])
            expected.update(self._compare(quarters[quarter]))
            self.assertFigures(row, expected, quarter)

    def test_private_customers_and_companies_are_told_apart(self):
        months = self._get_months()
        for kind, flags in (("private", [False]), ("company", [True])):
            [(_key, row)] = self._read([("customer_kind", "=", kind)], [])
            there = [
                month
                for month in months
                if self._get_window(month, SIDES["both"], flags)[1]
            ]
            expected = self._average(there, SIDES["both"], flags)
            self.assertFigures(row, expected, kind)

    def test_pivot_agrees_at_every_level(self):
        sets = [["date:quarter", "line"], ["date:quarter"], ["line"], []]
        result = self.Report.formatted_read_grouping_sets([], sets, MEASURES)
        for groupby, groups in zip(sets, result, strict=True):
            alone = self.Report.formatted_read_group([], groupby, MEASURES)
            for got, expected in zip(groups, alone, strict=True):
                for name in MEASURES:
                    self.assertAlmostEqual(got[name] or 0, expected[name] or 0, 6)
        [total] = result[-1]
        self.assertFigures(total, self._average(self._get_months(), SIDES["both"]))

    def test_rows_say_what_their_month_says(self):
        for row in self.Report.search([("line", "!=", "target")]):
            kinds = [row.customer_kind == "company"]
            expected = self._average([row.date], SIDES[row.line], kinds)
            self.assertAlmostEqual(row.customer_count, expected["customer_count:sum"])
            self.assertAlmostEqual(row.visit_frequency, expected["visit_frequency:avg"])

    def test_rows_have_ids_of_their_own(self):
        rows = self.Report.search([])
        self.assertEqual(len(rows), len(set(rows.ids)))
        self.assertEqual(self.Report.search([("id", "=", rows[3].id)]), rows[3])

    # -- target -----------------------------------------------------------------

    def test_target_is_the_frequency_of_others_times_the_goal(self):
        for (month, line), row in self._read([], ["date:month", "line"]):
            if line == "target":
                others = self._average([month], SIDES["other"])
                self.assertAlmostEqual(
                    row["visit_frequency:avg"],
                    1.5 * others["visit_frequency:avg"],
                    6,
                )

    def test_goal_below_others_is_refused(self):
        with (
            self.assertRaises(IntegrityError),
            mute_logger("odoo.sql_db"),
            self.env.cr.savepoint(),
        ):
            self.company.loyalty_frequency_target = 0.5

    # -- which months -----------------------------------------------------------

    def test_database_keeps_the_months_of_a_visit_as_its_days_are(self):
        query = "SELECT months FROM garage_loyalty_visit WHERE id = %s"
        for visit in self.Visit.search([("kind", "=", "repair")]):
            days = [visit.date, visit.prev_same_date, visit.prev_paid_date]
            if days[1] and (not days[2] or days[2] < days[1]):
                days[2] = days[1]
            months = [month_number(day) if day else 0 for day in days]
            self.env.cr.execute(query, [visit.id])
            [packed] = self.env.cr.fetchone()
            found = [packed // STEP**2, packed // STEP % STEP, packed % STEP]
            self.assertEqual(found, months)

    def test_running_month_and_first_eleven_are_left_out(self):
        months = {row.date for row in self.Report.search([])}
        self.assertEqual(min(months), date(2022, 11, 1))
        self.assertEqual(max(months), date(2024, 6, 1))

    def test_company_without_visits_has_no_months(self):
        elsewhere = self.setup_other_company()["company"]
        self.env.user.company_ids += elsewhere
        alone = self.Report.with_context(allowed_company_ids=elsewhere.ids)
        self.assertFalse(alone.search([]))
        both = self.Report.with_context(
            allowed_company_ids=[self.company.id, elsewhere.id]
        )
        self.assertEqual(both.search([]).company_id, self.company)
