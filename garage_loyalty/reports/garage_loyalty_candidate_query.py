from odoo import api, fields, models
from odoo.tools import SQL


class GarageLoyaltyCandidateQuery(models.AbstractModel):
    """The parts of the query of ``garage.loyalty.candidate``.

    ``done`` is what a customer did in the months that count, ``program`` what the
    customer could join.
    """

    _name = "garage.loyalty.candidate.query"
    _description = "Query of Candidates"

    @api.model
    def _get_programs(self) -> SQL:
        """Return a query: the programme that new members join, and its day.

        Says the same as ``garage.loyalty.program._get_default``: override both.
        """
        return SQL(
            """
            SELECT DISTINCT ON (program.company_id)
                   program.id, program.company_id, program.join_months,
                   (%s::timestamp AT TIME ZONE 'UTC'
                    AT TIME ZONE COALESCE(contact.tz, 'UTC'))::date AS today
              FROM garage_loyalty_program program
              JOIN res_company company ON company.id = program.company_id
              JOIN res_partner contact ON contact.id = company.partner_id
             WHERE program.active
             ORDER BY program.company_id, program.sequence, program.id
            """,
            fields.Datetime.now(),
        )

    @api.model
    def _get_figures(self) -> SQL:
        """Return a query: what every customer did in the months that count.

        Override to measure by other means.
        """
        return SQL(
            """
            SELECT min(visit.id) AS id, visit.partner_id, joined.id AS program_id,
                   joined.company_id, joined.today,
                   COALESCE(sum(visit.amount), 0) AS spend,
                   count(*) FILTER (WHERE visit.kind = 'repair')::int AS visit_count,
                   max(visit.date) AS last_visit_date
              FROM (%s) joined
              JOIN res_company branch
                ON branch.loyalty_company_id = joined.company_id
              JOIN garage_loyalty_visit visit ON visit.company_id = branch.id
               AND visit.date <= joined.today
               AND visit.date > joined.today - make_interval(
                        months => joined.join_months)
             GROUP BY visit.partner_id, joined.id, joined.company_id, joined.today
            """,
            self._get_programs(),
        )

    @api.model
    def _get_first_visit(self) -> SQL:
        return SQL(
            """
            (SELECT min(visit.date) FROM garage_loyalty_visit visit
              WHERE visit.partner_id = done.partner_id AND visit.company_id IN (
                    SELECT id FROM res_company
                     WHERE loyalty_company_id = done.company_id))
            """
        )

    @api.model
    def _get_age_condition(self) -> SQL:
        return SQL(
            """
            (COALESCE(program.join_min_age_months, 0) = 0
             OR %s <= done.today - make_interval(
                      months => program.join_min_age_months))
            """,
            self._get_first_visit(),
        )

    @api.model
    def _get_tag_condition(self) -> SQL:
        """Return the condition of the tags that are needed, and that exclude."""
        asked = self._get_tag_match("join_tag_ids")
        excluded = self._get_tag_match("join_excluded_tag_ids")
        field = self.env["garage.loyalty.program"]._fields["join_tag_ids"]
        return SQL(
            """
            (NOT EXISTS (SELECT FROM %(table)s asked
                          WHERE asked.%(program)s = program.id)
             OR EXISTS (%(asked)s)) AND NOT EXISTS (%(excluded)s)
            """,
            table=SQL.identifier(field.relation),
            program=SQL.identifier(field.column1),
            asked=asked,
            excluded=excluded,
        )

    @api.model
    def _get_tag_match(self, name) -> SQL:
        rule = self.env["garage.loyalty.program"]._fields[name]
        own = self.env["res.partner"]._fields["category_id"]
        return SQL(
            """
            SELECT FROM %(rule)s rule JOIN %(own)s own ON own.%(tag)s = rule.%(asked)s
             WHERE rule.%(program)s = program.id AND own.%(partner)s = done.partner_id
            """,
            rule=SQL.identifier(rule.relation),
            program=SQL.identifier(rule.column1),
            asked=SQL.identifier(rule.column2),
            own=SQL.identifier(own.relation),
            partner=SQL.identifier(own.column1),
            tag=SQL.identifier(own.column2),
        )

    @api.model
    def _get_declined(self) -> SQL:
        """Return whether the last answer was no.

        Says the same as ``garage.loyalty.invitation._get_declined``: override both.
        """
        return SQL(
            """
            (COALESCE((
                SELECT (array_agg(repair.loyalty_offer ORDER BY repair.id DESC))[1]
                  FROM res_partner owner
                  JOIN repair_order repair ON repair.partner_id = owner.id
                   AND repair.loyalty_offer <> 'not_asked'
                 WHERE owner.commercial_partner_id = done.partner_id
                   AND repair.company_id IN (
                        SELECT id FROM res_company
                         WHERE loyalty_company_id = done.company_id)
             ) = 'declined', FALSE) OR COALESCE(%s = 'declined', FALSE))
            """,
            self._get_invitation(SQL("answer")),
        )

    @api.model
    def _get_invitation(self, column) -> SQL:
        return SQL(
            """
            (SELECT %s FROM garage_loyalty_invitation invitation
              WHERE invitation.partner_id = done.partner_id
                AND invitation.company_id = done.company_id
              ORDER BY date DESC, id DESC LIMIT 1)
            """,
            SQL("invitation.%s", column),
        )

    @api.model
    def _get_held_out(self) -> SQL:
        """Return whether the customer is not to be invited now.

        Says the same as ``garage.loyalty.holdout.customer._get_held_out``: override
        both.
        """
        Customer = self.env["garage.loyalty.holdout.customer"]
        return SQL(
            """
            EXISTS (SELECT FROM garage_loyalty_holdout_customer held
                      JOIN garage_loyalty_holdout holdout
                        ON holdout.id = held.holdout_id
                     WHERE held.partner_id = done.partner_id
                       AND held.company_id = done.company_id AND %s)
            """,
            Customer._get_running_condition(SQL("done.today")),
        )
