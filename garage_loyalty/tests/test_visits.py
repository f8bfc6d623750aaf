from odoo import Command, fields
from odoo.tests import tagged

from .common import GarageLoyaltyCommon


@tagged("post_install", "-at_install")
class TestVisits(GarageLoyaltyCommon):
    def _row(self, repair):
        return self.Visit.search([("repair_id", "=", repair.id)])

    def test_repair_done_and_invoiced_is_a_visit(self):
        repair, invoice = self._visit(self.customer, "2024-02-05")
        visit = self._row(repair)
        self.assertEqual(visit.kind, "repair")
        self.assertEqual(str(visit.date), "2024-02-05")
        self.assertEqual(visit.partner_id, self.customer)
        self.assertEqual(visit.amount_labour, 100)
        self.assertEqual(visit.amount_parts, 100)
        self.assertEqual(visit.amount, 200)
        self.assertEqual(visit.user_id, repair.user_id)
        self.assertFalse(visit.is_member)
        self.assertEqual(repair.amount_invoiced, invoice.amount_untaxed)
        self.assertEqual(self.customer.visit_count, 1)
        self.assertEqual(str(self.customer.last_visit_date), "2024-02-05")

    def test_done_but_not_invoiced_is_no_visit(self):
        repair = self._create_repair(self.customer, hours=1)
        self._finish(repair)
        self.assertTrue(repair.date_done)
        self.assertFalse(self._row(repair))

    def test_invoiced_first_then_done_is_a_visit(self):
        repair = self._create_repair(self.customer, hours=1)
        self._bill(repair.sale_order_id)
        self.assertFalse(self._row(repair))
        self._finish(repair, "2024-02-10")
        self.assertEqual(self._row(repair).amount, 200)

    def test_invoice_reset_to_draft_removes_the_visit(self):
        repair, invoice = self._visit(self.customer)
        invoice.button_draft()
        self.assertFalse(self._row(repair))
        invoice.action_post()
        self.assertTrue(self._row(repair))

    def test_credit_note_lowers_the_amount(self):
        repair, invoice = self._visit(self.customer)
        self._credit(invoice)
        self.assertEqual(self._row(repair).amount, 0)

    def test_member_and_tier_are_those_of_the_day(self):
        member = self._enrol(self.customer, date="2024-01-10")
        before, _invoice = self._visit(self.customer, "2024-01-09")
        first, _invoice = self._visit(self.customer, "2024-01-10")
        member._set_tier(self.gold, date="2024-02-01")
        later, _invoice = self._visit(self.customer, "2024-02-01")
        self.assertFalse(before.is_member_visit)
        self.assertTrue(first.is_member_visit)
        self.assertEqual(first.loyalty_tier_id, self.bronze)
        self.assertEqual(later.loyalty_tier_id, self.gold)
        self.assertEqual(first.loyalty_member_id, member)

    def test_enrolment_after_the_visit_on_its_day_makes_it_a_members_visit(self):
        repair, _invoice = self._visit(self.customer, "2024-02-01")
        self._enrol(self.customer, date="2024-02-01")
        self.assertTrue(self._row(repair).is_member)

    def test_suspended_and_left_are_not_members_on_the_day(self):
        member = self._enrol(self.customer, date="2024-01-01")
        member._suspend(date="2024-02-01")
        suspended, _invoice = self._visit(self.customer, "2024-02-02")
        member._come_back(date="2024-03-01")
        back, _invoice = self._visit(self.customer, "2024-03-01")
        member._leave(date="2024-04-01")
        left, _invoice = self._visit(self.customer, "2024-04-02")
        self.assertEqual(
            (suspended + back + left).mapped("is_member_visit"), [False, True, False]
        )

    def test_previous_visit_is_stamped_in_any_order_of_arrival(self):
        march, _invoice = self._visit(self.customer, "2024-03-01")
        january, _invoice = self._visit(self.customer, "2024-01-01")
        february, invoice = self._visit(self.customer, "2024-02-01")
        dates = [str(self._row(r).prev_date) for r in (january, february, march)]
        self.assertEqual(dates, ["False", "2024-01-01", "2024-02-01"])
        invoice.button_draft()
        self.assertEqual(str(self._row(march).prev_date), "2024-01-01")

    def test_previous_paid_visit_is_the_last_one_that_counts(self):
        repairs = [self._visit(self.customer, "2024-01-01")[0]]
        free, _invoice = self._visit(self.customer, "2024-02-01", under_warranty=True)
        repairs += [
            self._visit(self.customer, f"2024-0{month}-01")[0] for month in (3, 5)
        ]
        self._enrol(self.customer, date="2024-03-01")
        repairs.append(self._visit(self.customer, "2024-04-01")[0])
        rows = [self._row(repair) for repair in repairs]
        paid = ["False", "2024-01-01", "2024-04-01", "2024-03-01"]
        same = ["False", "False", "2024-04-01", "2024-03-01"]
        self.assertEqual([str(row.prev_paid_date) for row in rows], paid)
        self.assertEqual([str(row.prev_same_date) for row in rows], same)
        self.assertFalse(self._row(free).prev_paid_date)
        self.assertEqual(self.Visit._rebuild(), 0)

    def test_contact_of_company_visits_for_the_company(self):
        firm = self._create_customer("Firm", is_company=True)
        contact = self._create_customer("Driver", parent_id=firm.id)
        repair, _invoice = self._visit(contact)
        self.assertEqual(self._row(repair).partner_id, firm)
        self.assertEqual(contact.visit_count, 1)

    def test_two_repairs_on_one_order_share_labour_by_their_parts(self):
        first = self._create_repair(self.customer, parts=3)
        order = first.sale_order_id
        second = self._create_repair(self.customer, parts=1, order=order, hours=1)
        order.action_confirm()
        self._finish(first)
        self._finish(second)
        self._bill(order)
        rows = self._row(first) + self._row(second)
        self.assertEqual(rows.mapped("amount_parts"), [150, 50])
        self.assertEqual(rows.mapped("amount_labour"), [75, 25])

    # -- what stands on the invoice only ------------------------------------------

    def _draft(self, *repairs):
        """Return the draft invoice of finished repair orders."""
        for repair in repairs:
            repair.sale_order_id.action_confirm()
            self._finish(repair, "2024-02-01")
        orders = self.env["sale.order"].union(*(r.sale_order_id for r in repairs))
        return self._bill(orders, "2024-02-01", post=False)

    def test_points_paid_on_the_invoice_lower_the_visit(self):
        self._spend_without_limits()
        member = self._enrol(self.customer)
        member._post_points("adjust", 1000, "2024-01-05", reason="Start")
        repair = self._create_repair(self.customer, parts=2, hours=1)
        invoice = self._draft(repair)
        self._redeem(invoice, 300)
        invoice.action_post()
        row = self._row(repair)
        self.assertAlmostEqual(row.amount, invoice.amount_untaxed_signed)
        self.assertAlmostEqual(row.amount + row.amount_discount, 200)
        self.assertGreater(row.amount_discount, 0)
        self._credit(invoice, date="2024-02-02")
        self.assertAlmostEqual(self._row(repair).amount, 0)
        self.assertAlmostEqual(self._row(repair).amount_discount, 0)
        self.assertEqual(self.Visit._rebuild(), 0)

    def test_line_typed_on_the_invoice_counts(self):
        repair = self._create_repair(self.customer, parts=2, hours=1)
        invoice = self._draft(repair)
        invoice.invoice_line_ids = [
            Command.create({"name": "Disposal", "price_unit": 12, "tax_ids": False})
        ]
        invoice.action_post()
        row = self._row(repair)
        self.assertEqual((row.amount, row.amount_labour), (212, 112))

    def test_line_typed_on_the_invoice_of_two_quotations_counts_once(self):
        repairs = [self._create_repair(self.customer, hours=1) for _time in range(2)]
        invoice = self._draft(*repairs)
        invoice.invoice_line_ids = [
            Command.create({"name": "Disposal", "price_unit": 12, "tax_ids": False})
        ]
        invoice.action_post()
        rows = self._row(repairs[0]) + self._row(repairs[1])
        self.assertEqual(len(invoice.line_ids.sale_line_ids.order_id), 2)
        self.assertEqual(sorted(rows.mapped("amount")), [200, 212])
        self.assertEqual(self.Visit._rebuild(), 0)

    def test_three_repairs_without_parts_share_equally_to_the_cent(self):
        first = self._create_repair(self.customer, parts=0, hours=1)
        order = first.sale_order_id
        repairs = first + self._create_repair(self.customer, parts=0, order=order)
        repairs += self._create_repair(self.customer, parts=0, order=order)
        order.action_confirm()
        for repair in repairs:
            self._finish(repair)
        self._bill(order)
        amounts = [self._row(repair).amount for repair in repairs]
        self.assertAlmostEqual(sum(amounts), 100)
        self.assertTrue(all(33.33 <= amount <= 33.34 for amount in amounts), amounts)

    def test_cancelled_repair_on_the_order_takes_no_share(self):
        first = self._create_repair(self.customer, parts=1, hours=1)
        order = first.sale_order_id
        second = self._create_repair(self.customer, parts=1, order=order)
        order.action_confirm()
        second.action_repair_cancel()
        self._finish(first)
        self._bill(order)
        self.assertEqual(self._row(first).amount_labour, 100)
        self.assertFalse(self._row(second))

    def test_reward_is_deducted_and_shown(self):
        self.program.write({"point_value": 0.1, "minimum_redemption": 1})
        member = self._enrol(self.customer)
        member._post_points("adjust", 1000, "2024-01-01", reason="Start")
        repair = self._create_repair(self.customer, hours=1)
        order = repair.sale_order_id
        self._redeem(order, 230)
        self._finish(repair)
        invoice = self._bill(order)
        visit = self._row(repair)
        self.assertAlmostEqual(visit.amount_discount, 20)
        self.assertAlmostEqual(visit.amount, 180)
        self.assertAlmostEqual(invoice.amount_untaxed, 180)

    def test_down_payment_counts_once(self):
        repair = self._create_repair(self.customer, hours=1)
        order = repair.sale_order_id
        order.action_confirm()
        down = self._bill_down_payment(order)
        self._finish(repair)
        final = order._create_invoices(final=True)
        final.invoice_date = "2024-02-02"
        final.action_post()
        self.assertEqual(self._row(repair).amount, 200)
        self.assertFalse(self.Visit.search([("move_id", "in", (down + final).ids)]))

    def test_invoice_without_repair_is_a_row_of_its_own_kind(self):
        invoice = self._invoice(self.customer)
        visit = self.Visit.search([("move_id", "=", invoice.id)])
        self.assertEqual(visit.kind, "sale")
        self.assertEqual(visit.amount_labour, 1000)
        self.assertEqual(self.customer.visit_count, 0)
        self._credit(invoice, 250)
        self.assertEqual(visit.amount, 750)
        invoice.button_draft()
        self.assertFalse(visit.exists())

    def test_warranty_repair_is_marked(self):
        repair, _invoice = self._visit(self.customer, under_warranty=True)
        self.assertTrue(self._row(repair).is_warranty)

    def test_date_is_that_of_the_company_time_zone(self):
        self.company.partner_id.tz = "Pacific/Auckland"
        repair, _invoice = self._visit(self.customer)
        repair.date_done = fields.Datetime.to_datetime("2024-02-01 20:00:00")
        self.assertEqual(str(self._row(repair).date), "2024-02-02")

    def test_customer_of_the_repair_changed_moves_the_visit(self):
        repair, _invoice = self._visit(self.customer)
        repair.partner_id = self.other
        self.assertEqual(self._row(repair).partner_id, self.other)

    def test_done_written_again_keeps_the_date(self):
        repair, _invoice = self._visit(self.customer, "2024-02-01")
        repair.write({"state": "done"})
        self.assertEqual(str(repair.date_done), "2024-02-01 12:00:00")

    def test_repair_that_is_no_longer_done_is_no_visit(self):
        repair, _invoice = self._visit(self.customer)
        repair.write({"state": "under_repair"})
        self.assertFalse(self._row(repair))

    def test_rebuild_removes_rows_whose_document_is_no_visit_any_more(self):
        repair, _invoice = self._visit(self.customer)
        invoice = self._invoice(self.customer)
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE repair_order SET state = 'under_repair' WHERE id = %s", [repair.id]
        )
        self.env.cr.execute(
            "UPDATE account_move SET state = 'draft' WHERE id = %s", [invoice.id]
        )
        self.env.invalidate_all()
        self.assertEqual(self.Visit._rebuild(), 2)
        self.assertFalse(self._row(repair))
        self.assertFalse(self.Visit.search([("move_id", "=", invoice.id)]))

    def test_synchronised_again_changes_nothing(self):
        repair, _invoice = self._visit(self.customer)
        self.assertEqual(self.Visit._sync_repairs(repair), 0)

    def test_rebuild_restores_what_was_damaged(self):
        repair, _invoice = self._visit(self.customer)
        lost, _invoice = self._visit(self.other)
        invoice = self._invoice(self.customer)
        self.env.cr.execute(
            "UPDATE garage_loyalty_visit SET amount = 1, prev_date = '1999-01-01'"
            " WHERE repair_id = %s",
            [repair.id],
        )
        self.env.cr.execute(
            "DELETE FROM garage_loyalty_visit WHERE repair_id = %s OR move_id = %s",
            [lost.id, invoice.id],
        )
        self.env.invalidate_all()
        self.assertGreaterEqual(self.Visit._rebuild(batch=1), 3)
        self.assertEqual(self._row(repair).amount, 200)
        self.assertEqual(self._row(lost).amount, 200)
        self.assertTrue(self.Visit.search([("move_id", "=", invoice.id)]))
        self.assertEqual(self.Visit._rebuild(), 0)

    def test_history_without_date_done_is_dated_from_its_parts(self):
        repair, _invoice = self._visit(self.customer)
        repair.move_ids.date = "2023-05-06 10:00:00"
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE repair_order SET date_done = NULL WHERE id = %s", [repair.id]
        )
        self.env.invalidate_all()
        self.Visit._rebuild()
        self.assertEqual(str(repair.date_done), "2023-05-06 10:00:00")

    def test_nightly_check_keeps_its_place_and_finishes(self):
        repair, _invoice = self._visit(self.customer)
        self.env.cr.execute("DELETE FROM garage_loyalty_visit")
        self.env.invalidate_all()
        with self.enter_registry_test_mode():
            self.env.ref("garage_loyalty.ir_cron_check_visits").method_direct_trigger()
        self.assertTrue(self._row(repair))
        place = "garage_loyalty.visit_check.repair.order"
        self.assertEqual(self.env["ir.config_parameter"].get_param(place), "0")

    def test_nightly_check_out_of_time_goes_on_later(self):
        repairs = self.env["repair.order"]
        for partner in (self.customer, self.other):
            repairs |= self._visit(partner)[0]
        self.env.cr.execute("DELETE FROM garage_loyalty_visit")
        self.env.invalidate_all()
        cron = self.env.ref("garage_loyalty.ir_cron_check_visits")
        with self.enter_registry_test_mode(), self.registry.cursor() as cr:
            env = self.env(cr=cr, su=True)
            progress = env["ir.cron.progress"].create({"cron_id": cron.id})
            job = env["garage.loyalty.visit"].with_context(
                ir_cron_progress_id=progress.id, cron_id=cron.id, cron_end_time=0
            )
            job._cron_check_visits(batch=1)
            self.assertEqual((progress.done, progress.remaining), (1, 1))
        self.assertEqual(len(self.Visit.search([("kind", "=", "repair")])), 1)
        place = "garage_loyalty.visit_check.repair.order"
        get_param = self.env["ir.config_parameter"].get_param
        self.assertEqual(get_param(place), str(min(repairs.ids)))
        with self.enter_registry_test_mode():
            cron.method_direct_trigger()
        self.assertTrue(all(self._row(repair) for repair in repairs))

    def test_repair_imported_as_done_is_dated(self):
        vals = {"partner_id": self.customer.id, "state": "done"}
        Repair = self.env["repair.order"]
        self.assertTrue(Repair.create(vals).date_done)
        dated = Repair.create({**vals, "date_done": "2020-05-06 10:00:00"})
        self.assertEqual(str(dated.date_done), "2020-05-06 10:00:00")
