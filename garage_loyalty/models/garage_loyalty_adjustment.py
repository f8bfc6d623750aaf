from odoo import api, fields, models
from odoo.exceptions import UserError

from .garage_loyalty_adjustment_check import DETAILS, LIMIT

KINDS = [
    ("adjust", "Goodwill or correction"),
    ("opening", "Opening balance"),
    ("transfer", "Transfer"),
]
STATES = [
    ("draft", "Draft"),
    ("to_approve", "To approve"),
    ("posted", "Posted"),
    ("refused", "Refused"),
    ("undone", "Undone"),
]
# Written by the buttons only, with their values on a new adjustment.
PROTECTED = {
    "approved_by_id": False,
    "budget_month": False,
    "budget_seq": 0,
    "state": "draft",
    "undo_of_id": False,
    "undone_by_id": False,
}


class GarageLoyaltyAdjustment(models.Model):
    """Points given, taken or moved by hand: the document behind the ledger entries."""

    _name = "garage.loyalty.adjustment"
    _description = "Points Adjustment"
    _inherit = [
        "garage.loyalty.adjustment.check",
        "garage.loyalty.approval.mixin",
        "garage.loyalty.export.mixin",
        "garage.loyalty.undo.mixin",
        "mail.thread",
        "mail.activity.mixin",
    ]
    _order = "date desc, id desc"
    _check_company_auto = True

    name = fields.Char(string="Number", required=True, readonly=True, copy=False)
    kind = fields.Selection(KINDS, required=True, default="adjust")
    member_id = fields.Many2one(
        "garage.loyalty.member", required=True, ondelete="restrict", index=True
    )
    partner_id = fields.Many2one(related="member_id.partner_id")
    program_id = fields.Many2one(
        related="member_id.program_id", string="Programme", store=True
    )
    company_id = fields.Many2one(
        related="member_id.company_id", store=True, precompute=True, index=True
    )
    to_member_id = fields.Many2one(
        "garage.loyalty.member",
        string="To",
        ondelete="restrict",
        index="btree_not_null",
        check_company=True,
        domain="[('company_id', '=', company_id), ('id', '!=', member_id)]",
        help="Member who gets the points.",
    )
    points = fields.Integer(
        required=True,
        tracking=True,
        help="Points to give; with a minus sign: points to take.",
    )
    reason_id = fields.Many2one(
        "garage.loyalty.adjustment.reason",
        ondelete="restrict",
        index=True,
        check_company=True,
        domain="[('company_id', 'in', (company_id, False))]",
    )
    note_required = fields.Boolean(related="reason_id.note_required")
    note = fields.Char(
        help="Stands in the points ledger for good, beside your name.",
    )
    repair_id = fields.Many2one(
        "repair.order",
        string="Repair order",
        ondelete="restrict",
        index="btree_not_null",
        check_company=True,
        domain="[('partner_id', 'child_of', partner_id),"
        " ('company_id', '=', company_id)]",
        help="Repair order that the points answer.",
    )
    reference = fields.Char(
        help="Number of the complaint, or of another document, that the points answer."
    )
    date = fields.Date(
        required=True,
        default=fields.Date.context_today,
        copy=False,
        help="Day on which the points moved; for opening balances, the day for which "
        "they are entered.",
    )
    date_expiry = fields.Date(
        string="Expires after",
        copy=False,
        help="Last day on which the points can be spent. Empty: as the programme says.",
    )
    user_id = fields.Many2one(
        "res.users",
        string="Asked by",
        required=True,
        readonly=True,
        ondelete="restrict",
        copy=False,
        default=lambda self: self.env.user,
    )
    state = fields.Selection(
        STATES,
        required=True,
        readonly=True,
        default="draft",
        copy=False,
        tracking=True,
        index=True,
    )
    entry_ids = fields.One2many(
        "garage.loyalty.entry",
        "source_id",
        domain=[("source_model", "=", "garage.loyalty.adjustment")],
        readonly=True,
    )
    points_before = fields.Integer(related="member_id.points", string="Points now")
    points_after = fields.Integer(
        string="Points afterwards", compute="_compute_points_after"
    )

    _points_within_limit = models.Constraint(
        f"CHECK(points <> 0 AND points BETWEEN -{LIMIT} AND {LIMIT})",
        "Enter how many points to give or to take: at least 1, at most 1,000,000.",
    )

    @api.depends("kind", "member_id.points", "points")
    def _compute_points_after(self):
        for adjustment in self:
            sign = -1 if adjustment.kind == "transfer" else 1
            points = adjustment.member_id.points + sign * adjustment.points
            adjustment.points_after = points

    @api.model_create_multi
    def create(self, vals_list):
        """Start as a draft, whoever creates it by whatever means."""
        Sequence = self.env["ir.sequence"].sudo()  # no access to sequences is needed
        # Points that are left out, or come as a default, are checked like others.
        start = PROTECTED | {"points": 0} | self.default_get(["points"])
        prepared = []
        for vals in vals_list:
            self._check_unprotected(vals)
            number = Sequence.next_by_code(self._name)
            prepared.append(start | vals | {"name": number, "user_id": self.env.uid})
        return super().create(prepared)

    def write(self, vals):
        """Keep what was asked for or posted as it is; only posting dates it."""
        self._check_unprotected(vals)
        fixed = self.filtered(lambda adjustment: adjustment.state != "draft")
        if fixed and vals.keys() & DETAILS and "state" not in vals:
            raise UserError(
                self.env._(
                    "%s is no draft any more and cannot be changed. A manager can "
                    "refuse it, or undo it after it was posted.",
                    fixed[0].name,
                )
            )
        return super().write(vals)

    @api.model
    def _check_unprotected(self, vals):
        if not self.env.su and vals.keys() & {"name", "user_id", *PROTECTED}:
            raise UserError(
                self.env._("The state of an adjustment changes through buttons only.")
            )

    @api.ondelete(at_uninstall=False)
    def _unlink_except_asked(self):
        for adjustment in self:
            if adjustment.state != "draft":
                raise UserError(
                    self.env._(
                        "%s is no draft any more and cannot be deleted. A manager can "
                        "refuse it, or undo it after it was posted.",
                        adjustment.name,
                    )
                )

    # -- posting --------------------------------------------------------------------

    def action_confirm(self):
        """Post the points, or ask a manager when they exceed the budget.

        :raise UserError: when it is no draft, or cannot be posted
        """
        self.check_access("write")
        for adjustment in self:
            adjustment._check_state("draft")
            adjustment._check_before_posting()
            limited = not adjustment._is_manager()
            # The rights were checked; the fields are written by buttons only.
            mine = adjustment.sudo()
            mine.user_id = self.env.user
            if limited and adjustment.needs_approval:
                mine._ask_managers()
            else:
                if limited:
                    mine._take_from_budget()
                mine._post()
        return self._get_done_action()

    def _check_state(self, state):
        self.ensure_one()
        if self.state != state:
            labels = dict(self._fields["state"]._description_selection(self.env))
            raise UserError(
                self.env._(
                    "Too late: %(name)s is “%(state)s” by now.",
                    name=self.name,
                    state=labels[self.state],
                )
            )

    def _post(self):
        """Move the points, today unless it is an opening balance."""
        self.ensure_one()
        today = self.company_id._get_loyalty_today()
        date = self.date if self.kind == "opening" else today
        self.write({"state": "posted", "date": date})
        reason = self._get_ledger_reason()
        if self.kind == "transfer":
            self.member_id._transfer_points(
                self.to_member_id, self.points, date, self, reason
            )
        else:
            self.member_id._post_points(
                self.kind,
                self.points,
                date,
                source=self,
                reason=reason,
                **self._get_posting_options(),
            )
        self.invalidate_recordset(["entry_ids"])

    def _get_posting_options(self):
        """Return how the points are given, see ``_post_points``.

        Override to let them live longer or shorter.
        """
        self.ensure_one()
        if self.points < 0:
            return {}
        if self.kind == "opening":
            return {"expiry": self.date_expiry or None}
        return {"is_bonus": self.reason_id.is_bonus}

    def _get_ledger_reason(self):
        """Return what stands in the ledger for good. Override to say more."""
        self.ensure_one()
        labels = dict(self._fields["kind"]._description_selection(self.env))
        reason = self.reason_id.name or labels[self.kind]
        return ": ".join(filter(None, (reason, (self.note or "").strip())))
