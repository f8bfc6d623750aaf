from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL

from ..tools import checks


class GarageLoyaltyAccountMixin(models.AbstractModel):
    """What a member has: the balance, and what of it can be spent until when.

    ``settled_points`` is stored. Points of new invoices are not in it yet: they are in
    their lots, and are added when somebody spends points, or at night. Thus posting
    invoices of one customer in parallel never waits, and the balance, which is always
    the sum of both, is right at every moment.
    """

    _name = "garage.loyalty.account.mixin"
    _description = "Loyalty Points Account"

    settled_points = fields.Integer(
        readonly=True,
        default=0,
        copy=False,
        help="Balance without the points of invoices that were posted since it was "
        "last spent from. For the balance, see “Points”.",
    )
    debt = fields.Integer(
        readonly=True,
        default=0,
        copy=False,
        help="Points that were taken back after they had been spent. "
        "The next points repay them.",
    )
    points = fields.Integer(
        compute="_compute_points",
        search="_search_points",
        help="Balance of the ledger. Negative when points were taken back "
        "after they had been spent.",
    )
    points_available = fields.Integer(
        string="Available",
        compute="_compute_points_available",
        help="What can be spent today.",
    )
    points_pending = fields.Integer(
        string="Pending",
        compute="_compute_points_available",
        help="Points that can be spent from a later date on.",
    )
    next_expiry_date = fields.Date(
        string="Next to expire",
        compute="_compute_points_available",
        help="Last day on which the points that expire next can be spent.",
    )
    next_expiry_points = fields.Integer(
        string="Points next to expire", compute="_compute_points_available"
    )
    entry_ids = fields.One2many("garage.loyalty.entry", "member_id", readonly=True)
    entry_count = fields.Integer(compute="_compute_entry_count")
    lot_ids = fields.One2many(
        "garage.loyalty.lot",
        "member_id",
        readonly=True,
        domain=[("remaining", ">", 0)],
    )

    _debt_positive = models.Constraint(
        "CHECK(debt >= 0)", "Points that are owed cannot be negative."
    )

    @api.depends("settled_points", "entry_ids")
    def _compute_points(self):
        Lot = self.env["garage.loyalty.lot"].sudo()  # the balance is for its readers
        fresh = dict(
            Lot._read_group(
                [("member_id", "in", self.ids), ("is_settled", "=", False)],
                ["member_id"],
                ["remaining:sum"],
            )
        )
        fresh = {member.id: points for member, points in fresh.items()}
        for member in self:
            member.points = member.settled_points + fresh.get(member._origin.id, 0)

    def _field_to_sql(self, alias, field_expr, query=None):
        """Let lists sort, group and add up balances, which are not stored as such."""
        if field_expr != "points" or query is None:
            return super()._field_to_sql(alias, field_expr, query)
        return self._get_points_sql(alias, query)

    @api.model
    def _get_points_sql(self, alias, query):
        """Return the SQL of the balance; joins the lots that are not settled yet."""
        fresh = query.make_alias(alias, "fresh_lot")
        query.add_join(
            "LEFT JOIN",
            fresh,
            SQL(
                "(SELECT member_id, sum(remaining)::int AS points "
                "FROM garage_loyalty_lot WHERE is_settled IS NOT TRUE GROUP BY 1)"
            ),
            SQL(
                "%s = %s",
                SQL.identifier(fresh, "member_id"),
                SQL.identifier(alias, "id"),
            ),
        )
        return SQL(
            "(%s + COALESCE(%s, 0))",
            SQL.identifier(alias, "settled_points"),
            SQL.identifier(fresh, "points"),
        )

    @api.model
    def _search_points(self, operator, value):
        values = value if operator in ("in", "not in") else [value]
        if any(checks.number(item) for item in values):
            raise UserError(self.env._("Enter a number of points."))
        comparison = {
            "in": SQL("= ANY(%s)", [item or 0 for item in value])
            if operator == "in"
            else None,
            ">": SQL("> %s", value),
            ">=": SQL(">= %s", value),
            "<": SQL("< %s", value),
            "<=": SQL("<= %s", value),
        }.get(operator)
        if not comparison:
            return NotImplemented
        return Domain.custom(
            to_sql=lambda model, alias, query: SQL(
                "%s %s", model._get_points_sql(alias, query), comparison
            )
        )

    @api.depends("points", "lot_ids.remaining")
    @api.depends_context("uid")
    def _compute_points_available(self):
        Lot = self.env["garage.loyalty.lot"].sudo()  # as for the balance
        lots = Lot.search([("member_id", "in", self.ids), ("remaining", ">", 0)])
        lots_by_member = lots.grouped(lambda lot: lot.member_id.id)
        for member in self:
            mine = lots_by_member.get(member._origin.id, Lot)
            member._set_points_available(mine)

    def _set_points_available(self, lots):
        today = self.company_id._get_loyalty_today()
        left = lots._get_left(self.debt, today)
        self.points_available = sum(
            points for lot, points in left.items() if lot.date_available <= today
        )
        self.points_pending = sum(left.values()) - self.points_available
        dates = [lot.date_expiry for lot in left if lot.date_expiry]
        self.next_expiry_date = min(dates, default=False)
        self.next_expiry_points = sum(
            points
            for lot, points in left.items()
            if dates and lot.date_expiry == min(dates)
        )

    @api.depends("entry_ids")
    def _compute_entry_count(self):
        counts = dict(
            self.env["garage.loyalty.entry"]._read_group(
                [("member_id", "in", self.ids)], ["member_id"], ["__count"]
            )
        )
        for member in self:
            member.entry_count = counts.get(member, 0)
