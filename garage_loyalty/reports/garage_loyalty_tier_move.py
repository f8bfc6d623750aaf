from odoo import api, fields, models
from odoo.tools import SQL


class GarageLoyaltyTierMove(models.Model):
    """Who moved to which tier, when and why: the history, without what is no move."""

    _name = "garage.loyalty.tier.move"
    _description = "Moves between Loyalty Tiers"
    _inherit = ["garage.loyalty.export.mixin", "garage.loyalty.ratio.mixin"]
    _auto = False
    _order = "date desc, id desc"
    _rec_name = "date"
    _depends = {
        "garage.loyalty.member": ["company_id", "partner_id", "program_id"],
        "garage.loyalty.member.status": [
            "date",
            "member_id",
            "points",
            "reason",
            "spend",
            "state",
            "tier_id",
            "user_id",
            "visits",
        ],
        "garage.loyalty.tier": ["sequence"],
        "res.company": ["currency_id"],
    }

    date = fields.Date(readonly=True)
    direction = fields.Selection(
        [("up", "Up"), ("down", "Down")],
        readonly=True,
        help="By the order of the tiers in the programme, as it is today.",
    )
    member_id = fields.Many2one("garage.loyalty.member", readonly=True)
    partner_id = fields.Many2one("res.partner", string="Customer", readonly=True)
    program_id = fields.Many2one(
        "garage.loyalty.program", string="Programme", readonly=True
    )
    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    from_tier_id = fields.Many2one("garage.loyalty.tier", readonly=True)
    tier_id = fields.Many2one("garage.loyalty.tier", string="To tier", readonly=True)
    reason = fields.Char(readonly=True)
    user_id = fields.Many2one("res.users", string="Changed by", readonly=True)
    spend = fields.Monetary(
        readonly=True,
        aggregator="avg",
        help="Net spend in the time that counted. Totals are averages per move.",
    )
    visits = fields.Integer(
        readonly=True,
        aggregator="avg",
        help="Visits in the time that counted. Totals are averages per move.",
    )
    member_count = fields.Integer(
        string="Members",
        readonly=True,
        aggregator="count_distinct",
        help="How many members moved, each counted once.",
    )

    @api.model
    def _get_ratios(self):
        return {**super()._get_ratios(), "spend:avg": ("spend:sum", "spend:count")}

    @property
    def _table_query(self) -> SQL:
        return SQL("%s %s %s", self._select(), self._from(), self._where())

    @api.model
    def _select(self) -> SQL:
        """Return the columns. Override, calling super, to add one."""
        return SQL(
            """
            SELECT history.id, history.date, history.member_id, history.from_tier_id,
                   history.tier_id, history.reason, history.user_id, history.spend,
                   history.visits, member.partner_id, member.program_id,
                   member.company_id, company.currency_id,
                   history.member_id AS member_count,
                   CASE WHEN (tier.sequence, tier.id)
                           > (from_tier.sequence, from_tier.id)
                        THEN 'up' ELSE 'down' END AS direction
            """
        )

    @api.model
    def _from(self) -> SQL:
        """Return the tables, each row of the history with the tier before it."""
        return SQL(
            """
              FROM (SELECT status.*, lag(tier_id) OVER (
                               PARTITION BY member_id ORDER BY date, id)
                               AS from_tier_id
                      FROM garage_loyalty_member_status status) history
              JOIN garage_loyalty_member member ON member.id = history.member_id
              JOIN res_company company ON company.id = member.company_id
              JOIN garage_loyalty_tier tier ON tier.id = history.tier_id
              JOIN garage_loyalty_tier from_tier ON from_tier.id = history.from_tier_id
            """
        )

    @api.model
    def _where(self) -> SQL:
        """Return the condition. Override to leave out, or to keep, more."""
        return SQL("WHERE history.tier_id <> history.from_tier_id")
