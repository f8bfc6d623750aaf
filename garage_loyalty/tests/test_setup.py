from odoo import Command
from odoo.exceptions import UserError
from odoo.tests import freeze_time, tagged

from ..tools.tiers import Figures
from .common import MANAGER, USER, GarageLoyaltyCommon


@tagged("post_install", "-at_install")
class TestSetup(GarageLoyaltyCommon):
    """The three kinds of programme: each works when it is chosen, nothing is lost."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Setup = cls.env["garage.loyalty.setup"]

    def _set_up(self, *kinds):
        setup = self.Setup.create(
            {
                name: name in kinds
                for name in ("has_points", "has_discount", "has_privileges")
            }
        )
        setup.action_set_up()

    def test_new_company_starts_with_points_and_tiers_in_its_currency(self):
        rupiah = self.env.ref("base.IDR")
        rupiah.active = True
        company = self.env["res.company"].create(
            {"name": "Bengkel", "currency_id": rupiah.id}
        )
        program = self.env["garage.loyalty.program"]._get_default(company)
        self.assertTrue(program.has_points)
        self.assertFalse(program.has_discount or program.has_privileges)
        self.assertFalse(program.date_set_up)
        self.assertEqual(program.tier_ids[1].required_spend, 7_500_000)
        self.assertEqual(program.labour_rate * program.point_value, 0.05)
        self.assertEqual(program.reward_ids.max_amount, 500_000)

    def test_manager_chooses_first_and_sees_members_from_then_on(self):
        def get_model(user):
            program = self.program.with_user(user).with_company(self.company)
            return program.action_open_app()["res_model"]

        manager = self._create_user("owner", MANAGER)
        advisor = self._create_user("advisor", USER)
        self.assertEqual(get_model(manager), "garage.loyalty.setup")
        self.assertEqual(get_model(advisor), "garage.loyalty.member")
        self._set_up("has_points")
        self.assertEqual(get_model(manager), "garage.loyalty.member")

    def test_kind_that_is_not_mentioned_stays_as_it_is(self):
        setup = self.Setup.create({"has_discount": True})
        self.assertTrue(setup.has_points)
        self.assertFalse(setup.has_privileges)

    def test_nothing_chosen(self):
        with self.assertRaisesRegex(UserError, "at least one"):
            self._set_up()

    def test_standing_discount_alone_works_on_the_next_quotation(self):
        member = self._enrol(self.customer)
        self._set_up("has_discount")
        member._fix_tier(self.gold, reason="Test")
        order = self._create_repair(self.customer, hours=1).sale_order_id
        self.assertEqual(order.order_line.mapped("discount"), [5, 10])
        invoice = self._bill(order)
        self._pay(invoice)
        self.assertEqual(member.points, 0)

    def test_vip_club_alone_gives_priority_and_free_diagnostics(self):
        member = self._enrol(self.customer)
        self._set_up("has_privileges")
        member._fix_tier(self.gold, reason="Test")
        kinds = member._get_privileges().mapped("kind")
        self.assertEqual(set(kinds), {"priority", "free_service", "warranty", "offer"})
        repair = self._create_repair(self.customer)
        self.assertTrue(repair.loyalty_priority)
        order = repair.sale_order_id
        privilege = member._get_privileges("free_service")
        self.assertEqual(privilege.quota, 2)
        order.action_use_loyalty_privilege(privilege.id)
        line = order.order_line.filtered("loyalty_privilege_id")
        self.assertEqual((line.price_subtotal, line.discount), (0, 100))

    def test_special_offer_of_the_club_is_for_its_tier_alone(self):
        member = self._enrol(self.customer)
        self._adjust(member, 1000)
        self._set_up("has_points", "has_privileges")
        offer = self.program.privilege_ids.filtered(lambda item: item.kind == "offer")
        order = self._create_repair(self.customer, hours=1).sale_order_id
        dialog = self.env["garage.loyalty.redeem"].create({"order_id": order.id})
        dialog.write({"kind": "reward", "reward_id": offer.reward_ids.id})
        with self.assertRaisesRegex(UserError, "Gold"):
            dialog.action_redeem()
        member._fix_tier(self.gold, reason="Test")
        dialog.action_redeem()
        self.assertTrue(order.order_line.loyalty_redemption_id.reward_id)

    def test_kind_switched_off_gives_nothing_and_is_back_unchanged(self):
        member = self._enrol(self.customer, tier=self.gold)
        self._set_up("has_points", "has_discount", "has_privileges")
        discounts = self.gold.discount_ids
        discounts[0].percent = 12
        privileges, rewards = self.program.privilege_ids, self.program.reward_ids
        self._set_up("has_points")
        self.assertFalse(member._get_privileges())
        self.assertFalse(self.gold.discount_text)
        order = self._create_repair(self.customer, hours=1).sale_order_id
        self.assertEqual(order.order_line.mapped("discount"), [0, 0])
        self._set_up("has_points", "has_discount", "has_privileges")
        self.assertEqual(self.gold.discount_ids, discounts)
        self.assertEqual(discounts[0].percent, 12)
        self.assertEqual(self.program.privilege_ids, privileges)
        self.assertEqual(self.program.reward_ids, rewards)

    def test_what_people_have_set_up_is_left_alone(self):
        self.silver.required_spend = 123
        self.silver.discount_ids = [Command.create({"percent": 3})]
        setup = self.Setup.create({"has_discount": True})
        self.assertFalse(setup.plan)
        setup.action_set_up()
        self.assertEqual(self.silver.required_spend, 123)
        self.assertEqual(self.silver.discount_ids.percent, 3)
        self.assertFalse(self.gold.discount_ids)

    def test_plan_names_what_will_be_added(self):
        setup = self.Setup.create({"has_privileges": True, "has_discount": True})
        self.assertIn("Silver from 3 visits", setup.plan)
        self.assertIn("Privileges", setup.plan)
        self.assertIn("Discounts", setup.plan)

    def test_tiers_that_are_missing_are_added(self):
        self.program.tier_ids[1:].unlink()
        self._set_up("has_points")
        self.assertEqual(
            self.program.tier_ids.mapped("name"), ["Bronze", "Silver", "Gold"]
        )
        self.assertTrue(self.program._get_rules().tiers.are_given)

    def test_members_keep_points_and_tiers(self):
        member = self._enrol(self.customer, tier=self.silver)
        self._adjust(member, 500)
        self._set_up("has_discount")
        self.assertEqual((member.points, member.tier_id), (500, self.silver))


@tagged("post_install", "-at_install")
class TestKindsTogether(GarageLoyaltyCommon):
    """A free service, standing discounts and points on one quotation."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.member = cls._enrol(cls.customer)
        cls._adjust(cls.member, 1000)
        cls.env["garage.loyalty.setup"].create(
            {"has_discount": True, "has_privileges": True}
        ).action_set_up()
        cls.member._fix_tier(cls.gold, reason="Test")
        cls.privilege = cls.member._get_privileges("free_service")
        cls.order = cls._create_repair(cls.customer, hours=1).sale_order_id
        cls.order.action_use_loyalty_privilege(cls.privilege.id)
        cls.free = cls.order.order_line.filtered("loyalty_privilege_id")

    def test_each_line_says_from_where_its_discount_comes(self):
        found = {
            line.product_id.name: (line.discount, line.loyalty_discount_origin)
            for line in self.order.order_line
        }
        self.assertEqual(found["Labour"], (10, "Gold: 10% off labour"))
        self.assertEqual(found["Brake pads"], (5, "Gold: 5% off parts"))
        self.assertEqual(found["Diagnostics"], (100, "Free diagnostics, twice"))
        self.assertFalse(self.order.loyalty_discount_missing)

    def test_undone_on_a_line_that_was_there_the_tier_discount_is_back(self):
        self.order.action_undo_loyalty_privilege(self.privilege.id)
        line = self.order.order_line.create(
            {"order_id": self.order.id, "product_id": self.privilege.product_ids.id}
        )
        self.assertEqual(line.discount, 10)
        self.order.action_use_loyalty_privilege(self.privilege.id)
        self.assertEqual(line.discount, 100)
        self.order.action_undo_loyalty_privilege(self.privilege.id)
        self.assertEqual(
            (line.discount, line.loyalty_discount_origin), (10, "Gold: 10% off labour")
        )

    def test_tier_lost_meanwhile_and_prices_updated_leave_the_free_line(self):
        self.member._fix_tier(self.silver, reason="Test")
        self.assertIn("Silver", self.order.loyalty_discount_missing)
        self.order.action_update_prices()
        discounts = (self.order.order_line - self.free).mapped("discount")
        self.assertEqual(discounts, [0, 5])
        self.assertEqual(self.free.discount, 100)

    def test_points_pay_what_is_left_and_are_earned_on_it(self):
        self._spend_without_limits()
        self._redeem(self.order, 500)  # 50.00, taxes included
        invoice = self._bill(self.order)
        self._pay(invoice)
        # 90.00 and 95.00 less 43.48 without tax; bronze was the tier of that day.
        self.assertEqual(invoice.loyalty_points_earned, 141)
        self.assertEqual(self.member.points, 1000 - 500 + 141)


@tagged("post_install", "-at_install")
class TestWhatIf(GarageLoyaltyCommon):
    """What a programme would have cost on the invoices of last year."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.silver.write({"required_spend": 300})
        cls.customers = [
            cls._create_customer(f"Customer {number}") for number in range(3)
        ]
        days = ("2023-03-01", "2023-06-01", "2023-09-01", "2023-12-01")
        for number, customer in enumerate(cls.customers):
            for day in days[: number + 1]:
                cls._visit(customer, day)  # 100 labour, 100 parts
        cls._visit(cls.customers[0], "2022-11-15")  # too long ago

    def _open(self, **vals):
        with freeze_time("2024-01-01 12:00:00"):
            return self.env["garage.loyalty.setup"].create(vals)

    def _read(self, setup, *names):
        with freeze_time("2024-01-01 12:00:00"):
            return tuple(setup[name] for name in names)

    def test_only_those_who_came_often_enough_join(self):
        for least, members, revenue in ((1, 3, 1200), (2, 2, 1000), (4, 0, 0)):
            with self.subTest(least=least):
                setup = self._open(least_visits=least)
                found = self._read(setup, "joiner_count", "revenue")
                self.assertEqual(found, (members, revenue))

    def test_tier_at_a_visit_is_that_of_the_time_before(self):
        groups = self._read(self._open(), "groups")[0]
        # Two visits make 400, which suffice for silver at the third one.
        expected = [[0, 0, 400.0, 400.0], [1, 2, 100.0, 100.0]]
        self.assertEqual([list(group) for group in groups], expected)
        oracle = self._find_groups_slowly(least=2)
        self.assertEqual([list(group) for group in groups], oracle)

    def _find_groups_slowly(self, least):
        rules, found = self.program._get_rules().tiers, {}

        def get(place):
            return found.setdefault(place, [place, 0, 0.0, 0.0])

        for customer in self.customers:
            visits = self.Visit.search([("partner_id", "=", customer.id)], order="date")
            year = visits.filtered(lambda visit: str(visit.date) > "2023-01-01")
            if len(year) < least:
                continue
            get(rules.deserved(Figures(sum(year.mapped("amount")))))[1] += 1
            for visit in year:
                before = visits.filtered(lambda one, day=visit.date: one.date < day)
                place = rules.deserved(Figures(sum(before.mapped("amount"))))
                get(place)[2] += visit.amount_labour
                get(place)[3] += visit.amount_parts
        return [found[place] for place in sorted(found)]

    def test_costs_of_each_kind(self):
        self.silver.discount_ids = [
            Command.create({"percent": 10, "scope": "labour"}),
            Command.create({"percent": 5, "scope": "parts"}),
        ]
        setup = self._open(has_points=True, has_discount=True, use_share=50)
        points, cost, discount = self._read(
            setup, "points_given", "points_cost", "discount_cost"
        )
        self.assertEqual(points, 800 + 250)
        self.assertEqual(cost, 26.25)
        self.assertEqual(discount, 15)
        self.assertEqual(self._read(setup, "cost"), (41.25,))
        self.assertEqual(self._read(setup, "cost_share"), (4.1,))

    def test_free_services_cost_their_price_for_members_of_their_tiers(self):
        self.program.privilege_ids = [
            Command.create(
                {
                    "name": "Free diagnostics",
                    "kind": "free_service",
                    "quota": 3,
                    "product_ids": [Command.set(self.labour.ids)],
                    "tier_ids": [Command.set(self.silver.ids)],
                }
            )
        ]
        setup = self._open(use_share=100)
        self.assertEqual(self._read(setup, "privilege_cost"), (2 * 3 * 100,))

    def test_half_of_them_join(self):
        setup = self._open(join_share=50)
        self.assertEqual(self._read(setup, "joiner_count", "revenue"), (1, 500))

    def test_without_a_history_nothing_is_said(self):
        self.Visit.sudo().search([]).unlink()
        setup = self._open()
        names = ("joiner_count", "revenue", "cost", "cost_share")
        self.assertEqual(self._read(setup, *names), (0, 0, 0, 0))
