from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ..tools import ages, checks


class GarageLoyaltyLiabilityQuery(models.AbstractModel):
    """The parts of the query of ``garage.loyalty.liability``.

    States ``tools.ages`` once more, for all members at once, at the end of a day. The
    ledger says how much is owed to a member, the lots say since when. Only entries of
    that day and before count, whatever has happened since.
    """

    _name = "garage.loyalty.liability.query"
    _description = "Query of What Is Owed by Age"

    @property
    def _table_query(self) -> SQL:
        parts = {
            "worth": self.env["garage.loyalty.program"]._get_worth_query(),
            "program": self._get_programs(),
            "balance": self._get_balances(),
            "later": self._get_later(),
            "former": self._get_former(),
            "held": self._get_held(),
            "line": self._get_lines(),
        }
        queries = (
            SQL("%s AS MATERIALIZED (%s)", SQL.identifier(name), query)
            for name, query in parts.items()
        )
        named = SQL(", ").join(queries)
        return SQL("WITH %s %s %s", named, self._select(), self._from())

    @api.model
    def _get_day(self):
        """Return the day that the context asks for; None for today.

        :raise UserError: when it is none
        """
        day = self.env.context.get("loyalty_date") or None
        if checks.day(day):
            text = self.env._("“As of”: enter a day between the years 1900 and 2999.")
            raise UserError(text)
        return fields.Date.to_date(day)

    @api.model
    def _get_programs(self) -> SQL:
        """Return a query: programmes with the day, and what a point is worth on it."""
        return SQL(
            """
            SELECT program.id, program.company_id, company.currency_id,
                   currency.decimal_places AS digits, today.day, worth.worth
              FROM garage_loyalty_program program
              JOIN res_company company ON company.id = program.company_id
              JOIN res_currency currency ON currency.id = company.currency_id
              JOIN (%s) today ON today.company_id = program.company_id
              JOIN worth ON worth.program_id = program.id
               AND (worth.since IS NULL OR worth.since <= today.day)
               AND (worth.until IS NULL OR worth.until > today.day)
            """,
            self.env["res.company"]._get_loyalty_days(self._get_day()),
        )

    @api.model
    def _get_balances(self) -> SQL:
        """Return a query: what the ledger says of each member."""
        return SQL(
            """
            SELECT entry.member_id, entry.program_id, min(entry.id) AS first_id,
                   max(entry.date) FILTER (WHERE entry.points > 0) AS given,
                   sum(entry.points) AS points
              FROM garage_loyalty_entry entry
              JOIN program ON program.id = entry.program_id
             WHERE entry.date <= program.day
             GROUP BY 1, 2
            """
        )

    @api.model
    def _get_later(self) -> SQL:
        """Return a query: what was taken from lots after the day, and given back."""
        return SQL(
            """
            SELECT allocation.lot_id, sum(allocation.points) AS points
              FROM garage_loyalty_entry entry
              JOIN program ON program.id = entry.program_id
              JOIN garage_loyalty_allocation allocation
                ON allocation.entry_id = entry.id
             WHERE entry.date > program.day
             GROUP BY 1
            """
        )

    @api.model
    def _get_former(self) -> SQL:
        """Return a query: until when lots could be spent, if that was changed since."""
        return SQL(
            """
            SELECT DISTINCT ON (change.lot_id) change.lot_id, change.date_expiry
              FROM garage_loyalty_lot_expiry change
              JOIN garage_loyalty_lot lot ON lot.id = change.lot_id
              JOIN garage_loyalty_entry given ON given.id = lot.entry_id
              JOIN program ON program.id = given.program_id
             WHERE change.date > program.day
             ORDER BY change.lot_id, change.date, change.id
            """
        )

    @api.model
    def _get_held(self) -> SQL:
        """Return a query: what was left in lots, as they are spent one by one."""
        return SQL(
            """
            SELECT lot.*, sum(points) OVER spent AS upto,
                   sum(points) OVER (PARTITION BY member_id, program_id) AS total
              FROM (
                SELECT lot.id, lot.entry_id, lot.member_id, given.program_id, lot.date,
                       CASE WHEN former.lot_id IS NULL THEN lot.date_expiry
                            ELSE former.date_expiry END AS date_expiry,
                       lot.remaining + COALESCE(later.points, 0) AS points
                  FROM garage_loyalty_lot lot
                  JOIN garage_loyalty_entry given ON given.id = lot.entry_id
                  JOIN program ON program.id = given.program_id
                  LEFT JOIN later ON later.lot_id = lot.id
                  LEFT JOIN former ON former.lot_id = lot.id
                 WHERE given.date <= program.day
                   AND lot.remaining + COALESCE(later.points, 0) > 0) lot
            WINDOW spent AS (PARTITION BY member_id, program_id
                             ORDER BY date_expiry NULLS LAST, date, id)
            """
        )

    @api.model
    def _get_lines(self) -> SQL:
        """Return a query: what is owed for each lot, and what is in no lot.

        What lots hold more than the balance repays what was taken from no lot.
        """
        return SQL(
            """
            SELECT held.entry_id::bigint * 2 AS number, held.member_id,
                   held.program_id, held.id AS lot_id, held.date, held.date_expiry,
                   LEAST(held.points, held.upto - held.total + balance.points)
                       AS points
              FROM held JOIN balance USING (member_id, program_id)
             WHERE held.upto > held.total - balance.points
             UNION ALL
            SELECT first_id::bigint * 2 + 1, member_id, program_id, NULL,
                   CASE WHEN rest > 0 THEN given END, NULL, rest
              FROM (SELECT balance.*, balance.points
                           - LEAST(GREATEST(balance.points, 0),
                                   COALESCE(whole.total, 0)) AS rest
                      FROM balance
                      LEFT JOIN (SELECT DISTINCT member_id, program_id, total
                                   FROM held) whole
                     USING (member_id, program_id)) balance
             WHERE rest <> 0
            """
        )

    @api.model
    def _select(self) -> SQL:
        """Return the columns. Override, calling super, to add one.

        The day is a part of the id: rows of another day are other rows.
        """
        return SQL(
            """
            SELECT line.number * 1000000 + (program.day - date '1900-01-01') AS id,
                   program.day, line.member_id, member.partner_id, line.program_id,
                   program.company_id, program.currency_id, line.lot_id, line.date,
                   line.date_expiry, line.points::int AS points, %(band)s AS age_band,
                   %(soon)s AS expiring, %(amount)s AS amount,
                   CASE WHEN member.status_date <= program.day THEN member.tier_id
                        ELSE (SELECT status.tier_id
                                FROM garage_loyalty_member_status status
                               WHERE status.member_id = member.id
                                 AND status.date <= program.day
                               ORDER BY status.date DESC, status.id DESC
                               LIMIT 1) END AS tier_id
            """,
            band=self._get_band(),
            soon=self._get_expiring(),
            amount=self._get_amount(),
        )

    @api.model
    def _from(self) -> SQL:
        """Return the tables. Override, calling super, to join one more."""
        return SQL(
            """
              FROM line
              JOIN program ON program.id = line.program_id
              JOIN garage_loyalty_member member ON member.id = line.member_id
            """
        )

    @api.model
    def _get_band(self) -> SQL:
        """Return the band of the age of a line."""
        younger = [
            SQL(
                "WHEN line.date + make_interval(months => %s) > program.day THEN %s",
                months,
                key,
            )
            for key, months in ages.BANDS
        ]
        return SQL(
            "CASE WHEN line.points < 0 THEN %s %s ELSE %s END",
            ages.DEBT,
            SQL(" ").join(younger),
            ages.OLDEST,
        )

    @api.model
    def _get_expiring(self) -> SQL:
        """Return how soon a line expires."""
        sooner = [
            SQL("WHEN line.date_expiry <= program.day + %s THEN %s", days, key)
            for key, days in ages.SOON
        ]
        return SQL(
            "CASE WHEN line.points < 0 THEN %s WHEN line.date_expiry IS NULL THEN %s "
            "WHEN line.date_expiry < program.day THEN %s %s ELSE %s END",
            ages.DEBT,
            ages.NEVER,
            ages.PAST,
            SQL(" ").join(sooner),
            ages.LATER,
        )

    @api.model
    def _get_amount(self) -> SQL:
        """Return what a line is worth, in the smallest unit of the currency.

        The rounded total after it less the rounded total before it: so that lines make
        the rounded total of their programme, which the roll-forward closes with.
        """
        return SQL(
            """
            round(%(upto)s * program.worth, program.digits)
            - round((%(upto)s - line.points) * program.worth, program.digits)
            """,
            upto=SQL(
                "(sum(line.points) OVER (PARTITION BY line.program_id "
                "ORDER BY line.member_id, line.number))"
            ),
        )
