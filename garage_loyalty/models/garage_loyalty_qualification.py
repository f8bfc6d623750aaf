from odoo import fields, models


class GarageLoyaltyQualification(models.Model):
    """A tier that a member has deserved, and until when it is kept.

    Written by the review of tiers only. A member holds every tier up to the highest
    one deserved, each by itself: whoever did more never has less.
    """

    _name = "garage.loyalty.qualification"
    _description = "Qualification for a Loyalty Tier"
    _order = "date desc, id desc"
    _rec_name = "tier_id"
    _log_access = False

    member_id = fields.Many2one(
        "garage.loyalty.member", required=True, readonly=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="member_id.company_id")
    tier_id = fields.Many2one(
        "garage.loyalty.tier",
        required=True,
        readonly=True,
        ondelete="cascade",
        index=True,
    )
    date = fields.Date(string="Since", required=True, readonly=True)
    date_until = fields.Date(
        string="Kept until",
        readonly=True,
        index="btree_not_null",
        help="Day of the review at which the tier is lost, unless the figures suffice "
        "again before. Empty: they do.",
    )
    date_warned = fields.Date(string="Warned on", readonly=True)

    _member_tier_uniq = models.UniqueIndex("(member_id, tier_id)")
