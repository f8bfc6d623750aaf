"""One synchronisation, a thousand times at once: every invoice earns once."""

from common import Tally, deal, environment
from workshop import Workshop

from proofs.posting import register_payment


def prove_synchronising(report, registry, workers, options):
    report.title(
        f"One synchronisation called {options.calls} times by {workers.number} "
        f"processes, {options.sync_rounds} invoices in turn"
    )
    with environment(registry) as env:
        shop = Workshop(env)
        shop.program.earn_trigger = "paid"
        bank_id = shop.journals(1, "bank").id
        member_id = shop.member().id
        labour_id = shop.labour().id
    total, given, taken = Tally(), 0, 0
    for _round in range(options.sync_rounds):
        invoice_id = _pay_silently(registry, member_id, labour_id, bank_id)
        share = [len(part) for part in deal(range(options.calls), workers.number)]
        tasks = [(invoice_id, number) for number in share]
        total += workers.run(_sync_all, tasks)
        given += _get_entries(registry, invoice_id) == [100]
        _cancel_silently(registry, invoice_id)
        total += workers.run(_sync_all, tasks)
        taken += _get_entries(registry, invoice_id) == [100, -100]
    rounds = options.sync_rounds
    report.exactly("paid invoices with exactly one entry", given, rounds)
    report.exactly("… and, no longer posted, one that takes it back", taken, rounds)
    report.exactly("calls that ended well", len(total.done), 2 * rounds * options.calls)
    report.nothing_broken(total)
    report.note(f"calls that had to be tried again: {total.retries}")
    with environment(registry) as env:
        member = env["garage.loyalty.member"].browse(member_id)
        report.exactly("ledger differences", len(Workshop(env).differences(member)), 0)


def _pay_silently(registry, member_id, labour_id, bank_id):
    """Return a paid invoice of which the ledger has not heard."""
    with environment(registry) as env:
        env = env(context={"garage_loyalty_defer": True})
        member = env["garage.loyalty.member"].browse(member_id)
        labour = env["product.product"].browse(labour_id)
        invoice = Workshop(env).invoices(member.partner_id, labour, 1)
        invoice.action_post()
        register_payment(invoice, bank_id)
        assert invoice._is_loyalty_earned(0)
        assert not env["garage.loyalty.entry"]._get_sums(invoice)
        return invoice.id


def _cancel_silently(registry, invoice_id):
    with environment(registry) as env:
        env = env(context={"garage_loyalty_defer": True})
        env["account.move"].browse(invoice_id).button_draft()


def _sync_all(registry, tally, invoice_id, number):
    for _call in range(number):
        tally.attempt(
            invoice_id,
            registry,
            1,
            lambda env: env["account.move"].browse(invoice_id)._sync_loyalty(),
        )


def _get_entries(registry, invoice_id):
    with environment(registry) as env:
        entries = env["garage.loyalty.entry"].search(
            [("source_model", "=", "account.move"), ("source_id", "=", invoice_id)],
            order="id",
        )
        return entries.mapped("points")
