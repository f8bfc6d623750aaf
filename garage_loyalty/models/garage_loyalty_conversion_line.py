from odoo import api, fields, models


class GarageLoyaltyConversionLine(models.Model):
    """An account whose balance keeps its worth: how many points it had, and has."""

    _name = "garage.loyalty.conversion.line"
    _description = "Converted Balance"
    _order = "id"
    _rec_name = "member_id"
    _log_access = False

    conversion_id = fields.Many2one(
        "garage.loyalty.conversion",
        required=True,
        readonly=True,
        ondelete="cascade",
    )
    company_id = fields.Many2one(related="conversion_id.company_id")
    member_id = fields.Many2one(
        "garage.loyalty.member", required=True, readonly=True, ondelete="restrict"
    )
    points_before = fields.Integer(required=True, readonly=True)
    points_after = fields.Integer(required=True, readonly=True)
    entry_id = fields.Many2one(
        "garage.loyalty.entry", readonly=True, ondelete="restrict"
    )

    _member_uniq = models.UniqueIndex("(conversion_id, member_id)")
    _open_idx = models.Index("(conversion_id, id) WHERE entry_id IS NULL")
    _open_member_idx = models.Index("(member_id) WHERE entry_id IS NULL")

    def _post(self):
        """Post the entry. What is added lives as long as the account's latest points.

        What is taken is taken from the points that would expire first.
        """
        self.ensure_one()
        conversion = self.conversion_id
        change = self.points_after - self.points_before
        member = self.member_id._get_survivor()
        options = self._get_lot_options(member) if change > 0 else {}
        self.entry_id = member._post_points(
            "adjust",
            change,
            conversion.company_id._get_loyalty_today(),
            source=self,
            reason=self.env._("New value of a point: the balance keeps its worth"),
            **options,
        )[:1]

    @api.model
    def _get_lot_options(self, member):
        """Return until when points live that are added to a balance."""
        lots = self.env["garage.loyalty.lot"].search(
            [("member_id", "=", member.id), ("remaining", ">", 0)]
        )
        if not lots:
            return {}
        days = lots.mapped("date_expiry")
        return {"expiry": all(days) and max(days), "is_promised": True}
