from odoo import api, fields, models

from .garage_loyalty_member_status import STATES


class GarageLoyaltyBadgeMixin(models.AbstractModel):
    """What a document shows of its customer's membership, whoever may see it."""

    _name = "garage.loyalty.badge.mixin"
    _description = "Loyalty Badge"

    loyalty_member_id = fields.Many2one(
        "garage.loyalty.member", string="Membership", compute="_compute_loyalty"
    )
    loyalty_tier_id = fields.Many2one(
        "garage.loyalty.tier", string="Tier", compute="_compute_loyalty"
    )
    loyalty_points = fields.Integer(
        string="Points of the customer", compute="_compute_loyalty"
    )
    loyalty_state = fields.Selection(
        STATES, string="Membership state", compute="_compute_loyalty"
    )
    loyalty_tier_color = fields.Integer(
        string="Colour of the tier", compute="_compute_loyalty_tier_color"
    )
    loyalty_next_tier_id = fields.Many2one(
        "garage.loyalty.tier", compute="_compute_loyalty_progress"
    )
    loyalty_tier_missing = fields.Char(
        string="Missing to the next tier", compute="_compute_loyalty_progress"
    )
    loyalty_tier_kept_until = fields.Date(
        string="Tier kept until", compute="_compute_loyalty_progress"
    )

    def _compute_loyalty(self):
        """Compute the first four fields. Every model knows its own customer."""
        raise NotImplementedError

    @api.depends("loyalty_tier_id")
    def _compute_loyalty_tier_color(self):
        for record in self:
            # The badge is for everybody who may see the document, and so is the rest.
            record.loyalty_tier_color = record.sudo().loyalty_tier_id.color

    @api.depends("loyalty_member_id")
    def _compute_loyalty_progress(self):
        for record in self:
            member = record.sudo().loyalty_member_id  # as above
            record.loyalty_next_tier_id = member.next_tier_id
            record.loyalty_tier_missing = member.tier_missing
            record.loyalty_tier_kept_until = member.tier_kept_until
