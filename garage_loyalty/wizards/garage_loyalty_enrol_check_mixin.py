from odoo import api, fields, models
from odoo.exceptions import UserError


class GarageLoyaltyEnrolCheckMixin(models.AbstractModel):
    """The conditions for joining, and what else the dialog asks a new member."""

    _name = "garage.loyalty.enrol.check.mixin"
    _description = "Conditions in the Enrolment Dialog"

    birthday = fields.Date(help="For the birthday bonus, if the customer likes.")
    referred_by_id = fields.Many2one(
        "garage.loyalty.member",
        string="Referred by",
        help="The member who brought this customer: find by number, name or phone.",
    )
    refusal = fields.Text(
        string="Why the customer cannot join", compute="_compute_refusal"
    )
    may_insist = fields.Boolean(compute="_compute_refusal")
    insist = fields.Boolean(string="Enrol all the same")
    insist_reason = fields.Char(
        string="Because", help="Kept in the history of the membership."
    )

    @api.depends("partner_id", "program_id", "existing_member_id")
    @api.depends_context("uid")
    def _compute_refusal(self):
        may_insist = self.env["garage.loyalty.member"]._may_enrol_anybody()
        for wizard in self:
            wizard.refusal = "\n".join(wizard._get_join_refusals())
            wizard.may_insist = may_insist

    def _get_join_refusals(self):
        """Return why the customer cannot join; whoever was a member may come back."""
        customer = self.partner_id.commercial_partner_id._origin
        if not self.program_id or self.existing_member_id:
            return []
        # What customers of another company did is not told.
        self.program_id._origin.check_access("read")
        return self.program_id._get_join_refusals(customer).get(customer, [])

    def _get_member_model(self):
        """Return the model to create the new member in; it knows why a manager insists.

        :raise UserError: when the customer cannot join, and no manager insists
        """
        Member = self.env["garage.loyalty.member"]
        refusals = self._get_join_refusals()
        if not refusals:
            return Member
        reason = (self.insist_reason or "").strip()
        if not (self.insist and reason and Member._may_enrol_anybody()):
            hint = self.env._("A loyalty manager can enrol the customer nevertheless.")
            if Member._may_enrol_anybody():
                hint = self.env._("Tick “Enrol all the same”, and say why.")
            raise UserError(" ".join([*refusals, hint]))
        return Member.with_context(garage_loyalty_joined_because=reason)
