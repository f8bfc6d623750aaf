from odoo import Command
from odoo.exceptions import UserError
from odoo.tests import Form, tagged

from .common import GarageLoyaltyCommon


class RedeemingDocumentsCommon(GarageLoyaltyCommon):
    """A member with 1000 points, worth 0.10 each, to be spent without limits."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._spend_without_limits()
        cls.member = cls._enrol(cls.customer)
        cls.lot = cls._start(cls.member, 1000)

    @classmethod
    def _start(cls, member, points):
        """Return a lot of points."""
        day = "2024-01-01"
        entry = member._post_points("adjust", points, day, reason="Start", expiry=False)
        return entry.lot_ids

    @classmethod
    def _quote(cls, lines=None, **vals):
        """Return a quotation, of 2 hours and 2 parts unless said otherwise: 345."""
        lines = lines or [(cls.labour, 2, 100), (cls.part, 2, 50)]
        return cls.env["sale.order"].create(
            {
                "partner_id": cls.customer.id,
                "order_line": [
                    Command.create(
                        {
                            "product_id": product.id,
                            "product_uom_qty": quantity,
                            "price_unit": price,
                        }
                    )
                    for product, quantity, price in lines
                ],
                **vals,
            }
        )

    @classmethod
    def _bill_rest(cls, order, date="2024-02-10", post=True):
        """Return an invoice of what is not billed yet, less the down payments."""
        invoice = order._create_invoices(final=True)
        invoice.invoice_date = date
        if post:
            invoice.action_post()
        return invoice

    def _redeemed_lines(self, document):
        return document._get_loyalty_lines().filtered("loyalty_redemption_id")

    def _tax_amounts(self, invoice):
        """Return the tax amounts of an invoice, by rate."""
        lines = invoice.line_ids.filtered("tax_line_id")
        return {
            tax.amount: round(-sum(mine.mapped("amount_currency")), 2)
            for tax, mine in lines.grouped("tax_line_id").items()
        }

    def assertRedeemed(self, redemption, state, spent, *entries):
        """Check a redemption, its entries, and the one lot that it takes from.

        Doing it again changes nothing, and the ledger adds up.
        """
        redemption._sync()
        self.env.invalidate_all()
        self.assertEqual((redemption.state, redemption.points_spent), (state, spent))
        posted = self.Entry.search(
            [
                ("source_model", "=", redemption._name),
                ("source_id", "=", redemption.id),
            ],
            order="id",
        )
        self.assertEqual(tuple(posted.mapped("points")), entries)
        self.assertEqual(sum(entries), -spent)
        self.assertEqual(sum(posted.allocation_ids.mapped("points")), spent)
        self.assertEqual(
            posted.allocation_ids.lot_id, self.lot if posted else posted.lot_ids
        )
        self.assertFalse(posted.lot_ids)
        self.assertSound(redemption.member_id)

    def assertAmounts(self, document, untaxed, tax, total):
        self.assertAlmostEqual(document.amount_untaxed, untaxed)
        self.assertAlmostEqual(document.amount_tax, tax)
        self.assertAlmostEqual(document.amount_total, total)


@tagged("post_install", "-at_install")
class TestDownPayments(RedeemingDocumentsCommon):
    def test_down_payment_spends_nothing_final_invoice_does(self):
        order = self._quote()
        redemption = self._redeem(order, 500)
        order.action_confirm()
        self.assertAmounts(order, 256.52, 38.48, 295)
        self.assertRedeemed(redemption, "reserved", 500, -500)
        down = self._bill_down_payment(order)
        self.assertAlmostEqual(down.amount_total, 147.5)
        self.assertFalse(down.loyalty_points_redeemed)
        self.assertRedeemed(redemption, "reserved", 500, -500)
        final = self._bill_rest(order)
        self.assertAlmostEqual(final.amount_total, 147.5)
        self.assertAlmostEqual(down.amount_untaxed + final.amount_untaxed, 256.52)
        self.assertAlmostEqual(down.amount_tax + final.amount_tax, 38.48)
        self.assertEqual(final.loyalty_points_redeemed, 500)
        self.assertRedeemed(redemption, "done", 500, -500)
        self._pay(down)
        self._pay(final)
        self.assertEqual(down.loyalty_points_earned, 0)
        # 300 net, less what points paid: 50 / 1.15
        self.assertEqual(final.loyalty_points_earned, 256)

    def test_final_invoice_after_a_down_payment_credited_gives_all_back(self):
        order = self._quote()
        redemption = self._redeem(order, 500)
        order.action_confirm()
        down = self._bill_down_payment(order)
        final = self._bill_rest(order)
        self._credit(down)
        self.assertRedeemed(redemption, "done", 500, -500)
        self._credit(final)
        self.assertRedeemed(redemption, "returned", 0, -500, 500)
        self.assertEqual(self.lot.remaining, 1000)

    def test_half_of_the_final_invoice_credited_gives_half_back(self):
        order = self._quote()
        redemption = self._redeem(order, 500)
        order.action_confirm()
        self._bill_down_payment(order)
        final = self._bill_rest(order)
        self._credit(final, 150)
        self.assertRedeemed(redemption, "done", 250, -500, 250)

    def test_fixed_down_payment_leaves_the_rest_to_be_paid_with_points(self):
        order = self._quote()
        order.action_confirm()
        down = self._bill_down_payment(
            order, advance_payment_method="fixed", fixed_amount=300, amount=0
        )
        self.assertAlmostEqual(down.amount_total, 300)
        final = self._bill_rest(order, post=False)
        self.assertAlmostEqual(final.amount_total, 45)
        with self.assertRaisesRegex(UserError, "At most 450 points"):
            self._redeem(final, 451)
        redemption = self._redeem(final, 450)
        self.assertAlmostEqual(final.amount_total, 0)
        final.action_post()
        self.assertRedeemed(redemption, "done", 450, -450)


@tagged("post_install", "-at_install")
class TestPartialInvoices(RedeemingDocumentsCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.later = cls._create_good(
            "Paint", 50, type="service", invoice_policy="delivery"
        )

    def _quote_in_two(self):
        """Return a quotation of 230 that is billed at once, and 115 later."""
        order = self._quote([(self.labour, 2, 100), (self.later, 2, 50)])
        redemption = self._redeem(order, 500)
        return order, redemption

    def _bill_paint(self, order):
        paint = order.order_line.filtered(lambda line: line.product_id == self.later)
        paint.qty_delivered = 2
        return self._bill_rest(order)

    def test_first_invoice_spends_the_second_does_not(self):
        order, redemption = self._quote_in_two()
        first = self._bill(order)
        self.assertAmounts(first, 156.52, 23.48, 180)
        self.assertRedeemed(redemption, "done", 500, -500)
        second = self._bill_paint(order)
        self.assertAmounts(second, 100, 15, 115)
        self.assertEqual(second.loyalty_points_redeemed, 0)
        self.assertRedeemed(redemption, "done", 500, -500)

    def test_points_are_given_back_by_the_invoice_that_spent_them(self):
        order, redemption = self._quote_in_two()
        first, second = self._bill(order), self._bill_paint(order)
        self._credit(second)
        self.assertRedeemed(redemption, "done", 500, -500)
        credit = self._credit(first, 50)
        self.assertRedeemed(redemption, "done", 375, -500, 125)
        self._credit(first, 150)
        self.assertRedeemed(redemption, "returned", 0, -500, 125, 375)
        credit.button_draft()
        self.assertRedeemed(redemption, "done", 125, -500, 125, 375, -125)

    def test_line_left_for_the_next_invoice_stays_promised(self):
        order = self._quote()
        redemption = self._redeem(order, 300)
        first = self._bill(order, post=False)
        lines = self._redeemed_lines(first)
        parts = lines.filtered(lambda line: line.loyalty_scope == "parts")
        self.assertAlmostEqual(parts.price_total, -10)
        first.invoice_line_ids = [Command.unlink(parts.id)]
        self.assertRedeemed(redemption, "reserved", 300, -300)
        first.action_post()
        self.assertAlmostEqual(first.amount_total, 345 - 20)
        self.assertRedeemed(redemption, "done", 300, -300)
        self._credit(first)
        # Two thirds were on this invoice; the rest is promised still.
        self.assertRedeemed(redemption, "done", 100, -300, 200)
        order._action_cancel()
        self.assertRedeemed(redemption, "returned", 0, -300, 200, 100)

    def test_line_left_for_the_next_invoice_is_billed_there(self):
        order, redemption = self._quote_in_two()
        first = self._bill(order, post=False)
        first.invoice_line_ids = [
            Command.unlink(line.id) for line in self._redeemed_lines(first)
        ]
        first.action_post()
        self.assertAlmostEqual(first.amount_total, 230)
        self.assertRedeemed(redemption, "reserved", 500, -500)
        second = self._bill_paint(order)
        self.assertAlmostEqual(second.amount_total, 115 - 50)
        self.assertRedeemed(redemption, "done", 500, -500)
        self._credit(first)
        self.assertRedeemed(redemption, "done", 500, -500)
        self._credit(second)
        self.assertRedeemed(redemption, "returned", 0, -500, 500)


@tagged("post_install", "-at_install")
class TestInvoicedTwice(RedeemingDocumentsCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.order = cls._quote()
        cls.redemption = cls._redeem(cls.order, 500)

    def test_invoice_cancelled_and_made_again_spends_once(self):
        first = self._bill(self.order)
        self.assertRedeemed(self.redemption, "done", 500, -500)
        first.button_draft()
        self.assertRedeemed(self.redemption, "reserved", 500, -500)
        first.button_cancel()
        self.assertRedeemed(self.redemption, "reserved", 500, -500)
        second = self._bill_rest(self.order)
        self.assertAmounts(second, 256.52, 38.48, 295)
        self.assertRedeemed(self.redemption, "done", 500, -500)

    def test_invoice_deleted_and_made_again_spends_once(self):
        self._bill(self.order, post=False).unlink()
        self.assertRedeemed(self.redemption, "reserved", 500, -500)
        self._bill_rest(self.order)
        self.assertRedeemed(self.redemption, "done", 500, -500)

    def test_invoice_credited_and_made_again_spends_again(self):
        first = self._bill(self.order)
        self._credit(first)
        self.assertRedeemed(self.redemption, "returned", 0, -500, 500)
        second = self._bill_rest(self.order, "2024-03-10")
        self.assertAmounts(second, 256.52, 38.48, 295)
        self.assertRedeemed(self.redemption, "done", 500, -500, 500, -500)
        self._credit(second, 75, "2024-03-11")
        self.assertRedeemed(self.redemption, "done", 375, -500, 500, -500, 125)

    def test_invoice_credited_and_made_again_without_points_is_refused(self):
        first = self._bill(self.order)
        self._credit(first)
        self.member._post_points("redeem", -600, "2024-03-05", reason="Elsewhere")
        second = self._bill_rest(self.order, "2024-03-10", post=False)
        with (
            self.assertRaisesRegex(UserError, "has 400 points: 500 cannot be spent"),
            self.env.cr.savepoint(),
        ):
            second.action_post()
        self.assertEqual(self.redemption.state, "returned")
        self.assertEqual(self.member.points, 400)

    def test_credit_note_cancelled_takes_again_in_any_case(self):
        credit = self._credit(self._bill(self.order))
        self.member._post_points("redeem", -600, "2024-03-05", reason="Elsewhere")
        credit.button_draft()
        self.assertEqual(self.redemption.state, "done")
        self.assertEqual((self.member.points, self.member.debt), (-100, 100))
        self.assertSound(self.member)

    def test_both_invoices_count_after_the_credit_note_is_cancelled(self):
        credit = self._credit(self._bill(self.order))
        self._bill_rest(self.order, "2024-03-10")
        credit.button_draft()
        self.assertRedeemed(self.redemption, "done", 500, -500, 500, -500)

    def test_order_cancelled_after_the_invoice_keeps_what_the_invoice_spent(self):
        invoice = self._bill(self.order)
        self.order._action_cancel()
        self.assertRedeemed(self.redemption, "done", 500, -500)
        self._credit(invoice)
        self.assertRedeemed(self.redemption, "returned", 0, -500, 500)

    def test_order_cancelled_with_its_draft_invoice_releases(self):
        invoice = self._bill(self.order, post=False)
        self.order._action_cancel()
        self.assertEqual(invoice.state, "cancel")
        self.assertRedeemed(self.redemption, "released", 0, -500, 500)


@tagged("post_install", "-at_install")
class TestOrdersTogether(RedeemingDocumentsCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.orders = cls._quote() | cls._quote()
        cls.first = cls._redeem(cls.orders[0], 300)
        cls.second = cls._redeem(cls.orders[1], 200)

    def test_one_invoice_spends_what_all_its_orders_promised(self):
        invoice = self._bill(self.orders)
        self.assertEqual(len(invoice), 1)
        self.assertAmounts(invoice, 556.52, 83.48, 640)
        self.assertEqual(invoice.loyalty_points_redeemed, 500)
        self.assertRedeemed(self.first, "done", 300, -300)
        self.assertRedeemed(self.second, "done", 200, -200)

    def test_credit_note_gives_back_of_each_in_proportion(self):
        invoice = self._bill(self.orders)
        self._credit(invoice, 150)
        self.assertRedeemed(self.first, "done", 225, -300, 75)
        self.assertRedeemed(self.second, "done", 150, -200, 50)
        self._credit(invoice, 450)
        self.assertRedeemed(self.first, "returned", 0, -300, 75, 225)
        self.assertRedeemed(self.second, "returned", 0, -200, 50, 150)
        self.assertEqual(self.lot.remaining, 1000)

    def test_redeeming_on_the_invoice_leaves_what_the_orders_promised(self):
        invoice = self._bill(self.orders, post=False)
        redemption = self._redeem(invoice, 100) - self.first - self.second
        self.assertEqual(redemption.points, 100)
        self.assertAlmostEqual(invoice.amount_total, 630)
        self.assertEqual((self.first | self.second).mapped("state"), ["reserved"] * 2)
        wizard = self.env["garage.loyalty.redeem"].create({"move_id": invoice.id})
        self.assertEqual(wizard.redemption_id, redemption)
        wizard.action_remove()
        self.assertAlmostEqual(invoice.amount_total, 640)
        invoice.action_post()
        self.assertRedeemed(self.first, "done", 300, -300)
        self.assertRedeemed(self.second, "done", 200, -200)

    def test_limits_of_the_invoice_count_what_the_orders_promised(self):
        invoice = self._bill(self.orders[0], post=False)
        self.program.write({"labour_cap": 10, "parts_cap": 0})
        wizard = self.env["garage.loyalty.redeem"].create({"move_id": invoice.id})
        # A tenth of 230, of which the order pays 20 already.
        self.assertAlmostEqual(wizard.labour_room, 3)
        self.assertEqual(wizard.max_points, 30)

    def test_invoices_of_other_orders_do_not_matter(self):
        self._bill(self.orders[0])
        self.orders[1].action_confirm()
        self.assertRedeemed(self.first, "done", 300, -300)
        self.assertRedeemed(self.second, "reserved", 200, -200)
        self.orders[1]._action_cancel()
        self.assertRedeemed(self.first, "done", 300, -300)
        self.assertRedeemed(self.second, "released", 0, -200, 200)


@tagged("post_install", "-at_install")
class TestOtherCurrency(RedeemingDocumentsCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.euro = cls.setup_other_currency(
            "EUR", rates=[("2020-01-01", 2.0), ("2024-02-20", 4.0)]
        )

    def test_invoice_credited_at_another_rate_gives_back_by_its_own_amounts(self):
        invoice = self._invoice(self.customer, post=False, currency_id=self.euro.id)
        redemption = self._redeem(invoice, 500)
        self.assertAlmostEqual(redemption.amount, 100)
        self.assertAmounts(invoice, 913.04, 136.96, 1050)
        invoice.action_post()
        self.assertRedeemed(redemption, "done", 500, -500)
        self._credit(invoice, 250)
        self.assertRedeemed(redemption, "done", 375, -500, 125)
        self._credit(invoice, 750)
        self.assertRedeemed(redemption, "returned", 0, -500, 125, 375)

    def test_invoice_credited_at_another_rate_leaves_no_earned_points(self):
        invoice = self._invoice(self.customer, currency_id=self.euro.id)
        self._pay(invoice)
        self.assertEqual(invoice.loyalty_points_earned, 500)
        self._credit(invoice, 250)
        self.assertEqual(self.member.points, 1000 + 375)
        self._credit(invoice, 750)
        self.assertEqual(self.member.points, 1000)
        self.assertSound(self.member)

    def test_quotation_in_another_currency_is_billed_as_promised(self):
        pricelist = self.env["product.pricelist"].create(
            {"name": "Euro", "currency_id": self.euro.id}
        )
        order = self._quote(pricelist_id=pricelist.id, date_order="2024-01-31 12:00:00")
        redemption = self._redeem(order, 500)
        self.assertEqual(redemption.currency_id, self.euro)
        self.assertAmounts(order, 213.05, 31.95, 245)
        invoice = self._bill(order, "2024-03-01")
        self.assertEqual(invoice.currency_id, self.euro)
        self.assertAmounts(invoice, 213.05, 31.95, 245)
        self.assertRedeemed(redemption, "done", 500, -500)
        self._credit(invoice, date="2024-04-01")
        self.assertRedeemed(redemption, "returned", 0, -500, 500)

    def test_quotation_that_changes_its_currency_says_so(self):
        order = self._quote()
        self._redeem(order, 500)
        order.pricelist_id = self.env["product.pricelist"].create(
            {"name": "Euro", "currency_id": self.euro.id}
        )
        with self.assertRaisesRegex(UserError, "taxes or the currency"):
            order.action_confirm()


@tagged("post_install", "-at_install")
class TestTaxes(RedeemingDocumentsCommon):
    def test_included_taxes_to_the_cent(self):
        self.tax.price_include_override = "tax_included"
        order = self._quote([(self.labour, 3, 33.33), (self.part, 1, 19.99)])
        self.assertAmounts(order, 104.33, 15.65, 119.98)
        redemption = self._redeem(order, 333)
        # 119.98 - 33.30 = 86.68, of which 15 / 115 is tax
        self.assertAmounts(order, 75.37, 11.31, 86.68)
        invoice = self._bill(order)
        self.assertAmounts(invoice, 75.37, 11.31, 86.68)
        self.assertEqual(self._tax_amounts(invoice), {15: 11.31})
        self.assertRedeemed(redemption, "done", 333, -333)
        self._credit(invoice)
        self.assertRedeemed(redemption, "returned", 0, -333, 333)

    def test_mixed_rates_to_the_cent(self):
        low = self.tax.copy({"name": "Low 5%", "amount": 5})
        self.part.taxes_id = low
        order = self._quote([(self.labour, 1, 100), (self.part, 2, 50)])
        self.assertAmounts(order, 200, 20, 220)
        redemption = self._redeem(order, 440)
        # 44 of 220: 23 of the 115 at 15 %, 21 of the 105 at 5 %
        self.assertAmounts(order, 160, 16, 176)
        invoice = self._bill(order)
        self.assertAmounts(invoice, 160, 16, 176)
        self.assertEqual(self._tax_amounts(invoice), {15: 12, 5: 4})
        self.assertRedeemed(redemption, "done", 440, -440)
        credit = self._credit(invoice)
        self.assertEqual(self._tax_amounts(credit), {15: -12, 5: -4})
        self.assertRedeemed(redemption, "returned", 0, -440, 440)

    def test_mixed_rates_on_labour_alone_and_lines_without_tax(self):
        low = self.tax.copy({"name": "Low 5%", "amount": 5})
        waste = self._create_good("Waste", 10, type="service", invoice_policy="order")
        waste.taxes_id = False
        other = self._create_good("Check", 80, type="service", invoice_policy="order")
        other.taxes_id = low
        order = self._quote([(self.labour, 1, 100), (other, 1, 80), (waste, 1, 10)])
        self.assertAmounts(order, 190, 19, 209)
        redemption = self._redeem(order, 209)
        # a tenth of each: 11.50 at 15 %, 8.40 at 5 %, 1.00 without
        self.assertAmounts(order, 171, 17.1, 188.1)
        invoice = self._bill(order)
        self.assertEqual(self._tax_amounts(invoice), {15: 13.5, 5: 3.6})
        self.assertAmounts(invoice, 171, 17.1, 188.1)
        self.assertRedeemed(redemption, "done", 209, -209)

    def test_odd_amounts_with_global_rounding(self):
        self.company.tax_calculation_rounding_method = "round_globally"
        order = self._quote([(self.labour, 3, 33.33), (self.part, 7, 1.37)])
        total = order.amount_total
        redemption = self._redeem(order, 417)
        self.assertAlmostEqual(order.amount_total, total - 41.7)
        invoice = self._bill(order)
        self.assertAlmostEqual(invoice.amount_total, total - 41.7)
        self.assertRedeemed(redemption, "done", 417, -417)

    def test_taxes_changed_after_redeeming_are_refused(self):
        order = self._quote()
        self._redeem(order, 500)
        self._redeemed_lines(order).tax_ids = False
        with self.assertRaisesRegex(UserError, "do not take off"):
            order.action_confirm()


@tagged("post_install", "-at_install")
class TestNothingLeftToPay(RedeemingDocumentsCommon):
    def test_order_paid_wholly_with_points(self):
        order = self._quote([(self.labour, 0.5, 100)])
        redemption = self._redeem(order, 575)
        self.assertAmounts(order, 0, 0, 0)
        invoice = self._bill(order)
        self.assertAmounts(invoice, 0, 0, 0)
        self.assertEqual(invoice.payment_state, "paid")
        self.assertRedeemed(redemption, "done", 575, -575)
        self.assertEqual(invoice.loyalty_points_earned, 0)
        self._credit(invoice)
        self.assertRedeemed(redemption, "returned", 0, -575, 575)
        self.assertEqual(self.member.points, 1000)

    def test_half_of_an_invoice_of_nothing_credited_gives_half_back(self):
        invoice = self._invoice(self.customer, [(self.labour, 1, 50)], post=False)
        redemption = self._redeem(invoice, 575)
        invoice.action_post()
        wizard = (
            self.env["account.move.reversal"]
            .with_context(active_model="account.move", active_ids=invoice.ids)
            .create({"date": "2024-03-01", "journal_id": invoice.journal_id.id})
        )
        wizard.refund_moves()
        credit = wizard.new_move_ids
        priced = credit.invoice_line_ids - self._redeemed_lines(credit)
        self._redeemed_lines(credit).unlink()
        priced.price_unit = 25
        credit.action_post()
        # 287.5 of 575 points are left, rounded down
        self.assertRedeemed(redemption, "done", 287, -575, 288)


@tagged("post_install", "-at_install")
class TestChangedAfterRedeeming(RedeemingDocumentsCommon):
    """A draft that changes says so; what is confirmed keeps its promise."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.program.write({"labour_cap": 50, "parts_cap": 0})
        cls.order = cls._quote()
        cls.redemption = cls._redeem(cls.order, 1000)
        cls.hours = cls.order.order_line.filtered(
            lambda line: line.product_id == cls.labour and line._is_loyalty_priced()
        )

    def test_more_on_the_quotation_is_still_allowed(self):
        self.hours.product_uom_qty = 3
        self.hours.price_unit = 110
        self.assertFalse(self.order.loyalty_warning)
        self.order.action_confirm()
        self.assertAlmostEqual(self.order.amount_total, 379.5 + 115 - 100)
        self.assertRedeemed(self.redemption, "reserved", 1000, -1000)

    def test_less_on_the_quotation_is_refused_with_the_reason(self):
        self.hours.product_uom_qty = 1
        message = "now allows .*57.50 to be paid with points, but .*100.00 is redeemed"
        self.assertRegex(self.order.loyalty_warning, message)
        with self.assertRaisesRegex(UserError, message), self.env.cr.savepoint():
            self.order.action_confirm()
        self.assertEqual(self.redemption.state, "draft")
        redemption = self._redeem(self.order, 575)
        self.assertFalse(self.order.loyalty_warning)
        self.order.action_confirm()
        self.assertRedeemed(redemption, "reserved", 575, -575)

    def test_lower_price_and_removed_line_are_refused(self):
        self.hours.price_unit = 10
        self.assertRegex(self.order.loyalty_warning, "now allows")
        self.hours.unlink()
        self.assertRegex(self.order.loyalty_warning, "now allows")
        with self.assertRaisesRegex(UserError, "Press “Redeem” again"):
            self.order.action_confirm()

    def test_prices_of_the_list_are_taken_and_the_redemption_stays(self):
        self.hours.price_unit = 10
        self.order.action_update_prices()
        self.assertAlmostEqual(self.order.amount_total, 245)
        self.assertFalse(self.order.loyalty_warning)

    def test_form_warns_while_it_is_edited(self):
        with Form(self.order) as form:
            self.assertFalse(form.loyalty_warning)
            with form.order_line.edit(0) as line:
                line.product_uom_qty = 1
            self.assertRegex(form.loyalty_warning, "now allows")
            with form.order_line.edit(0) as line:
                line.product_uom_qty = 2
            self.assertFalse(form.loyalty_warning)

    def test_points_spent_elsewhere_meanwhile_are_warned_of(self):
        self.member._post_points("redeem", -1, "2024-02-01", reason="Elsewhere")
        self.env.invalidate_all()
        self.assertIn("999 points now: 1000 cannot", self.order.loyalty_warning)

    def test_user_without_loyalty_rights_is_warned(self):
        seller = self._create_user("seller", "sales_team.group_sale_salesman_all_leads")
        self.hours.product_uom_qty = 1
        theirs = self.order.with_user(seller)
        self.assertRegex(theirs.loyalty_warning, "now allows")

    def test_confirmed_order_keeps_its_promise(self):
        self.order.action_confirm()
        self.hours.product_uom_qty = 1
        self.assertFalse(self.order.loyalty_warning)
        invoice = self._bill(self.order)
        self.assertAlmostEqual(invoice.amount_total, 130)
        self.assertRedeemed(self.redemption, "done", 1000, -1000)

    def test_confirmed_order_below_its_promise_cannot_be_billed(self):
        self.order.action_confirm()
        self.order.order_line[:2].product_uom_qty = 0
        with self.assertRaisesRegex(UserError, "negative total"):
            self._bill(self.order)
        self.assertEqual(self.redemption.points_spent, 1000)

    def test_line_of_a_confirmed_order_is_not_deleted(self):
        self.order.action_confirm()
        with self.assertRaisesRegex(UserError, "confirmed"), self.env.cr.savepoint():
            self._redeemed_lines(self.order).unlink()
        self.assertRedeemed(self.redemption, "reserved", 1000, -1000)
        self.order._action_cancel()
        self.order.action_draft()
        self._redeemed_lines(self.order).unlink()
        self.assertRedeemed(self.redemption, "released", 0, -1000, 1000)
        self.assertAlmostEqual(self.order.amount_total, 345)

    def test_draft_invoice_is_warned_of_like_a_quotation(self):
        invoice = self._invoice(
            self.customer, [(self.labour, 2, 100), (self.part, 1, 50)], post=False
        )
        redemption = self._redeem(invoice, 1000)
        labour = invoice.invoice_line_ids[0]
        invoice.invoice_line_ids = [Command.update(labour.id, {"quantity": 1})]
        self.assertRegex(invoice.loyalty_warning, "now allows")
        with self.assertRaisesRegex(UserError, "now allows"), self.env.cr.savepoint():
            invoice.action_post()
        invoice.invoice_line_ids = [Command.update(labour.id, {"quantity": 3})]
        self.assertFalse(invoice.loyalty_warning)
        invoice.action_post()
        self.assertFalse(invoice.loyalty_warning)
        self.assertRedeemed(redemption, "done", 1000, -1000)

    def test_documents_without_redemption_are_warned_of_at_no_cost(self):
        order = self._quote()
        order.order_line.mapped("loyalty_redemption_id")
        order.fetch(["amount_total", "state"])
        with self.assertQueryCount(0):
            self.assertFalse(order.loyalty_warning)
