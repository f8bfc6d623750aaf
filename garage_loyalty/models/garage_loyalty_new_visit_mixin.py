from odoo import api, fields, models
from odoo.tools import SQL


class GarageLoyaltyNewVisitMixin(models.AbstractModel):
    """The visit that an invoice makes when it is posted, for ``account.move``.

    ``garage.loyalty.facts`` derives all visits from their documents. Planning that
    takes PostgreSQL longer than all else that is done for one invoice, so a visit that
    a new invoice makes alone is written from what is known of the invoice already. Both
    come to the same; the nightly check compares.
    """

    _name = "garage.loyalty.new.visit.mixin"
    _description = "Visits of New Invoices"

    def _sync_new_visits(self, repairs, members):
        """Write the visits of invoices that were never posted before.

        :param repairs: the repair orders that they bill
        :param members: what ``_get_loyalty_members`` returned
        :return: the repair orders that need nothing more
        """
        sales, repaired, skipped = [], {}, repairs.browse()
        for move in self:
            lines = move._get_visit_lines()
            repair = move._get_billed_repairs(repairs)
            if not repair:
                sales += [move._prepare_sale_visit(members)] if lines else []
            elif repair in repaired or not move._is_bill_of(repair, lines):
                repaired[repair] = None
            elif repair.state == "done":
                repaired[repair] = move._prepare_repair_visit(repair, members)
            else:
                skipped += repair
        Visit = self.env["garage.loyalty.visit"]
        rising = self._get_rising_members(members)
        totals = rising._get_rise_totals()
        repaired = list(filter(None, repaired.values()))
        also = self._get_return_query(sales + repaired)
        found = Visit._add("move_id", sales, totals, also).values()
        added = Visit._add("repair_id", repaired, totals, None if sales else also)
        if not sales + repaired:
            self.env.cr.execute(SQL("WITH %s SELECT", also))
        rising._rise_by_totals([*found, *added.values()])
        # A repair order that was billed before has its visit already, which changes.
        return skipped + repairs.browse(added)

    def _get_return_query(self, visits):
        """Return CTEs that note the customers, and make those active who were not.

        :param visits: the values of the visits that the documents make
        """
        partners = {*self.commercial_partner_id.ids}
        partners.update(vals["partner_id"] for vals in visits)
        Changed = self.env["garage.loyalty.changed.customer"]
        rows = {
            (move.company_id.loyalty_company_id.id, move.commercial_partner_id.id)
            for move in self
            if move.company_id._is_active_since(move.invoice_date)
        }
        ctes = SQL("noted AS (%s)", Changed._get_note_query(sorted(partners)))
        if not rows:
            return ctes
        returned = self.env["garage.loyalty.customer"]._get_return_query(sorted(rows))
        return SQL("%s, returned AS (%s)", ctes, returned)

    @api.model
    def _get_rising_members(self, members):
        """Return, of the members of documents, those that may reach a higher tier."""
        found = self.env["garage.loyalty.member"].sudo()  # as in _stamp_loyalty
        return found.union(*members.values())._filter_rising()

    def _get_visit_lines(self):
        return self.invoice_line_ids.filtered(
            lambda line: line.display_type == "product" and not line.is_downpayment
        )

    def _get_billed_repairs(self, repairs):
        orders = self._get_loyalty_orders() if repairs else ()
        return repairs.filtered(
            lambda repair: repair.sale_order_id in orders and repair.state != "cancel"
        )

    def _is_bill_of(self, repairs, lines):
        """Tell whether all lines of the invoice belong to one repair order."""
        return (
            len(repairs) == 1
            and repairs.sale_order_id == self._get_loyalty_orders()
            and repairs.company_id == self.company_id
            and repairs.partner_id.commercial_partner_id == self.commercial_partner_id
            and lines
            and all(line.sale_line_ids for line in lines)
        )

    def _prepare_sale_visit(self, members):
        return self._prepare_visit(members, self.invoice_date) | {
            "kind": "sale",
            "repair_id": None,
            "move_id": self.id,
            "user_id": self.invoice_user_id.id,
            "is_warranty": False,
            "answer": None,
        }

    def _prepare_repair_visit(self, repair, members):
        local = repair.with_context(tz=repair.company_id.partner_id.tz or "UTC")
        date = fields.Datetime.context_timestamp(local, repair.date_done).date()
        answer = repair.loyalty_offer
        return self._prepare_visit(members, date) | {
            "kind": "repair",
            "repair_id": repair.id,
            "move_id": None,
            "user_id": repair.user_id.id,
            "is_warranty": repair.under_warranty,
            "answer": answer if answer != "not_asked" else None,
        }

    def _prepare_visit(self, members, date):
        """Return what the visits of both kinds of document have in common.

        Override, together with ``garage.loyalty.facts``, to stamp one fact more.
        """
        status = self._get_loyalty_statuses(members, dict.fromkeys(self, date))
        (member, tier_id), bases = status[self], self._get_loyalty_bases()
        # A difference of floats has more digits than the column is to have.
        rounded = self.company_currency_id.round
        labour, parts = (
            rounded(bases[kind]["gross"] - bases[kind]["redeemed"])
            for kind in ("labour", "parts")
        )
        return {
            "company_id": self.company_id.id,
            "partner_id": self.commercial_partner_id.id,
            "date": date,
            "member_id": member and member.id,
            "is_member": bool(member),
            "tier_id": tier_id,
            "amount_labour": labour,
            "amount_parts": parts,
            "amount": rounded(labour + parts),
            "amount_discount": rounded(
                sum(base["redeemed"] for base in bases.values())
            ),
        }
