from odoo import Command
from odoo.tests import tagged

from .test_rewards_cost import RewardsCommon

FIELDS = [
    "kind",
    "benefit",
    "member_id",
    "tier_id",
    "user_id",
    "date",
    "reward_id",
    "privilege_id",
    "points",
    "points_given",
    "cost",
    "visit_id",
    "revenue",
]


@tagged("post_install", "-at_install")
class TestBenefits(RewardsCommon):
    """Facts of what was given follow the documents."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Benefit = cls.env["garage.loyalty.benefit"].sudo()
        cls.Changed = cls.env["garage.loyalty.changed.customer"].sudo()

    def _process(self):
        self.env.flush_all()
        self.Changed._process(10**6)

    def _read(self):
        return {use.id: use.read(FIELDS)[0] for use in self._uses()}

    def _assert_followed(self):
        """Check that the change was noted, and that facts say what the report says."""
        self.env.flush_all()
        noted = self.Changed.search([("partner_id", "=", self.customer.id)])
        self.assertTrue(noted, "The report cannot know of the change.")
        before = self._read()
        self._process()
        self.assertFalse(self.Changed.search([]))
        self.assertEqual(self._read(), before)
        self.assertEqual(self.Benefit._sync(self.customer.ids), 0)
        return list(before.values())

    def test_redemption_is_noted_when_it_is_invoiced_and_credited(self):
        invoice = self._invoice(self.customer, post=False)
        self._redeem(invoice, 400)
        self._process()
        invoice.action_post()
        self.assertEqual([row["points"] for row in self._assert_followed()], [400])
        self._credit(invoice, 250)
        [row] = self._assert_followed()
        self.assertLess(row["points"], 400)
        self._credit(invoice)
        self.assertFalse(self._assert_followed())

    def test_reward_without_points_is_noted_when_its_cost_changes(self):
        reward = self._create_reward(points=0)
        invoice = self._invoice(self.customer, post=False)
        redemption = self._take(invoice, reward)
        invoice.action_post()
        self._process()
        redemption.sudo().write({"cost": 3})
        self.assertEqual([row["cost"] for row in self._assert_followed()], [3])

    def test_privilege_is_noted_when_it_is_used_and_released(self):
        privilege = self._grant("priority")
        use = self.env["garage.loyalty.privilege.use"].sudo()
        use = use._plan(self.member, privilege)
        self._process()
        use._take(7)
        self.assertEqual([row["cost"] for row in self._assert_followed()], [7])
        use._return_to("released")
        self.assertFalse(self._assert_followed())
        use._take(8)
        self._process()
        use.unlink()
        self.assertFalse(self._assert_followed())

    def test_discount_is_noted_when_it_is_invoiced_and_withdrawn(self):
        self.bronze.discount_ids = [Command.create({"percent": 10})]
        order = self._quote()
        order.action_confirm()
        self._finish(order.repair_order_ids, "2024-02-01")
        self._process()
        invoice = self._bill(order, "2024-02-01")
        self.assertEqual([row["cost"] for row in self._assert_followed()], [30])
        invoice.button_draft()
        self.assertFalse(self._assert_followed())

    def test_credit_of_a_discount_is_noted(self):
        self.bronze.discount_ids = [Command.create({"percent": 10})]
        order = self._quote()
        self._carry_out(order)
        self._process()
        credit = self._credit(order.invoice_ids, post=False)
        credit.invoice_line_ids[1:].unlink()
        credit.action_post()
        [row] = self._assert_followed()
        self.assertLess(row["cost"], 30)

    def test_discount_of_another_salesperson_is_noted(self):
        self.bronze.discount_ids = [Command.create({"percent": 10})]
        order = self._quote()
        self._carry_out(order)
        self._process()
        order.invoice_ids.invoice_user_id = self.env.ref("base.user_admin")
        [row] = self._assert_followed()
        self.assertEqual(row["user_id"][0], self.env.ref("base.user_admin").id)

    def test_bonus_is_noted(self):
        self._process()
        self.env["garage.loyalty.bonus"]._give(
            [{**self.member._prepare_bonus_vals("birthday"), "points": 50}]
        )
        self.assertEqual([row["points_given"] for row in self._assert_followed()], [50])

    def test_visit_that_is_worth_something_else_is_noted(self):
        order = self._quote()
        self._redeem(order, 500)
        visit = self._carry_out(order)
        self._process()
        self._credit(order.invoice_ids, 100)
        [row] = self._assert_followed()
        self.assertEqual(row["revenue"], visit.amount)

    def test_customers_who_become_one_have_what_both_were_given(self):
        other = self._create_customer("Other")
        self._enrol(other)._post_points("adjust", 1000, "2024-01-01", reason="Start")
        invoice = self._invoice(other, post=False)
        self._redeem(invoice, 400)
        invoice.action_post()
        self._process()
        wizard = self.env["base.partner.merge.automatic.wizard"].create({})
        wizard._merge((self.customer | other).ids, self.customer)
        self.assertEqual([row["points"] for row in self._assert_followed()], [400])

    def test_kind_and_name_of_a_reward_are_those_of_the_present(self):
        reward = self._create_reward()
        invoice = self._invoice(self.customer, post=False)
        self._take(invoice, reward)
        invoice.action_post()
        self._process()
        reward.write({"is_personal": True, "name": "Another name"})
        use = self._uses()
        self.assertEqual((use.kind, use.benefit), ("personal", "Another name"))

    def test_visit_on_which_two_customers_used_something_counts_once(self):
        self.bronze.discount_ids = [Command.create({"percent": 10})]
        order = self._quote()
        visit = self._carry_out(order)
        other = self._create_customer("Other")
        member = self._enrol(other)
        self.env["garage.loyalty.privilege.use"].sudo().create(
            {
                "member_id": member.id,
                "privilege_id": self._grant("priority").id,
                "date": "2024-02-01",
                "year": 2024,
                "state": "used",
                "repair_id": order.repair_order_ids.id,
            }
        )
        self.env.flush_all()
        measures = ["__count", "visit_count:count_distinct", "revenue:sum"]
        domain = [("company_id", "=", self.company.id)]
        one = [(2, 1, visit.amount)]
        self.assertEqual(self.Use._read_group(domain, [], measures), one)
        self.Changed.search([("partner_id", "!=", other.id)]).unlink()
        self.Benefit._sync(self.customer.ids)
        self.assertEqual(self.Use._read_group(domain, [], measures), one)
        self._process()
        self.assertEqual(self.Use._read_group(domain, [], measures), one)
