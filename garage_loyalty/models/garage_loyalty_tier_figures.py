from odoo import api, models
from odoo.tools import SQL

from ..tools.tiers import Figures


class GarageLoyaltyTierFigures(models.AbstractModel):
    """The queries that add up what members did in the time that counts."""

    _name = "garage.loyalty.tier.figures"
    _description = "Figures for Loyalty Tiers"

    @api.model
    def _get_figures_query(self, program, day, ids=None, is_rough=False):
        """Return a query: what members did in the time that counts, as of a day.

        Yields member_id, tier_id, is_fixed, spend, points, visits. Override to count by
        other means.

        :param ids: of the members; all that have not left, if not said
        :param is_rough: spend and visits that suffice for no tier may be left out
        """
        visits = (
            self._get_met_visits_query(program, day)
            if is_rough
            else self._get_visits_query(program, day, ids)
        )
        return SQL(
            """
            WITH subject AS (
                SELECT id, partner_id, tier_id, is_tier_fixed IS TRUE AS is_fixed
                  FROM garage_loyalty_member
                 WHERE program_id = %(program)s AND state <> 'left' AND %(mine)s
            )
            SELECT id AS member_id, tier_id, is_fixed,
                   COALESCE(spend, 0) AS spend, COALESCE(points, 0)::int AS points,
                   COALESCE(visits, 0)::int AS visits
              FROM subject
              LEFT JOIN (%(visits)s) done USING (partner_id)
              LEFT JOIN (%(points)s) earned ON earned.member_id = subject.id
            """,
            visits=visits,
            points=self._get_points_query(program, day, ids),
            program=program.id,
            mine=self._is_among(SQL("id"), ids),
        )

    @api.model
    def _is_among(self, column, ids):
        return SQL("TRUE") if ids is None else SQL("%s = ANY(%s)", column, list(ids))

    @api.model
    def _get_figures(self, program, members, day):
        """Return the ``Figures`` of members as of a day, by member."""
        self.env.flush_all()
        found = {
            row["member_id"]: Figures(row["spend"], row["points"], row["visits"])
            for row in self.env.execute_query_dict(
                self._get_figures_query(program, day, members.ids)
            )
        }
        return {member: found.get(member.id, Figures()) for member in members}

    @api.model
    def _get_visits_query(self, program, day, ids):
        """Return a query: spend and visits by customer, of all or of the ``subject``.

        A visit soon after the one before does not count once more; what was spent on it
        does. Nor does one that was free.
        """
        rules, mine = program._get_rules().tiers, SQL("TRUE")
        if ids is not None:
            # By an array: joined, the planner reads all visits of the time.
            mine = SQL("visit.partner_id = ANY(ARRAY(SELECT partner_id FROM subject))")
        return SQL(
            """
            SELECT visit.partner_id, sum(visit.amount) AS spend,
                   count(*) FILTER (
                    WHERE visit.kind = 'repair' AND visit.amount > 0
                      AND (visit.prev_date IS NULL
                           OR visit.date - visit.prev_date > %(gap)s)) AS visits
              FROM garage_loyalty_visit visit
             WHERE visit.date BETWEEN %(start)s AND %(day)s
               AND visit.company_id = ANY(%(companies)s)
               AND (%(warranty)s OR visit.is_warranty IS NOT TRUE)
               AND %(untagged)s AND %(mine)s
             GROUP BY 1
            """,
            gap=program.tier_visit_gap,
            start=rules.window_start(day),
            day=day,
            companies=list(rules.companies),
            warranty=program.tier_count_warranty,
            untagged=self._get_untagged(program),
            mine=mine,
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
    def _get_points_query(self, program, day, ids):
        """Return a query: points earned by member, net of what was taken back."""
        rules = program._get_rules().tiers
        if not rules.asks_points:
            return SQL("SELECT NULL::int AS member_id, 0 AS points WHERE FALSE")
        return SQL(
            """
            SELECT member_id, sum(points) AS points
              FROM garage_loyalty_entry
             WHERE program_id = %(program)s AND kind IN ('earn', 'clawback')
               AND date BETWEEN %(start)s AND %(day)s AND %(mine)s
             GROUP BY 1
            """,
            program=program.id,
            start=rules.window_start(day),
            day=day,
            mine=self._is_among(SQL("member_id"), ids),
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

    @api.model
    def _get_open(self, program, day, ids=None):
        """Return members whose tier or qualifications have to change, with figures.

        :return: a list of dicts, see ``_get_open_query``
        """
        query = self._get_open_query(program, day, ids)
        found = self.env.execute_query_dict(query)
        if ids is None and found:
            # Of everybody, only the figures that suffice were kept.
            ids = [row["member_id"] for row in found]
            return self._get_open(program, day, ids)
        return found

    @api.model
    def _get_met_visits_query(self, program, day):
        """Return ``_get_visits_query`` of those who reach a tier by it.

        The others deserve none: most of a large base need not be joined. Where points
        count too, nobody can be left out.
        """
        rules = program._get_rules().tiers
        visits = self._get_visits_query(program, day, None)
        if rules.asks_points:
            return visits
        place = self._get_place_case(rules)
        return SQL("SELECT * FROM (%s) visited WHERE %s > 0", visits, place)

    @api.model
    def _get_open_query(self, program, day, ids=None):
        """Return a query: members whose tier or qualifications have to change.

        :param ids: of the members; all, if not said: then figures that suffice for no
            tier are 0
        """
        rules, tiers = program._get_rules().tiers, program.tier_ids
        level = SQL(", ").join(
            SQL("(%s, %s)", tier_id, place) for place, tier_id in enumerate(tiers.ids)
        )
        return SQL(
            """
            WITH level (tier_id, place) AS NOT MATERIALIZED (VALUES %(level)s),
            kept AS (
                SELECT member_id, count(*) FILTER (WHERE date_until IS NULL) AS met,
                       min(date_until) AS first_until, max(place) AS highest
                  FROM garage_loyalty_qualification JOIN level USING (tier_id)
                 WHERE %(mine)s GROUP BY 1
            )
            SELECT figures.member_id, spend, points, visits, is_fixed,
                   COALESCE(level.place, 0) AS place
              FROM (%(figures)s) figures
              LEFT JOIN level USING (tier_id)
              LEFT JOIN kept ON kept.member_id = figures.member_id
             WHERE %(deserved)s <> COALESCE(met, 0) OR first_until <= %(day)s
                OR NOT is_fixed AND COALESCE(level.place, -1) <> COALESCE(highest, 0)
            """,
            level=level,
            mine=self._is_among(SQL("member_id"), ids),
            figures=self._get_figures_query(program, day, ids, is_rough=ids is None),
            deserved=self._get_place_case(rules),
            day=day,
        )
