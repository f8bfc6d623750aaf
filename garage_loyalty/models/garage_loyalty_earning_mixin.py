from odoo import api, fields, models

from ..tools.points import document_points, earned_points, unredeemed

PAID = ("paid", "in_payment")
# A stamp changes neither the lines nor what a person typed.
UNTOUCHED = {"skip_invoice_sync": True, "skip_is_manually_modified": True}


class GarageLoyaltyEarningMixin(models.AbstractModel):
    """How invoices and credit notes give and take points, for ``account.move``."""

    _name = "garage.loyalty.earning.mixin"
    _description = "Earning Loyalty Points"

    # -- stamping ---------------------------------------------------------------

    @api.model
    def _get_unstamped_loyalty_moves(self, member):
        """Return invoices of a customer who enrolled on or before their date."""
        # Whoever enrols need not have access to invoices.
        return self.sudo().search(
            [
                ("company_id", "=", member.company_id.id),
                ("commercial_partner_id", "=", member.partner_id.id),
                ("move_type", "=", "out_invoice"),
                ("state", "=", "posted"),
                ("loyalty_member_id", "=", False),
                ("invoice_date", ">=", member.date_joined),
            ],
            order="invoice_date, id",
        )

    def _stamp_loyalty(self):
        """Note the membership as of the invoice date, and what is due by its rules."""
        # Whoever posts an invoice need not have access to the programme.
        for company, moves in self.sudo().grouped("company_id").items():
            members = moves.partner_id._get_loyalty_members(company)
            if not members and not moves.loyalty_member_id:
                continue
            for move in moves:
                member = members.get(move.commercial_partner_id)
                # The programme again: it is read to stamp, not to show.
                vals = move._prepare_loyalty_stamp(member and member.sudo())
                if vals["loyalty_member_id"] or move.loyalty_member_id:
                    move.with_context(**UNTOUCHED).write(vals)

    def _prepare_loyalty_stamp(self, member):
        """Return what is known of the document, as a visit of ``member`` or nobody.

        Override to stamp, or to reward, more.
        """
        self.ensure_one()
        Status = self.env["garage.loyalty.member.status"]
        status = member and Status._get_at(member, self.invoice_date).get(member.id)
        origin = self.reversed_entry_id
        if origin:
            member = origin.loyalty_member_id
        elif not status or status.state != "active":
            member = None
        if not member:
            return dict.fromkeys(
                (
                    "loyalty_member_id",
                    "loyalty_tier_id",
                    "loyalty_earn_trigger",
                    "loyalty_base",
                    "loyalty_points_due",
                ),
                False,
            )
        tier = origin.loyalty_tier_id or (status and status.tier_id)
        program = member.program_id
        bases = self._get_loyalty_bases(program)
        return {
            "loyalty_member_id": member.id,
            "loyalty_tier_id": tier and tier.id,
            "loyalty_earn_trigger": origin.loyalty_earn_trigger or program.earn_trigger,
            "loyalty_base": sum(base["eligible"] for base in bases.values()),
            "loyalty_points_due": self._get_loyalty_points_due(program, tier, bases),
        }

    def _get_loyalty_bases(self, program):
        """Return eligible, gross and redeemed amounts of labour and of parts.

        In the company's currency, net of tax and discount, positive also for a
        credit note.
        """
        self.ensure_one()
        sign = -1 if self.move_type == "out_invoice" else 1
        warranty = self._get_loyalty_warranty_lines()
        bases = {
            kind: dict.fromkeys(("eligible", "gross", "redeemed"), 0.0)
            for kind in ("labour", "parts")
        }
        for line in self.invoice_line_ids:
            base = bases[line._get_loyalty_kind()]
            amount = sign * line.balance
            if line.loyalty_redemption_id:
                base["redeemed"] -= amount
            elif line._is_loyalty_priced():
                base["gross"] += amount
                if line._is_loyalty_earning(program, warranty):
                    base["eligible"] += amount
        rounding = self.company_currency_id
        return {
            kind: {name: rounding.round(value) for name, value in base.items()}
            for kind, base in bases.items()
        }

    def _get_loyalty_warranty_lines(self):
        """Return the lines that belong to nothing but repairs under warranty."""
        repairs = self.env["repair.order"]._get_of_loyalty_moves(self)
        warranty = repairs.filtered("under_warranty")
        if not warranty:
            return self.invoice_line_ids.browse()
        paying = (repairs - warranty).filtered(lambda repair: repair.state != "cancel")
        return (
            warranty._get_loyalty_invoice_lines() - paying._get_loyalty_invoice_lines()
        )

    def _get_loyalty_points_due(self, program, tier, bases):
        """Return the points of the whole invoice, rounded down once.

        Override to add to what an invoice earns.
        """
        self.ensure_one()
        redeemed = any(base["redeemed"] for base in bases.values())
        if (program.private_only and self.commercial_partner_id.is_company) or (
            redeemed and not program.earn_when_redeeming
        ):
            return 0
        rates = {"labour": program.labour_rate, "parts": program.parts_rate}
        return earned_points(
            [
                (unredeemed(base["eligible"], base["gross"], base["redeemed"]), rate)
                for base, rate in ((bases[kind], rates[kind]) for kind in rates)
            ],
            multiplier=tier.multiplier if tier else 1.0,
            minimum=program.minimum_amount,
        )

    # -- synchronisation --------------------------------------------------------

    def _sync_loyalty(self):
        """Give or take the difference between what is posted and what is due.

        Idempotent: computes what the invoice and its credit notes *should* have
        produced from their present state. Everything that may change that state
        calls this method, and so does a nightly job.
        """
        if self.env.context.get("garage_loyalty_defer"):
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
                    first.append((root.loyalty_member_id, vals))
                else:
                    root._post_loyalty_change(move, vals)
        self._give_loyalty_points(first)

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
        members._forget_balance()

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
