from odoo import fields
from odoo.tests import tagged
from odoo.tools import SQL, format_date

from .test_rewards_cost import RewardsCommon


@tagged("post_install", "-at_install")
class TestHardlyUsed(RewardsCommon):
    """What nobody uses, and what is proposed instead."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.reward = cls._create_reward(points=500)
        cls.privilege = cls._grant("priority")
        cls._age(cls.reward + cls._create_reward(name="Other"), months=13)
        cls._age(cls.privilege, months=13)
        for number in range(9):
            member = cls._enrol(cls._create_customer(f"Member {number}"))
            member._post_points("adjust", 10 * number + 10, "2024-01-01", reason="Gift")
        cls.company.loyalty_usage_percent = 20

    @classmethod
    def _age(cls, items, months):
        """Let something have been created so long ago."""
        cls.env.flush_all()
        cls.env.cr.execute(
            SQL(
                "UPDATE %s SET create_date = now() - make_interval(months => %s) "
                "WHERE id = ANY(%s)",
                SQL.identifier(items._table),
                months,
                items.ids,
            )
        )
        cls.env.invalidate_all()

    def _use(self, partner=None, reward=None, date=None):
        day = date or fields.Date.today()
        invoice = self._invoice(partner or self.customer, date=day, post=False)
        self._take(invoice, reward or self.reward)
        invoice.action_post()
        self.env.flush_all()
        self.env.invalidate_all()

    def test_what_too_few_members_used_is_marked(self):
        self.assertTrue(self.reward.is_hardly_used)
        self._use()
        self.assertEqual(self.reward.recent_count, 1)
        self.assertEqual((self.reward.recent_members, self.reward.audience), (1, 10))
        self.assertEqual(self.reward.recent_percent, 10)
        self.assertEqual(self.reward.last_used, fields.Date.today())
        self.assertTrue(self.reward.is_hardly_used)
        self.assertEqual(self.reward.usage_label, "Hardly used")
        self.company.loyalty_usage_percent = 10
        self.env.invalidate_all()
        self.assertFalse(self.reward.is_hardly_used)
        self.assertFalse(self.reward.usage_label or self.reward.usage_text)

    def test_one_member_who_uses_it_often_is_one_member(self):
        self._use()
        self._use()
        self.assertEqual((self.reward.recent_count, self.reward.recent_members), (2, 1))

    def test_use_long_ago_does_not_count_but_is_remembered(self):
        day = fields.Date.subtract(fields.Date.today(), months=12, days=1)
        self._use(date=day)
        self.assertEqual(self.reward.recent_count, 0)
        self.assertEqual(self.reward.last_used, day)
        self.assertTrue(self.reward.is_hardly_used)

    def test_what_is_new_over_or_archived_is_not_judged(self):
        today = fields.Date.today()
        for vals in (
            {"date_from": fields.Date.subtract(today, months=3)},
            {"date_to": fields.Date.subtract(today, days=1)},
            {"active": False},
        ):
            with self.subTest(vals=vals):
                reward = self._create_reward(**vals)
                self._age(reward, months=13)
                self.assertFalse(reward.is_hardly_used)
        self.assertFalse(self._create_reward().is_hardly_used)

    def test_threshold_of_zero_marks_nothing(self):
        self.company.loyalty_usage_percent = 0
        self.assertFalse(self.reward.is_hardly_used)

    def test_only_who_may_have_it_counts(self):
        self.reward.tier_id = self.gold
        self.env.invalidate_all()
        self.assertEqual(self.reward.audience, 0)
        self.assertFalse(self.reward.is_hardly_used)
        for member in self.program.member_ids:
            member._set_tier(self.gold)
        self.env.invalidate_all()
        self.assertEqual(self.reward.audience, 10)
        self.assertTrue(self.reward.is_hardly_used)

    def test_personal_reward_is_judged_by_its_offers(self):
        reward = self._offer_personally(self.customer).reward_id
        self._age(reward, months=13)
        self.assertEqual((reward.audience, reward.is_hardly_used), (1, False))
        for number in range(9):
            partner = self._create_customer(f"Asked {number}")
            self._offer_personally(partner, reward_id=reward.id)
        self.env.invalidate_all()
        self.assertEqual((reward.audience, reward.is_hardly_used), (10, True))
        self.company.loyalty_usage_percent = 5
        self._use(reward=reward)
        self.assertEqual((reward.recent_percent, reward.is_hardly_used), (10, False))

    def test_privilege_is_marked_and_a_warranty_is_not(self):
        self.assertTrue(self.privilege.is_hardly_used)
        warranty = self._grant("warranty")
        self._age(warranty, months=13)
        self.assertFalse(warranty.is_hardly_used)

    def test_search_finds_what_is_marked(self):
        Reward = self.env["garage.loyalty.reward"]
        mine = [("program_id", "=", self.program.id)]
        self._use(reward=self._create_reward(name="New"))
        every = Reward.search(mine)
        marked = every.filtered("is_hardly_used")
        self.assertTrue(marked and every - marked)
        for domain, expected in (
            ([("is_hardly_used", "=", True)], marked),
            ([("is_hardly_used", "!=", True)], every - marked),
            ([("is_hardly_used", "in", [True, False])], every),
        ):
            with self.subTest(domain=domain):
                self.assertEqual(Reward.search([*mine, *domain]), expected)

    def test_text_says_what_members_hold_and_what_they_use_instead(self):
        favourite = self._create_reward(name="<b>Car wash</b>", points=10)
        self._use(reward=favourite)
        self._make_regular(self.other)
        self.env.invalidate_all()
        text = self.reward.usage_text
        self.assertIn("Nobody has ever used it, though 10 members", text)
        self.assertIn("Half of the members have 50 points or fewer", text)
        self.assertIn("&lt;b&gt;Car wash&lt;/b&gt;", text)
        self.assertIn("Servicing", text)

    def test_text_of_what_is_affordable_does_not_blame_the_points(self):
        self.reward.points = 20
        self.env.invalidate_all()
        self.assertNotIn("Half of the members", self.reward.usage_text)

    def test_text_says_how_many_used_it_and_when(self):
        today = fields.Date.today()
        long_ago = fields.Date.subtract(today, months=13)
        self._use(date=long_ago)
        self.assertIn("None of the 10 members", self.reward.usage_text)
        self.assertIn(format_date(self.env, long_ago), self.reward.usage_text)
        self._use()
        self.assertIn("1 of 10 members", self.reward.usage_text)
        self.assertIn(format_date(self.env, today), self.reward.usage_text)

    def test_text_says_when_points_are_worth_more_as_money(self):
        invoice = self._invoice(self.customer, date=fields.Date.today(), post=False)
        self._redeem(invoice, 700)
        invoice.action_post()
        self.env.invalidate_all()
        text = self.reward.usage_text
        self.assertIn("rather pay with their points: 1 times, by 1", text)
        self.assertIn("for points that pay", text)
        self.reward.amount = 50
        self.env.invalidate_all()
        self.assertNotIn("for points that pay", self.reward.usage_text)

    def test_reward_on_a_kind_of_work_is_not_told_to_be_on_it(self):
        self._make_regular(self.other)
        kind = (
            self.env["garage.loyalty.regular.work"]
            .search([("partner_id", "=", self.other.id)])
            .categ_id
        )
        self.assertIn(kind.name, self.reward.usage_text)
        self.reward.categ_id = kind
        self.env.invalidate_all()
        self.assertNotIn(kind.name, self.reward.usage_text)
