"""The check of the ledger."""

import re
from collections import defaultdict

from jobs.job import Job


class LedgerCheck(Job):
    """A ledger in which some rows were tampered with: each is to be reported once."""

    title = "Check of the ledger: rows that were tampered with are reported once"
    action, unit = "ir_cron_check_ledger", "members checked"
    code = "model._cron_check_ledger(batch=5)"
    place = "garage_loyalty.ledger_check"

    def set_up(self, env, shop):
        members = shop.enrol(shop.customers(200))
        postings = []
        for member in members:
            vals = member._prepare_entry_vals(
                "opening", 50, "2024-06-03", member, "Benchmark", 1
            )
            postings.append((member, vals))
        members._give(postings)
        members._settle()
        self.tampered, self.rounds, self.lines = members[::10].ids, 0, []

    def prepare(self, env, shop):
        """Forget the last report; change other balances than in the round before."""
        self._get_activities(env).unlink()
        self.rounds += 1
        env.cr.execute(
            "UPDATE garage_loyalty_member SET settled_points = 50 + %s "
            "WHERE id = ANY(%s)",
            [self.rounds, self.tampered],
        )
        env.invalidate_all()
        members = env["garage.loyalty.member"].search([])
        self.lines = [item["row_name"] for item in shop.differences(members)]

    def _get_activities(self, env):
        kind = env.ref("garage_loyalty.mail_activity_type_ledger")
        return env["mail.activity"].search([("activity_type_id", "=", kind.id)])

    def _get_reported(self, env):
        """Return the rows that are named in the activities of each manager."""
        managers = defaultdict(list)
        for activity in self._get_activities(env):
            rows = re.findall(r"garage_loyalty_member \d+", str(activity.note))
            managers[activity.user_id.id] += rows
        return managers

    def count_done(self, env):
        """Return the place that the job has kept: how many members it has behind it."""
        env.cr.execute(
            "SELECT value FROM ir_config_parameter WHERE key = %s", [self.place]
        )
        value = int((env.cr.fetchone() or [0])[0])
        return env["garage.loyalty.member"].search_count([("id", "<=", value)])

    def is_left(self, env):
        reported = self._get_reported(env).values()
        return self.count_done(env) or not all(
            len(lines) >= len(self.lines) for lines in reported or [()]
        )

    def find_wrong(self, env):
        wanted = sorted(self.lines)
        return [
            f"user {user}: {len(lines)} lines, {len(set(lines))} rows "
            f"instead of {len(wanted)}"
            for user, lines in self._get_reported(env).items()
            if sorted(lines) != wanted
        ]

    def get_differences(self, env):
        found = [item["row_name"] for item in super().get_differences(env)]
        return sorted(set(found) ^ set(self.lines))

    def clean_up(self, env):
        env.cr.execute(
            "UPDATE garage_loyalty_member SET settled_points = 50 WHERE id = ANY(%s)",
            [self.tampered],
        )
        self._get_activities(env).unlink()
