import random
from collections import defaultdict
from datetime import date, timedelta

from odoo.tests import tagged

from .common import GarageLoyaltyCommon

RATE = 2.0
AMOUNTS = ("amount", "amount_labour", "amount_parts", "amount_discount")
RATIOS = ("aro", "aro_before_discount", "customer_value")
SUMS = (
    "__count",
    *(f"{name}:sum" for name in AMOUNTS),
    *(f"{name}:sum_currency" for name in AMOUNTS),
    *(f"{name}:avg" for name in RATIOS[:2]),
    *(f"{name}:sum_currency" for name in RATIOS[:2]),
    "visit_count:sum",
    "aro_uplift:avg",
    "visit_share:avg",
    "amount_share:avg",
)
# These tell customers from each other: they are no sums of anything.
MEASURES = (
    *SUMS,
    "customer_value:avg",
    "customer_value:sum_currency",
    "customer_count:count_distinct",
    "visit_frequency:avg",
    "frequency_ratio:avg",
)
GROUPINGS = (
    [],
    ["company_id"],
    ["membership"],
    ["customer_kind"],
    ["tier_id"],
    ["date:quarter"],
    ["date:month", "membership"],
    ["company_id", "membership", "date:quarter"],
    ["partner_id", "company_id"],
)
FILTERS = (
    [],
    [("kind", "=", "repair")],
    [("is_warranty", "=", False), ("amount_before_discount", "!=", 0)],
    [("customer_kind", "=", "private"), ("kind", "=", "repair")],
)


@tagged("post_install", "-at_install")
class TestVisitReportCurrencies(GarageLoyaltyCommon):
    """The comparison on random visits of two companies with two currencies."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        rng = random.Random(11)
        currency = cls.setup_other_currency("EUR", rates=[("2020-01-01", RATE)])
        elsewhere = cls.setup_other_company(currency_id=currency.id)["company"]
        cls.companies = cls.company + elsewhere
        cls.env.user.company_ids += elsewhere
        customers = [cls._create_customer(f"Customer {n}") for n in range(9)]
        customers += [
            cls._create_customer(f"Firm {n}", is_company=True) for n in range(2)
        ]
        cls.visits = cls.env["garage.loyalty.visit"].sudo()
        for _visit in range(160):
            cls.visits |= cls.visits.create(cls._make_visit(rng, customers))
        cls.env.flush_all()
        cls.Report = cls.env["garage.loyalty.visit.report"].with_context(
            allowed_company_ids=cls.companies.ids
        )

    @classmethod
    def _make_visit(cls, rng, customers):
        labour, parts = rng.choice((0, 80, 120.5)), rng.choice((0, 30.25, 900))
        is_member = rng.random() < 0.5
        return {
            "kind": rng.choice(("repair", "repair", "sale")),
            "company_id": rng.choice(cls.companies.ids),
            "partner_id": rng.choice(customers).id,
            "date": date(2024, 1, 1) + timedelta(days=rng.randrange(200)),
            "is_member": is_member,
            "tier_id": rng.choice(cls.program.tier_ids.ids) if is_member else False,
            "is_warranty": rng.random() < 0.1,
            "amount": labour + parts,
            "amount_labour": labour,
            "amount_parts": parts,
            "amount_discount": rng.choice((0, 0, 15)),
        }

    # -- the oracle -------------------------------------------------------------

    def _key(self, visit, spec):
        if spec == "membership":
            return "member" if visit.is_member else "other"
        if spec == "customer_kind":
            return "company" if visit.partner_id.is_company else "private"
        if spec.startswith("date:"):
            month = visit.date.month
            first = month if spec == "date:month" else 3 * ((month - 1) // 3) + 1
            return visit.date.replace(month=first, day=1)
        return visit[spec]

    def _is_in(self, visit, domain):
        values = {
            "kind": visit.kind,
            "is_warranty": visit.is_warranty,
            "customer_kind": self._key(visit, "customer_kind"),
            "amount_before_discount": visit.amount + visit.amount_discount,
        }
        return all(
            (values[name] == value) == (operator == "=")
            for name, operator, value in domain
        )

    def _divide(self, above, below):
        return above / below if below else None

    def _convert(self, visit, name):
        return visit[name] / (RATE if visit.company_id == self.companies[1] else 1)

    def _measure(self, visits):
        found, count = {}, len(visits)
        people = len(visits.partner_id)
        sums = {
            "sum": {name: sum(visit[name] for visit in visits) for name in AMOUNTS},
            "sum_currency": {
                name: sum(self._convert(visit, name) for visit in visits)
                for name in AMOUNTS
            },
        }
        for func, amounts in sums.items():
            found |= {f"{name}:{func}": amount for name, amount in amounts.items()}
            mean = "avg" if func == "sum" else func
            before = amounts["amount"] + amounts["amount_discount"]
            found[f"aro:{mean}"] = amounts["amount"] / count
            found[f"aro_before_discount:{mean}"] = before / count
            found[f"customer_value:{mean}"] = amounts["amount"] / people
        member = visits.filtered("is_member")
        other = visits - member
        spent = [
            sum(self._convert(visit, "amount") for visit in side)
            for side in (member, other)
        ]
        aro = [
            self._divide(amount, len(side))
            for amount, side in zip(spent, (member, other), strict=True)
        ]
        often = [
            self._divide(len(side), len(side.partner_id)) for side in (member, other)
        ]
        both = all(often)
        return {
            **found,
            "__count": count,
            "visit_count:sum": count,
            "customer_count:count_distinct": people,
            "visit_frequency:avg": count / people,
            "aro_uplift:avg": 100 * (aro[0] / aro[1] - 1) if both and aro[1] else None,
            "frequency_ratio:avg": often[0] / often[1] if both else None,
            "visit_share:avg": 100 * len(member) / count,
            "amount_share:avg": self._divide(100 * spent[0], sum(spent)),
        }

    def _oracle(self, domain, groupby):
        groups = defaultdict(self.visits.browse)
        for visit in self.visits:
            if self._is_in(visit, domain):
                groups[tuple(self._key(visit, spec) for spec in groupby)] |= visit
        return {key: self._measure(group) for key, group in groups.items()}

    # -- every grouping ---------------------------------------------------------

    def test_data_is_worth_comparing(self):
        [whole] = self._oracle([], []).values()
        self.assertNotAlmostEqual(whole["aro:avg"], whole["aro:sum_currency"], 2)
        self.assertEqual(whole["visit_count:sum"], 160)

    def test_every_figure_is_right_in_every_grouping_and_with_every_filter(self):
        for domain in FILTERS:
            for groupby in GROUPINGS:
                expected = self._oracle(domain, groupby)
                for names in (MEASURES, SUMS):
                    with self.subTest(domain=domain, groupby=groupby, names=names):
                        rows = self.Report._read_group(domain, groupby, names)
                        self._compare_rows(rows, len(groupby), names, expected)

    def test_every_sum_is_right_by_itself(self):
        groupby = ["date:month", "membership"]
        expected = self._oracle([], groupby)
        for name in SUMS:
            rows = self.Report._read_group([], groupby, [name], order="date:month")
            self._compare_rows(rows, 2, [name], expected)

    def test_every_level_of_a_pivot_is_right(self):
        sets = [[], ["date:quarter"], ["date:quarter", "company_id"]]
        domain = FILTERS[3]
        for names in (MEASURES, SUMS):
            levels = self.Report._read_grouping_sets(domain, sets, names)
            for groupby, rows in zip(sets, levels, strict=True):
                expected = self._oracle(domain, groupby)
                self._compare_rows(rows, len(groupby), names, expected)

    def test_only_sums_of_few_groups_are_added_up_beforehand(self):
        def is_folded(*args, order=None):
            return bool(self.Report._folded(*args, order)._get_fold())

        self.assertTrue(is_folded(["date:month", "customer_kind"], SUMS))
        self.assertTrue(is_folded(["date:month"], SUMS, order="amount:sum desc"))
        self.assertFalse(is_folded(["date:month"], SUMS[:1], order="amount:sum desc"))
        self.assertFalse(is_folded(["partner_id"], SUMS))
        self.assertFalse(is_folded(["partner_id.country_id"], SUMS))
        self.assertFalse(is_folded(["date:month"], MEASURES))
        self.assertFalse(is_folded(["date:month"], ["days_since:avg"]))

    def test_fold_from_outside_is_ignored(self):
        Report = self.Report.with_context(loyalty_fold=[["date"], ["amount"]])
        self.assertEqual(Report.search_count([]), 160)

    def _compare_rows(self, rows, size, names, expected):
        found = {row[:size]: row[size:] for row in rows}
        self.assertEqual(set(found), set(expected))
        for key, values in found.items():
            self._compare(key, names, values, expected[key])

    def _compare(self, key, names, values, expected):
        for name, value in zip(names, values, strict=True):
            if expected[name] is None:
                self.assertFalse(value, f"{key} {name}")
            else:
                self.assertAlmostEqual(float(value), expected[name], 6, f"{key} {name}")

    def test_pivot_shows_an_average_in_the_currency_of_the_user(self):
        [whole] = self._oracle([], []).values()
        names = ["aro:avg", "currency_id:array_agg_distinct", "aro:sum_currency"]
        [[group]] = self.Report.formatted_read_grouping_sets([], [[]], names)
        self.assertEqual(len(group["currency_id:array_agg_distinct"]), 2)
        self.assertAlmostEqual(
            float(group["aro:sum_currency"]), whole["aro:sum_currency"], 6
        )
