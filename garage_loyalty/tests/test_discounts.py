from psycopg2 import IntegrityError

from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import Form, new_test_user, tagged
from odoo.tools import mute_logger

from .common import MANAGER, USER, GarageLoyaltyCommon

SALES = "sales_team.group_sale_salesman_all_leads"


class GarageLoyaltyDiscountsCommon(GarageLoyaltyCommon):
    """Silver has 10% off labour and 5% off parts; the customer is Silver."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Discount = cls.env["garage.loyalty.tier.discount"]
        cls.ten = cls._add_discount(10, scope="labour")
        cls.five = cls._add_discount(5, scope="parts")
        cls.member = cls._enrol(cls.customer, tier=cls.silver)

    @classmethod
    def _add_discount(cls, percent, tier=None, **vals):
        vals = {"tier_id": (tier or cls.silver).id, "percent": percent, **vals}
        return cls.Discount.create(vals)

    @classmethod
    def _quote(cls, partner, *products, **vals):
        """Return a quotation with one of each product: labour and a part."""
        return cls.env["sale.order"].create(
            {
                "partner_id": partner.id,
                "order_line": [
                    Command.create({"product_id": product.id})
                    for product in products or (cls.labour, cls.part)
                ],
                **vals,
            }
        )

    def assertDiscounts(self, order, *expected):
        """Check the discounts of the lines, and from where they come: pairs."""
        found = [
            (line.discount, line.loyalty_discount_origin or "")
            for line in order.order_line
        ]
        self.assertEqual(found, list(expected))
        for line in order.order_line:
            self.assertEqual(
                bool(line.loyalty_discount_tier_id), bool(line.loyalty_discount_origin)
            )


@tagged("post_install", "-at_install")
class TestTierDiscounts(GarageLoyaltyDiscountsCommon):
    """Percentages of a tier on quotation lines."""

    SILVER = (10, "Silver: 10% off labour"), (5, "Silver: 5% off parts")
    NONE = (0, ""), (0, "")

    # -- who gets them ----------------------------------------------------------

    def test_quotation_of_an_active_member_has_them_with_their_origin(self):
        order = self._quote(self.customer)
        self.assertDiscounts(order, *self.SILVER)
        self.assertEqual(order.order_line.loyalty_discount_tier_id, self.silver)
        self.assertEqual(order.amount_untaxed, 90 + 47.5)

    def test_quotation_of_another_customer_has_none(self):
        self.assertDiscounts(self._quote(self.other), *self.NONE)

    def test_another_tier_has_its_own(self):
        self._enrol(self.other)
        self.assertDiscounts(self._quote(self.other), *self.NONE)

    def test_suspended_and_former_members_have_none(self):
        self.member._suspend()
        self.assertDiscounts(self._quote(self.customer), *self.NONE)
        self.member._leave()
        self.assertDiscounts(self._quote(self.customer), *self.NONE)
        self.member._come_back()
        self.assertDiscounts(self._quote(self.customer), *self.SILVER)

    def test_gone_with_the_tier(self):
        self.member._set_tier(self.bronze)
        self.assertDiscounts(self._quote(self.customer), *self.NONE)

    def test_archived_tier_and_programme_give_nothing(self):
        self.silver.active = False
        self.assertDiscounts(self._quote(self.customer), *self.NONE)
        self.silver.active = True
        self.program.active = False
        self.assertDiscounts(self._quote(self.customer), *self.NONE)

    def test_contacts_of_a_company_have_those_of_the_company(self):
        company = self._create_customer("Fleet Ltd", is_company=True)
        driver = self._create_customer("Driver", parent_id=company.id)
        self._enrol(company, tier=self.silver)
        self.assertDiscounts(self._quote(driver), *self.SILVER)

    def test_second_company_has_its_own_terms(self):
        other = self.setup_other_company()["company"]
        self.env.user.company_ids += other
        order = self._quote(self.customer, self.labour, company_id=other.id)
        self.assertDiscounts(order, (0, ""))
        program = self.env["garage.loyalty.program"]._get_default(other)
        tier = program.tier_ids[0]
        self._add_discount(3, tier=tier)
        self._enrol(self.customer, program=program)
        order = self._quote(self.customer, self.labour, company_id=other.id)
        self.assertDiscounts(order, (3, "Bronze: 3% off everything"))
        self.assertDiscounts(self._quote(self.customer), *self.SILVER)

    def test_branch_that_shares_the_programme_gives_them_too(self):
        self.program.share_branches = True
        branch = self.env["res.company"].create(
            {"name": "Branch", "parent_id": self.company.id}
        )
        self.env.user.company_ids += branch
        order = self._quote(self.customer, company_id=branch.id)
        self.assertDiscounts(order, *self.SILVER)

    # -- which one --------------------------------------------------------------

    def test_nearest_category_applies(self):
        Category = self.env["product.category"]
        parts = Category.create({"name": "Spare parts"})
        tyres = Category.create({"name": "Tyres", "parent_id": parts.id})
        winter = Category.create({"name": "Winter", "parent_id": tyres.id})
        self._add_discount(20, categ_id=parts.id)
        self._add_discount(3, categ_id=tyres.id)
        self._add_discount(2, categ_id=tyres.id, scope="parts")
        for category, percent, origin in (
            (self.part.categ_id, 5, "Silver: 5% off parts"),
            (parts, 20, "Silver: 20% off Spare parts"),
            (tyres, 3, "Silver: 3% off Tyres"),
            (winter, 3, "Silver: 3% off Tyres"),
        ):
            with self.subTest(category=category.name):
                self.part.categ_id = category
                order = self._quote(self.customer, self.part)
                self.assertDiscounts(order, (percent, origin))

    def test_fractions_are_written_as_people_do(self):
        self.ten.percent = 7.5
        order = self._quote(self.customer, self.labour)
        self.assertDiscounts(order, (7.5, "Silver: 7.5% off labour"))

    def test_terms_in_words(self):
        tyres = self.env["product.category"].create({"name": "Tyres"})
        self._add_discount(3, categ_id=tyres.id, scope="parts")
        text = "10% off labour, 5% off parts, 3% off parts in Tyres"
        self.assertEqual(self.silver.discount_text, text)
        self.assertEqual(self.member.loyalty_discount_text, text)
        order, repair = self._quote(self.customer), self._create_repair(self.customer)
        self.assertEqual(order.loyalty_discount_text, text)
        self.assertEqual(repair.loyalty_discount_text, text)
        self.member._suspend()
        (order | repair.sale_order_id).invalidate_recordset()
        self.assertFalse(order.loyalty_discount_text)
        self.assertFalse(self._quote(self.other).loyalty_discount_text)

    def test_currency_of_the_quotation_does_not_matter(self):
        self.env["garage.loyalty.tier"]._show_pricelists()
        abroad = self.env["product.pricelist"].create(
            {"name": "Abroad", "currency_id": self.env.ref("base.CHF").id}
        )
        order = self._quote(self.customer, pricelist_id=abroad.id)
        self.assertEqual(order.currency_id, self.env.ref("base.CHF"))
        self.assertDiscounts(order, *self.SILVER)

    # -- what has none ----------------------------------------------------------

    def test_lines_that_are_no_goods_have_none(self):
        order = self._quote(self.customer)
        order.order_line = [
            Command.create({"display_type": "line_section", "name": "Work"}),
            Command.create({"product_id": self.labour.id, "is_downpayment": True}),
        ]
        self.assertDiscounts(order, *self.SILVER, *self.NONE)

    def test_discount_of_the_order_has_none_itself(self):
        order = self._quote(self.customer, self.labour)
        wizard = self.env["sale.order.discount"].create(
            {"sale_order_id": order.id, "discount_type": "amount"}
        )
        wizard.discount_amount = 20
        wizard.action_apply_discount()
        self.assertDiscounts(order, self.SILVER[0], (0, ""))

    def test_what_points_pay_has_none(self):
        self._spend_without_limits()
        self._adjust(self.member, 1000)
        order = self._quote(self.customer)
        self._redeem(order, 100)
        self.assertDiscounts(order, *self.SILVER, *self.NONE)
        self.assertFalse(order.loyalty_discount_missing)
        order.action_update_prices()
        self.assertDiscounts(order, *self.SILVER, *self.NONE)

    def test_parts_of_a_combo_have_none(self):
        combo = self.env["product.combo"].create(
            {
                "name": "Oil or filter",
                "combo_item_ids": [Command.create({"product_id": self.part.id})],
            }
        )
        product = self._create_good(
            "Service pack", 80, type="combo", combo_ids=[Command.set(combo.ids)]
        )
        order = self._quote(self.customer, product)
        order.order_line = [
            Command.create(
                {
                    "product_id": self.part.id,
                    "combo_item_id": combo.combo_item_ids.id,
                    "linked_line_id": order.order_line.id,
                }
            )
        ]
        self.assertDiscounts(order, *self.NONE)

    # -- what was typed ---------------------------------------------------------

    def test_typed_discount_stays_and_has_no_origin(self):
        order = self._quote(self.customer)
        line = order.order_line[0]
        line.discount = 25
        self.assertFalse(line.loyalty_discount_tier_id)
        self.assertFalse(line.loyalty_discount_origin)
        line.product_uom_qty = 3
        self.assertEqual(line.discount, 25)
        line.discount = 0
        line.product_uom_qty = 4
        self.assertDiscounts(order, (0, ""), self.SILVER[1])
        self.assertFalse(order.loyalty_discount_missing)

    def test_typed_discount_stays_in_the_form_before_it_is_saved(self):
        order = self._quote(self.customer, self.part)
        with Form(order) as form:
            with form.order_line.new() as line:
                line.product_id = self.labour
                self.assertEqual(line.discount, 10)
                self.assertEqual(line.loyalty_discount_origin, "Silver: 10% off labour")
                line.discount = 15
                line.product_uom_qty = 2
                self.assertEqual(line.discount, 15)
            with form.order_line.edit(0) as line:
                line.product_uom_qty = 2
        self.assertDiscounts(order, self.SILVER[1], (15, ""))

    def test_discount_given_on_creation_stays(self):
        line = {"product_id": self.labour.id, "discount": 12}
        order = self._quote(self.customer, order_line=[Command.create(line)])
        self.assertDiscounts(order, (12, ""))
        order.order_line.product_uom_qty = 2
        self.assertDiscounts(order, (12, ""))

    def test_another_product_has_its_own_discount(self):
        order = self._quote(self.customer, self.labour)
        order.order_line.product_id = self.part
        self.assertDiscounts(order, self.SILVER[1])

    # -- later ------------------------------------------------------------------

    def test_quotation_says_what_a_new_tier_lacks_and_updates_on_demand(self):
        self._add_discount(20, tier=self.gold, scope="labour")
        order = self._quote(self.customer)
        order.order_line[1].discount = 30
        self.assertFalse(order.loyalty_discount_missing)
        self.member._set_tier(self.gold)
        order.invalidate_recordset()
        self.assertEqual(
            order.loyalty_discount_missing,
            "The discounts of Gold are not on this quotation yet.",
        )
        self.assertDiscounts(order, self.SILVER[0], (30, ""))
        order.action_update_prices()
        self.assertDiscounts(order, (20, "Gold: 20% off labour"), (0, ""))
        self.assertFalse(order.loyalty_discount_missing)

    def test_quotation_says_what_does_not_apply_any_more(self):
        order = self._quote(self.customer)
        self.member._leave()
        order.invalidate_recordset()
        self.assertEqual(
            order.loyalty_discount_missing,
            "The discounts of Silver do not apply to this quotation any more.",
        )
        order.action_update_prices()
        self.assertDiscounts(order, *self.NONE)
        self.assertFalse(order.loyalty_discount_missing)

    def test_quotation_says_that_a_discount_was_changed(self):
        order = self._quote(self.customer)
        self.ten.percent = 8
        order.invalidate_recordset()
        self.assertIn("Silver", order.loyalty_discount_missing)
        order.action_update_prices()
        self.assertDiscounts(order, (8, "Silver: 8% off labour"), self.SILVER[1])

    def test_new_customer_of_a_quotation_is_asked_for(self):
        self.env["garage.loyalty.tier"]._show_pricelists()
        order = self._quote(self.other)
        with Form(order) as form:
            form.partner_id = self.customer
            self.assertTrue(form.show_update_pricelist)
            self.assertTrue(form.loyalty_discount_missing)
        self.assertDiscounts(order, *self.NONE)
        order.action_update_prices()
        self.assertDiscounts(order, *self.SILVER)

    def test_confirmed_order_stays_as_it_is(self):
        order, plain = self._quote(self.customer), self._quote(self.other)
        (order | plain).action_confirm()
        self.member._set_tier(self.bronze)
        self._enrol(self.other, tier=self.silver)
        (order | plain).invalidate_recordset()
        self.assertFalse(order.loyalty_discount_missing)
        self.assertFalse(plain.loyalty_discount_missing)
        (order | plain).order_line.product_uom_qty = 3
        (order | plain).order_line._compute_discount()
        self.assertDiscounts(order, *self.SILVER)
        self.assertDiscounts(plain, *self.NONE)

    def test_line_added_to_a_confirmed_order_has_the_discount(self):
        order = self._quote(self.customer, self.labour)
        order.action_confirm()
        order.order_line = [Command.create({"product_id": self.part.id})]
        self.assertDiscounts(order, *self.SILVER)

    def test_other_service_on_a_confirmed_order_has_its_own_discount(self):
        wash = self.env["product.category"].create({"name": "Wash"})
        self._add_discount(50, categ_id=wash.id)
        washing = self._create_good("Wash", 20, type="service", categ_id=wash.id)
        order = self._quote(self.customer, self.labour)
        order.action_confirm()
        order.order_line.product_id = washing
        self.assertDiscounts(order, (50, "Silver: 50% off Wash"))
        with Form(order) as form, form.order_line.edit(0) as line:
            line.product_id = self.labour
            self.assertEqual(line.discount, 10)
        self.assertDiscounts(order, self.SILVER[0])

    def test_copy_has_what_the_tier_gives_then(self):
        order = self._quote(self.customer)
        order.order_line[1].discount = 30
        self.assertDiscounts(order.copy(), self.SILVER[0], (30, ""))
        self.ten.percent = 12
        self.assertDiscounts(order.copy(), (12, "Silver: 12% off labour"), (30, ""))
        self.member._leave()
        self.assertDiscounts(order.copy(), (0, ""), (30, ""))

    def test_invoice_has_the_discount_and_earns_on_the_rest(self):
        order = self._quote(self.customer)
        invoice = self._bill(order)
        lines = invoice.invoice_line_ids
        self.assertEqual(lines.mapped("discount"), [10, 5])
        self._pay(invoice)
        # 137.50 at 1.25 points each.
        self.assertEqual(self.member.points, 171)

    # -- repairs ----------------------------------------------------------------

    def test_quotation_of_a_repair_has_them_whenever_a_part_is_added(self):
        repair = self._create_repair(self.customer, hours=2)
        order = repair.sale_order_id
        self.assertDiscounts(order, *self.SILVER[::-1])
        order.action_confirm()
        repair.action_repair_start()
        repair.move_ids = [
            Command.create(
                {
                    "product_id": self.part.id,
                    "product_uom_qty": 1,
                    "repair_line_type": "add",
                }
            )
        ]
        self.assertDiscounts(order, *self.SILVER[::-1], self.SILVER[1])
        repair.move_ids[0].product_uom_qty = 5
        self.assertEqual(order.order_line[0].product_uom_qty, 5)
        self.assertEqual(order.order_line[0].discount, 5)

    def test_quotation_that_comes_after_the_parts_has_them(self):
        repair = self.env["repair.order"].create({"partner_id": self.customer.id})
        repair.move_ids = [
            Command.create({"product_id": self.part.id, "repair_line_type": "add"})
        ]
        repair.action_validate()
        repair.action_create_sale_order()
        self.assertDiscounts(repair.sale_order_id, self.SILVER[1])

    def test_warranty_keeps_a_price_of_nothing(self):
        repair = self._create_repair(self.customer, under_warranty=True)
        self.assertEqual(repair.sale_order_id.amount_untaxed, 0)
        self.assertFalse(repair.sale_order_id.loyalty_discount_missing)

    def test_visit_and_points_are_net_of_the_discount(self):
        repair, invoice = self._visit(self.customer)
        self.assertEqual(repair.amount_parts, 95)
        self.assertEqual(repair.amount_labour, 90)
        self._pay(invoice)
        self.assertEqual(self.member.points, int(185 * 1.25))

    # -- rules ------------------------------------------------------------------

    def test_percentage_is_more_than_0_and_at_most_100(self):
        for percent in (0, -5, 100.01):
            with (
                self.subTest(percent=percent),
                mute_logger("odoo.sql_db"),
                self.assertRaises(IntegrityError),
                self.cr.savepoint(),
            ):
                self._add_discount(percent, tier=self.gold)
        self._add_discount(100, tier=self.gold)

    def test_one_discount_for_a_category_and_scope(self):
        tyres = self.env["product.category"].create({"name": "Tyres"})
        for vals in ({}, {"categ_id": tyres.id}):
            self._add_discount(1, tier=self.gold, **vals)
            with (
                self.subTest(vals=vals),
                mute_logger("odoo.sql_db"),
                self.assertRaises(IntegrityError),
                self.cr.savepoint(),
            ):
                self._add_discount(2, tier=self.gold, **vals)

    def test_removed_discount_is_gone(self):
        self.ten.unlink()
        self.assertDiscounts(
            self._quote(self.customer), (0, ""), (5, "Silver: 5% off parts")
        )

    def test_first_discount_shows_the_column_to_everybody(self):
        group = self.env.ref("sale.group_discount_per_so_line")
        self.assertIn(group, self.env.ref("base.group_user").all_implied_ids)
        self.env.ref("base.group_user")._remove_group(group)
        user = self._create_user("plain", SALES)
        self.assertFalse(user.has_group("sale.group_discount_per_so_line"))
        manager = self._create_user("boss", MANAGER)
        self.Discount.with_user(manager).create(
            {"tier_id": self.gold.id, "percent": 1, "scope": "parts"}
        )
        self.assertTrue(user.has_group("sale.group_discount_per_so_line"))

    # -- rights and cost --------------------------------------------------------

    def test_salesperson_without_loyalty_rights_gives_them(self):
        user = self._create_user("seller", SALES)
        with Form(self.env["sale.order"].with_user(user)) as form:
            form.partner_id = self.customer
            for product in (self.labour, self.part):
                with form.order_line.new() as line:
                    line.product_id = product
        order = form.record
        self.assertDiscounts(order.sudo(), *self.SILVER)
        self.member._set_tier(self.bronze)
        order.invalidate_recordset()
        self.assertIn("Silver", order.loyalty_discount_missing)
        order.action_update_prices()
        order.copy()
        with self.assertRaises(AccessError):
            self.ten.with_user(user).read(["percent"])

    def test_advisors_read_discounts_and_managers_change_them(self):
        advisor = self._create_user("advisor", USER)
        discount = self.ten.with_user(advisor)
        self.assertEqual(discount.percent, 10)
        with self.assertRaises(AccessError):
            discount.percent = 50
        self.ten.with_user(self._create_user("boss", MANAGER)).percent = 11
        self.assertEqual(self.ten.percent, 11)

    def test_portal_customer_sees_the_discount(self):
        user = new_test_user(self.env, "ada", "base.group_portal")
        self._enrol(user.partner_id, tier=self.silver)
        order = self._quote(user.partner_id)
        content = (
            self.env["ir.actions.report"]
            ._render_qweb_html("sale.report_saleorder", order.ids)[0]
            .decode()
        )
        self.assertIn("Disc.%", content)
        self.assertEqual(order.with_user(user).order_line.mapped("discount"), [10, 5])

    def test_number_of_lines_costs_no_more_queries(self):
        def count(number):
            order = self.env["sale.order"].create({"partner_id": self.customer.id})
            vals = {"order_id": order.id, "product_id": self.labour.id}
            lines = self.env["sale.order.line"].create([vals] * number)
            self.env.flush_all()
            self.env.invalidate_all()
            lines = lines.browse(lines.ids)
            start = self.cr.sql_log_count
            self.assertEqual(len(lines._get_loyalty_offers()), number)
            return self.cr.sql_log_count - start

        count(1)
        self.assertEqual(count(20), count(1))

    def test_without_terms_quotations_ask_nothing(self):
        self.silver.discount_ids.unlink()
        order = self._quote(self.customer)
        order.order_line._get_loyalty_offers()
        with self.assertQueryCount(0):
            self.assertFalse(order.order_line._get_loyalty_offers())
