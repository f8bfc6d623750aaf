from odoo import api, fields, models
from odoo.exceptions import UserError

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
    a draft invoice may be deleted, its ledger entries may not change. ``source_seq``
    counts the entries of one document: of two transactions that post the same at the
    same time, the unique index lets one pass.
    """

    _name = "garage.loyalty.entry"
    _description = "Points Ledger Entry"
    _inherit = [
        "garage.loyalty.immutable.mixin",
        "garage.loyalty.earning.check",
        "garage.loyalty.entry.tier.mixin",
        "garage.loyalty.export.mixin",
        "garage.loyalty.fold.mixin",
    ]
    _order = "date desc, id desc"
    _rec_name = "source_name"
    _checksum_names = (
        "id",
        "member_id",
        "program_id",
        "company_id",
        "date",
        "kind",
        "points",
        "reason",
        "user_id",
        "source_model",
        "source_id",
        "source_seq",
        "source_name",
        "create_uid",
        "create_date",
    )

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
    points = fields.Integer(
        required=True,
        readonly=True,
        help="What was added to the balance; less than 0: what was taken from it.",
    )
    reason = fields.Char(string="Why", readonly=True)
    user_id = fields.Many2one(
        "res.users",
        string="Who",
        required=True,
        readonly=True,
        ondelete="restrict",
        default=lambda self: self.env.user,
    )
    source_model = fields.Char(required=True, readonly=True)
    source_id = fields.Many2oneReference(
        string="Source Document ID",
        model_field="source_model",
        required=True,
        readonly=True,
    )
    source_seq = fields.Integer(
        string="Number in document", required=True, readonly=True, default=1
    )
    source_name = fields.Char(string="Source Document", readonly=True)
    lot_ids = fields.One2many("garage.loyalty.lot", "entry_id", readonly=True)
    allocation_ids = fields.One2many(
        "garage.loyalty.allocation", "entry_id", readonly=True
    )

    _points_not_zero = models.Constraint(
        "CHECK(points <> 0)", "An entry gives or takes at least one point."
    )
    _member_idx = models.Index("(member_id) INCLUDE (points)")
    # The report on first redemptions reads days from here, not from the wide table.
    _redeemed_idx = models.Index(
        "(member_id, date) INCLUDE (source_id) "
        "WHERE kind = 'redeem' AND source_model = 'garage.loyalty.redemption'"
    )
    _source_uniq = models.UniqueIndex(
        "(source_model, source_id, source_seq) INCLUDE (points)",
        "These points have been posted already.",
    )

    @api.model
    def _get_fold_keys(self):
        names = ("company_id", "date", "kind", "program_id", "user_id")
        return super()._get_fold_keys() | dict.fromkeys(names)

    @api.model
    def _get_posted(self, documents):
        """Return (points, number of entries) of documents of one model, by their id."""
        if not documents:
            return {}
        rows = self._read_group(
            [
                ("source_model", "=", documents._name),
                ("source_id", "in", documents.ids),
            ],
            ["source_id"],
            ["points:sum", "source_seq:max"],
        )
        return {source_id: (points, seq) for source_id, points, seq in rows}

    @api.model
    def _get_sums(self, documents):
        """Return the points that documents of one model have moved, by their id."""
        posted = self._get_posted(documents)
        return {source_id: points for source_id, (points, _seq) in posted.items()}

    @api.readonly
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
