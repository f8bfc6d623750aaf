from odoo import api, fields, models
from odoo.tools import format_date


class GarageLoyaltyAskingMixin(models.AbstractModel):
    """Whether the customer of a repair order may be asked to join."""

    _name = "garage.loyalty.asking.mixin"
    _description = "Asking Customers to Join"

    loyalty_not_asked_until = fields.Date(
        string="Not to be asked until",
        compute="_compute_loyalty_not_asked_until",
        help="Lots have decided so, for a comparison. Whoever asks to join may join.",
    )
    loyalty_asking_hint = fields.Char(
        string="Asking", compute="_compute_loyalty_not_asked_until"
    )

    @api.depends("partner_id", "company_id", "loyalty_member_id")
    @api.depends_context("lang")
    def _compute_loyalty_not_asked_until(self):
        Customer = self.env["garage.loyalty.holdout.customer"]
        for company, repairs in self.grouped("company_id").items():
            # Which company keeps the accounts is known to whoever sees the badge.
            keeper = company.sudo().loyalty_company_id
            customers = repairs.partner_id.commercial_partner_id
            days = Customer._get_held_out(customers, keeper)
            for repair in repairs:
                customer = repair.partner_id.commercial_partner_id
                day = not repair.loyalty_member_id and days.get(customer)
                repair.loyalty_not_asked_until = day
                repair.loyalty_asking_hint = day and self.env._(
                    "Do not ask to join until %s. Whoever asks may join.",
                    format_date(self.env, day),
                )
