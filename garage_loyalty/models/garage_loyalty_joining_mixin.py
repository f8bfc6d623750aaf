from odoo import api, models
from odoo.exceptions import UserError


class GarageLoyaltyJoiningMixin(models.AbstractModel):
    """Only those join who may, for members; and invitations know who has joined."""

    _name = "garage.loyalty.joining.mixin"
    _description = "Joining a Loyalty Programme"

    @api.model_create_multi
    def create(self, vals_list):
        """Refuse customers who do not meet the conditions of the programme.

        :raise UserError: unless a manager, or the application itself, enrols them
        """
        if not self._may_enrol_anybody():
            self._check_may_join(vals_list)
        members = super().create(vals_list)
        # Whoever enrols may read invitations only.
        invitations = self.env["garage.loyalty.invitation"].sudo()
        invitations._note_joined(members.sudo())
        return members

    @api.model
    def _may_enrol_anybody(self):
        """Tell whether the user may enrol customers who do not meet the conditions."""
        manager = "garage_loyalty.garage_loyalty_group_manager"
        return self.env.su or self.env.user.has_group(manager)

    @api.model
    def _check_may_join(self, vals_list):
        Program, Partner = self.env["garage.loyalty.program"], self.env["res.partner"]
        ids_by_program = {}
        for vals in vals_list:
            ids = ids_by_program.setdefault(vals["program_id"], [])
            ids.append(vals["partner_id"])
        for program_id, ids in ids_by_program.items():
            refusals = Program.browse(program_id)._get_join_refusals(
                Partner.browse(ids)
            )
            for partner, texts in refusals.items():
                raise UserError(
                    self.env._(
                        "%(customer)s cannot join yet. %(reasons)s",
                        customer=partner.display_name,
                        reasons=" ".join(texts),
                    )
                )

    def _get_enrolment_reason(self):
        """Return what the history of the membership says about its first day."""
        why = self.env.context.get("garage_loyalty_joined_because")
        if not why:
            return self.env._("Enrolled")
        return self.env._("Enrolled although conditions are not met: %s", why)
