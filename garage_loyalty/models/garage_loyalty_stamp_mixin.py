from odoo import api, fields, models

from ..tools.points import earned_points, unredeemed

STAMPS = (
    "loyalty_member_id",
    "loyalty_tier_id",
    "loyalty_earn_trigger",
    "loyalty_base",
    "loyalty_points_due",
)


class GarageLoyaltyStampMixin(models.AbstractModel):
    """What is noted on invoices when they are posted, for ``account.move``.

    Later changes of the programme, of the membership or of a product do not matter.
    """

    _name = "garage.loyalty.stamp.mixin"
    _description = "Stamps on Loyalty Invoices"

    @api.model
    def _get_unstamped_loyalty_moves(self, member):
        """Return invoices of a customer who enrolled on or before their date."""
        # Whoever enrols need not have access to invoices.
        return self.sudo().search(
            [
                ("company_id.loyalty_company_id", "=", member.company_id.id),
                ("commercial_partner_id", "=", member.partner_id.id),
                ("move_type", "=", "out_invoice"),
                ("state", "=", "posted"),
                ("loyalty_member_id", "=", False),
                ("invoice_date", ">=", member.date_joined),
            ],
            order="invoice_date, id",
        )

    def _get_loyalty_members(self):
        """Return the membership of the customer of each document that has one."""
        found = {}
        for company, moves in self.grouped("company_id").items():
            # Read along with the company's own contact, which has its time zone.
            partners = moves.commercial_partner_id | company.partner_id
            members = partners._get_loyalty_members(company)
            for move in moves:
                # The document stays with the company that a contact has left since.
                customer = move.commercial_partner_id.commercial_partner_id
                if customer in members:
                    found[move] = members[customer].sudo()  # read to stamp, not to show
        return found

    def _stamp_loyalty(self, repairs=None, members=None):
        """Note the membership as of the invoice date, and what is due by its rules.

        :param repairs: the repair orders of these documents, if they are known
        :param members: what ``_get_loyalty_members`` returned, if it is known
        :return: the stamps of the documents that have one, as a dict
        """
        moves = self.sudo()  # whoever posts need not have access to the programme
        if members is None:
            members = moves._get_loyalty_members()
        moves = moves.filtered(
            lambda move: (
                move in members
                or move.loyalty_member_id
                or move.reversed_entry_id.loyalty_member_id
            )
        )
        if repairs is None:
            repairs = moves.env["repair.order"]._get_of_loyalty_moves(moves)
        statuses = moves._get_loyalty_statuses(members)
        stamps = {
            move: move._prepare_loyalty_stamp(statuses[move], repairs) for move in moves
        }
        moves._write_loyalty_stamps(stamps)
        return {
            move: vals for move, vals in stamps.items() if vals["loyalty_member_id"]
        }

    def _get_loyalty_statuses(self, members, dates=None):
        """Return (member, tier) of each document as of a day, None for nobody.

        :param members: what ``_get_loyalty_members`` returned
        :param dates: the day by document, if not that of the invoice
        """
        mine = [move for move in self if move in members]
        statuses = self.env["garage.loyalty.member.status"]._get_at_dates(
            [
                (members[move], dates[move] if dates else move._get_loyalty_date())
                for move in mine
            ]
        )
        result = dict.fromkeys(self, (None, None))
        for move, (state, tier_id) in zip(mine, statuses, strict=True):
            if state == "active":
                result[move] = (members[move], tier_id)
        return result

    def _is_stamped_late(self, repairs):
        """Tell whether what is due is known only after the host has posted.

        A document without a date gets the rate of its date by then, and the lines of
        repairs under warranty are those of posted documents.
        """
        warranty = self._get_billed_repairs(repairs).filtered("under_warranty")
        return not self.invoice_date or bool(warranty)

    def _get_loyalty_date(self):
        """Return the date of the document: the host gives today to one without."""
        return self.invoice_date or fields.Date.context_today(self)

    def _prepare_loyalty_stamp(self, status, repairs):
        """Return what is known of the document. A credit note is what its invoice is.

        Override to stamp, or to reward, more.

        :param status: (member, id of the tier) as of the document's date, or Nones
        :param repairs: repair orders, of this document and of others
        """
        self.ensure_one()
        (member, tier_id), origin = status, self.reversed_entry_id
        if origin:
            member = origin.loyalty_member_id
            tier_id = origin.loyalty_tier_id.id or tier_id
        if not member:
            return dict.fromkeys(STAMPS, False)
        rules = member.program_id._get_rules()
        bases = self._get_loyalty_bases(rules, repairs)
        return {
            "loyalty_member_id": member.id,
            "loyalty_tier_id": tier_id,
            "loyalty_earn_trigger": origin.loyalty_earn_trigger or rules.trigger,
            "loyalty_base": sum(base["eligible"] for base in bases.values()),
            "loyalty_points_due": self._get_loyalty_points_due(rules, tier_id, bases),
        }

    def _write_loyalty_stamps(self, stamps):
        """Note the stamps; the database has them with the host's next update.

        Past the host's ``write``: a stamp changes neither the lines nor the
        accounting of a document, which ``write`` would check again.
        """
        with self.env.protecting(map(self._fields.get, STAMPS), self):
            for move, vals in stamps.items():
                move.update(vals)
        # New invoices are noted once they are posted.
        posted = self.filtered(lambda move: move.state == "posted")
        Changed = self.env["garage.loyalty.changed.customer"]
        Changed._note(posted.commercial_partner_id.ids)
        self.invalidate_recordset(["loyalty_points_earned"], flush=False)

    def _get_loyalty_bases(self, rules=None, repairs=None):
        """Return eligible, gross and redeemed amounts of labour and of parts.

        In the company's currency, net of tax and discount, positive also for a
        credit note. Without rules, nothing is eligible.
        """
        self.ensure_one()
        sign = -1 if self.move_type == "out_invoice" else 1
        warranty = self._get_loyalty_warranty_lines(repairs) if repairs else ()
        bases = {
            kind: dict.fromkeys(("eligible", "gross", "redeemed"), 0.0)
            for kind in ("labour", "parts")
        }
        for line in self.invoice_line_ids:
            base = bases[line._get_loyalty_kind()]
            amount = sign * self._get_loyalty_balance(line)
            if line.loyalty_redemption_id:
                base["redeemed"] -= amount
            elif line._is_loyalty_priced():
                base["gross"] += amount
                if rules and line._is_loyalty_earning(rules, warranty):
                    base["eligible"] += amount
        rounding = self.company_currency_id
        return {
            kind: {name: rounding.round(value) for name, value in base.items()}
            for kind, base in bases.items()
        }

    def _get_loyalty_balance(self, line):
        """Return the amount of a line in the company's currency.

        On a credit note at the rate of its invoice: who credits the whole takes back
        the whole, whatever the rate is by then.
        """
        origin = self.reversed_entry_id
        if origin.currency_id != self.currency_id or not origin.invoice_currency_rate:
            return line.balance
        return line.amount_currency / origin.invoice_currency_rate

    def _get_loyalty_warranty_lines(self, repairs):
        """Return the lines that belong to nothing but repairs under warranty."""
        orders = self._get_loyalty_orders()
        mine = repairs.filtered(lambda repair: repair.sale_order_id in orders)
        warranty = mine.filtered("under_warranty")
        if not warranty:
            return self.invoice_line_ids.browse()
        paying = (mine - warranty).filtered(lambda repair: repair.state != "cancel")
        return (
            warranty._get_loyalty_invoice_lines() - paying._get_loyalty_invoice_lines()
        )

    def _get_loyalty_points_due(self, rules, tier_id, bases):
        """Return the points of the whole invoice, rounded down once.

        Override to add to what an invoice earns.

        :param rules: ``tools.rules.Rules`` of the programme
        """
        self.ensure_one()
        redeemed = self.invoice_line_ids.loyalty_redemption_id
        if (rules.private_only and self.commercial_partner_id.is_company) or (
            redeemed and not rules.earn_when_redeeming
        ):
            return 0
        rates = {"labour": rules.labour_rate, "parts": rules.parts_rate}
        return earned_points(
            [
                (unredeemed(base["eligible"], base["gross"], base["redeemed"]), rate)
                for base, rate in ((bases[kind], rates[kind]) for kind in rates)
            ],
            multiplier=rules.multipliers.get(tier_id, 1.0),
            minimum=rules.minimum,
        )
