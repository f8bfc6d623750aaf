import os
from collections import Counter, defaultdict
from datetime import date
from itertools import product
from typing import NamedTuple

from odoo import Command, fields
from odoo.fields import Domain
from odoo.tests import freeze_time, tagged

from .test_movement import TODAY, MovementCommon

try:
    from hypothesis import HealthCheck, Phase, given, settings
    from hypothesis import strategies as st
except ImportError:  # a workshop's server has no development tools
    settings = None

GAPS = (1, 2, 6, 12, 60)
SCOPES = {"all": (True, False), "member": (True,), "other": (False,)}
FIGURES = (
    "lapsed",
    "returned",
    "first_count",
    "returning_count",
    "net",
    "active_count",
    "inspections",
)
INVOICES = [("move_type", "=", "out_invoice"), ("state", "=", "posted")]
# How many histories of documents; every one takes about a second.
EXAMPLES = {"default": 15, "nightly": 2000}


def number(day):
    return 12 * day.year + day.month


class Billed(NamedTuple):
    """An invoice that counts, as the oracle sees it."""

    customer: int
    date: date
    is_member: bool
    inspections: float

    @property
    def month(self):
        return number(self.date)


def get_billed(invoices):
    """Return what counts: posted, and not credited as a whole; the first come first."""
    billed = []
    for invoice in invoices:
        credits = invoice.reversal_move_ids.filtered(
            lambda move: move.state == "posted"
        )
        if sum(credits.mapped("amount_total")) < invoice.amount_total:
            lines = invoice.invoice_line_ids, credits.invoice_line_ids
            sold, returned = (sum(line.mapped("quantity")) for line in lines)
            billed.append(
                Billed(
                    invoice.partner_id.commercial_partner_id.id,
                    invoice.invoice_date,
                    bool(invoice.loyalty_member_id),
                    sold - returned,
                )
            )
    return billed


def count(billed, month, gap, now, kinds):
    """Return the figures of a month, by going through everything, again and again."""
    counter = Counter(dict.fromkeys(FIGURES, 0))
    by_customer = defaultdict(list)
    for item in billed:
        by_customer[item.customer].append(item)
    for items in by_customer.values():
        until = [item for item in items if item.month <= month]
        if not until or until[-1].is_member not in kinds:
            continue
        months = {item.month for item in items}
        before = {item.month for item in until} - {month}
        if until[-1].month == month - gap:
            counter["lapsed"] += 1
            counter["returned"] += any(month < known <= now for known in months)
        counter["active_count"] += until[-1].month > month - gap
        if month in months:
            away = all(known < month - gap for known in before)
            counter["first_count"] += not before
            counter["returning_count"] += bool(before) and away
            counter["inspections"] += sum(
                item.inspections for item in until if item.month == month
            )
    counter["net"] = (
        counter["first_count"] + counter["returning_count"] - counter["lapsed"]
    )
    return counter


@tagged("post_install", "-at_install")
@freeze_time(TODAY)
class TestMovementHistories(MovementCommon):
    """Whatever is posted, credited, merged or archived: the report counts it right.

    ``HYPOTHESIS_PROFILE=nightly`` goes through many more histories, which take hours.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # Neither messages nor rights matter here, and both take time.
        cls.env = cls.env(context={"tracking_disable": True}, su=True)
        cls.labour = cls.labour.with_env(cls.env)
        cls.labour.inspection_kind = "inspection"
        elsewhere = cls.setup_other_company()["company"].with_env(cls.env)
        cls.env.user.company_ids += elsewhere
        cls.companies = cls.company.with_env(cls.env) + elsewhere
        cls.env = cls.env(
            context={**cls.env.context, "allowed_company_ids": cls.companies.ids}
        )
        cls.Movement = cls.Movement.with_env(cls.env)
        cls.Changed = cls.Changed.with_env(cls.env)
        cls.Customer = cls.Customer.with_env(cls.env)
        cls.journals = {
            company: cls.env["account.journal"].search(
                [("type", "=", "sale"), ("company_id", "=", company.id)], limit=1
            )
            for company in cls.companies
        }
        cls.customers = cls.env["res.partner"].create(
            [{"name": f"Customer {place}"} for place in range(4)]
        )
        cls.env.flush_all()

    def test_every_history_is_counted_right(self):
        if not settings:
            self.skipTest("hypothesis is not installed")
        profile = os.environ.get("HYPOTHESIS_PROFILE", "default")
        check = settings(
            max_examples=EXAMPLES[profile],
            deadline=None,
            database=None,
            derandomize=profile == "default",
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate, Phase.shrink],
        )

        @check
        @given(histories)
        def run(history):
            with self.env.cr.savepoint() as point:
                try:
                    self._live_through(history)
                finally:
                    point.rollback()
                    self.env.invalidate_all(flush=False)
                    self.env.registry.clear_cache()

        run()

    # -- what happens ----------------------------------------------------------------

    def _live_through(self, history):
        """Make the documents, and compare the report three times."""
        if history.joined:
            self._enrol(self.customers[0], history.joined)
        made = [self._bill_document(document) for document in history.documents]
        self._finish_documents(made, history.documents, "at once")
        if history.seen_meanwhile:
            self._refresh()
        self._finish_documents(made, history.documents, "late")
        self._merge(history.merged)
        self.customers.exists()[: history.archived].active = False
        self._compare()
        self._refresh()
        self._compare()
        self._check_rebuilding()

    def _bill_document(self, document):
        company = self.companies[document.company]
        return self.env["account.move"].create(
            {
                "move_type": "out_invoice",
                "journal_id": self.journals[company].id,
                "partner_id": self.customers[document.customer].id,
                "invoice_date": document.date,
                "invoice_line_ids": [
                    Command.create(
                        {
                            "product_id": self.labour.id,
                            "quantity": 2,
                            "price_unit": 50,
                            "tax_ids": [Command.clear()],
                        }
                    )
                ],
            }
        )

    def _finish_documents(self, made, documents, when):
        """Post, and credit, what is to be posted now."""
        for invoice, document in zip(made, documents, strict=True):
            if document.posted == when:
                invoice.action_post()
                # The host would wait with a credit note of the future.
                day = min(document.date, fields.Date.to_date(TODAY))
                for amount in document.credited:
                    self._credit(invoice, amount=amount, date=day)

    def _merge(self, pair):
        if pair and pair[0] != pair[1]:
            partners = self.customers[pair[0]] + self.customers[pair[1]]
            wizard = self.env["base.partner.merge.automatic.wizard"].create({})
            wizard._merge(partners.ids, partners[0])

    # -- what must come of it ----------------------------------------------------------

    def _compare(self):
        self.env.flush_all()
        self.env.invalidate_all()
        now = number(fields.Date.to_date(TODAY))
        for company in self.companies:
            mine = Domain("company_id", "=", company.id)
            invoices = self.env["account.move"].search(
                mine & Domain(INVOICES), order="invoice_date, id"
            )
            billed = get_billed(invoices)
            chosen = Domain("gap", "in", GAPS) & Domain("scope", "in", list(SCOPES))
            rows = self.Movement.search(mine & chosen).grouped(
                lambda row: (row.gap, row.scope)
            )
            # A company is in the report from its first month on, until today.
            first = min((item.month for item in billed), default=now + 1)
            months = list(range(now, first - 1, -1))
            for gap, scope in product(GAPS, SCOPES) if months else ():
                found = rows.pop((gap, scope))
                self.assertEqual([number(row.month) for row in found], months)
                self._compare_rows(found, billed)
            self.assertFalse(rows)

    def _compare_rows(self, rows, billed):
        now = number(fields.Date.to_date(TODAY))
        for row in rows:
            kinds = SCOPES[row.scope]
            wanted = count(billed, number(row.month), row.gap, now, kinds)
            self.assertEqual(
                {name: row[name] for name in FIGURES},
                dict(wanted),
                f"{row.month:%Y-%m}, {row.gap} months, {row.scope}",
            )

    def _check_rebuilding(self):
        """Check that nothing is computed otherwise, but for who is known by night."""
        unknown = Domain("stage", "=", "never")
        before = self.Customer.search_count(unknown)
        changed = self.Changed._rebuild()
        self.assertEqual(changed, self.Customer.search_count(unknown) - before)
        self.assertEqual(self.Changed._rebuild(), 0)
        self.assertEqual(self.env["garage.loyalty.movement.count"]._check(), 0)


if settings:

    class Document(NamedTuple):
        """An invoice, and what becomes of it."""

        customer: int
        company: int
        date: date
        posted: str
        credited: list

    class History(NamedTuple):
        """Invoices of some customers, and what becomes of the customers."""

        documents: list
        joined: date | None
        merged: tuple | None
        archived: int
        seen_meanwhile: bool

    # Ends and beginnings of months, leap days, the present month and the future; many
    # of them exactly 1, 2, 6, 12 or 60 months from another one, or a month more.
    chosen_days = st.sampled_from(
        [
            date(2018, 5, 31),
            date(2018, 6, 1),
            date(2020, 2, 29),
            date(2022, 6, 30),
            date(2022, 12, 31),
            date(2023, 2, 28),
            date(2023, 3, 1),
            date(2023, 5, 31),
            date(2023, 6, 1),
            date(2023, 7, 31),
            date(2023, 8, 31),
            date(2023, 12, 31),
            date(2024, 1, 31),
            date(2024, 2, 29),
            date(2024, 3, 1),
            date(2024, 6, 15),
            date(2024, 6, 30),
            date(2024, 7, 1),
            date(2025, 2, 28),
        ]
    )
    other_days = st.dates(date(2018, 1, 1), date(2025, 3, 1))
    documents = st.builds(
        Document,
        customer=st.sampled_from([0, 0, 0, 1, 1, 2, 3]),
        company=st.sampled_from([0, 0, 0, 1]),
        date=st.one_of(chosen_days, chosen_days, chosen_days, other_days),
        posted=st.sampled_from(["at once", "at once", "late", "never"]),
        # Of 100: in part, as a whole, as a whole in two parts.
        credited=st.sampled_from([[], [], [], [40], [100], [40, 60]]),
    )
    histories = st.builds(
        History,
        documents=st.lists(documents, min_size=1, max_size=12),
        joined=st.none() | st.dates(date(2019, 1, 1), date(2024, 6, 1)),
        merged=st.none() | st.tuples(st.integers(0, 3), st.integers(0, 3)),
        archived=st.integers(0, 2),
        seen_meanwhile=st.booleans(),
    )
