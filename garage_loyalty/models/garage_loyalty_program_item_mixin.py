from odoo import fields, models


class GarageLoyaltyProgramItemMixin(models.AbstractModel):
    """A named part of a programme: a tier, a reward, a privilege."""

    _name = "garage.loyalty.program.item.mixin"
    _description = "Part of a Loyalty Programme"
    _inherit = ["garage.loyalty.input.mixin"]
    _order = "program_id, sequence, id"
    _check_company_auto = True

    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    program_id = fields.Many2one(
        "garage.loyalty.program",
        string="Programme",
        required=True,
        ondelete="cascade",
        index=True,
        default=lambda self: self.env["garage.loyalty.program"]._get_default(
            self.env.company
        ),
    )
    company_id = fields.Many2one(
        related="program_id.company_id", store=True, precompute=True
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
