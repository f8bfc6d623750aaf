from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain


class GarageLoyaltyCustomerContactMixin(models.AbstractModel):
    """How customers are reached, one or many at once."""

    _name = "garage.loyalty.customer.contact.mixin"
    _description = "Contact with Customers"
    _inherit = ["garage.loyalty.history.mixin"]

    company_id = fields.Many2one(
        "res.company", required=True, readonly=True, ondelete="cascade"
    )
    partner_id = fields.Many2one(
        "res.partner",
        string="Customer",
        required=True,
        readonly=True,
        ondelete="cascade",
    )
    phone = fields.Char(related="partner_id.phone")
    email = fields.Char(related="partner_id.email")
    member_id = fields.Many2one(
        "garage.loyalty.member",
        string="Membership",
        compute="_compute_member_id",
        search="_search_member_id",
    )
    tier_id = fields.Many2one(related="member_id.tier_id")
    tier_color = fields.Integer(related="tier_id.color", exportable=False)
    points = fields.Integer(related="member_id.points")
    user_id = fields.Many2one(
        "res.users",
        string="Advisor",
        compute="_compute_user_id",
        help="The salesperson of the customer, or who did the last visit.",
    )

    @api.depends("partner_id", "company_id")
    def _compute_member_id(self):
        for company, customers in self.grouped("company_id").items():
            members = customers.partner_id._get_loyalty_members(company)
            for customer in customers:
                member = members.get(customer.partner_id)
                is_member = member and member.state == "active"
                customer.member_id = member if is_member else False

    @api.model
    def _search_member_id(self, operator, value):
        if operator != "in":
            return NotImplemented
        Member = self.env["garage.loyalty.member"]
        active = Domain("state", "=", "active")
        ids = [item for item in value if item]
        found = Member.search(active & Domain("id", "in", ids)) if ids else Member
        domain = Domain.OR(
            Domain("partner_id", "=", member.partner_id.id)
            & Domain("company_id", "=", member.company_id.id)
            for member in found
        )
        if False in value:
            every = Member._search(active)
            domain |= Domain("partner_id", "not in", every.subselect("partner_id"))
        return domain

    @api.depends("partner_id.user_id", "company_id")
    def _compute_user_id(self):
        rows = self.env["garage.loyalty.visit"]._read_group(
            [
                ("partner_id", "in", self.partner_id.ids),
                ("company_id.loyalty_company_id", "in", self.company_id.ids),
                ("user_id", "!=", False),
            ],
            ["partner_id", "company_id", "user_id"],
            ["date:max"],
        )
        last = {}
        for partner, company, user, date in rows:
            key = partner, company.loyalty_company_id
            last[key] = max(last.get(key, (date, user.id)), (date, user.id))
        for customer in self:
            key = customer.partner_id, customer.company_id
            found = last.get(key, (False, False))[1]
            customer.user_id = customer.partner_id.user_id.id or found

    # -- buttons ------------------------------------------------------------------

    @api.readonly
    def action_open_partner(self):
        """Open the contact."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "res.partner",
            "res_id": self.partner_id.id,
            "views": [[False, "form"]],
        }

    def action_send_email(self):
        """Open the mail composer for these customers.

        The host leaves out blacklisted addresses; members who did not agree to be
        written to are left out here.

        :raise UserError: when nobody is left
        """
        partners = self._get_reachable("email")
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Send an E-mail"),
            "res_model": "mail.compose.message",
            "views": [[False, "form"]],
            "target": "new",
            "context": {
                "default_model": "res.partner",
                "default_res_ids": partners.ids,
                "default_composition_mode": "mass_mail",
                "default_partner_to": "{{ object.id }}",
            },
        }

    def action_send_sms(self):
        """Open the SMS composer for these customers, where its app is installed.

        :raise UserError: when it is not, or when nobody is left
        """
        if "sms.composer" not in self.env:
            raise UserError(self.env._("Install the app “SMS” to send text messages."))
        partners = self._get_reachable("phone")
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Send a Text Message"),
            "res_model": "sms.composer",
            "views": [[False, "form"]],
            "target": "new",
            "context": {
                "default_res_model": "res.partner",
                "default_res_ids": partners.ids,
                "default_composition_mode": "mass",
                "default_mass_keep_log": True,
            },
        }

    def _get_reachable(self, field):
        """Return the contacts that can and may be written to.

        Override to respect other wishes.

        :param field: of the contact, with the address or the number
        :raise UserError: when there is none
        """
        partners = self.filtered(
            lambda customer: (
                customer[field]
                and (not customer.member_id or customer.member_id.consent_marketing)
            )
        ).partner_id
        if not partners:
            raise UserError(
                self.env._(
                    "None of these customers can be written to: the address is "
                    "missing, or they are members who did not agree to it."
                )
            )
        return partners
