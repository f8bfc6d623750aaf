from odoo import models


class GarageLoyaltyStatementMixin(models.AbstractModel):
    """What an invoice tells the customer about points, printed and by e-mail."""

    _name = "garage.loyalty.statement.mixin"
    _description = "Invoice That Tells about Points"

    def _get_loyalty_statement(self):
        """Return what is to be said, empty where nothing is.

        The account is that of today: the balance may have moved since the invoice.
        Override to say more; the templates ``garage_loyalty.report_invoice_document``
        and ``garage_loyalty.mail_statement`` say it.
        """
        self.ensure_one()
        # Whoever may print or send the invoice may tell the customer of the points.
        move = self.sudo()
        choice = move.company_id.loyalty_statement
        if (
            choice == "none"
            or move.move_type != "out_invoice"
            or not move.loyalty_member_id
        ):
            return {}
        account = move.loyalty_member_id._get_survivor()
        statement = {
            "number": account.number,
            "redeemed": move.loyalty_points_redeemed,
            "earned": move.loyalty_points_earned,
            "due": move.loyalty_points_due,
            "balance": account.points,
        }
        if choice == "full":
            statement |= {
                "worth": account.points_worth,
                "currency": account.company_id.currency_id,
                "expiry_points": account.next_expiry_points,
                "expiry_date": account.next_expiry_date,
            }
        return statement
