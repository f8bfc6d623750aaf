from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL, split_every

KINDS = [
    ("earn", "Earned"),
    ("clawback", "Taken back"),
    ("redeem", "Redeemed"),
    ("restore", "Given back"),
    ("expire", "Expired"),
    ("adjust", "Adjusted"),
    ("opening", "Opening balance"),
    ("transfer", "Transferred"),
]


class GarageLoyaltyEntry(models.Model):
    """One row of the points ledger. Rows are only ever added, see DEVELOP.md.

    The source document is kept as model, id and name instead of as a foreign key:
    a draft invoice may be deleted, its ledger entries may not change.
    """

    _name = "garage.loyalty.entry"
    _description = "Points Ledger Entry"
    _order = "date desc, id desc"
    _rec_name = "source_name"

    member_id = fields.Many2one(
        "garage.loyalty.member",
        required=True,
        readonly=True,
        ondelete="restrict",
    )
    partner_id = fields.Many2one(related="member_id.partner_id")
    program_id = fields.Many2one(
        "garage.loyalty.program",
        string="Programme",
        required=True,
        readonly=True,
        ondelete="restrict",
        index=True,
    )
    company_id = fields.Many2one(
        "res.company", required=True, readonly=True, ondelete="restrict", index=True
    )
    date = fields.Date(required=True, readonly=True, index=True)
    kind = fields.Selection(KINDS, required=True, readonly=True)
    points = fields.Integer(required=True, readonly=True)
    reason = fields.Char(string="Why", readonly=True)
    user_id = fields.Many2one(
        "res.users",
        string="Who",
        required=True,
        readonly=True,
        ondelete="restrict",
        default=lambda self: self.env.user,
    )
    source_model = fields.Char(readonly=True)
    source_id = fields.Many2oneReference(
        string="Source Document ID", model_field="source_model", readonly=True
    )
    source_name = fields.Char(string="Source Document", readonly=True)

    _points_not_zero = models.Constraint(
        "CHECK(points <> 0)", "An entry gives or takes at least one point."
    )
    _member_idx = models.Index("(member_id) INCLUDE (points)")
    _source_idx = models.Index("(source_model, source_id) INCLUDE (points)")

    def init(self):
        """Make the database itself refuse to change or remove a posted entry."""
        self.env.cr.execute(
            SQL(
                """
                CREATE OR REPLACE FUNCTION garage_loyalty_entry_append_only()
                RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN
                    RAISE EXCEPTION
                        'A posted points entry cannot be changed or removed: '
                        'post an adjustment instead.'
                        USING ERRCODE = 'restrict_violation';
                END $$;
                DROP TRIGGER IF EXISTS append_only_row ON garage_loyalty_entry;
                CREATE TRIGGER append_only_row
                    BEFORE UPDATE OR DELETE ON garage_loyalty_entry
                    FOR EACH ROW EXECUTE FUNCTION garage_loyalty_entry_append_only();
                DROP TRIGGER IF EXISTS append_only_table ON garage_loyalty_entry;
                CREATE TRIGGER append_only_table
                    BEFORE TRUNCATE ON garage_loyalty_entry
                    FOR EACH STATEMENT
                    EXECUTE FUNCTION garage_loyalty_entry_append_only()
                """
            )
        )

    def write(self, vals):
        """Refuse: a correction is a new entry."""
        self._refuse_change()
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_posted(self):
        self._refuse_change()

    def _refuse_change(self):
        if self:
            raise UserError(
                self.env._(
                    "A posted points entry cannot be changed or removed. "
                    "To correct a balance, use “Adjust points” on the member."
                )
            )

    @api.model
    def _get_sums(self, documents):
        """Return the points that documents of one model have moved, by their id."""
        return dict(
            self._read_group(
                [
                    ("source_model", "=", documents._name),
                    ("source_id", "in", documents.ids),
                ],
                ["source_id"],
                ["points:sum"],
            )
        )

    def action_open_source(self):
        """Open the document that this entry comes from."""
        self.ensure_one()
        source = self._get_source()
        if not source:
            raise UserError(
                self.env._(
                    "“%s” does not exist any more.",
                    self.source_name or self.member_id.display_name,
                )
            )
        return {
            "type": "ir.actions.act_window",
            "res_model": source._name,
            "res_id": source.id,
            "views": [[False, "form"]],
        }

    def _get_source(self):
        """Return the source document, or an empty recordset when there is none."""
        self.ensure_one()
        if not self.source_model or self.source_model not in self.env:
            return self.browse()
        return self.env[self.source_model].browse(self.source_id).exists()

    # -- nightly job ------------------------------------------------------------

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
              JOIN account_move move
                ON move.company_id = member.company_id
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
                SQL("move.company_id"),
                SQL("move.commercial_partner_id"),
                SQL("move.invoice_date"),
            ),
        )
