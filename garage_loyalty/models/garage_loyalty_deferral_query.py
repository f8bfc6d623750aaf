from odoo import api, models
from odoo.tools import SQL

# Whose points are deferred: what came of sales, wherever it was moved since.
KINDS = ("earn", "opening", "transfer")


class GarageLoyaltyDeferralQuery(models.AbstractModel):
    """What ``garage.loyalty.deferral`` reads of the ledger, set by set.

    Amounts come as text: as floats they would no longer be exact.
    """

    _name = "garage.loyalty.deferral.query"
    _description = "Query of Deferred Points"

    @api.model
    def _get_new_query(self, program, day) -> SQL:
        """Return a query: entries until a day that are still to be deferred.

        The first entry that an invoice earned; the later ones take back and give again.
        What was earned by a part of an invoice, since credit notes came first, defers
        that part.
        """
        return SQL(
            """
            WITH worth AS MATERIALIZED (%(worth)s)
            SELECT entry.id, entry.kind, entry.date, entry.points,
                   round(invoice.amount_untaxed_signed * entry.points
                         / NULLIF(invoice.loyalty_points_due, 0),
                         %(digits)s)::text, worth.worth::text
              FROM garage_loyalty_entry entry
              LEFT JOIN account_move invoice
                ON entry.kind = 'earn' AND entry.source_model = 'account.move'
               AND invoice.id = entry.source_id AND invoice.move_type = 'out_invoice'
              JOIN worth ON worth.program_id = entry.program_id
               AND (worth.since IS NULL OR worth.since <= entry.date)
               AND (worth.until IS NULL OR worth.until > entry.date)
             WHERE entry.program_id = %(program)s AND entry.date <= %(day)s
               AND entry.points > 0
               AND (entry.kind = 'opening'
                    OR invoice.loyalty_points_due > 0
                   AND NOT EXISTS (
                        SELECT FROM garage_loyalty_entry earlier
                         WHERE earlier.source_model = 'account.move'
                           AND earlier.source_id = entry.source_id
                           AND earlier.source_seq < entry.source_seq
                           AND earlier.kind = 'earn'))
               AND NOT EXISTS (
                    SELECT FROM garage_loyalty_deferral noted
                     WHERE noted.entry_id = entry.id)
             ORDER BY entry.id
            """,
            worth=program._get_worth_query(),
            digits=program.company_id.currency_id.decimal_places,
            program=program.id,
            day=day,
        )

    @api.model
    def _get_cohort_query(self, program, day) -> SQL:
        """Return a query: for each month of earning what was deferred, and its points.

        (month, deferred, earned, redeemed, left), at the end of a day.
        """
        return SQL(
            """
            WITH allocated AS (%(allocated)s), points AS (%(points)s)
            SELECT month, allocated.amount::text, COALESCE(points.earned, 0)::int,
                   COALESCE(points.redeemed, 0)::int,
                   COALESCE(points.left_points, 0)::int
              FROM allocated LEFT JOIN points USING (month)
             ORDER BY month
            """,
            allocated=self._get_allocated(program, day),
            points=self._get_points(program, day),
        )

    @api.model
    def _get_allocated(self, program, day) -> SQL:
        """Return a query: what was deferred in each month, less what was credited.

        As ``tools.deferral.kept``: the part of which an invoice and its credit notes
        have left the points.
        """
        return SQL(
            """
            SELECT date_trunc('month', lot.date::timestamp)::date AS month,
                   sum(noted.allocated * CASE
                       WHEN entry.kind = 'opening' THEN 1
                       ELSE LEAST(GREATEST(COALESCE(net.points, 0), 0), noted.points)
                            ::numeric / noted.points END) AS amount
              FROM garage_loyalty_deferral noted
              JOIN garage_loyalty_entry entry ON entry.id = noted.entry_id
              JOIN garage_loyalty_lot lot ON lot.entry_id = entry.id
              LEFT JOIN (%(net)s) AS net (root_id, points)
                ON entry.kind = 'earn' AND net.root_id = entry.source_id
             WHERE noted.program_id = %(program)s AND noted.date <= %(day)s
             GROUP BY 1
            """,
            net=self._get_net(program, day),
            program=program.id,
            day=day,
        )

    @api.model
    def _get_net(self, program, day) -> SQL:
        """Return a query: points of each invoice with its credit notes, until a day."""
        return SQL(
            """
            SELECT CASE WHEN move.move_type = 'out_refund'
                        THEN move.reversed_entry_id ELSE entry.source_id END,
                   sum(entry.points)
              FROM garage_loyalty_entry entry
              JOIN account_move move ON move.id = entry.source_id
             WHERE entry.program_id = %s AND entry.date <= %s
               AND entry.source_model = 'account.move'
               AND entry.kind IN ('earn', 'clawback')
             GROUP BY 1
            """,
            program.id,
            day,
        )

    @api.model
    def _get_points(self, program, day) -> SQL:
        """Return a query: what became of the points of each month of earning."""
        return SQL(
            """
            SELECT month,
                   sum(points) FILTER (WHERE what IN ('given', 'back', 'moved'))
                       AS earned,
                   -sum(points) FILTER (WHERE what = 'redeemed') AS redeemed,
                   sum(points) AS left_points
              FROM (SELECT date_trunc('month', lot.date::timestamp)::date AS month,
                           'given' AS what, lot.points
                      FROM garage_loyalty_lot lot
                      JOIN garage_loyalty_entry given ON given.id = lot.entry_id
                     WHERE %(mine)s
                     UNION ALL
                    SELECT date_trunc('month', lot.date::timestamp)::date,
                           CASE WHEN taker.kind IN ('redeem', 'restore') THEN 'redeemed'
                                WHEN taker.kind IN ('earn', 'clawback') THEN 'back'
                                WHEN taker.kind = 'transfer' THEN 'moved'
                                ELSE 'lost' END, -taken.points
                      FROM garage_loyalty_allocation taken
                      JOIN garage_loyalty_entry taker ON taker.id = taken.entry_id
                      JOIN garage_loyalty_lot lot ON lot.id = taken.lot_id
                      JOIN garage_loyalty_entry given ON given.id = lot.entry_id
                     WHERE %(mine)s AND taker.date <= %(day)s) moves
             GROUP BY month
            """,
            mine=SQL(
                "given.program_id = %s AND given.date <= %s AND given.kind IN %s "
                "AND lot.is_bonus IS NOT TRUE",
                program.id,
                day,
                KINDS,
            ),
            day=day,
        )
