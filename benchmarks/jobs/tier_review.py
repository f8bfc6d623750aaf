"""Tiers that are reached, kept and lost, day by day."""

import random
from collections import Counter
from datetime import timedelta

from jobs.job import Job

DAYS = 31  # more than that are not caught up with


class TierReview(Job):
    """Members whose visits of some weeks have not been reviewed yet."""

    title = "Tiers: reached, lost at the review, members warned"
    action, unit = "ir_cron_review_tiers", "days reviewed, or members warned"
    code = "model._cron_review(batch=1)"

    def set_up(self, env, shop):
        shop.program.write(
            {
                "tier_months": 1,
                "tier_review": "monthly",
                "tier_grace_days": 3,
                "tier_fall": "step",
                "tier_warning_days": 366,
            }
        )
        for tier, spend in zip(shop.program.tier_ids[1:], (300, 600), strict=True):
            tier.write({"required_spend": spend, "required_visits": 0})
        self.program_id = shop.program.id
        self.today = shop.company._get_loyalty_today()
        self.first = self.today - timedelta(DAYS)
        self.numbers = random.Random(19)
        self.spends, self.rounds = {}, 0

    def prepare(self, env, shop):
        """Enrol others, whose days nobody has reviewed; leave those before alone."""
        former = env["garage.loyalty.member"].browse(self.spends)
        former._leave(date=self.today)
        members = shop.enrol(
            shop.customers(6, email="customer@example.com"), joined=str(self.first)
        )
        self.spends = {
            member.id: [
                (self.first + timedelta(self.numbers.randrange(DAYS)), amount)
                for amount in self.numbers.choices((150, 350, 650), k=3)
            ]
            for member in members
        }
        for member in members:
            for day, amount in self.spends[member.id]:
                env.cr.execute(
                    "INSERT INTO garage_loyalty_visit (kind, company_id, partner_id, "
                    "date, amount) VALUES ('sale', %s, %s, %s, %s)",
                    [shop.company.id, member.partner_id.id, day, amount],
                )
        shop.program.tier_reviewed_until = self.first
        self.rounds += 1

    def count_done(self, env):
        program = env["garage.loyalty.program"].browse(self.program_id)
        days = (program.tier_reviewed_until - self.first).days
        return (self.rounds - 1) * DAYS + days + self._count_warned(env)

    def _count_warned(self, env):
        return env["garage.loyalty.qualification"].search_count(
            [("date_warned", "!=", False)]
        )

    def is_left(self, env):
        program = env["garage.loyalty.program"].browse(self.program_id)
        if program.tier_reviewed_until < self.today:
            return True
        Warning = env["garage.loyalty.tier.warning"]
        unwarned = Warning._get_warning_domain(program, self.today)
        return bool(env["garage.loyalty.qualification"].search_count(unwarned))

    def find_wrong(self, env):
        """Replay each member by the rules alone, and compare all that was written."""
        wrong, warned = [], Counter()
        rules = env["garage.loyalty.program"].browse(self.program_id)._get_rules().tiers
        for member in env["garage.loyalty.member"].browse(self.spends):
            moves, held = self._replay(rules, self.spends[member.id])
            found = [
                (row.date, rules.place(row.tier_id.id))
                for row in member.status_ids.sorted("id")[1:]
            ]
            if found != moves:
                wrong.append(f"member {member.id}: {found} instead of {moves}")
            kept = {
                rules.place(row.tier_id.id): row.date_until or None
                for row in member.qualification_ids
            }
            if kept != held:
                wrong.append(f"member {member.id}: holds {kept} instead of {held}")
            place = moves[-1][1] if moves else 0
            warned[member.id] += bool(held.get(place))
        return wrong + self._find_wrong_mails(env, +warned)

    def _replay(self, rules, spends):
        # Odoo knows the path of add-ons only once the registry is open.
        from odoo.addons.garage_loyalty.tools.tiers import Figures

        place, held, moves = 0, {}, []
        for number in range(1, DAYS + 1):
            day = self.first + timedelta(number)
            start = rules.window_start(day)
            spend = sum(amount for when, amount in spends if start <= when <= day)
            deserved = rules.deserved(Figures(spend=spend))
            before = place
            place, held = rules.advance(day, deserved, place, held)
            if place != before:
                moves.append((day, place))
        return moves, held

    def _find_wrong_mails(self, env, warned):
        mails = env["mail.mail"].search(
            [
                ("model", "=", "garage.loyalty.member"),
                ("res_id", "in", list(self.spends)),
            ]
        )
        sent = Counter(mails.mapped("res_id"))
        return [] if sent == warned else [f"{sent} mails instead of {warned}"]
