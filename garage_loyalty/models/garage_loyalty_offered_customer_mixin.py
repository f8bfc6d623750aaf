from odoo import api, fields, models
from odoo.exceptions import AccessError


class GarageLoyaltyOfferedCustomerMixin(models.AbstractModel):
    """A customer with whom an advisor speaks of a personal offer, member or not."""

    _name = "garage.loyalty.offered.customer.mixin"
    _description = "Customer of a Personal Offer"
    _inherit = "garage.loyalty.customer.contact.mixin"

    member_id = fields.Many2one(help="Only members can redeem an offer.")
    last_visit_date = fields.Date(
        string="Last visit",
        compute="_compute_last_visit_date",
        help="Date of the last invoice.",
    )
    currency_id = fields.Many2one(related="company_id.currency_id")

    @api.depends("partner_id", "company_id")
    def _compute_last_visit_date(self):
        cards = self.env["garage.loyalty.customer"].search(
            [
                ("partner_id", "in", self.partner_id.ids),
                ("company_id", "in", self.company_id.ids),
            ]
        )
        dates = {(card.partner_id, card.company_id): card.last_date for card in cards}
        for customer in self:
            key = customer.partner_id, customer.company_id
            customer.last_visit_date = dates.get(key)

    def action_enrol(self):
        """Open the enrolment dialog: only members can redeem what they are offered."""
        self.ensure_one()
        self.check_access("read")
        return self.partner_id.action_enrol()

    def _check_offer_rights(self, group):
        """Refuse to make or to change offers without being in a loyalty group.

        :param group: "user" or "manager"
        :raise AccessError: also for records of another company
        """
        if not self.env.user.has_group(f"garage_loyalty.garage_loyalty_group_{group}"):
            raise AccessError(
                self.env._("Only loyalty users make personal offers.")
                if group == "user"
                else self.env._("Only loyalty managers cancel personal offers.")
            )
        self.check_access("read")
