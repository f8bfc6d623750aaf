from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL

from ..tools import checks


class GarageLoyaltyEntryTierMixin(models.AbstractModel):
    """The tier of the member behind an entry, as the history of members tells it.

    It is the tier on the day of the entry. The context may name another day as
    ``loyalty_tier_date``: what is outstanding at the end of that day belongs to the
    tier of that day, whenever it was earned.
    """

    _name = "garage.loyalty.entry.tier.mixin"
    _description = "Tier behind an Entry"

    tier_then_id = fields.Many2one(
        "garage.loyalty.tier",
        string="Tier then",
        compute="_compute_tier_then_id",
        search="_search_tier_then_id",
        help="What the member was on the day of the entry, or on the day whose balance "
        "these entries make.",
    )

    @api.depends("member_id", "date")
    @api.depends_context("loyalty_tier_date")
    def _compute_tier_then_id(self):
        self.env["garage.loyalty.member.status"].flush_model()
        query = self._search([("id", "in", self.ids)])
        key, tier = SQL.identifier(query.table, "id"), self._get_tier_sql(query.table)
        tiers = dict(self.env.execute_query(query.select(key, tier)))
        for entry in self:
            entry.tier_then_id = tiers.get(entry.id)

    @api.model
    def _search_tier_then_id(self, operator, value):
        if operator == "any":
            Tier = self.env["garage.loyalty.tier"].with_context(active_test=False)
            value = Tier.search(value).ids
        elif operator != "in":
            return NotImplemented
        self.env["garage.loyalty.member.status"].flush_model()
        tiers = [tier or 0 for tier in value]
        find = self._get_of_members_sql if self._get_tier_day() else self._get_of_sql
        return Domain.custom(to_sql=lambda _model, alias, _query: find(alias, tiers))

    def _field_to_sql(self, alias, field_expr, query=None):
        """Group and sort by the tier."""
        if field_expr != "tier_then_id":
            return super()._field_to_sql(alias, field_expr, query)
        return self._get_tier_sql(alias)

    @api.model
    def _get_of_sql(self, alias, tiers) -> SQL:
        """Return the condition that a row of the ledger belongs to some tiers."""
        return SQL("COALESCE(%s, 0) = ANY(%s)", self._get_tier_sql(alias), tiers)

    @api.model
    def _get_of_members_sql(self, alias, tiers) -> SQL:
        """Return the same for the day of the context: fewer members than entries."""
        return SQL(
            "%s IN (SELECT member_id FROM (SELECT id AS member_id "
            "FROM garage_loyalty_member) owner WHERE %s)",
            SQL.identifier(alias, "member_id"),
            self._get_of_sql("owner", tiers),
        )

    @api.model
    def _get_tier_sql(self, alias) -> SQL:
        """Return the tier behind a row of the ledger."""
        day = self._get_tier_day()
        return self.env["garage.loyalty.member.status"]._get_tier_sql(
            SQL.identifier(alias, "member_id"),
            SQL("%s::date", day) if day else SQL.identifier(alias, "date"),
        )

    @api.model
    def _get_tier_day(self):
        """Return the day whose balance is asked for, None for that of each entry.

        :raise UserError: when it is no day
        """
        day = self.env.context.get("loyalty_tier_date") or None
        if checks.day(day):
            text = self.env._("Enter a day between the years 1900 and 2999.")
            raise UserError(text)
        return fields.Date.to_date(day)
