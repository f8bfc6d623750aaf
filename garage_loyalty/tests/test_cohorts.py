import random
from datetime import date, timedelta

from odoo.tests import freeze_time, tagged

from ..tools.cohorts import SPANS
from .common import ACCOUNTANT, MANAGER
from .test_movement import TODAY
from .test_retention import RetentionCommon

NAMES = ("due", "came", "share", "amount", "value")
AGGREGATES = [
    "customers:sum",
    *(
        f"{name}_{span}:{'avg' if name in ('share', 'value') else 'sum'}"
        for span in SPANS
        for name in NAMES
    ),
]


class CohortCommon(RetentionCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Cohort = cls.env["garage.loyalty.cohort"]

    @classmethod
    def _work(cls, partner, day, amount=100, company=None, **vals):
        """Note a visit; of its documents there is the invoice, which counts nowhere."""
        company = company or cls.company
        cls._bill_by_sql([(partner, day)], company.loyalty_company_id)
        row = {
            "kind": "repair",
            "company_id": company.id,
            "partner_id": partner.id,
            "date": day,
            "is_member": False,
            "is_warranty": False,
            "amount": amount,
            "amount_discount": 0,
            **vals,
        }
        cls.env.cr.execute(
            "INSERT INTO garage_loyalty_visit (kind, company_id, partner_id, date, "
            "is_member, is_warranty, amount, amount_discount) VALUES (%(kind)s, "
            "%(company_id)s, %(partner_id)s, %(date)s, %(is_member)s, %(is_warranty)s, "
            "%(amount)s, %(amount_discount)s)",
            row,
        )

    def _cohorts(self, company=None):
        """Return the rows of a company by month and membership."""
        self.env.invalidate_all()
        rows = self.Cohort.search([("company_id", "=", (company or self.company).id)])
        return {(str(row.month)[:7], row.membership): row for row in rows}

    def _group(self, groupby=(), domain=()):
        domain = [("company_id", "=", self.company.id), *domain]
        return self.Cohort._read_group(domain, groupby, AGGREGATES)

    def _opened(self, row, figure=None):
        action = row.with_context(figure=figure).action_open_customers()
        return self.Customer.search(action["domain"]).partner_id


@tagged("post_install", "-at_install")
@freeze_time(TODAY)
class TestCohorts(CohortCommon):
    """What counts as coming back, and from when on it is known."""

    def test_who_comes_back_in_time_counts_in_longer_spans_too(self):
        self._work(self.customer, "2022-01-31", 10)
        self._work(self.customer, "2022-06-01", 20)
        self._work(self.customer, "2023-02-28", 40)
        self._work(self.customer, "2024-02-01", 80)
        row = self._cohorts()["2022-01", "other"]
        self.assertEqual([row[f"came_{span}"] for span in SPANS], [0, 1, 1, 1, 1])
        self.assertEqual([row[f"share_{span}"] for span in SPANS], [0] + [100] * 4)
        amounts = [row[f"amount_{span}"] for span in SPANS]
        self.assertEqual(amounts, [10, 30, 30, 70, 70])

    def test_cohort_that_is_not_old_enough_is_empty_and_not_zero(self):
        # June 2024 is running: March is known for less than three whole months.
        self._work(self.customer, "2024-03-01")
        self._work(self.customer, "2024-03-20")
        row = self._cohorts()["2024-03", "other"]
        self.assertEqual([row[f"due_{span}"] for span in SPANS], [0] * 5)
        self.assertFalse(row.is_running)
        figures = dict(zip(AGGREGATES, self._group()[0], strict=True))
        self.assertEqual(figures.pop("customers:sum"), 1)
        self.assertIs(figures["share_3:avg"], False)
        self.assertFalse(any(figures.values()))

    def test_months_that_are_just_over_are_known(self):
        self._work(self.customer, "2024-02-29")
        row = self._cohorts()["2024-02", "other"]
        self.assertEqual([row[f"due_{span}"] for span in SPANS], [1, 0, 0, 0, 0])
        figures = dict(zip(AGGREGATES, self._group()[0], strict=True))
        # Known, and nobody came: that is zero.
        self.assertEqual(figures["share_3:avg"], 0)
        self.assertIsNot(figures["share_3:avg"], False)
        self.assertIs(figures["share_6:avg"], False)

    def test_second_repair_order_of_the_day_is_no_coming_back(self):
        self._work(self.customer, "2022-01-31", 10)
        self._work(self.customer, "2022-01-31", 20)
        row = self._cohorts()["2022-01", "other"]
        self.assertEqual((row.customers, row.came_24, row.amount_3), (1, 0, 30))
        self._work(self.customer, "2022-02-01")
        self.assertEqual(self._cohorts()["2022-01", "other"].came_3, 1)

    def test_warranty_free_work_and_counter_sales_bring_nobody_back(self):
        self._work(self.customer, "2022-01-31")
        self._work(self.customer, "2022-02-05", is_warranty=True)
        self._work(self.customer, "2022-02-06", 0)
        self._work(self.customer, "2022-02-07", kind="sale")
        self._work(self.other, "2022-01-05", is_warranty=True)
        row = self._cohorts()["2022-01", "other"]
        self.assertEqual((row.customers, row.came_3, row.amount_3), (1, 0, 100))
        # What points have paid was not free.
        self._work(self.customer, "2022-02-08", 0, amount_discount=50)
        self.assertEqual(self._cohorts()["2022-01", "other"].came_3, 1)

    def test_member_is_who_was_one_at_the_first_visit(self):
        self._work(self.customer, "2022-01-31", is_member=True)
        self._work(self.customer, "2023-01-31")
        self._work(self.other, "2022-01-31")
        self._work(self.other, "2022-03-31", is_member=True)
        rows = self._cohorts()
        self.assertEqual(self._opened(rows["2022-01", "member"]), self.customer)
        self.assertEqual(self._opened(rows["2022-01", "other"]), self.other)

    def test_real_documents_make_a_cohort(self):
        self._enrol(self.customer, "2022-01-31")
        for day in ("2022-01-31", "2022-04-30"):
            self._visit(self.customer, day)
        _repair, invoice = self._visit(self.other, "2022-01-10")
        rows = self._cohorts()
        row = rows["2022-01", "member"]
        self.assertEqual((row.customers, row.came_3, row.value_3), (1, 1, 400))
        self.assertEqual(rows["2022-01", "other"].amount_24, 200)
        # Credited as a whole, the visit never was.
        self._credit(invoice, date="2022-03-01")
        self.assertNotIn(("2022-01", "other"), self._cohorts())

    def test_running_month_is_marked(self):
        self._work(self.customer, "2024-06-01")
        self._work(self.other, "2024-05-31")
        rows = self._cohorts()
        self.assertTrue(rows["2024-06", "other"].is_running)
        self.assertFalse(rows["2024-05", "other"].is_running)

    def test_late_visit_changes_the_figures_at_once(self):
        self._work(self.customer, "2022-05-14")
        self._refresh()
        self.assertIn(("2022-05", "other"), self._cohorts())
        self._work(self.customer, "2022-04-14")
        self.assertEqual(list(self._cohorts()), [("2022-04", "other")])
        self._refresh()
        self.assertEqual(list(self._cohorts()), [("2022-04", "other")])
        self.env.cr.execute(
            "DELETE FROM garage_loyalty_visit WHERE partner_id = %s", [self.customer.id]
        )
        self.Changed._note(self.customer.ids)
        self.assertFalse(self._cohorts())
        self._refresh()
        self.assertFalse(self._cohorts())

    def test_computing_again_changes_nothing(self):
        self._enrol(self.customer, "2022-01-31")
        self._visit(self.customer, "2022-01-31")
        self._refresh()
        self.assertEqual(self.Changed._refresh(self.customer.ids), 0)

    def test_firms_are_apart(self):
        firm = self._create_customer("Firm", is_company=True)
        self._work(firm, "2022-01-31")
        self._work(self.customer, "2022-01-31")
        rows = self.Cohort.search([("company_id", "=", self.company.id)])
        opened = {row.customer_kind: self._opened(row) for row in rows}
        self.assertEqual(opened, {"company": firm, "private": self.customer})

    def test_branches_that_share_the_programme_are_one_workshop(self):
        self.company.loyalty_program_ids.share_branches = True
        branch = self.env["res.company"].create(
            {"name": "Branch", "parent_id": self.company.id}
        )
        self._work(self.customer, "2022-01-31", company=branch)
        self._work(self.customer, "2022-02-28")
        rows = self._cohorts()
        self.assertEqual(rows["2022-01", "other"].came_3, 1)
        self.assertEqual(len(rows), 1)
        self.assertFalse(self._cohorts(branch))

    def test_totals_are_of_all_customers_not_averages_of_percentages(self):
        for number in range(3):
            self._work(self._create_customer(f"M{number}"), "2022-01-31", 50)
        self._work(self.customer, "2022-02-01", 100)
        self._work(self.customer, "2022-02-02", 100)
        # Too young for a year: in neither part of the ratio.
        self._work(self.other, "2023-07-01", 999)
        figures = dict(zip(AGGREGATES, self._group()[0], strict=True))
        self.assertEqual(figures["share_12:avg"], 25)
        self.assertEqual(figures["value_12:avg"], 350 / 4)
        self.assertEqual(figures["customers:sum"], 5)


@tagged("post_install", "-at_install")
@freeze_time(TODAY)
class TestCohortCustomers(CohortCommon):
    """Whom a row opens, and for whom."""

    def test_share_opens_those_who_came_back(self):
        self._work(self.customer, "2022-01-31")
        self._work(self.customer, "2022-05-01")
        self._work(self.other, "2022-01-01")
        row = self._cohorts()["2022-01", "other"]
        self.assertEqual(self._opened(row), self.customer + self.other)
        self.assertFalse(self._opened(row, "share_3"))
        self.assertEqual(self._opened(row, "came_6"), self.customer)
        # What a client makes up is nobody's figure.
        self.assertEqual(self._opened(row, "value_6'"), self.customer + self.other)

    def test_row_opens_as_many_as_it_counts_for_managers_and_accountants(self):
        self._work(self.customer, "2022-01-31", is_member=True)
        self._work(self.customer, "2022-02-01", is_member=True)
        row = self._cohorts()["2022-01", "member"]
        for number, group in enumerate((MANAGER, ACCOUNTANT)):
            theirs = row.with_user(self._create_user(f"reader{number}", group))
            with self.subTest(group=group):
                self.assertEqual(theirs.customers, 1)
                self.assertEqual(self._opened(theirs, "share_3").ids, self.customer.ids)
                action = theirs.action_open_customers()
                self.assertEqual(action["name"], "First visit in 2022-01")
        action = row.with_context(figure="share_3").action_open_customers()
        self.assertEqual(action["name"], "Back within 3 months, first visit in 2022-01")


@tagged("post_install", "-at_install")
@freeze_time(TODAY)
class TestCohortOracle(CohortCommon):
    """The report against a slow, obvious count of the same random visits."""

    def _make(self, generator, company, number):
        """Let customers come at random; return their visits."""
        visits = {}
        span = (date(2024, 6, 15) - date(2020, 1, 1)).days
        for place in range(number):
            firm = generator.random() < 0.2
            partner = self._create_customer(f"{company.id}-{place}", is_company=firm)
            for _visit in range(generator.choice((1, 1, 2, 3, 8))):
                visit = {
                    "day": date(2020, 1, 1) + timedelta(generator.randrange(span)),
                    "amount": generator.choice((0, 10.25, 99.99, 1000)),
                    "amount_discount": generator.choice((0, 0, 5)),
                    "is_member": generator.random() < 0.5,
                    "is_warranty": generator.random() < 0.1,
                    "kind": generator.choice(("repair", "repair", "sale")),
                }
                self._work(partner, company=company, **visit)
                visits.setdefault(partner, []).append(visit)
        return visits

    def _describe(self, partner, visits):
        """Return what one customer adds to the report, or None."""
        counted = [
            visit
            for visit in visits
            if visit["kind"] == "repair"
            and not visit["is_warranty"]
            and visit["amount"] + visit["amount_discount"]
        ]
        if not counted:
            return None
        first = min(visit["day"] for visit in counted)
        is_member = any(
            visit["is_member"] for visit in counted if visit["day"] == first
        )
        row = {
            "month": first.replace(day=1),
            "membership": "member" if is_member else "other",
            "customer_kind": "company" if partner.is_company else "private",
        }
        months = {
            visit["day"]: 12 * (visit["day"].year - first.year)
            + visit["day"].month
            - first.month
            for visit in counted
        }
        today = date.fromisoformat(TODAY)
        known = 12 * (today.year - first.year) + today.month - first.month
        for span in SPANS:
            row[f"due_{span}"] = known > span
            row[f"came_{span}"] = any(
                day > first and away <= span for day, away in months.items()
            )
            row[f"amount_{span}"] = sum(
                visit["amount"] for visit in counted if months[visit["day"]] <= span
            )
        return row

    def _measure(self, rows):
        """Return what the report must say of some customers."""
        found = [len(rows)]
        for span in SPANS:
            known = [row for row in rows if row[f"due_{span}"]]
            came = sum(row[f"came_{span}"] for row in known)
            amount = sum(row[f"amount_{span}"] for row in known)
            due = len(known)
            found += [due, came, 100 * came / due if due else False]
            found += [amount, amount / due if due else False]
        return found

    def _key(self, row, groupby):
        key = []
        for spec in groupby:
            name, _colon, step = spec.partition(":")
            value = row[name]
            if step == "quarter":
                value = value.replace(month=3 * ((value.month - 1) // 3) + 1)
            elif step == "year":
                value = value.replace(month=1)
            key.append(value)
        return tuple(key)

    def _compare(self, company, rows, groupby):
        expected = {}
        for row in rows:
            expected.setdefault(self._key(row, groupby), []).append(row)
        groups = self.Cohort._read_group(
            [("company_id", "=", company.id)], groupby, AGGREGATES
        )
        found = {group[: len(groupby)]: group[len(groupby) :] for group in groups}
        self.assertEqual(set(found), set(expected))
        for key, values in found.items():
            for name, value, wanted in zip(
                AGGREGATES, values, self._measure(expected[key]), strict=True
            ):
                with self.subTest(key=key, name=name):
                    self.assertAlmostEqual(float(value), float(wanted), places=6)
                    is_known = wanted is not False
                    if name.endswith(":avg"):
                        self.assertEqual(value is not False, is_known)

    def test_random_visits_in_two_companies(self):
        generator = random.Random(6)
        elsewhere = self.setup_other_company()["company"]
        elsewhere.currency_id = self.env.ref("base.CHF")
        for company, number in ((self.company, 60), (elsewhere, 30)):
            visits = self._make(generator, company, number)
            rows = [self._describe(*item) for item in visits.items()]
            rows = [row for row in rows if row]
            for is_fresh in (True, False):
                if not is_fresh:
                    self._refresh()
                for groupby in (
                    ["month:month", "membership", "customer_kind"],
                    ["membership"],
                    ["month:quarter", "membership"],
                    ["month:year"],
                    [],
                ):
                    with self.subTest(company=company.name, groupby=groupby):
                        self._compare(company, rows, groupby)
            currencies = self.Cohort.search(
                [("company_id", "=", company.id)]
            ).currency_id
            self.assertEqual(currencies, company.currency_id)

    def test_row_opens_as_many_as_it_counts(self):
        self._make(random.Random(7), self.company, 40)
        rows = self._cohorts().values()
        self.assertTrue(rows)
        for row in self.Cohort.search([("company_id", "=", self.company.id)]):
            with self.subTest(row=row.display_name):
                self.assertEqual(len(self._opened(row)), row.customers)
                for span in SPANS:
                    if row[f"due_{span}"]:
                        came = len(self._opened(row, f"share_{span}"))
                        self.assertEqual(came, row[f"came_{span}"])
