from psycopg2 import IntegrityError

from odoo import Command
from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

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


@tagged("post_install", "-at_install")
class TestOffersWithoutPoints(RewardsCommon):
    """Special offers of a club that has no points: so many a year."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.program.has_points = False
        cls.reward = cls._create_reward("labour_percent", percent=20, points=0)
        cls.offer = cls._grant(
            "offer", tiers=cls.gold, quota=1, reward_ids=[Command.set(cls.reward.ids)]
        )
        cls.member._set_tier(cls.gold)

    def _use(self):
        return self.env["garage.loyalty.privilege.use"].search(
            [("privilege_id", "=", self.offer.id), ("state", "=", "used")]
        )

    def test_offer_without_points_takes_no_points(self):
        balance = self.member.points
        order = self._quote()
        redemption = self._redeem_reward(order, self.reward)
        order.action_confirm()
        self.assertEqual((redemption.state, redemption.points_spent), ("reserved", 0))
        self.assertAlmostEqual(redemption.amount, 46)
        self.assertFalse(redemption.entry_ids)
        self.assertEqual(self.member.points, balance)
        self.assertNotIn("points", order.order_line.mapped("name")[-1])

    def test_offer_is_refused_when_the_quota_of_the_year_is_used(self):
        first = self._quote()
        self._redeem_reward(first, self.reward)
        first.action_confirm()
        self.assertEqual(
            self._wizard(self._quote()).offers[0]["refusal"], "Used up for this year."
        )
        first._action_cancel()
        self.assertFalse(self._wizard(self._quote()).offers[0]["refusal"])

    def test_second_of_two_drafts_cannot_be_confirmed(self):
        first, second = self._quote(), self._quote()
        for order in (first, second):
            self._redeem_reward(order, self.reward)
        first.action_confirm()
        with self.assertRaisesRegex(UserError, "used up for this year"):
            second.action_confirm()

    def test_credit_note_gives_the_offer_back_and_its_cancelling_takes_it(self):
        order = self._quote()
        redemption = self._redeem_reward(order, self.reward)
        invoice = self._bill(order)
        self.assertEqual(redemption.state, "done")
        credit = self._credit(invoice)
        self.assertEqual(redemption.state, "returned")
        self.assertFalse(self._use())
        again = self._quote()
        self._redeem_reward(again, self.reward)
        again.action_confirm()
        credit.button_draft()
        self.assertEqual(redemption.state, "done")
        self.assertEqual(len(self._use()), 2)

    def test_quota_stays_used_when_the_order_is_billed(self):
        order = self._quote()
        self._redeem_reward(order, self.reward)
        order.action_confirm()
        self._bill(order)
        self.assertEqual(self._use().mapped("number"), [1])

    def test_points_that_pay_nothing_are_refused_without_a_reward(self):
        with self.assertRaises(IntegrityError), mute_logger("odoo.sql_db"):
            self.env["garage.loyalty.redemption"].sudo().create(
                {
                    "member_id": self.member.id,
                    "currency_id": self.env.company.currency_id.id,
                    "points": 0,
                }
            )

    def test_club_set_up_without_points_has_an_offer_without_points(self):
        self.program.privilege_ids.unlink()
        self.program._set_up(False, False, True)
        offer = self.program.privilege_ids.filtered(lambda item: item.kind == "offer")
        self.assertEqual((offer.quota, offer.reward_ids.points), (1, 0))
