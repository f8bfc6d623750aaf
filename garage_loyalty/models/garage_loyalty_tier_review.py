import logging
from collections import defaultdict
from functools import partial

from odoo import api, fields, models
from odoo.tools import SQL

from ..tools import rows
from ..tools.tiers import Figures

_logger = logging.getLogger(__name__)

# Day of the month on which everybody is looked at, whatever events may have missed.
THOROUGH_DAY = 2


class GarageLoyaltyTierReview(models.AbstractModel):
    """The nightly job that gives, keeps and takes tiers.

    A day is reviewed in one transaction: interrupted, it is reviewed again from the
    start; reviewed again, nothing changes. Only those are looked at whose figures can
    have changed, once a month everybody. One statement finds whose tier or
    qualification is not what the figures say; what it should be says ``tools.tiers``.
    """

    _name = "garage.loyalty.tier.review"
    _inherit = ["garage.loyalty.job.mixin", "garage.loyalty.tier.figures"]
    _description = "Review of Loyalty Tiers"

    @api.model
    def _cron_review(self, batch=200):
        """Review all days that were not reviewed yet; warn who is about to lose a tier.

        :param batch: how many members are warned in one transaction
        """
        programs = self.env["garage.loyalty.program"].search(
            [("tier_ids", "!=", False)]
        )
        # Where tiers are given by hand alone, nothing is taken away.
        programs = programs.filtered(
            lambda program: program._get_rules().tiers.are_given
        )
        Warning = self.env["garage.loyalty.tier.warning"]
        steps = [
            step
            for program in programs
            for step in (
                partial(self._review_next, program),
                partial(Warning._warn_batch, program, batch),
            )
        ]
        for number, step in enumerate(steps):
            if not self._run_step(step, len(steps) - number):
                return

    @api.model
    def _review_next(self, program):
        """Review the first day that was not reviewed yet; tell if there was one."""
        today = program.company_id._get_loyalty_today()
        days = program._get_review_days(program.tier_reviewed_until, today)
        if not days:
            return 0
        moved = self._review_day(program, days[0])
        _logger.info("%s: %s reviewed, %s moved", program.name, days[0], len(moved))
        return 1

    @api.model
    def _review_day(self, program, day):
        """Review a day; return the members whose tier changed."""
        last = program.tier_reviewed_until
        is_next = last and fields.Date.add(last, days=1) == day
        is_usual = is_next and day.day != THOROUGH_DAY
        self._tune(is_usual)
        released = self._release(program, day)
        ids = self._get_touched(program, day) + released if is_usual else None
        moved = self._review(program, day, ids)
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
    def _tune(self, is_usual):
        """Tell PostgreSQL, for this transaction, what kind of work is to come.

        The sums of a large base stay in memory, and are finished before they would be
        compiled. The few members of a usual day are found by index, not by several
        processes that read whole tables.
        """
        settings = ["SET LOCAL work_mem = '64MB'", "SET LOCAL jit = off"]
        if is_usual:
            settings += [
                "SET LOCAL random_page_cost = 1.1",
                "SET LOCAL max_parallel_workers_per_gather = 0",
            ]
        self.env.cr.execute(SQL("; ").join(map(SQL, settings)))

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
    def _get_touched(self, program, day, late=1):
        """Return the ids of the members whose figures can have changed.

        Visits and points of the day, and of the days before that came late; those that
        do not count any more; tiers whose review has come. What changes later is
        settled when it does (``member._settle_tiers``).
        """
        rules = program._get_rules().tiers
        before = rules.window_start(fields.Date.subtract(day, days=1))
        spans = SQL(
            "(date BETWEEN %s AND %s OR date >= %s AND date < %s)",
            fields.Date.subtract(day, days=late),
            day,
            before,
            rules.window_start(day),
        )
        query = SQL(
            """
            SELECT member.id FROM garage_loyalty_member member
              JOIN garage_loyalty_visit USING (partner_id)
             WHERE member.program_id = %(program)s AND %(spans)s
            UNION
            SELECT member_id FROM garage_loyalty_entry
             WHERE program_id = %(program)s AND %(spans)s
            UNION
            SELECT member_id FROM garage_loyalty_qualification
             WHERE date_until <= %(day)s
            """,
            program=program.id,
            spans=spans,
            day=day,
        )
        return [row[0] for row in self.env.execute_query(query)]

    @api.model
    def _review(self, program, day, ids=None):
        """Give and take tiers as of a day; return the members whose tier changed.

        :param ids: of the members to look at, not all
        """
        self.env.flush_all()
        rules = program._get_rules().tiers
        found = self._get_open(program, day, ids)
        before = self._get_held(rules, [row["member_id"] for row in found])
        held, places = {}, defaultdict(list)
        for row in found:
            figures = Figures(row["spend"], row["points"], row["visits"])
            place, held[row["member_id"]] = rules.advance(
                day, rules.deserved(figures), row["place"], before[row["member_id"]]
            )
            if place != row["place"] and not row["is_fixed"]:
                places[place].append((row["member_id"], figures, place > row["place"]))
        self._write_qualifications(rules.tier_ids, day, held)
        return self._write_tiers(rules.tier_ids, day, places)

    @api.model
    def _get_held(self, rules, ids):
        """Return what members hold, as ``tools.tiers`` wants it, by their id."""
        held = defaultdict(dict)
        query = SQL(
            "SELECT member_id, tier_id, date_until FROM garage_loyalty_qualification "
            "WHERE member_id = ANY(%s) AND tier_id = ANY(%s)",
            ids,
            list(rules.tier_ids),
        )
        for member_id, tier_id, until in self.env.execute_query(query) if ids else ():
            held[member_id][rules.place(tier_id)] = until
        return held

    @api.model
    def _write_qualifications(self, tier_ids, day, held):
        """Bring the rows of members in line with what they hold."""
        if not held:
            return
        keep = [
            (member_id, tier_ids[place], until)
            for member_id, places in held.items()
            for place, until in places.items()
        ]
        self.env.cr.execute(
            SQL(
                """
                WITH keep (member_id, tier_id, date_until) AS (%(keep)s),
                gone AS (
                    DELETE FROM garage_loyalty_qualification old
                     WHERE member_id = ANY(%(members)s)
                       AND NOT EXISTS (
                            SELECT FROM keep WHERE keep.member_id = old.member_id
                               AND keep.tier_id = old.tier_id)
                )
                INSERT INTO garage_loyalty_qualification AS old (
                       member_id, tier_id, date, date_until)
                SELECT member_id, tier_id, %(day)s, date_until FROM keep
                ON CONFLICT (member_id, tier_id) DO UPDATE
                   SET date_until = EXCLUDED.date_until, date_warned = NULL
                 WHERE old.date_until IS DISTINCT FROM EXCLUDED.date_until
                """,
                keep=rows.unnested(("int", "int", "date"), keep),
                day=day,
                members=list(held),
            )
        )
        self.env["garage.loyalty.qualification"].invalidate_model(flush=False)

    @api.model
    def _write_tiers(self, tier_ids, day, places):
        """Move members to their tiers, each with a row of history that has the figures.

        :param places: lists of (member's id, figures, whether it is a rise) by place
        :return: the members that moved
        """
        history = [
            (member_id, tier_ids[place], rises, *figures)
            for place, moved in places.items()
            for member_id, figures, rises in moved
        ]
        if not history:
            return self.env["garage.loyalty.member"]
        self.env.cr.execute(self._get_move_query(history, day))
        self.env.invalidate_all(flush=False)
        members = self.env["garage.loyalty.member"].browse(row[0] for row in history)
        self._restamp_visits(members, day)
        self.env["repair.order"]._sync_loyalty_priority_of(members)
        return members

    @api.model
    def _get_move_query(self, history, day):
        """Return the statement that moves members and writes their history.

        :param history: tuples of member, tier, whether it is a rise, and the figures
        """
        return SQL(
            """
            WITH moved (member_id, tier_id, rises, spend, points, visits)
              AS (%(history)s), member AS (
                UPDATE garage_loyalty_member
                   SET tier_id = moved.tier_id,
                       status_date = CASE WHEN NOT EXISTS (
                            SELECT FROM garage_loyalty_member_status later
                             WHERE later.member_id = moved.member_id
                               AND later.date > %(day)s) THEN %(day)s END
                  FROM moved WHERE garage_loyalty_member.id = moved.member_id
                RETURNING garage_loyalty_member.id, garage_loyalty_member.state
            )
            INSERT INTO garage_loyalty_member_status (
                   member_id, date, state, tier_id, reason, user_id,
                   spend, points, visits, create_uid, create_date)
            SELECT member_id, %(day)s, member.state, tier_id,
                   CASE WHEN rises THEN %(reached)s ELSE %(lost)s END, %(uid)s,
                   spend, points, visits, %(uid)s, %(now)s
              FROM moved JOIN member ON member.id = moved.member_id
            """,
            history=rows.unnested(
                ("int", "int", "boolean", "numeric", "int", "int"), history
            ),
            day=SQL("%s::date", day),
            reached=self.env._("Reached"),
            lost=self.env._("Lost at the review"),
            uid=self.env.uid,
            now=self.env.cr.now(),
        )

    @api.model
    def _restamp_visits(self, members, day):
        """Let visits of the day and later have the new tier."""
        Visit = self.env["garage.loyalty.visit"]
        visits = Visit.search(
            [
                ("company_id.loyalty_company_id", "in", members.company_id.ids),
                ("partner_id", "in", members.partner_id.ids),
                ("date", ">=", day),
            ]
        )
        Visit._sync_repairs(visits.repair_id)
        Visit._sync_moves(visits.move_id)
