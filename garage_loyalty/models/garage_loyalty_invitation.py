from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

ANSWERS = [("waiting", "Waiting"), ("joined", "Joined"), ("declined", "Declined")]


class GarageLoyaltyInvitation(models.Model):
    """A customer who was invited to join, when, and what came of it."""

    _name = "garage.loyalty.invitation"
    _description = "Loyalty Invitation"
    _inherit = ["garage.loyalty.export.mixin"]
    _order = "date desc, id desc"
    _rec_name = "partner_id"

    partner_id = fields.Many2one(
        "res.partner",
        string="Customer",
        required=True,
        readonly=True,
        ondelete="cascade",
    )
    phone = fields.Char(related="partner_id.phone")
    email = fields.Char(related="partner_id.email")
    program_id = fields.Many2one(
        "garage.loyalty.program",
        string="Programme",
        required=True,
        readonly=True,
        ondelete="cascade",
        index=True,
    )
    company_id = fields.Many2one(
        related="program_id.company_id", store=True, precompute=True, index=True
    )
    date = fields.Date(string="Invited on", required=True, readonly=True)
    user_id = fields.Many2one(
        "res.users",
        string="Invited by",
        required=True,
        readonly=True,
        ondelete="restrict",
        default=lambda self: self.env.user,
    )
    answer = fields.Selection(ANSWERS, required=True, readonly=True, default="waiting")

    _customer_idx = models.Index("(partner_id, company_id, date DESC, id DESC)")

    def action_decline(self):
        """Note that the customers do not want to join, so that nobody asks again.

        :raise AccessError: for others than loyalty users
        :raise UserError: when a customer has joined already
        """
        if not self.env.user.has_group("garage_loyalty.garage_loyalty_group_user"):
            raise AccessError(self.env._("Only loyalty users note such an answer."))
        self.check_access("read")
        for invitation in self.filtered(lambda item: item.answer == "joined")[:1]:
            raise UserError(
                self.env._("%s has joined already.", invitation.partner_id.display_name)
            )
        # Read-only for everybody, so that nobody invents invitations.
        self.sudo().answer = "declined"

    @api.model
    def _send(self, partners, program):
        """Invite customers by e-mail; the queue of the host sends the messages.

        :raise UserError: when somebody has deleted the template
        """
        template = self.env.ref(
            "garage_loyalty.mail_template_invitation", raise_if_not_found=False
        )
        if not template:
            raise UserError(
                self.env._("The e-mail template of the invitation was deleted.")
            )
        # Created by this method only. The template is the owner's: whoever sends it
        # need not be allowed to write one.
        invitations = self.sudo().create(
            [self._prepare_invitation_vals(partner, program) for partner in partners]
        )
        template.sudo().send_mail_batch(invitations.ids)
        return invitations.sudo(self.env.su)

    @api.model
    def _prepare_invitation_vals(self, partner, program):
        """Return the values of an invitation. Override to note more."""
        return {
            "partner_id": partner.id,
            "program_id": program.id,
            "date": program.company_id._get_loyalty_today(),
            "user_id": self.env.uid,
        }

    @api.model
    def _note_joined(self, members):
        """Note the answer of customers who have joined."""
        invitations = self.search(
            [
                ("partner_id", "in", members.partner_id.ids),
                ("company_id", "in", members.company_id.ids),
                ("answer", "!=", "joined"),
            ]
        )
        joined = {(member.partner_id, member.company_id) for member in members}
        invitations.filtered(
            lambda item: (item.partner_id, item.company_id) in joined
        ).answer = "joined"

    @api.model
    def _get_latest(self, partners, company):
        """Return the latest invitation of each customer who has one.

        :param company: the one that keeps the accounts
        """
        # Known to whoever may invite, whichever branch it was that did.
        found = self.sudo().search(
            [("partner_id", "in", partners.ids), ("company_id", "=", company.id)],
            order="date desc, id desc",
        )
        latest = {}
        for invitation in found:
            latest.setdefault(invitation.partner_id, invitation)
        return latest

    @api.model
    def _get_declined(self, partners, company):
        """Return those of commercial partners who said no when asked last.

        At the counter, as noted on their latest repair order that has an answer, or to
        the latest invitation.
        """
        repairs = self.env["repair.order"].sudo()  # as above
        answers = {}
        for repair in repairs.search(
            [
                ("partner_id.commercial_partner_id", "in", partners.ids),
                ("company_id.loyalty_company_id", "=", company.id),
                ("loyalty_offer", "!=", "not_asked"),
            ],
            order="id desc",
        ):
            customer = repair.partner_id.commercial_partner_id
            answers.setdefault(customer.id, repair.loyalty_offer)
        latest = self._get_latest(partners, company)
        return partners.filtered(
            lambda partner: (
                answers.get(partner.id) == "declined"
                or (partner in latest and latest[partner].answer == "declined")
            )
        )
