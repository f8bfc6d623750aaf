"""The check of the visits."""

from datetime import timedelta

from odoo.fields import Date
from odoo.tools import SQL

from jobs.job import Job


class VisitCheck(Job):
    """Facts that do not agree with their documents, or are missing."""

    title = "Check of visits: facts that are wrong or missing are corrected"
    action, unit = "ir_cron_check_visits", "visits corrected"
    code = "model._cron_check_visits(batch=3)"

    def set_up(self, env, shop):
        labour = shop.labour()
        day = Date.to_date("2024-06-03")
        for customer in shop.customers(5):
            for number in range(20):
                date = day + timedelta(7 * number)
                shop.invoices(customer, labour, 1, date).action_post()
            for number in range(6):
                date = day + timedelta(7 * number + 3)
                shop.bill(customer, labour, date).action_post()
        env["garage.loyalty.visit"]._rebuild()
        env.flush_all()
        self.rows = self._get_rows(env)
        self.corrected = 0

    def _get_rows(self, env):
        return set(
            env.execute_query(
                SQL(
                    """
                    SELECT kind, repair_id, move_id, company_id, partner_id, date,
                           prev_date, member_id, is_member, tier_id, is_warranty,
                           amount_labour, amount_parts, amount, amount_discount
                      FROM garage_loyalty_visit
                     WHERE repair_id IS NOT NULL OR move_id IS NOT NULL
                    """
                )
            )
        )

    def prepare(self, env, shop):
        self.corrected += self._count_right(env)
        env.cr.execute(
            """
            DELETE FROM garage_loyalty_visit
             WHERE (repair_id IS NOT NULL OR move_id IS NOT NULL)
               AND COALESCE(repair_id, move_id) % 3 = 0;
            UPDATE garage_loyalty_visit SET amount = amount + 1
             WHERE (repair_id IS NOT NULL OR move_id IS NOT NULL)
               AND COALESCE(repair_id, move_id) % 3 = 1
            """
        )
        env.invalidate_all()
        self.corrected -= self._count_right(env)

    def _count_right(self, env):
        return len(self.rows & self._get_rows(env))

    def count_done(self, env):
        return self.corrected + self._count_right(env)

    def is_left(self, env):
        env.cr.execute(
            "SELECT 1 FROM ir_config_parameter WHERE value <> '0' "
            "AND key LIKE 'garage_loyalty.visit_check.%%'"
        )
        return bool(env.cr.fetchone()) or self._get_rows(env) != self.rows

    def find_wrong(self, env):
        rows = self._get_rows(env)
        return [f"missing: {row}" for row in self.rows - rows] + [
            f"too much: {row}" for row in rows - self.rows
        ]
