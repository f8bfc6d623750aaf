import re
from datetime import date

from odoo.exceptions import ValidationError
from odoo.tests import tagged

from odoo.addons.spreadsheet.utils.validate_data import (
    fields_in_spreadsheet,
    menus_xml_ids_in_spreadsheet,
)

from .common import DashboardCommon, read_file

LINES = ("member", "other", "target")
CARDS = {
    "kpi_aro",
    "kpi_lead",
    "kpi_frequency",
    "kpi_conversion",
    "kpi_new",
    "kpi_active",
}


@tagged("post_install", "-at_install")
class TestDashboardFile(DashboardCommon):
    """Whatever the page names is there."""

    def test_file_passes_the_hosts_checks(self):
        self.assertIn("garage.loyalty.visit.report", fields_in_spreadsheet(self.data))
        self.assertTrue(menus_xml_ids_in_spreadsheet(self.data))
        self.dashboard._check_spreadsheet_data()

    def test_hosts_checks_find_a_field_that_is_not_there(self):
        # Only those who administer dashboards may change them.
        text = self.dashboard.spreadsheet_data.replace('"aro"', '"arrow"')
        with self.assertRaisesRegex(ValidationError, "arrow"):
            self.dashboard.sudo().spreadsheet_data = text

    def test_sample_passes_the_hosts_checks(self):
        sample = read_file("loyalty_sample_dashboard.json")
        self.assertEqual(sample, self.dashboard._get_sample_dashboard())
        self.assertFalse(fields_in_spreadsheet(sample))
        self.assertFalse(menus_xml_ids_in_spreadsheet(sample))
        self.assertNotIn("PIVOT", str(sample))

    def test_sample_has_the_figures_of_the_page(self):
        sample = read_file("loyalty_sample_dashboard.json")["sheets"][0]
        for page, other in zip(self.page["figures"], sample["figures"], strict=True):
            for name in ("id", "width", "height", "offset", "col", "row"):
                self.assertEqual(page[name], other[name])
            self.assertEqual(page["data"]["title"], other["data"]["title"])

    def test_fields_of_filters_exist(self):
        filters = {item["id"]: item["type"] for item in self.data["globalFilters"]}
        pivots = self.data["pivots"].values()
        models = [(item["model"], item["fieldMatching"]) for item in pivots]
        models += [
            (item["metaData"]["resModel"], item["fieldMatching"])
            for item in self.charts.values()
        ]
        for model, matching in models:
            for name, match in matching.items():
                field = self.env[model]._fields[match["chain"]]
                with self.subTest(model=model, field=field.name):
                    self.assertEqual(field.type, match["type"])
                    self.assertEqual(field.type, filters[name])

    def test_measures_are_added_up_as_their_fields_say(self):
        for pivot in self.data["pivots"].values():
            for measure in pivot["measures"]:
                name = measure["fieldName"]
                if name == "__count":
                    continue
                field = self.env[pivot["model"]]._fields[name]
                self.assertEqual(measure["aggregator"], field.aggregator)
                self.assertEqual(measure["id"], f"{name}:{field.aggregator}")

    def test_formulas_name_what_pivots_have(self):
        cells = [*self.page["cells"].values(), *self.sheet["cells"].values()]
        named = re.findall(r'PIVOT\.VALUE\((\d+),"([^"]+)"', "\n".join(cells))
        self.assertTrue(named)
        for number, measure in named:
            measures = self.data["pivots"][number]["measures"]
            self.assertIn(measure, [item["id"] for item in measures])

    def test_cards_show_figures_with_what_they_are_compared_with(self):
        cards = {
            figure["id"]: figure["data"]
            for figure in self.page["figures"]
            if figure["data"]["type"] == "scorecard"
        }
        self.assertEqual(set(cards), CARDS)
        for card in cards.values():
            for cell in (card["keyValue"], card["baseline"]):
                self.assertIn(cell.removeprefix("Data!"), self.sheet["cells"])

    def test_every_figure_opens_a_menu(self):
        figures = {figure["id"] for figure in self.page["figures"]}
        menus = self.data["chartOdooMenusReferences"]
        self.assertEqual(set(menus), figures)
        for xml_id in menus.values():
            self.assertTrue(self.env.ref(xml_id).action)


@tagged("post_install", "-at_install")
class TestDashboardFigures(DashboardCommon):
    """The figures of the page, counted by hand."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.third = cls._create_customer("Third Customer")
        cls.firm = cls._create_customer("Firm", is_company=True)
        # It takes twelve full months to say how often customers come.
        cls._visit(cls._create_customer("Old Firm", is_company=True), "2022-12-05")
        cls._visit(cls.customer, "2023-08-05", parts=2, hours=0)
        member = cls._enrol(cls.customer, date="2023-12-01")
        cls._enrol(cls.third, date="2024-02-01", tier=cls.gold, source="web")
        cls._enrol(cls.firm, date="2024-03-01")
        # Members: 300, 500 and 400 in three visits of two customers.
        cls._visit(cls.customer, "2024-01-10", parts=2, hours=2)
        cls._visit(cls.customer, "2024-03-10", parts=4, hours=3)
        accepted = cls._visit(cls.third, "2024-03-20", parts=4, hours=2)[0]
        accepted.loyalty_offer = "accepted"
        member._post_points("earn", 10, date(2024, 3, 10))
        # Others: 200 and 100 in two visits of one customer.
        declined = cls._visit(cls.other, "2024-01-20", parts=2, hours=1)[0]
        declined.loyalty_offer = "declined"
        cls._visit(cls.other, "2024-04-20", parts=2, hours=0)
        # What does not count: warranty, firms, a repair order for nothing.
        cls._visit(cls.third, "2024-02-20", parts=2, under_warranty=True)
        cls._visit(cls.firm, "2024-03-05", parts=8, hours=8)
        cls._visit_for_nothing(cls.other, "2024-02-20")
        cls.env["garage.loyalty.changed.customer"]._process()
        cls.env.flush_all()

    @classmethod
    def _visit_for_nothing(cls, partner, date):
        repair = cls._create_repair(partner)
        order = repair.sale_order_id
        order.order_line.price_unit = 0
        order.action_confirm()
        cls._finish(repair, date)
        cls._bill(order, date)

    def assertFigures(self, found, **expected):
        for name, value in expected.items():
            [measure] = [item for item in found if item.startswith(f"{name}:")]
            self.assertAlmostEqual(found[measure], value, msg=name)

    def test_comparison_has_right_figures_on_each_side_and_together(self):
        found = self._read_pivot("1")
        self.assertEqual(set(found), {"member", "other", None})
        self.assertFigures(
            found["member"],
            customer_count=2,
            visit_count=3,
            aro=400,
            aro_before_discount=400,
            visit_frequency=1.5,
            customer_value=600,
        )
        self.assertFigures(
            found["other"],
            customer_count=1,
            visit_count=2,
            aro=150,
            visit_frequency=2,
            customer_value=300,
        )
        self.assertFigures(
            found[None],
            customer_count=3,
            visit_count=5,
            aro=300,
            visit_frequency=5 / 3,
            customer_value=500,
            aro_uplift=100 * (400 / 150 - 1),
            frequency_ratio=0.75,
        )

    def test_period_before_has_figures_of_its_own(self):
        found = self._read_pivot("2")
        self.assertEqual(set(found), {"other", None})
        self.assertFigures(found["other"], customer_count=1, aro=100)
        self.assertFalse(found[None]["aro_uplift:avg"])

    def test_enrolment_counts_who_was_asked_and_who_joined(self):
        found = self._read_pivot("3")[None]
        self.assertFigures(found, conversion_rate=50, joined_count=1)
        before = self._read_pivot("4")[None]
        self.assertFigures(before, joined_count=1)
        self.assertFalse(before["conversion_rate:avg"])

    def test_enrolment_by_advisor_adds_up_to_all(self):
        found = self._read_pivot("9")
        expected = {"opportunity_count": 4, "asking_rate": 50, "conversion_rate": 50}
        self.assertFigures(found.pop(None), **expected)
        [(advisor, figures)] = found.items()
        self.assertEqual(advisor[0], self.env.user.id)
        self.assertFigures(figures, **expected)

    def test_frequency_is_that_of_twelve_months_with_the_goal(self):
        found = self._read_pivot("6")
        latest = max(key[0] for key in found if key)
        self.assertEqual(latest, "2024-06-01")
        [figures] = [row for key, row in found.items() if key and key[0] == latest]
        self.assertFigures(
            figures, frequency_ratio=1, other_frequency=1.5, target_frequency=3
        )

    def test_frequency_card_shows_the_latest_month(self):
        pivot = self.data["pivots"]["6"]
        self.assertEqual(pivot["rows"][0]["order"], "desc")
        self.assertIn('"#date:month",1', self.sheet["cells"]["B4"])

    def test_use_is_the_share_of_members_who_earned_or_redeemed(self):
        self.assertFigures(self._read_pivot("7")[None], active_share=100 / 3)
        self.assertFigures(self._read_pivot("8")[None], active_share=0)

    def test_tiers_are_those_of_the_visit(self):
        found = {key[0]: row for key, row in self._read_pivot("5").items() if key}
        entry = self.program._get_entry_tier()
        self.assertEqual(set(found), {entry.id, self.gold.id})
        self.assertFigures(found[self.gold.id], visit_count=1, aro=400)
        self.assertFigures(found[entry.id], visit_count=2, aro=400, visit_frequency=2)

    def test_charts_of_the_comparison_have_its_figures_by_month(self):
        months = self._read_chart("chart_aro")
        self.assertEqual(months["2024-03-01", "member"], 450)
        self.assertEqual(months["2024-01-01", "other"], 200)
        frequency = self._read_chart("chart_frequency")
        sides = {line: frequency["2024-06-01", line] for line in LINES}
        self.assertEqual(sides, {"member": 1.5, "other": 1.5, "target": 3})

    def test_movement_counts_who_came_and_left(self):
        found = self._read_chart("chart_movement")
        sums = {
            kind: sum(value for (_month, name), value in found.items() if name == kind)
            for kind in ("first", "returning", "lapsed")
        }
        # Firms, and visits under warranty that were invoiced, are customers too.
        self.assertEqual(sums, {"first": 3, "returning": 0, "lapsed": 0})
        self.assertNotIn("all", {name for _month, name in found})

    def test_charts_of_enrolment_count_answers_and_members(self):
        self.assertEqual(
            self._read_chart("chart_enrolment"),
            {
                ("2024-01-01", "declined"): 1,
                ("2024-02-01", "not_asked"): 1,
                ("2024-03-01", "accepted"): 1,
                ("2024-04-01", "not_asked"): 1,
            },
        )
        self.assertEqual(
            self._read_chart("chart_membership"), {("2024-02-01", "joined"): 1}
        )

    def test_chart_of_tiers_counts_members(self):
        entry = self.program._get_entry_tier()
        tiers = self._read_chart("chart_tiers")
        self.assertEqual(tiers[entry.id,], 2)
        self.assertEqual(tiers[self.gold.id,], 1)
