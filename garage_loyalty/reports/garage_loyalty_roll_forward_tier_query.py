from odoo import api, models
from odoo.tools import SQL

from ..tools.rows import columns
from .garage_loyalty_roll_forward_query import FIGURES

# What no entry says, but the history of members: their points go with them.
MOVED = "tier"
# In place of a tier: members without one; what rounding each tier leaves over.
NO_TIER, ROUNDING = 0, -1


class GarageLoyaltyRollForwardTierQuery(models.AbstractModel):
    """The parts of the query of ``garage.loyalty.roll.forward.tier``.

    An entry belongs to the tier that the member had on its day. When a member changes,
    all points that were outstanding when the day began leave one tier and enter the
    other. Each tier is rounded by itself, as a programme is; what the tiers then lack
    of the programme is in rows of their own.
    """

    _name = "garage.loyalty.roll.forward.tier.query"
    _description = "Query of the Roll-Forward by Tier"
    _inherit = ["garage.loyalty.roll.forward.query"]

    @api.model
    def _get_keys(self):
        return columns(("program_id", "tier_id"))

    @api.model
    def _get_figures(self):
        return FIGURES | {MOVED: "moved"}

    @api.model
    def _get_named(self):
        named = super()._get_named()
        return {"standing": self._get_standing()} | named

    @api.model
    def _get_standing(self) -> SQL:
        """Return a query: from which day until which eve a member had which tier.

        The first one also before its day; of several of one day the last.
        """
        return SQL(
            """
            SELECT member_id, tier_id, date, lag(tier_id) OVER history AS former_id,
                   CASE WHEN lag(tier_id) OVER history IS NULL
                        THEN date '-infinity' ELSE date END AS since,
                   COALESCE(lead(date) OVER history, date 'infinity') AS until
              FROM (SELECT DISTINCT ON (member_id, date) member_id, date,
                           COALESCE(tier_id, %(none)s) AS tier_id
                      FROM garage_loyalty_member_status
                     ORDER BY member_id, date, id DESC) daily
            WINDOW history AS (PARTITION BY member_id ORDER BY date)
            """,
            none=NO_TIER,
        )

    @api.model
    def _get_daily(self) -> SQL:
        """Return a query: the points of each day, programme, tier and kind of entry."""
        return SQL(
            """
            SELECT entry.program_id, COALESCE(standing.tier_id, %(none)s) AS tier_id,
                   entry.date, entry.kind, sum(entry.points) AS points
              FROM garage_loyalty_entry entry
              LEFT JOIN standing ON standing.member_id = entry.member_id
               AND entry.date >= standing.since AND entry.date < standing.until
             GROUP BY 1, 2, 3, 4
             UNION ALL
            SELECT change.program_id, side.tier_id, change.date, %(moved)s,
                   sum(side.sign * change.points)
              FROM (%(changes)s) change
              JOIN LATERAL (VALUES (change.former_id, -1), (change.tier_id, 1))
                   AS side (tier_id, sign) ON TRUE
             GROUP BY 1, 2, 3
            HAVING sum(side.sign * change.points) <> 0
            """,
            none=NO_TIER,
            moved=MOVED,
            changes=self._get_changes(),
        )

    @api.model
    def _get_changes(self) -> SQL:
        """Return a query: changes of tier, with the points outstanding before."""
        return SQL(
            """
            SELECT standing.member_id, standing.date, standing.former_id,
                   standing.tier_id, entry.program_id, sum(entry.points) AS points
              FROM standing
              JOIN garage_loyalty_entry entry
                ON entry.member_id = standing.member_id
               AND entry.date < standing.date
             WHERE standing.former_id <> standing.tier_id
             GROUP BY 1, 2, 3, 4, 5
            """
        )

    @api.model
    def _get_rounded(self) -> SQL:
        """Return a query: cells of tiers, and what they lack of the programme's."""
        program = columns(("program_id",))
        return SQL(
            """
            WITH part AS MATERIALIZED (%(parts)s)
            SELECT * FROM part
             UNION ALL
            SELECT program_id, %(rounding)s, date, kind, 0,
                   COALESCE(whole.amount, 0) - COALESCE(tiers.amount, 0)
              FROM (SELECT program_id, date, kind, sum(amount) AS amount
                      FROM part GROUP BY 1, 2, 3) tiers
              FULL JOIN (%(whole)s) whole USING (program_id, date, kind)
             WHERE COALESCE(whole.amount, 0) <> COALESCE(tiers.amount, 0)
            """,
            parts=super()._get_rounded(),
            rounding=ROUNDING,
            whole=self._round(self._get_whole(), program),
        )

    @api.model
    def _get_whole(self) -> SQL:
        """Return a query: the cells of programmes, whatever the tier."""
        return SQL(
            """
            SELECT program_id, date, kind, sum(points) AS points, sum(amount) AS amount
              FROM (%s) divided
             WHERE kind <> %s
             GROUP BY 1, 2, 3
            """,
            self._get_cells(self._get_keys()),
            MOVED,
        )

    @api.model
    def _get_months(self) -> SQL:
        """Return a query: the months of each programme for each of its tiers."""
        return SQL(
            """
            SELECT span.program_id, tier.tier_id, span.number, span.is_running
              FROM (%s) AS span (program_id, number, is_running)
              JOIN (SELECT DISTINCT program_id, tier_id FROM rounded) tier
             USING (program_id)
            """,
            super()._get_months(),
        )

    @api.model
    def _get_row_id(self) -> SQL:
        number = super()._get_row_id()
        return SQL("(line.tier_id + 1)::bigint * 1000000000 * 1024 + %s", number)

    @api.model
    def _select(self) -> SQL:
        """Return the columns. Override, calling super, to add one."""
        return SQL(
            "%s, NULLIF(GREATEST(line.tier_id, %s), %s) AS tier_id, "
            "line.tier_id = %s AS is_rounding",
            super()._select(),
            NO_TIER,
            NO_TIER,
            ROUNDING,
        )

    @api.model
    def _from(self) -> SQL:
        """Return the tables, without months in which a tier had nothing."""
        return SQL(
            "%s WHERE line.is_moved OR line.closing <> 0 OR line.closing_amount <> 0",
            super()._from(),
        )
