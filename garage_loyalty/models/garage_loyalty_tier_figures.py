from odoo import api, models
from odoo.tools import SQL

from ..tools.tiers import Figures


class GarageLoyaltyTierFigures(models.AbstractModel):
    """The queries that add up what members did in the time that counts."""

    _name = "garage.loyalty.tier.figures"
    _description = "Figures for Loyalty Tiers"

    @api.model
    def _get_figures_query(self, program, day, condition):
        """Return a query: member_id, spend, points, visits of members as of a day.

        Override to count by other means.

        :param condition: the SQL of which members, on ``member``
        """
        return SQL(
            """
            SELECT member.id AS member_id, COALESCE(spend, 0) AS spend,
                   COALESCE(points, 0)::int AS points,
                   COALESCE(visits, 0)::int AS visits
              FROM garage_loyalty_member member
              LEFT JOIN (%(visits)s) done USING (partner_id)
              LEFT JOIN (%(points)s) earned ON earned.member_id = member.id
             WHERE member.program_id = %(program)s AND member.state <> 'left'
               AND (%(condition)s)
            """,
            visits=self._get_visits_query(program, day, condition),
            points=self._get_points_query(program, day, condition),
            program=program.id,
            condition=condition,
        )

    @api.model
    def _get_figures(self, program, members, day):
        """Return the ``Figures`` of members as of a day, by member."""
        self.env.flush_all()
        condition = SQL("member.id = ANY(%s)", members.ids)
        found = {
            row["member_id"]: Figures(row["spend"], row["points"], row["visits"])
            for row in self.env.execute_query_dict(
                self._get_figures_query(program, day, condition)
            )
        }
        return {member: found.get(member.id, Figures()) for member in members}

    @api.model
    def _get_visits_query(self, program, day, condition):
        """Return a query: spend and visits by customer.

        A visit soon after the one before does not count once more; what was spent on it
        does.
        """
        return SQL(
            """
            SELECT visit.partner_id, sum(visit.amount) AS spend,
                   count(*) FILTER (
                    WHERE visit.kind = 'repair'
                      AND (visit.prev_date IS NULL
                           OR visit.date - visit.prev_date > %(gap)s)) AS visits
              FROM garage_loyalty_visit visit
              JOIN garage_loyalty_member member
                ON member.partner_id = visit.partner_id
               AND member.program_id = %(program)s
             WHERE visit.date BETWEEN %(start)s AND %(day)s
               AND visit.company_id = ANY(%(companies)s)
               AND (%(warranty)s OR visit.is_warranty IS NOT TRUE)
               AND %(untagged)s AND (%(condition)s)
             GROUP BY 1
            """,
            gap=program.tier_visit_gap,
            program=program.id,
            start=program._get_rules().tiers.window_start(day),
            day=day,
            companies=program._get_loyalty_companies().ids,
            warranty=program.tier_count_warranty,
            untagged=self._get_untagged(program),
            condition=condition,
        )

    @api.model
    def _get_untagged(self, program):
        """Return the condition that a visit has none of the tags that do not count."""
        tags = program.tier_excluded_tag_ids
        if not tags:
            return SQL("TRUE")
        field = self.env["repair.order"]._fields["tag_ids"]
        return SQL(
            "NOT EXISTS (SELECT FROM %(table)s tag WHERE tag.%(repair)s = "
            "visit.repair_id AND tag.%(tag)s = ANY(%(tags)s))",
            table=SQL.identifier(field.relation),
            repair=SQL.identifier(field.column1),
            tag=SQL.identifier(field.column2),
            tags=tags.ids,
        )

    @api.model
    def _get_points_query(self, program, day, condition):
        """Return a query: points earned by member, net of what was taken back."""
        rules = program._get_rules().tiers
        if not any(level.points for level in rules.levels):
            return SQL("SELECT NULL::int AS member_id, 0 AS points WHERE FALSE")
        return SQL(
            """
            SELECT entry.member_id, sum(entry.points) AS points
              FROM garage_loyalty_entry entry
              JOIN garage_loyalty_member member ON member.id = entry.member_id
             WHERE member.program_id = %(program)s
               AND entry.kind IN ('earn', 'clawback')
               AND entry.date BETWEEN %(start)s AND %(day)s AND (%(condition)s)
             GROUP BY 1
            """,
            program=program.id,
            start=rules.window_start(day),
            day=day,
            condition=condition,
        )

    @api.model
    def _get_place_case(self, rules):
        """Return the SQL of the highest place that the figures suffice for."""
        cases = [
            SQL("WHEN %s THEN %s", self._get_met(level), place)
            for place, level in reversed(list(enumerate(rules.levels, 1)))
        ]
        return SQL("CASE %s ELSE 0 END", SQL(" ").join(cases)) if cases else SQL("0")

    @api.model
    def _get_met(self, level):
        """Return the condition of ``tools.tiers.Level.is_met``."""
        asked = {"spend": level.spend, "points": level.points, "visits": level.visits}
        met = [
            SQL("%s >= %s", SQL.identifier(name), least)
            for name, least in asked.items()
            if least > 0
        ]
        if not met:
            return SQL("FALSE")
        return SQL("(%s)", SQL(" AND " if level.match_all else " OR ").join(met))
