from odoo import fields, models


class GarageLoyaltyAllocation(models.Model):
    """Which lot the points of an entry were taken from, or given back to."""

    _name = "garage.loyalty.allocation"
    _description = "Points Taken from a Lot"
    _inherit = ["garage.loyalty.immutable.mixin"]
    _order = "id"
    _rec_name = "lot_id"
    _log_access = False
    _checksum_names = ("id", "entry_id", "lot_id", "points")

    entry_id = fields.Many2one(
        "garage.loyalty.entry",
        required=True,
        readonly=True,
        ondelete="restrict",
        index=True,
    )
    lot_id = fields.Many2one(
        "garage.loyalty.lot",
        required=True,
        readonly=True,
        ondelete="restrict",
        index=True,
    )
    member_id = fields.Many2one(related="lot_id.member_id")
    company_id = fields.Many2one(related="lot_id.company_id")
    date = fields.Date(related="entry_id.date")
    date_expiry = fields.Date(related="lot_id.date_expiry")
    points = fields.Integer(
        string="Taken",
        required=True,
        readonly=True,
        help="Negative: given back to the lot.",
    )

    _points_not_zero = models.Constraint(
        "CHECK(points <> 0)", "An allocation moves at least one point."
    )
