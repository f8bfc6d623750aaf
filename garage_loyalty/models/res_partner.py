from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL

from .garage_loyalty_member_status import STATES

GROUPS = (
    "garage_loyalty.garage_loyalty_group_user,"
    "garage_loyalty.garage_loyalty_group_accountant"
)
# What posting an invoice has to know of a member, fetched at once.
MEMBER_FIELDS = [
    "company_id",
    "is_tier_fixed",
    "merged_into_id",
    "number",
    "partner_id",
    "program_id",
    "state",
    "status_date",
    "tier_id",
]
# What decides to which company a contact belongs.
HIERARCHY = {"is_company", "parent_id"}


class ResPartner(models.Model):
    _name = "res.partner"
    _inherit = [
        # Before the host, whose pricelist it extends.
        "garage.loyalty.priced.mixin",
        "res.partner",
        "garage.loyalty.partner.enrol.mixin",
        "garage.loyalty.partner.search.mixin",
        "garage.loyalty.stage.mixin",
    ]

    loyalty_account_ids = fields.One2many(
        "garage.loyalty.member", "partner_id", readonly=True, groups=GROUPS
    )
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
    loyalty_tier_color = fields.Integer(related="loyalty_tier_id.color", groups=GROUPS)
    loyalty_tier_progress = fields.Float(
        related="loyalty_member_id.tier_progress", groups=GROUPS
    )
    loyalty_tier_missing = fields.Char(
        related="loyalty_member_id.tier_missing", groups=GROUPS
    )
    loyalty_next_tier_id = fields.Many2one(
        related="loyalty_member_id.next_tier_id", groups=GROUPS
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
    loyalty_stage = fields.Selection(groups=GROUPS)
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
        members = Member.search_fetch(
            [
                # To which company an account belongs is no secret.
                ("company_id", "=", company.sudo().loyalty_company_id.id),
                ("partner_id", "in", self.commercial_partner_id.ids),
            ],
            MEMBER_FIELDS,
        )
        members = members.sorted(
            lambda member: (
                member.state != "left",
                not member.merged_into_id,
                member.id,
            )
        )
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

    def _get_stage_keys(self):
        company = self.env.company.loyalty_company_id
        return {
            partner: (company, partner.commercial_partner_id._origin)
            for partner in self
        }

    @api.model
    def _get_stage_domain(self, cards):
        cards.add_where(
            SQL(
                "garage_loyalty_customer.company_id = %s",
                self.env.company.loyalty_company_id.id,
            )
        )
        partner = SQL.identifier("garage_loyalty_customer", "partner_id")
        return Domain("commercial_partner_id", "in", cards.subselect(partner))

    @api.model
    def _get_card_condition(self, alias, card, query):
        return SQL(
            "(%s, %s) = (%s, %s)",
            SQL.identifier(card, "company_id"),
            SQL.identifier(card, "partner_id"),
            self.env.company.loyalty_company_id.id,
            self._field_to_sql(alias, "commercial_partner_id", query),
        )

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

    # -- what happens to the customer of an account -------------------------------

    def write(self, vals):
        """Let the account follow a contact that becomes a part of a company."""
        if not HIERARCHY & vals.keys():
            return super().write(vals)
        customers = self | self.commercial_partner_id
        result = super().write(vals)
        for partner in self:
            company = partner.commercial_partner_id
            accounts = partner._get_loyalty_accounts()
            if accounts and company != partner:
                accounts._follow_partner(company)
                customers |= company
        # Whoever edits contacts need not have any right on offers.
        self.env["garage.loyalty.personal.offer"].sudo()._follow_partners(self)
        customers._sync_loyalty_visits()
        return result

    def _get_loyalty_accounts(self):
        """Return the accounts that are in the name of these very contacts."""
        # Whoever edits, merges or deletes contacts need not have loyalty rights.
        Member = self.env["garage.loyalty.member"].sudo()
        return Member.search([("partner_id", "in", self.ids)], order="id")

    def _sync_loyalty_visits(self):
        """Do the visits again of these customers and of their contacts."""
        Changed = self.env["garage.loyalty.changed.customer"].sudo()  # facts, as below
        Changed._note((self | self.commercial_partner_id).ids)
        # Facts are the same whoever edits the contact.
        Visit = self.env["garage.loyalty.visit"].sudo()
        visits = Visit.search(
            Domain("partner_id", "in", self.ids)
            | Domain("repair_id.partner_id", "child_of", self.ids)
        )
        Visit._sync_repairs(visits.repair_id)
        Visit._sync_moves(visits.move_id)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_loyalty_account(self):
        for member in self._get_loyalty_accounts()[:1]:
            raise UserError(
                self.env._(
                    "%s has a loyalty account, which is kept for good, and cannot be "
                    "deleted. Archive the contact instead.",
                    member.partner_id.display_name,
                )
            )

    # -- buttons ------------------------------------------------------------------

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
