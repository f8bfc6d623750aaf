from odoo import Command
from odoo.exceptions import UserError
from odoo.tests import tagged

from .common import GarageLoyaltyCommon


@tagged("post_install", "-at_install")
class TestRedeeming(GarageLoyaltyCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.program.write(
            {
                "point_value": 0.10,
                "labour_cap": 50,
                "parts_cap": 20,
                "minimum_redemption": 10,
            }
        )
        cls.member = cls._enrol(cls.customer)
        cls.member._post_points("adjust", 1000, "2024-01-01", reason="Start")

    def _quote(self, hours=2, parts=2):
        """Return a quotation of 200 labour and 100 parts, 345 with 15 % tax."""
        return self._create_repair(
            self.customer, hours=hours, parts=parts
        ).sale_order_id

    def _wizard(self, document):
        field = "order_id" if document._name == "sale.order" else "move_id"
        return self.env["garage.loyalty.redeem"].create({field: document.id})

    # -- what the dialog offers -------------------------------------------------

    def test_dialog_offers_caps_of_labour_and_parts(self):
        wizard = self._wizard(self._quote())
        self.assertEqual(wizard.labour_room, 115)  # half of 230
        self.assertEqual(wizard.parts_room, 23)  # a fifth of 115
        self.assertEqual(wizard.max_points, 1000)  # 138 allow 1380, 1000 are there
        self.assertEqual(wizard.max_amount, 100)
        self.assertEqual(wizard.points, 1000)
        self.assertEqual(wizard.amount, 100)

    def test_dialog_limits_to_what_the_document_allows(self):
        self.member._post_points("adjust", 5000, "2024-01-01", reason="More")
        wizard = self._wizard(self._quote())
        self.assertEqual(wizard.max_points, 1380)

    def test_too_many_points_refused_in_words(self):
        wizard = self._wizard(self._quote())
        wizard.points = 1001
        with self.assertRaisesRegex(UserError, "At most 1000 points"):
            wizard.action_redeem()

    def test_too_few_points_refused(self):
        for points in (9, 0, -5):
            wizard = self._wizard(self._quote())
            wizard.points = points
            with self.assertRaisesRegex(UserError, "At least 10 points"):
                wizard.action_redeem()

    def test_not_a_member_refused(self):
        order = self._create_repair(self.other, hours=1).sale_order_id
        wizard = self._wizard(order)
        self.assertFalse(wizard.max_points)
        wizard.points = 10
        with self.assertRaisesRegex(UserError, "not an active member"):
            wizard.action_redeem()

    def test_suspended_member_refused(self):
        order = self._quote()
        self.member._suspend()
        wizard = self._wizard(order)
        wizard.points = 10
        with self.assertRaisesRegex(UserError, "not an active member"):
            wizard.action_redeem()

    def test_confirmed_quotation_refused(self):
        order = self._quote()
        order.action_confirm()
        wizard = self._wizard(order)
        wizard.points = 100
        with self.assertRaisesRegex(UserError, "not a draft any more"):
            wizard.action_redeem()

    # -- quotations -------------------------------------------------------------

    def test_quotation_planned_takes_nothing_yet(self):
        order = self._quote()
        redemption = self._redeem(order, 500)
        self.assertAlmostEqual(order.amount_total, 295)
        self.assertEqual(redemption.state, "draft")
        self.assertEqual(self.member.points, 1000)

    def test_quotation_confirmed_reserves_cancelled_releases(self):
        order = self._quote()
        redemption = self._redeem(order, 500)
        order.action_confirm()
        self.assertEqual(redemption.state, "reserved")
        self.assertLedger(self.member, 1000, -500)
        order._action_cancel()
        self.assertEqual(redemption.state, "released")
        self.assertLedger(self.member, 1000, -500, 500)
        self.assertEqual(self.member.entry_ids[0].kind, "restore")
        order.action_draft()
        self.assertEqual(redemption.state, "draft")
        order.action_confirm()
        self.assertEqual(self.member.points, 500)

    def test_quotation_invoiced_is_done_and_taken_once(self):
        order = self._quote()
        redemption = self._redeem(order, 500)
        invoice = self._bill(order)
        self.assertAlmostEqual(invoice.amount_total, 295)
        self.assertEqual(redemption.state, "done")
        self.assertEqual(self.member.points, 500)
        self.assertEqual(invoice.loyalty_points_redeemed, 500)

    def test_redeemed_part_earns_nothing(self):
        order = self._quote()
        self._redeem(order, 500)
        invoice = self._bill(order)
        self._pay(invoice)
        # 300 net minus 50 / 1.15 paid with points
        self.assertEqual(invoice.loyalty_points_due, 256)
        self.assertEqual(self.member.points, 500 + 256)

    def test_programme_that_gives_nothing_on_redeemed_invoices(self):
        self.program.earn_when_redeeming = False
        order = self._quote()
        self._redeem(order, 500)
        self.assertEqual(self._bill(order).loyalty_points_due, 0)

    def test_redeemed_again_replaces_the_first(self):
        order = self._quote()
        self._redeem(order, 500)
        redemption = self._redeem(order, 200)
        self.assertEqual(len(redemption), 1)
        self.assertAlmostEqual(order.amount_total, 325)
        self.assertEqual(redemption.points, 200)

    def test_redeem_nothing_after_all_removes_the_lines(self):
        order = self._quote()
        self._redeem(order, 500)
        self._wizard(order).action_remove()
        self.assertAlmostEqual(order.amount_total, 345)
        self.assertFalse(order.order_line.loyalty_redemption_id)

    def test_line_deleted_gives_all_up(self):
        order = self._quote()
        redemption = self._redeem(order, 500)
        order.order_line.filtered("loyalty_redemption_id")[0].unlink()
        self.assertFalse(order.order_line.loyalty_redemption_id)
        self.assertAlmostEqual(order.amount_total, 345)
        self.assertEqual(redemption.state, "released")
        order.action_confirm()
        self.assertEqual(self.member.points, 1000)

    def test_price_of_redeemed_line_cannot_be_changed(self):
        order = self._quote()
        self._redeem(order, 500)
        line = order.order_line.filtered("loyalty_redemption_id")[0]
        with self.assertRaisesRegex(UserError, "cannot be changed by hand"):
            line.price_unit = -1000

    def test_quotation_changed_to_allow_less_is_refused_at_confirmation(self):
        order = self._quote()
        self._redeem(order, 1000)
        order.order_line.filtered(
            lambda line: line.product_id == self.labour
        ).product_uom_qty = 1
        with self.assertRaisesRegex(UserError, "Press “Redeem” again"):
            order.action_confirm()

    def test_points_gone_meanwhile_are_refused_at_confirmation(self):
        first, second = self._quote(), self._quote()
        self._redeem(first, 800)
        self._redeem(second, 800)
        first.action_confirm()
        with self.assertRaisesRegex(UserError, "has 200 points"):
            second.action_confirm()

    def test_copy_of_quotation_is_not_paid_with_points(self):
        order = self._quote()
        self._redeem(order, 500)
        copy = order.copy()
        self.assertFalse(copy.order_line.loyalty_redemption_id)
        self.assertAlmostEqual(copy.amount_total, 345)

    def test_copy_of_empty_documents_is_empty(self):
        order = self.env["sale.order"].create({"partner_id": self.customer.id})
        self.assertFalse(order.copy().order_line)
        invoice = self.env["account.move"].create(
            {"move_type": "out_invoice", "partner_id": self.customer.id}
        )
        self.assertFalse(invoice.copy().invoice_line_ids)

    def test_line_that_points_pay_is_of_the_kind_they_were_redeemed_on(self):
        order = self._quote()
        self._redeem(order, 500)
        redeemed = order.order_line.filtered("loyalty_redemption_id")
        kinds = [line._get_loyalty_kind() for line in redeemed]
        self.assertEqual(kinds, ["labour", "parts"])

    def test_redemption_whose_document_is_gone_keeps_its_name(self):
        invoice = self._invoice(self.customer)
        invoice.button_draft()
        redemption = self._redeem(invoice, 500)
        name = redemption.source_name
        self.assertEqual(name, invoice.name)
        redemption.sudo().move_id = False
        self.assertEqual(redemption.source_name, name)

    # -- invoices ---------------------------------------------------------------

    def test_invoice_posted_takes_drafted_gives_back(self):
        invoice = self._invoice(self.customer, post=False)
        redemption = self._redeem(invoice, 500)
        self.assertAlmostEqual(invoice.amount_total, 1100)
        self.assertEqual(self.member.points, 1000)
        invoice.action_post()
        self.assertEqual(redemption.state, "done")
        self.assertEqual(self.member.points, 500)
        invoice.button_draft()
        self.assertEqual(redemption.state, "draft")
        self.assertEqual(self.member.points, 1000)
        invoice.button_cancel()
        self.assertEqual(redemption.state, "released")

    def test_draft_invoice_deleted_releases(self):
        invoice = self._invoice(self.customer, post=False)
        redemption = self._redeem(invoice, 500)
        invoice.unlink()
        self.assertEqual(redemption.state, "released")
        self.assertEqual(self.member.points, 1000)

    def test_draft_with_redemption_is_edited_and_deleted_without_loyalty_rights(self):
        clerk = self._create_user("clerk", "account.group_account_invoice")
        first = self._invoice(self.customer, post=False)
        second = self._invoice(self.customer, post=False)
        redemption = self._redeem(first, 100)
        redemption |= self._redeem(second, 200)
        first.with_user(clerk).unlink()
        lines = second.invoice_line_ids.filtered("loyalty_redemption_id")
        second.with_user(clerk).invoice_line_ids = [Command.unlink(lines.id)]
        self.assertEqual(redemption.mapped("state"), ["released", "released"])

    def test_points_of_invoice_are_seen_at_once(self):
        invoice = self._invoice(self.customer)
        self.assertEqual(invoice.loyalty_points_earned, 0)
        self._pay(invoice)
        self.assertEqual(invoice.loyalty_points_earned, 1000)

    def test_invoice_line_deleted_gives_all_up(self):
        invoice = self._invoice(
            self.customer, [(self.labour, 2, 100), (self.part, 2, 50)], post=False
        )
        redemption = self._redeem(invoice, 500)
        lines = invoice.invoice_line_ids.filtered("loyalty_redemption_id")
        self.assertEqual(len(lines), 2)
        invoice.invoice_line_ids = [Command.unlink(lines[0].id)]
        self.assertFalse(invoice.invoice_line_ids.loyalty_redemption_id)
        self.assertAlmostEqual(invoice.amount_total, 345)
        self.assertEqual(redemption.state, "released")

    def test_invoice_paid_wholly_with_points(self):
        self.program.write({"labour_cap": 100})
        invoice = self._invoice(self.customer, [(self.labour, 1, 40)], post=False)
        self._redeem(invoice, 460)
        invoice.action_post()
        self.assertEqual(invoice.amount_total, 0)
        self.assertEqual(self.member.points, 540)
        self.assertEqual(invoice.loyalty_points_due, 0)

    def test_price_of_redeemed_invoice_line_cannot_be_changed(self):
        invoice = self._invoice(self.customer, post=False)
        self._redeem(invoice, 500)
        line = invoice.invoice_line_ids.filtered("loyalty_redemption_id")
        with self.assertRaisesRegex(UserError, "cannot be changed by hand"):
            invoice.invoice_line_ids = [Command.update(line.id, {"price_unit": -1})]

    def test_copy_of_invoice_is_not_paid_with_points(self):
        invoice = self._invoice(self.customer, post=False)
        self._redeem(invoice, 500)
        copy = invoice.copy()
        self.assertFalse(copy.invoice_line_ids.loyalty_redemption_id)
        self.assertAlmostEqual(copy.amount_total, 1150)

    # -- credit notes -----------------------------------------------------------

    def test_full_credit_note_gives_all_points_back(self):
        order = self._quote()
        redemption = self._redeem(order, 500)
        invoice = self._bill(order)
        self._credit(invoice)
        self.assertEqual(self.member.points, 1000)
        self.assertEqual(redemption.state, "returned")

    def test_partial_credit_note_gives_back_in_proportion(self):
        invoice = self._invoice(self.customer, post=False)
        redemption = self._redeem(invoice, 500)
        invoice.action_post()
        credit = self._credit(invoice, 250)
        self.assertEqual(self.member.points, 500 + 125)
        self.assertEqual(redemption.points_spent, 375)
        credit.button_draft()
        self.assertEqual(self.member.points, 500)

    # -- tax --------------------------------------------------------------------

    def test_discount_is_split_over_tax_rates(self):
        low = self.tax.copy({"name": "Low 5%", "amount": 5})
        self.part.taxes_id = low
        self.program.parts_cap = 50
        invoice = self._invoice(
            self.customer, [(self.labour, 1, 100), (self.part, 2, 50)], post=False
        )
        self.assertAlmostEqual(invoice.amount_total, 115 + 105)
        self._redeem(invoice, 440)
        redeemed = invoice.invoice_line_ids.filtered("loyalty_redemption_id")
        by_tax = {line.tax_ids: line for line in redeemed}
        self.assertEqual(set(by_tax), {self.tax, low})
        self.assertAlmostEqual(sum(redeemed.mapped("price_total")), -44)
        self.assertAlmostEqual(by_tax[self.tax].price_total, -23)
        self.assertAlmostEqual(by_tax[low].price_total, -21)
        self.assertAlmostEqual(invoice.amount_total, 176)

    def test_any_number_of_points_takes_off_exactly_its_worth(self):
        invoice = self._invoice(
            self.customer, [(self.labour, 1, 97.31), (self.part, 3, 33.37)], post=False
        )
        total = invoice.amount_total
        for points in (10, 333, 417, 599):
            with self.subTest(points=points):
                self._redeem(invoice, points)
                self.assertAlmostEqual(invoice.amount_total, total - points / 10)
                redeemed = invoice.invoice_line_ids.filtered("loyalty_redemption_id")
                for price in redeemed.mapped("price_unit"):
                    self.assertEqual(price, round(price, 2))

    def test_price_included_tax_takes_off_the_promised_amount(self):
        self.tax.price_include_override = "tax_included"
        invoice = self._invoice(self.customer, [(self.labour, 3, 33.33)], post=False)
        total = invoice.amount_total
        self._redeem(invoice, 333)
        self.assertAlmostEqual(invoice.amount_total, total - 33.3)

    def test_foreign_currency_converts_the_value_of_a_point(self):
        currency = self.setup_other_currency("EUR", rates=[("2020-01-01", 2.0)])
        invoice = self._invoice(
            self.customer,
            [(self.labour, 1, 1000)],
            post=False,
            currency_id=currency.id,
        )
        wizard = self._wizard(invoice)
        wizard.points = 100
        self.assertAlmostEqual(wizard.amount, 20)

    def test_document_without_tax(self):
        self.labour.taxes_id = False
        invoice = self._invoice(self.customer, [(self.labour, 1, 100)], post=False)
        self._redeem(invoice, 500)
        self.assertAlmostEqual(invoice.amount_total, 50)
