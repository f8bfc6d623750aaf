"""Payments and credit notes of the plan, on the days they were due to happen."""

from odoo.fields import Command


class Till:
    """Keeps what is still to come: payments and credit notes have their own day."""

    def __init__(self, premises):
        self.env = premises.env
        self.journal = self.env["account.journal"].search(
            [
                ("company_id", "=", premises.company.id),
                ("type", "=", "bank"),
            ],
            limit=1,
        )
        self.payments = []  # (day, share, invoice)
        self.credits = []  # (day, kind, invoice)

    def expect(self, visit, invoice):
        if visit.paid and invoice.amount_total:
            self.payments.append((visit.paid, visit.part_paid or 1.0, invoice))
        if visit.credit and invoice.amount_total:
            self.credits.append((*visit.credit, invoice))

    def settle(self, until):
        """Everything due before that day, oldest first."""
        due, self.payments = _split(self.payments, until)
        self.pay(due)
        due, self.credits = _split(self.credits, until)
        notes = self.env["account.move"].union(*(self.credit(*row) for row in due))
        notes.action_post()
        # A paid invoice leaves its credit note open: the money goes back.
        self.pay(
            [
                (note.invoice_date, 1.0, note)
                for note in notes
                if not note.reversed_entry_id.amount_residual
            ]
        )
        return len(notes)

    def pay(self, due):
        due = [row for row in due if row[2].amount_residual]
        if not due:
            return
        payments = (
            self.env["account.payment"]
            .with_context(skip_invoice_sync=True)
            .create([self._payment_vals(*row) for row in due])
        )
        payments.action_post()
        plan = []
        for (_day, _share, invoice), payment in zip(due, payments, strict=True):
            lines = (payment.move_id | invoice).line_ids
            plan.append(
                lines.filtered(
                    lambda line: (
                        line.account_type == "asset_receivable" and not line.reconciled
                    )
                )
            )
        self.env["account.move.line"]._reconcile_plan(plan)

    def _payment_vals(self, day, share, move):
        inbound = move.move_type == "out_invoice"
        methods = (
            self.journal.inbound_payment_method_line_ids
            if inbound
            else self.journal.outbound_payment_method_line_ids
        )
        return {
            "date": day,
            "amount": move.currency_id.round(move.amount_residual * share),
            "payment_type": "inbound" if inbound else "outbound",
            "partner_type": "customer",
            "partner_id": move.commercial_partner_id.id,
            "journal_id": self.journal.id,
            "payment_method_line_id": methods[:1].id,
            "currency_id": move.currency_id.id,
            "memo": move.payment_reference or move.name,
            "invoice_ids": [Command.set(move.ids)],
        }

    def credit(self, day, kind, invoice):
        """A draft by the wizard: all of the invoice, one part, or half the labour."""
        # Not by active_ids: a context of its own for each would slow down the rest.
        wizard = self.env["account.move.reversal"].create(
            {
                "move_ids": [Command.set(invoice.ids)],
                "date": day,
                "reason": REASONS[kind],
                "journal_id": invoice.journal_id.id,
            }
        )
        wizard.refund_moves()
        note = wizard.new_move_ids
        if kind != "full":
            _keep(note, kind)
        return note


REASONS = {
    "full": "Invoiced to the wrong customer",
    "part": "Part returned",
    "goodwill": "Goodwill, car was late",
}


def _keep(note, kind):
    """Reduce a credit note of everything to what is really credited."""
    lines = note.invoice_line_ids.filtered(lambda line: line.price_subtotal > 0)
    services = lines.filtered(lambda line: line.product_id.type == "service")
    kept = (services if kind == "goodwill" else lines - services)[:1] or lines[:1]
    commands = [Command.delete(line.id) for line in note.invoice_line_ids - kept]
    if kind == "goodwill":
        commands.append(Command.update(kept.id, {"quantity": kept.quantity / 2}))
    note.invoice_line_ids = commands


def _split(rows, until):
    rows = sorted(rows, key=lambda row: (row[0], row[2].id))
    return (
        [row for row in rows if row[0] < until],
        [row for row in rows if row[0] >= until],
    )
