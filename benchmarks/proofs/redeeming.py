"""One redemption for many: of all who spend the same points, exactly one does."""

from common import Tally, deal, environment
from workshop import Workshop

from odoo.fields import Command

from proofs import SPENT


class Contest:
    """Documents of one member, each with the member's whole balance planned on it."""

    model, method, field, won = "sale.order", "action_confirm", "order_id", "sale"

    def __init__(self, registry, workers, wanted):
        self.registry, self.workers = registry, workers
        with environment(registry) as env:
            shop = Workshop(env)
            # What is redeemed must not be earned again by the same document.
            shop.program.earn_trigger = "paid"
            member, labour = shop.member(), shop.labour()
            self.uids = shop.advisors(workers.number).ids
            self.member_id, self.labour_id = member.id, labour.id
            self._refill(env)
            self.ids = self._create(env, shop, member.partner_id, labour, wanted).ids
        hands = zip(self.uids, deal(self.ids, workers.number), strict=True)
        tally = workers.run(_plan, [(self.field, *hand) for hand in hands])
        if tally.refused or tally.tracebacks:
            raise RuntimeError(f"{tally.messages} {tally.tracebacks[:1]}")

    def _create(self, env, shop, customer, labour, number):
        line = {"product_id": labour.id, "product_uom_qty": 1}
        vals = {"partner_id": customer.id, "order_line": [Command.create(line)]}
        return env["sale.order"].create([vals] * number)

    def _refill(self, env):
        """Give what one redemption takes: half in the stored balance, half new."""
        member = env["garage.loyalty.member"].browse(self.member_id)
        invoice = Workshop(env).invoices(
            member.partner_id, env["product.product"].browse(self.labour_id), 1
        )
        for kind, source in (("adjust", member), ("earn", invoice)):
            member._post_points(
                kind, SPENT // 2, "2024-06-03", source=source, reason="Benchmark"
            )

    def round(self, attempts):
        """Let all workers try at once; return their tally and what is wrong after."""
        pool = self.ids[: attempts * self.workers.number]
        hands = zip(self.uids, deal(pool, self.workers.number), strict=True)
        tally = self.workers.run(
            _try_all, [(self.model, self.method, *hand) for hand in hands]
        )
        self.ids = [number for number in self.ids if number not in set(tally.done)]
        with environment(self.registry) as env:
            wrong = self._find_wrong(env, pool, tally)
            self._refill(env)
        return tally, wrong

    def _find_wrong(self, env, pool, tally):
        """Return what contradicts exactly one redemption in this round."""
        member = env["garage.loyalty.member"].browse(self.member_id)
        documents = env[self.model].browse(pool)
        won = documents.filtered(lambda document: document.state == self.won)
        redemptions = env["garage.loyalty.redemption"].search(
            [(self.field, "in", pool), ("points_spent", "!=", 0)]
        )
        facts = {
            "documents through": (won.ids, tally.done),
            "redemptions": (redemptions[self.field].ids, tally.done),
            "points redeemed": (sum(redemptions.mapped("points_spent")), SPENT),
            "balance": (member.points, 0),
            "ledger": (sum(member.entry_ids.mapped("points")), 0),
            "differences": (Workshop(env).differences(member), []),
        }
        return {name: pair for name, pair in facts.items() if pair[0] != pair[1]}


class InvoiceContest(Contest):
    model, method, field, won = "account.move", "action_post", "move_id", "posted"

    def _create(self, env, shop, customer, labour, number):
        return shop.invoices(customer, labour, number)


def _plan(registry, tally, field, uid, ids):
    """Plan the whole balance on each document, with the dialog."""
    for number in ids:

        def plan(env, number=number):
            dialog = env["garage.loyalty.redeem"].create({field: number})
            dialog.points = SPENT
            dialog.action_redeem()

        tally.attempt(number, registry, uid, plan)


def _try_all(registry, tally, model, method, uid, ids):
    for number in ids:
        tally.attempt(
            number,
            registry,
            uid,
            lambda env, number=number: getattr(env[model].browse(number), method)(),
        )


def prove_redeeming(report, registry, workers, options):
    sizes = (
        (Contest, "confirming quotations", options.attempts, options.rounds),
        (
            InvoiceContest,
            "posting invoices of one journal",
            4,
            options.rounds // 5 or 1,
        ),
    )
    for contest, text, attempts, rounds in sizes:
        report.title(
            f"Redeeming by {text}: {workers.number} workers × {attempts} attempts × "
            f"{rounds} rounds, balance for one"
        )
        # In each round one document is used up.
        wanted = workers.number * attempts + rounds
        _run_contest(report, contest(registry, workers, wanted), attempts, rounds)


def _run_contest(report, contest, attempts, rounds):
    total, ones, wrong = Tally(), 0, []
    for number in range(1, rounds + 1):
        tally, found = contest.round(attempts)
        ones += len(tally.done) == 1
        wrong += [(number, found)] if found else []
        total += tally
        if not number % 25:
            report.note(f"… {number} rounds, {ones} with exactly one redemption")
    made = contest.workers.number * attempts * rounds
    report.exactly("rounds with exactly one redemption", ones, rounds)
    report.exactly("rounds after which ledger and documents disagree", len(wrong), 0)
    report.exactly("clear refusals", total.refused, made - rounds)
    report.nothing_broken(total)
    report.line(
        "attempts that had to be tried again", total.retries, "> 0", total.retries > 0
    )
    report.note(f"slowest attempt {total.slowest:.1f} s, the host's waits included")
    for message, count in total.messages.most_common(2):
        report.note(f"{count} × “{message}”")
    for item in wrong[:3]:
        report.note(f"round {item[0]}: {item[1]}")
