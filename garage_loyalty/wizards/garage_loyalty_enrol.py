from odoo import Command, api, fields, models
from odoo.exceptions import UserError


class GarageLoyaltyEnrol(models.TransientModel):
    _name = "garage.loyalty.enrol"
    _description = "Enrol a Customer"
    _inherit = ["garage.loyalty.input.mixin", "garage.loyalty.enrol.check.mixin"]

    search_text = fields.Char(
        string="Find the customer",
        help="Name, phone number, e-mail address or number plate.",
    )
    match_ids = fields.Many2many("res.partner", compute="_compute_match_ids")
    match_count = fields.Integer(compute="_compute_match_ids")
    partner_id = fields.Many2one(
        "res.partner",
        string="Customer",
        compute="_compute_partner_id",
        store=True,
        readonly=False,
    )
    customer_is_company = fields.Boolean(
        related="partner_id.commercial_partner_id.is_company"
    )
    repair_id = fields.Many2one("repair.order", readonly=True)
    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company
    )
    existing_member_id = fields.Many2one(
        "garage.loyalty.member",
        string="Existing membership",
        compute="_compute_existing_member_id",
    )
    existing_state = fields.Selection(related="existing_member_id.state")
    program_id = fields.Many2one(
        "garage.loyalty.program",
        string="Programme",
        compute="_compute_program_id",
        store=True,
        precompute=True,
        readonly=False,
        required=True,
        domain="[('company_id', '=', company_id)]",
    )
    consent_terms = fields.Boolean(string="Accepts the terms")
    consent_marketing = fields.Boolean(string="Agrees to offers")
    note = fields.Text()

    @api.depends("search_text")
    def _compute_match_ids(self):
        for wizard in self:
            found = self.env["res.partner"]._find_for_enrolment(wizard.search_text)
            wizard.match_ids = [Command.set(found.ids)]
            wizard.match_count = len(found)

    @api.depends("match_ids")
    def _compute_partner_id(self):
        """Choose the customer when what was typed means exactly one."""
        for wizard in self:
            if wizard.search_text:
                found = wizard.match_ids._origin
                wizard.partner_id = found if len(found) == 1 else False
            else:
                wizard.partner_id = wizard.partner_id or wizard.repair_id.partner_id

    @api.depends("partner_id", "company_id")
    def _compute_existing_member_id(self):
        for wizard in self:
            partner = wizard.partner_id
            # Who is a member of another company is not told.
            wizard.company_id._origin.check_access("read")
            members = partner._get_loyalty_members(wizard.company_id)
            wizard.existing_member_id = members.get(
                partner.commercial_partner_id._origin
            )

    @api.depends("company_id")
    def _compute_program_id(self):
        Program = self.env["garage.loyalty.program"]
        for wizard in self:
            wizard.program_id = Program._get_default(wizard.company_id)

    def action_enrol(self):
        """Enrol the customer, or resume a membership that has ended.

        :raise UserError: without a customer, without consent to the terms, when the
            customer cannot join, or is a member already
        """
        self.ensure_one()
        if not self.partner_id:
            raise UserError(self.env._("Choose the customer to enrol."))
        if not self.consent_terms:
            raise UserError(
                self.env._("The customer must accept the terms of the programme.")
            )
        member = self.existing_member_id
        if member and member.state != "left":
            raise UserError(self.env._("%s is a member already.", member.display_name))
        if member:
            member._come_back()
            member.write(self._prepare_consent_vals())
        else:
            member = self._get_member_model().create(self._prepare_member_vals())
        self._note_accepted()
        return self._get_done_action(member)

    def _prepare_consent_vals(self):
        return {
            "consent_terms": self.consent_terms,
            "consent_marketing": self.consent_marketing,
            "note": self.note or self.existing_member_id.note,
            "birthday": self.birthday or self.existing_member_id.birthday,
        }

    def _prepare_member_vals(self):
        """Return the values of the new member. Override to fill in more."""
        self.ensure_one()
        return {
            "partner_id": self.partner_id.id,
            "program_id": self.program_id.id,
            "source": "counter",
            "referred_by_id": self.referred_by_id.id,
            **self._prepare_consent_vals(),
        }

    def _note_accepted(self):
        """Note on the repair order that the customer was asked, and accepted."""
        if self.repair_id:
            self.repair_id.loyalty_offer = "accepted"

    def _get_done_action(self, member):
        """Return what follows: back to the repair order, or on to the member."""
        if self.repair_id or self.env.context.get("default_partner_id"):
            return {"type": "ir.actions.act_window_close"}
        return {
            "type": "ir.actions.act_window",
            "res_model": "garage.loyalty.member",
            "res_id": member.id,
            "views": [[False, "form"]],
        }
