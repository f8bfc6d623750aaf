from odoo import fields, models

from .garage_loyalty_estimate import VERDICTS


class GarageLoyaltyHoldoutFigure(models.Model):
    """What the groups of a hold-out did, and by how much they differ."""

    _name = "garage.loyalty.holdout.figure"
    _description = "Result of a Hold-Out"
    _order = "holdout_id, sequence, id"
    _rec_name = "measure"
    _log_access = False

    holdout_id = fields.Many2one(
        "garage.loyalty.holdout",
        required=True,
        readonly=True,
        ondelete="cascade",
        index=True,
    )
    company_id = fields.Many2one(
        "res.company", required=True, readonly=True, ondelete="cascade"
    )
    sequence = fields.Integer(readonly=True)
    measure = fields.Selection(
        [
            ("visits", "Visits of each"),
            ("came", "Came at all (%)"),
            ("aro", "Average repair order"),
            ("revenue", "Revenue of each"),
        ],
        required=True,
        readonly=True,
    )
    invited = fields.Float(
        string="Could be invited", readonly=True, digits=(16, 2), aggregator=None
    )
    held_out = fields.Float(
        string="Held out", readonly=True, digits=(16, 2), aggregator=None
    )
    value = fields.Float(
        string="Difference (%)",
        readonly=True,
        digits=(16, 1),
        aggregator=None,
        help="By how much those who could be invited are above those held out. Of who "
        "came at all: in percentage points.",
    )
    low = fields.Float(
        string="At least (%)", readonly=True, digits=(16, 1), aggregator=None
    )
    high = fields.Float(
        string="At most (%)", readonly=True, digits=(16, 1), aggregator=None
    )
    verdict = fields.Selection(
        [
            *VERDICTS[:2],
            ("more", "More by inviting"),
            ("less", "Less by inviting"),
        ],
        readonly=True,
    )
