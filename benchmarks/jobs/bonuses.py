"""Bonuses for birthdays."""

import random
from datetime import timedelta

from jobs.job import Job

DAYS, POINTS = 20, 50


class Bonuses(Job):
    """Members whose birthdays of some weeks have not been rewarded yet."""

    title = "Bonuses: birthdays of the last weeks"
    action, unit = "ir_cron_give_bonuses", "bonuses"
    code = "model._cron_give_bonuses(batch=2)"

    def set_up(self, env, shop):
        shop.program.birthday_bonus = POINTS
        self.program_id = shop.program.id
        self.first = shop.company._get_loyalty_today() - timedelta(DAYS)
        self.numbers = random.Random(19)
        self.birthdays = {}

    def prepare(self, env, shop):
        members = shop.enrol(shop.customers(24), joined="2020-01-01")
        for member in members:
            day = self.first + timedelta(self.numbers.randrange(1, DAYS + 1))
            self.birthdays[member.id] = day
            member.birthday = day.replace(year=1980)
        # The birthdays of former rounds come again as well, and are rewarded already.
        shop.program.birthday_given_until = self.first

    def _get_bonuses(self, env):
        return env["garage.loyalty.bonus"].search(
            [("kind", "=", "birthday"), ("member_id", "in", list(self.birthdays))]
        )

    def count_done(self, env):
        return len(self._get_bonuses(env))

    def is_left(self, env):
        program = env["garage.loyalty.program"].browse(self.program_id)
        return program.birthday_given_until < self.first + timedelta(DAYS)

    def find_wrong(self, env):
        """Everybody has one bonus, on the right day, and one entry of its points."""
        given = self._get_bonuses(env).grouped("member_id")
        wrong = []
        for member in env["garage.loyalty.member"].browse(self.birthdays):
            bonuses = given.get(member, env["garage.loyalty.bonus"])
            found = [(bonus.date, bonus.points) for bonus in bonuses]
            entries = member.entry_ids.mapped("points")
            if found != [(self.birthdays[member.id], POINTS)] or entries != [POINTS]:
                wrong.append(f"member {member.id}: bonuses {found}, entries {entries}")
        return wrong
