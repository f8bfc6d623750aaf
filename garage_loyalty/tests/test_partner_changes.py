from datetime import date, timedelta

from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from .common import ACCOUNTANT, MANAGER, USER, GarageLoyaltyCommon


class PartnerChangesCommon(GarageLoyaltyCommon):
    """One point for each unit of a paid invoice, worth 0.10; spent without limits."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._spend_without_limits()
        cls.Redemption = cls.env["garage.loyalty.redemption"]
        cls.today = cls.company._get_loyalty_today()

    @classmethod
    def _merge(cls, src, dst, user=None):
        dst = dst.with_user(user or cls.env.user)
        Wizard = dst.env["base.partner.merge.automatic.wizard"]
        Wizard._merge((src | dst).ids, dst, extra_checks=False)
        cls.env.invalidate_all()

    def _add(self, member, points, day="2024-01-01", **options):
        return member._post_points("adjust", points, day, reason="Start", **options)

    def _get_points(self, *members):
        return [member.points for member in members]

    def assertLeft(self, member, *lots):
        """Check what is left in each lot: pairs of (points, last day or False)."""
        self.env.invalidate_all()
        left = [(lot.remaining, lot.date_expiry) for lot in member.lot_ids]
        self.assertCountEqual(left, lots)

    def assertSynchronised(self, *invoices):
        """Check that doing it all again changes nothing."""
        count = self.Entry.search_count([])
        moves = self.env["account.move"].concat(*invoices)
        moves._sync_loyalty()
        moves.invoice_line_ids.loyalty_redemption_id._sync()
        self.env["garage.loyalty.entry"]._cron_sync_documents()
        self.assertEqual(self.Entry.search_count([]), count)
        self.assertFalse(self.Visit._rebuild())


@tagged("post_install", "-at_install")
class TestMerge(PartnerChangesCommon):
    """Two customers become one."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.kept = cls._enrol(cls.customer, "2024-01-01")
        cls.gone = cls._enrol(cls.other, "2024-01-10")

    def test_points_and_entries_of_both_are_there(self):
        soon = self.today + timedelta(days=30)
        self._add(self.kept, 100, expiry=False)
        self._add(self.gone, 50, expiry=soon)
        self._add(self.gone, 20, expiry=False, is_bonus=True)
        before = self.Entry.search([])
        self._merge(self.other, self.customer)
        self.assertFalse(self.other.exists())
        self.assertEqual(self._get_points(self.kept, self.gone), [170, 0])
        self.assertLeft(self.kept, (100, False), (50, soon), (20, False))
        self.assertEqual(self.kept.lot_ids.filtered("is_bonus").remaining, 20)
        self.assertEqual(before.exists(), before)
        new = self.Entry.search([]) - before
        self.assertEqual(set(new.mapped("kind")), {"transfer"})
        self.assertEqual(sum(new.mapped("points")), 0)
        self.assertEqual(set(new.mapped("source_name")), {self.gone.number})
        self.assertSound(self.kept | self.gone)

    def test_account_that_ends_says_into_which_it_was_merged(self):
        self._add(self.gone, 50)
        self._merge(self.other, self.customer)
        self.assertEqual(self.gone.state, "left")
        self.assertEqual(self.gone.merged_into_id, self.kept)
        self.assertEqual(self.gone.partner_id, self.customer)
        self.assertEqual(self.gone.date_left, self.today)
        self.assertEqual(
            self.gone.status_ids[:1].reason, f"Merged into {self.kept.number}"
        )
        self.assertIn(self.kept.number, self.gone.message_ids[:1].body)
        self.assertIn(f"{self.gone.number} was merged", self.kept.message_ids[:1].body)
        self.assertEqual(self.customer.loyalty_member_id, self.kept)
        self.assertEqual(self.customer.loyalty_points, 50)

    def test_debt_is_owed_by_the_account_that_survives(self):
        self._add(self.kept, 100)
        self._add(self.gone, -30)
        self._merge(self.other, self.customer)
        self.assertEqual(self._get_points(self.kept, self.gone), [70, 0])
        self.assertEqual((self.kept.debt, self.gone.debt), (0, 0))
        self.assertSound(self.kept | self.gone)

    def test_points_that_wait_go_on_waiting(self):
        self.program.activation_days = 10
        invoice = self._invoice(self.other, date=str(self.today))
        self._pay(invoice)
        pending = self.gone.points_pending
        self.assertEqual(pending, 1000)
        self._merge(self.other, self.customer)
        self.assertEqual(self.kept.points_pending, pending)
        self.assertEqual(self.kept.points_available, 0)

    def test_ended_account_of_the_destination_gives_way_to_one_that_has_not(self):
        self._add(self.kept, 100)
        self._add(self.gone, 50)
        self.kept._leave()
        self._merge(self.other, self.customer)
        self.assertEqual(self.gone.state, "active")
        self.assertEqual(self.gone.partner_id, self.customer)
        self.assertEqual(self.kept.merged_into_id, self.gone)
        self.assertEqual(self._get_points(self.kept, self.gone), [0, 150])

    def test_of_ended_accounts_the_oldest_survives_and_can_come_back(self):
        self._add(self.kept, 100)
        self._add(self.gone, 50)
        (self.kept | self.gone)._leave()
        self._merge(self.other, self.customer)
        self.assertEqual(self.gone.merged_into_id, self.kept)
        self.assertEqual(self.customer.loyalty_member_id, self.kept)
        found = self.env["res.partner"].search(
            [("loyalty_member_id", "=", self.kept.id)]
        )
        self.assertEqual(found, self.customer)
        self.kept._come_back()
        self.assertEqual(self.kept.points, 150)

    def test_merged_account_cannot_come_back(self):
        self._merge(self.other, self.customer)
        with self.assertRaisesRegex(UserError, f"merged into {self.kept.number}"):
            self.gone._come_back()

    def test_points_are_not_moved_to_a_merged_account(self):
        self._merge(self.other, self.customer)
        third = self._enrol(self._create_customer("Third"))
        self._add(third, 50)
        with self.assertRaisesRegex(UserError, f"merged into {self.kept.number}"):
            third._transfer_points(self.gone, 50, self.today, third, "Gift")

    def test_points_adjusted_on_a_merged_account_are_the_survivors(self):
        self._merge(self.other, self.customer)
        self._add(self.gone, 50)
        self._add(self.gone, -20)
        self.assertEqual(self._get_points(self.kept, self.gone), [30, 0])

    def test_merged_by_the_wizard_as_a_person_does(self):
        self._add(self.gone, 50)
        wizard = (
            self.env["base.partner.merge.automatic.wizard"]
            .with_context(
                active_model="res.partner",
                active_ids=(self.customer | self.other).ids,
            )
            .create({"dst_partner_id": self.customer.id})
        )
        wizard.action_merge()
        self.env.invalidate_all()
        self.assertFalse(self.other.exists())
        self.assertEqual(self._get_points(self.kept, self.gone), [50, 0])

    def test_only_one_has_an_account_it_follows(self):
        third = self._create_customer("Third")
        self._add(self.gone, 50)
        count = self.Entry.search_count([])
        self._merge(self.other, third)
        self.assertEqual(self.gone.partner_id, third)
        self.assertEqual(self.gone.state, "active")
        self.assertEqual(self.gone.points, 50)
        self.assertEqual(self.Entry.search_count([]), count)

    def test_three_are_merged_at_once_and_one_after_the_other(self):
        third = self._create_customer("Third")
        last = self._enrol(third)
        for points, member in zip(
            (1, 20, 300), (self.kept, self.gone, last), strict=True
        ):
            self._add(member, points)
        fourth = self._create_customer("Fourth")
        self._merge(self.other, third)
        self.assertEqual(last.points, 320)
        self._merge(third, fourth)
        self.assertEqual(last.partner_id, fourth)
        self._merge(fourth, self.customer)
        self.assertEqual(self._get_points(self.kept, self.gone, last), [321, 0, 0])
        self.assertEqual((self.gone | last).merged_into_id, self.kept)
        self.assertSound(self.kept | self.gone | last)

    def test_each_company_is_on_its_own(self):
        elsewhere = self.setup_other_company()["company"]
        program = self.env["garage.loyalty.program"]._get_default(elsewhere)
        theirs = self._enrol(self.other, program=program)
        self._add(theirs, 7)
        self._add(self.gone, 50)
        self._merge(self.other, self.customer)
        self.assertEqual(self._get_points(self.kept, theirs), [50, 7])
        self.assertEqual(theirs.state, "active")
        self.assertEqual(theirs.partner_id, self.customer)

    def test_contacts_of_one_company_change_nothing(self):
        firm = self._create_customer("Firm", is_company=True)
        drivers = [
            self._create_customer(name, parent_id=firm.id) for name in ("One", "Two")
        ]
        member = self._enrol(firm)
        self._add(member, 50)
        count = self.Entry.search_count([])
        self._merge(drivers[0], drivers[1])
        self.assertEqual(member.partner_id, firm)
        self.assertEqual(self.Entry.search_count([]), count)

    def test_person_merged_into_a_contact_gives_the_points_to_its_company(self):
        firm = self._create_customer("Firm", is_company=True)
        driver = self._create_customer("Driver", parent_id=firm.id)
        member = self._enrol(firm)
        self._add(member, 100)
        self._add(self.gone, 50)
        self._merge(self.other, driver)
        self.assertEqual(self._get_points(member, self.gone), [150, 0])
        self.assertEqual(self.gone.merged_into_id, member)
        self.assertEqual(self.gone.partner_id, firm)

    def test_contact_merged_into_a_person_takes_that_account_to_the_company(self):
        firm = self._create_customer("Firm", is_company=True)
        driver = self._create_customer("Driver", parent_id=firm.id)
        self._add(self.kept, 50)
        self._merge(driver, self.customer)
        self.assertEqual(self.customer.parent_id, firm)
        self.assertEqual(self.kept.partner_id, firm)
        self.assertEqual(firm.loyalty_points, 50)

    def test_company_merged_into_a_contact_stays_a_company(self):
        firm = self._create_customer("Firm", is_company=True)
        driver = self._create_customer("Driver", parent_id=firm.id)
        member, self.other.is_company = self._enrol(firm), True
        self._add(self.gone, 50)
        self._merge(self.other, driver)
        self.assertTrue(driver.is_company)
        self.assertEqual(self.gone.partner_id, driver)
        self.assertEqual(self._get_points(member, self.gone), [0, 50])

    def test_user_without_loyalty_rights_merges(self):
        user = self._create_user("clerk", "base.group_partner_manager")
        self._add(self.kept, 100)
        self._add(self.gone, 50)
        self._merge(self.other, self.customer, user)
        self.assertEqual(self.kept.points, 150)
        entry = self.kept.entry_ids.filtered(lambda entry: entry.kind == "transfer")
        self.assertEqual(entry.user_id, user)
        self.assertEqual(self.gone.status_ids[:1].user_id, user)

    # -- what happens to documents of before ----------------------------------------

    def test_invoice_paid_after_the_merge_earns_for_the_survivor(self):
        invoice = self._invoice(self.other)
        self.assertEqual(invoice.loyalty_member_id, self.gone)
        self._merge(self.other, self.customer)
        self._pay(invoice)
        self.assertEqual(self._get_points(self.kept, self.gone), [1000, 0])
        self.assertEqual(invoice.loyalty_points_earned, 1000)
        self.assertSynchronised(invoice)
        self.assertSound(self.kept | self.gone)

    def test_credit_note_and_unpaying_take_from_the_survivor(self):
        invoice = self._invoice(self.other)
        self._pay(invoice)
        self._merge(self.other, self.customer)
        credit = self._credit(invoice, 250)
        self.assertEqual(self._get_points(self.kept, self.gone), [750, 0])
        credit.button_draft()
        credit.button_cancel()
        self.assertEqual(self.kept.points, 1000)
        invoice.line_ids.remove_move_reconcile()
        self.assertEqual(self._get_points(self.kept, self.gone), [0, 0])
        self.assertSynchronised(invoice)
        self.assertSound(self.kept | self.gone)

    def test_points_taken_back_before_the_merge_come_back_to_the_survivor(self):
        invoice = self._invoice(self.other)
        self._pay(invoice)
        self._add(self.kept, 40, expiry=False)
        lot = self.gone.lot_ids
        invoice.line_ids.remove_move_reconcile()
        self._merge(self.other, self.customer)
        self._pay(invoice)
        self.assertEqual(self._get_points(self.kept, self.gone), [1040, 0])
        self.assertLeft(self.kept, (40, False), (1000, lot.date_expiry))
        self.assertSynchronised(invoice)
        self.assertSound(self.kept | self.gone)

    def test_invoice_of_before_the_survivor_joined_is_posted_again(self):
        self.gone._set_tier(self.gold, "2024-01-11")
        self.kept._leave("2024-01-20")
        invoice = self._invoice(self.customer)
        early = self._invoice(self.other, date="2024-02-02")
        self._pay(early)
        self.kept._come_back("2024-05-01")
        self._merge(self.other, self.customer)
        self.assertEqual(self.kept.points, early.loyalty_points_due)
        early.button_draft()
        self.assertEqual(self.kept.points, 0)
        early.action_post()
        self.assertEqual(early.loyalty_member_id, self.kept)
        self.assertEqual(early.loyalty_tier_id, self.gold)
        self.assertEqual(self.kept.points, early.loyalty_points_due)
        self.assertFalse(invoice.loyalty_member_id)

    def test_planned_redemption_is_paid_by_the_survivor(self):
        self._add(self.kept, 100)
        self._add(self.gone, 400)
        order = self._create_repair(self.other, hours=2).sale_order_id
        redemption = self._redeem(order, 400)
        self._merge(self.other, self.customer)
        self.assertEqual(redemption.member_id, self.kept)
        order.action_confirm()
        self.assertEqual(redemption.state, "reserved")
        self.assertEqual(self._get_points(self.kept, self.gone), [100, 0])
        self.assertSound(self.kept | self.gone)

    def test_reserved_redemption_is_released_to_the_survivor_with_its_dates(self):
        soon = self.today + timedelta(days=30)
        self._add(self.gone, 400, expiry=soon)
        order = self._create_repair(self.other, hours=2).sale_order_id
        redemption = self._redeem(order, 300)
        order.action_confirm()
        self._merge(self.other, self.customer)
        self.assertEqual(self._get_points(self.kept, self.gone), [100, 0])
        self.assertEqual(redemption.state, "reserved")
        order._action_cancel()
        self.assertEqual(redemption.state, "released")
        self.assertLeft(self.kept, (100, soon), (300, soon))
        self.assertEqual(self._get_points(self.kept, self.gone), [400, 0])
        order.action_draft()
        order.action_confirm()
        self.assertEqual(redemption.state, "reserved")
        self.assertEqual(self._get_points(self.kept, self.gone), [100, 0])
        order._action_cancel()
        self.assertEqual(self._get_points(self.kept, self.gone), [400, 0])
        self.assertLeft(self.kept, (100, soon), (300, soon))
        self.assertSound(self.kept | self.gone)

    def test_credit_note_of_redeemed_invoice_gives_back_to_the_survivor(self):
        self._add(self.gone, 500, expiry=False)
        invoice = self._invoice(self.other, post=False)
        redemption = self._redeem(invoice, 500)
        invoice.action_post()
        self._merge(self.other, self.customer)
        self._credit(invoice, 250)
        self.assertEqual(redemption.points_spent, 375)
        self.assertEqual(self._get_points(self.kept, self.gone), [125, 0])
        self.assertLeft(self.kept, (125, False))
        self.assertSynchronised(invoice)
        self.assertSound(self.kept | self.gone)

    def test_points_given_to_a_merged_account_meanwhile_follow_by_night(self):
        self._merge(self.other, self.customer)
        entries = [
            self.gone._prepare_entry_vals("earn", 70, "2024-02-01", self.bronze, "")
        ]
        self.gone._give([(self.gone, vals) for vals in entries])
        self.env.invalidate_all()
        self.assertEqual(self.gone.points, 70)
        self._run_job("ir_cron_expire")
        self.assertEqual(self._get_points(self.kept, self.gone), [70, 0])
        self.assertSound(self.kept | self.gone)

    def test_visits_are_those_of_one_customer(self):
        first, _invoice = self._visit(self.customer, "2024-02-01")
        second, _invoice = self._visit(self.other, "2024-03-01")
        third, _invoice = self._visit(self.customer, "2024-04-01")
        sale = self._invoice(self.other, date="2024-05-01")
        self._merge(self.other, self.customer)
        visits = (first | second | third).visit_ids
        self.assertEqual(visits.partner_id, self.customer)
        self.assertEqual(
            [repair.visit_ids.prev_date for repair in (first, second, third)],
            [False, date(2024, 2, 1), date(2024, 3, 1)],
        )
        self.assertEqual(visits.member_id, self.kept)
        self.assertTrue(all(visits.mapped("is_member")))
        found = self.Visit.search([("move_id", "=", sale.id)])
        self.assertEqual(found.partner_id, self.customer)
        self.assertEqual(self.customer.visit_count, 3)
        self.assertFalse(self.Visit._rebuild())


@tagged("post_install", "-at_install")
class TestParentChanges(PartnerChangesCommon):
    """A contact joins a company, or leaves it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.firm = cls._create_customer("Firm", is_company=True)
        cls.member = cls._enrol(cls.customer)
        cls.member._post_points("adjust", 50, "2024-01-01", reason="Start")

    def test_company_without_account_takes_over_the_account(self):
        self.customer.parent_id = self.firm
        self.assertEqual(self.member.partner_id, self.firm)
        self.assertEqual(self.member.state, "active")
        self.assertEqual(self.firm.loyalty_points, 50)
        self.assertEqual(self.customer.loyalty_member_id, self.member)
        self.assertIn("became a part of another", self.member.message_ids[:1].body)

    def test_company_with_account_receives_the_points(self):
        theirs = self._enrol(self.firm)
        self._add(theirs, 100)
        self.customer.parent_id = self.firm
        self.assertEqual(self._get_points(theirs, self.member), [150, 0])
        self.assertEqual(self.member.merged_into_id, theirs)
        self.assertSound(theirs | self.member)

    def test_contact_linked_from_the_company_is_noticed(self):
        self.firm.child_ids = [(4, self.customer.id)]
        self.assertEqual(self.member.partner_id, self.firm)

    def test_company_that_becomes_a_person_gives_its_account_to_its_parent(self):
        branch = self._create_customer(
            "Branch", is_company=True, parent_id=self.firm.id
        )
        theirs = self._enrol(branch)
        self.assertEqual(theirs.partner_id, branch)
        branch.is_company = False
        self.assertEqual(theirs.partner_id, self.firm)

    def test_account_stays_with_the_company_that_a_contact_leaves(self):
        self.customer.parent_id = self.firm
        self.customer.parent_id = False
        self.assertEqual(self.member.partner_id, self.firm)
        self.assertFalse(self.customer.loyalty_member_id)
        self.assertEqual(self.member.points, 50)

    def test_contact_moved_from_one_company_to_another_leaves_both_as_they_are(self):
        self.customer.parent_id = self.firm
        other = self._create_customer("Other firm", is_company=True)
        theirs = self._enrol(other)
        self.customer.parent_id = other
        self.assertEqual(self.member.partner_id, self.firm)
        self.assertEqual(self._get_points(self.member, theirs), [50, 0])
        self.assertEqual(self.customer.loyalty_member_id, theirs)

    def test_invoice_of_a_contact_that_left_stays_the_companys(self):
        driver = self._create_customer("Driver", parent_id=self.firm.id)
        theirs = self._enrol(self.firm)
        invoice = self._invoice(driver)
        self._pay(invoice)
        driver.parent_id = False
        self.assertEqual(theirs.points, 1000)
        invoice.button_draft()
        invoice.action_post()
        self.assertEqual(invoice.loyalty_member_id, theirs)
        self.assertEqual(theirs.points, 1000)
        self.assertSynchronised(invoice)

    def test_invoice_of_a_person_that_joined_is_posted_again(self):
        invoice = self._invoice(self.customer)
        self._pay(invoice)
        self.customer.parent_id = self.firm
        invoice.button_draft()
        invoice.action_post()
        self.assertEqual(invoice.loyalty_member_id, self.member)
        self.assertEqual(self.member.points, 1050)
        self.assertSynchronised(invoice)

    def test_visits_follow_to_the_company(self):
        repair, _invoice = self._visit(self.customer, "2024-02-01")
        theirs, _invoice = self._visit(self.firm, "2024-03-01")
        sale = self._invoice(self.customer, date="2024-02-10")
        self.customer.parent_id = self.firm
        self.assertEqual(repair.visit_ids.partner_id, self.firm)
        self.assertTrue(repair.visit_ids.is_member)
        self.assertEqual(theirs.visit_ids.prev_date, date(2024, 2, 1))
        found = self.Visit.search([("move_id", "=", sale.id)])
        self.assertEqual(found.partner_id, self.firm)
        self.assertTrue(found.is_member)
        self.assertFalse(self.Visit._rebuild())

    def test_user_without_loyalty_rights_changes_the_company(self):
        theirs = self._enrol(self.firm)
        user = self._create_user("clerk", "base.group_partner_manager")
        self.customer.with_user(user).parent_id = self.firm
        self.assertEqual(theirs.points, 50)
        self.assertEqual(theirs.entry_ids.user_id, user)

    def test_other_changes_of_a_contact_touch_no_account(self):
        with self.assertQueryCount(0, flush=False):
            self.env["res.partner"].browse().write({"name": "x"})
        self.customer.write({"name": "Anew", "phone": "123"})
        self.assertEqual(self.member.partner_id, self.customer)


@tagged("post_install", "-at_install")
class TestPartnersGone(PartnerChangesCommon):
    """A customer is archived, deleted or made anonymous."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.customer.write({"email": "ada@example.com", "phone": "+32 470 12 34 56"})
        cls.member = cls._enrol(cls.customer)
        cls.manager = cls._create_user("manager", MANAGER)

    def _expire_soon(self):
        self.program.write({"expiry_rule": "age", "warning_days": 30})
        self._add(self.member, 50, expiry=self.today + timedelta(days=10))

    def test_archived_customer_keeps_account_and_points_and_is_not_warned(self):
        self._expire_soon()
        self.customer.active = False
        self._run_job("ir_cron_expire")
        self.assertEqual(self.member.points, 50)
        self.assertFalse(self.member.lot_ids.date_warned)
        self.assertIn(self.member, self.Member.search([("points", ">", 0)]))
        self.customer.active = True
        self._run_job("ir_cron_expire")
        self.assertEqual(self.member.lot_ids.date_warned, self.today)

    def test_customer_with_account_is_not_deleted_and_the_reason_is_given(self):
        clerk = self._create_user("clerk", "base.group_partner_manager")
        with self.assertRaisesRegex(UserError, "Archive the contact instead"):
            self.customer.with_user(clerk).unlink()
        self.member._leave()
        with self.assertRaisesRegex(UserError, "Archive the contact instead"):
            self.customer.unlink()

    def test_customer_without_account_is_deleted_as_ever(self):
        self.other.unlink()
        self.assertFalse(self.other.exists())
        self.member.unlink()
        self.customer.unlink()
        self.assertFalse(self.customer.exists())

    def _do_it_all(self):
        """Return an invoice of the customer, who is named wherever that is possible."""
        self._add(self.member, 500)
        _repair, invoice = self._visit(self.customer)
        invoice.ref = "Order of Ada Customer"
        self._pay(invoice)
        order = self._create_repair(self.customer, hours=2).sale_order_id
        self._redeem(order, 100)
        order.with_context(sale_show_partner_name=True).action_confirm()
        draft = self._invoice(self.customer, post=False, ref="Ada Customer")
        self._redeem(draft, 100)
        draft.with_context(input_full_display_name=True).action_post()
        self._credit(draft, 100)
        return invoice

    def _find_in_facts(self, *words):
        """Return what the stored texts of the add-on say of the customer."""
        found = set()
        for model in self.env.values():
            if model._original_module != "garage_loyalty" or not model._auto:
                continue
            if model._abstract or model._transient:
                continue
            for name, field in model._fields.items():
                if not field.store or field.type not in ("char", "text", "html"):
                    continue
                for word in words:
                    domain = [(name, "ilike", word)]
                    if (
                        model.sudo()
                        .with_context(active_test=False)
                        .search_count(domain)
                    ):
                        found.add((model._name, name))
        return found

    def test_facts_say_nothing_of_who_the_customer_is(self):
        self._do_it_all()
        self.assertEqual(self._find_in_facts("Ada", "ada@example.com", "470"), set())

    def test_anonymised_customer_keeps_the_totals(self):
        self._do_it_all()
        before = self.member.points, self.Entry._read_group([], [], ["points:sum"])
        self.customer.write({"name": "Anonymous", "email": False, "phone": False})
        self.assertEqual(
            (self.member.points, self.Entry._read_group([], [], ["points:sum"])), before
        )
        self.assertEqual(self.member.display_name, f"{self.member.number} · Anonymous")
        self.assertFalse(self.member.email)
        self.assertSound(self.member)

    def test_manager_removes_what_was_noted_of_a_former_member(self):
        self._do_it_all()
        points = self.member.points
        member = self.member.with_user(self.manager)
        member.write({"note": "Ada likes tea", "consent_marketing": True})
        member.message_post(body="Ada called")
        member.activity_schedule("mail.mail_activity_data_todo", summary="Call Ada")
        attachment = self.env["ir.attachment"].create(
            {"name": "Ada.pdf", "res_model": member._name, "res_id": member.id}
        )
        member._leave()
        member.action_anonymise()
        self.assertFalse(member.note)
        self.assertFalse(member.consent_marketing)
        self.assertFalse(member.activity_ids)
        self.assertFalse(attachment.exists())
        self.assertEqual(len(member.message_ids), 1)
        self.assertIn("Personal data was removed", member.message_ids.body)
        self.assertEqual(self.member.points, points)
        self.assertEqual(self._find_in_facts("Ada"), set())

    def test_member_is_not_anonymised(self):
        with self.assertRaisesRegex(UserError, "still a member"):
            self.member.with_user(self.manager).action_anonymise()

    def test_only_managers_anonymise(self):
        self.member._leave()
        for role in (USER, ACCOUNTANT):
            user = self._create_user(role, role)
            with self.subTest(role=role), self.assertRaises(AccessError):
                self.member.with_user(user).action_anonymise()
        elsewhere = self.setup_other_company()["company"]
        stranger = new_test_user(
            self.env, "stranger", groups=MANAGER, company_id=elsewhere.id
        )
        with self.assertRaises(AccessError):
            self.member.with_user(stranger).action_anonymise()


@tagged("post_install", "-at_install")
class TestDocumentsMoved(PartnerChangesCommon):
    """A document goes to another customer."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.member = cls._enrol(cls.customer)
        cls.theirs = cls._enrol(cls.other)
        cls.member._post_points("adjust", 500, "2024-01-01", reason="Start")

    def test_earned_points_go_to_the_other_customer(self):
        self.program.earn_trigger = "posted"
        invoice = self._invoice(self.customer)
        self.assertEqual(self._get_points(self.member, self.theirs), [1500, 0])
        invoice.button_draft()
        self.assertEqual(self._get_points(self.member, self.theirs), [500, 0])
        invoice.partner_id = self.other
        invoice.action_post()
        self.assertEqual(invoice.loyalty_member_id, self.theirs)
        self.assertEqual(self._get_points(self.member, self.theirs), [500, 1000])
        self.assertSynchronised(invoice)
        self.assertSound(self.member | self.theirs)

    def test_invoice_moved_to_a_customer_who_is_no_member_earns_nothing(self):
        self.program.earn_trigger = "posted"
        invoice = self._invoice(self.customer)
        invoice.button_draft()
        invoice.partner_id = self._create_customer("Nobody")
        invoice.action_post()
        self.assertEqual(self.member.points, 500)
        self.assertSynchronised(invoice)

    def test_planned_redemption_does_not_pay_for_another_customer(self):
        invoice = self._invoice(self.customer, post=False)
        redemption = self._redeem(invoice, 300)
        invoice.partner_id = self.other
        with (
            self.assertRaisesRegex(UserError, "for another customer now"),
            self.env.cr.savepoint(),
        ):
            invoice.action_post()
        self.assertEqual(redemption.state, "draft")
        invoice.invoice_line_ids.filtered("loyalty_redemption_id").unlink()
        invoice.action_post()
        self.assertEqual(redemption.state, "released")
        self.assertEqual(self.member.points, 500)

    def test_redemption_of_a_quotation_does_not_pay_for_another_customer(self):
        order = self._create_repair(self.customer, hours=2).sale_order_id
        self._redeem(order, 300)
        order.partner_id = self.other
        with (
            self.assertRaisesRegex(UserError, "for another customer now"),
            self.env.cr.savepoint(),
        ):
            order.action_confirm()
        order.partner_id = self.customer
        order.action_confirm()
        self.assertEqual(self.member.points, 200)

    def test_confirmed_redemption_does_not_pay_an_invoice_moved_to_another(self):
        order = self._create_repair(self.customer, hours=2).sale_order_id
        self._redeem(order, 300)
        invoice = self._bill(order, post=False)
        invoice.partner_id = self.other
        with (
            self.assertRaisesRegex(UserError, "for another customer now"),
            self.env.cr.savepoint(),
        ):
            invoice.action_post()
        self.assertEqual(self.member.points, 200)

    def test_quotation_billed_to_an_insurer_is_paid_with_the_customers_points(self):
        order = self._create_repair(self.customer, hours=2).sale_order_id
        order.partner_invoice_id = self._create_customer("Insurer", is_company=True)
        redemption = self._redeem(order, 300)
        invoice = self._bill(order)
        self.assertEqual(invoice.partner_id, order.partner_invoice_id)
        self.assertEqual(redemption.state, "done")
        self.assertEqual(self.member.points, 200)

    def test_member_who_left_meanwhile_does_not_pay(self):
        invoice = self._invoice(self.customer, post=False)
        self._redeem(invoice, 300)
        self.member._suspend()
        with (
            self.assertRaisesRegex(UserError, "not an active member any more"),
            self.env.cr.savepoint(),
        ):
            invoice.action_post()
        self.member._come_back()
        invoice.action_post()
        self.assertEqual(self.member.points, 200)
