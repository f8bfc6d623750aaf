from odoo import api, models
from odoo.tools import SQL

from ..tools.joining import JoinRules


class GarageLoyaltyEnrolmentQuery(models.AbstractModel):
    """The parts of the query of ``garage.loyalty.enrolment``, one for each source.

    ``done`` is a visit, ``branch`` its company, ``program`` what the customer could
    join. Ids of different sources never meet: visits keep theirs, so that a row is
    found by the index of its table.
    """

    _name = "garage.loyalty.enrolment.query"
    _description = "Query of Enrolment"
    _inherit = ["garage.loyalty.candidate.query"]

    @api.model
    def _get_visits_query(self) -> SQL:
        """Return the repair orders at which a customer was asked, or could have been.

        An answer always counts. Without one, the customer must have been no member, and
        must have met the conditions for joining on arrival.
        """
        return SQL(
            """
            SELECT done.id, done.date, 'visit'::varchar AS event,
                   COALESCE(done.answer, 'not_asked') AS outcome,
                   done.company_id, done.partner_id, done.user_id,
                   NULL::int AS member_id, done.repair_id, NULL::varchar AS source,
                   1 AS opportunity_count,
                   (done.answer IS NOT NULL)::int AS asked_count,
                   (done.answer IS NOT DISTINCT FROM 'accepted')::int AS accepted_count,
                   0 AS joined_count, 0 AS returned_count, 0 AS left_count,
                   0 AS suspended_count, 0 AS growth, NULL::int AS days
              FROM garage_loyalty_visit done
              JOIN res_company branch ON branch.id = done.company_id
              LEFT JOIN (%(programs)s) program
                ON program.company_id = branch.loyalty_company_id
             WHERE done.kind = 'repair'
               AND (done.answer IS NOT NULL OR (
                    done.is_member IS NOT TRUE AND done.date >= program.start
                    %(conditions)s))
               AND NOT EXISTS (
                    SELECT FROM (%(pauses)s) pause
                     WHERE pause.company_id = branch.loyalty_company_id
                       AND pause.partner_id = done.partner_id
                       AND pause.date <= done.date
                       AND done.date < pause.until AND done.answer IS NULL)
            """,
            programs=self._get_started_programs(),
            conditions=SQL("").join(
                SQL(" AND %s", condition) for condition in self._get_conditions()
            ),
            pauses=self._get_pauses(),
        )

    @api.model
    def _get_started_programs(self) -> SQL:
        """Return a query: the programme that new members of each company join.

        It starts with its first member: nobody could be asked to join before.
        """
        tags = {
            name: self.env["garage.loyalty.program"]._fields[name]
            for name in ("join_tag_ids", "join_excluded_tag_ids")
        }
        needs, excludes = (
            SQL(
                "EXISTS (SELECT FROM %s WHERE %s = rules.id)",
                SQL.identifier(field.relation),
                SQL.identifier(field.column1),
            )
            for field in tags.values()
        )
        return SQL(
            """
            SELECT rules.*, %(needs)s AS needs_tag, %(excludes)s AS excludes_tag,
                   (SELECT min(date_joined) FROM garage_loyalty_member
                     WHERE company_id = rules.company_id) AS start
              FROM (%(programs)s) joined
              JOIN garage_loyalty_program rules ON rules.id = joined.id
            """,
            needs=needs,
            excludes=excludes,
            programs=self._get_programs(),
        )

    @api.model
    def _get_conditions(self):
        """Return conditions for joining, as of the arrival of the customer.

        The programme is as it is today. States the rules of
        ``tools.joining.JoinRules`` once more. What no programme asks for is left out:
        the database would allow for the time it takes.
        """
        # What a programme asks for is no secret; its rules are kept in memory.
        programs = self.env["garage.loyalty.program"].sudo()
        rules = [
            program._get_rules().joining
            for program in programs.search([("active", "=", True)])
        ]
        nothing = JoinRules()
        return [
            condition
            for name, condition in self._get_condition_by_rule().items()
            if any(getattr(rule, name) != getattr(nothing, name) for rule in rules)
        ]

    @api.model
    def _get_condition_by_rule(self):
        """Return the condition of each field of ``tools.joining.JoinRules``.

        Override to add one.
        """
        repairs = SQL("count(*) FILTER (WHERE before.kind = 'repair')")
        return {
            "kind": SQL(
                """(program.join_kind = 'anyone' OR program.join_kind = (
                    SELECT CASE WHEN is_company THEN 'company' ELSE 'private' END
                      FROM res_partner WHERE id = done.partner_id))"""
            ),
            "tags": SQL(
                "(NOT program.needs_tag OR EXISTS (%s))",
                self._get_tag_match("join_tag_ids"),
            ),
            "excluded": SQL(
                "(NOT program.excludes_tag OR NOT EXISTS (%s))",
                self._get_tag_match("join_excluded_tag_ids"),
            ),
            "spend": SQL(
                """(COALESCE(program.join_min_spend, 0) = 0
                    OR %s >= program.join_min_spend)""",
                self._get_before(SQL("COALESCE(sum(before.amount), 0)")),
            ),
            "visits": SQL(
                """(COALESCE(program.join_min_visits, 0) = 0
                    OR %s >= program.join_min_visits)""",
                self._get_before(repairs),
            ),
            "age_months": SQL(
                """(COALESCE(program.join_min_age_months, 0) = 0
                    OR %s <= done.date - make_interval(
                                months => program.join_min_age_months))""",
                self._get_first_visit(),
            ),
        }

    @api.model
    def _get_before(self, figure) -> SQL:
        """Return a figure of what the customer did before, in the months that count."""
        return SQL(
            """
            (SELECT %s FROM garage_loyalty_visit before
              WHERE before.partner_id = done.partner_id AND before.id <> done.id
                AND before.date <= done.date
                AND before.date > done.date - make_interval(
                            months => program.join_months)
                AND before.company_id IN (
                    SELECT id FROM res_company
                     WHERE loyalty_company_id = program.company_id))
            """,
            figure,
        )

    @api.model
    def _get_first_visit(self) -> SQL:
        return SQL(
            """
            (SELECT min(before.date) FROM garage_loyalty_visit before
              WHERE before.partner_id = done.partner_id AND before.company_id IN (
                    SELECT id FROM res_company
                     WHERE loyalty_company_id = program.company_id))
            """
        )

    @api.model
    def _get_pauses(self) -> SQL:
        """Return a query: from when until when memberships were suspended.

        They are not over, so nobody asks the customer to join.
        """
        return SQL(
            """
            SELECT member.company_id, member.partner_id, history.date,
                   COALESCE(history.until, 'infinity') AS until
              FROM (SELECT member_id, state, date, lead(date) OVER (
                               PARTITION BY member_id ORDER BY date, id) AS until
                      FROM garage_loyalty_member_status
                     WHERE member_id IN (
                           SELECT member_id FROM garage_loyalty_member_status
                            WHERE state <> 'active' AND state = 'suspended')) history
              JOIN garage_loyalty_member member ON member.id = history.member_id
             WHERE history.state = 'suspended'
            """
        )

    @api.model
    def _get_joined_query(self) -> SQL:
        """Return who joined. Of accounts that were merged, the one that survived."""
        return SQL(
            """
            SELECT 1000000000 + member.id AS id, member.date_joined AS date,
                   'joined'::varchar AS event, NULL::varchar AS outcome,
                   member.company_id,
                   member.partner_id, member.enrolled_by_id AS user_id,
                   member.id AS member_id, NULL::int AS repair_id, member.source,
                   0 AS opportunity_count, 0 AS asked_count, 0 AS accepted_count,
                   1 AS joined_count, 0 AS returned_count, 0 AS left_count,
                   0 AS suspended_count, 1 AS growth, %s AS days
              FROM garage_loyalty_member member
             WHERE member.merged_into_id IS NULL
            """,
            self._get_days_to_join(),
        )

    @api.model
    def _get_days_to_join(self) -> SQL:
        """Return the days from the first repair order to joining, NULL if unknown.

        Who joined at the counter before the first repair order was finished took 0.
        """
        return SQL(
            """
            (SELECT CASE WHEN min(first.date) <= member.date_joined
                         THEN member.date_joined - min(first.date)
                         WHEN count(*) > 0 AND member.source = 'counter' THEN 0 END
               FROM res_company own CROSS JOIN LATERAL (
                    SELECT date FROM garage_loyalty_visit
                     WHERE company_id = own.id AND partner_id = member.partner_id
                       AND kind = 'repair'
                     ORDER BY date LIMIT 1) first
              WHERE own.loyalty_company_id = member.company_id)
            """
        )

    @api.model
    def _get_changes_query(self) -> SQL:
        """Return who left, paused or came back, in the order in which it was noted.

        Merged accounts do not leave: the customer still has the other one.
        """
        return SQL(
            """
            SELECT 1500000000 + history.id AS id, history.date,
                   CASE history.state WHEN 'active' THEN 'returned'
                        ELSE history.state END AS event,
                   NULL::varchar AS outcome, member.company_id, member.partner_id,
                   history.user_id, member.id AS member_id, NULL::int AS repair_id,
                   member.source, 0 AS opportunity_count, 0 AS asked_count,
                   0 AS accepted_count, 0 AS joined_count,
                   (history.state = 'active')::int AS returned_count,
                   (history.state = 'left')::int AS left_count,
                   (history.state = 'suspended')::int AS suspended_count,
                   (history.state = 'active')::int - (history.former = 'active')::int
                       AS growth,
                   NULL::int AS days
              FROM (SELECT id, member_id, state, date, user_id, lag(state) OVER (
                               PARTITION BY member_id ORDER BY id) AS former
                      FROM garage_loyalty_member_status
                     WHERE member_id IN (
                           SELECT member_id FROM garage_loyalty_member_status
                            WHERE state <> 'active')) history
              JOIN garage_loyalty_member member ON member.id = history.member_id
             WHERE history.state <> history.former AND member.merged_into_id IS NULL
            """
        )
