from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools.misc import formatLang

from ..tools.rewards import PRODUCT


class GarageLoyaltyOfferMixin(models.AbstractModel):
    """The rewards that a member may have on a document, for the dialog.

    The dialog knows the document, the member and the points that can be spent.
    """

    _name = "garage.loyalty.offer.mixin"
    _description = "Rewards Offered on a Document"

    kind = fields.Selection(
        [("points", "Pay with points"), ("reward", "Choose a reward")],
        string="Redeem",
        compute="_compute_kind",
        store=True,
        readonly=False,
    )
    offers = fields.Json(
        compute="_compute_offers",
        help="The rewards of the programme: what they are worth here, or why not.",
    )
    reward_id = fields.Many2one(
        "garage.loyalty.reward",
        compute="_compute_reward_id",
        store=True,
        readonly=False,
    )
    hint = fields.Char(compute="_compute_hint")

    @api.depends("order_id", "move_id")
    def _compute_offers(self):
        for wizard in self:
            rewards = self.env["garage.loyalty.reward"]._get_choice(wizard.member_id)
            wizard.offers = [wizard._prepare_offer(reward) for reward in rewards]

    def _prepare_offer(self, reward):
        """Return what the dialog shows of a reward. Override to show more."""
        worth = self.env._(
            "%s off", self.currency_id.format(self._get_reward_amounts(reward)[0])
        )
        points = reward.points and self.env._(
            "%s points", formatLang(self.env, reward.points, digits=0)
        )
        until = reward._get_offered_until(self.member_id)
        return {
            "id": reward.id,
            "name": reward.name,
            "points": " · ".join(filter(None, [until, points])) or False,
            "is_personal": bool(until),
            "worth": self.env._("Free") if reward.kind == PRODUCT else worth,
            "refusal": self._get_refusal(reward),
        }

    def _get_reward_amounts(self, reward):
        """Return what a reward takes off here, and would if more were left to pay."""
        if not reward:
            return 0.0, 0.0
        document = self._get_document()
        return document._get_loyalty_reward(reward, self.redemption_id)

    def _get_chosen_reward(self):
        self.ensure_one()
        return self.reward_id if self.kind == "reward" else self.reward_id.browse()

    def _get_refusal(self, reward):
        amount = self._get_reward_amounts(reward)[0]
        return reward._get_refusal(self.member_id, self.available_points, amount)

    def _get_possible_ids(self):
        return [offer["id"] for offer in self.offers or [] if not offer["refusal"]]

    def _get_personal_ids(self):
        """Return what was offered personally, and is possible here."""
        personal = {item["id"] for item in self.offers or [] if item["is_personal"]}
        return [item for item in self._get_possible_ids() if item in personal]

    @api.depends("offers")
    def _compute_kind(self):
        for wizard in self:
            few = wizard.max_points < max(wizard.minimum_points, 1)
            is_reward = wizard.redemption_id.reward_id or (
                few and wizard._get_possible_ids()
            )
            # What was offered personally is over one day: points stay.
            is_offered = not wizard.redemption_id and wizard._get_personal_ids()
            wizard.kind = "reward" if is_reward or is_offered else "points"

    @api.depends("offers")
    def _compute_reward_id(self):
        for wizard in self:
            possible, personal = (
                wizard._get_possible_ids(),
                wizard._get_personal_ids(),
            )
            current = wizard.redemption_id.reward_id.id
            first = personal[:1] or (possible if len(possible) == 1 else [False])
            wizard.reward_id = current if current in possible else first[0]

    @api.depends("kind", "reward_id")
    def _compute_hint(self):
        for wizard in self:
            reward = wizard._get_chosen_reward()
            wizard.hint = wizard._get_hint(reward) if reward else False

    def _get_hint(self, reward):
        """Return what the advisor should know before giving a reward, or False."""
        amount, promise = self._get_reward_amounts(reward)
        lines = self._get_document()._get_loyalty_lines()
        paid = lines.filtered(lambda line: line._is_loyalty_priced())
        if reward.kind == PRODUCT and reward.product_id in paid.product_id:
            return self.env._(
                "“%s” is on the document already. The free one is added to it: delete "
                "the other line if the customer gets only one.",
                reward.product_id.display_name,
            )
        if reward.kind != PRODUCT and amount < promise:
            return self.env._(
                "Only %(amount)s of %(promise)s: there is no more left to pay here.",
                amount=self.currency_id.format(amount),
                promise=self.currency_id.format(promise),
            )
        return False

    def _check_reward(self):
        """Refuse a reward that the member may not have on this document.

        :raise UserError: with the reason
        """
        reward = self.reward_id
        if not reward:
            raise UserError(self.env._("Choose a reward first."))
        if reward not in reward._get_choice(self.member_id):
            raise UserError(
                self.env._("“%s” is not a reward of this programme.", reward.name)
            )
        refusal = self._get_refusal(reward)
        if refusal:
            raise UserError(
                self.env._(
                    "“%(reward)s” cannot be redeemed here. %(reason)s",
                    reward=reward.name,
                    reason=refusal,
                )
            )
