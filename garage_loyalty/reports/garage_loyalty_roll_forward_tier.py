from odoo import api, fields, models
from odoo.exceptions import UserError


class GarageLoyaltyRollForwardTier(models.Model):
    """What is owed in points, and why it moved, by the tier of members then.

    Opening, all movements and what came and went with members who changed make the
    closing of each tier; tiers make the programme of ``garage.loyalty.roll.forward`` to
    the smallest coin. What the rounded amounts of tiers lack of it is in rows of their
    own, without a tier.
    """

    _name = "garage.loyalty.roll.forward.tier"
    _description = "Roll-Forward of Points by Tier"
    _inherit = [
        "garage.loyalty.roll.forward.tier.query",
        "garage.loyalty.roll.forward",
    ]
    _auto = False
    _log_access = False
    _order = "month desc, program_id, is_rounding, tier_id, id"
    _depends = {
        "garage.loyalty.entry": [
            "company_id",
            "date",
            "kind",
            "member_id",
            "points",
            "program_id",
        ],
        "garage.loyalty.member.status": ["date", "member_id", "tier_id"],
        "garage.loyalty.program": ["company_id"],
        "garage.loyalty.valuation": ["date", "program_id", "worth"],
        "res.company": ["currency_id"],
        "res.currency": ["decimal_places"],
    }

    tier_id = fields.Many2one(
        "garage.loyalty.tier",
        readonly=True,
        help="Of the members on the day. Empty: members without a tier, and what "
        "rounding leaves over.",
    )
    is_rounding = fields.Boolean(
        string="Rounding",
        readonly=True,
        help="What the rounded amounts of the tiers lack of that of the programme.",
    )
    moved = fields.Integer(
        string="Changed tier",
        readonly=True,
        help="Points that came with members from other tiers, less those that left.",
    )
    moved_amount = fields.Monetary(
        string="Changed tier (value)",
        readonly=True,
        help="What is owed more or less for the points of members who changed tier.",
    )

    @api.readonly
    def action_open_entries(self):
        """Open what a figure is made of: entries, or the members who changed.

        :raise UserError: for differences of rounding, which nobody has posted
        """
        self.ensure_one()
        if self.is_rounding:
            raise UserError(self.env._("Differences of rounding have no entries."))
        figure = (self.env.context.get("figure") or "").removesuffix("_amount")
        action = super().action_open_entries()
        return action | self._get_moves() if figure == "moved" else action

    def _get_moves(self):
        """Return what opens the changes of tier that have moved points."""
        first, last = self._get_days()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "garage_loyalty.garage_loyalty_tier_move_action"
        )
        names = ("res_model", "views", "view_mode", "search_view_id", "id", "path")
        domain = [
            ("program_id", "=", self.program_id.id),
            ("date", ">=", first),
            ("date", "<=", last),
            "|",
            ("tier_id", "=", self.tier_id.id),
            ("from_tier_id", "=", self.tier_id.id),
        ]
        return {name: action.get(name) for name in names} | {"domain": domain}

    def _get_entry_domain(self, figure):
        """Return the domain of the entries behind a figure."""
        domain = super()._get_entry_domain(figure)
        return [*domain, ("tier_then_id", "=", self.tier_id.id)]

    def _get_entry_context(self, figure):
        """Return the day at whose end the tier counts, for what is outstanding then."""
        first, last = self._get_days()
        days = {"opening": fields.Date.subtract(first, days=1), "closing": last}
        day = days.get(figure)
        context = super()._get_entry_context(figure)
        return context | {"loyalty_tier_date": day} if day else context
