from datetime import date

from lxml import etree

from odoo import fields
from odoo.tests import HttpCase, freeze_time, tagged
from odoo.tools.date_utils import start_of, subtract

from .common import MANAGER
from .test_movement import TODAY, MovementCommon

FIGURES = (
    "lapsed",
    "returned",
    "first_count",
    "returning_count",
    "net",
    "active_count",
    "visits",
    "inspections",
    "reinspections",
)


@tagged("post_install", "-at_install")
@freeze_time(TODAY)
class TestMovementParts(MovementCommon):
    """What the net is made of, as the graph shows it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.third = cls._create_customer("Third")
        cls._enrol(cls.customer, "2022-01-01")
        cls._invoice(cls.customer, date="2022-05-14")
        cls._invoice(cls.third, date="2022-05-15")
        cls._invoice(cls.customer, date="2023-08-03")
        cls._invoice(cls.other, date="2023-05-14")

    def _groups(self, groupby, *domain, measure="net:sum"):
        """Return what the client gets for a graph, by the values that it groups by."""
        groups = self.Movement.formatted_read_group(
            [("company_id", "=", self.company.id), *domain], groupby, [measure]
        )
        keys = [
            tuple(
                group[name][0][:7] if isinstance(group[name], tuple) else group[name]
                for name in groupby
            )
            for group in groups
        ]
        return dict(zip(keys, [group[measure] for group in groups], strict=True))

    def test_net_by_movement_is_first_and_returning_less_lapsed(self):
        groups = self._groups(["month:month", "kind"])
        self.assertEqual(len(groups), 3 * 26)
        moved = {key: net for key, net in groups.items() if net}
        self.assertEqual(
            moved,
            {
                ("2022-05", "first"): 2,
                ("2023-05", "first"): 1,
                ("2023-05", "lapsed"): -2,
                ("2023-08", "returning"): 1,
                ("2024-05", "lapsed"): -1,
            },
        )

    def test_parts_sum_to_the_net_for_all_months_and_customers(self):
        for scope in ("all", "member", "other"):
            for gap in (1, 6, 12, 60):
                with self.subTest(scope=scope, gap=gap):
                    domain = [("scope", "=", scope), ("gap", "=", gap)]
                    parts = self._groups(["month:month", "kind"], *domain)
                    for (month,), net in self._groups(["month:month"], *domain).items():
                        found = [
                            value for key, value in parts.items() if key[0] == month
                        ]
                        self.assertEqual(sum(found), net)

    def test_members_and_others_sum_to_everybody(self):
        for measure in ("lapsed:sum", "first_count:sum", "net:sum"):
            with self.subTest(measure=measure):
                parts = self._groups(["scope"], measure=measure)
                self.assertEqual(set(parts), {("member",), ("other",)})
                whole = self._groups([], measure=measure)
                self.assertEqual(sum(parts.values()), whole[()])

    def test_choice_of_customers_holds_for_the_parts(self):
        domain = ("scope", "=", "member")
        groups = self._groups(["month:month", "kind"], domain)
        self.assertEqual(groups["2023-05", "lapsed"], -1)
        self.assertEqual(groups["2022-05", "first"], 1)

    def test_what_is_no_movement_is_not_split(self):
        groups = self._groups(["kind"], measure="active_count:avg")
        self.assertEqual(set(groups.values()), {False})

    def test_pivot_by_movement_keeps_its_total(self):
        by_kind, total = self.Movement.formatted_read_grouping_sets(
            [("company_id", "=", self.company.id)], [["kind"], []], ["net:sum"]
        )
        self.assertEqual(len(by_kind), 3)
        nets = [group["net:sum"] for group in by_kind]
        self.assertEqual(total[0]["net:sum"], sum(nets))
        self.assertEqual(total[0]["net:sum"], sum(self._groups([]).values()))

    def test_part_opens_its_customers(self):
        domain = [("company_id", "=", self.company.id), ("month", "=", "2023-05-01")]
        for kind, expected in (
            ("lapsed", self.customer + self.third),
            ("first", self.other),
            ("returning", self.env["res.partner"]),
            ("all", self.customer + self.third + self.other),
        ):
            row = self.Movement.search([*domain, ("kind", "=", kind)])
            for figure in ("net", "moved"):
                with self.subTest(kind=kind, figure=figure):
                    found = self._behind(row, figure).partner_id
                    self.assertEqual(found.sorted("id"), expected.sorted("id"))

    def test_rows_are_found_by_their_ids(self):
        domain = [("company_id", "=", self.company.id)]
        for gap in (1, 9, 12, 60):
            for scope in ("all", "member", "other"):
                for kind in ("all", "first", "returning", "lapsed"):
                    chosen = [("gap", "=", gap), ("scope", "=", scope)]
                    rows = self.Movement.search(
                        [*domain, *chosen, ("kind", "=", kind)], limit=2
                    )
                    self.env.invalidate_all()
                    for row in rows:
                        self.assertEqual(
                            (row.gap, row.scope, row.kind), (gap, scope, kind)
                        )

    def test_newest_month_comes_first(self):
        months = self.Movement.search([("company_id", "=", self.company.id)])
        self.assertEqual(months[0].month, date(2024, 6, 1))
        days = months.mapped("month")
        self.assertEqual(days, sorted(days, reverse=True))

    def test_every_figure_has_a_total(self):
        arch = etree.fromstring(self.Movement.get_view(view_type="list")["arch"])
        totals = {
            node.get("name")
            for node in arch.iter("field")
            if node.get("sum") or node.get("avg")
        }
        self.assertEqual(totals, set(FIGURES))

    def test_every_column_sorts(self):
        domain = [("company_id", "=", self.company.id)]
        described = self.Movement.fields_get(attributes=["sortable"])
        for name in ("month", *FIGURES):
            for way in ("asc", "desc"):
                with self.subTest(name=name, way=way):
                    self.assertTrue(described[name]["sortable"])
                    rows = self.Movement.search(domain, order=f"{name} {way}, id")
                    values = rows.mapped(lambda row, name=name: row[name])
                    self.assertEqual(values, sorted(values, reverse=way == "desc"))

    def test_graph_of_a_company_without_invoices_is_empty(self):
        elsewhere = self.setup_other_company()["company"]
        self.assertFalse(
            self.Movement.formatted_read_group(
                [("company_id", "=", elsewhere.id)],
                ["month:month", "kind"],
                ["net:sum"],
            )
        )


@tagged("post_install", "-at_install")
class TestMovementTours(MovementCommon, HttpCase):
    """From the report to a customer, as the owner clicks."""

    def setUp(self):
        super().setUp()
        self._create_user("workshop_owner", MANAGER)
        self.customer.phone = "+31 6 12345678"
        self.month = start_of(fields.Date.today(), "month")
        last_seen = subtract(self.month, months=7)
        self._visit(self.customer, fields.Date.to_string(last_seen))
        self._refresh()

    def _get_lapsed(self):
        rows = self.Movement.search(
            [("company_id", "=", self.company.id), ("gap", "=", 6), ("lapsed", ">", 0)]
        )
        return rows.mapped(lambda row: (row.month, row.lapsed))

    def test_tour_goes_from_the_report_to_the_history(self):
        self.start_tour(
            "/odoo/loyalty-movement", "garage_loyalty_movement", login="workshop_owner"
        )
        # What the tour has seen is what the rows say.
        self.assertEqual(self._get_lapsed(), [(subtract(self.month, months=1), 1)])

    def test_tour_opens_customers_from_the_graph(self):
        self.company.write({"loyalty_risk_months": 3, "loyalty_lapse_months": 6})
        self.start_tour(
            "/odoo/loyalty-movement",
            "garage_loyalty_movement_graph",
            login="workshop_owner",
        )
        self.assertEqual(self._get_lapsed(), [(subtract(self.month, months=1), 1)])
