from collections import defaultdict
from datetime import date, timedelta

from freezegun import freeze_time
from lxml import html

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.service.model import get_public_method
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from ..wizards import garage_loyalty_statement
from .common import ACCOUNTANT, MANAGER, USER, GarageLoyaltyCommon
from .test_liability import AgedCommon
from .test_roll_forward import START

REPORT = "garage_loyalty.report_member_statement"
EVIL = "<script>alert('points')</script>"


class StatementCommon(GarageLoyaltyCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.startClassPatcher(freeze_time("2024-06-30"))
        cls.env["res.lang"]._activate_lang("nl_NL")
        cls.company.external_report_layout_id = cls.env.ref(
            "web.external_layout_standard"
        )
        # As the first valuation: it holds before this workshop opened, too.
        cls.env.flush_all()
        cls.env.cr.execute("DELETE FROM garage_loyalty_valuation")
        cls.env.invalidate_all()
        with freeze_time("2024-01-01"):
            cls._spend_without_limits()
        cls.member = cls._enrol(cls.customer)
        cls.start, cls.end = date(2024, 2, 1), date(2024, 5, 31)

    def _tell(self, member=None, start=None, end=None):
        member = member or self.member
        return member._get_statement(start or self.start, end or self.end)

    def _open(self, members=None, user=None, **vals):
        members = members or self.member
        Wizard = self.env["garage.loyalty.statement"].with_user(user or self.env.user)
        vals = {"date_from": self.start, "date_to": self.end, **vals}
        return Wizard.create({"member_ids": [Command.set(members.ids)], **vals})

    def _print(self, members=None, user=None, **vals):
        """Return the printed page as text, and as it is."""
        wizard = self._open(members, user, **vals)
        report = wizard.env["ir.actions.report"]
        content, _kind = report._render_qweb_html(REPORT, wizard.ids)
        pages = html.fromstring(content).xpath("//div[hasclass('article')]")
        texts = [" ".join(page.text_content().split()) for page in pages]
        return " | ".join(texts).replace("\ufeff", ""), content.decode()


@tagged("post_install", "-at_install")
class TestMemberStatement(StatementCommon):
    """What a statement says."""

    def test_balance_runs_from_the_opening_through_each_entry_to_the_closing(self):
        for kind, points, day in (
            ("adjust", 100, "2024-01-31"),
            ("adjust", 30, "2024-02-01"),
            ("redeem", -50, "2024-03-10"),
            ("adjust", 5, "2024-05-31"),
            ("adjust", 7, "2024-06-01"),
        ):
            self.member._post_points(kind, points, day)
        told = self._tell()
        self.assertEqual(told["opening"], 100)
        self.assertEqual(
            [(line["date"], line["points"], line["balance"]) for line in told["lines"]],
            [
                (date(2024, 2, 1), 30, 130),
                (date(2024, 3, 10), -50, 80),
                (date(2024, 5, 31), 5, 85),
            ],
        )
        self.assertEqual(told["closing"], 85)
        self.assertEqual(told["number"], self.member.number)
        self.assertEqual(told["customer"], "Ada Customer")

    def test_entries_are_in_the_order_of_their_days(self):
        self.member._post_points("adjust", 10, "2024-03-10")
        self.member._post_points("adjust", 20, "2024-02-10")
        balances = [line["balance"] for line in self._tell()["lines"]]
        self.assertEqual(balances, [20, 30])

    def test_period_of_one_day_is_told(self):
        self.member._post_points("adjust", 10, "2024-03-10")
        day = date(2024, 3, 10)
        told = self._tell(start=day, end=day)
        self.assertEqual((told["opening"], told["closing"]), (0, 10))

    def test_nothing_happened(self):
        self.member._post_points("adjust", 100, "2024-01-10")
        told = self._tell()
        self.assertEqual(
            (told["opening"], told["lines"], told["closing"]), (100, [], 100)
        )
        self.assertIn("No points were given or taken", self._print()[0])

    def test_worth_is_that_of_the_last_day(self):
        self.member._post_points("adjust", 100, "2024-02-10")
        self.assertEqual(self._tell()["worth"], 10)
        self.program.point_value = 0.2
        self.assertEqual(self._tell()["worth"], 10)
        self.assertEqual(self._tell(end=date(2024, 6, 30))["worth"], 20)

    def test_worth_is_not_less_for_points_that_are_not_expected_to_be_redeemed(self):
        self.member._post_points("adjust", 100, "2024-02-10")
        Valuation = self.env["garage.loyalty.valuation"]
        Valuation.create({"program_id": self.program.id, "redemption_rate": 50})
        self.assertEqual(self._tell(end=date(2024, 6, 30))["worth"], 10)

    def test_debt_is_worth_nothing_and_is_explained(self):
        self.member._post_points("clawback", -100, "2024-02-10")
        told = self._tell()
        self.assertEqual((told["closing"], told["worth"]), (-100, 0))
        self.assertEqual(told["expiries"], [])
        text, _content = self._print()
        self.assertIn("-100", text)
        self.assertIn("More points were taken back", text)
        self.assertNotIn("worth", text)

    # -- what expires ---------------------------------------------------------------

    def _give(self, points, day, last):
        self.member._post_points("opening", points, day, expiry=last)

    def test_what_is_left_is_grouped_by_its_last_day(self):
        self._give(10, "2024-02-01", date(2024, 12, 31))
        self._give(20, "2024-02-02", date(2024, 12, 31))
        self._give(40, "2024-02-03", date(2024, 9, 30))
        self._give(80, "2024-02-04", False)
        self.assertEqual(
            self._tell()["expiries"],
            [
                {"date": date(2024, 9, 30), "points": 40},
                {"date": date(2024, 12, 31), "points": 30},
                {"date": False, "points": 80},
            ],
        )

    def test_what_is_left_is_that_of_the_last_day_of_the_period(self):
        self._give(100, "2024-02-01", date(2024, 12, 31))
        self.member._post_points("redeem", -40, "2024-06-10")
        self.assertEqual(self._tell()["expiries"][0]["points"], 100)
        told = self._tell(end=date(2024, 6, 30))
        self.assertEqual(told["expiries"][0]["points"], 60)

    def test_last_day_is_the_one_that_was_known(self):
        self._give(100, "2024-02-01", date(2024, 12, 31))
        self.member.lot_ids.sudo().date_expiry = date(2025, 12, 31)
        self.assertEqual(self._tell()["expiries"][0]["date"], date(2024, 12, 31))
        told = self._tell(end=date(2024, 6, 30))
        self.assertEqual(told["expiries"][0]["date"], date(2025, 12, 31))

    def test_what_waits_for_the_nightly_action_is_not_announced(self):
        self._give(100, "2024-02-01", date(2024, 5, 30))
        self.assertEqual(self._tell()["expiries"], [])
        self.assertEqual(
            self._tell(end=date(2024, 5, 30))["expiries"][0]["points"], 100
        )

    # -- what for -------------------------------------------------------------------

    def test_documents_have_the_names_that_customers_know(self):
        self.member._post_points("opening", 500, "2024-02-01")
        invoice = self._invoice(self.customer, post=False)
        self._redeem(invoice, 200)
        invoice.action_post()
        self._pay(invoice)
        adjustment = self._adjust(self.member, 5, note="Was angry on the telephone")
        told = self._tell(end=date(2024, 6, 30))
        names = {(line["kind"], line["name"]) for line in told["lines"]}
        self.assertIn(("Earned", invoice.name), names)
        self.assertIn(("Redeemed", invoice.name), names)
        self.assertIn(("Adjusted", adjustment.reason_id.name), names)
        self.assertIn(("Opening balance", ""), names)
        self.assertNotIn("angry", str(told) + self._print(date_to="2024-06-30")[1])

    def test_document_that_was_deleted_has_no_name(self):
        source = self._create_customer("Passing")
        self.member._post_points("adjust", 5, "2024-03-01", source=source)
        invoice = self._invoice(self.customer, post=False)
        self.member._post_points("adjust", 5, "2024-03-02", source=invoice)
        invoice.unlink()
        self.assertEqual([line["name"] for line in self._tell()["lines"]], ["", ""])

    # -- the period -----------------------------------------------------------------

    def test_period_that_is_none_is_refused(self):
        for start, end, words in (
            (self.end, self.start, "before"),
            (self.start, date(2024, 7, 1), "future"),
            (None, self.end, "Enter"),
            (self.start, None, "Enter"),
        ):
            with self.subTest(words=words), self.assertRaisesRegex(UserError, words):
                self.member._get_statement(start, end)
        wizard = self._open(date_from="2024-05-31", date_to="2024-02-01")
        with self.assertRaisesRegex(UserError, "before"):
            wizard.action_print()

    # -- the dialog -----------------------------------------------------------------

    def test_dialog_proposes_the_last_twelve_months_of_the_chosen_members(self):
        Wizard = self.env["garage.loyalty.statement"].with_context(
            active_model="garage.loyalty.member", active_ids=self.member.ids
        )
        wizard = Wizard.create({})
        self.assertEqual(wizard.member_ids, self.member)
        self.assertEqual(wizard.date_from, date(2023, 7, 1))
        self.assertEqual(wizard.date_to, date(2024, 6, 30))
        action = wizard.action_print()
        self.assertEqual(action["report_name"], REPORT)
        self.assertIn(self.member.number, wizard._get_report_base_filename())

    def test_dialog_needs_members_and_not_too_many(self):
        wizard = self.env["garage.loyalty.statement"].create({})
        with self.assertRaisesRegex(UserError, "at least one"):
            wizard.action_print()
        self.patch(garage_loyalty_statement, "MOST", 1)
        members = self.member + self._enrol(self.other)
        with self.assertRaisesRegex(UserError, "at most 1 "):
            self._open(members).action_print()

    def test_dialog_is_in_the_menu_of_members(self):
        bindings = self.env["ir.actions.actions"]
        for group in (USER, MANAGER, ACCOUNTANT):
            user = self._create_user(group.rpartition("_")[2], group)
            found = bindings.with_user(user).get_bindings("garage.loyalty.member")
            names = [action["name"] for action in found.get("action", [])]
            self.assertIn("Statement of Points", names)

    # -- printed --------------------------------------------------------------------

    def test_printed_page_says_it_all(self):
        self._give(12500, "2024-02-01", date(2024, 12, 31))
        text, _content = self._print()
        for words in (
            "Statement of points",
            f"Member number {self.member.number}",
            "02/01/2024 – 05/31/2024",
            "12,500 points, worth",
            "1,250.00",
            "Balance before",
            "Opening balance",
            "12/31/2024 12,500",
        ):
            self.assertIn(words, text)

    def test_numbers_and_dates_are_written_as_in_the_language_of_the_customer(self):
        self.customer.lang = "nl_NL"
        self._give(12500, "2024-02-01", date(2024, 12, 31))
        text, _content = self._print()
        for words in ("01-02-2024 – 31-05-2024", "12.500", "1.250,00", "31-12-2024"):
            self.assertIn(words, text)

    def test_words_are_in_the_language_of_the_customer(self):
        term = self.env.ref("garage_loyalty.member_statement_lines")
        translated = {"nl_NL": {"What for": "Waarvoor"}}
        term.update_field_translations("arch_db", translated)
        kinds = self.env["ir.model.fields.selection"].search(
            [("field_id.model", "=", "garage.loyalty.entry"), ("value", "=", "adjust")]
        )
        kinds.with_context(lang="nl_NL").name = "Aangepast"
        self.member._post_points("adjust", 10, "2024-02-10")
        self.assertIn("What for", self._print()[0])
        self.customer.lang = "nl_NL"
        text, _content = self._print()
        self.assertIn("Waarvoor", text)
        self.assertNotIn("What for", text)
        self.assertIn("Aangepast", text)

    def test_every_member_gets_a_page(self):
        other = self._enrol(self.other)
        text, _content = self._print(self.member + other)
        pages = text.split(" | ")
        self.assertEqual(len(pages), 2)
        for page, member in zip(pages, self.member + other, strict=True):
            self.assertIn(member.number, page)
            self.assertIn(member.partner_id.name, page)

    def test_what_people_type_is_escaped(self):
        customer = self._create_customer(EVIL, street=EVIL)
        sequence = self.env["ir.sequence"].search(
            [("code", "=", "garage.loyalty.member")]
        )
        sequence.prefix = EVIL
        member = self._enrol(customer)
        self.program.name = EVIL
        reason = self._get_reason("thank_you")
        reason.name = EVIL
        self._adjust(member, 5)
        text, content = self._print(member, date_to="2024-06-30")
        self.assertGreaterEqual(text.count(EVIL), 4)
        self.assertNotIn(EVIL, content)
        self.assertIn("&lt;script&gt;", content)

    def test_pdf_is_one(self):
        self.member._post_points("adjust", 10, "2024-02-10")
        Report = self.env["ir.actions.report"]
        if Report.get_wkhtmltopdf_state() in ("install", "broken"):
            self.skipTest("wkhtmltopdf is not installed")
        Report = Report.with_context(force_report_rendering=True)
        # Styles are not to be had: no web server runs in a test.
        with mute_logger("odoo.addons.base.models.ir_actions_report"):
            content, kind = Report._render_qweb_pdf(REPORT, self._open().ids)
        self.assertEqual(kind, "pdf")
        self.assertTrue(content.startswith(b"%PDF"))

    # -- who may have it ------------------------------------------------------------

    def test_whoever_reads_entries_prints_statements(self):
        self.member._post_points("opening", 500, "2024-02-01")
        invoice = self._invoice(self.customer, post=False)
        self._redeem(invoice, 200)
        invoice.action_post()
        for group in (USER, MANAGER, ACCOUNTANT):
            user = self._create_user(group.rpartition("_")[2], group)
            with self.subTest(group=group):
                text, _content = self._print(user=user)
                self.assertIn(f"Redeemed: {invoice.name}", text)

    def test_others_do_not(self):
        for user in (
            self._create_user("internal"),
            new_test_user(self.env, "portal", groups="base.group_portal"),
        ):
            member = self.member.with_user(user)
            with self.assertRaises(AccessError):
                member._get_statement(self.start, self.end)
            with self.assertRaises(AccessError):
                self._open(user=user)

    def test_statement_is_not_had_over_rpc(self):
        with self.assertRaises(AccessError):
            get_public_method(self.member, "_get_statement")

    def test_members_of_another_company_are_not_told_of(self):
        elsewhere = self.setup_other_company()["company"]
        stranger = new_test_user(
            self.env,
            "stranger",
            groups=f"base.group_user,{MANAGER}",
            company_id=elsewhere.id,
            company_ids=[Command.set(elsewhere.ids)],
        )
        with self.assertRaises(AccessError):
            self.member.with_user(stranger)._get_statement(self.start, self.end)
        with self.assertRaises(AccessError):
            self._print(user=stranger)
        wizard = self._open()
        self.env.invalidate_all()
        report = self.env["ir.actions.report"].with_user(stranger)
        content, _kind = report._render_qweb_html(REPORT, wizard.ids)
        self.assertNotIn(self.member.number, content.decode())


@tagged("post_install", "-at_install")
class TestStatementAndReport(AgedCommon):
    """Statements say what the report of the same day says."""

    def test_statements_of_every_member_agree_with_the_report_of_the_day(self):
        end = self._live(23, 90)
        with freeze_time(end):
            for day in (START, START + timedelta(31), START + timedelta(75), end):
                self._assert_agrees(day)

    def _assert_agrees(self, day):
        owed = defaultdict(list)
        for (member, _lot), row in self._read(day).items():
            owed[member].append(row)
        for member in self.members:
            told = member._get_statement(START, day)
            rows = owed[member]
            self.assertEqual(told["closing"], sum(row["points"] for row in rows))
            moved = sum(line["points"] for line in told["lines"])
            self.assertEqual(told["opening"] + moved, told["closing"])
            expected = defaultdict(int)
            for row in rows:
                if row["points"] > 0 and row["expiring"] != "0_past":
                    expected[row["date_expiry"] or False] += row["points"]
            found = {item["date"]: item["points"] for item in told["expiries"]}
            self.assertEqual(found, expected)
