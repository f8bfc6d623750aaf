from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from ..tools import redeem


class GarageLoyaltyRedeem(models.TransientModel):
    _name = "garage.loyalty.redeem"
    _description = "Redeem Points"
    _inherit = ["garage.loyalty.input.mixin", "garage.loyalty.offer.mixin"]

    order_id = fields.Many2one("sale.order", string="Quotation", readonly=True)
    move_id = fields.Many2one("account.move", string="Invoice", readonly=True)
    currency_id = fields.Many2one("res.currency", compute="_compute_limits")
    member_id = fields.Many2one("garage.loyalty.member", compute="_compute_limits")
    redemption_id = fields.Many2one(
        "garage.loyalty.redemption",
        string="Redeemed so far",
        compute="_compute_limits",
        help="It is replaced by what you choose here.",
    )
    available_points = fields.Integer(string="Available", compute="_compute_limits")
    max_points = fields.Integer(
        string="Most here",
        compute="_compute_limits",
        help="Limited by what is available, by how much of labour and of parts may "
        "be paid with points, and by what is left to pay.",
    )
    minimum_points = fields.Integer(string="Fewest at once", compute="_compute_limits")
    max_amount = fields.Monetary(string="Worth at most", compute="_compute_limits")
    labour_room = fields.Monetary(string="Labour allows", compute="_compute_limits")
    parts_room = fields.Monetary(string="Parts allow", compute="_compute_limits")
    points = fields.Integer(
        string="Points to redeem",
        compute="_compute_points",
        store=True,
        readonly=False,
    )
    amount = fields.Monetary(string="Takes off", compute="_compute_amount")

    def _get_document(self):
        self.ensure_one()
        return self.order_id or self.move_id

    def _get_redemption(self, document):
        """Return what is redeemed on the document already, to be replaced.

        What the quotations of an invoice have promised is not.
        """
        redemptions = document._get_loyalty_lines().loyalty_redemption_id
        return redemptions.filtered(
            lambda item: (item.order_id or item.move_id) == document
        )[:1]

    @api.depends("order_id", "move_id")
    def _compute_limits(self):
        for wizard in self:
            document = wizard._get_document()
            wizard.currency_id = document.currency_id or self.env.company.currency_id
            # The balance is for whoever may see the document and redeem on it.
            partner = document.sudo().partner_id
            company = document.company_id or self.env.company
            member = partner._get_loyalty_members(company).get(
                partner.commercial_partner_id
            )
            wizard.member_id = member if member and member.state == "active" else False
            wizard.redemption_id = self._get_redemption(document)
            wizard._set_limits(document)

    def _set_limits(self, document):
        program = self.member_id.program_id
        redemption = self.redemption_id
        if not program:
            self.available_points = self.max_points = self.minimum_points = 0
            self.labour_room = self.parts_room = self.max_amount = 0.0
            return
        limits = document._get_loyalty_limits(redemption, program)
        value = document._get_loyalty_point_value(program)
        available = self.member_id.points_available
        self.available_points = max(available + redemption.points_spent, 0)
        self.max_points = min(
            self.available_points, redeem.points_for(limits.amount, value)
        )
        self.minimum_points = program.minimum_redemption
        self.labour_room = float(limits.labour)
        self.parts_room = float(limits.parts)
        self.max_amount = self._get_worth(self.max_points, value)

    def _get_worth(self, points, value):
        return float(redeem.worth(points, value, self.currency_id.decimal_places))

    @api.depends("redemption_id", "max_points")
    def _compute_points(self):
        for wizard in self:
            current = wizard.redemption_id
            wizard.points = (not current.reward_id and current.points) or (
                wizard.max_points
            )

    @api.depends("kind", "points", "max_points", "reward_id")
    def _compute_amount(self):
        for wizard in self:
            if wizard.kind == "reward":
                wizard.amount = wizard._get_reward_amounts(wizard.reward_id)[0]
                continue
            document, program = wizard._get_document(), wizard.member_id.program_id
            value = document._get_loyalty_point_value(program) if program else 0
            points = min(max(wizard.points, 0), wizard.max_points)
            wizard.amount = wizard._get_worth(points, value)

    # -- buttons ----------------------------------------------------------------

    def action_redeem(self):
        """Redeem the points on the document, in place of what is redeemed so far.

        :raise UserError: when the document or the balance does not allow it
        """
        self.ensure_one()
        self._check_rights()
        document = self._get_document()
        document._check_loyalty_redeemable()
        self._check_member()
        if self.kind == "reward":
            self._check_reward()
        else:
            self._check_points()
        # Advisors cannot write redemptions: what they may redeem was checked above.
        redemption = self.redemption_id.sudo()
        vals = self._prepare_redemption_vals()
        redemption._remove()
        redemption = redemption.create(vals)
        document._apply_loyalty_redemption(redemption)
        return {"type": "ir.actions.act_window_close"}

    def action_remove(self):
        """Redeem nothing on the document after all."""
        self.ensure_one()
        self._check_rights()
        self._get_document()._check_loyalty_redeemable()
        self.redemption_id.sudo()._remove()  # as for redeeming
        return {"type": "ir.actions.act_window_close"}

    def _check_rights(self):
        if not self.env.user.has_group("garage_loyalty.garage_loyalty_group_user"):
            raise AccessError(self.env._("Only loyalty users redeem points."))
        if not self._get_document():
            raise UserError(
                self.env._("Points are redeemed on a quotation or on an invoice.")
            )
        self._get_document().check_access("write")

    def _check_member(self):
        if not self.member_id:
            raise UserError(self.env._("The customer is not an active member."))

    def _check_points(self):
        if self.points <= 0 or self.points < self.minimum_points:
            raise UserError(
                self.env._(
                    "At least %s points are redeemed at once.",
                    max(self.minimum_points, 1),
                )
            )
        if self.points > self.max_points:
            raise UserError(
                self.env._(
                    "At most %(most)s points can be redeemed here: %(available)s are "
                    "available, and the document allows %(amount)s.",
                    most=self.max_points,
                    available=self.available_points,
                    amount=self.currency_id.format(self.max_amount),
                )
            )

    def _prepare_redemption_vals(self):
        """Return the values of the redemption. Override to fill in more."""
        self.ensure_one()
        reward = self._get_chosen_reward()
        return {
            "member_id": self.member_id.id,
            "order_id": self.order_id.id,
            "move_id": self.move_id.id,
            "currency_id": self.currency_id.id,
            "reward_id": reward.id,
            "points": reward.points if reward else self.points,
            "amount": self.amount,
            "user_id": self.env.uid,
        }
