from odoo import fields, models


class GarageLoyaltyAdjustmentReason(models.Model):
    _name = "garage.loyalty.adjustment.reason"
    _description = "Reason for Adjusting Points"
    _inherit = ["garage.loyalty.input.mixin"]
    _order = "sequence, id"

    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    is_bonus = fields.Boolean(
        string="A gift",
        default=True,
        help="Points given for this reason expire as bonus points do. Untick for "
        "points that the customer was owed.",
    )
    note_required = fields.Boolean(
        string="Ask for a note", help="Points are only moved when a note says more."
    )
    company_id = fields.Many2one(
        "res.company", index=True, help="Empty: every company uses the reason."
    )
