from odoo import api, models
from odoo.tools import SQL

from ..tools.moments import YEAR, Customer

# Customers that are read at once.
BATCH = 5000


class GarageLoyaltyEstimateQuery(models.AbstractModel):
    """The queries that read what ``tools.estimate`` and ``tools.matching`` judge.

    Visits are those of all branches that share the accounts of a company; these have
    its currency. What was paid with points counts: rewards lower the invoices of
    members, and must not make members look poorer; what they cost is a cost.
    """

    _name = "garage.loyalty.estimate.query"
    _description = "Query of the Honest Estimate"

    @api.model
    def _get_value(self) -> SQL:
        """Return what a visit is worth. Override to value it otherwise."""
        return SQL("visit.amount + COALESCE(visit.amount_discount, 0)")

    @api.model
    def _get_visits_query(self, company, last) -> SQL:
        """Return a query: customer, day and value of visits, whether a member came.

        Without repairs under warranty, without what came to nothing, and without
        companies and fleets. Override to leave out other visits.

        :param company: the one that keeps the accounts
        :param last: the last day
        """
        return SQL(
            """
            SELECT visit.partner_id, visit.date, COALESCE(visit.is_member, FALSE)
                       AS is_member, %(value)s AS value
              FROM res_company branch
              JOIN garage_loyalty_visit visit ON visit.company_id = branch.id
              JOIN res_partner partner ON partner.id = visit.partner_id
             WHERE branch.loyalty_company_id = %(company)s AND visit.kind = 'repair'
               AND visit.date <= %(last)s AND %(value)s > 0
               AND visit.is_warranty IS NOT TRUE AND partner.is_company IS NOT TRUE
            """,
            company=company.id,
            last=last,
            value=self._get_value(),
        )

    @api.model
    def _get_joined_query(self, company) -> SQL:
        """Return a query: the day on which customers first became active members."""
        return SQL(
            """
            SELECT member.partner_id, min(status.date) AS joined
              FROM garage_loyalty_member member
              JOIN garage_loyalty_member_status status ON status.member_id = member.id
             WHERE member.company_id = %s AND status.state = 'active'
             GROUP BY 1
            """,
            company.id,
        )

    @api.model
    def _get_customers_query(self, company, last) -> SQL:
        """Return a query: customers with the days and values of their visits."""
        return SQL(
            """
            SELECT done.partner_id, %(joined_day)s, done.days, done.amounts
              FROM (SELECT visit.partner_id,
                           array_agg(%(day)s ORDER BY visit.date, visit.value) AS days,
                           array_agg(visit.value::float8
                                     ORDER BY visit.date, visit.value) AS amounts
                      FROM (%(visits)s) visit
                     GROUP BY 1) done
              LEFT JOIN (%(joined)s) member ON member.partner_id = done.partner_id
             ORDER BY 1
            """,
            # As date.toordinal() counts days.
            day=SQL("visit.date - DATE '0001-01-01' + 1"),
            joined_day=SQL("member.joined - DATE '0001-01-01' + 1"),
            visits=self._get_visits_query(company, last),
            joined=self._get_joined_query(company),
        )

    @api.model
    def _read_customers(self, company, last):
        """Yield all customers with their visits, a batch at a time."""
        name = SQL.identifier("garage_loyalty_estimate")
        cr = self.env.cr
        cr.execute(
            SQL(
                "DECLARE %s NO SCROLL CURSOR FOR %s",
                name,
                self._get_customers_query(company, last),
            )
        )
        while rows := self.env.execute_query(SQL("FETCH %s FROM %s", BATCH, name)):
            for number, joined, days, values in rows:
                yield Customer(number, list(zip(days, values, strict=True)), joined)
        cr.execute(SQL("CLOSE %s", name))

    @api.model
    def _get_sums(self, company, last):
        """Return revenue and visits of each customer in the last year.

        :return: of members and of others; whoever joined in that year is in both
        """
        rows = self.env.execute_query(
            SQL(
                """
                SELECT visit.is_member, sum(visit.value)::float8, count(*)
                  FROM (%s) visit
                 WHERE visit.date > %s::date - %s
                 GROUP BY visit.partner_id, visit.is_member
                """,
                self._get_visits_query(company, last),
                last,
                YEAR,
            )
        )
        return tuple(
            [(value, count) for is_member, value, count in rows if is_member is side]
            for side in (True, False)
        )

    @api.model
    def _count_visits(self, company, last):
        found = self.env.execute_query(
            SQL(
                "SELECT count(*) FROM (%s) visit",
                self._get_visits_query(company, last),
            )
        )
        return found[0][0]

    @api.model
    def _has_members(self, company):
        """Tell whether anybody has ever joined."""
        Member = self.env["garage.loyalty.member"]
        return bool(Member.search_count([("company_id", "=", company.id)], limit=1))
