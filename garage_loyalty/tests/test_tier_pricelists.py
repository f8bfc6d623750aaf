from odoo.exceptions import UserError, ValidationError
from odoo.fields import Command
from odoo.tests import Form, tagged

from .common import MANAGER, GarageLoyaltyCommon

SALES = "sales_team.group_sale_salesman_all_leads"


@tagged("post_install", "-at_install")
class TestTierPricelists(GarageLoyaltyCommon):
    """The pricelist of a tier as the customers' own."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.member = cls._enrol(cls.customer, tier=cls.silver)
        cls.pricelist = cls._create_pricelist("Members", 8)
        cls.silver.pricelist_id = cls.pricelist
        cls.own = cls._create_pricelist("Own", 2, sequence=99)

    @classmethod
    def _create_pricelist(cls, name, percent, **vals):
        return cls.env["product.pricelist"].create(
            {
                "name": name,
                "company_id": False,
                "sequence": 1,
                "item_ids": [
                    Command.create(
                        {
                            "applied_on": "3_global",
                            "compute_price": "percentage",
                            "percent_price": percent,
                        }
                    )
                ],
                **vals,
            }
        )

    def _quote(self, partner, **vals):
        return self.env["sale.order"].create(
            {
                "partner_id": partner.id,
                "order_line": [Command.create({"product_id": self.labour.id})],
                **vals,
            }
        )

    # -- who has it -------------------------------------------------------------

    def test_member_has_it_and_no_other_customer_does(self):
        self.assertEqual(self.customer.property_product_pricelist, self.pricelist)
        self.assertFalse(self.customer.specific_property_product_pricelist)
        others = self.env["product.pricelist"].search([("id", "!=", self.pricelist.id)])
        others.active = False
        self.assertFalse(self.other.property_product_pricelist)
        self.silver.active = False
        self.env.invalidate_all()
        self.assertFalse(self.other.property_product_pricelist)

    def test_own_pricelist_wins(self):
        self.customer.property_product_pricelist = self.own
        self.assertEqual(self.customer.property_product_pricelist, self.own)
        self.assertEqual(self._quote(self.customer).pricelist_id, self.own)

    def test_own_pricelist_of_the_company_wins_for_its_contacts(self):
        company = self._create_customer("Fleet Ltd", is_company=True)
        self._enrol(company, tier=self.silver)
        driver = self._create_customer("Driver", parent_id=company.id)
        self.assertEqual(driver.property_product_pricelist, self.pricelist)
        company.property_product_pricelist = self.own
        self.assertEqual(driver.property_product_pricelist, self.own)

    def test_default_that_was_chosen_for_a_member_is_its_own(self):
        default = self.other.property_product_pricelist
        self.customer.property_product_pricelist = default
        self.assertEqual(self.customer.property_product_pricelist, default)
        self.customer.property_product_pricelist = self.pricelist
        self.assertFalse(self.customer.specific_property_product_pricelist)
        self.customer.property_product_pricelist = self.own
        self.customer.property_product_pricelist = False
        self.env.invalidate_all()
        self.assertEqual(self.customer.property_product_pricelist, self.pricelist)

    def test_contact_created_in_the_form_keeps_no_pricelist_of_its_own(self):
        company = self._create_customer("Fleet Ltd", is_company=True)
        self._enrol(company, tier=self.silver)
        with Form(self.env["res.partner"]) as form:
            form.name = "Driver"
            form.parent_id = company
        self.assertEqual(form.record.property_product_pricelist, self.pricelist)
        self.assertFalse(form.record.specific_property_product_pricelist)

    def test_gone_with_the_tier_in_the_same_transaction(self):
        self.pricelist.sequence = 50  # without a tier, it is a pricelist like others
        for change in (
            lambda: self.member._set_tier(self.bronze),
            lambda: self.member._suspend(),
            lambda: self.member._leave(),
            lambda: self.silver.write({"active": False}),
            lambda: self.silver.write({"pricelist_id": False}),
            lambda: self.pricelist.write({"active": False}),
            lambda: self.program.write({"active": False}),
        ):
            with self.subTest(), self.cr.savepoint() as savepoint:
                customer = self.env["res.partner"].browse(self.customer.id)
                self.assertEqual(customer.property_product_pricelist, self.pricelist)
                change()
                self.assertNotEqual(self._quote(customer).pricelist_id, self.pricelist)
                savepoint.rollback()
                self.env.invalidate_all()
                self.env.registry.clear_cache()

    def test_enrolment_gives_it_in_the_same_transaction(self):
        self.assertNotEqual(self.other.property_product_pricelist, self.pricelist)
        self._enrol(self.other, tier=self.silver)
        self.assertEqual(self.other.property_product_pricelist, self.pricelist)

    def test_only_the_company_of_the_programme_gives_it(self):
        other = self.setup_other_company()["company"]
        customer = self.customer.with_company(other)
        self.assertNotEqual(customer.property_product_pricelist, self.pricelist)

    def test_public_user_and_salesperson_may_ask(self):
        user = self._create_user("seller", SALES)
        customer = self.customer.with_user(user).with_company(self.company)
        self.assertEqual(customer.property_product_pricelist, self.pricelist)
        public = self.env.ref("base.public_user")
        partner = public.sudo().partner_id.with_user(public).sudo()
        self.assertNotEqual(partner.property_product_pricelist, self.pricelist)

    def test_number_of_customers_costs_no_more_queries(self):
        customers = self._create_customer("Carl") | self._create_customer("Dora")
        for customer in customers:
            self._enrol(customer, tier=self.silver)
        customers |= self.customer

        def count(partners):
            self.env.flush_all()
            self.env.invalidate_all()
            start = self.cr.sql_log_count
            found = partners.browse(partners.ids)._get_loyalty_pricelists()
            self.assertEqual(set(found.values()), {self.pricelist})
            return self.cr.sql_log_count - start

        count(customers)
        self.assertEqual(count(customers), count(self.customer))

    # -- on quotations ----------------------------------------------------------

    def test_discount_of_the_pricelist_has_its_origin(self):
        line = self._quote(self.customer).order_line
        self.assertEqual(line.discount, 8)
        self.assertEqual(line.loyalty_discount_origin, "Silver: pricelist “Members”")
        self.assertEqual(line.loyalty_discount_tier_id, self.silver)

    def test_greater_one_of_pricelist_and_percentage_applies(self):
        discount = self.env["garage.loyalty.tier.discount"].create(
            {"tier_id": self.silver.id, "percent": 10}
        )
        line = self._quote(self.customer).order_line
        self.assertEqual(line.discount, 10)
        self.assertEqual(line.loyalty_discount_origin, "Silver: 10% off everything")
        discount.percent = 6
        line = self._quote(self.customer).order_line
        self.assertEqual(line.discount, 8)
        self.assertEqual(line.loyalty_discount_origin, "Silver: pricelist “Members”")
        line = self._quote(self.customer, pricelist_id=self.own.id).order_line
        self.assertEqual(line.discount, 6)
        discount.percent = 1
        line = self._quote(self.customer, pricelist_id=self.own.id).order_line
        self.assertEqual((line.discount, line.loyalty_discount_origin), (2, False))

    def test_quotation_follows_a_change_of_the_tier_on_demand(self):
        order = self._quote(self.customer)
        self.member._set_tier(self.bronze)
        order.invalidate_recordset()
        self.assertTrue(order.loyalty_discount_missing)
        order.action_update_prices()
        self.assertNotEqual(order.pricelist_id, self.pricelist)
        self.assertEqual(order.order_line.discount, 0)
        self.member._set_tier(self.silver)
        order.invalidate_recordset()
        self.assertIn("“Members”", order.loyalty_discount_missing)
        order.action_update_prices()
        self.assertEqual(order.pricelist_id, self.pricelist)
        self.assertEqual(order.order_line.discount, 8)
        self.assertFalse(order.loyalty_discount_missing)

    def test_pricelist_chosen_for_one_quotation_stays(self):
        order = self._quote(self.customer)
        self.member.sudo().status_date = "2024-01-01"
        order.pricelist_id = self.own
        order.action_update_prices()
        self.assertEqual(order.pricelist_id, self.own)
        self.assertEqual(order.order_line.discount, 2)

    def test_copy_has_the_pricelist_of_then(self):
        order = self._quote(self.customer)
        self.member._leave()
        copy = order.copy()
        self.assertNotEqual(copy.pricelist_id, self.pricelist)
        self.assertEqual(copy.order_line.discount, 0)

    # -- rules ------------------------------------------------------------------

    def test_other_currency_is_refused_and_explained(self):
        other = self._create_pricelist(
            "Abroad", 5, currency_id=self.env.ref("base.EUR").id
        )
        with self.assertRaisesRegex(ValidationError, "“Abroad” is in EUR"):
            self.gold.pricelist_id = other
        with self.assertRaisesRegex(ValidationError, "“Members” is in EUR"):
            self.pricelist.currency_id = self.env.ref("base.EUR")

    def test_pricelist_of_another_company_is_refused(self):
        other = self.setup_other_company()["company"]
        pricelist = self._create_pricelist("Theirs", 5, company_id=other.id)
        with self.assertRaises(UserError):
            self.gold.pricelist_id = pricelist

    def test_branches_need_a_pricelist_for_all_companies(self):
        self.program.share_branches = True
        pricelist = self._create_pricelist("Ours", 5, company_id=self.company.id)
        with self.assertRaisesRegex(ValidationError, "Branches share"):
            self.gold.pricelist_id = pricelist

    def test_first_pricelist_of_a_tier_switches_pricelists_on(self):
        group = self.env.ref("product.group_product_pricelist")
        users = self.env.ref("base.group_user")
        self.assertIn(group, users.all_implied_ids)
        users._remove_group(group)
        self.env.invalidate_all()
        self.assertFalse(self.customer.property_product_pricelist)
        self.gold.with_user(
            self._create_user("boss", MANAGER)
        ).pricelist_id = self.pricelist
        self.assertIn(group, users.all_implied_ids)

    def test_quotation_of_a_repair_has_it(self):
        repair = self._create_repair(self.customer)
        order = repair.sale_order_id
        self.assertEqual(order.pricelist_id, self.pricelist)
        self.assertEqual(order.order_line.discount, 8)
        self.assertEqual(order.order_line.loyalty_discount_tier_id, self.silver)
