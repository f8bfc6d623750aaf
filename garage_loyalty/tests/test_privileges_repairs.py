from odoo import Command, fields
from odoo.tests import Form, HttpCase, freeze_time, tagged

from .common import USER
from .test_privileges import COUNTER, PrivilegesCommon

WORKSHOP = ("stock.group_stock_user",)


@tagged("post_install", "-at_install")
@freeze_time("2024-06-03 10:00:00")
class TestPriority(PrivilegesCommon):
    """Repairs of members with the privilege go first."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.privilege = cls._grant("priority", tiers=cls.gold)
        cls.Repair = cls.env["repair.order"]

    def _open(self, partner=None, **vals):
        return self.Repair.create({"partner_id": (partner or self.customer).id, **vals})

    def _get_uses(self, repair):
        return repair.loyalty_use_ids.sorted("id")

    def assertFirst(self, repair, *states):
        """Check the stamp, the star and the log of a repair order."""
        is_first = states[-1:] == ("used",)
        self.assertEqual(repair.loyalty_priority, is_first)
        self.assertEqual(repair.priority, "1" if is_first else "0")
        self.assertEqual(tuple(self._get_uses(repair).mapped("state")), states)

    def test_repair_of_a_member_goes_first_and_is_logged(self):
        repair = self._open()
        self.assertFirst(repair, "used")
        self.assertEqual(repair.loyalty_priority_label, "Priority")
        use = self._get_uses(repair)
        self.assertEqual((use.kind, use.value, use.number), ("priority", 0, 0))
        self.assertEqual((use.source_name, use.tier_id), (repair.name, self.gold))
        self.assertFirst(self._open(self.other))

    def test_list_is_sorted_by_it(self):
        first, second = self._open(), self._open(self.other)
        found = self.Repair.search([("id", "in", (first | second).ids)])
        self.assertEqual(found.ids, [first.id, second.id])

    def test_repair_that_a_quotation_starts_goes_first(self):
        self.check.product_tmpl_id.service_tracking = "repair"
        seller = self._create_user("seller", "sales_team.group_sale_salesman_all_leads")
        order = self._quote().with_user(seller)
        order.action_confirm()
        self.assertFirst(order.sudo().repair_order_ids, "used")

    def test_customer_changed_changes_it(self):
        repair = self._open(self.other)
        repair.partner_id = self.customer
        self.assertFirst(repair, "used")
        repair.partner_id = self.other
        self.assertFirst(repair, "released")

    def test_star_taken_off_by_hand_stays_off(self):
        repair = self._open()
        repair.priority = "0"
        repair.action_validate()
        repair.action_repair_start()
        self.assertEqual((repair.priority, repair.loyalty_priority), ("0", True))

    def test_cancelled_repair_gives_it_up_and_draft_takes_it_again(self):
        repair = self._open()
        repair.action_repair_cancel()
        self.assertFirst(repair, "released")
        repair.action_repair_cancel_draft()
        self.assertFirst(repair, "released", "used")

    def test_deleted_repair_gives_it_up(self):
        repair = self._open()
        name, use = repair.name, self._get_uses(repair)
        repair.unlink()
        self.assertUse(use, "released")
        self.assertEqual(use.source_name, name)

    def test_done_repair_keeps_what_it_was(self):
        repair = self._create_repair(self.customer)
        self._finish(repair)
        self.member._suspend()
        self.assertTrue(repair.loyalty_priority)
        self.assertEqual(self._get_uses(repair).mapped("state"), ["used"])
        # It does not stay above what is still to do.
        self.assertEqual(repair.priority, "0")
        self.assertFalse(repair.loyalty_priority_label)

    def test_membership_and_tier_change_open_repairs(self):
        repair, theirs = self._open(), self._open(self.other)
        self.member._set_tier(self.silver)
        self.assertFirst(repair, "released")
        self.member._set_tier(self.gold)
        self.assertFirst(repair, "released", "used")
        self.member._suspend()
        self.assertFirst(repair, "released", "released")
        self._enrol(self.other, tier=self.gold)
        self.assertFirst(theirs, "used")

    def test_nightly_review_of_tiers_changes_open_repairs(self):
        self.privilege.tier_ids = self.silver
        self.silver.required_visits = 1
        other = self._enrol(self.other)
        repair = self._open(self.other)
        self._visit(self.other, "2024-06-01")
        self._run_job("ir_cron_review_tiers", "2024-06-03 23:00:00")
        self.assertEqual(other.tier_id, self.silver)
        self.assertFirst(repair, "used")

    def test_quota_counts_repairs(self):
        self.privilege.quota = 1
        first, second = self._open(), self._open()
        self.assertFirst(first, "used")
        self.assertFirst(second)
        self.assertEqual(self._shown(second, self.privilege)["badge"], "Used up")
        self.assertEqual(
            self._shown(first, self.privilege)["badge"], "This repair goes first"
        )
        first.action_repair_cancel()
        second.action_validate()
        self.assertFirst(second, "used")

    def test_synchronised_again_changes_nothing(self):
        repair = self._open()
        repair._sync_loyalty_priority()
        self.assertFirst(repair, "used")

    def test_copy_has_priority_of_its_own_or_none(self):
        repair = self._open()
        self.assertFirst(repair.copy(), "used")
        self.member._suspend()
        self.assertFirst(self._create_repair(self.customer).copy())

    def test_mechanic_without_loyalty_group_opens_and_ends_it(self):
        mechanic = self._create_user("mechanic", *WORKSHOP)
        customer = self.customer.with_user(mechanic)
        with Form(customer.env["repair.order"]) as form:
            form.partner_id = customer
        repair = form.record
        self.assertEqual(repair.loyalty_priority_label, "Priority")
        repair.action_validate()
        repair.action_repair_start()
        repair.action_repair_end()
        self.assertEqual(self._get_uses(repair.sudo()).mapped("state"), ["used"])


@tagged("post_install", "-at_install")
@freeze_time("2026-05-20 10:00:00")
class TestWarranty(PrivilegesCommon):
    """A longer warranty on what members have had repaired."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.privilege = cls._grant("warranty", tiers=cls.gold, warranty_months=12)

    @classmethod
    def _repair(cls, partner=None, date="2026-03-04", **vals):
        """Return a repair order that is done."""
        repair = cls._create_repair(partner or cls.customer, **vals)
        cls._finish(repair, date)
        return repair

    def _come_again(self, partner=None, **vals):
        return self._create_repair(partner or self.customer, **vals)

    def _get_use(self, repair):
        return repair.loyalty_use_ids.filtered(lambda use: use.kind == "warranty")

    def assertWarranty(self, repair, until):
        self.assertEqual(
            repair.loyalty_warranty_until, until and fields.Date.to_date(until)
        )

    # -- given --------------------------------------------------------------------

    def test_done_repair_of_a_member_is_stamped(self):
        self.assertWarranty(self._repair(), "2027-03-04")
        self.assertWarranty(self._repair(self.other), False)
        self.assertWarranty(self._come_again(), False)

    def test_longest_of_several_counts(self):
        self._grant("warranty", warranty_months=6)
        self._grant("warranty", warranty_months=24)
        self.assertWarranty(self._repair(), "2028-03-04")

    def test_membership_of_the_day_counts(self):
        self.member._set_tier(self.silver, "2026-04-01")
        self.assertWarranty(self._repair(), "2027-03-04")
        self.assertWarranty(self._repair(date="2026-04-01"), False)

    def test_suspended_member_has_none(self):
        self.member._suspend("2026-01-01")
        self.assertWarranty(self._repair(), False)

    def test_day_is_that_of_the_workshop(self):
        self.company.partner_id.tz = "Asia/Jakarta"
        repair = self._create_repair(self.customer)
        with freeze_time("2026-03-04 20:00:00"):
            self._finish(repair)
        self.assertWarranty(repair, "2027-03-05")

    def test_imported_repair_is_stamped(self):
        repair = self.env["repair.order"].create(
            {
                "partner_id": self.customer.id,
                "state": "done",
                "date_done": "2026-02-01 12:00:00",
            }
        )
        self.assertWarranty(repair, "2027-02-01")

    def test_copy_has_neither_stamp(self):
        repair = self._repair()
        again = self._come_again()
        again.action_use_loyalty_warranty()
        for copied in (repair.copy(), again.copy()):
            self.assertWarranty(copied, False)
            self.assertFalse(copied.loyalty_warranty_repair_id)
            self.assertFalse(self._get_use(copied))

    # -- the customer comes back --------------------------------------------------

    def test_customer_who_comes_back_is_noticed(self):
        repair = self._repair()
        again = self._come_again()
        self.assertEqual(again.loyalty_earlier_ids, repair)
        self.assertEqual(
            again.loyalty_warranty_warning,
            f"Repaired on 03/04/2026 ({repair.name}), under extended warranty until "
            "03/04/2027.",
        )
        self.assertFalse(self._come_again(self.other).loyalty_warranty_warning)

    def test_last_day_counts_and_the_next_does_not(self):
        self._repair()
        for day, is_covered in (("2027-03-04", True), ("2027-03-05", False)):
            with freeze_time(f"{day} 10:00:00"):
                repair = self._come_again()
                self.env.cr.execute(
                    "UPDATE repair_order SET create_date = %s WHERE id = %s",
                    [f"{day} 10:00:00", repair.id],
                )
                repair.invalidate_recordset()
                with self.subTest(day=day):
                    self.assertEqual(bool(repair.loyalty_warranty_warning), is_covered)

    def test_contact_of_the_same_customer_is_noticed(self):
        self._repair()
        contact = self._create_customer("Ada's son", parent_id=self.customer.id)
        self.assertTrue(self._come_again(contact).loyalty_warranty_warning)

    def test_vehicles_that_are_known_are_told_apart(self):
        red, blue = (
            self._create_good(name, 0, type="consu") for name in ("Red", "Blue")
        )
        repair = self._repair(product_id=red.id)
        same = self._come_again(product_id=red.id)
        self.assertRegex(same.loyalty_warranty_warning, "The same Red was repaired on")
        self.assertFalse(self._come_again(product_id=blue.id).loyalty_earlier_ids)
        self.assertEqual(self._come_again().loyalty_earlier_ids, repair)

    def test_form_warns_as_soon_as_the_customer_is_chosen(self):
        self._repair()
        with Form(self.env["repair.order"]) as form:
            form.partner_id = self.other
            self.assertFalse(form.loyalty_warranty_warning)
            form.partner_id = self.customer
            self.assertIn("under extended warranty", form.loyalty_warranty_warning)

    def test_warnings_of_many_repairs_are_found_at_once(self):
        self._repair()
        repairs = self._come_again() | self._come_again() | self._come_again(self.other)
        repairs.mapped("loyalty_warranty_warning")
        self.env.invalidate_all()
        next(iter(repairs)).mapped("loyalty_warranty_warning")
        with self.assertQueryCount(0):
            repairs.mapped("loyalty_warranty_warning")

    def test_other_company_is_not_told(self):
        self._repair()
        elsewhere = self.setup_other_company()["company"]
        repair = self.env["repair.order"].with_company(elsewhere)
        repair = repair.create(
            {"partner_id": self.customer.id, "company_id": elsewhere.id}
        )
        self.assertFalse(repair.loyalty_warranty_warning)

    # -- repaired under it --------------------------------------------------------

    def test_repaired_under_the_latest_warranty_is_logged_with_its_value(self):
        self._repair(date="2026-02-01")
        latest = self._repair()
        again = self._come_again(parts=2, hours=1)
        labour = again.sale_order_id.order_line.filtered(
            lambda line: line.product_id == self.labour
        )
        labour.discount = 100
        again.action_use_loyalty_warranty()
        self.assertTrue(again.under_warranty)
        self.assertEqual(again.loyalty_warranty_repair_id, latest)
        self.assertUse(self._get_use(again), "planned")
        self.assertEqual(again.sale_order_id.amount_untaxed, 0)
        self._finish(again)
        # 2 parts at 50, 1 hour at 100
        self.assertUse(self._get_use(again), "used", 200)
        self.assertEqual(self._get_use(again).privilege_id, self.privilege)

    def test_what_is_charged_is_no_part_of_the_value(self):
        self._repair()
        again = self._come_again(parts=1, hours=1)
        again.action_use_loyalty_warranty()
        self._finish(again)
        self.assertUse(self._get_use(again), "used", 50)

    def test_repair_without_quotation_is_worth_its_parts(self):
        self._repair()
        again = self.env["repair.order"].create(
            {
                "partner_id": self.customer.id,
                "move_ids": [
                    Command.create(
                        {
                            "product_id": self.part.id,
                            "product_uom_qty": 3,
                            "repair_line_type": "add",
                        }
                    )
                ],
            }
        )
        again.action_use_loyalty_warranty()
        again.action_validate()
        self._finish(again)
        self.assertUse(self._get_use(again), "used", 150)

    def test_warranty_unticked_gives_it_up(self):
        self._repair()
        again = self._come_again()
        again.action_use_loyalty_warranty()
        use = self._get_use(again)
        again.under_warranty = False
        self.assertUse(use, "released")
        self.assertFalse(again.loyalty_warranty_repair_id)
        self.assertTrue(again.loyalty_warranty_warning)

    def test_cancelled_repair_gives_it_up(self):
        self._repair()
        again = self._come_again()
        again.action_use_loyalty_warranty()
        again.action_repair_cancel()
        self.assertUse(self._get_use(again), "released")

    def test_promise_outlives_the_membership(self):
        repair = self._repair()
        self.member._leave()
        again = self._come_again()
        self.assertEqual(again.loyalty_earlier_ids, repair)
        again.action_use_loyalty_warranty()
        self._finish(again)
        self.assertUse(self._get_use(again), "used", 100)

    def test_parts_of_several_repairs_on_one_quotation_are_told_apart(self):
        self._repair()
        again = self._come_again(parts=2)
        order = again.sale_order_id
        other = self._come_again(parts=4, order=order)
        again.action_use_loyalty_warranty()
        other.under_warranty = True
        self._finish(again)
        self.assertUse(self._get_use(again), "used", 100)

    def test_advisor_repairs_under_warranty_and_mechanic_ends_it(self):
        self._repair()
        advisor = self._create_user("advisor", USER, *COUNTER)
        mechanic = self._create_user("mechanic", *WORKSHOP)
        again = self._come_again()
        again.with_user(advisor).action_use_loyalty_warranty()
        theirs = again.with_user(mechanic)
        self.assertTrue(theirs.loyalty_warranty_warning)
        self._finish(theirs)
        self.assertUse(self._get_use(again), "used", 100)
        self.assertEqual(self._get_use(again).user_id, advisor)


@tagged("post_install", "-at_install")
class TestPrivilegeTours(PrivilegesCommon, HttpCase):
    def test_tour_uses_privileges_on_a_repair_order(self):
        self._create_user("counter_advisor", USER, *COUNTER)
        self._grant("priority")
        self._grant("warranty")
        self._use(self._grant(name="Once a year", quota=1))
        services = self.check | self._create_good("Wash", 30, type="service")
        self._grant(product_ids=[Command.set(services.ids)], sequence=99)
        self._visit(self.customer, fields.Date.today())
        repair = self._create_repair(self.customer)
        self.start_tour(
            f"/odoo/repairs/{repair.id}",
            "garage_loyalty_privilege",
            login="counter_advisor",
        )
        self.assertTrue(repair.under_warranty)
        self.assertFalse(repair.sale_order_id.order_line.loyalty_privilege_id)
