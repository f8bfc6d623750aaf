import itertools
from collections import defaultdict
from datetime import date

from lxml import etree

from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools.safe_eval import safe_eval

from .common import GarageLoyaltyCommon

MEASURES = (
    "customer_count:count_distinct",
    "visit_count:sum",
    "amount:sum",
    "amount_labour:sum",
    "amount_parts:sum",
    "amount_discount:sum",
    "amount_before_discount:sum",
    "aro:avg",
    "aro_before_discount:avg",
    "visit_frequency:avg",
    "customer_value:avg",
    "days_since:avg",
    "aro_uplift:avg",
    "frequency_ratio:avg",
    "visit_share:avg",
    "amount_share:avg",
    "amount_cost:sum",
    "margin:sum",
    "margin_rate:avg",
)
GROUPINGS = (
    [],
    ["membership"],
    ["tier_id"],
    ["user_id"],
    ["date:month"],
    ["date:quarter"],
    ["company_id"],
    ["partner_id"],
    ["customer_kind"],
    ["customer_type"],
    ["customer_type", "membership"],
    ["work_kind"],
    ["category_id"],
    ["membership", "category_id"],
    ["membership", "date:month"],
    ["membership", "tier_id"],
    ["date:quarter", "user_id"],
    ["company_id", "membership", "date:quarter"],
)


@tagged("post_install", "-at_install")
class TestVisitReport(GarageLoyaltyCommon):
    """The report against a slow and obvious count, one visit after the other."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._spend_without_limits()
        cls.Report = cls.env["garage.loyalty.visit.report"]
        Category = cls.env["product.category"]
        cls.part.categ_id = Category.create({"name": "Brakes"})
        cls.labour.categ_id = Category.create({"name": "Labour"})
        cls.part.standard_price = 20
        cls.advisors = cls._create_user("first") + cls._create_user("second")
        cls.firm = cls._create_customer("Firm", is_company=True)
        driver = cls._create_customer("Driver", parent_id=cls.firm.id)
        cls.third = cls._create_customer("Third Customer")
        member = cls._enrol(cls.customer, date="2024-01-20")
        member._post_points("adjust", 1000, "2024-01-20", reason="Start")
        cls._job(cls.customer, "2024-01-05", parts=1, hours=1)
        cls._job(cls.customer, "2024-01-25", parts=4, hours=0)
        member._set_tier(cls.gold, date="2024-04-01")
        cls._job(cls.customer, "2024-04-02", parts=2, hours=3, points=500, by=1)
        cls._job(cls.other, "2024-01-10", parts=1, hours=0)
        cls._job(cls.other, "2024-02-10", parts=20, hours=9, by=1)
        cls._job(cls.other, "2024-02-11", parts=1, hours=0, by=1)
        cls._job(cls.third, "2024-05-05", parts=0, hours=1)
        cls._job(driver, "2024-02-20", parts=2, hours=2)
        cls._enrol(cls.firm, date="2024-03-01")
        cls._job(driver, "2024-03-20", parts=3, hours=2, by=1)
        cls._job(cls.third, "2024-06-05", parts=2, hours=1, under_warranty=True)
        cls.part.standard_price = 0
        cls._job(cls.third, "2024-06-12", parts=1, hours=0)
        cls.part.standard_price = 20
        credited = cls._job(cls.third, "2024-06-20", parts=1, hours=1)
        cls._credit(credited, date="2024-06-21")
        cls._invoice(cls.customer, date="2024-03-03")
        cls.env.flush_all()

    @classmethod
    def _job(cls, partner, date, by=0, points=0, parts=1, hours=1, **vals):
        repair = cls._create_repair(
            partner, parts=parts, hours=hours, user_id=cls.advisors[by].id, **vals
        )
        order = repair.sale_order_id
        if points:
            cls._redeem(order, points)
        order.action_confirm()
        cls._finish(repair, date)
        return cls._bill(order, date)

    # -- the oracle -------------------------------------------------------------

    def _key(self, visit, spec):
        name, _colon, step = spec.partition(":")
        if name == "membership":
            return "member" if visit.is_member else "other"
        if name == "customer_kind":
            return "company" if visit.partner_id.is_company else "private"
        if name == "customer_type":
            return visit.kind == "repair" and (
                "returning" if self._earlier(visit) else "new"
            )
        if name == "work_kind":
            return self._get_work_kind(visit)
        if name == "category_id":
            return self._get_category(visit)
        if step:
            month = visit.date.month
            first = month if step == "month" else 3 * ((month - 1) // 3) + 1
            return date(visit.date.year, first, 1)
        return visit[name].id

    def _get_work_kind(self, visit):
        billed = bool(visit.amount_labour), bool(visit.amount_parts)
        kinds = {(True, True): "both", (True, False): "labour", (False, True): "parts"}
        return kinds.get(billed, "none")

    def _get_category(self, visit):
        """Return the category of the lines that most of a visit comes to."""
        amounts = defaultdict(float)
        for line in visit.repair_id.sale_order_id.order_line:
            amounts[line.product_id.categ_id.id] += line.price_subtotal
        for line in visit.move_id.invoice_line_ids:
            amounts[line.product_id.categ_id.id] += line.price_subtotal
        amounts.pop(False, None)
        best = sorted(amounts, key=lambda categ: (-amounts[categ], categ))
        return best[0] if best else False

    def _get_cost(self, visit):
        """Return what the parts of a visit cost, None if one has no cost."""
        moves = visit.repair_id.move_ids.filtered("quantity")
        free = str(visit.date) == "2024-06-12"
        costs = [0 if free else move.quantity * 20 for move in moves]
        if visit.kind != "repair" or not all(costs):
            return None
        return None if visit.amount_parts and not costs else sum(costs)

    def _sum_margins(self, visits):
        costs = {visit: self._get_cost(visit) for visit in visits}
        known = [visit for visit in visits if costs[visit] is not None]
        if not known:
            return {
                "amount_cost:sum": None,
                "margin:sum": None,
                "margin_rate:avg": None,
            }
        amount, cost = (
            sum(visit.amount for visit in known),
            sum(costs[visit] for visit in known),
        )
        return {
            "amount_cost:sum": cost,
            "margin:sum": amount - cost,
            "margin_rate:avg": 100 * (amount - cost) / amount if amount else None,
        }

    def _get_shares(self, visits):
        mine, amount = visits.filtered("is_member"), sum(visits.mapped("amount"))
        return {
            "visit_share:avg": 100 * len(mine) / len(visits),
            "amount_share:avg": amount and 100 * sum(mine.mapped("amount")) / amount,
        }

    def _earlier(self, visit):
        """Return the repair orders of the customer before a visit."""
        return self.Visit.search(
            [
                ("kind", "=", "repair"),
                ("partner_id", "=", visit.partner_id.id),
                ("company_id", "=", visit.company_id.id),
                ("date", "<", visit.date),
            ]
        )

    def _get_days(self, visits):
        """Return the days between each repair order and the one before."""
        return [
            (visit.date - max(self._earlier(visit).mapped("date"))).days
            for visit in visits
            if visit.kind == "repair" and self._earlier(visit)
        ]

    def _compare(self, visits):
        """Return ARO and frequency of members, divided by those of others."""
        sides = visits.grouped("is_member")
        if len(sides) < 2:
            return None, None
        aro, frequency = (
            [divide(sides[side]) for side in (True, False)]
            for divide in (
                lambda mine: sum(mine.mapped("amount")) / len(mine),
                lambda mine: len(mine) / len(mine.partner_id),
            )
        )
        return (
            100 * (aro[0] / aro[1] - 1) if aro[1] else None,
            frequency[0] / frequency[1],
        )

    def _measure(self, visits):
        days = self._get_days(visits)
        uplift, ratio = self._compare(visits)
        count, customers = len(visits), len(set(visits.mapped("partner_id.id")))
        amount = sum(visit.amount for visit in visits)
        discount = sum(visit.amount_discount for visit in visits)
        return {
            "customer_count:count_distinct": customers,
            "visit_count:sum": count,
            "amount:sum": amount,
            "amount_labour:sum": sum(visit.amount_labour for visit in visits),
            "amount_parts:sum": sum(visit.amount_parts for visit in visits),
            "amount_discount:sum": discount,
            "amount_before_discount:sum": amount + discount,
            "aro:avg": amount / count,
            "aro_before_discount:avg": (amount + discount) / count,
            "visit_frequency:avg": count / customers,
            "customer_value:avg": amount / customers,
            "aro_uplift:avg": uplift,
            "frequency_ratio:avg": ratio,
            "days_since:avg": sum(days) / len(days) if days else None,
            **self._get_shares(visits),
            **self._sum_margins(visits),
        }

    def _oracle(self, groupby, visits=None):
        visits = self.Visit.search([]) if visits is None else visits
        groups = defaultdict(self.Visit.browse)
        for visit in visits:
            groups[tuple(self._key(visit, spec) for spec in groupby)] |= visit
        return {key: self._measure(group) for key, group in groups.items()}

    def assertGroups(self, found, expected):
        self.assertEqual(set(found), set(expected))
        for key, measures in expected.items():
            for name, value in measures.items():
                got = found[key][name]
                if value is None:
                    self.assertFalse(got, f"{key} {name}")
                else:
                    self.assertAlmostEqual(got, value, 6, f"{key} {name}")

    # -- every grouping, by every route -----------------------------------------

    def test_data_is_worth_comparing(self):
        everything = self._oracle([])[()]
        self.assertEqual(everything["visit_count:sum"], 13)
        self.assertEqual(everything["customer_count:count_distinct"], 4)
        self.assertGreater(everything["amount_discount:sum"], 0)

    def test_read_group_agrees_for_every_grouping(self):
        for groupby in GROUPINGS:
            rows = self.Report._read_group([], groupby, MEASURES)
            found = {
                tuple(
                    value.id if hasattr(value, "ids") else value
                    for value in row[: len(groupby)]
                ): dict(zip(MEASURES, row[len(groupby) :], strict=True))
                for row in rows
            }
            with self.subTest(groupby=groupby):
                self.assertGroups(found, self._oracle(groupby))

    def _plain(self, value):
        """Return the key in a formatted group as the oracle writes it."""
        if isinstance(value, tuple):
            value = value[0]
        if isinstance(value, str) and value[:4].isdigit():
            return date.fromisoformat(value)
        return value

    def _by_key(self, groups, groupby):
        return {
            tuple(self._plain(group[spec]) for spec in groupby): group
            for group in groups
        }

    def test_formatted_read_group_agrees_for_every_grouping(self):
        for groupby in GROUPINGS:
            groups = self.Report.formatted_read_group([], groupby, MEASURES)
            with self.subTest(groupby=groupby):
                found = self._by_key(groups, groupby)
                self.assertGroups(found, self._oracle(groupby))

    def test_grouping_sets_of_the_pivot_agree_at_every_level(self):
        sets = [["membership", "date:quarter"], ["membership"], ["date:quarter"], []]
        result = self.Report.formatted_read_grouping_sets([], sets, MEASURES)
        for groupby, groups in zip(sets, result, strict=True):
            with self.subTest(groupby=groupby):
                found = self._by_key(groups, groupby)
                self.assertGroups(found, self._oracle(groupby))

    def test_domain_narrows_before_anything_is_counted(self):
        visits = self.Visit.search([("kind", "=", "repair"), ("is_member", "=", True)])
        groups = self.Report.formatted_read_group(
            [("kind", "=", "repair"), ("membership", "=", "member")],
            ["tier_id"],
            MEASURES,
        )
        found = self._by_key(groups, ["tier_id"])
        self.assertGroups(found, self._oracle(["tier_id"], visits))

    # -- ratios -----------------------------------------------------------------

    def test_total_is_no_average_of_averages(self):
        groups = self.Report._read_group([], ["partner_id"], ["aro:avg"])
        averages = [aro for _partner, aro in groups]
        [(total,)] = self.Report._read_group([], [], ["aro:avg"])
        oracle = self._oracle([])[()]["aro:avg"]
        self.assertAlmostEqual(total, oracle)
        self.assertNotAlmostEqual(total, sum(averages) / len(averages), 2)

    def test_customer_of_two_months_counts_once_in_the_total(self):
        months = self.Report._read_group(
            [], ["date:month"], ["customer_count:count_distinct"]
        )
        self.assertGreater(sum(count for _month, count in months), 4)
        [(total,)] = self.Report._read_group([], [], ["customer_count:count_distinct"])
        self.assertEqual(total, 4)

    def test_value_is_aro_times_frequency_in_every_group(self):
        specs = ["aro:avg", "visit_frequency:avg", "customer_value:avg"]
        for groupby in (["membership"], ["partner_id"], []):
            for row in self.Report._read_group([], groupby, specs):
                aro, frequency, value = row[-3:]
                self.assertAlmostEqual(float(aro * frequency), float(value), 6)

    def test_nothing_found_has_no_ratio(self):
        domain = [("date", "<", "1999-01-01")]
        [row] = self.Report._read_group(domain, [], MEASURES)
        values = dict(zip(MEASURES, row, strict=True))
        self.assertFalse(any(values.values()), values)
        self.assertEqual(self.Report._read_group(domain, ["tier_id"], MEASURES), [])

    def test_groups_can_be_ordered_and_filtered_by_a_ratio(self):
        rows = self.Report._read_group(
            [], ["partner_id"], ["aro:avg"], order="aro:avg desc"
        )
        values = [aro for _partner, aro in rows]
        self.assertEqual(values, sorted(values, reverse=True))
        limit = values[1]
        rich = self.Report._read_group(
            [], ["partner_id"], ["aro:avg"], having=[("aro:avg", ">=", limit)]
        )
        self.assertEqual(len(rich), 2)

    def test_rewards_are_shown_before_and_after(self):
        groups = dict(
            self._by_key(
                self.Report.formatted_read_group(
                    [("kind", "=", "repair")],
                    ["membership"],
                    ["aro:avg", "aro_before_discount:avg"],
                ),
                ["membership"],
            )
        )
        member, other = groups["member",], groups["other",]
        self.assertGreater(member["aro_before_discount:avg"], member["aro:avg"])
        self.assertEqual(other["aro_before_discount:avg"], other["aro:avg"])

    # -- rows -------------------------------------------------------------------

    def test_rows_say_what_the_visits_say(self):
        rows = self.Report.search([])
        self.assertEqual(len(rows), 13)
        for row in rows:
            visit = self.Visit.browse(row.id)
            self.assertEqual(row.membership, self._key(visit, "membership"))
            self.assertEqual(row.customer_kind, self._key(visit, "customer_kind"))
            self.assertEqual(row.currency_id, visit.company_id.currency_id)
            for name in ("date", "partner_id", "tier_id", "user_id", "repair_id"):
                self.assertEqual(row[name], visit[name])
            for name in ("aro", "customer_value"):
                self.assertAlmostEqual(row[name], visit.amount)

    def test_default_filters_leave_out_what_would_mislead(self):
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "garage_loyalty.garage_loyalty_visit_report_action"
        )
        context = safe_eval(action["context"])
        view = self.env["ir.ui.view"].browse(action["search_view_id"][0])
        on = {
            node.get("name"): node.get("domain")
            for node in etree.fromstring(view.arch).iter("filter")
            if context.get(f"search_default_{node.get('name')}")
        }
        on.pop("filter_year", None)  # the period is another matter
        domains = [safe_eval(domain) for domain in on.values() if domain]
        found = self.Report.search(list(itertools.chain.from_iterable(domains)))
        expected = self.Visit.search([]).filtered(
            lambda visit: (
                visit.kind == "repair"
                and not visit.is_warranty
                and visit.amount + visit.amount_discount
                and not visit.partner_id.is_company
            )
        )
        self.assertEqual(set(found.ids), set(expected.ids))
        left_out = self.Visit.search([]) - expected
        self.assertEqual(len(left_out), 5)

    def test_second_company_is_not_mixed_in(self):
        other = self.setup_other_company()["company"]
        self.env.user.company_ids += other
        invoice = (
            self.env["account.move"]
            .with_company(other)
            .create(
                {
                    "move_type": "out_invoice",
                    "company_id": other.id,
                    "partner_id": self.customer.id,
                    "invoice_date": "2024-02-02",
                    "invoice_line_ids": [
                        Command.create(
                            {"name": "Work", "price_unit": 7000, "tax_ids": False}
                        )
                    ],
                }
            )
        )
        invoice.action_post()
        both = self.Report.with_context(allowed_company_ids=[self.company.id, other.id])
        groups = self._by_key(
            both.formatted_read_group([], ["company_id"], MEASURES), ["company_id"]
        )
        self.assertEqual(set(groups), {(self.company.id,), (other.id,)})
        self.assertAlmostEqual(groups[other.id,]["amount:sum"], 7000)
        ours = self.Visit.search([("company_id", "=", self.company.id)])
        self.assertAlmostEqual(
            groups[self.company.id,]["aro:avg"], self._measure(ours)["aro:avg"]
        )
        one = self.Report.with_context(allowed_company_ids=self.company.ids)
        [(amount,)] = one._read_group([], [], ["amount:sum"])
        self.assertAlmostEqual(amount, self._measure(ours)["amount:sum"])
