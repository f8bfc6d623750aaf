from odoo import models
from odoo.exceptions import UserError


class GarageLoyaltyRedemptionCheckMixin(models.AbstractModel):
    """Does what points pay still fit its document? If not, why not.

    A draft may change after points were redeemed on it. What is confirmed or posted
    keeps its promise.
    """

    _name = "garage.loyalty.redemption.check.mixin"
    _description = "Check of Points Redemptions"

    def _before_posting(self, documents):
        """Refuse to confirm or post what the document does not allow any more.

        :param documents: the quotations or invoices in question
        """
        for redemption in self.sudo():  # whoever posts need not know the programme
            for document in documents & redemption._get_documents(documents._name):
                problem = redemption._get_problem(document)
                if problem:
                    raise UserError(problem)
                if redemption.state == "returned":
                    # Billed again after a credit note: spent like the first time.
                    redemption.state = "draft"

    def _get_documents(self, model):
        """Return the quotations or the invoices on which the redemption stands."""
        if model == "sale.order":
            return self.order_id
        moves = self.move_line_ids.move_id
        return moves.filtered(lambda move: move.move_type == "out_invoice")

    def _get_problem(self, document):
        """Return in words why the document cannot be confirmed or posted, or False.

        Override to check more.
        """
        self.ensure_one()
        problem = self._get_customer_problem(document)
        if problem or self._is_promised():
            return problem
        problem = self._get_member_problem()
        if problem or document._origin != (self.order_id or self.move_id):
            return problem
        return self._get_tax_problem(document) or self._get_room_problem(document)

    def _is_promised(self):
        """Tell whether it is reserved or done: a promise that is kept."""
        return self.state in ("reserved", "done")

    def _get_warning(self, document):
        """Return what to say on a draft, or False: also that points are missing."""
        problem = self._get_problem(document)
        member = self.member_id._get_survivor()
        if problem or self._is_promised() or member.points_available >= self.points:
            return problem
        return self.env._(
            "%(member)s has %(available)s points now: %(points)s cannot be spent.",
            member=member.display_name,
            available=member.points_available,
            points=self.points,
        )

    def _get_customer_problem(self, document):
        """Refuse to pay for another customer than the member.

        A quotation says who is billed, such as an insurer: that is no other customer.
        """
        member = self.member_id._get_survivor()
        customers = member.partner_id
        if document._name == "account.move":
            customers |= self.order_id.partner_invoice_id.commercial_partner_id
        if document.partner_id.commercial_partner_id._origin in customers:
            return False
        return self.env._(
            "%(document)s is for another customer now, but is paid with points of "
            "%(member)s. Delete the lines that points pay.",
            document=document.display_name,
            member=member.number,
        )

    def _get_member_problem(self):
        member = self.member_id._get_survivor()
        if member.state == "active":
            return False
        return self.env._(
            "%s is not an active member any more: the points cannot be spent. Delete "
            "the lines that points pay.",
            member.display_name,
        )

    def _get_tax_problem(self, document):
        """Refuse what does not take off any more what was promised.

        The customer was told an amount, taxes included; other taxes, or another
        currency, have changed it.
        """
        lines = document._get_loyalty_lines().filtered(
            lambda line: line.loyalty_redemption_id._origin == self
        )
        difference = abs(self.amount + sum(lines.mapped("price_total")))
        currency = self.currency_id
        # Each line may be rounded by itself.
        tolerance = currency.rounding * max(len(lines), 1)
        if (
            document.currency_id == currency
            and currency.compare_amounts(difference, tolerance) <= 0
        ):
            return False
        return self.env._(
            "The taxes or the currency of %(document)s were changed: the points do not "
            "take off %(amount)s any more. Press “Redeem” again to adjust it.",
            document=document.display_name,
            amount=currency.format(self.amount),
        )

    def _get_room_problem(self, document):
        room = document._get_loyalty_room(self)
        if self.currency_id.compare_amounts(self.amount, room) <= 0:
            return False
        return self.env._(
            "%(document)s was changed: it now allows %(room)s to be paid with points, "
            "but %(amount)s is redeemed. Press “Redeem” again to adjust it.",
            document=document.display_name,
            room=self.currency_id.format(room),
            amount=self.currency_id.format(self.amount),
        )

    def _locked_message(self):
        self.ensure_one()
        return self.env._(
            "What is paid with points cannot be changed by hand. "
            "Press “Redeem” again, or delete the line to give the points back."
        )
