import io
import json
from unittest.mock import patch
from urllib.parse import urlencode

from openpyxl import load_workbook

from odoo import Command, http
from odoo.fields import Domain
from odoo.tests import HttpCase, new_test_user, tagged
from odoo.tools import mute_logger

from .common import ACCOUNTANT, MANAGER, USER
from .test_views import EverythingCommon

EXPORT = "base.group_allow_export"
EVIL = ('=HYPERLINK("http://x")', "@SUM(1)", "+1", "-1", "Bell\x07")


class XlsxCommon(EverythingCommon, HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.owner = cls._create_user("xlsx_owner", MANAGER, EXPORT)
        cls.auditor = cls._create_user("xlsx_auditor", ACCOUNTANT, EXPORT)

    def _ask(self, model, domain=(), user=None, **params):
        """Return the answer to a request for the file."""
        login = (user or self.owner).login
        self.authenticate(login, login)
        domain = domain if isinstance(domain, str) else repr(list(domain))
        params = {"model": model, "domain": domain, **params}
        return self.url_open(f"/garage_loyalty/xlsx?{urlencode(params)}")

    def _get(self, model, *args, formulas=False, **params):
        """Return the workbook with its values, or its formulas."""
        response = self._ask(model, *args, **params)
        self.assertEqual(response.status_code, 200, response.text)
        return load_workbook(io.BytesIO(response.content), data_only=not formulas)

    def _get_rows(self, sheet):
        """Return the rows as dictionaries, and the row of totals, if any."""
        header, *rows = sheet.values
        totals = ()
        if len(rows) > 1 and not any(rows[-2]):
            *rows, _empty, totals = rows
        named = [dict(zip(header, row, strict=True)) for row in rows]
        return named, dict(zip(header, totals, strict=False))

    def _get_models(self, user):
        """Return the models that are lists for a user."""
        mixin = self.env.registry["garage.loyalty.xlsx.mixin"]
        return [
            model.with_user(user)
            for model in map(self.env.get, self.env)
            if isinstance(model, mixin)
            and not model._abstract
            and model.with_user(user).has_access("read")
        ]


@tagged("post_install", "-at_install")
class TestXlsx(XlsxCommon):
    """Reports as Excel files, as the browser gets them."""

    # -- every report ---------------------------------------------------------------

    def test_every_report_of_the_menus_can_be_had(self):
        menu = self.env.ref("garage_loyalty.garage_loyalty_menu_reporting")
        menus = self.env["ir.ui.menu"].search([("id", "child_of", menu.ids)])
        models = {
            menu.action.res_model
            for menu in menus
            if menu.action and menu.action.type == "ir.actions.act_window"
        }
        mixin = self.env.registry["garage.loyalty.xlsx.mixin"]
        self.assertGreater(len(models), 10)
        for name in models:
            with self.subTest(model=name):
                self.assertIsInstance(self.env[name], mixin)

    def test_every_report_is_a_file_for_manager_and_accountant(self):
        self._create_one_of_everything()
        self.env.flush_all()
        for user in (self.owner, self.auditor):
            models = self._get_models(user)
            self.assertGreaterEqual(len(models), 25)
            for model in models:
                with self.subTest(model=model._name, user=user.login):
                    self._check_file(model, user)

    def _check_file(self, model, user):
        books = [
            self._get(model._name, user=user, formulas=formulas)
            for formulas in (False, True)
        ]
        self.assertEqual(len(books[0].sheetnames), 2)
        rows, totals = self._get_rows(books[0].worksheets[0])
        self.assertEqual(len(rows), model.search_count([]))
        self.assertTrue(all(rows[0]) if rows else True, "A column has no label.")
        for name, total in totals.items():
            if isinstance(total, (int, float)):
                values = [row[name] or 0 for row in rows]
                self.assertAlmostEqual(total, sum(values), 2)
        formulas = [
            cell.value
            for sheet in books[1]
            for row in sheet.iter_rows()
            for cell in row
            if cell.data_type == "f"
        ]
        self.assertTrue(all(text.startswith("=SUBTOTAL(109,") for text in formulas))

    def test_every_figure_has_a_definition(self):
        figures = ("decimal", "integer", "money", "percent")
        for model in self._get_models(self.owner):
            missing = [
                name
                for name, column in model._get_xlsx_columns().items()
                if column.kind in figures and not column.help
            ]
            self.assertFalse(missing, model._name)

    def test_response_is_a_file_with_a_clean_name(self):
        response = self._ask("garage.loyalty.visit")
        self.assertIn("spreadsheetml.sheet", response.headers["Content-Type"])
        self.assertEqual(int(response.headers["Content-Length"]), len(response.content))
        name = response.headers["Content-Disposition"]
        self.assertIn("attachment", name)
        self.assertIn(".xlsx", name)

    # -- what is in it --------------------------------------------------------------

    def test_dangerous_names_are_text_in_every_list_of_customers(self):
        for name in EVIL:
            customer = self._create_customer(name)
            self._enrol(customer)
            self._pay(self._visit(customer)[1])
        self.env.flush_all()
        self.env["garage.loyalty.changed.customer"]._process(10**6)
        expected = {name.replace("\x07", "") for name in EVIL}
        for model in ("visit", "visit.report", "customer", "use"):
            with self.subTest(model=model):
                book = self._get(f"garage.loyalty.{model}", formulas=True)
                sheet = book.worksheets[0]
                column = [cell.value for cell in sheet[1]].index("Customer") + 1
                cells = [sheet.cell(row, column) for row in range(2, sheet.max_row + 1)]
                cells = [cell for cell in cells if cell.value is not None]
                self.assertLessEqual(expected, {cell.value for cell in cells})
                self.assertEqual({cell.data_type for cell in cells}, {"s"})
                self.assertFalse(any(cell.hyperlink for cell in cells))

    def test_totals_are_those_of_the_rows_to_the_cent(self):
        for hours in (1.01, 2.02, 3.33):
            self._visit(self.customer, hours=hours)
        self.env.flush_all()
        rows, totals = self._get_rows(self._get("garage.loyalty.visit").worksheets[0])
        visits = self.Visit.with_user(self.owner).search([])
        cents = round(sum(visits.mapped("amount")) * 100)
        self.assertEqual(round(totals["Net invoiced"] * 100), cents)
        self.assertEqual(round(sum(row["Net invoiced"] for row in rows) * 100), cents)
        self.assertGreater(cents, 0)

    def test_filter_order_and_columns_are_those_of_the_view(self):
        for day in ("2024-01-05", "2024-03-05", "2024-02-05"):
            self._visit(self.customer, day)
        self.env.flush_all()
        view = self.env["ir.ui.view"].create(
            {
                "name": "dates",
                "model": "garage.loyalty.visit",
                "arch": '<list><field name="date" string="=Day"/>'
                '<field name="user_id" column_invisible="1"/>'
                '<field name="is_member" column_invisible="context.get(\'x\')"/>'
                '<field name="amount" optional="hide"/></list>',
            }
        )
        for context, labels in (
            ("{}", ["=Day", "Member then"]),
            ('{"x": 1}', ["=Day"]),
        ):
            book = self._get(
                "garage.loyalty.visit",
                [("date", ">", "2024-01-31")],
                order="date asc",
                view_id=view.id,
                context=context,
            )
            header, *rows = book.worksheets[0].values
            self.assertEqual(list(header), labels)
            self.assertEqual([row[0].month for row in rows], [2, 3])

    def test_list_of_another_model_is_not_used(self):
        view = self.env.ref("garage_loyalty.garage_loyalty_entry_view_list")
        sheet = self._get("garage.loyalty.visit", view_id=view.id).worksheets[0]
        self.assertIn("Net invoiced", next(sheet.values))

    def test_second_sheet_says_what_was_asked_for_and_what_columns_mean(self):
        self._visit(self.customer, "2024-01-05")
        self.env.flush_all()
        domain = [
            ("partner_id", "in", self.customer.ids),
            "|",
            ("kind", "=", "repair"),
            "!",
            ("is_member", "=", True),
            ("partner_id", "any", [("name", "ilike", "Ada")]),
        ]
        self.owner.tz = "Asia/Jakarta"
        said = dict(self._get("garage.loyalty.visit", domain)["About"].values)
        self.assertEqual(said["Report"], "Customer Visit")
        self.assertEqual(said["Company"], self.company.name)
        self.assertEqual(said["Currency"], self.company.currency_id.name)
        self.assertEqual(said["Made by"], self.owner.name)
        self.assertIn("Asia/Jakarta", said["Made on"])
        self.assertIn("Customer = Ada Customer", said["Filter"])
        self.assertIn("(Kind = Repair order or ", said["Filter"])
        self.assertIn("Customer has (Name contains Ada)", said["Filter"])
        described = self.Visit.fields_get(["amount_discount", "tier_id"])
        self.assertIn("Tier then", said)
        self.assertNotIn(described["amount_discount"]["string"], said)

    def test_file_is_in_the_language_of_the_user(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        field = self.env["ir.model.fields"]._get("garage.loyalty.visit", "is_member")
        field.update_field_translations("field_description", {"fr_FR": "Membre alors"})
        view = self.env["ir.ui.view"].create(
            {
                "name": "member",
                "model": "garage.loyalty.visit",
                "arch": '<list><field name="is_member"/></list>',
            }
        )
        self.owner.lang = "fr_FR"
        self.env.flush_all()
        sheet = self._get("garage.loyalty.visit", view_id=view.id).worksheets[0]
        self.assertEqual(next(sheet.values), ("Membre alors",))

    # -- who may have it ------------------------------------------------------------

    def test_advisor_without_the_right_to_export_is_refused(self):
        advisor = self._create_user("xlsx_advisor", USER)
        response = self._ask("garage.loyalty.visit", user=advisor)
        self.assertEqual(response.status_code, 403)
        self.assertIn("rights to export", response.text)

    def test_report_without_access_is_refused(self):
        advisor = self._create_user("xlsx_advisor", USER, EXPORT)
        response = self._ask("garage.loyalty.visit.report", user=advisor)
        self.assertEqual(response.status_code, 403)
        self.assertNotIn("Traceback", response.text)

    def test_without_a_session_the_login_is_asked_for(self):
        self.authenticate(None, None)
        response = self.url_open(
            "/garage_loyalty/xlsx?model=garage.loyalty.visit", allow_redirects=False
        )
        self.assertEqual(response.status_code, 303)

    def test_rows_of_another_company_never_appear(self):
        self._visit(self.customer)
        elsewhere = self.setup_other_company()["company"]
        stranger = new_test_user(
            self.env,
            "xlsx_stranger",
            groups=f"base.group_user,{MANAGER},{EXPORT}",
            company_id=elsewhere.id,
            company_ids=[Command.set(elsewhere.ids)],
        )
        self._create_one_of_everything()
        self.env.flush_all()
        for model in ("visit", "visit.report", "entry", "lot", "customer", "member"):
            name = f"garage.loyalty.{model}"
            with self.subTest(model=model):
                self.assertTrue(self.env[name].search([]))
                book = self._get(name, user=stranger)
                self.assertEqual(len(list(book.worksheets[0].values)), 1)
        context = json.dumps({"allowed_company_ids": self.company.ids})
        response = self._ask("garage.loyalty.visit", user=stranger, context=context)
        self.assertEqual(response.status_code, 403)

    def test_nonsense_is_answered_in_words(self):
        for params in (
            {"domain": "[("},
            {"domain": "__import__('os')"},
            {"domain": "7"},
            {"domain": "[('nothing', '=', 1)]"},
            {"domain": "[('amount', '=', 'abc')]"},
            {"domain": "[('date', '=', 'abc')]"},
            {"domain": "[('partner_id', 'bad', 1)]"},
            {"domain": "['|', ('id', '=', 1)]"},
            {"order": "nothing"},
            {"order": "id; DROP TABLE res_users"},
            {"view_id": "x"},
            {"context": "["},
            {"context": "7"},
            {"model": "res.users"},
            {"model": "garage.loyalty.xlsx.mixin"},
            {"model": ""},
        ):
            params = {"model": "garage.loyalty.visit", **params}
            with self.subTest(params=params), mute_logger("odoo.sql_db"):
                response = self._ask(**params)
                self.assertEqual(response.status_code, 400)
                self.assertNotIn("Traceback", response.text)

    def test_client_is_told_in_a_dialog_why_not(self):
        self.authenticate("xlsx_owner", "xlsx_owner")
        data = {"model": "x", "csrf_token": http.Request.csrf_token(self)}
        response = self.url_open("/garage_loyalty/xlsx", data=data)
        self.assertEqual(response.status_code, 400)
        self.assertIn("odoo.exceptions.UserError", response.text)

    def test_views_are_marked_for_the_client(self):
        views = self.Visit.get_views([(False, "list"), (False, "pivot")])["views"]
        for view in views.values():
            self.assertIn('loyalty_xlsx="1"', view["arch"])
        other = self.env["res.partner"].get_views([(False, "list")])["views"]["list"]
        self.assertNotIn("loyalty_xlsx", other["arch"])


@tagged("post_install", "-at_install")
class TestXlsxMenu(XlsxCommon):
    """The entry in the menu of a view."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for customer in cls.customer + cls.other:
            cls._pay(cls._visit(customer, "2024-01-05")[1])
            cls._enrol(customer)
        cls.env.flush_all()

    def _click(self, model, page, tour, user):
        """Return the domains and orders with which files are written in a tour."""
        asked = []
        plain = type(self.env[model])._write_xlsx

        def write(records, file, domain, order=None, view_id=None):
            asked.append((Domain(domain), order, view_id))
            return plain(records, file, domain, order, view_id)

        with patch.object(type(self.env[model]), "_write_xlsx", write):
            self.start_tour(page, tour, login=user.login)
        return asked

    def test_list_is_written_as_it_is_filtered_and_sorted(self):
        asked = self._click(
            "garage.loyalty.visit",
            "/odoo/loyalty-visits",
            "garage_loyalty_xlsx",
            self.owner,
        )
        view = self.env.ref("garage_loyalty.garage_loyalty_visit_view_list")
        domain = Domain("kind", "=", "repair")
        self.assertEqual(asked, [(domain, "partner_id", view.id)])

    def test_rows_behind_a_pivot_are_written(self):
        asked = self._click(
            "garage.loyalty.entry",
            "/odoo/loyalty-ledger?view_type=pivot",
            "garage_loyalty_xlsx_pivot",
            self.auditor,
        )
        self.assertEqual(asked, [(Domain.TRUE, None, None)])

    def test_file_is_not_offered_without_the_right_to_export(self):
        advisor = self._create_user("xlsx_advisor", USER)
        asked = self._click(
            "garage.loyalty.visit",
            "/odoo/loyalty-visits",
            "garage_loyalty_xlsx_refused",
            advisor,
        )
        self.assertFalse(asked)


@tagged("post_install", "-at_install")
class TestXlsxCurrencies(XlsxCommon):
    def test_amounts_of_two_currencies_have_no_total(self):
        currency = self.setup_other_currency("EUR", rates=[("2020-01-01", 2.0)])
        elsewhere = self.setup_other_company(currency_id=currency.id)["company"]
        self.owner.company_ids += elsewhere
        for company in self.company + elsewhere:
            self.Visit.sudo().create(
                {
                    "kind": "sale",
                    "company_id": company.id,
                    "partner_id": self.customer.id,
                    "date": "2024-01-05",
                    "amount": 12.5,
                }
            )
        self.env.flush_all()
        for companies, total in (
            (self.company + elsewhere, None),
            (self.company, 12.5),
        ):
            context = json.dumps({"allowed_company_ids": companies.ids})
            book = self._get("garage.loyalty.visit", context=context)
            rows, totals = self._get_rows(book.worksheets[0])
            with self.subTest(companies=companies.mapped("name")):
                self.assertEqual(totals.get("Net invoiced"), total)
                said = dict(book["About"].values)
                if total is None:
                    found = {row["Currency"] for row in rows}
                    self.assertEqual(found, set(companies.currency_id.mapped("name")))
                    self.assertIn("Net invoiced", said["Without a total"])
                else:
                    self.assertNotIn("Currency", rows[0])
                    self.assertNotIn("Without a total", said)
