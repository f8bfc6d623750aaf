import csv
import io
import json
from datetime import datetime

from openpyxl import load_workbook

from odoo import http
from odoo.tests import HttpCase, freeze_time, new_test_user, tagged

from .common import MANAGER
from .test_movement import TODAY, MovementCommon

REPORT = (
    "month",
    "scope",
    "gap",
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
CUSTOMER = (
    "partner_id",
    "phone",
    "email",
    "movement_kind",
    "stage",
    "stage_date",
    "tier_id",
    "points",
    "user_id",
    "usual_days",
    "first_date",
    "last_amount",
    "returned_date",
    "last_date",
)


@tagged("post_install", "-at_install")
class TestMovementExport(MovementCommon, HttpCase):
    """What lands in Excel."""

    def test_no_list_with_names_of_people_exports_formulas(self):
        actions = self.env["ir.actions.act_window"].search(
            [("res_model", "like", "garage.loyalty.%"), ("target", "!=", "new")]
        )
        for model in {action.res_model for action in actions}:
            if {"partner_id", "member_id"} & self.env[model]._fields.keys():
                with self.subTest(model=model):
                    inherited = self.env.registry[model].mro()
                    names = {getattr(cls, "_name", None) for cls in inherited}
                    self.assertIn("garage.loyalty.export.mixin", names)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        new_test_user(
            cls.env,
            "export_owner",
            groups=f"base.group_user,base.group_allow_export,{MANAGER}",
            company_id=cls.company.id,
            company_ids=[(6, 0, cls.company.ids)],
        )
        # The server knows no frozen day: everything lies in the past for both.
        with freeze_time(TODAY):
            cls._invoice(cls.customer, [(cls.labour, 1, 1234.56)], date="2022-05-14")
            cls._invoice(cls.customer, [(cls.labour, 1, 70)], date="2023-08-03")
            cls._invoice(cls.other, date="2023-05-14")
            cls.Changed._process(10**6)

    def setUp(self):
        super().setUp()
        self.authenticate("export_owner", "export_owner")
        self.mine = [("company_id", "=", self.company.id)]

    def _get(self, path, data):
        response = self.url_open(
            path,
            data={
                "data": json.dumps(data),
                "csrf_token": http.Request.csrf_token(self),
            },
        )
        self.assertEqual(response.status_code, 200)
        return response.content

    def _export(self, model, names, domain, kind="xlsx", **options):
        """Return the file that the host's export makes of a list."""
        described = self.env[model].fields_get(names)
        columns = [
            {
                "name": name,
                "label": described[name]["string"],
                "type": described[name]["type"],
            }
            for name in names
        ]
        return self._get(
            f"/web/export/{kind}",
            {
                "model": model,
                "fields": columns,
                "ids": False,
                "domain": domain,
                "import_compat": False,
                "context": {},
                **options,
            },
        )

    def _read(self, content):
        return load_workbook(io.BytesIO(content)).active

    def _get_exportable(self, model):
        fields = self.make_jsonrpc_request(
            "/web/export/get_fields",
            {"model": model, "domain": [], "import_compat": False},
        )
        return {field["id"] for field in fields}

    def _behind_lapsed(self):
        """Return the action that opens who lapsed in May 2023."""
        return (
            self._rows()["2023-05"]
            .with_context(figure="lapsed")
            .action_open_customers()
        )

    # -- the report -----------------------------------------------------------------

    def test_every_figure_of_the_report_can_be_exported(self):
        self.assertLessEqual(
            {*REPORT, "kind", "company_id"},
            self._get_exportable("garage.loyalty.movement"),
        )

    def test_report_in_excel_has_dates_and_whole_numbers(self):
        domain = [*self.mine, ("gap", "=", 12), ("month", "<", "2024-01-01")]
        sheet = self._read(self._export("garage.loyalty.movement", REPORT, domain))
        header, *rows = sheet.values
        self.assertEqual(header[0], "Month")
        self.assertEqual(header[2], "Months without an invoice")
        self.assertEqual(rows[0][0], datetime(2023, 12, 1))
        self.assertEqual(
            [row[0] for row in rows], sorted({row[0] for row in rows})[::-1]
        )
        may = next(row for row in rows if row[0] == datetime(2023, 5, 1))
        self.assertEqual(
            may, (datetime(2023, 5, 1), "Everybody", 12, 1, 1, 1, 0, 0, 1, 0, 0, 0)
        )
        self.assertEqual(sheet["A2"].number_format, "yyyy-mm-dd")

    def test_selected_rows_of_the_report_are_exported(self):
        rows = self._rows(6)["2022-11"] | self._rows(1, "other")["2023-06"]
        sheet = self._read(
            self._export("garage.loyalty.movement", REPORT, [], ids=rows.ids)
        )
        self.assertEqual(
            [row[:4] for row in sheet.values][1:],
            [
                (datetime(2022, 11, 1), "Everybody", 6, 1),
                (datetime(2023, 6, 1), "Non-members", 1, 1),
            ],
        )

    def test_report_grouped_by_year_is_exported_with_sums(self):
        sheet = self._read(
            self._export(
                "garage.loyalty.movement",
                ("month", "lapsed", "net"),
                [*self.mine, ("gap", "=", 12), ("month", "<", "2024-01-01")],
                groupby=["month:year"],
            )
        )
        titles = [row for row in sheet.values if "(" in str(row[0])]
        self.assertEqual(titles, [("2022 (8)", "0", "1"), ("2023 (12)", "1", "1")])

    def test_pivot_of_the_report_is_exported(self):
        content = self._get(
            "/web/pivot/export_xlsx",
            {
                "model": "garage.loyalty.movement",
                "title": "Came and left",
                "measure_count": 1,
                "origin_count": 1,
                "col_group_headers": [[{"title": "Total", "width": 1, "height": 1}]],
                "measure_headers": [{"title": "Net", "is_bold": False}],
                "origin_headers": [],
                "rows": [
                    {
                        "title": "May 2023",
                        "indent": 0,
                        "values": [{"is_bold": False, "value": -7}],
                    }
                ],
            },
        )
        self.assertIn(("May 2023", -7), list(self._read(content).values))

    # -- the customers behind a figure ----------------------------------------------

    def test_everything_about_customers_can_be_exported(self):
        names = self._get_exportable("garage.loyalty.customer")
        self.assertLessEqual({*CUSTOMER, "member_id", "visits", "invoices"}, names)
        self.assertFalse({"movement", "tier_color"} & names)

    def test_customers_behind_a_figure_in_excel(self):
        self._enrol(self.customer, "2022-01-01", tier=self.silver)
        self.customer.phone = "+31 6 12345678"
        action = self._behind_lapsed()
        sheet = self._read(
            self._export(
                "garage.loyalty.customer",
                CUSTOMER,
                action["domain"],
                context=action["context"],
            )
        )
        header, row = sheet.values
        self.assertEqual(header[0], "Customer")
        self.assertEqual(header[-1], "Last visit")
        found = dict(zip(CUSTOMER, row, strict=True))
        self.assertEqual(found["partner_id"], "Ada Customer")
        self.assertEqual(found["phone"], "+31 6 12345678")
        self.assertEqual(found["movement_kind"], "Lapsed")
        self.assertEqual(found["tier_id"], "Silver")
        self.assertEqual(found["points"], 0)
        self.assertEqual(found["first_date"], datetime(2022, 5, 14))
        self.assertEqual(found["returned_date"], datetime(2023, 8, 3))
        self.assertEqual(found["last_date"], datetime(2023, 8, 3))
        self.assertEqual(found["last_amount"], 70)
        cell = sheet.cell(2, CUSTOMER.index("last_amount") + 1)
        self.assertEqual(cell.number_format, "#,##0.00")

    def test_names_that_look_like_formulas_stay_text(self):
        for name, exported in (
            ("=HYPERLINK(1)", "'=HYPERLINK(1)"),
            ("{=SUM(A1)}", "'{=SUM(A1)}"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("+1+1", "+1+1"),
            ("-1-1", "-1-1"),
        ):
            self.customer.name = name
            with self.subTest(name=name):
                for groupby in ([], ["partner_id"]):
                    content = self._export(
                        "garage.loyalty.customer",
                        ("partner_id", "stage"),
                        [*self.mine, ("partner_id", "=", self.customer.id)],
                        groupby=groupby,
                    )
                    cells = [row[0] for row in self._read(content).iter_rows()]
                    # The kind of a formula would be "f".
                    self.assertEqual({cell.data_type for cell in cells}, {"s"})
                    self.assertEqual(cells[-1].value, exported)

    def test_names_that_look_like_formulas_are_marked_in_csv(self):
        for name in ("=HYPERLINK(1)", "@SUM(A1)", "+1+1", "-1-1"):
            with self.subTest(name=name):
                self.customer.name = name
                content = self._export(
                    "garage.loyalty.customer",
                    ("partner_id",),
                    [*self.mine, ("partner_id", "=", self.customer.id)],
                    kind="csv",
                )
                rows = list(csv.reader(io.StringIO(content.decode())))
                self.assertEqual(rows, [["Customer"], [f"'{name}"]])
