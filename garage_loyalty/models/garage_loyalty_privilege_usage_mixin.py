from odoo import models

from ..tools.privileges import WARRANTY


class GarageLoyaltyPrivilegeUsageMixin(models.AbstractModel):
    """How much members use a privilege, for ``garage.loyalty.privilege``."""

    _name = "garage.loyalty.privilege.usage.mixin"
    _description = "Use of a Privilege"
    _inherit = "garage.loyalty.usage.mixin"
    _usage_name = "privilege_id"

    def _is_offered_since(self, day):
        """Judge no warranty: that nobody needs it is what everybody hopes."""
        return self.kind != WARRANTY and super()._is_offered_since(day)

    def _get_audiences(self, since):
        members = self._count_members(self.program_id)
        return {
            privilege._origin.id: sum(
                count
                for program, tier, count in members
                if program == privilege.program_id and privilege._get_of_tier(tier)
            )
            for privilege in self
        }
