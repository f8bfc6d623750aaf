from odoo import fields
from odoo.tests import freeze_time, tagged

from .common import GarageLoyaltyCommon


@tagged("post_install", "-at_install")
class TestNewVisits(GarageLoyaltyCommon):
    """A visit written while posting is the one that its documents give."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.member = cls._enrol(cls.customer)

    def assertVisits(self, *amounts):
        """Check the customer's visits, and that computing them changes nothing."""
        visits = self.Visit.search([("partner_id", "=", self.customer.id)])
        self.assertEqual(tuple(visits.sorted("date").mapped("amount")), amounts)
        self.assertFalse(self.Visit._rebuild())

    def test_invoice_of_a_member(self):
        self.member._set_tier(self.gold, date="2024-02-01")
        self._invoice(self.customer, [(self.labour, 1, 100), (self.part, 2, 30.33)])
        self.assertVisits(160.66)

    def test_invoice_of_a_member_who_had_not_joined_yet(self):
        invoice = self._invoice(self.customer, date="2023-12-31")
        visit = self.Visit.search([("move_id", "=", invoice.id)])
        self.assertFalse(visit.is_member)
        self.assertVisits(1000)

    def test_invoice_of_nobody(self):
        invoice = self._invoice(self.other)
        self.assertTrue(self.Visit.search([("move_id", "=", invoice.id)]))
        self.assertVisits()

    def test_invoice_paid_with_points(self):
        self.member._post_points("adjust", 1000, "2024-01-01", reason="Start")
        invoice = self._invoice(self.customer, post=False)
        self._redeem(invoice, 300)
        invoice.action_post()
        self.assertVisits(986.96)  # 15.00 with 15 % of tax

    def test_amounts_have_no_more_digits_than_the_currency(self):
        self.member._post_points("adjust", 1000, "2024-01-01", reason="Start")
        taxes = {"taxes_id": [fields.Command.clear()]}
        self.labour.write(taxes)
        self.program.redemption_product_id.write(taxes)
        invoice = self._invoice(self.customer, [(self.labour, 1, 66.6)], post=False)
        self._redeem(invoice, 100)  # worth 5.00
        invoice.action_post()
        self.env.cr.execute("SELECT max(scale(amount)) FROM garage_loyalty_visit")
        self.assertLessEqual(self.env.cr.fetchone()[0], 2)
        self.assertVisits(61.6)

    def test_repair_done_then_billed(self):
        self._visit(self.customer)
        self.assertVisits(200)

    def test_repair_billed_then_done(self):
        repair = self._create_repair(self.customer, hours=1)
        self._bill(repair.sale_order_id)
        self.assertVisits()
        self._finish(repair)
        self.assertVisits(200)

    def test_repair_of_an_earlier_day_billed_late(self):
        self._visit(self.customer, "2024-03-01")
        self._visit(self.customer, "2024-01-01")
        self.assertVisits(200, 200)

    def test_repair_under_warranty(self):
        self._visit(self.customer, under_warranty=True)
        self.assertVisits(100)  # parts are free

    def test_repair_at_which_the_customer_declined(self):
        repair = self._create_repair(self.customer, hours=1)
        repair.action_decline()
        self._finish(repair)
        self._bill(repair.sale_order_id)
        self.assertEqual(repair.visit_ids.answer, "declined")
        self.assertVisits(200)

    def test_repair_late_at_night(self):
        self.company.partner_id.tz = "Pacific/Auckland"
        repair = self._create_repair(self.customer, hours=1)
        self._finish(repair)
        repair.date_done = fields.Datetime.to_datetime("2024-02-01 20:00:00")
        self._bill(repair.sale_order_id)
        visit = self.Visit.search([("repair_id", "=", repair.id)])
        self.assertEqual(str(visit.date), "2024-02-02")
        self.assertVisits(200)

    def test_repair_billed_by_two_invoices_at_once(self):
        first, second = self._bill_in_two()
        (first + second).action_post()
        self.assertVisits(200)

    def test_repair_billed_by_two_invoices_one_after_the_other(self):
        first, second = self._bill_in_two()
        first.action_post()
        second.action_post()
        self.assertVisits(200)

    def _bill_in_two(self):
        repair = self._create_repair(self.customer, hours=1)
        self._finish(repair)
        order = repair.sale_order_id
        order.action_confirm()
        first = order._create_invoices()
        first.invoice_line_ids[0].unlink()
        second = order._create_invoices()
        (first + second).invoice_date = "2024-02-01"
        return first, second

    def test_two_repairs_on_one_quotation(self):
        repair = self._create_repair(self.customer, parts=3, hours=1)
        order = repair.sale_order_id
        other = self._create_repair(self.customer, parts=1, order=order)
        for one in (repair, other):
            self._finish(one, "2024-02-01")
        self._bill(order)
        self.assertVisits(75, 225)

    def test_cancelled_repair_is_billed_as_a_sale(self):
        repair = self._create_repair(self.customer, hours=1)
        repair.action_repair_cancel()
        invoice = self._bill(repair.sale_order_id)
        self.assertTrue(self.Visit.search([("move_id", "=", invoice.id)]))
        self.assertFalse(self.Visit._rebuild())

    def test_repair_of_one_customer_billed_to_another(self):
        repair = self._create_repair(self.customer, hours=1)
        self._finish(repair, "2024-02-01")
        order = repair.sale_order_id
        order.action_confirm()
        invoice = order._create_invoices()
        invoice.write({"partner_id": self.other.id, "invoice_date": "2024-02-01"})
        invoice.action_post()
        self.assertVisits(200)

    def test_line_that_is_not_on_the_quotation_is_part_of_the_repair(self):
        repair = self._create_repair(self.customer, hours=1)
        self._finish(repair, "2024-02-01")
        invoice = self._bill(repair.sale_order_id, post=False)
        extra = {"product_id": self.part.id, "price_unit": 7}
        invoice.invoice_line_ids = [fields.Command.create(extra)]
        invoice.action_post()
        self.assertVisits(207)

    def test_down_payment_alone_is_no_visit(self):
        repair = self._create_repair(self.customer, hours=1)
        self._finish(repair, "2024-02-01")
        order = repair.sale_order_id
        order.action_confirm()
        self._bill_down_payment(order)
        self.assertVisits()

    def test_invoice_of_notes_alone_is_no_visit(self):
        invoice = self._invoice(self.customer, post=False)
        note = {"display_type": "line_note", "name": "Nothing found"}
        invoice.invoice_line_ids = [
            fields.Command.clear(),
            fields.Command.create(note),
        ]
        invoice.action_post()
        self.assertVisits()

    def test_invoice_in_draft_and_posted_again(self):
        invoice = self._invoice(self.customer)
        invoice.button_draft()
        self.assertVisits()
        invoice.action_post()
        self.assertVisits(1000)

    def test_foreign_draft_without_date_is_worth_the_rate_of_its_posting(self):
        today = fields.Date.today()
        later = fields.Date.add(today, days=9)
        currency = self.setup_other_currency("EUR", rates=[(today, 2.0), (later, 4.0)])
        invoice = self._invoice(
            self.customer, date=False, post=False, currency_id=currency.id
        )
        self.assertEqual(invoice.invoice_line_ids.balance, -500)
        with freeze_time(later):
            invoice.action_post()
        self.assertEqual(invoice.loyalty_base, 250)
        self.assertVisits(250)

    def test_future_invoice_that_waits_for_its_date_is_not_stamped(self):
        invoice = self._invoice(self.customer, date="2099-01-01", post=False)
        invoice._post(soft=True)
        self.assertEqual(invoice.state, "draft")
        self.assertFalse(invoice.loyalty_member_id)
