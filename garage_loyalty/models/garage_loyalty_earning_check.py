from odoo import api, models
from odoo.tools import SQL, split_every


class GarageLoyaltyEarningCheck(models.AbstractModel):
    """The nightly job that gives and takes what no event of the host announced."""

    _name = "garage.loyalty.earning.check"
    _description = "Check of Earned Points"

    @api.model
    def _cron_sync_documents(self, batch=200):
        """Give and take the points that no event of the host has announced.

        Finds the documents whose entries do not add up to what they should be, and
        calls the method that all events call. May be interrupted at any moment.
        """
        Cron, Move = self.env["ir.cron"], self.env["account.move"]
        self.env.flush_all()
        ids = [row[0] for row in self.env.execute_query(self._get_mismatch_query())]
        left = len(ids)
        for chunk in split_every(batch, ids, list):
            moves = Move.browse(chunk).exists()
            moves.filtered(
                lambda move: move.state == "posted" and not move.loyalty_member_id
            )._stamp_loyalty()
            moves._sync_loyalty()
            left -= len(chunk)
            if not Cron._commit_progress(len(chunk), remaining=left):
                return

    @api.model
    def _get_mismatch_query(self):
        """Return a query: invoices whose points are not what they should be.

        States the rule of ``account.move._get_loyalty_targets`` once more, for the
        whole base at once; and finds members' recent invoices without a stamp.
        """
        return SQL(
            """
            WITH %s
            SELECT root.id
              FROM root JOIN account_move move ON move.id = root.id
             WHERE root.posted <> CASE
                   WHEN move.state <> 'posted' THEN 0
                   WHEN move.move_type = 'out_refund' THEN -move.loyalty_points_due
                   WHEN NOT (move.loyalty_earn_trigger = 'posted'
                             OR move.payment_state IN ('paid', 'in_payment')
                             OR move.payment_state = 'reversed' AND root.own > 0)
                        THEN 0
                   WHEN COALESCE(move.loyalty_base, 0) <= 0 OR root.credited <= 0
                        THEN move.loyalty_points_due
                   ELSE floor(move.loyalty_points_due
                              * GREATEST(move.loyalty_base - root.credited, 0)
                              / move.loyalty_base) END
            UNION %s
            ORDER BY 1
            """,
            self._get_roots(),
            self._get_unstamped_query(),
        )

    @api.model
    def _get_roots(self):
        """Return CTEs: stamped invoices, their points, and what is credited."""
        return SQL(
            """
            document AS (
                SELECT move.id,
                       CASE WHEN move.move_type = 'out_refund'
                            AND origin.id IS NOT NULL THEN origin.id
                            ELSE move.id END AS root_id,
                       CASE WHEN origin.id IS NOT NULL AND move.state = 'posted'
                            THEN move.loyalty_base ELSE 0 END AS credited
                  FROM account_move move
                  LEFT JOIN account_move origin
                    ON origin.id = move.reversed_entry_id
                   AND origin.loyalty_member_id IS NOT NULL
                 WHERE move.loyalty_member_id IS NOT NULL
            ), entry AS (
                SELECT source_id, sum(points) AS points
                  FROM garage_loyalty_entry
                 WHERE source_model = 'account.move' GROUP BY source_id
            ), root AS (
                SELECT document.root_id AS id, sum(document.credited) AS credited,
                       COALESCE(sum(entry.points), 0) AS posted,
                       COALESCE(sum(entry.points)
                                FILTER (WHERE document.id = root_id), 0) AS own
                  FROM document LEFT JOIN entry ON entry.source_id = document.id
                 GROUP BY document.root_id
            )
            """
        )

    @api.model
    def _get_unstamped_query(self):
        """Return a query: documents of active members that nobody has stamped."""
        return SQL(
            """
            SELECT move.id
              FROM garage_loyalty_member member
              JOIN res_company company
                ON company.loyalty_company_id = member.company_id
              JOIN account_move move
                ON move.company_id = company.id
               AND move.commercial_partner_id = member.partner_id
               AND move.invoice_date >= member.date_joined
              JOIN LATERAL (%s) status ON status.member_id = member.id
              LEFT JOIN account_move origin ON origin.id = move.reversed_entry_id
             WHERE member.state = 'active' AND move.state = 'posted'
               AND move.move_type IN ('out_invoice', 'out_refund')
               AND move.loyalty_member_id IS NULL
               AND (origin.id IS NULL OR origin.loyalty_member_id IS NOT NULL)
               AND move.write_date > (now() AT TIME ZONE 'UTC') - interval '40 days'
            """,
            self.env["garage.loyalty.facts"]._get_status_query(
                SQL("company.loyalty_company_id"),
                SQL("move.commercial_partner_id"),
                SQL("move.invoice_date"),
            ),
        )
