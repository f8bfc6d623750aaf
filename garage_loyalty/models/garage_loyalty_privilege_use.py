from psycopg2.errors import UniqueViolation

from odoo import api, fields, models
from odoo.exceptions import ConcurrencyError

from ..tools import privileges as rules

STATES = [("planned", "Planned"), ("used", "Used"), ("released", "Released")]


class GarageLoyaltyPrivilegeUse(models.Model):
    """The log of privileges: who used what, when, and what it was worth.

    Written by the documents on which privileges are used, and by nobody else.
    """

    _name = "garage.loyalty.privilege.use"
    _description = "Use of a Loyalty Privilege"
    _inherit = ["garage.loyalty.export.mixin", "garage.loyalty.fold.mixin"]
    _order = "date desc, id desc"
    _rec_name = "privilege_id"

    member_id = fields.Many2one(
        "garage.loyalty.member",
        required=True,
        readonly=True,
        ondelete="restrict",
        index=True,
    )
    partner_id = fields.Many2one(related="member_id.partner_id")
    company_id = fields.Many2one(related="member_id.company_id", store=True)
    tier_id = fields.Many2one(
        "garage.loyalty.tier",
        readonly=True,
        ondelete="restrict",
        index="btree_not_null",
        help="Tier of the member at that time.",
    )
    privilege_id = fields.Many2one(
        "garage.loyalty.privilege",
        required=True,
        readonly=True,
        ondelete="restrict",
        index=True,
    )
    kind = fields.Selection(related="privilege_id.kind", store=True)
    date = fields.Date(required=True, readonly=True)
    year = fields.Integer(
        required=True, readonly=True, help="Calendar year whose quota it counts for."
    )
    number = fields.Integer(
        readonly=True,
        help="Place in the quota of the year. 0 without a quota, or when it is not "
        "used.",
    )
    order_id = fields.Many2one(
        "sale.order",
        string="Quotation",
        readonly=True,
        ondelete="set null",
        index="btree_not_null",
    )
    order_line_id = fields.Many2one(
        "sale.order.line", readonly=True, ondelete="set null", index="btree_not_null"
    )
    is_added = fields.Boolean(
        readonly=True, help="The line was added to the quotation for this."
    )
    repair_id = fields.Many2one(
        "repair.order", readonly=True, ondelete="set null", index="btree_not_null"
    )
    redemption_id = fields.Many2one(
        "garage.loyalty.redemption",
        readonly=True,
        ondelete="set null",
        index="btree_not_null",
    )
    source_name = fields.Char(
        string="Document", compute="_compute_source_name", store=True
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    value = fields.Monetary(
        readonly=True, help="What the customer saved, without tax. 0 when released."
    )
    state = fields.Selection(STATES, required=True, readonly=True, default="planned")
    user_id = fields.Many2one(
        "res.users",
        string="By",
        readonly=True,
        ondelete="restrict",
        default=lambda self: self.env.user,
    )

    # Of two who take the same place of a quota at once, the database refuses one.
    _number_uniq = models.UniqueIndex(
        "(member_id, privilege_id, year, number) WHERE state = 'used' AND number > 0",
        "This use of the privilege was taken at the same moment.",
    )

    @api.model
    def _get_fold_keys(self):
        names = (
            "company_id",
            "date",
            "kind",
            "privilege_id",
            "state",
            "tier_id",
            "user_id",
        )
        return super()._get_fold_keys() | dict.fromkeys(names)

    # Not on their names: confirming an order would look for uses every time.
    @api.depends("order_id", "repair_id", "redemption_id")
    def _compute_source_name(self):
        for use in self:
            source = use.repair_id or use.order_id
            # A document that is gone leaves its name behind.
            use.source_name = (
                source.name or use.redemption_id.source_name or use.source_name
            )

    @api.model
    def _plan(self, member, privilege, **vals):
        """Add a use that is planned, and return it.

        :param vals: the document, and what it would be worth
        """
        return self.create(
            {
                "member_id": member.id,
                "privilege_id": privilege.id,
                "user_id": self.env.uid,
                **self._prepare_day(member),
                **vals,
            }
        )

    @api.model
    def _prepare_day(self, member):
        """Return what is noted of the day and of the member at that moment."""
        today = member.company_id._get_loyalty_today()
        return {"date": today, "year": today.year, "tier_id": member.tier_id.id}

    def _take(self, value):
        """Book a use on the present day, and return whether there was one left.

        :param value: what the customer saves, net, in the company's currency
        :raise ConcurrencyError: when somebody takes the same one; Odoo tries again
        """
        self.ensure_one()
        member = self.member_id._get_survivor()
        vals = {"member_id": member.id, **self._prepare_day(member)}
        number = self._get_number(member, vals["year"])
        if number is None:
            return False
        vals |= {"number": number, "state": "used", "value": value}
        try:
            # The database knows of a place that somebody else has taken meanwhile.
            with self.env.cr.savepoint():
                self.write(vals)
        except UniqueViolation as error:
            raise ConcurrencyError(
                self.env._("This privilege was used at the same moment.")
            ) from error
        return True

    def _take_anyway(self, value):
        """Book a use, or its new value, also when the quota is used up meanwhile.

        What a cancelled credit note takes again was paid with it.
        """
        self.ensure_one()
        if self.state != "used" and self._take(value):
            return
        if self.state != "used" or self.value != value:
            self.write({"state": "used", "value": value})

    def _get_number(self, member, year):
        """Return the place that a use takes in the quota: 0 without a quota.

        None when the quota is used up.
        """
        privilege = self.privilege_id
        if privilege._get_left(0) is None:
            return 0
        taken = self.search(
            [
                ("member_id", "=", member.id),
                ("privilege_id", "=", privilege.id),
                ("year", "=", year),
                ("state", "=", "used"),
                ("id", "not in", self.ids),
            ]
        )
        return rules.free_slot(privilege.quota, taken.mapped("number"))

    def _return_to(self, state, value=0.0):
        """Give up what was used: it is planned again, or released."""
        for use in self:
            vals = {"state": state, "number": 0, "value": value}
            if any(use[name] != new for name, new in vals.items()):
                use.write(vals)

    def _follow(self, survivor):
        """Let uses count for the account that survived a merge.

        Together they may be more than the quota: then nothing is left of it.
        """
        for use in self.sorted("id"):
            vals = {"member_id": survivor.id}
            if use.number:
                taken = self.search(
                    [
                        ("member_id", "=", survivor.id),
                        ("privilege_id", "=", use.privilege_id.id),
                        ("year", "=", use.year),
                        ("state", "=", "used"),
                    ]
                )
                vals["number"] = rules.free_slot(0, taken.mapped("number"))
            use.write(vals)
