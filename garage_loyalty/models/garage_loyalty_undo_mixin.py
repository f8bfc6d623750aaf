from odoo import api, fields, models
from odoo.exceptions import UserError


class GarageLoyaltyUndoMixin(models.AbstractModel):
    """Undoing an adjustment by one that moves the points the other way."""

    _name = "garage.loyalty.undo.mixin"
    _description = "Undoing Adjustments"

    undo_of_id = fields.Many2one(
        "garage.loyalty.adjustment",
        string="Undoes",
        readonly=True,
        copy=False,
        ondelete="restrict",
    )
    undone_by_id = fields.Many2one(
        "garage.loyalty.adjustment",
        string="Undone by",
        readonly=True,
        copy=False,
        ondelete="restrict",
    )
    undo_points = fields.Integer(
        string="Moved back",
        compute="_compute_undo_points",
        help="Without the points that have expired meanwhile.",
    )
    undo_balance = fields.Integer(
        string="Points after undoing", compute="_compute_undo_points"
    )

    _undo_of_uniq = models.UniqueIndex(
        "(undo_of_id) WHERE undo_of_id IS NOT NULL", "This has been undone already."
    )

    @api.depends("kind", "member_id.points", "points", "to_member_id.points")
    def _compute_undo_points(self):
        for adjustment in self:
            sign = -1 if adjustment.points < 0 else 1
            moved = abs(adjustment.points) - adjustment._get_expired_points()
            adjustment.undo_points = moved
            adjustment.undo_balance = adjustment._get_receiver().points - sign * moved

    def _get_receiver(self):
        """Return who has the points now, or had to give them."""
        self.ensure_one()
        member = self.to_member_id if self.kind == "transfer" else self.member_id
        return member._get_survivor()

    def _get_expired_points(self):
        """Return how many of the points given are gone already because they expired."""
        self.ensure_one()
        # The lots are for readers of the ledger, who see this adjustment too.
        member = self._get_receiver().sudo()
        rows = member.env["garage.loyalty.allocation"]._read_group(
            [
                ("lot_id", "in", member._get_lots_of(self._origin).ids),
                ("entry_id.kind", "=", "expire"),
            ],
            [],
            ["points:sum"],
        )
        return rows[0][0] or 0

    def action_open_undo(self):
        """Show what undoing means, before it is done."""
        self.ensure_one()
        self._check_undo()
        view = self.env.ref("garage_loyalty.garage_loyalty_adjustment_view_form_undo")
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Undo %s", self.name),
            "res_model": self._name,
            "res_id": self.id,
            "views": [[view.id, "form"]],
            "target": "new",
        }

    def action_undo(self):
        """Move the points the other way, even when they have been spent meanwhile.

        :raise UserError: when it was undone before, or nothing is left to undo
        """
        for adjustment in self:
            adjustment._check_undo()
            # The rights were checked; nobody may write posted adjustments.
            adjustment.sudo()._undo()
        return True

    def _check_undo(self):
        self.ensure_one()
        self.check_access("write")
        self._check_manager()
        if self.state != "posted" or self.undo_of_id:
            raise UserError(
                self.env._(
                    "%s cannot be undone: only posted adjustments can, and only once.",
                    self.name,
                )
            )
        if not self.undo_points:
            raise UserError(
                self.env._("These points have expired: there is nothing left to undo.")
            )

    def _undo(self):
        self.ensure_one()
        mirror = self.create(self._prepare_mirror_vals())
        self.write({"state": "undone", "undone_by_id": mirror.id})
        mirror._post_mirror()

    def _prepare_mirror_vals(self):
        """Return the values of the adjustment that undoes this one.

        Override to copy more to it.
        """
        self.ensure_one()
        transfer = self.kind == "transfer"
        sign = 1 if transfer or self.points < 0 else -1
        return {
            "kind": self.kind,
            "member_id": self._get_receiver().id,
            "to_member_id": transfer and self.member_id._get_survivor().id,
            "points": sign * self.undo_points,
            "reason_id": self.reason_id.id,
            "note": self.note,
            "repair_id": self.repair_id.id,
            "reference": self.reference,
            "date": self.company_id._get_loyalty_today(),
            "state": "posted",
            "undo_of_id": self.id,
        }

    def _post_mirror(self):
        """Move the points from and to the lots of the adjustment that is undone."""
        self.ensure_one()
        origin = self.undo_of_id
        reason = self.env._("Undone: %s", origin._get_ledger_reason())
        options = {"source": self, "reason": reason, "origin": origin}
        if self.kind == "transfer":
            self.member_id._post_points(self.kind, -self.points, self.date, **options)
        receiver = self._get_receiver()
        receiver._post_points(self.kind, self.points, self.date, **options)
        self.invalidate_recordset(["entry_ids"])
