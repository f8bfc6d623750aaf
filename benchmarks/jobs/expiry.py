"""Points that expire."""

from collections import Counter, defaultdict
from datetime import timedelta

from jobs.job import Job


class Expiry(Job):
    """Members with lots that are due, soon due, or due for those who came back."""

    title = "Expiry: new points settled, more time given, warned, expired"
    action, unit = "ir_cron_expire", "steps on a lot"
    code = "model._cron_expire(batch=4)"

    def set_up(self, env, shop):
        shop.program.write(
            {
                "expiry_rule": "inactivity",
                "expiry_months": 12,
                "warning_days": 30,
            }
        )
        self.today = shop.company._get_loyalty_today()
        self.came_back = self.today - timedelta(35)  # when all lots were alive
        self.count = self.mails = 0
        self.due, self.soon, self.later = {}, {}, {}
        members = shop.enrol(shop.customers(12, email="customer@example.com"))
        self.member_ids, self.visitor_ids = members.ids, members[::3].ids
        env.cr.execute(
            "INSERT INTO garage_loyalty_visit (kind, company_id, partner_id, date, "
            "amount) SELECT 'sale', %s, unnest(%s), %s, 100",
            [shop.company.id, members[::3].partner_id.ids, self.came_back],
        )

    def prepare(self, env, shop):
        members = env["garage.loyalty.member"].browse(self.member_ids)
        visitors = members.browse(self.visitor_ids)
        self.mails += 1
        for days in (-30, -10, -1):
            lots = self._give(shop, members, days)
            self._expect(lots, visitors, self.due)
        lots = self._give(shop, members, 10)
        self._expect(lots, visitors, self.soon)

    def _give(self, shop, members, days):
        """Give points that can be spent until some days from today."""
        day = self.today + timedelta(days)
        postings = []
        for member in members:
            vals = member._prepare_entry_vals("earn", 50, day, member, "Benchmark", 1)
            vals["date"] -= timedelta(800)
            # Any document will do: each of these entries has one of its own.
            self.count += 1
            vals |= {"source_model": "benchmark", "source_id": self.count}
            postings.append((member, vals))
        lots = members._give(postings).lot_ids
        env = members.env
        env.flush_all()
        env.cr.execute(
            "UPDATE garage_loyalty_lot SET date_expiry = %s WHERE id = ANY(%s)",
            [day, lots.ids],
        )
        env.invalidate_all()
        return lots

    def _expect(self, lots, visitors, kind):
        for lot in lots:
            if lot.member_id in visitors:
                self.later[lot.id] = lot.date_expiry
            else:
                kind[lot.id] = lot.date_expiry

    def _get_lots(self, env):
        ids = [*self.due, *self.soon, *self.later]
        return env["garage.loyalty.lot"].browse(ids)

    def count_done(self, env):
        lots = self._get_lots(env)
        return sum(
            lot.is_settled
            + bool(lot.date_warned)
            + (not lot.remaining)
            + (lot.date_expiry != self.later.get(lot.id, lot.date_expiry))
            for lot in lots
        )

    def is_left(self, env):
        wanted = 2 * len(self.due) + 2 * len(self.soon) + 2 * len(self.later)
        return self.count_done(env) < wanted

    def find_wrong(self, env):
        expired = self._get_expired(env)
        wrong = [f"lot {key} expired twice" for key in expired if len(expired[key]) > 1]
        for lot in self._get_lots(env):
            taken = [(-50, lot.date_expiry)] if lot.id in self.due else []
            if expired[lot.id] != taken or lot.remaining != (0 if taken else 50):
                wrong.append(f"lot {lot.id}: {expired[lot.id]} instead of {taken}")
            if bool(lot.date_warned) != (lot.id in self.soon):
                wrong.append(f"lot {lot.id}: warned on {lot.date_warned}")
            if lot.id in self.later and lot.date_expiry <= self.today:
                wrong.append(f"lot {lot.id}: expires on {lot.date_expiry} after all")
        return wrong + self._find_wrong_mails(env)

    def _get_expired(self, env):
        entries = env["garage.loyalty.entry"].search(
            [
                ("source_model", "=", "garage.loyalty.lot"),
                ("source_id", "in", self._get_lots(env).ids),
            ]
        )
        result = defaultdict(list)
        for entry in entries:
            result[entry.source_id].append((entry.points, entry.date))
        return result

    def _find_wrong_mails(self, env):
        """Each member whose points are soon due gets a mail; nobody else any."""
        members = set(self.member_ids) - set(self.visitor_ids)
        mails = env["mail.mail"].search([("model", "=", "garage.loyalty.member")])
        sent = Counter(mails.mapped("res_id"))
        if sent == Counter(dict.fromkeys(members, self.mails)):
            return []
        return [f"{sent} mails instead of {self.mails} for each of {members}"]
