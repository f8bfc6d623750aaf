from odoo import Command
from odoo.tests import tagged

from .common import GarageLoyaltyCommon


@tagged("post_install", "-at_install")
class TestEarning(GarageLoyaltyCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.member = cls._enrol(cls.customer)

    def test_invoice_unpaid_earns_nothing(self):
        invoice = self._invoice(self.customer)
        self.assertLedger(self.member)
        self.assertEqual(invoice.loyalty_points_due, 1000)
        self.assertEqual(invoice.loyalty_points_earned, 0)

    def test_invoice_paid_earns_points_on_net_amount(self):
        invoice = self._invoice(self.customer)
        self._pay(invoice, date="2024-02-10")
        self.assertLedger(self.member, 1000)
        entry = self.member.entry_ids
        self.assertEqual(entry.kind, "earn")
        self.assertEqual(str(entry.date), "2024-02-10")
        self.assertEqual(entry._get_source(), invoice)
        self.assertEqual(invoice.loyalty_points_earned, 1000)

    def test_invoice_partly_paid_earns_nothing_until_full(self):
        invoice = self._invoice(self.customer)
        self._pay(invoice, amount=100)
        self.assertLedger(self.member)
        self._pay(invoice)
        self.assertLedger(self.member, 1000)

    def test_payment_cancelled_takes_points_back(self):
        invoice = self._invoice(self.customer)
        payment = self._pay(invoice)
        payment.action_draft()
        payment.action_cancel()
        self.assertLedger(self.member, 1000, -1000)
        self.assertEqual(self.member.entry_ids[0].kind, "clawback")

    def test_payment_changed_otherwise_changes_no_points(self):
        payment = self._pay(self._invoice(self.customer))
        payment.memo = "Thanks"
        self.assertLedger(self.member, 1000)

    def test_reconciliation_removed_takes_points_back_and_redone_gives_them(self):
        invoice = self._invoice(self.customer)
        payment = self._pay(invoice)
        lines = (invoice.line_ids + payment.move_id.line_ids).filtered(
            lambda line: line.account_id.account_type == "asset_receivable"
        )
        invoice.line_ids.remove_move_reconcile()
        self.assertEqual(self.member.points, 0)
        lines.reconcile()
        self.assertEqual(self.member.points, 1000)

    def test_trigger_posted_earns_when_posted(self):
        self.program.earn_trigger = "posted"
        self._invoice(self.customer)
        self.assertLedger(self.member, 1000)

    def test_trigger_changed_later_leaves_old_invoices_alone(self):
        invoice = self._invoice(self.customer)
        self.program.write({"earn_trigger": "posted", "labour_rate": 7})
        invoice._sync_loyalty()
        self.assertLedger(self.member)
        self._pay(invoice)
        self.assertLedger(self.member, 1000)

    def test_invoice_reset_to_draft_takes_points_back(self):
        self.program.earn_trigger = "posted"
        invoice = self._invoice(self.customer)
        invoice.button_draft()
        self.assertLedger(self.member, 1000, -1000)
        invoice.invoice_line_ids.price_unit = 500
        invoice.action_post()
        self.assertLedger(self.member, 1000, -1000, 500)

    def test_invoice_cancelled_takes_points_back(self):
        self.program.earn_trigger = "posted"
        invoice = self._invoice(self.customer)
        invoice.button_draft()
        invoice.button_cancel()
        self.assertLedger(self.member, 1000, -1000)

    def test_draft_deleted_after_posting_keeps_ledger(self):
        self.program.earn_trigger = "posted"
        invoice = self._invoice(self.customer)
        name = invoice.name
        invoice.button_draft()
        invoice.unlink()
        self.assertLedger(self.member, 1000, -1000)
        entry = self.member.entry_ids[0]
        self.assertFalse(entry._get_source())
        self.assertIn(name, entry.source_name)

    def test_draft_never_posted_deleted_leaves_no_trace(self):
        self._invoice(self.customer, post=False).unlink()
        self.assertLedger(self.member)

    def test_synchronised_twice_changes_nothing(self):
        invoice = self._invoice(self.customer)
        self._pay(invoice)
        for _time in range(3):
            invoice._sync_loyalty()
        self.assertLedger(self.member, 1000)

    def test_not_a_member_earns_nothing(self):
        self._pay(self._invoice(self.other))
        self.assertFalse(self.other.loyalty_member_id)
        self.assertEqual(self.other.loyalty_points, 0)

    def test_invoice_before_enrolment_earns_nothing(self):
        invoice = self._invoice(self.customer, date="2023-12-31")
        self._pay(invoice)
        self.assertLedger(self.member)

    def test_invoice_on_day_of_enrolment_posted_before_earns(self):
        invoice = self._invoice(self.other, date="2024-02-01")
        self._pay(invoice)
        member = self._enrol(self.other, date="2024-02-01")
        self.assertLedger(member, 1000)

    def test_suspended_member_earns_nothing(self):
        self.member._suspend(date="2024-01-15")
        self._pay(self._invoice(self.customer))
        self.assertLedger(self.member)

    def test_member_who_left_and_came_back_earns_again(self):
        self.member._leave(date="2024-01-10")
        self._pay(self._invoice(self.customer, date="2024-01-20"))
        self.member._come_back(date="2024-02-01")
        self._pay(self._invoice(self.customer, date="2024-02-01"))
        self.assertLedger(self.member, 1000)

    def test_tier_multiplier_on_invoice_date_counts(self):
        self.member._set_tier(self.gold, date="2024-02-15")
        self._pay(self._invoice(self.customer, date="2024-02-14"))
        self._pay(self._invoice(self.customer, date="2024-02-15"))
        self.assertLedger(self.member, 1000, 1500)

    def test_labour_and_parts_have_their_own_rates(self):
        self.program.write({"labour_rate": 2, "parts_rate": 0.5})
        self._pay(
            self._invoice(self.customer, [(self.labour, 1, 100), (self.part, 1, 50)])
        )
        self.assertLedger(self.member, 225)

    def test_fractions_are_rounded_down_once_per_document(self):
        self._pay(
            self._invoice(
                self.customer, [(self.labour, 1, 10.55), (self.part, 1, 10.55)]
            )
        )
        self.assertLedger(self.member, 21)

    def test_minimum_amount_not_reached_earns_nothing(self):
        self.program.minimum_amount = 500
        self._pay(self._invoice(self.customer, [(self.labour, 1, 499.99)]))
        self._pay(self._invoice(self.customer, [(self.labour, 1, 500)]))
        self.assertLedger(self.member, 500)

    def test_excluded_product_earns_nothing(self):
        self.part.loyalty_excluded = True
        self._pay(
            self._invoice(self.customer, [(self.labour, 1, 100), (self.part, 1, 50)])
        )
        self.assertLedger(self.member, 100)

    def test_excluded_category_counts_for_categories_below(self):
        above = self.env["product.category"].create({"name": "Tyres"})
        below = self.env["product.category"].create(
            {"name": "Winter tyres", "parent_id": above.id}
        )
        self.part.categ_id = below
        self.program.excluded_categ_ids = above
        self._pay(
            self._invoice(self.customer, [(self.labour, 1, 100), (self.part, 1, 50)])
        )
        self.assertLedger(self.member, 100)

    def test_private_only_programme_gives_companies_nothing(self):
        self.program.private_only = True
        firm = self._create_customer("Firm", is_company=True)
        member = self._enrol(firm)
        self._pay(self._invoice(firm))
        self._pay(self._invoice(self.customer))
        self.assertLedger(member)
        self.assertLedger(self.member, 1000)

    def test_invoice_of_contact_earns_for_its_company(self):
        firm = self._create_customer("Firm", is_company=True)
        contact = self._create_customer("Driver", parent_id=firm.id)
        member = self._enrol(contact)
        self.assertEqual(member.partner_id, firm)
        self._pay(self._invoice(contact))
        self.assertLedger(member, 1000)
        self.assertEqual(contact.loyalty_points, 1000)
        self.assertEqual(contact.loyalty_member_id, member)

    def test_foreign_currency_earns_on_company_currency(self):
        currency = self.setup_other_currency("EUR", rates=[("2020-01-01", 2.0)])
        invoice = self._invoice(
            self.customer, [(self.labour, 1, 1000)], currency_id=currency.id
        )
        self._pay(invoice)
        self.assertLedger(self.member, 500)

    def test_discount_lowers_what_is_earned(self):
        invoice = self._invoice(self.customer, post=False)
        invoice.invoice_line_ids.discount = 10
        invoice.action_post()
        self._pay(invoice)
        self.assertLedger(self.member, 900)

    def test_down_payment_earns_once_with_final_invoice(self):
        repair = self._create_repair(self.customer, hours=1)
        order = repair.sale_order_id
        order.action_confirm()
        self._finish(repair)
        down = self._bill_down_payment(order)
        self._pay(down)
        self.assertLedger(self.member)
        final = order._create_invoices(final=True)
        final.invoice_date = "2024-02-02"
        final.action_post()
        self._pay(final)
        self.assertLedger(self.member, 200)

    def test_warranty_repair_earns_nothing(self):
        _repair, invoice = self._visit(self.customer, under_warranty=True)
        self._pay(invoice)
        self.assertLedger(self.member)

    def test_warranty_beside_paid_repair_on_one_order_leaves_out_its_lines(self):
        paid = self._create_repair(self.customer, parts=2)
        order = paid.sale_order_id
        warranty = self._create_repair(self.customer, parts=1, order=order)
        warranty.move_ids.sale_line_id.price_unit = 50
        warranty.under_warranty = True
        warranty.move_ids.sale_line_id.price_unit = 50
        order.action_confirm()
        invoice = self._bill(order)
        self.assertEqual(invoice.amount_untaxed, 150)
        self.assertEqual(invoice.loyalty_points_due, 100)

    def test_posted_in_one_call_many_invoices_each_earns(self):
        self.program.earn_trigger = "posted"
        invoices = self.env["account.move"].union(
            *(self._invoice(self.customer, post=False) for _time in range(3))
        )
        invoices.action_post()
        self.assertLedger(self.member, 1000, 1000, 1000)

    def test_line_without_product_counts_as_labour(self):
        self.program.parts_rate = 0
        invoice = self.env["account.move"].create(
            {
                "move_type": "out_invoice",
                "partner_id": self.customer.id,
                "invoice_date": "2024-02-01",
                "invoice_line_ids": [
                    Command.create({"name": "Welding", "price_unit": 80}),
                    Command.create({"display_type": "line_note", "name": "Thanks"}),
                ],
            }
        )
        invoice.action_post()
        self.assertEqual(invoice.loyalty_points_due, 80)
