from odoo import api, fields, models


class GarageLoyaltyHistoryMixin(models.AbstractModel):
    """Rows about a customer, from which the history of the customer opens."""

    _name = "garage.loyalty.history.mixin"
    _description = "Row with the History of a Customer"

    partner_id = fields.Many2one("res.partner")

    @api.readonly
    def action_open_history(self):
        """Open the visits of the customer: repair orders, and other invoices."""
        self.ensure_one()
        action = self.partner_id.action_open_loyalty_visits()
        name = self.partner_id.display_name
        return action | {"context": {}, "name": name, "display_name": name}
