from odoo import api, fields, models

from ..tools.points import document_points

PAID = ("paid", "in_payment")


class GarageLoyaltyEarningMixin(models.AbstractModel):
    """How invoices and credit notes give and take points, for ``account.move``."""

    _name = "garage.loyalty.earning.mixin"
    _description = "Earning Loyalty Points"

    def _sync_loyalty(self):
        """Give or take the difference between what is posted and what is due.

        Idempotent: computes what the invoice and its credit notes *should* have
        produced from their present state. Everything that may change that state
        calls this method, and so does a nightly job.
        """
        if not self or self.env.context.get("garage_loyalty_defer"):
            return
        # Whoever posts, pays or credits need not have access to the ledger.
        roots = self.sudo()._get_loyalty_roots()
        if not roots:
            return
        Entry = roots.env["garage.loyalty.entry"]
        posted = Entry._get_posted(roots._get_loyalty_documents())
        sums = {document: points for document, (points, _seq) in posted.items()}
        first = []
        for root in roots:
            for move, target in root._get_loyalty_targets(sums):
                delta = target - sums.get(move.id, 0)
                if not delta:
                    continue
                vals = root._prepare_loyalty_entry(move, delta)
                if delta > 0 and move.id not in posted:
                    first.append((root.loyalty_member_id._get_survivor(), vals))
                else:
                    root._post_loyalty_change(move, vals)
        self._give_loyalty_points(first)

    def _sync_new_loyalty(self, stamps):
        """Give the points of invoices that were never posted before.

        The same as ``_sync_loyalty``, without asking what is posted already: nothing,
        unless a payment came with the invoice.

        :param stamps: what ``_stamp_loyalty`` returned
        :return: the invoices that need nothing more
        """
        mine = self.filtered(
            lambda move: (
                move.move_type == "out_invoice" and move.payment_state == "not_paid"
            )
        )
        Member = self.env["garage.loyalty.member"].sudo()  # as in _sync_loyalty
        postings = [
            (
                Member.browse(stamps[move]["loyalty_member_id"]),
                {
                    "kind": "earn",
                    "points": stamps[move]["loyalty_points_due"],
                    "date": move.invoice_date,
                    "source": move,
                    "reason": self.env._("Invoice posted"),
                },
            )
            for move in mine
            if move in stamps
            and stamps[move]["loyalty_earn_trigger"] == "posted"
            and stamps[move]["loyalty_points_due"]
        ]
        self._give_loyalty_points(postings)
        return mine

    def _prepare_loyalty_entry(self, move, delta):
        return {
            "kind": "earn" if delta > 0 else "clawback",
            "points": delta,
            "date": move._get_loyalty_entry_date(delta),
            "source": move,
            "reason": move._get_loyalty_reason(delta),
        }

    def _post_loyalty_change(self, move, vals):
        """Take points from those of the invoice first; give back what was taken."""
        self.loyalty_member_id._post_points(
            **vals, origin=self if vals["points"] < 0 else move
        )

    @api.model
    def _give_loyalty_points(self, postings):
        """Give the points of invoices that earn for the first time, all at once."""
        if not postings:
            return
        entries = [
            (member, member._prepare_entry_vals(**vals, seq=1))
            for member, vals in postings
        ]
        members = postings[0][0].concat(*(member for member, _vals in postings))
        members._give(entries)
        members._forget_given()
        members.filtered(lambda member: member._get_tier_rules().asks_points)._rise()

    def _get_loyalty_roots(self):
        """Return the invoices that rule the points of these documents."""
        stamped = self.filtered("loyalty_member_id")
        linked = stamped.filtered(lambda move: move.reversed_entry_id.loyalty_member_id)
        return (stamped - linked) | linked.reversed_entry_id

    def _get_loyalty_documents(self):
        credit_notes = self.reversal_move_ids.filtered("loyalty_member_id")
        return self | credit_notes.sorted(lambda move: (move.invoice_date, move.id))

    def _get_loyalty_targets(self, posted):
        """Return pairs of (document, points it should have) for one invoice."""
        self.ensure_one()
        if self.move_type == "out_refund":
            due = self.loyalty_points_due if self.state == "posted" else 0
            return [(self, -due)]
        documents = self._get_loyalty_documents()
        credits = (documents - self).filtered(lambda move: move.state == "posted")
        if not self._is_loyalty_earned(posted.get(self.id, 0)):
            return [(move, 0) for move in documents]
        points = document_points(
            self.loyalty_points_due, self.loyalty_base, credits.mapped("loyalty_base")
        )
        targets = dict(zip(self + credits, points, strict=True))
        return [(move, targets.get(move, 0)) for move in documents]

    def _is_loyalty_earned(self, already):
        """Tell whether the invoice has earned its points.

        An invoice that is settled by credit notes alone earns nothing, but one that
        had earned before keeps its entry: the credit notes take the points back.
        """
        self.ensure_one()
        if self.state != "posted":
            return False
        return (
            self.loyalty_earn_trigger == "posted"
            or self.payment_state in PAID
            or (self.payment_state == "reversed" and already > 0)
        )

    def _get_loyalty_entry_date(self, delta):
        """Return the date of an entry: the day on which its cause happened."""
        self.ensure_one()
        today = fields.Date.context_today(self)
        if self.state != "posted" or (delta < 0 and self.move_type == "out_invoice"):
            return today
        if self.loyalty_earn_trigger == "posted" or self.move_type == "out_refund":
            return self.invoice_date
        payments = self._get_reconciled_amls().mapped("date")
        return max([self.invoice_date, *payments])

    def _get_loyalty_reason(self, delta):
        self.ensure_one()
        if self.state != "posted":
            return self.env._("Document no longer posted")
        if self.move_type == "out_refund":
            return self.env._("Credit note")
        if delta < 0:
            return self.env._("Invoice no longer paid")
        if self.loyalty_earn_trigger == "posted":
            return self.env._("Invoice posted")
        return self.env._("Invoice paid")
