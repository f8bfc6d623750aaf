from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from ..tools.text import MIN_NATIONAL_DIGITS, compact, phone_digits
from .garage_loyalty_member_status import STATES

GROUPS = (
    "garage_loyalty.garage_loyalty_group_user,"
    "garage_loyalty.garage_loyalty_group_accountant"
)


class ResPartner(models.Model):
    _inherit = "res.partner"

    loyalty_member_id = fields.Many2one(
        "garage.loyalty.member",
        string="Membership",
        compute="_compute_loyalty",
        search="_search_loyalty_member_id",
        groups=GROUPS,
        help="Membership of the customer, or of the company the contact belongs to.",
    )
    is_loyalty_member = fields.Boolean(
        string="Loyalty member",
        compute="_compute_loyalty",
        search="_search_is_loyalty_member",
        groups=GROUPS,
    )
    loyalty_tier_id = fields.Many2one(
        "garage.loyalty.tier",
        string="Tier",
        compute="_compute_loyalty",
        search="_search_loyalty_tier_id",
        groups=GROUPS,
    )
    loyalty_points = fields.Integer(
        string="Points", compute="_compute_loyalty", groups=GROUPS
    )
    loyalty_status = fields.Selection(
        STATES,
        string="Loyalty status",
        compute="_compute_loyalty",
        search="_search_loyalty_status",
        groups=GROUPS,
    )
    last_visit_date = fields.Date(
        string="Last visit", compute="_compute_visits", groups=GROUPS
    )
    visit_count = fields.Integer(
        string="Visits", compute="_compute_visits", groups=GROUPS
    )

    @api.depends("commercial_partner_id")
    @api.depends_context("company")
    def _compute_loyalty(self):
        members = self._get_loyalty_members(self.env.company)
        for partner in self:
            member = members.get(partner.commercial_partner_id._origin)
            partner.loyalty_member_id = member
            partner.is_loyalty_member = bool(member) and member.state == "active"
            partner.loyalty_tier_id = member and member.tier_id
            partner.loyalty_points = member and member.points
            partner.loyalty_status = member and member.state

    def _get_loyalty_members(self, company):
        """Return the membership in ``company`` of each commercial partner of ``self``.

        A membership that has ended counts only when there is no other.
        """
        # Whoever may see a customer may see the badge: the fields have groups.
        Member = self.env["garage.loyalty.member"].sudo()
        members = Member.search(
            [
                ("company_id", "=", company.id),
                ("partner_id", "in", self.commercial_partner_id.ids),
            ]
        )
        members = members.sorted(lambda member: (member.state != "left", member.id))
        return {member.partner_id: member.sudo(False) for member in members}

    @api.depends("commercial_partner_id")
    @api.depends_context("company")
    def _compute_visits(self):
        rows = self.env["garage.loyalty.visit"]._read_group(
            [
                ("kind", "=", "repair"),
                ("company_id", "=", self.env.company.id),
                ("partner_id", "in", self.commercial_partner_id.ids),
            ],
            ["partner_id"],
            ["__count", "date:max"],
        )
        visits = {partner: (count, last) for partner, count, last in rows}
        for partner in self:
            count, last = visits.get(partner.commercial_partner_id._origin, (0, False))
            partner.visit_count = count
            partner.last_visit_date = last

    def _compute_application_statistics_hook(self):
        """Show tier and points where the host shows what it knows of a contact."""
        data = super()._compute_application_statistics_hook()
        if not self.env.user.has_groups(GROUPS):
            return data
        for partner in self.filtered("is_loyalty_member"):
            data[partner.id].append(
                {
                    "iconClass": "fa-star",
                    "value": partner.loyalty_points,
                    "label": partner.loyalty_tier_id.name or self.env._("Points"),
                    "tagClass": "o_tag_color_3",
                }
            )
        return data

    @api.model
    def _search_members(self, domain):
        Member = self.env["garage.loyalty.member"]
        Member.flush_model(["company_id", "partner_id", "state"])
        # The same choice as in _get_loyalty_members: one membership for a customer.
        superseded = SQL(
            """(
            SELECT ended.id FROM garage_loyalty_member ended
              JOIN garage_loyalty_member other
                ON other.company_id = ended.company_id
               AND other.partner_id = ended.partner_id
               AND (other.state <> 'left' OR other.id > ended.id)
             WHERE ended.state = 'left'
            )"""
        )
        members = Member._search(
            Domain("company_id", "=", self.env.company.id)
            & Domain("id", "not in", superseded)
            & Domain(domain)
        )
        return Domain("commercial_partner_id", "in", members.subselect("partner_id"))

    @api.model
    def _search_loyalty_member_id(self, operator, value):
        if operator != "in":
            return NotImplemented
        found = self._search_members([("id", "in", [item for item in value if item])])
        return found | ~self._search_members([]) if False in value else found

    @api.model
    def _search_is_loyalty_member(self, operator, value):
        if operator != "in":
            return NotImplemented
        found = self._search_members([("state", "=", "active")])
        return Domain.OR(found if item else ~found for item in value)

    @api.model
    def _search_loyalty_tier_id(self, operator, value):
        if operator != "in":
            return NotImplemented
        found = self._search_members([("tier_id", "in", value)])
        return found | ~self._search_members([]) if False in value else found

    @api.model
    def _search_loyalty_status(self, operator, value):
        if operator != "in":
            return NotImplemented
        states = [item for item in value if item]
        found = self._search_members([("state", "in", states)])
        return found | ~self._search_members([]) if False in value else found

    @api.model
    def _find_for_enrolment(self, text, limit=10):
        """Return the customers that ``text`` may mean, by whatever they tell first.

        Looks at name, e-mail, phone number (however it is written), and number
        plates in the notes of repair orders.
        """
        text = (text or "").strip()
        if not text:
            return self.browse()
        domain = Domain("email", "ilike", text) | Domain("complete_name", "ilike", text)
        digits, plate = phone_digits(text), compact(text)
        if digits:
            domain |= Domain("id", "in", self._phone_query(digits))
        if len(plate) > 3 and any(char.isdigit() for char in plate):
            domain |= Domain("id", "in", self._plate_query(plate))
        return self.search(domain, limit=limit, order="complete_name, id")

    @api.model
    def _phone_query(self, digits):
        """Return the partners whose number ends like ``digits``, or the other way."""
        self.flush_model(["phone"])
        return SQL(
            r"""(
            SELECT id FROM (
                SELECT id, ltrim(regexp_replace(
                           phone, '\(0\)|[^0-9]', '', 'g'), '0') AS digits
                  FROM res_partner WHERE phone IS NOT NULL) known
             WHERE digits LIKE %s
                OR length(digits) >= %s AND %s LIKE '%%' || digits
            )""",
            f"%{digits}",
            MIN_NATIONAL_DIGITS,
            digits,
        )

    @api.model
    def _plate_query(self, plate):
        self.env["repair.order"].flush_model(
            ["company_id", "internal_notes", "partner_id"]
        )
        return SQL(
            r"""(
            SELECT partner_id FROM repair_order
             WHERE company_id = %s AND internal_notes IS NOT NULL
               AND regexp_replace(
                       upper(internal_notes), '<[^>]*>|[^[:alnum:]]', '', 'g') LIKE %s
            )""",
            self.env.company.id,
            f"%{plate}%",
        )

    def action_open_loyalty_member(self):
        """Open the membership, or the enrolment dialog when there is none."""
        self.ensure_one()
        if not self.loyalty_member_id:
            return self.action_enrol()
        return {
            "type": "ir.actions.act_window",
            "res_model": "garage.loyalty.member",
            "res_id": self.loyalty_member_id.id,
            "views": [[False, "form"]],
        }

    def action_open_loyalty_visits(self):
        """Open the visits of the customer and of all of its contacts."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "garage_loyalty.garage_loyalty_visit_action"
        )
        partner = self.commercial_partner_id
        return action | {
            "domain": [("partner_id", "=", partner.id)],
            "context": {"search_default_filter_repair": 1},
        }

    def action_enrol(self):
        """Open the enrolment dialog for this customer."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "garage_loyalty.garage_loyalty_enrol_action"
        )
        return action | {"context": {"default_partner_id": self.id}}
