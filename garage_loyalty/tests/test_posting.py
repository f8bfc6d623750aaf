from contextlib import contextmanager

from odoo.tests import tagged

from .common import GarageLoyaltyCommon


@tagged("post_install", "-at_install")
class TestPosting(GarageLoyaltyCommon):
    """What posting costs: a constant number of statements, whatever is posted."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.program.earn_trigger = "posted"
        cls.member = cls._enrol(cls.customer)

    def _count_statements(self, invoices):
        """Post the invoices; return the statements that concern loyalty."""
        statements = []
        self.env.flush_all()
        self.env.invalidate_all()
        with contextmanager(self._patchExecute)(statements, flush=False):
            invoices.action_post()
            self.env.flush_all()
        ours = (
            'FROM "garage_loyalty',
            'INTO "garage_loyalty_entry',
            'INTO "garage_loyalty_visit',
        )
        return [text for text in statements if any(part in text for part in ours)]

    def test_one_invoice_of_a_member_takes_three_statements(self):
        self._count_statements(self._invoice(self.customer, post=False))
        found = self._count_statements(self._invoice(self.customer, post=False))
        self.assertEqual(len(found), 3, "\n\n".join(found))
        self.assertEqual(self.member.points, 2000)

    def test_tiers_that_ask_for_spend_take_no_statement_more(self):
        self.silver.required_spend = 10**6
        self._count_statements(self._invoice(self.customer, post=False))
        found = self._count_statements(self._invoice(self.customer, post=False))
        self.assertEqual(len(found), 3, "\n\n".join(found))

    def test_many_invoices_take_as_many_statements_as_one(self):
        self._count_statements(self._invoice(self.customer, post=False))
        one = self._count_statements(self._invoice(self.customer, post=False))
        invoices = self.env["account.move"].concat(
            *(self._invoice(self.customer, post=False) for _number in range(12))
        )
        many = self._count_statements(invoices)
        self.assertEqual(len(many), len(one))
        self.assertEqual(self.member.points, 14000)
        self.assertEqual(len(self.member.lot_ids), 14)

    def test_posting_leaves_the_account_alone(self):
        self.env.flush_all()
        query = "SELECT xmin, settled_points FROM garage_loyalty_member WHERE id = %s"
        self.env.cr.execute(query, [self.member.id])
        before = self.env.cr.fetchone()
        self._invoice(self.customer)
        self.env.flush_all()
        self.env.cr.execute(query, [self.member.id])
        self.assertEqual(self.env.cr.fetchone(), before)
        self.assertEqual(self.member.points, 1000)

    def test_posted_again_does_not_earn_again(self):
        invoice = self._invoice(self.customer)
        invoice.button_draft()
        self.assertEqual(self.member.points, 0)
        invoice.action_post()
        self.assertLedger(self.member, 1000, -1000, 1000)
        self.assertEqual(self.member.lot_ids.mapped("remaining"), [1000])

    def test_old_date_uses_the_history_of_the_membership(self):
        self.member._set_tier(self.gold, date="2024-06-01")
        before = self._invoice(self.customer, date="2024-05-31")
        after = self._invoice(self.customer, date="2024-06-01")
        self.assertEqual(before.loyalty_tier_id, self.bronze)
        self.assertEqual(after.loyalty_tier_id, self.gold)
        self.assertEqual(before.loyalty_points_due, 1000)
        self.assertEqual(after.loyalty_points_due, 1500)

    def test_status_entered_for_an_earlier_day_asks_the_history(self):
        self.member._set_tier(self.gold, date="2024-06-01")
        self.member._set_tier(self.silver, date="2024-03-01")
        self.assertFalse(self.member.status_date)
        invoice = self._invoice(self.customer, date="2024-07-01")
        self.assertEqual(invoice.loyalty_tier_id, self.gold)
        self.member._set_tier(self.bronze, date="2024-08-01")
        self.assertTrue(self.member.status_date)
