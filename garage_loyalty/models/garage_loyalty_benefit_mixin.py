from odoo import api, fields, models
from odoo.tools import format_date
from odoo.tools.misc import format_amount

from ..tools import privileges as rules

ICONS = {
    rules.PRIORITY: "fa-bolt",
    rules.FREE: "fa-stethoscope",
    rules.WARRANTY: "fa-shield",
    rules.OFFER: "fa-gift",
}


class GarageLoyaltyBenefitMixin(models.AbstractModel):
    """Which privileges a member has, and what is left of them this year."""

    _name = "garage.loyalty.benefit.mixin"
    _description = "Privileges of a Loyalty Member"

    privileges = fields.Json(compute="_compute_privileges")
    privilege_use_ids = fields.One2many(
        "garage.loyalty.privilege.use", "member_id", readonly=True
    )

    @api.depends(
        "state",
        "tier_id",
        "program_id.has_privileges",
        "privilege_use_ids.state",
    )
    def _compute_privileges(self):
        # What a member has is for whoever may see the member.
        members = self.sudo()
        used = members._get_privileges_used()
        values = {}
        for (member, _privilege), (_count, value) in used.items():
            values[member.id] = values.get(member.id, 0.0) + value
        for member in members:
            member.privileges = [
                member._prepare_privilege(privilege, used)
                for privilege in member._get_privileges()
            ]
            member.privilege_value = values.get(member._origin.id, 0.0)

    def _get_privileges(self, kind=None):
        """Return the privileges of a member: none unless the membership is active.

        Override to give more, or less.

        :param self: one member, or none
        :param kind: only those of this kind
        """
        privileges = self.program_id.privilege_ids
        if self.state != "active" or not self.program_id.has_privileges:
            return privileges.browse()
        if kind:
            privileges = privileges.filtered(lambda privilege: privilege.kind == kind)
        return privileges._get_of_tier(self.tier_id._origin)

    def _get_privileges_used(self):
        """Return how often, and for how much, members used privileges this year.

        :return: pairs by (member, privilege), found at once for all members
        """
        years = {
            member.id: member.company_id._get_loyalty_today().year
            for member in self._origin
        }
        if not years:
            return {}
        rows = self.env["garage.loyalty.privilege.use"]._read_group(
            [
                ("member_id", "in", list(years)),
                ("state", "=", "used"),
                ("year", "in", list(set(years.values()))),
            ],
            ["member_id", "privilege_id", "year"],
            ["__count", "value:sum"],
        )
        return {
            (member, privilege): (count, value)
            for member, privilege, year, count, value in rows
            if year == years[member.id]
        }

    def _get_privilege_left(self, privilege):
        """Return what is left of the quota this year, None without a quota."""
        self.ensure_one()
        if privilege._get_left(0) is None:
            return None
        used = self._get_privileges_used()
        return privilege._get_left(used.get((self, privilege), (0, 0))[0])

    def _prepare_privilege(self, privilege, used):
        """Return what is shown of one privilege. Override to show more.

        :param used: see ``_get_privileges_used``
        """
        self.ensure_one()
        count, value = used.get((self._origin, privilege), (0, 0.0))
        left = privilege._get_left(count)
        return {
            "id": privilege.id,
            "name": privilege.name,
            "kind": privilege.kind,
            "icon": ICONS.get(privilege.kind, "fa-star"),
            "left": left,
            "saved": value
            and self.env._(
                "%s saved this year", format_amount(self.env, value, self.currency_id)
            ),
            **self._describe_privilege(privilege, left),
        }

    def _describe_privilege(self, privilege, left):
        """Return the words and the colour of one privilege."""
        if left is not None:
            return self._describe_quota(privilege, left)
        text = {
            rules.PRIORITY: lambda: self.env._("Repairs go first"),
            rules.FREE: lambda: self.env._("No limit"),
            rules.WARRANTY: lambda: self.env._(
                "%s months on repairs", privilege.warranty_months
            ),
            rules.OFFER: lambda: self._get_offer_names(privilege),
        }[privilege.kind]()
        return {"tone": "success", "badge": False, "text": text}

    def _describe_quota(self, privilege, left):
        today = self.company_id._get_loyalty_today()
        until = format_date(self.env, rules.year_end(today), date_format="d MMMM")
        if not left:
            return {
                "tone": "danger",
                "badge": self.env._("Used up"),
                "text": self.env._(
                    "0 of %(quota)s left, until %(day)s",
                    quota=privilege.quota,
                    day=until,
                ),
            }
        return {
            "tone": "success",
            "badge": self.env._(
                "%(left)s of %(quota)s left", left=left, quota=privilege.quota
            ),
            "text": ", ".join(
                filter(
                    None,
                    [
                        self._get_offer_names(privilege),
                        self.env._("until %s", until),
                    ],
                )
            ),
        }

    def _get_offer_names(self, privilege):
        offers = privilege.filtered(lambda item: item.kind == rules.OFFER)
        return ", ".join(offers.reward_ids.mapped("name"))
