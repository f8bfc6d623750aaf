from math import floor

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL, format_amount


class GarageLoyaltyTierProgressMixin(models.AbstractModel):
    """How far a member is from the next tier, and what keeps the present one."""

    _name = "garage.loyalty.tier.progress.mixin"
    _description = "Progress to a Loyalty Tier"

    tier_id = fields.Many2one("garage.loyalty.tier")
    tier_color = fields.Integer(related="tier_id.color")
    loyalty_discount_text = fields.Char(related="tier_id.discount_text")
    qualification_ids = fields.One2many(
        "garage.loyalty.qualification", "member_id", readonly=True
    )
    next_tier_id = fields.Many2one(
        "garage.loyalty.tier", compute="_compute_tier_progress"
    )
    tier_progress = fields.Float(
        string="Progress (%)",
        compute="_compute_tier_progress",
        help="How much of what the next tier needs has been reached.",
    )
    tier_missing = fields.Char(
        string="Missing to the next tier", compute="_compute_tier_progress"
    )
    tier_kept_until = fields.Date(
        string="Tier kept until",
        compute="_compute_tier_progress",
        help="Day of the review at which the tier is lost, unless what is missing is "
        "reached before.",
    )
    tier_to_keep = fields.Char(
        string="Missing to keep it", compute="_compute_tier_progress"
    )
    is_tier_at_risk = fields.Boolean(
        string="About to lose the tier",
        compute="_compute_is_tier_at_risk",
        search="_search_is_tier_at_risk",
    )

    @api.depends("tier_id", "program_id", "qualification_ids.date_until")
    def _compute_tier_progress(self):
        Figures = self.env["garage.loyalty.tier.figures"]
        blank = dict.fromkeys(self._get_progress_names())
        for program, members in self.grouped("program_id").items():
            # The figures of a member are for whoever may see the member.
            program = program.sudo()
            mine = members.filtered(
                lambda member: member._origin.id and member.state != "left"
            )
            if not program or not program._get_rules().tiers.are_given:
                mine = self.browse()
            (members - mine).update(blank)
            day = program.company_id._get_loyalty_today()
            # As above.
            figures = Figures.sudo()._get_figures(program, mine, day) if mine else {}
            for member in mine:
                member.update(blank | member._get_tier_progress(figures[member]))

    @api.depends("tier_kept_until")
    def _compute_is_tier_at_risk(self):
        for member in self:
            member.is_tier_at_risk = bool(member.tier_kept_until)

    @api.model
    def _search_is_tier_at_risk(self, operator, value):
        if operator != "in":
            return NotImplemented
        # What the review found; the figures of the day may say better already.
        found = Domain(
            "id",
            "in",
            SQL(
                """(
                SELECT member.id FROM garage_loyalty_member member
                  JOIN garage_loyalty_qualification held
                    ON held.member_id = member.id AND held.tier_id = member.tier_id
                 WHERE held.date_until IS NOT NULL
                   AND member.is_tier_fixed IS NOT TRUE AND member.state <> 'left'
                )"""
            ),
        )
        return Domain.OR(found if item else ~found for item in value)

    @api.model
    def _group_expand_tier_id(self, tiers, domain):
        """Show all tiers of the programmes as columns, also those without members."""
        mine = self.env["garage.loyalty.tier"].search(
            [("company_id", "in", self.env.companies.loyalty_company_id.ids)]
        )
        return mine | tiers

    @api.model
    def _get_progress_names(self):
        return [
            "next_tier_id",
            "tier_progress",
            "tier_missing",
            "tier_kept_until",
            "tier_to_keep",
        ]

    def _get_tier_progress(self, figures):
        """Return what is known of one member's way up, and down."""
        self.ensure_one()
        tiers = self.program_id.sudo().tier_ids  # read to compare, not to show
        levels = self.program_id._get_rules().tiers.levels
        place = list(tiers).index(self.tier_id) if self.tier_id in tiers else 0
        vals = {}
        above = [
            (tier, level)
            for tier, level in zip(tiers[place + 1 :], levels[place:], strict=True)
            if level.asks
        ]
        if above:
            tier, level = above[0]
            vals |= {
                "next_tier_id": tier.id,
                # What is nearly reached is not reached.
                "tier_progress": floor(100 * level.progress(figures)),
                "tier_missing": self._describe_missing(level, figures),
            }
        lost = self.qualification_ids.filtered(
            lambda row: row.tier_id == self.tier_id and row.date_until
        )
        if lost and not self.is_tier_fixed:
            vals |= {
                "tier_kept_until": lost.date_until,
                "tier_to_keep": self._describe_missing(levels[place - 1], figures),
            }
        return vals

    def _describe_missing(self, level, figures):
        """Return in words what is missing to a tier."""
        missing = level.missing(figures)
        texts = {
            "spend": lambda value: format_amount(self.env, value, self.currency_id),
            "points": lambda value: self.env._("%s points", value),
            "visits": lambda value: (
                self.env._("1 visit") if value == 1 else self.env._("%s visits", value)
            ),
        }
        parts = [texts[name](value) for name, value in missing.items()]
        return (self.env._(" and ") if level.match_all else self.env._(" or ")).join(
            parts
        )
