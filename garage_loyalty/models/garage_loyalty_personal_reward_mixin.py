from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import SQL, format_date

from ..tools import offers as offer_rules
from ..tools import rewards as rules
from ..tools.discounts import category_path


class GarageLoyaltyPersonalRewardMixin(models.AbstractModel):
    """Rewards for customers to whom they were offered, and for one kind of work."""

    _name = "garage.loyalty.personal.reward.mixin"
    _description = "Reward That Is Offered Personally"
    _inherit = "garage.loyalty.limited.offer.mixin"

    is_personal = fields.Boolean(
        string="Personal",
        help="Only for customers to whom it was offered personally, each time once.",
    )
    categ_id = fields.Many2one(
        "product.category",
        string="Only on",
        ondelete="restrict",
        index="btree_not_null",
        help="Counts products of this category, and of those below it. Empty means "
        "all of them.",
    )
    personal_offer_count = fields.Integer(
        string="Offered",
        compute="_compute_personal_offer_count",
        compute_sudo=True,
        help="To how many customers it was offered personally.",
    )

    def _compute_personal_offer_count(self):
        rows = self.env["garage.loyalty.personal.offer"]._read_group(
            [("reward_id", "in", self.ids)], ["reward_id"], ["__count"]
        )
        counts = {reward.id: count for reward, count in rows}
        for reward in self:
            reward.personal_offer_count = counts.get(reward._origin.id, 0)

    @api.constrains("program_id")
    def _check_offers_stay(self):
        # Whoever moves a reward need not see the offers of other companies.
        offers = self.env["garage.loyalty.personal.offer"].sudo()
        for reward in self:
            domain = [
                ("reward_id", "=", reward.id),
                ("company_id", "!=", reward.company_id.id),
            ]
            if offers.with_context(active_test=False).search_count(domain, limit=1):
                raise ValidationError(
                    self.env._(
                        "“%s” was offered to customers: it cannot move to another "
                        "company.",
                        reward.name,
                    )
                )

    @api.ondelete(at_uninstall=False)
    def _unlink_except_offered(self):
        # Offers of any state and company keep the reward.
        Offer = self.env["garage.loyalty.personal.offer"].sudo()
        Offer = Offer.with_context(active_test=False)
        offered = Offer.search([("reward_id", "in", self.ids)], limit=1).reward_id
        if offered:
            raise UserError(
                self.env._(
                    "“%s” was offered to customers and cannot be deleted. Archive it "
                    "instead.",
                    offered.name,
                )
            )

    def action_open_offers(self):
        """Open the personal offers of the reward."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "garage_loyalty.garage_loyalty_personal_offer_action"
        )
        return action | {"domain": [("reward_id", "=", self.id)], "context": {}}

    # -- who may have it --------------------------------------------------------------

    @api.model
    def _get_choice(self, member):
        """Return the rewards that the dialog shows to a member.

        Personal ones only to whom they were offered: what is open first, what is over
        last. Override to show others.
        """
        offers = self.env["garage.loyalty.personal.offer"]._get_of(
            member.partner_id, member.company_id
        )
        personal = offers.reward_id.filtered(
            lambda reward: reward.is_personal and reward.company_id == member.company_id
        )
        now = personal & offers._get_open().reward_id
        every = member.program_id.reward_ids.filtered(
            lambda reward: not reward.is_personal
        )
        return (now | every | personal).filtered("active")

    def _get_offer_refusal(self, member):
        refusal = super()._get_offer_refusal(member)
        return self._get_personal_refusal(member) or refusal

    def _get_personal_refusal(self, member):
        """Return in words why a personal reward is not for a member, or ""."""
        self.ensure_one()
        if not self.is_personal:
            return ""
        offers = self.env["garage.loyalty.personal.offer"]._get_of(
            member.partner_id, member.company_id, self
        )
        found = [(offer.state, offer.date_until) for offer in offers]
        last = max(offers.mapped("date_until"), default=None)
        return {
            None: "",
            "": self.env._("Not offered to this customer."),
            offer_rules.EXPIRED: self.env._(
                "The offer ended on %s.", format_date(self.env, last)
            ),
            offer_rules.USED: self.env._("Used already."),
        }[offer_rules.refusal(found)]

    def _get_offered_until(self, member):
        """Return in words until when a member may have a personal reward, or ""."""
        self.ensure_one()
        if not self.is_personal:
            return ""
        offers = self.env["garage.loyalty.personal.offer"]._get_of(
            member.partner_id, member.company_id, self
        )
        return ", ".join(
            self.env._("Personal offer, until %s", offer._get_until())
            for offer in offers._get_open()[:1]
        )

    # -- on one kind of work ----------------------------------------------------------

    def _get_covered(self, lines):
        """Return the lines of a document that a reward counts.

        :param self: one reward, or none
        """
        category = self.categ_id
        if not category:
            return lines
        return lines.filtered(
            lambda line: (
                category.id in category_path(line.product_id.categ_id.parent_path)
            )
        )

    def _get_nothing_left(self):
        """Return in words that there is nothing on a document to be rewarded."""
        self.ensure_one()
        if self.categ_id:
            return self.env._("There is no “%s” to pay here.", self.categ_id.name)
        return {
            rules.AMOUNT: self.env._("Nothing is left to pay here."),
            rules.LABOUR: self.env._("There is no labour to pay here."),
            rules.PARTS: self.env._("There are no parts to pay here."),
        }.get(self.kind)

    # -- regular work -----------------------------------------------------------------

    @api.model
    def _get_for_regulars(self, program, category):
        """Return the reward for regulars of a kind of work, made when there is none.

        Override to give them another one.
        """
        terms = self._prepare_for_regulars(program, category)
        given = [(name, "=", terms[name]) for name in terms if name != "name"]
        limits = ["date_from", "date_to", "max_amount", "stock", "tier_id"]
        given += [(name, "in", [False, 0]) for name in limits]
        rewards = self.search(given, limit=1, order="id")
        return rewards or self._create_for_regulars(program, terms)

    @api.model
    def _create_for_regulars(self, program, terms):
        # Of two who need the same reward at once, the second one is tried again, and
        # finds it.
        self.env.cr.execute(
            SQL(
                "UPDATE garage_loyalty_program SET name = name WHERE id = %s",
                program.id,
            )
        )
        return self.create(terms)

    @api.model
    def _prepare_for_regulars(self, program, category):
        """Return the values of a reward for regulars. Override to give more."""
        percent = program.company_id.loyalty_regular_percent
        name = self.env._(
            "%(percent)s%% off %(kind)s for regulars",
            percent=f"{percent:g}",
            kind=category.name,
        )
        return {
            "name": name,
            "program_id": program.id,
            "kind": rules.LABOUR,
            "percent": percent,
            "points": 0,
            "is_personal": True,
            "categ_id": category.id,
        }
