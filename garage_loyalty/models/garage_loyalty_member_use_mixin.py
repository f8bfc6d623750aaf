from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.fields import Domain
from odoo.tools import SQL

from ..tools.use import USES
from .garage_loyalty_adjustment_check import MANAGER


class GarageLoyaltyMemberUseMixin(models.AbstractModel):
    """When a member used the programme last, and who does not use it any more."""

    _name = "garage.loyalty.member.use.mixin"
    _description = "Use of a Loyalty Membership"

    last_used_date = fields.Date(
        string="Last use",
        compute="_compute_last_used_date",
        help="When points were earned or redeemed last. Empty: never.",
    )
    is_sleeping = fields.Boolean(
        compute="_compute_is_sleeping",
        search="_search_is_sleeping",
        help="An active member who has neither earned nor redeemed points for so many "
        "months as the settings say, nor joined since.",
    )

    @api.depends("entry_ids", "merged_from_ids.entry_ids")
    def _compute_last_used_date(self):
        rows = self.env.execute_query(
            SQL(
                """
                SELECT COALESCE(account.merged_into_id, account.id), max(entry.date)
                  FROM garage_loyalty_member account
                  JOIN garage_loyalty_entry entry ON entry.member_id = account.id
                 WHERE (account.id = ANY(%(ids)s)
                        OR account.merged_into_id = ANY(%(ids)s))
                   AND entry.kind = ANY(%(uses)s)
                 GROUP BY 1
                """,
                ids=self._origin.ids,
                uses=list(USES),
            )
        )
        days = dict(rows)
        for member in self:
            member.last_used_date = days.get(member._origin.id, False)

    @api.depends("last_used_date", "state", "date_joined")
    def _compute_is_sleeping(self):
        for member in self:
            since = member.company_id._get_loyalty_sleep_day()
            days = (member.last_used_date, member.date_joined)
            is_quiet = all(day <= since for day in days if day)
            member.is_sleeping = member.state == "active" and is_quiet

    @api.model
    def _search_is_sleeping(self, operator, value):
        if operator != "in":
            return NotImplemented
        found = Domain("id", "in", self._get_sleeping_query())
        return found if True in value else ~found

    @api.model
    def _get_sleeping_query(self):
        """Return a subquery: the members who sleep. Override to let others sleep.

        Facts say who used the programme; the ledger does, where it has grown lately.
        """
        # Which day it is in a company is no secret.
        companies = self.env["res.company"].sudo()
        companies = companies.search([("loyalty_company_id", "!=", False)])
        days = [
            (company.id, company._get_loyalty_sleep_day())
            for company in companies.loyalty_company_id
        ]
        return SQL(
            """(
            SELECT member.id FROM garage_loyalty_member member
              JOIN unnest(%(companies)s::int[], %(days)s::date[])
                   AS limits (company_id, day) USING (company_id)
             WHERE member.state = 'active' AND member.date_joined <= limits.day
               AND NOT EXISTS (
                    SELECT FROM garage_loyalty_member_month known
                     WHERE known.partner_id = member.partner_id
                       AND known.company_id = member.company_id
                       AND known.used_date > limits.day)
               AND NOT EXISTS (
                    SELECT FROM garage_loyalty_changed_customer changed
                      JOIN garage_loyalty_member account
                        ON account.partner_id = changed.partner_id
                      JOIN garage_loyalty_entry entry ON entry.member_id = account.id
                     WHERE changed.partner_id = member.partner_id
                       AND account.company_id = member.company_id
                       AND entry.date > limits.day AND entry.kind = ANY(%(uses)s)))""",
            companies=[company for company, _day in days],
            days=[day for _company, day in days],
            uses=list(USES),
        )

    def _field_to_sql(self, alias, field_expr, query=None):
        """Let lists sort by the last use, which is not stored as such."""
        if field_expr != "last_used_date" or query is None:
            return super()._field_to_sql(alias, field_expr, query)
        used = query.make_alias(alias, "used")
        query.add_join(
            "LEFT JOIN",
            used,
            SQL(
                "(SELECT company_id, partner_id, max(used_date) AS day "
                "FROM garage_loyalty_member_month WHERE used_date IS NOT NULL "
                "GROUP BY 1, 2)"
            ),
            SQL(
                "(%s, %s) = (%s, %s)",
                SQL.identifier(used, "company_id"),
                SQL.identifier(used, "partner_id"),
                SQL.identifier(alias, "company_id"),
                SQL.identifier(alias, "partner_id"),
            ),
        )
        return SQL.identifier(used, "day")

    def unlink(self):
        """Note whose months are to be looked at again."""
        partners = self.partner_id.ids
        result = super().unlink()
        # Facts: nobody may add to the list by hand.
        self.env["garage.loyalty.changed.customer"].sudo()._note(partners)
        return result

    # -- buttons ------------------------------------------------------------------

    def action_start_campaign(self):
        """Open a new campaign for these members.

        :raise AccessError: for others than loyalty managers
        """
        if not self.env.su and not self.env.user.has_group(MANAGER):
            raise AccessError(self.env._("Only loyalty managers do this."))
        self.check_access("read")
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("New Campaign"),
            "res_model": "garage.loyalty.campaign",
            "views": [[False, "form"]],
            "context": self._prepare_campaign_context(),
        }

    def _prepare_campaign_context(self):
        """Return the defaults of the campaign. Override to fill in more."""
        return {
            "default_company_id": self.company_id[:1].id,
            "default_name": self.env._("Sleeping members"),
            "default_trigger": "once",
            "default_scope": "member",
            "default_domain": repr([("partner_id", "in", self.partner_id.ids)]),
        }
