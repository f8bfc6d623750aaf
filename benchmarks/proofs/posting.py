"""Posting for one customer in parallel: nobody waits, and no point is lost."""

from functools import partial

from common import environment
from workshop import Workshop

from odoo.tools import SQL

LONG = "1s"  # who waits longer than this for a lock is blocked


def prove_posting(report, registry, workers, options):
    report.title(
        f"Posting for one customer: {workers.number} processes × {options.posts} "
        f"invoices, each process its own journal"
    )
    posting = Posting(registry, workers, options.posts)
    posting.run(report, "host alone, not a member", member=False, hold="post")
    posting.run(report, "earned when posted", hold="post")
    posting.run(report, "points being spent", hold="spend")
    posting.run(report, "earned when paid", trigger="paid", hold="post")
    posting.run(report, "invoices of repair orders", repairs=True, hold="post")
    report.title("The same in one journal, where the host itself hands out numbers")
    posting.run(report, "host alone, not a member", member=False, one_journal=True)
    posting.run(report, "earned when posted", one_journal=True)


class Posting:
    """Invoices of one customer, posted by many processes while one holds back."""

    def __init__(self, registry, workers, number):
        self.registry, self.workers, self.number = registry, workers, number
        with environment(registry) as env:
            shop = Workshop(env)
            self.sales = shop.journals(workers.number + 1).ids
            self.banks = shop.journals(workers.number + 1, "bank").ids
            self.uids = shop.advisors(workers.number).ids
            self.labour_id = shop.labour().id

    def run(self, report, text, **options):
        """Let everybody post; ``options`` are those of ``Case``."""
        case = Case(self, **options)
        with environment(self.registry) as env:
            case.prepare(env)
        with environment(self.registry) as env:
            case.hold_back(env)
            tally = self.workers.run(_post_all, case.shares)
        with environment(self.registry) as env:
            case.report(env, report, text, tally)


class Case:
    """One way in which the invoices of a customer are made and posted.

    :param hold: what a transaction has done that is open all the time: post or spend
    :param repairs: whether they are invoices of repair orders, before a later visit
    """

    def __init__(
        self,
        posting,
        member=True,
        trigger="posted",
        hold=None,
        one_journal=False,
        repairs=False,
    ):
        self.posting, self.member, self.trigger = posting, member, trigger
        self.hold, self.one_journal, self.repairs = hold, one_journal, repairs
        self.number = posting.number // (5 if repairs else 1) or 1
        self.expected = self.number * posting.workers.number

    def prepare(self, env):
        shop, posting = Workshop(env), self.posting
        shop.program.earn_trigger = self.trigger
        customer = shop.customers(1)
        account = shop.enrol(customer) if self.member else None
        if self.hold == "spend":
            account._post_points("adjust", 100, "2024-06-03", reason="Benchmark")
        if self.repairs:
            self._make(shop, customer, 1, -1, "2024-07-01").action_post()
            self.expected += 1
        self.shares = []
        for index, uid in enumerate(posting.uids):
            journal = 0 if self.one_journal else index
            invoices = self._make(shop, customer, self.number, journal)
            bank = self.trigger == "paid" and posting.banks[index]
            self.shares.append((uid, invoices.ids, bank, not self.one_journal))
        self.held_id = self._make(shop, customer, 1, -1).id
        self.account_id = account and account.id

    def _make(self, shop, customer, number, journal, date="2024-06-03"):
        labour = shop.env["product.product"].browse(self.posting.labour_id)
        vals = {"journal_id": self.posting.sales[journal]}
        if not self.repairs:
            return shop.invoices(customer, labour, number, date, **vals)
        bills = [shop.bill(customer, labour, date, **vals) for _number in range(number)]
        return bills[0].concat(*bills[1:])

    def hold_back(self, env):
        """Do something, without committing it."""
        invoice = env["account.move"].browse(self.held_id)
        if self.hold == "spend":
            account = env["garage.loyalty.member"].browse(self.account_id)
            account._post_points("redeem", -100, "2024-06-03", source=invoice)
        elif self.hold:
            invoice.action_post()
            self.expected += 1
        if self.hold and self.trigger == "paid":
            register_payment(invoice, self.posting.banks[-1])
        env.flush_all()

    def report(self, env, report, text, tally):
        if self.one_journal:
            speed = f"{len(tally.done) / tally.seconds:.0f} a second"
            report.note(f"{text}: tried again {tally.retries} times, {speed}")
        elif self.repairs:
            # Who is blocked ends in an error: what is held back is never committed.
            blocked = tally.refused + len(tally.tracebacks)
            report.exactly(f"{text}: blocked", blocked, 0)
            report.note(f"{text}: tried again without waiting {tally.retries} times")
        else:
            report.exactly(f"{text}: blocked or tried again", tally.retries, 0)
        if tally.refused or tally.tracebacks:
            report.exactly(f"{text}: errors", tally.refused + len(tally.tracebacks), 0)
            report.note((tally.tracebacks or list(tally.messages))[0])
        if self.account_id:
            member = env["garage.loyalty.member"].browse(self.account_id)
            found = Workshop(env).differences(member)
            report.exactly(f"{text}: points", member.points, 100 * self.expected)
            report.exactly(f"{text}: ledger differences", len(found), 0)


def _post_all(registry, tally, uid, ids, bank, free):
    """Post, and pay, each invoice; whoever waits long for a lock gets an error."""

    def post(env, number):
        if free:
            env.cr.execute(SQL("SET LOCAL lock_timeout = %s", LONG))
        env["account.move"].browse(number).action_post()

    def pay(env, number):
        env.cr.execute(SQL("SET LOCAL lock_timeout = %s", LONG))
        register_payment(env["account.move"].browse(number), bank)

    for number in ids:
        for step in (post, pay) if bank else (post,):
            tally.attempt(number, registry, uid, partial(step, number=number))


def register_payment(invoice, bank):
    """Register the payment, with the host's dialog."""
    invoice.env["account.payment.register"].with_context(
        active_model="account.move", active_ids=invoice.ids
    ).create(
        {"journal_id": bank, "payment_date": invoice.invoice_date}
    )._create_payments()
