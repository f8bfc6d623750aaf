"""Giving and taking points that are due."""

from collections import defaultdict

from workshop import Workshop

from odoo.tools import SQL

from jobs.job import Job


class Earning(Job):
    """Invoices and withdrawals of which the ledger has not heard, some unstamped."""

    title = "Earning: points that no event has announced"
    action, unit = "ir_cron_sync_documents", "entries"
    code = "model._cron_sync_documents(batch=1)"

    def set_up(self, env, shop):
        shop.program.earn_trigger = "posted"
        self.labour_id = shop.labour().id
        members = shop.enrol(shop.customers(12))
        self.partner_ids = members.partner_id.ids
        self.expected, self.latest = {}, []

    def prepare(self, env, shop):
        env = env(context={"garage_loyalty_defer": True})
        shop = Workshop(env)
        withdrawn = env["account.move"].browse(self.latest[:12])
        withdrawn.button_draft()
        for number in withdrawn.ids:
            self.expected[number] = [100, -100]
        labour = env["product.product"].browse(self.labour_id)
        moves = env["account.move"]
        for customer in env["res.partner"].browse(self.partner_ids):
            moves += shop.invoices(customer, labour, 3)
        moves.action_post()
        self.latest = moves.ids
        self.expected |= {number: [100] for number in moves.ids}
        env.flush_all()
        env.cr.execute(
            "UPDATE account_move SET loyalty_member_id = NULL, loyalty_points_due = 0 "
            "WHERE id = ANY(%s)",
            [moves.ids[::3]],
        )
        env["account.move"].invalidate_model(flush=False)

    def _get_entries(self, env):
        rows = env.execute_query(
            SQL(
                "SELECT source_id, points FROM garage_loyalty_entry "
                "WHERE source_model = 'account.move' AND source_id = ANY(%s) "
                "ORDER BY id",
                list(self.expected),
            )
        )
        entries = defaultdict(list)
        for number, points in rows:
            entries[number].append(points)
        return entries

    def count_done(self, env):
        return sum(map(len, self._get_entries(env).values()))

    def is_left(self, env):
        query = env["garage.loyalty.entry"]._get_mismatch_query()
        return bool(env.execute_query(query))

    def find_wrong(self, env):
        entries = self._get_entries(env)
        return [
            f"invoice {number}: {entries[number]} instead of {points}"
            for number, points in self.expected.items()
            if entries[number] != points
        ]
