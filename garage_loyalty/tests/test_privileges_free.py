from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, freeze_time, tagged

from .common import ACCOUNTANT, USER
from .test_privileges import COUNTER, PrivilegesCommon


@tagged("post_install", "-at_install")
@freeze_time("2024-06-03 10:00:00")
class TestFreeServices(PrivilegesCommon):
    """A service that is free of charge: on quotations, and for repair orders."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.privilege = cls._grant(name="Free diagnostics")

    def _plan(self, order, product=None):
        order.action_use_loyalty_privilege(self.privilege.id, product and product.id)
        return self._free(order)

    def _free(self, order):
        return order.order_line.filtered("loyalty_privilege_id")

    # -- offered and used ---------------------------------------------------------

    def test_line_on_the_quotation_is_offered_and_made_free(self):
        order = self._quote(self.check, self.labour)
        shown = self._shown(order, self.privilege)
        self.assertEqual((shown["action"], shown["badge"]), ("use", "2 of 2 left"))
        self.assertEqual([item["name"] for item in shown["choices"]], ["Diagnostics"])
        line = self._plan(order)
        self.assertEqual((line.product_id, line.discount), (self.check, 100))
        self.assertEqual(order.amount_untaxed, 100)
        self.assertUse(line.loyalty_use_ids, "planned", 80)
        shown = self._shown(order, self.privilege)
        self.assertEqual(
            (shown["action"], shown["badge"]), ("undo", "On this quotation")
        )

    def test_quotation_without_the_service_gets_it(self):
        washing = self._create_good("Wash", 30, type="service")
        self.privilege.product_ids |= washing
        order = self._quote(self.labour)
        shown = self._shown(order, self.privilege)
        self.assertEqual((shown["action"], len(shown["choices"])), ("add", 2))
        line = self._plan(order, washing)
        self.assertEqual((line.product_id, line.price_subtotal), (washing, 0))
        self.assertUse(line.loyalty_use_ids, "planned", 30)

    def test_product_that_the_privilege_does_not_have_is_refused(self):
        with self.assertRaisesRegex(UserError, "does not make this service free"):
            self._plan(self._quote(self.part), self.labour)

    def test_one_unit_of_several_is_free(self):
        order = self._quote(quantity=3)
        line = self._plan(order)
        self.assertEqual(line.product_uom_qty, 1)
        self.assertEqual((order.order_line - line).product_uom_qty, 2)
        self.assertEqual(order.amount_untaxed, 160)

    def test_most_that_it_is_worth_limits_the_discount(self):
        self.privilege.max_value = 20
        line = self._plan(self._quote())
        self.assertEqual((line.discount, line.price_subtotal), (25, 60))
        self.assertUse(line.loyalty_use_ids, "planned", 20)

    def test_taxes_included_are_no_part_of_the_value(self):
        self.tax.price_include_override = "tax_included"
        self.privilege.max_value = 40
        line = self._plan(self._quote())
        self.assertAlmostEqual(line.discount, 57.5)
        self.assertUse(line.loyalty_use_ids, "planned", 40)

    def test_foreign_currency_converts_the_most_and_the_value(self):
        self.privilege.max_value = 20
        currency = self.setup_other_currency("EUR", rates=[("2024-01-01", 2.0)])
        pricelist = self.env["product.pricelist"].create(
            {"name": "Euro", "currency_id": currency.id}
        )
        order = self.env["sale.order"].create(
            {
                "partner_id": self.customer.id,
                "pricelist_id": pricelist.id,
                "order_line": [Command.create({"product_id": self.check.id})],
            }
        )
        line = self._plan(order)
        self.assertEqual((line.price_unit, line.price_subtotal), (160, 120))
        self.assertUse(line.loyalty_use_ids, "planned", 20)

    def test_used_up_or_not_theirs_is_refused(self):
        self._use(self.privilege)
        self._use(self.privilege)
        order = self._quote()
        shown = self._shown(order, self.privilege)
        self.assertEqual((shown["tone"], shown.get("action")), ("danger", None))
        with self.assertRaisesRegex(UserError, "used up for this year"):
            self._plan(order)
        with self.assertRaisesRegex(UserError, "does not have this privilege"):
            self._plan(self._quote(partner=self.other))

    def test_once_on_a_quotation_and_only_on_drafts(self):
        order = self._quote()
        self._plan(order)
        with self.assertRaisesRegex(UserError, "on this quotation already"):
            self._plan(order)
        confirmed = self._quote()
        confirmed.action_confirm()
        self.assertFalse(self._shown(confirmed, self.privilege).get("action"))
        with self.assertRaisesRegex(UserError, "not a draft"):
            self._plan(confirmed)

    def test_planned_is_not_used_yet(self):
        self._plan(self._quote())
        self.assertEqual(self._shown(self.member, self.privilege)["left"], 2)

    # -- booked and given up ------------------------------------------------------

    def test_confirmed_books_cancelled_releases_and_draft_plans_again(self):
        order = self._quote()
        use = self._plan(order).loyalty_use_ids
        order.action_confirm()
        self.assertUse(use, "used", 80, number=1)
        self.assertEqual(self._shown(order, self.privilege)["badge"], "Used here")
        order._action_cancel()
        self.assertUse(use, "released")
        order.action_draft()
        self.assertUse(use, "planned", 80)
        order.action_confirm()
        self.assertUse(use, "used", 80, number=1)
        order._sync_loyalty_privileges()
        self.assertUse(use, "used", 80, number=1)

    def test_quota_used_elsewhere_meanwhile_is_refused_at_confirmation(self):
        self.privilege.quota = 1
        order = self._quote()
        self._plan(order)
        self._use(self.privilege)
        order.invalidate_recordset()
        self.assertRegex(order.loyalty_warning, "nothing is left of it this year")
        with self.assertRaisesRegex(UserError, "nothing is left"):
            order.action_confirm()

    def test_customer_who_lost_it_meanwhile_is_refused_at_confirmation(self):
        for change in (
            lambda order: order.write({"partner_id": self.other.id}),
            lambda order: self.member._suspend(),
            lambda order: self.privilege.action_archive(),
        ):
            order = self._quote()
            self._plan(order)
            with self.env.cr.savepoint() as savepoint:
                change(order)
                order.invalidate_recordset()
                self.assertRegex(order.loyalty_warning, "does not have .* any more")
                with self.assertRaisesRegex(UserError, "does not have"):
                    order.action_confirm()
                savepoint.rollback()
            self.env.invalidate_all()

    def test_line_deleted_releases(self):
        order = self._quote(self.labour)
        line = self._plan(order)
        use = line.loyalty_use_ids
        line.unlink()
        self.assertUse(use, "released")
        self.assertEqual(use.source_name, order.name)
        self.assertEqual(self._shown(order, self.privilege)["action"], "add")

    def test_quotation_deleted_releases(self):
        order = self._quote()
        name = order.name
        use = self._plan(order).loyalty_use_ids
        order.unlink()
        self.assertUse(use, "released")
        self.assertEqual(use.source_name, name)

    def test_undo_charges_the_line_again(self):
        order = self._quote()
        line = self._plan(order)
        use = line.loyalty_use_ids
        order.action_undo_loyalty_privilege(self.privilege.id)
        self.assertEqual((line.discount, order.amount_untaxed), (0, 80))
        self.assertUse(use, "released")
        self._plan(order)
        order.action_confirm()
        self.assertUse(line.loyalty_use_ids, "used", 80, number=1)

    def test_undo_removes_what_was_added(self):
        order = self._quote(self.labour)
        self._plan(order)
        order.action_undo_loyalty_privilege(self.privilege.id)
        self.assertEqual(order.order_line.product_id, self.labour)

    def test_undo_of_a_confirmed_quotation_is_refused(self):
        order = self._use(self.privilege)
        with self.assertRaisesRegex(UserError, "not a draft"):
            order.action_undo_loyalty_privilege(self.privilege.id)

    def test_quantity_set_to_nothing_on_a_confirmed_order_releases(self):
        order = self._use(self.privilege)
        line = self._free(order)
        line.product_uom_qty = 0
        self.assertUse(line.loyalty_use_ids, "released")
        line.product_uom_qty = 1
        self.assertUse(line.loyalty_use_ids, "used", 80, number=1)

    def test_service_that_starts_a_repair_is_cancelled_with_it(self):
        self.check.product_tmpl_id.service_tracking = "repair"
        order = self._use(self.privilege)
        line = self._free(order)
        order.repair_order_ids.action_repair_cancel()
        self.assertUse(line.loyalty_use_ids, "released")

    # -- what nobody changes ------------------------------------------------------

    def test_free_line_is_not_changed_by_hand(self):
        line = self._plan(self._quote())
        for vals in (
            {"discount": 0},
            {"price_unit": 200},
            {"product_uom_qty": 5},
            {"product_id": self.labour.id},
        ):
            with (
                self.subTest(vals=vals),
                self.assertRaisesRegex(UserError, "free of charge by a privilege"),
                self.env.cr.savepoint(),
            ):
                line.write(vals)
        line.write({"name": "Diagnostics, on us", "discount": 100})

    def test_form_of_the_quotation_is_saved_with_a_free_line(self):
        order = self._quote(self.check, self.labour)
        self._plan(order)
        with Form(order) as form, form.order_line.edit(1) as line:
            line.product_uom_qty = 3
        self.assertEqual(order.amount_untaxed, 300)

    def test_prices_updated_and_discounts_computed_leave_it_free(self):
        order = self._quote(self.check, self.labour)
        line = self._plan(order)
        order.action_update_prices()
        self.assertEqual(line.discount, 100)
        order.order_line._compute_discount()
        self.assertEqual(order.order_line.mapped("discount"), [100, 0])

    def test_discount_of_the_pricelist_comes_back_when_it_is_undone(self):
        self.env.user.group_ids += self.env.ref("sale.group_discount_per_so_line")
        self.env.user.group_ids += self.env.ref("product.group_product_pricelist")
        pricelist = self.env["product.pricelist"].create(
            {
                "name": "Ten percent",
                "item_ids": [
                    Command.create(
                        {
                            "compute_price": "percentage",
                            "percent_price": 10,
                            "applied_on": "3_global",
                        }
                    )
                ],
            }
        )
        order = self._quote()
        order.pricelist_id = pricelist
        order.action_update_prices()
        before = order.amount_untaxed
        self._plan(order)
        self.assertEqual(order.amount_untaxed, 0)
        order.action_undo_loyalty_privilege(self.privilege.id)
        self.assertEqual(order.amount_untaxed, before)

    def test_copy_of_the_quotation_is_charged(self):
        order = self._quote(self.check, self.labour)
        self._plan(order)
        copied = order.copy()
        self.assertFalse(self._free(copied))
        self.assertEqual(copied.amount_untaxed, 180)
        self.assertFalse(copied.order_line.loyalty_use_ids)

    def test_invoice_has_the_free_line_and_earns_for_the_rest(self):
        order = self._quote(self.check, self.labour)
        self._plan(order)
        invoice = self._bill(order)
        self.assertEqual(invoice.amount_untaxed, 100)
        self.assertEqual(sorted(invoice.invoice_line_ids.mapped("discount")), [0, 100])
        self.assertEqual(invoice.loyalty_points_due, 150)

    def test_points_pay_beside_a_free_service(self):
        self._spend_without_limits()
        self.member._post_points("adjust", 1000, "2024-01-01", reason="Start")
        order = self._quote(self.check, self.labour)
        self._plan(order)
        self._redeem(order, 500)
        self.assertFalse(order.loyalty_warning)
        order.action_confirm()
        self.assertAlmostEqual(order.amount_total, 65)

    # -- who ----------------------------------------------------------------------

    def test_advisor_uses_it_and_others_do_not(self):
        advisor = self._create_user("advisor", USER, *COUNTER)
        seller = self._create_user("seller", "sales_team.group_sale_salesman_all_leads")
        order = self._quote()
        with self.assertRaises(AccessError):
            order.with_user(seller).action_use_loyalty_privilege(self.privilege.id)
        order.with_user(advisor).action_use_loyalty_privilege(self.privilege.id)
        use = self._free(order).loyalty_use_ids
        self.assertEqual(use.user_id, advisor)
        with self.assertRaises(AccessError):
            order.with_user(seller).action_undo_loyalty_privilege(self.privilege.id)
        stranger = self._create_user("stranger", USER)
        with self.assertRaises(AccessError):
            order.with_user(stranger).action_undo_loyalty_privilege(self.privilege.id)

    def test_accountant_sees_it_without_a_button(self):
        auditor = self._create_user(
            "auditor", ACCOUNTANT, "sales_team.group_sale_salesman_all_leads"
        )
        shown = self._shown(self._quote().with_user(auditor), self.privilege)
        self.assertEqual((shown["badge"], shown["action"]), ("2 of 2 left", False))

    def test_people_without_loyalty_group_finish_what_was_planned(self):
        seller = self._create_user("seller", "sales_team.group_sale_salesman_all_leads")
        order = self._quote(self.check, self.labour)
        use = self._plan(order).loyalty_use_ids
        theirs = order.with_user(seller)
        self.assertFalse(theirs.loyalty_warning)
        with Form(theirs) as form, form.order_line.edit(1) as line:
            line.product_uom_qty = 2
        theirs.copy()
        theirs.action_confirm()
        self.assertUse(use, "used", 80, number=1)
        theirs._action_cancel()
        theirs.action_draft()
        self._free(theirs).unlink()
        self.assertUse(use, "released")

    # -- repair orders ------------------------------------------------------------

    def test_repair_order_uses_it_on_its_quotation(self):
        repair = self._create_repair(self.customer)
        shown = self._shown(repair, self.privilege)
        self.assertEqual((shown["action"], shown["badge"]), ("add", "2 of 2 left"))
        repair.action_use_loyalty_privilege(self.privilege.id)
        order = repair.sale_order_id
        self.assertEqual(self._free(order).product_id, self.check)
        self.assertEqual(self._shown(repair, self.privilege)["action"], "undo")
        repair.action_undo_loyalty_privilege(self.privilege.id)
        self.assertFalse(self._free(order))

    def test_repair_order_without_quotation_gets_one(self):
        advisor = self._create_user("advisor", USER, *COUNTER)
        customer = self.customer.with_user(advisor)
        repair = customer.env["repair.order"].create({"partner_id": customer.id})
        repair.action_use_loyalty_privilege(self.privilege.id)
        self.assertEqual(self._free(repair.sale_order_id).discount, 100)
        with self.assertRaisesRegex(UserError, "on this quotation already"):
            repair.action_use_loyalty_privilege(self.privilege.id)

    def test_repair_order_of_others_shows_nothing(self):
        repair = self._create_repair(self.other)
        self.assertFalse(repair.loyalty_privileges)
        with self.assertRaisesRegex(UserError, "does not have"):
            repair.action_use_loyalty_privilege(self.privilege.id)

    def test_branch_uses_the_privileges_of_a_shared_programme(self):
        branch = self.env["res.company"].create(
            {"name": "Branch", "parent_id": self.company.id}
        )
        self.env.user.company_ids += branch
        advisor = self._create_user("advisor", USER, *COUNTER)
        advisor.write(
            {"company_ids": [Command.set(branch.ids)], "company_id": branch.id}
        )
        order = self.env["sale.order"].with_user(advisor)
        order = order.create({"partner_id": self.customer.id})
        self.assertFalse(order.loyalty_privileges)
        self.program.share_branches = True
        order.action_use_loyalty_privilege(self.privilege.id)
        order.action_confirm()
        use = self._free(order).sudo().loyalty_use_ids
        self.assertUse(use, "used", 80, number=1)
        self.assertEqual(use.company_id, self.company)
        self.assertEqual(use.with_user(advisor).source_name, order.name)

    def test_documents_without_privileges_confirm_at_no_cost(self):
        order = self._quote(partner=self.other)
        order.order_line.mapped("loyalty_privilege_id")
        with self.assertQueryCount(0):
            order._sync_loyalty_privileges()
