from odoo import Command, api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_date

from ..models.garage_loyalty_partner_enrol_mixin import MOST

PAUSE = 90  # days before a customer is invited again


class GarageLoyaltyEnrolMany(models.TransientModel):
    """What enrolling or inviting many customers would do, before it is done.

    The lines are for reading: the buttons look at every customer once more.
    """

    _name = "garage.loyalty.enrol.many"
    _description = "Enrol or Invite Many Customers"
    _inherit = ["garage.loyalty.input.mixin"]

    partner_ids = fields.Many2many(
        "res.partner",
        string="Customers",
        required=True,
        context={"active_test": False},  # archived ones are left out with a reason
    )
    program_id = fields.Many2one(
        "garage.loyalty.program",
        string="Programme",
        required=True,
        default=lambda self: self.env["garage.loyalty.program"]._get_default(
            self.env.company
        ),
    )
    currency_id = fields.Many2one(related="program_id.currency_id")
    with_declined = fields.Boolean(
        string="Those who declined, too",
        help="Customers who said no when asked last are left out otherwise.",
    )
    invite_again = fields.Boolean(
        string="Those invited lately, too",
        help="Nobody is invited twice within 90 days otherwise.",
    )
    consent_terms = fields.Boolean(
        string="They have accepted the terms",
        help="Needed to enrol them. Customers who are invited accept them later.",
    )
    line_ids = fields.One2many(
        "garage.loyalty.enrol.many.line",
        "wizard_id",
        compute="_compute_line_ids",
        compute_sudo=False,
        store=True,
    )
    enrol_count = fields.Integer(string="To enrol", compute="_compute_counts")
    invite_count = fields.Integer(string="To invite", compute="_compute_counts")
    left_out_count = fields.Integer(
        string="Left out",
        compute="_compute_counts",
        help="Customers who can neither be enrolled nor invited.",
    )
    signup_bonus = fields.Integer(
        string="Sign-up bonus each", related="program_id.signup_bonus"
    )
    bonus_total = fields.Integer(
        string="Sign-up bonus in total", compute="_compute_counts"
    )
    bonus_worth = fields.Monetary(
        string="Worth",
        compute="_compute_counts",
        help="What these points would take off invoices.",
    )

    @api.constrains("partner_ids")
    def _check_size(self):
        for wizard in self:
            if len(wizard.partner_ids) > MOST:
                raise UserError(
                    self.env._("Choose at most %s customers at once.", MOST)
                )

    @api.depends("partner_ids", "program_id", "with_declined", "invite_again")
    def _compute_line_ids(self):
        for wizard in self:
            wizard.line_ids = [
                Command.clear(),
                *(
                    Command.create(
                        {
                            "partner_id": customer.id,
                            "enrol_refusal": enrol,
                            "invite_refusal": invite,
                        }
                    )
                    for customer, (enrol, invite) in wizard._get_plan().items()
                ),
            ]

    @api.depends("line_ids", "program_id")
    def _compute_counts(self):
        for wizard in self:
            lines = wizard.line_ids
            enrolled = lines.filtered(lambda line: not line.enrol_refusal)
            invited = lines.filtered(lambda line: not line.invite_refusal)
            wizard.enrol_count = len(enrolled)
            wizard.invite_count = len(invited)
            wizard.left_out_count = len(lines - enrolled - invited)
            wizard.bonus_total = wizard.enrol_count * wizard.signup_bonus
            worth = wizard.bonus_total * wizard.program_id.point_value
            currency = wizard.currency_id or self.env.company.currency_id
            wizard.bonus_worth = currency.round(worth)

    def _get_plan(self):
        """Return why customers are not enrolled and not invited, or False, by customer.

        :return: pairs of texts
        """
        # What customers of another company did is not told.
        self.program_id._origin.check_access("read")
        customers = self.partner_ids.commercial_partner_id._origin
        no_member = self._get_enrol_refusals(customers)
        no_message = self._get_invite_refusals(customers)
        return {
            customer: (
                no_member.get(customer, False),
                no_member.get(customer) or no_message.get(customer, False),
            )
            for customer in customers
        }

    def _get_enrol_refusals(self, customers):
        """Return why customers can neither join nor be asked to, by customer.

        Override to leave out more.
        """
        # Whose programme it is is known to everybody who may use it.
        company = self.program_id.sudo().company_id
        members = customers._get_loyalty_members(company)
        found = {
            customer: " ".join(texts)
            for customer, texts in self.program_id._get_join_refusals(customers).items()
        }
        if not self.with_declined:
            declined = self.env["garage.loyalty.invitation"]._get_declined(
                customers, company
            )
            found |= dict.fromkeys(declined, self.env._("Declined when asked."))
        for customer in customers:
            if not customer.active:
                found[customer] = self.env._("The contact is archived.")
            if customer in members:
                found[customer] = self._describe_member(members[customer])
        return found

    def _describe_member(self, member):
        if member.state == "left":
            return self.env._("Was a member before: use “Come back” there.")
        return self.env._("Is a member already.")

    def _get_invite_refusals(self, customers):
        """Return why no invitation is sent to customers who may join, by customer.

        An invitation is advertising: whoever is on the host's list of people who want
        none gets none. Override to leave out more.
        """
        company = self.program_id.sudo().company_id  # as above
        today, found = company._get_loyalty_today(), {}
        latest = self.env["garage.loyalty.invitation"]._get_latest(customers, company)
        for customer in customers:
            invited = customer in latest and latest[customer].date
            if invited and (today - invited).days < PAUSE and not self.invite_again:
                found[customer] = self.env._(
                    "Was invited on %s.", format_date(self.env, invited)
                )
            if customer.is_blacklisted:
                found[customer] = self.env._("Wants no advertising.")
            if not customer.email_normalized:
                found[customer] = self.env._("Has no e-mail address.")
        return found | self._get_holdout_refusals(customers, company)

    @api.model
    def _get_holdout_refusals(self, customers, company):
        """Return why customers of a hold-out are not invited; they may join."""
        held_out = self.env["garage.loyalty.holdout.customer"]._get_held_out(
            customers, company
        )
        return {
            customer: self.env._(
                "In the hold-out: not invited until %s.", format_date(self.env, day)
            )
            for customer, day in held_out.items()
        }

    def action_enrol(self):
        """Enrol those of the customers who can be, and show them.

        :raise UserError: without consent to the terms, or when there is nobody
        """
        self.ensure_one()
        if not self.consent_terms:
            raise UserError(
                self.env._("The customers must accept the terms of the programme.")
            )
        customers = [
            customer for customer, (no, _invite) in self._get_plan().items() if not no
        ]
        if not customers:
            raise UserError(self.env._("None of these customers can be enrolled."))
        members = self.env["garage.loyalty.member"].create(
            [self._prepare_member_vals(customer) for customer in customers]
        )
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "garage_loyalty.garage_loyalty_member_action"
        )
        return action | {"domain": [("id", "in", members.ids)], "context": {}}

    def _prepare_member_vals(self, customer):
        """Return the values of a new member. Override to fill in more."""
        return {
            "partner_id": customer.id,
            "program_id": self.program_id.id,
            "source": "counter",
            "consent_terms": True,
        }

    def action_invite(self):
        """Send an invitation to those of the customers who can have one.

        :raise UserError: when there is nobody
        """
        self.ensure_one()
        customers = [
            customer for customer, (_no, no) in self._get_plan().items() if not no
        ]
        if not customers:
            raise UserError(self.env._("None of these customers can be invited."))
        Invitation = self.env["garage.loyalty.invitation"]
        sent = Invitation._send(customers, self.program_id)
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "message": self.env._("%s invitations are on their way.", len(sent)),
                "next": {"type": "ir.actions.act_window_close"},
            },
        }
