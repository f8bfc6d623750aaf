from odoo.tests import tagged

from .common import GarageLoyaltyCommon


@tagged("post_install", "-at_install")
class TestCreditNotes(GarageLoyaltyCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.member = cls._enrol(cls.customer)
        cls.invoice = cls._invoice(cls.customer)

    def test_partial_credit_notes_take_back_in_proportion(self):
        self._pay(self.invoice)
        self._credit(self.invoice, 250)
        self.assertLedger(self.member, 1000, -250)
        second = self._credit(self.invoice, 750)
        self.assertLedger(self.member, 1000, -250, -750)
        second.button_draft()
        self.assertLedger(self.member, 1000, -250, -750, 750)
        self.assertEqual(self.member.entry_ids[0]._get_source(), second)

    def test_thirds_leave_exactly_nothing(self):
        invoice = self._invoice(self.customer, [(self.labour, 1, 100)])
        self._pay(invoice)
        for amount in (33.33, 33.33, 33.34):
            self._credit(invoice, amount)
        self.assertEqual(self.member.points, 0)

    def test_full_credit_note_of_paid_invoice_takes_all_back(self):
        self._pay(self.invoice)
        self._credit(self.invoice)
        self.assertLedger(self.member, 1000, -1000)

    def test_reversal_that_cancels_leaves_two_entries_not_four(self):
        self._pay(self.invoice)
        self.invoice._reverse_moves(
            [{"invoice_date": "2024-03-01", "date": "2024-03-01"}], cancel=True
        )
        self.assertEqual(self.member.points, 0)
        self.assertEqual(len(self.member.entry_ids), 2)

    def test_unpaid_invoice_credited_leaves_no_trace(self):
        credit = self._credit(self.invoice)
        self.assertEqual(credit.loyalty_member_id, self.member)
        self.assertLedger(self.member)

    def test_credited_before_paid_earns_the_rest(self):
        self._credit(self.invoice, 250)
        residual = self.invoice.amount_residual
        self._pay(self.invoice, amount=residual)
        self.assertEqual(self.member.points, 750)

    def test_balance_goes_below_zero_when_points_were_spent(self):
        self._pay(self.invoice)
        self.member._post_points("redeem", -800, self.invoice.invoice_date)
        self._credit(self.invoice)
        self.assertEqual(self.member.points, -800)

    def test_credit_note_by_hand_takes_back_on_its_own(self):
        self._pay(self.invoice)
        credit = self.env["account.move"].create(
            {
                "move_type": "out_refund",
                "partner_id": self.customer.id,
                "invoice_date": "2024-03-01",
                "invoice_line_ids": [
                    (0, 0, {"product_id": self.labour.id, "price_unit": 100})
                ],
            }
        )
        credit.action_post()
        self.assertLedger(self.member, 1000, -100)
        credit.button_draft()
        self.assertLedger(self.member, 1000, -100, 100)

    def test_credit_note_after_leaving_still_takes_back(self):
        self._pay(self.invoice)
        self.member._leave(date="2024-02-20")
        self._credit(self.invoice, 250)
        self.assertEqual(self.member.points, 750)

    def test_credit_note_entry_has_the_date_of_the_credit_note(self):
        self._pay(self.invoice)
        self._credit(self.invoice, 250, date="2024-03-05")
        self.assertEqual(str(self.member.entry_ids[0].date), "2024-03-05")
