from odoo import api, models
from odoo.exceptions import AccessError, UserError, ValidationError

MANAGER = "garage_loyalty.garage_loyalty_group_manager"
LIMIT = 1_000_000
LONGEST = 500
# What is typed in, until a button is pressed.
DETAILS = (
    "date",
    "date_expiry",
    "kind",
    "member_id",
    "note",
    "points",
    "reason_id",
    "reference",
    "repair_id",
    "to_member_id",
)


class GarageLoyaltyAdjustmentCheck(models.AbstractModel):
    """What may be entered as an adjustment, and by whom."""

    _name = "garage.loyalty.adjustment.check"
    _description = "Checks of Points Adjustments"
    _inherit = ["garage.loyalty.input.mixin"]

    @api.model
    def _check_input(self, vals):
        """Refuse more points at once than anybody means, and long stories."""
        points = vals.get("points", 1)
        if type(points) is not int or not 1 <= abs(points) <= LIMIT:
            raise UserError(
                self.env._(
                    "Enter how many points to give or to take: at least 1, "
                    "at most 1,000,000."
                )
            )
        for name in ("note", "reference"):
            text = vals.get(name)
            if isinstance(text, str) and len(text) > LONGEST:
                raise UserError(
                    self.env._("Enter a text of at most %s characters.", LONGEST)
                )
        return super()._check_input(vals)

    @api.constrains(*DETAILS)
    def _check_draft(self):
        """Say at once what could not be posted."""
        for adjustment in self:
            if adjustment.state == "draft":
                adjustment._check_before_posting()

    def _check_before_posting(self):
        """Refuse what cannot be posted. Override to check more."""
        self.ensure_one()
        self._check_may_post()
        self._check_merged()
        if self.kind == "adjust":
            self._check_adjust()
        elif self.kind == "opening":
            self._check_opening()
        else:
            self._check_transfer()
        self._check_repair()
        self._check_balance()

    def _is_manager(self):
        """Tell whether nobody needs to be asked; code with all rights is trusted."""
        return self.env.su or self.env.user.has_group(MANAGER)

    def _check_manager(self):
        if not self._is_manager():
            raise AccessError(self.env._("Only loyalty managers do this."))

    def _check_may_post(self):
        if not self._is_manager() and (self.kind != "adjust" or self.points < 0):
            raise AccessError(
                self.env._(
                    "Only loyalty managers take points, move them to another member "
                    "or enter opening balances."
                )
            )

    def _check_merged(self):
        for member in (self.member_id | self.to_member_id).filtered("merged_into_id"):
            raise ValidationError(
                self.env._(
                    "%(member)s was merged into %(survivor)s: choose that one instead.",
                    member=member.number,
                    survivor=member.merged_into_id.display_name,
                )
            )

    def _check_adjust(self):
        if not self.reason_id:
            raise ValidationError(self.env._("Choose the reason from the list."))
        if self.note_required and not (self.note or "").strip():
            raise ValidationError(
                self.env._("For “%s”, a note must say more.", self.reason_id.name)
            )

    def _check_opening(self):
        today = self.company_id._get_loyalty_today()
        if self.date > today:
            raise ValidationError(
                self.env._("An opening balance cannot lie in the future.")
            )
        if self.date_expiry and self.date_expiry < today:
            raise ValidationError(
                self.env._("The last day on which the points can be spent is over.")
            )

    def _check_transfer(self):
        if not self.to_member_id:
            raise ValidationError(self.env._("Choose the member who gets the points."))
        if self.points < 0:
            raise ValidationError(
                self.env._("Enter how many points to move, without a minus sign.")
            )
        self.member_id._check_transfer(self.to_member_id)

    def _check_repair(self):
        # Whether it is the same customer is no secret of the repair order.
        owner = self.repair_id.sudo().partner_id.commercial_partner_id
        if owner and owner != self.partner_id:
            raise ValidationError(
                self.env._("The repair order belongs to another customer.")
            )

    def _check_balance(self):
        """Refuse to take more than there is, pending points included."""
        taken = self.points if self.kind == "transfer" else -self.points
        if taken > max(self.member_id.points, 0):
            raise ValidationError(
                self.env._(
                    "%(member)s has %(points)s points: %(taken)s cannot be taken.",
                    member=self.member_id.display_name,
                    points=self.member_id.points,
                    taken=taken,
                )
            )
