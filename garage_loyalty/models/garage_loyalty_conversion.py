from odoo import api, fields, models
from odoo.tools import SQL

BATCH = 200


class GarageLoyaltyConversion(models.Model):
    """Balances of a programme that keep their worth at a new value of a point.

    What becomes of each account is noted in the moment of the change; a job then posts
    an entry per member. Points that are earned meanwhile are not converted, and nobody
    redeems until their account has been.
    """

    _name = "garage.loyalty.conversion"
    _description = "Conversion of Balances"
    _inherit = ["garage.loyalty.export.mixin", "garage.loyalty.job.mixin"]
    _order = "id desc"
    _rec_name = "valuation_id"

    valuation_id = fields.Many2one(
        "garage.loyalty.valuation", required=True, readonly=True, ondelete="restrict"
    )
    program_id = fields.Many2one(related="valuation_id.program_id", store=True)
    company_id = fields.Many2one(
        related="valuation_id.company_id", store=True, index=True
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    value_before = fields.Float(digits=(16, 6), required=True, readonly=True)
    value_after = fields.Float(digits=(16, 6), required=True, readonly=True)
    line_ids = fields.One2many(
        "garage.loyalty.conversion.line", "conversion_id", readonly=True
    )
    state = fields.Selection(
        [("waiting", "In progress"), ("done", "Done")],
        required=True,
        readonly=True,
        default="waiting",
    )

    _valuation_uniq = models.UniqueIndex("(valuation_id)")
    _waiting_idx = models.Index("(program_id) WHERE state = 'waiting'")

    @api.model
    def _get_balances_query(self, program, before, after) -> SQL:
        """Return a query: member, balance, and the balance of the same worth.

        As ``tools.conversion.converted``. Override to leave somebody's as it is.
        """
        return SQL(
            """
            SELECT member_id, points, ceil(points * %s::numeric / %s::numeric)::int
              FROM (SELECT member_id, sum(points)::int AS points
                      FROM garage_loyalty_entry WHERE program_id = %s
                     GROUP BY member_id) balance
             WHERE points <> 0
            """,
            f"{before:.6f}",
            f"{after:.6f}",
            program.id,
        )

    @api.model
    def _get_effect(self, program, before, after):
        """Return what a conversion would do: accounts, points before and after."""
        [row] = self.env.execute_query(
            SQL(
                "SELECT count(*), COALESCE(sum(points), 0)::int, "
                "COALESCE(sum(kept), 0)::int FROM (%s) AS item (member, points, kept)",
                self._get_balances_query(program, before, after),
            )
        )
        return row

    @api.model
    def _request(self, valuation, before):
        """Note what becomes of all balances, and let the job do it."""
        after = valuation.point_value
        conversion = self.create(
            {
                "valuation_id": valuation.id,
                "value_before": before,
                "value_after": after,
            }
        )
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO garage_loyalty_conversion_line
                    (conversion_id, member_id, points_before, points_after)
                SELECT %s, member, points, kept
                  FROM (%s) AS item (member, points, kept) WHERE points <> kept
                 ORDER BY member
                """,
                conversion.id,
                self._get_balances_query(valuation.program_id, before, after),
            )
        )
        conversion.invalidate_recordset(["line_ids"])
        self.env.ref("garage_loyalty.ir_cron_convert_balances")._trigger()
        return conversion

    @api.model
    def _cron_convert(self):
        """Post the entries of conversions that wait."""
        waiting = self.search([("state", "=", "waiting")], order="id")
        left = len(waiting)
        for conversion in waiting:
            if not self._run_step(conversion._convert_some, left):
                return
            conversion.state = "done"
            left -= 1

    def _convert_some(self, batch=BATCH):
        """Post the entries of some members; return how many."""
        lines = self.env["garage.loyalty.conversion.line"].search(
            [("conversion_id", "=", self.id), ("entry_id", "=", False)],
            order="id",
            limit=batch,
        )
        for line in lines:
            line._post()
        return len(lines)
