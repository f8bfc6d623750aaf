from collections import defaultdict
from functools import partial

from odoo import api, fields, models
from odoo.service.model import retrying
from odoo.tools import SQL

from ..tools import rows
from ..tools.tiers import Figures


class GarageLoyaltyTierReview(models.AbstractModel):
    """The nightly job that gives, keeps and takes tiers.

    A day is reviewed in one transaction: interrupted, it is reviewed again from the
    start; reviewed again, nothing changes. Most days only those are looked at whose
    figures can have changed. One statement finds whose tier or qualification is not
    what the figures say; what it should be is said by ``tools.tiers``.
    """

    _name = "garage.loyalty.tier.review"
    _inherit = ["garage.loyalty.tier.figures"]
    _description = "Review of Loyalty Tiers"

    @api.model
    def _cron_review(self):
        """Review all days that were not reviewed yet, of each programme."""
        programs = self.env["garage.loyalty.program"].search(
            [("tier_ids", "!=", False)]
        )
        # Where tiers are given by hand alone, nothing is taken away.
        programs = programs.filtered(
            lambda program: program._get_rules().tiers.are_given
        )
        left = len(programs)
        for program in programs:
            left -= 1
            today = program.company_id._get_loyalty_today()
            days = program._get_review_days(program.tier_reviewed_until, today)
            for number, day in enumerate(days, 1):
                retrying(partial(self._review_day, program, day), self.env)
                todo = left + len(days) - number
                if not self.env["ir.cron"]._commit_progress(1, remaining=todo):
                    return

    @api.model
    def _review_day(self, program, day):
        """Review a day; return the members whose tier changed."""
        last, rules = program.tier_reviewed_until, program._get_rules().tiers
        is_next = last and fields.Date.add(last, days=1) == day
        if is_next and rules.review_day(day) != day:
            condition = self._get_touched(program, day)
        else:
            condition = SQL("TRUE")
        released = self._release(program, day)
        condition = SQL("(%s OR member.id = ANY(%s))", condition, released)
        moved = self._review(program, day, condition)
        self.env.cr.execute(
            SQL(
                "UPDATE garage_loyalty_program SET tier_reviewed_until = %s "
                "WHERE id = %s",
                day,
                program.id,
            )
        )
        program.invalidate_recordset(["tier_reviewed_until"], flush=False)
        return moved

    @api.model
    def _release(self, program, day):
        """Let figures decide about tiers set by hand whose end date has passed.

        :return: the ids of their members
        """
        found = self.env.execute_query(
            SQL(
                "UPDATE garage_loyalty_member SET is_tier_fixed = FALSE, "
                "tier_fixed_until = NULL WHERE program_id = %s "
                "AND tier_fixed_until < %s RETURNING id",
                program.id,
                day,
            )
        )
        released = [row[0] for row in found]
        self.env["garage.loyalty.member"].browse(released).invalidate_recordset()
        return released

    @api.model
    def _get_touched(self, program, day, late=7):
        """Return the condition of the members whose figures can have changed.

        Visits and points of the day, and of the days before that came late; those that
        do not count any more; tiers whose review has come.
        """
        rules = program._get_rules().tiers
        before = rules.window_start(fields.Date.subtract(day, days=1))
        spans = SQL(
            "date BETWEEN %s AND %s OR date >= %s AND date < %s",
            fields.Date.subtract(day, days=late),
            day,
            before,
            rules.window_start(day),
        )
        return SQL(
            """
            member.partner_id IN (SELECT partner_id FROM garage_loyalty_visit
                                   WHERE %(spans)s)
            OR member.id IN (SELECT member_id FROM garage_loyalty_entry WHERE %(spans)s)
            OR member.id IN (SELECT member_id FROM garage_loyalty_qualification
                              WHERE date_until <= %(day)s)
            """,
            spans=spans,
            day=day,
        )

    @api.model
    def _review(self, program, day, condition):
        """Give and take tiers as of a day; return the members whose tier changed."""
        self.env.flush_all()
        rules, tiers = program._get_rules().tiers, program.tier_ids
        found = self.env.execute_query_dict(
            self._get_open_query(program, day, condition)
        )
        held, places = {}, defaultdict(list)
        for row in found:
            figures = Figures(row["spend"], row["points"], row["visits"])
            before = {
                int(place): until and fields.Date.to_date(until)
                for place, until in (row["held"] or {}).items()
            }
            place, after = rules.advance(
                day, rules.deserved(figures), row["place"], before
            )
            held[row["member_id"]] = after
            if place != row["place"] and not row["is_fixed"]:
                places[place].append((row["member_id"], figures, place > row["place"]))
        self._write_qualifications(tiers, day, held)
        return self._write_tiers(tiers, day, places)

    @api.model
    def _get_open_query(self, program, day, condition):
        """Return a query: members whose tier or qualifications have to change."""
        rules, tiers = program._get_rules().tiers, program.tier_ids
        level = SQL(", ").join(
            SQL("(%s, %s)", tier_id, place) for place, tier_id in enumerate(tiers.ids)
        )
        return SQL(
            """
            WITH level (tier_id, place) AS (VALUES %(level)s),
            kept AS (
                SELECT member_id, jsonb_object_agg(place, date_until) AS held,
                       count(*) FILTER (WHERE date_until IS NULL) AS met,
                       min(date_until) AS first_until, max(place) AS highest
                  FROM garage_loyalty_qualification JOIN level USING (tier_id)
                 GROUP BY 1
            ), subject AS (
                SELECT figures.*, %(deserved)s AS deserved FROM (%(figures)s) figures
            )
            SELECT subject.member_id, spend, points, visits, held,
                   COALESCE(level.place, 0) AS place, %(fixed)s AS is_fixed
              FROM subject
              JOIN garage_loyalty_member member ON member.id = subject.member_id
              LEFT JOIN level USING (tier_id)
              LEFT JOIN kept ON kept.member_id = subject.member_id
             WHERE deserved <> COALESCE(met, 0) OR first_until <= %(day)s
                OR NOT %(fixed)s
                   AND COALESCE(level.place, -1) <> COALESCE(highest, 0)
            """,
            level=level,
            deserved=self._get_place_case(rules),
            figures=self._get_figures_query(program, day, condition),
            fixed=SQL("(member.is_tier_fixed IS TRUE)"),
            day=day,
        )

    @api.model
    def _write_qualifications(self, tiers, day, held):
        """Bring the rows of members in line with what they hold."""
        if not held:
            return
        Qualification = self.env["garage.loyalty.qualification"]
        vals_list = [
            {
                "member_id": member_id,
                "tier_id": tiers[place].id,
                "date": day,
                "date_until": until,
            }
            for member_id, places in held.items()
            for place, until in places.items()
        ]
        keep = rows.values(
            Qualification,
            vals_list
            or [{"member_id": 0, "tier_id": 0, "date": day, "date_until": None}],
        )
        self.env.cr.execute(
            SQL(
                """
                WITH keep (member_id, tier_id, date, date_until) AS (%(keep)s),
                gone AS (
                    DELETE FROM garage_loyalty_qualification old
                     WHERE member_id = ANY(%(members)s)
                       AND NOT EXISTS (
                            SELECT FROM keep WHERE keep.member_id = old.member_id
                               AND keep.tier_id = old.tier_id)
                )
                INSERT INTO garage_loyalty_qualification AS old (
                       member_id, tier_id, date, date_until)
                SELECT * FROM keep WHERE member_id <> 0
                ON CONFLICT (member_id, tier_id) DO UPDATE
                   SET date_until = EXCLUDED.date_until, date_warned = NULL
                 WHERE old.date_until IS DISTINCT FROM EXCLUDED.date_until
                """,
                keep=keep,
                members=list(held),
            )
        )
        Qualification.invalidate_model(flush=False)

    @api.model
    def _write_tiers(self, tiers, day, places):
        """Move members to their tiers, each with a row of history that has the figures.

        :param places: lists of (member's id, figures, whether it is a rise) by place
        :return: the members that moved
        """
        Status = self.env["garage.loyalty.member.status"]
        reasons = {True: self.env._("Reached"), False: self.env._("Lost at the review")}
        history = [
            {
                "member_id": member_id,
                "date": day,
                "state": "active",
                "tier_id": tiers[place].id,
                "reason": reasons[rises],
                "user_id": self.env.uid,
                **figures._asdict(),
            }
            for place, moved in places.items()
            for member_id, figures, rises in moved
        ]
        if not history:
            return self.env["garage.loyalty.member"]
        self.env.cr.execute(
            SQL(
                """
                WITH moved (%(names)s) AS (%(history)s), member AS (
                    UPDATE garage_loyalty_member
                       SET tier_id = moved.tier_id,
                           status_date = CASE WHEN NOT EXISTS (
                                SELECT FROM garage_loyalty_member_status later
                                 WHERE later.member_id = moved.member_id
                                   AND later.date > moved.date) THEN moved.date END
                      FROM moved WHERE garage_loyalty_member.id = moved.member_id
                    RETURNING garage_loyalty_member.id, garage_loyalty_member.state
                )
                INSERT INTO garage_loyalty_member_status (
                       member_id, date, state, tier_id, reason, user_id,
                       spend, points, visits, create_uid, create_date)
                SELECT member_id, date, member.state, tier_id, reason, user_id,
                       spend, points, visits, user_id, %(now)s
                  FROM moved JOIN member ON member.id = moved.member_id
                """,
                names=rows.columns(history[0]),
                history=rows.values(Status, history),
                now=self.env.cr.now(),
            )
        )
        self.env.invalidate_all(flush=False)
        members = self.env["garage.loyalty.member"].browse(
            row["member_id"] for row in history
        )
        self._restamp_visits(members, day)
        return members

    @api.model
    def _restamp_visits(self, members, day):
        """Let visits of the day and later have the new tier."""
        Visit = self.env["garage.loyalty.visit"]
        visits = Visit.search(
            [("partner_id", "in", members.partner_id.ids), ("date", ">=", day)]
        )
        Visit._sync_repairs(visits.repair_id)
        Visit._sync_moves(visits.move_id)
