import logging
from functools import partial

from odoo import api, models
from odoo.service.model import retrying
from odoo.tools import SQL, split_every

from ..tools.birthdays import celebrated, days_due

_logger = logging.getLogger(__name__)


class GarageLoyaltyBonusJob(models.AbstractModel):
    """The nightly job that gives bonuses: for birthdays, and for referrals missed.

    Every batch is one transaction that leaves nothing half done. Killed anywhere and
    run again, it finds what is still to be given; run twice, it gives nothing twice.
    """

    _name = "garage.loyalty.bonus.job"
    _description = "Giving of Loyalty Bonuses"

    @api.model
    def _cron_give_bonuses(self, batch=1000):
        """Reward referrals that no event announced, and birthdays up to today.

        Today is that of each company, in the time zone of its contact.
        """
        Move = self.env["account.move"]
        move_ids = Move.search(Move._get_loyalty_referral_domain(), order="id").ids
        programs = self.env["garage.loyalty.program"].search(
            [("birthday_bonus", ">", 0)]
        )
        left = len(move_ids) + len(programs)
        for ids in split_every(batch, move_ids, list):
            retrying(partial(self._reward_referrals, ids), self.env)
            left -= len(ids)
            if not self.env["ir.cron"]._commit_progress(len(ids), remaining=left):
                return
        for program in programs:
            if not self._give_birthdays(program, batch, left):
                return
            left -= 1
            if not self.env["ir.cron"]._commit_progress(1, remaining=left):
                return

    @api.model
    def _reward_referrals(self, move_ids):
        self.env["account.move"].browse(move_ids)._reward_loyalty_referrals()

    @api.model
    def _give_birthdays(self, program, batch, left):
        """Give all that is due in one programme; tell whether there was time."""
        today = program.company_id._get_loyalty_today()
        for day in days_due(program.birthday_given_until, today):
            step, count = partial(self._give_birthday_batch, program, day, batch), 0
            while given := retrying(step, self.env):
                count += given
                if not self.env["ir.cron"]._commit_progress(given, remaining=left):
                    return False
            self._note_birthdays_done(program, day)
            _logger.info(
                "%s birthday bonuses of %s were given in programme %s",
                count,
                day,
                program.id,
            )
        return True

    @api.model
    def _give_birthday_batch(self, program, day, batch):
        """Give the bonus to some of those who have not got it; return how many."""
        self.env.flush_all()
        added = self.env.execute_query(self._get_birthday_query(program, day, batch))
        self.env["garage.loyalty.bonus"].browse(row[0] for row in added)._post()
        return len(added)

    @api.model
    def _get_birthday_query(self, program, day, batch):
        """Return the statement that adds the bonuses of some members, with their ids.

        Override to give the bonus to others than active members who had joined before.
        What a member got under an account that was merged since is not given again.
        """
        return SQL(
            """
            INSERT INTO garage_loyalty_bonus (member_id, kind, date, year, points)
            SELECT member.id, 'birthday', %(day)s, %(year)s, %(points)s
              FROM garage_loyalty_member member
             WHERE member.program_id = %(program)s AND member.state = 'active'
               AND member.date_joined < %(day)s
               AND (EXTRACT(month FROM member.birthday),
                    EXTRACT(day FROM member.birthday)) IN (%(celebrated)s)
               AND NOT EXISTS (
                    SELECT FROM garage_loyalty_bonus given
                      JOIN garage_loyalty_member account ON account.id = given.member_id
                     WHERE (account.id = member.id
                            OR account.merged_into_id = member.id)
                       AND given.kind = 'birthday' AND given.year = %(year)s)
             ORDER BY member.id
             LIMIT %(batch)s
            ON CONFLICT DO NOTHING
            RETURNING id
            """,
            day=day,
            year=day.year,
            points=program._get_bonus_points("birthday"),
            program=program.id,
            celebrated=SQL(", ").join(SQL("(%s, %s)", *key) for key in celebrated(day)),
            batch=batch,
        )

    @api.model
    def _note_birthdays_done(self, program, day):
        # By SQL: it is no change of the rules, which would all be read again.
        self.env.cr.execute(
            SQL(
                "UPDATE garage_loyalty_program SET birthday_given_until = %s "
                "WHERE id = %s",
                day,
                program.id,
            )
        )
        program.invalidate_recordset(["birthday_given_until"], flush=False)
