from odoo import Command
from odoo.tests import tagged

from .common import USER
from .test_rewards import COUNTER, RewardsCommon


@tagged("post_install", "-at_install")
class TestSpecialOffers(RewardsCommon):
    """Rewards that only some members can choose."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.reward = cls._create_reward(name="For the best")
        cls.offer = cls._grant(
            "offer", tiers=cls.gold, reward_ids=[Command.set(cls.reward.ids)]
        )

    def _get_refusal(self, document=None):
        return self._wizard(document or self._quote()).offers[0]["refusal"]

    def _get_use(self, redemption):
        Use = self.env["garage.loyalty.privilege.use"]
        return Use.search([("redemption_id", "=", redemption.id)])

    def test_reward_is_for_members_with_the_privilege(self):
        self.assertEqual(self._get_refusal(), "Only for members of Gold.")
        self.member._set_tier(self.gold)
        self.assertFalse(self._get_refusal())
        self.member._set_tier(self.silver)
        self.offer.action_archive()
        self.env.invalidate_all()
        self.assertFalse(self._get_refusal())

    def test_any_of_several_offers_is_enough(self):
        self._grant(
            "offer", tiers=self.bronze, reward_ids=[Command.set(self.reward.ids)]
        )
        self.assertFalse(self._get_refusal())

    def test_offer_of_every_member_refuses_nobody(self):
        self.offer.tier_ids = False
        self.assertFalse(self._get_refusal())

    def test_redemption_of_an_offer_is_logged_with_its_cost(self):
        self.member._set_tier(self.gold)
        order = self._quote()
        redemption = self._redeem_reward(order, self.reward)
        use = self._get_use(redemption)
        self.assertEqual((use.state, use.privilege_id), ("planned", self.offer))
        self.assertAlmostEqual(use.value, redemption.cost)
        order.action_confirm()
        self.assertEqual((use.state, use.tier_id), ("used", self.gold))
        self.assertAlmostEqual(use.value, 17.39)
        order._action_cancel()
        self.assertEqual((use.state, use.value), ("released", 0))

    def test_credit_note_gives_the_offer_back(self):
        self.member._set_tier(self.gold)
        order = self._quote()
        redemption = self._redeem_reward(order, self.reward)
        invoice = self._bill(order)
        self.assertEqual(self._get_use(redemption).state, "used")
        self._credit(invoice)
        self.assertEqual(redemption.state, "returned")
        self.assertEqual(self._get_use(redemption).state, "released")

    def test_other_rewards_are_not_logged(self):
        reward = self._create_reward(name="For all", sequence=1)
        redemption = self._redeem_reward(self._quote(), reward)
        self.assertFalse(self._get_use(redemption))

    def test_advisor_redeems_an_offer(self):
        self.member._set_tier(self.gold)
        advisor = self._create_user("advisor", USER, *COUNTER)
        order = self._quote().with_user(advisor)
        redemption = self._redeem_reward(order, self.reward)
        order.action_confirm()
        self.assertEqual(self._get_use(redemption.sudo()).user_id, advisor)
