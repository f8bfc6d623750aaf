from odoo import fields, models
from odoo.fields import Command

from ..tools.privileges import OFFER


class GarageLoyaltyProgramPrivilegesMixin(models.AbstractModel):
    """The privileges of a programme, and what a copy of it has."""

    _name = "garage.loyalty.program.privileges.mixin"
    _description = "Privileges of a Loyalty Programme"

    privilege_ids = fields.One2many("garage.loyalty.privilege", "program_id")

    def copy(self, default=None):
        """Copy privileges for the tiers of the copy.

        Special offers are left out: they are about rewards, which are not copied.
        """
        programs = super().copy(default)
        for program, copied in zip(self, programs, strict=True):
            program._copy_privileges(copied)
        return programs

    def _copy_privileges(self, copied):
        """Give the copy of a programme what the members of the same tiers have."""
        self.ensure_one()
        # The host copies the rows of a one2many in the order of their ids.
        tiers = dict(
            zip(self.tier_ids.sorted("id"), copied.tier_ids.sorted("id"), strict=False)
        )
        for privilege in self.privilege_ids.filtered(lambda item: item.kind != OFFER):
            mine = [tiers[tier].id for tier in privilege.tier_ids if tier in tiers]
            # Without any of its tiers it would be everybody's.
            if mine or not privilege.tier_ids:
                vals = {"program_id": copied.id, "tier_ids": [Command.set(mine)]}
                privilege.copy(vals)
