from odoo import api, fields, models
from odoo.exceptions import UserError

from .garage_loyalty_member_status import STATES

# Written by the methods of this file only: each of them also leaves a trace.
PROTECTED = {
    "company_id",
    "consent_marketing_date",
    "consent_terms_date",
    "date_joined",
    "date_left",
    "debt",
    "enrolled_by_id",
    "is_referral_due",
    "is_tier_fixed",
    "merged_into_id",
    "number",
    "partner_id",
    "program_id",
    "settled_points",
    "source",
    "state",
    "status_date",
    "tier_fixed_until",
}
# Written by the ledger only, in SQL.
BALANCE = {"debt", "settled_points"}


class GarageLoyaltyMember(models.Model):
    _name = "garage.loyalty.member"
    _description = "Loyalty Member"
    _inherit = [
        "garage.loyalty.input.mixin",
        "garage.loyalty.account.mixin",
        "garage.loyalty.balance.mixin",
        "garage.loyalty.benefit.mixin",
        "garage.loyalty.export.mixin",
        # Before those that they extend.
        "garage.loyalty.joining.mixin",
        "garage.loyalty.member.bonus.mixin",
        "garage.loyalty.member.stage.mixin",
        "garage.loyalty.member.statement.mixin",
        "garage.loyalty.member.use.mixin",
        "garage.loyalty.merge.mixin",
        "garage.loyalty.posting.mixin",
        "garage.loyalty.privacy.mixin",
        "garage.loyalty.status.mixin",
        "garage.loyalty.tier.progress.mixin",
        "garage.loyalty.tier.rise.mixin",
        "garage.loyalty.transfer.mixin",
        "mail.thread",
        "mail.activity.mixin",
    ]
    _order = "number desc"
    _rec_name = "number"
    _rec_names_search = ["number", "partner_id"]

    number = fields.Char(
        string="Member number", required=True, readonly=True, copy=False, index=True
    )
    partner_id = fields.Many2one(
        "res.partner", string="Customer", required=True, ondelete="restrict", index=True
    )
    phone = fields.Char(related="partner_id.phone")
    email = fields.Char(related="partner_id.email")
    is_company = fields.Boolean(related="partner_id.is_company")
    program_id = fields.Many2one(
        "garage.loyalty.program",
        string="Programme",
        required=True,
        ondelete="restrict",
        index=True,
        default=lambda self: self.env["garage.loyalty.program"]._get_default(
            self.env.company
        ),
    )
    company_id = fields.Many2one(
        related="program_id.company_id", store=True, precompute=True, index=True
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    state = fields.Selection(
        STATES, required=True, readonly=True, default="active", copy=False
    )
    status_date = fields.Date(
        string="In this state since",
        readonly=True,
        copy=False,
        help="First day of the present state and tier. Empty when the history says "
        "something else for today, because a change was entered for an earlier day.",
    )
    tier_id = fields.Many2one(
        "garage.loyalty.tier",
        ondelete="restrict",
        index=True,
        domain="[('program_id', '=', program_id)]",
        group_expand="_group_expand_tier_id",
    )
    points_worth = fields.Monetary(
        string="Worth",
        compute="_compute_points_worth",
        help="What the points would take off an invoice today.",
    )
    privilege_value = fields.Monetary(
        string="Saved this year",
        compute="_compute_privileges",
        help="What privileges were worth this calendar year, without tax.",
    )
    date_joined = fields.Date(
        string="Joined on", required=True, default=fields.Date.context_today
    )
    date_left = fields.Date(string="Left on", readonly=True, copy=False)
    enrolled_by_id = fields.Many2one(
        "res.users",
        string="Enrolled by",
        ondelete="restrict",
        default=lambda self: self.env.user,
    )
    source = fields.Selection(
        [("counter", "At the counter"), ("web", "On the web"), ("import", "Import")],
        string="Enrolled",
        required=True,
        default="counter",
    )
    status_ids = fields.One2many(
        "garage.loyalty.member.status", "member_id", readonly=True
    )
    visit_count = fields.Integer(related="partner_id.visit_count")
    last_visit_date = fields.Date(related="partner_id.last_visit_date")

    _number_company_uniq = models.UniqueIndex(
        "(company_id, number)", "This member number is taken."
    )
    _partner_company_uniq = models.UniqueIndex(
        "(company_id, partner_id) WHERE state <> 'left'",
        "This customer is a member already.",
    )
    _joined_idx = models.Index("(company_id, date_joined)")

    @api.depends("number", "partner_id.display_name")
    def _compute_display_name(self):
        for member in self:
            name = member.partner_id.display_name
            member.display_name = f"{member.number} · {name}" if name else member.number

    @api.depends("points", "program_id.point_value")
    def _compute_points_worth(self):
        for member in self:
            worth = max(member.points, 0) * member.program_id.point_value
            currency = member.currency_id or self.env.company.currency_id
            member.points_worth = currency.round(worth)

    @api.model_create_multi
    def create(self, vals_list):
        """Enrol customers: one account for a company and all of its contacts."""
        vals_list = [self._prepare_enrolment_vals(vals) for vals in vals_list]
        members = super().create(vals_list)
        for member in members:
            member._after_enrolment()
        return members

    @api.model
    def _prepare_enrolment_vals(self, vals):
        """Return ``vals`` with the account's customer, a number and a first tier.

        Override to fill in more; imports come this way too.
        """
        self._check_input(vals)
        if {*BALANCE, "points", "state", "date_left", "company_id"} & vals.keys():
            raise UserError(self._protected_message())
        if vals.get("tier_id"):
            self._check_may_set_tier()
            vals = {**vals, "is_tier_fixed": True}
        vals = self.default_get(["program_id"]) | vals
        partner = self.env["res.partner"].browse(vals.get("partner_id"))
        program = self.env["garage.loyalty.program"].browse(vals.get("program_id"))
        vals["partner_id"] = partner.commercial_partner_id.id
        former = partner._get_loyalty_members(program.company_id)
        self._check_not_enrolled(former.get(partner.commercial_partner_id))
        vals["number"] = self._next_number()
        for consent in ("consent_terms", "consent_marketing"):
            if vals.pop(consent, False):
                vals.setdefault(f"{consent}_date", self._get_consent_date(vals))
        if program and not vals.get("tier_id"):
            vals["tier_id"] = program._get_entry_tier().id
        return vals

    @api.model
    def _check_not_enrolled(self, member):
        """Refuse a second account: points would be split between the two."""
        if not member:
            return
        if member.state == "left":
            raise UserError(
                self.env._(
                    "%s was a member before. Press “Come back” there: number and "
                    "points are kept.",
                    member.display_name,
                )
            )
        raise UserError(self.env._("%s is a member already.", member.display_name))

    @api.model
    def _next_number(self):
        """Return the next member number. Override to number by other means."""
        # An advisor may use the sequence, but has no access to sequences as such.
        return self.env["ir.sequence"].sudo().next_by_code("garage.loyalty.member")

    def _after_enrolment(self):
        """Start the history, and count what the customer had done on that day."""
        self.ensure_one()
        self._check_tier(self.tier_id)
        self._log_status(self.date_joined, self._get_enrolment_reason())
        moves = self.env["account.move"]._get_unstamped_loyalty_moves(self)
        moves._stamp_loyalty()
        moves._sync_loyalty()

    def write(self, vals):
        """Protect the balance and the history; a tier that is set leaves a trace."""
        self._check_input(vals)
        protected = PROTECTED & vals.keys()
        if {*BALANCE, "points"} & vals.keys() or (protected and not self.env.su):
            raise UserError(self._protected_message())
        moved = self.browse()
        if "tier_id" in vals:
            self._check_may_set_tier()
            tier = self.env["garage.loyalty.tier"].browse(vals["tier_id"])
            moved = self.filtered(lambda member: member.tier_id != tier)
            moved._check_tier(tier)
        change = self.env.context.get("garage_loyalty_change", {})
        if moved:
            # Whoever sets a tier in the form means it to stay.
            vals = {
                **vals,
                "is_tier_fixed": change.get("is_fixed", True),
                "tier_fixed_until": change.get("until"),
            }
        result = super().write(vals)
        for member in moved:
            member._log_status(
                change.get("date") or fields.Date.context_today(member),
                change.get("reason") or self.env._("Set by hand"),
            )
        return result

    @api.model
    def _protected_message(self):
        return self.env._(
            "Points, dates and the state of a membership change through their "
            "buttons only, so that the reason is kept."
        )

    @api.ondelete(at_uninstall=False)
    def _unlink_except_with_entries(self):
        used = self.filtered("entry_count")
        if used:
            raise UserError(
                self.env._(
                    "%s has points entries and cannot be deleted. "
                    "End the membership with “Leave” instead.",
                    used[0].display_name,
                )
            )

    def action_open_entries(self):
        """Open the member's rows of the points ledger."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "garage_loyalty.garage_loyalty_entry_action"
        )
        return action | {"domain": [("member_id", "=", self.id)]}

    def action_open_visits(self):
        """Open the visits of the customer."""
        self.ensure_one()
        return self.partner_id.action_open_loyalty_visits()

    def _send_expiry_warning(self, lots):
        """Tell the member that points expire. Override to use other channels."""
        self._send_loyalty_mail(
            "mail_template_expiry",
            loyalty_points=sum(lots.mapped("remaining")),
            loyalty_date=min(lots.mapped("date_expiry")),
        )

    def _send_tier_warning(self):
        """Tell the member that the tier is about to be lost, and what would keep it.

        Override to use other channels.
        """
        self._send_loyalty_mail("mail_template_tier")

    def _send_loyalty_mail(self, name, **values):
        """Send one of the add-on's templates, unless somebody has deleted it."""
        self.ensure_one()
        template = self.env.ref(f"garage_loyalty.{name}", raise_if_not_found=False)
        if template:
            template.with_context(**values).send_mail(self.id)
