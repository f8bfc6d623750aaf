from odoo import models
from odoo.exceptions import UserError

MOST = 1000  # customers in one preview, which is to be read


class GarageLoyaltyPartnerEnrolMixin(models.AbstractModel):
    """Enrolling or inviting many customers at once, for ``res.partner``."""

    _name = "garage.loyalty.partner.enrol.mixin"
    _description = "Enrolling Many Customers"

    def action_enrol_many(self):
        """Open the preview of what enrolling or inviting these contacts would do.

        :raise UserError: for too many contacts, or in a company without programme
        """
        program = self.env["garage.loyalty.program"]._get_default(self.env.company)
        return self._open_enrol_many(program)

    def _open_enrol_many(self, program):
        if len(program) != 1:
            raise UserError(
                self.env._("Choose customers of one programme only.")
                if program
                else self.env._("There is no loyalty programme in this company.")
            )
        customers = self.commercial_partner_id
        if len(customers) > MOST:
            raise UserError(self.env._("Choose at most %s customers at once.", MOST))
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Enrol or Invite"),
            "res_model": "garage.loyalty.enrol.many",
            "views": [[False, "form"]],
            "target": "new",
            "context": {
                "default_partner_ids": customers.ids,
                "default_program_id": program.id,
            },
        }
