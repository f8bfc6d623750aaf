from odoo import fields, models


class GarageLoyaltyBookingCohort(models.Model):
    """Points of one month of earning, as a booked month under IFRS 15 saw them."""

    _name = "garage.loyalty.booking.cohort"
    _description = "Deferred Points of a Booked Month"
    _order = "month, id"
    _rec_name = "month"

    booking_id = fields.Many2one(
        "garage.loyalty.booking",
        required=True,
        readonly=True,
        index=True,
        ondelete="cascade",
    )
    company_id = fields.Many2one(related="booking_id.company_id")
    currency_id = fields.Many2one(related="booking_id.currency_id")
    month = fields.Date(
        string="Month of earning", required=True, readonly=True, help="Its first day."
    )
    earned = fields.Integer(readonly=True)
    redeemed = fields.Integer(readonly=True)
    left = fields.Integer(readonly=True)
    expected = fields.Float(
        string="Expected in total",
        digits=(16, 2),
        readonly=True,
        help="How many are expected to be redeemed in the end: the expected share, "
        "at least what has been redeemed, at most what still can be.",
    )
    allocated = fields.Monetary(
        readonly=True, help="What was deferred of the sales that earned them."
    )
    recognised = fields.Monetary(readonly=True, help="Revenue by now.")
    owed = fields.Monetary(readonly=True)
