from freezegun import freeze_time
from lxml import html

from odoo.tests import tagged

from .common import USER, GarageLoyaltyCommon

CODE = "garage.loyalty.member"


@tagged("post_install", "-at_install")
@freeze_time("2024-03-01")
class TestStatement(GarageLoyaltyCommon):
    """What invoices tell members about their points."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["res.lang"]._activate_lang("nl_NL")
        cls.program.write({"point_value": 0.1, "minimum_redemption": 1})
        cls.member = cls._enrol(cls.customer)
        cls.member._post_points("adjust", 12500, "2024-01-01")
        cls.member.lot_ids.sudo().date_expiry = "2024-12-31"
        cls.invoice = cls._invoice(cls.customer)

    def _print(self, invoice=None):
        report = self.env["ir.actions.report"]
        content, _kind = report._render_qweb_html(
            "account.report_invoice", (invoice or self.invoice).ids
        )
        parts = html.fromstring(content).xpath("//div[@id='loyalty']")
        return " ".join(" ".join(part.text_content().split()) for part in parts)

    def _write_mail(self, invoice=None, lang="en_US"):
        invoice = invoice or self.invoice
        template = self.env.ref("account.email_template_edi_invoice")
        Send = self.env["account.move.send"]
        body = Send._get_default_mail_body(invoice, template, lang)
        parts = html.fromstring(body).xpath("//div[@class='o_loyalty_statement']")
        return " ".join(" ".join(part.text_content().split()) for part in parts)

    def test_invoice_and_mail_tell_balance_worth_and_expiry(self):
        for text in (self._print(), self._write_mail()):
            self.assertIn("Your balance: 12,500 points, worth", text)
            self.assertIn("1,250.00", text)
            self.assertIn("Points that expire after 12/31/2024: 12,500", text)

    def test_numbers_and_dates_are_written_as_in_the_language_of_the_customer(self):
        self.customer.lang = "nl_NL"
        for text in (self._print(), self._write_mail(lang="nl_NL")):
            self.assertIn("12.500", text)
            self.assertIn("1.250,00", text)
            self.assertIn("31-12-2024", text)

    def test_points_alone(self):
        self.company.loyalty_statement = "points"
        for text in (self._print(), self._write_mail()):
            self.assertIn("Your balance: 12,500", text)
            self.assertNotIn("worth", text)
            self.assertNotIn("expire", text)

    def test_nothing_when_the_company_says_so(self):
        self.company.loyalty_statement = "none"
        self.assertEqual((self._print(), self._write_mail()), ("", ""))

    def test_nothing_for_others_and_credit_notes(self):
        for move in (self._invoice(self.other), self._credit(self.invoice)):
            self.assertEqual((self._print(move), self._write_mail(move)), ("", ""))

    def test_nothing_expires_where_points_live_for_ever(self):
        self.member.lot_ids.sudo().date_expiry = False
        self.assertNotIn("expire", self._print())

    def test_negative_balance_is_worth_nothing(self):
        self.member._post_points("clawback", -20000, "2024-03-01")
        text = self._print()
        # The host keeps the sign and the number together.
        self.assertIn("Your balance: -7,500", text.replace("\ufeff", ""))
        self.assertNotIn("worth", text)

    def test_whoever_may_send_the_invoice_may_tell(self):
        clerk = self._create_user("clerk", "account.group_account_invoice")
        invoice = self.invoice.with_user(clerk)
        self.assertEqual(invoice._get_loyalty_statement()["balance"], 12500)

    def test_what_people_type_is_escaped_in_mails(self):
        sequence = self.env["ir.sequence"].search([("code", "=", CODE)])
        sequence.prefix = "<b>7</b>"
        self._enrol(self.other)
        template = self.env.ref("account.email_template_edi_invoice")
        Send = self.env["account.move.send"]
        invoice = self._invoice(self.other)
        body = Send._get_default_mail_body(invoice, template, "en_US")
        self.assertIn("&lt;b&gt;7&lt;/b&gt;", body)
        self.assertNotIn("<b>7</b>", body)

    def test_advisor_does_not_choose_what_invoices_tell(self):
        advisor = self._create_user("counter", USER)
        self.assertFalse(self.company.with_user(advisor).has_access("write"))
