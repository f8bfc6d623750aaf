from odoo import Command, fields
from odoo.exceptions import AccessError
from odoo.tests import tagged

from .common import ACCOUNTANT, MANAGER, USER, GarageLoyaltyCommon


class RewardsCommon(GarageLoyaltyCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._spend_without_limits()
        cls.Use = cls.env["garage.loyalty.reward.use"]
        cls.member = cls._enrol(cls.customer)
        cls.member._post_points("adjust", 100_000, "2024-01-01", reason="Start")

    @classmethod
    def _create_reward(cls, program=None, **vals):
        return cls.env["garage.loyalty.reward"].create(
            {
                "name": "Ten off",
                "program_id": (program or cls.program).id,
                "kind": "amount",
                "amount": 12,
                "points": 100,
                **vals,
            }
        )

    @classmethod
    def _take(cls, document, reward):
        """Redeem a reward, and return the redemption."""
        field = "order_id" if document._name == "sale.order" else "move_id"
        before = document._get_loyalty_lines().loyalty_redemption_id
        wizard = document.env["garage.loyalty.redeem"].create({field: document.id})
        wizard.write({"kind": "reward", "reward_id": reward.id})
        wizard.action_redeem()
        return document._get_loyalty_lines().loyalty_redemption_id - before

    def _uses(self, **values):
        self.env.flush_all()
        self.env.invalidate_all()
        domain = [(name, "=", value) for name, value in values.items()]
        return self.Use.search([("company_id", "=", self.company.id), *domain])

    def _quote(self, **vals):
        return self._create_repair(self.customer, hours=2, **vals).sale_order_id

    def _carry_out(self, order, date="2024-02-01"):
        """Finish and bill what is quoted, and return the visit."""
        order.action_confirm()
        self._finish(order.repair_order_ids, date)
        self._bill(order, date)
        return order.repair_order_ids.visit_ids


@tagged("post_install", "-at_install")
class TestRewardsCost(RewardsCommon):
    """What is a benefit, what it costs, and on which visit it was used."""

    def test_points_as_money_cost_what_they_take_off_net_of_tax(self):
        order = self._quote()
        redemption = self._redeem(order, 500)
        self.assertFalse(self._uses(), "Nothing is given before it is invoiced.")
        visit = self._carry_out(order)
        use = self._uses()
        self.assertEqual((use.kind, use.benefit), ("money", "Points as money"))
        self.assertEqual((use.points, use.times), (500, 1))
        self.assertAlmostEqual(use.cost, visit.amount_discount)
        self.assertAlmostEqual(use.cost, redemption.cost)
        self.assertEqual((use.visit_id, use.revenue), (visit, visit.amount))
        self.assertEqual(use.date, fields.Date.to_date("2024-02-01"))
        self.assertEqual((use.member_id, use.partner_id), (self.member, self.customer))
        self.assertEqual(use.tier_id, self.member.tier_id)

    def test_free_product_costs_its_cost_price(self):
        self.part.standard_price = 17
        reward = self._create_reward(kind="product", product_id=self.part.id)
        order = self._quote()
        self._take(order, reward)
        self._carry_out(order)
        use = self._uses()
        self.assertEqual((use.kind, use.reward_id, use.cost), ("reward", reward, 17))

    def test_what_a_credit_note_gives_back_costs_nothing(self):
        invoice = self._invoice(self.customer, post=False)
        redemption = self._redeem(invoice, 400)
        invoice.action_post()
        self._credit(invoice, 250)
        use = self._uses()
        self.assertEqual(use.points, redemption.points_spent)
        self.assertAlmostEqual(use.cost, redemption.cost * use.points / 400)
        self._credit(invoice)
        self.assertFalse(self._uses())

    def test_redeemed_on_the_invoice_of_a_repair_belongs_to_its_visit(self):
        order = self._quote()
        order.action_confirm()
        self._finish(order.repair_order_ids, "2024-02-01")
        invoice = self._bill(order, post=False)
        self._redeem(invoice, 400)
        invoice.action_post()
        use = self._uses()
        self.assertTrue(use.visit_id)
        self.assertEqual(use.visit_id, order.repair_order_ids.visit_ids)

    def test_personal_offer_is_told_from_other_rewards(self):
        offer = self._offer_personally(self.customer)
        invoice = self._invoice(self.customer, post=False)
        self._take(invoice, offer.reward_id)
        invoice.action_post()
        self.assertEqual(self._uses().kind, "personal")

    def test_special_offer_is_one_benefit_not_two(self):
        reward = self._create_reward(points=0)
        privilege = self._grant("offer", reward_ids=[Command.set(reward.ids)])
        invoice = self._invoice(self.customer, post=False)
        self._take(invoice, reward)
        invoice.action_post()
        use = self._uses()
        self.assertEqual((use.kind, use.times), ("reward", 1))
        self.assertEqual((use.reward_id, use.privilege_id), (reward, privilege))

    def test_free_service_costs_what_the_customer_saves(self):
        privilege = self._grant()
        order = self._quote()
        order.action_use_loyalty_privilege(privilege.id)
        visit = self._carry_out(order)
        use = self._uses()
        self.assertEqual((use.kind, use.privilege_id), ("privilege", privilege))
        self.assertEqual((use.cost, use.visit_id), (100, visit))
        self.assertEqual(use.benefit, privilege.name)

    def test_standing_discount_costs_what_it_takes_off(self):
        self.bronze.discount_ids = [Command.create({"percent": 10})]
        order = self._quote()  # 100 of parts, 200 of labour
        visit = self._carry_out(order)
        use = self._uses()
        self.assertEqual((use.kind, use.tier_id), ("discount", self.bronze))
        self.assertEqual((use.cost, use.revenue), (30, 270))
        self.assertEqual((use.visit_id, use.member_id), (visit, self.member))

    def test_standing_discount_on_what_is_credited_costs_nothing(self):
        self.bronze.discount_ids = [Command.create({"percent": 10})]
        order = self._quote()
        self._carry_out(order)
        invoice = order.invoice_ids
        credit = self._credit(invoice, post=False)
        credit.invoice_line_ids[1:].unlink()
        credit.invoice_line_ids.quantity = 1  # of two
        credit.action_post()
        left = 30 - credit.amount_untaxed / 9
        self.assertAlmostEqual(self._uses().cost, left)
        self._credit(invoice)
        self.assertAlmostEqual(self._uses().cost, left - 30)

    def test_typed_discount_is_not_the_programmes(self):
        self.bronze.discount_ids = [Command.create({"percent": 10})]
        order = self._quote()
        order.order_line.discount = 25
        self._carry_out(order)
        self.assertFalse(self._uses())

    def test_discount_raised_on_the_invoice_costs_the_tiers_part(self):
        self.bronze.discount_ids = [Command.create({"percent": 10})]
        order = self._quote()
        order.action_confirm()
        invoice = self._bill(order, post=False)
        invoice.invoice_line_ids.discount = 40
        invoice.action_post()
        self.assertAlmostEqual(self._uses().cost, 30)

    def test_line_that_the_tier_makes_free_counts_at_its_price(self):
        self.bronze.discount_ids = [Command.create({"percent": 100})]
        self._carry_out(self._quote())
        self.assertAlmostEqual(self._uses().cost, 300)

    def test_bonus_points_are_given_and_cost_nothing_yet(self):
        self.env["garage.loyalty.bonus"]._give(
            [{**self.member._prepare_bonus_vals("birthday"), "points": 50}]
        )
        use = self._uses()
        self.assertEqual((use.kind, use.points_given, use.cost), ("bonus", 50, 0))
        self.assertEqual(use.benefit, "Birthday bonus")

    def test_visit_with_two_benefits_counts_once_at_every_level(self):
        privilege = self._grant()
        order = self._quote()
        order.action_use_loyalty_privilege(privilege.id)
        self._redeem(order, 500)
        visit = self._carry_out(order)
        second = self._quote()
        self._redeem(second, 100)
        other = self._carry_out(second)
        measures = ["times:sum", "revenue:sum", "revenue:sum_currency"]
        domain = [("company_id", "=", self.company.id)]
        self.env.flush_all()
        total = self.Use._read_group(domain, [], measures)
        both = round(visit.amount + other.amount, 2)
        self.assertEqual(total, [(3, both, both)])
        by_kind = self.Use._read_group(domain, ["kind"], measures)
        self.assertEqual(
            sorted(by_kind),
            [
                ("money", 2, both, both),
                ("privilege", 1, visit.amount, visit.amount),
            ],
        )

    def test_names_are_in_the_language_of_the_user(self):
        self.env["res.lang"]._activate_lang("nl_NL")
        reward = self._create_reward()
        reward.with_context(lang="nl_NL").name = "Tien eraf"
        invoice = self._invoice(self.customer, post=False)
        self._take(invoice, reward)
        invoice.action_post()
        self.env.flush_all()
        for lang, name in (("nl_NL", "Tien eraf"), ("en_US", "Ten off")):
            theirs = self.Use.with_context(lang=lang)
            groups = theirs._read_group(
                [("company_id", "=", self.company.id)], ["benefit"]
            )
            self.assertEqual(groups, [(name,)])

    def test_only_owner_and_accountant_see_it(self):
        self._carry_out(self._redeem(self._quote(), 100).order_id)
        for role, groups in (("owner", MANAGER), ("auditor", ACCOUNTANT)):
            user = self._create_user(role, groups)
            self.assertTrue(self.Use.with_user(user).search([("times", "=", 1)]))
        with self.assertRaises(AccessError):
            self.Use.with_user(self._create_user("advisor", USER)).search([])
