from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from .garage_loyalty_roll_forward_query import FIGURES
from .garage_loyalty_roll_forward_tier_query import NO_TIER


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
    moved_amount = fields.Monetary(string="Changed tier (value)", readonly=True)

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
        first, last = self._get_days()
        if figure in ("opening", "closing"):
            day = fields.Date.subtract(first, days=1) if figure == "opening" else last
            return [
                ("program_id", "=", self.program_id.id),
                ("date", "<=", day),
                ("member_id", "in", self._get_member_ids(day)),
            ]
        kinds = [kind for kind, name in FIGURES.items() if name == figure] or [*FIGURES]
        return [("id", "in", self._get_entry_ids(kinds, first, last))]

    def _get_member_ids(self, day):
        """Return the members who had the tier at the end of a day."""
        rows = self.env.execute_query(
            SQL(
                "SELECT member_id FROM (%s) standing "
                "WHERE tier_id = %s AND since <= %s AND until > %s",
                self._get_standing(),
                self.tier_id.id or NO_TIER,
                day,
                day,
            )
        )
        return [row[0] for row in rows]

    def _get_entry_ids(self, kinds, first, last):
        """Return the entries of members while they had the tier."""
        rows = self.env.execute_query(
            SQL(
                """
                SELECT entry.id
                  FROM garage_loyalty_entry entry
                  LEFT JOIN (%s) standing ON standing.member_id = entry.member_id
                   AND entry.date >= standing.since AND entry.date < standing.until
                 WHERE entry.program_id = %s AND entry.kind = ANY(%s)
                   AND entry.date BETWEEN %s AND %s
                   AND COALESCE(standing.tier_id, %s) = %s
                """,
                self._get_standing(),
                self.program_id.id,
                kinds,
                first,
                last,
                NO_TIER,
                self.tier_id.id or NO_TIER,
            )
        )
        return [row[0] for row in rows]
