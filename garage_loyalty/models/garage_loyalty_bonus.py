from collections import defaultdict

from odoo import api, fields, models
from odoo.tools import SQL

KINDS = [
    ("signup", "Sign-up"),
    ("birthday", "Birthday"),
    ("referral", "Referral"),
    ("referred", "Referred"),
    ("campaign", "Campaign"),
]


class GarageLoyaltyBonus(models.Model):
    """A bonus that was given: the document behind its entry in the ledger.

    Written before the points are, in the same transaction. The unique indexes make
    sure that nothing is given twice, however many transactions try at once.
    """

    _name = "garage.loyalty.bonus"
    _description = "Loyalty Bonus"
    _inherit = ["garage.loyalty.append.mixin"]
    _order = "date desc, id desc"
    _rec_name = None
    _log_access = False

    member_id = fields.Many2one(
        "garage.loyalty.member", required=True, readonly=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="member_id.company_id")
    kind = fields.Selection(KINDS, required=True, readonly=True)
    date = fields.Date(string="Given on", required=True, readonly=True)
    year = fields.Integer(required=True, readonly=True)
    points = fields.Integer(required=True, readonly=True)
    referred_id = fields.Many2one(
        "garage.loyalty.member",
        string="For referring",
        readonly=True,
        ondelete="cascade",
        help="The new member who was referred.",
    )

    contact_id = fields.Many2one(
        "garage.loyalty.campaign.contact",
        string="Of the campaign",
        readonly=True,
        ondelete="set null",
    )
    date_expiry = fields.Date(
        string="Expires after",
        readonly=True,
        help="Last day that was promised. Empty: as the programme says.",
    )

    _points_positive = models.Constraint(
        "CHECK(points > 0)", "A bonus gives at least one point."
    )
    _member_idx = models.Index("(member_id)")
    _once_uniq = models.UniqueIndex(
        "(member_id, kind) WHERE kind IN ('signup', 'referred')"
    )
    _birthday_uniq = models.UniqueIndex("(member_id, year) WHERE kind = 'birthday'")
    _contact_uniq = models.UniqueIndex("(contact_id) WHERE contact_id IS NOT NULL")
    _referral_uniq = models.UniqueIndex("(referred_id) WHERE kind = 'referral'")

    @api.depends("kind", "year")
    def _compute_display_name(self):
        names = {
            "signup": self.env._("Sign-up bonus"),
            "birthday": self.env._("Birthday bonus"),
            "referral": self.env._("Referral bonus"),
            "referred": self.env._("Bonus for being referred"),
            "campaign": self.env._("Offer of a campaign"),
        }
        for bonus in self:
            name = names.get(bonus.kind, "")
            is_yearly = bonus.kind == "birthday"
            bonus.display_name = f"{name} {bonus.year}" if is_yearly else name

    @api.model
    def _give(self, vals_list):
        """Give bonuses, those that were given before excepted, and return them.

        Adds rows only: neither waits for another transaction nor makes one wait. Of
        two that give the same bonus at the same moment, the second one fails, is tried
        again, and gives nothing.

        :param vals_list: what ``_prepare_bonus_vals`` of members has returned
        """
        vals_list = [vals for vals in vals_list if vals["points"]]
        if not vals_list:
            return self
        # Nobody has the right to create bonuses, nor entries: they come from here.
        Bonus = self.sudo()
        added = self.env.execute_query(
            SQL("%s RETURNING id", self._get_insert(vals_list))
        )
        bonuses = Bonus.browse(row[0] for row in added)
        bonuses._post()
        return bonuses.sudo(self.env.su)

    def _post(self):
        """Give the points of bonuses that were just added."""
        for day, bonuses in self.grouped("date_expiry").items():
            promise = {"expiry": day, "is_promised": True} if day else {}
            bonuses._post_alike(is_bonus=True, **promise)

    def _post_alike(self, **options):
        """Give the points of bonuses that live alike.

        :param options: see ``_prepare_lot_vals``
        """
        postings = [
            (
                bonus.member_id,
                bonus.member_id._prepare_entry_vals(
                    "adjust", bonus.points, bonus.date, bonus, bonus.display_name, seq=1
                ),
            )
            for bonus in self
        ]
        members = self.member_id
        members._give(postings, **options)
        members._forget_given()

    def _get_spent(self):
        """Return how many points of each bonus, by its id, were spent so far."""
        rows = self.env["garage.loyalty.allocation"]._read_group(
            [
                ("lot_id.entry_id.source_model", "=", self._name),
                ("lot_id.entry_id.source_id", "in", self.ids),
                ("entry_id.kind", "in", ("redeem", "restore")),
            ],
            ["lot_id"],
            ["points:sum"],
        )
        spent = defaultdict(int)
        for lot, points in rows:
            spent[lot.entry_id.source_id] += points
        return spent
