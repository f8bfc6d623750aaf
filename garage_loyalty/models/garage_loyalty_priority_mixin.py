from odoo import api, fields, models

from ..tools.privileges import PRIORITY
from .res_partner import GROUPS

OPEN = ("draft", "confirmed", "under_repair")
# A change of these may change who goes first.
PRIORITY_FACTS = {"company_id", "partner_id", "state"}


class GarageLoyaltyPriorityMixin(models.AbstractModel):
    """Repairs of members with the privilege go first, for ``repair.order``.

    The star of the host, by which it sorts, is set once, until the repair is done;
    whoever takes it off by hand is obeyed.
    """

    _name = "garage.loyalty.priority.mixin"
    _description = "Priority of Members' Repairs"

    loyalty_priority = fields.Boolean(
        string="Priority of the member",
        readonly=True,
        copy=False,
        help="The customer has the privilege: the repair goes first.",
    )
    loyalty_priority_label = fields.Char(
        string="Goes first", compute="_compute_loyalty_priority_label"
    )
    loyalty_use_ids = fields.One2many(
        "garage.loyalty.privilege.use",
        "repair_id",
        string="Privileges used",
        readonly=True,
        groups=GROUPS,
    )

    @api.depends("loyalty_priority", "state")
    def _compute_loyalty_priority_label(self):
        label = self.env._("Priority")
        for repair in self:
            goes_first = repair.loyalty_priority and repair.state in OPEN
            repair.loyalty_priority_label = goes_first and label

    @api.depends(
        "loyalty_priority",
        "sale_order_id.state",
        "sale_order_id.order_line.loyalty_privilege_id",
    )
    def _compute_loyalty_privileges(self):
        return super()._compute_loyalty_privileges()

    def _prepare_loyalty_privilege(self, privilege, used, member):
        """Say that this very repair goes first."""
        vals = super()._prepare_loyalty_privilege(privilege, used, member)
        if privilege == self._get_loyalty_priority_use().privilege_id:
            vals |= {"tone": "warning", "badge": self.env._("This repair goes first")}
        return vals

    def copy_data(self, default=None):
        """Do not copy the star: it is the privilege of each repair."""
        vals_list = super().copy_data(default)
        for repair, vals in zip(self, vals_list, strict=True):
            if repair.loyalty_priority:
                vals["priority"] = "0"
        return vals_list

    @api.model
    def _sync_loyalty_priority_of(self, members):
        """Put the open repairs of members first, or not, after their tier changed."""
        # Whoever changes a member need not have access to repairs.
        partners = members.sudo().partner_id
        repairs = self.sudo().search(
            [
                ("state", "in", OPEN),
                ("partner_id.commercial_partner_id", "in", partners.ids),
            ]
        )
        repairs._sync_loyalty_priority()

    def _sync_loyalty_priority(self):
        """Put repairs of members with the privilege first, and log it. Idempotent.

        What is done keeps what it was.
        """
        # Whoever writes a repair order need not have loyalty rights.
        done = self.sudo().filtered(lambda repair: repair.state == "done")
        # They would stay above what is still to do for good.
        done.filtered("loyalty_priority").write({"priority": "0"})
        repairs = self.sudo() - done  # as above
        members = repairs._get_loyalty_document_members()
        for repair in repairs:
            privileges = (
                members[repair]._get_privileges(PRIORITY)
                if members[repair] and repair.state in OPEN
                else repair.env["garage.loyalty.privilege"]
            )
            use = repair._get_loyalty_priority_use()
            if use.member_id == members[repair] and use.privilege_id in privileges:
                continue
            use._return_to("released")
            is_first = repair._take_loyalty_priority(members[repair], privileges)
            if is_first != repair.loyalty_priority:
                star = "1" if is_first else "0"
                repair.write({"loyalty_priority": is_first, "priority": star})

    def _get_loyalty_priority_use(self):
        """Return the use by which the repair goes first."""
        self.ensure_one()
        uses = self.loyalty_use_ids if self.loyalty_priority else []
        return self.env["garage.loyalty.privilege.use"].union(
            *(use for use in uses if use.kind == PRIORITY and use.state == "used")
        )

    def _take_loyalty_priority(self, member, privileges):
        """Log the first of the privileges of which something is left."""
        self.ensure_one()
        for privilege in privileges:
            if member._get_privilege_left(privilege) != 0:
                use = self.loyalty_use_ids._plan(member, privilege, repair_id=self.id)
                return use._take(0.0)
        return False

    @api.ondelete(at_uninstall=False)
    def _release_loyalty_uses(self):
        # Whoever deletes a draft need not have loyalty rights.
        self.sudo().loyalty_use_ids._return_to("released")
