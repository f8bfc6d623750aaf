from odoo import api, models
from odoo.tools import SQL

from ..tools.movement import month_number, month_start
from ..tools.rows import unnested


class GarageLoyaltyMemberMonthQuery(models.AbstractModel):
    """The queries that derive the months of members from history and ledger.

    States ``tools.use`` once more, for many customers at once. ``partners`` is always
    the SQL of an array of commercial partners.
    """

    _name = "garage.loyalty.member.month.query"
    _description = "Query of Months of Members"

    @api.model
    def _get_names(self):
        """Return the columns that the query of the documents yields.

        Override, together with ``_get_live_query``, to keep one fact more.
        """
        return [
            "company_id",
            "partner_id",
            "month",
            "tier_id",
            "is_member",
            "used_date",
            "earned",
            "redeemed",
            "expired",
            "other",
        ]

    @api.model
    def _get_live_query(self, partners):
        """Return a query: the months of customers as history and ledger are now.

        A merged customer has the months and the points of all of its accounts.
        """
        return SQL(
            """
            SELECT company_id, partner_id, month,
                   (array_agg(tier_id ORDER BY last DESC, place DESC)
                    FILTER (WHERE last IS NOT NULL))[1] AS tier_id,
                   bool_or(last IS NOT NULL) AS is_member,
                   max(used_date) AS used_date,
                   COALESCE(sum(earned), 0)::int AS earned,
                   COALESCE(sum(redeemed), 0)::int AS redeemed,
                   COALESCE(sum(expired), 0)::int AS expired,
                   COALESCE(sum(other), 0)::int AS other
              FROM (%(spine)s UNION ALL %(points)s) part
             GROUP BY company_id, partner_id, month
            """,
            spine=self._get_spine_query(partners),
            points=self._get_points_query(partners),
        )

    @api.model
    def _get_spine_query(self, partners):
        """Return a query: a row for each month of each spell.

        ``last`` is the last day of membership in the month. The month that comes next
        is there already, so that facts are complete when it begins.
        """
        return SQL(
            """
            SELECT spell.company_id, spell.partner_id, month::date, spell.tier_id,
                   spell.place,
                   LEAST(spell.last, (month + interval '1 month')::date - 1) AS last,
                   NULL::date AS used_date, NULL::int AS earned, NULL::int AS redeemed,
                   NULL::int AS expired, NULL::int AS other
              FROM (%s) spell
             CROSS JOIN LATERAL generate_series(
                        date_trunc('month', spell.date::timestamp),
                        spell.last::timestamp, interval '1 month') AS month
            """,
            self._get_spells_query(partners),
        )

    @api.model
    def _get_spells_query(self, partners):
        """Return a query: from when to when somebody was an active member of a tier.

        Of several changes on one day the last one counts.
        """
        return SQL(
            """
            SELECT status.company_id, status.partner_id, status.tier_id,
                   status.id AS place, status.date,
                   LEAST(status.until - 1, running.last) AS last
              FROM (SELECT member.company_id, member.partner_id, status.*,
                           lead(status.date) OVER (PARTITION BY status.member_id
                                ORDER BY status.date, status.id) AS until
                      FROM garage_loyalty_member member
                      JOIN garage_loyalty_member_status status
                        ON status.member_id = member.id
                     WHERE member.partner_id = ANY(%(partners)s)) status
              JOIN (%(running)s) AS running (company_id, last) USING (company_id)
             WHERE status.state = 'active'
               AND (status.until IS NULL OR status.until > status.date)
            """,
            partners=partners,
            running=self._get_running(1),
        )

    @api.model
    def _get_points_query(self, partners):
        """Return a query: what each entry of the ledger adds to its month.

        Override to count other entries. Gifts and corrections are neither earned nor
        redeemed: nobody used the programme.
        """
        return SQL(
            """
            SELECT member.company_id, member.partner_id,
                   date_trunc('month', entry.date::timestamp)::date AS month,
                   NULL::int AS tier_id, NULL::int AS place, NULL::date AS last,
                   CASE WHEN entry.kind IN ('earn', 'redeem') THEN entry.date END
                        AS used_date,
                   CASE WHEN entry.kind IN ('earn', 'clawback')
                        THEN entry.points END AS earned,
                   CASE WHEN entry.kind IN ('redeem', 'restore')
                        THEN -entry.points END AS redeemed,
                   CASE WHEN entry.kind = 'expire' THEN -entry.points END AS expired,
                   CASE WHEN entry.kind NOT IN (
                             'earn', 'clawback', 'redeem', 'restore', 'expire')
                        THEN entry.points END AS other
              FROM garage_loyalty_member member
              JOIN garage_loyalty_entry entry ON entry.member_id = member.id
             WHERE member.partner_id = ANY(%s)
            """,
            partners,
        )

    @api.model
    def _get_running(self, ahead=0):
        """Return a query: the last day of the running month in each company.

        :param ahead: of a month so many months later
        """
        # Which day it is in a company is no secret.
        companies = self.env["res.company"].sudo()
        companies = companies.search([("loyalty_company_id", "!=", False)])
        rows = []
        for company in companies.loyalty_company_id:
            number = month_number(company._get_loyalty_today()) + ahead
            rows.append((company.id, month_start(number + 1)))
        return SQL(
            "SELECT company_id, until - 1 FROM (%s) AS month (company_id, until)",
            unnested(("int", "date"), rows),
        )
