from odoo import fields, models


class GarageLoyaltyEnrolManyLine(models.TransientModel):
    """One customer in the preview; nothing is done by what is written here."""

    _name = "garage.loyalty.enrol.many.line"
    _description = "Customer to Enrol or Invite"
    _order = "enrol_refusal desc, id"

    wizard_id = fields.Many2one(
        "garage.loyalty.enrol.many", required=True, ondelete="cascade"
    )
    partner_id = fields.Many2one(
        "res.partner", string="Customer", required=True, ondelete="cascade"
    )
    email = fields.Char(related="partner_id.email")
    enrol_refusal = fields.Char(string="Not enrolled because")
    invite_refusal = fields.Char(string="Not invited because")
