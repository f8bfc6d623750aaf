from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from ..tools.privileges import FREE
from .res_partner import GROUPS


class GarageLoyaltyPrivilegedMixin(models.AbstractModel):
    """What the customer of a document is entitled to, for quotations and repairs."""

    _name = "garage.loyalty.privileged.mixin"
    _description = "Document on Which Privileges Are Used"

    loyalty_privileges = fields.Json(
        string="Privileges", compute="_compute_loyalty_privileges", groups=GROUPS
    )

    @api.depends("partner_id", "company_id", "state")
    def _compute_loyalty_privileges(self):
        # The privileges are for whoever may see the badge of the member.
        documents = self.sudo()
        members = documents._get_loyalty_document_members()
        every = documents.env["garage.loyalty.member"].union(*members.values())
        used = every._get_privileges_used()
        for document in documents:
            member = members[document]
            document.loyalty_privileges = [
                member._prepare_privilege(privilege, used)
                # What was saved before is for the form of the member.
                | {"saved": False}
                | document._prepare_loyalty_privilege(privilege, used, member)
                for privilege in member._get_privileges()
            ] or False

    def _get_loyalty_document_members(self):
        """Return the member of each document; one that has left has no privileges."""
        found = {}
        # Whoever works on the document need not have access to members.
        for company, documents in self.sudo().grouped("company_id").items():
            company = company or self.env.company
            members = documents.partner_id._get_loyalty_members(company)
            for document in documents:
                partner = document.partner_id.commercial_partner_id._origin
                member = members.get(partner, self.env["garage.loyalty.member"])
                found[document] = member.sudo()  # as above
        return found

    def _prepare_loyalty_privilege(self, privilege, used, member):
        """Return what the document says of one privilege. Override to show more."""
        self.ensure_one()
        if privilege.kind != FREE:
            return {}
        count = used.get((member, privilege), (0, 0))[0]
        left = privilege._get_left(count)
        quotation = self._get_loyalty_quotation()
        vals = quotation._prepare_free_service(privilege, left)
        return vals if self._may_use_privileges() else vals | {"action": False}

    def _get_loyalty_quotation(self):
        """Return the quotation on which services are sold: the document itself."""
        return self

    def _ensure_loyalty_quotation(self):
        """Return the quotation to which a service is added."""
        return self._get_loyalty_quotation()

    def action_use_loyalty_privilege(self, privilege_id, product_id=False):
        """Make a service on the quotation free, or add one that is.

        :param product_id: what to add, when the quotation has none of the services;
            the first one unless said
        :raise UserError: when the customer does not have the privilege, or when nothing
            is left of it
        """
        self.ensure_one()
        privilege = self._check_loyalty_privilege(privilege_id)
        self._ensure_loyalty_quotation()._use_free_service(privilege, product_id)

    def action_undo_loyalty_privilege(self, privilege_id):
        """Charge the service on the quotation after all."""
        self.ensure_one()
        self._check_loyalty_rights()
        self._get_loyalty_quotation()._undo_free_service(privilege_id)

    def _may_use_privileges(self):
        return self.env.user.has_group("garage_loyalty.garage_loyalty_group_user")

    def _check_loyalty_rights(self):
        if not self._may_use_privileges():
            raise AccessError(self.env._("Only loyalty users use privileges."))
        self.check_access("write")

    def _check_loyalty_privilege(self, privilege_id):
        """Return the privilege that the customer has, of those that are used by hand.

        :raise UserError: when the customer does not have it
        """
        self._check_loyalty_rights()
        member = self._get_loyalty_document_members()[self]
        privileges = member._get_privileges(FREE) if member else []
        for privilege in privileges:
            if privilege.id == privilege_id:
                return privilege
        raise UserError(self.env._("The customer does not have this privilege."))
