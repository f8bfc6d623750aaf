from odoo import api, fields, models
from odoo.tools import SQL

from ..tools.rows import unnested


class GarageLoyaltyLotExpiry(models.Model):
    """Until when points of a lot could be spent, before that was changed.

    So that a report of an earlier day says what it said then. Nobody reads the rows
    as such.
    """

    _name = "garage.loyalty.lot.expiry"
    _description = "Former Last Day of Points"
    _order = "date, id"
    _rec_name = "date"
    _log_access = False

    lot_id = fields.Many2one(
        "garage.loyalty.lot", required=True, readonly=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="lot_id.company_id")
    date = fields.Date(
        string="Changed on", required=True, readonly=True, help="No more since then."
    )
    date_expiry = fields.Date(
        string="Expired after", readonly=True, help="Empty: they never expired."
    )

    _lot_idx = models.Index("(lot_id)")
    _date_idx = models.Index("(date)")

    @api.model
    def _note(self, lot_ids):
        """Note until when lots can be spent, before that changes today."""
        if not lot_ids:
            return
        self.env["garage.loyalty.lot"].flush_model(["date_expiry"])
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO garage_loyalty_lot_expiry (lot_id, date, date_expiry)
                SELECT lot.id, today.day, lot.date_expiry
                  FROM garage_loyalty_lot lot
                  JOIN garage_loyalty_member member ON member.id = lot.member_id
                  JOIN (%s) today (company_id, day)
                    ON today.company_id = member.company_id
                 WHERE lot.id = ANY(%s)
                """,
                unnested(("int", "date"), self.env["res.company"]._get_loyalty_days()),
                list(lot_ids),
            )
        )

    @api.model
    def _get_former(self, lots, day):
        """Return until when lots could be spent at the end of a day, by their ids.

        Only of those of which that has changed since; None where they never expired.
        """
        self.flush_model()
        return dict(
            self.env.execute_query(
                SQL(
                    """
                    SELECT DISTINCT ON (lot_id) lot_id, date_expiry
                      FROM garage_loyalty_lot_expiry
                     WHERE lot_id = ANY(%s) AND date > %s
                     ORDER BY lot_id, date, id
                    """,
                    lots.ids,
                    day,
                )
            )
        )
