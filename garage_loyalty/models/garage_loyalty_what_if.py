from odoo import api, fields, models
from odoo.tools import SQL

from ..tools.whatif import Group


class GarageLoyaltyWhatIf(models.AbstractModel):
    """What customers did last year, by the tier that they would have had.

    The tier at a visit follows from what was done in the time before it; reviews and
    days of grace are left out, so that costs are rather a little low. Points that tiers
    ask for are taken to be as many as the net amount at the rate of labour.
    """

    _name = "garage.loyalty.what.if"
    _inherit = ["garage.loyalty.tier.figures"]
    _description = "Last Year with a Loyalty Programme"

    @api.model
    def _get_year(self, program, rules, least_visits):
        """Return the ``Group`` of each place of those who would have joined.

        :param rules: ``tools.tiers.TierRules``, with the levels of that programme
        :param least_visits: who came less often would not have joined
        """
        self.env.flush_all()
        query = self._get_year_query(program, rules, least_visits)
        return [
            Group(place, members, float(labour), float(parts))
            for place, members, labour, parts in self.env.execute_query(query)
        ]

    @api.model
    def _get_year_query(self, program, rules, least_visits):
        today = program.company_id._get_loyalty_today()
        return SQL(
            """
            WITH visit AS (%(visits)s), joiner AS (
                SELECT partner_id, sum(amount) AS spend,
                       sum(amount) * %(rate)s AS points,
                       count(*) FILTER (WHERE is_counted) AS visits
                  FROM visit WHERE date > %(start)s
                 GROUP BY 1 HAVING count(*) FILTER (WHERE is_counted) >= %(least)s
            ), member AS (
                SELECT %(place)s AS place, count(*) AS members FROM joiner GROUP BY 1
            ), work AS (
                SELECT %(place)s AS place, sum(amount_labour) AS labour,
                       sum(amount_parts) AS parts
                  FROM (SELECT amount_labour, amount_parts, spend_before AS spend,
                               spend_before * %(rate)s AS points,
                               visits_before AS visits
                          FROM visit
                         WHERE date > %(start)s
                           AND partner_id IN (SELECT partner_id FROM joiner)) done
                 GROUP BY 1
            )
            SELECT COALESCE(member.place, work.place), COALESCE(members, 0),
                   COALESCE(labour, 0), COALESCE(parts, 0)
              FROM member FULL JOIN work ON work.place = member.place
             ORDER BY 1
            """,
            visits=self._get_two_years(program, rules, today),
            start=fields.Date.subtract(today, years=1),
            rate=program.labour_rate,
            least=least_visits,
            place=self._get_place_case(rules),
        )

    @api.model
    def _get_two_years(self, program, rules, today):
        """Return a query: two years of visits, each with what was done before it."""
        return SQL(
            """
            SELECT partner_id, date, amount, amount_labour, amount_parts,
                   kind = 'repair' AND amount > 0 AS is_counted,
                   COALESCE(sum(amount) OVER before, 0) AS spend_before,
                   count(*) FILTER (WHERE kind = 'repair' AND amount > 0)
                       OVER before AS visits_before
              FROM garage_loyalty_visit
             WHERE company_id = ANY(%(companies)s) AND is_warranty IS NOT TRUE
               AND date > %(start)s AND date <= %(today)s
            WINDOW before AS (
                PARTITION BY partner_id ORDER BY date
                RANGE BETWEEN make_interval(months => %(months)s) PRECEDING
                          AND '1 day' PRECEDING)
            """,
            companies=list(rules.companies),
            start=fields.Date.subtract(today, years=1, months=rules.months),
            today=today,
            months=rules.months,
        )
