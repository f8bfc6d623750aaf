from psycopg2 import IntegrityError, errors

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..hooks import uninstall_hook
from .common import MANAGER, GarageLoyaltyCommon


@tagged("post_install", "-at_install")
class TestAppendOnly(GarageLoyaltyCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.member = cls._enrol(cls.customer)
        cls.invoice = cls._invoice(cls.customer)
        cls._pay(cls.invoice)
        cls.entry = cls.member.entry_ids
        cls.env.flush_all()

    def test_write_refused_even_for_the_superuser(self):
        for entry in (self.entry, self.entry.sudo()):
            for vals in ({"points": 5}, {"reason": "x"}, {"date": "2020-01-01"}):
                with (
                    self.subTest(vals=vals, su=entry.env.su),
                    self.assertRaisesRegex(UserError, "use “Adjust points”"),
                ):
                    entry.write(vals)
        self.assertLedger(self.member, 1000)

    def test_write_to_no_entry_is_no_change(self):
        self.assertTrue(self.Entry.browse().write({"reason": "x"}))

    def test_unlink_refused_even_for_the_superuser(self):
        with self.assertRaisesRegex(UserError, "use “Adjust points”"):
            self.entry.sudo().unlink()
        with self.assertRaises(UserError):
            self.entry.unlink()
        self.assertLedger(self.member, 1000)

    def test_nobody_may_create_or_copy_entries(self):
        manager = self._create_user("manager", MANAGER)
        entry = self.entry.with_user(manager)
        with self.assertRaises(AccessError):
            entry.copy()
        with self.assertRaises(AccessError):
            entry.create(
                {
                    "member_id": self.member.id,
                    "program_id": self.program.id,
                    "company_id": self.company.id,
                    "date": "2024-01-01",
                    "kind": "earn",
                    "points": 1,
                }
            )
        self.assertLedger(self.member, 1000)

    def test_ledger_cannot_be_changed_through_the_member(self):
        manager = self._create_user("manager", MANAGER)
        for command in (
            Command.update(self.entry.id, {"points": 1}),
            Command.delete(self.entry.id),
            Command.clear(),
            Command.create({"points": 1, "kind": "earn", "date": "2024-01-01"}),
        ):
            with (
                self.subTest(command=command),
                self.assertRaises(UserError),
                self.env.cr.savepoint(),
            ):
                self.member.with_user(manager).write({"entry_ids": [command]})
        self.env.invalidate_all()
        self.assertLedger(self.member, 1000)

    @mute_logger("odoo.sql_db")
    def test_sql_refused_by_the_database(self):
        for query in (
            "UPDATE garage_loyalty_entry SET points = 5",
            "UPDATE garage_loyalty_entry SET reason = 'x' WHERE points > 0",
            "DELETE FROM garage_loyalty_entry",
            "TRUNCATE garage_loyalty_entry CASCADE",
        ):
            with (
                self.subTest(query=query),
                self.assertRaises(errors.RestrictViolation) as caught,
                self.env.cr.savepoint(),
            ):
                self.env.cr.execute(query)
            self.assertIn("post an adjustment instead", str(caught.exception))
        self.env.invalidate_all()
        self.assertLedger(self.member, 1000)

    @mute_logger("odoo.sql_db")
    def test_entry_of_no_points_refused_by_the_database(self):
        with self.assertRaises(IntegrityError), self.env.cr.savepoint():
            self.entry.sudo().create(
                {
                    "member_id": self.member.id,
                    "program_id": self.program.id,
                    "company_id": self.company.id,
                    "date": "2024-01-01",
                    "kind": "adjust",
                    "points": 0,
                }
            )

    def test_uninstalled_leaves_no_trigger_behind(self):
        query = "SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'append_only_%'"
        self.env.cr.execute(query)
        self.assertEqual(self.env.cr.fetchone(), (6,))
        uninstall_hook(self.env)
        self.env.cr.execute(query)
        self.assertEqual(self.env.cr.fetchone(), (0,))

    def test_uninstalled_keeps_the_product_that_invoices_refer_to(self):
        product = self.program.redemption_product_id
        xmlid = "garage_loyalty.product_redemption"
        uninstall_hook(self.env)
        self.assertTrue(product.active)
        self.assertEqual(self.env.ref(xmlid), product)
        self._invoice(self.customer, [(product, 1, -1), (self.labour, 1, 10)])
        uninstall_hook(self.env)
        self.assertFalse(product.active)
        self.assertFalse(self.env.ref(xmlid, raise_if_not_found=False))


@tagged("post_install", "-at_install")
class TestEntries(GarageLoyaltyCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._spend_without_limits()
        cls.member = cls._enrol(cls.customer)

    # -- who, when, why, from what ----------------------------------------------

    def test_entry_of_an_invoice_says_who_when_why_and_from_what(self):
        user = self._create_user("cashier", "account.group_account_invoice")
        invoice = self._invoice(self.customer, date="2024-02-01")
        self._pay(invoice.with_user(user), date="2024-02-10")
        entry = self.member.entry_ids
        self.assertEqual(entry.user_id, user)
        self.assertEqual(str(entry.date), "2024-02-10")
        self.assertTrue(entry.reason)
        self.assertEqual(entry.source_name, invoice.display_name)
        self.assertEqual(entry.program_id, self.program)
        self.assertEqual(entry.company_id, self.company)
        self.assertEqual(entry.partner_id, self.customer)

    def test_entry_opens_its_source(self):
        invoice = self._invoice(self.customer)
        self._pay(invoice)
        action = self.member.entry_ids.action_open_source()
        self.assertEqual(
            (action["res_model"], action["res_id"]), ("account.move", invoice.id)
        )

    def test_entry_of_a_deleted_source_says_so(self):
        self.program.earn_trigger = "posted"
        invoice = self._invoice(self.customer)
        name = invoice.display_name
        invoice.button_draft()
        invoice.unlink()
        self.assertLedger(self.member, 1000, -1000)
        for entry in self.member.entry_ids:
            with self.assertRaisesRegex(UserError, "does not exist any more") as caught:
                entry.action_open_source()
            self.assertIn(name, str(caught.exception))

    def test_entry_without_document_comes_from_its_member(self):
        entry = self.member._post_points("opening", 10, "2024-01-01")
        self.assertEqual(entry._get_source(), self.member)
        self.assertEqual(entry.source_name, self.member.number)

    def test_entry_of_a_model_that_is_gone_has_no_source(self):
        entry = self.Entry.sudo().create(
            {
                "member_id": self.member.id,
                "program_id": self.program.id,
                "company_id": self.company.id,
                "date": "2024-01-01",
                "kind": "opening",
                "points": 5,
                "source_model": "no.such.model",
                "source_id": 1,
            }
        )
        self.assertFalse(entry._get_source())

    def test_invoice_opens_its_entries_and_those_of_its_credit_notes(self):
        self.member._post_points("adjust", 500, "2024-01-01", reason="Start")
        invoice = self._invoice(self.customer, post=False)
        self._redeem(invoice, 300)
        invoice.action_post()
        self._pay(invoice)
        self._credit(invoice, 100)
        self._pay(self._invoice(self.customer))
        action = invoice.action_open_loyalty_entries()
        found = self.Entry.search(action["domain"], order="id")
        self.assertEqual(
            found.mapped("kind"), ["redeem", "earn", "clawback", "restore"]
        )

    def test_no_points_leave_no_entry(self):
        self.assertFalse(self.member._post_points("adjust", 0, "2024-01-01"))
        self.assertLedger(self.member)

    def test_redeeming_beyond_the_balance_refused_in_words(self):
        self.member._post_points("adjust", 100, "2024-01-01", reason="Start")
        with (
            self.assertRaisesRegex(UserError, "has 100 points: 101 cannot be spent"),
            self.env.cr.savepoint(),
        ):
            self.member._post_points("redeem", -101, "2024-01-02")
        self.assertLedger(self.member, 100)
        self.member._post_points("redeem", -100, "2024-01-02")
        self.assertLedger(self.member, 100, -100)

    # -- a long life ------------------------------------------------------------

    def test_balance_is_the_sum_of_entries_after_a_mixed_history(self):
        self._adjust(self.member, 500)
        first = self._invoice(self.customer)
        self._pay(first)
        self._credit(first, 333.33)
        second = self._invoice(self.customer, post=False)
        self._redeem(second, 700)
        second.action_post()
        self._pay(second)
        credit = self._credit(second)
        credit.button_draft()
        self._adjust(self.member, -17)
        order = self._create_repair(self.customer, hours=1).sale_order_id
        self._redeem(order, 200)
        order.action_confirm()
        order._action_cancel()
        self.env.flush_all()
        self.env.invalidate_all()
        entries = self.member.entry_ids
        self.assertGreater(len(entries), 9)
        self.assertEqual(self.member.points, sum(entries.mapped("points")))
        self.assertEqual(
            set(entries.mapped("kind")),
            {"adjust", "earn", "clawback", "redeem", "restore"},
        )


@tagged("post_install", "-at_install")
class TestNightlyPoints(GarageLoyaltyCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.program.write(
            {"point_value": 0.1, "minimum_redemption": 1, "labour_cap": 100}
        )
        cls.member = cls._enrol(cls.customer, date="2024-01-10")

    def _mismatches(self):
        self.env.flush_all()
        rows = self.env.execute_query(self.Entry._get_mismatch_query())
        return self.env["account.move"].browse(row[0] for row in rows)

    def _sql(self, query, *params):
        self.env.flush_all()
        self.env.cr.execute(query, params)
        self.env.invalidate_all()

    def _run(self):
        with self.enter_registry_test_mode():
            cron = self.env.ref("garage_loyalty.ir_cron_sync_documents")
            cron.method_direct_trigger()

    def test_paid_without_the_host_saying_so_is_repaired(self):
        invoice = self._invoice(self.customer)
        self._sql(
            "UPDATE account_move SET payment_state = 'paid' WHERE id = %s", invoice.id
        )
        self.assertEqual(self._mismatches(), invoice)
        self._run()
        self.assertLedger(self.member, 1000)
        self.assertFalse(self._mismatches())
        self._run()
        self.assertLedger(self.member, 1000)

    def test_unpaid_without_the_host_saying_so_is_repaired(self):
        invoice = self._invoice(self.customer)
        self._pay(invoice)
        self._sql(
            "UPDATE account_move SET payment_state = 'not_paid' WHERE id = %s",
            invoice.id,
        )
        self._run()
        self.assertLedger(self.member, 1000, -1000)

    def test_posted_but_never_stamped_is_repaired(self):
        invoice = self._invoice(self.customer)
        self._sql(
            "UPDATE account_move SET loyalty_member_id = NULL, loyalty_tier_id = NULL,"
            " loyalty_base = NULL, loyalty_points_due = NULL,"
            " loyalty_earn_trigger = NULL WHERE id = %s",
            invoice.id,
        )
        self._pay(invoice)
        self.assertLedger(self.member)
        self.assertEqual(self._mismatches(), invoice)
        self._run()
        self.assertEqual(invoice.loyalty_member_id, self.member)
        self.assertEqual(invoice.loyalty_tier_id, self.bronze)
        self.assertLedger(self.member, 1000)
        self.assertFalse(self._mismatches())

    def test_credit_note_never_counted_is_repaired(self):
        invoice = self._invoice(self.customer)
        self._pay(invoice)
        credit = self._credit(invoice, 250, post=False)
        self._sql("UPDATE account_move SET state = 'posted' WHERE id = %s", credit.id)
        self._sql(
            "UPDATE account_move SET loyalty_member_id = %s, loyalty_base = 250,"
            " loyalty_points_due = 250 WHERE id = %s",
            self.member.id,
            credit.id,
        )
        self._run()
        self.assertLedger(self.member, 1000, -250)

    def test_out_of_time_stops_after_a_batch_and_goes_on_later(self):
        invoices = [self._invoice(self.customer) for _time in range(3)]
        self._sql(
            "UPDATE account_move SET payment_state = 'paid' WHERE id = ANY(%s)",
            [invoice.id for invoice in invoices],
        )
        cron = self.env.ref("garage_loyalty.ir_cron_sync_documents")
        with self.enter_registry_test_mode(), self.registry.cursor() as cr:
            env = self.env(cr=cr, su=True)
            progress = env["ir.cron.progress"].create({"cron_id": cron.id})
            job = env["garage.loyalty.entry"].with_context(
                ir_cron_progress_id=progress.id, cron_id=cron.id, cron_end_time=0
            )
            job._cron_sync_documents(batch=2)
            self.assertEqual((progress.done, progress.remaining), (2, 1))
        self.assertEqual(self.member.points, 2000)
        self._run()
        self.assertEqual(self.member.points, 3000)
        self.assertEqual(len(self.member.entry_ids), 3)

    def test_healthy_base_has_nothing_to_repair(self):
        self._pay(self._invoice(self.customer))
        self._invoice(self.customer)
        self._invoice(self.customer, post=False)
        self._pay(self._invoice(self.customer), amount=100)
        credited = self._invoice(self.customer, [(self.labour, 1, 100)])
        self._pay(credited)
        for amount in (33.33, 33.33):
            self._credit(credited, amount)
        reversed_ = self._invoice(self.customer)
        self._pay(reversed_)
        reversed_._reverse_moves(
            [{"invoice_date": "2024-03-01", "date": "2024-03-01"}], cancel=True
        )
        self._credit(self._invoice(self.customer))
        undone = self._invoice(self.customer)
        self._pay(undone)
        self._credit(undone, 250).button_draft()
        cancelled = self._invoice(self.customer)
        cancelled.button_draft()
        cancelled.button_cancel()
        by_hand = self._invoice(self.customer, move_type="out_refund")
        self.assertLess(by_hand.loyalty_points_earned, 0)
        redeemed = self._invoice(self.customer, post=False)
        self._redeem(redeemed, 100)
        redeemed.action_post()
        self._pay(redeemed)
        self._credit(redeemed, 250)
        self.program.earn_trigger = "posted"
        self._credit(self._invoice(self.customer), 1)
        self._pay(self._invoice(self.other))
        self.assertFalse(self._mismatches())
        before = self.member.entry_ids
        self._run()
        self.assertEqual(self.member.entry_ids, before)

    def test_invoice_of_before_the_enrolment_credited_later_is_healthy(self):
        self._credit(self._invoice(self.customer, date="2024-01-09"))
        self.assertFalse(self._mismatches())

    def test_invoice_of_the_time_of_a_suspension_is_healthy(self):
        self.member._suspend(date="2024-02-01")
        self._pay(self._invoice(self.customer, date="2024-02-15"))
        self.member._come_back(date="2024-03-01")
        self._pay(self._invoice(self.customer, date="2024-03-01"))
        self.assertLedger(self.member, 1000)
        self.assertFalse(self._mismatches())

    def test_invoice_that_was_unpaid_when_the_member_left_is_healthy(self):
        invoice = self._invoice(self.customer, date="2024-02-01")
        self.member._leave(date="2024-02-15")
        self._pay(invoice)
        self.assertLedger(self.member, 1000)
        self.assertFalse(self._mismatches())

    def test_came_back_on_the_day_of_the_invoice_earns_by_night(self):
        self.member._leave(date="2024-02-01")
        self._pay(self._invoice(self.customer, date="2024-02-15"))
        self.assertLedger(self.member)
        self.member._come_back(date="2024-02-15")
        self._run()
        self.assertLedger(self.member, 1000)
