from odoo import api, models
from odoo.tools import SQL

from ..tools import ages
from ..tools.rows import unnested


class GarageLoyaltyLiabilityQuery(models.AbstractModel):
    """The parts of the query of ``garage.loyalty.liability``.

    States ``tools.ages`` once more, for all members at once, at the end of a day. The
    ledger says how much is owed to a member, the lots say since when. Only entries of
    that day and before count, whatever has happened since.
    """

    _name = "garage.loyalty.liability.query"
    _description = "Query of What Is Owed by Age"
    _inherit = ["garage.loyalty.liability.lot.query"]

    @property
    def _table_query(self) -> SQL:
        parts = {
            "worth": self.env["garage.loyalty.program"]._get_worth_query(),
            "program": self._get_programs(),
            "later": self._get_later(),
            "taken": self._get_taken(),
            "former": self._get_former(),
        }
        queries = (
            SQL("%s AS MATERIALIZED (%s)", SQL.identifier(name), query)
            for name, query in parts.items()
        )
        named = SQL(", ").join(queries)
        return SQL("WITH %s %s %s", named, self._select(), self._from())

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
              JOIN (%s) today (company_id, day)
                ON today.company_id = program.company_id
              JOIN worth ON worth.program_id = program.id
               AND (worth.since IS NULL OR worth.since <= today.day)
               AND (worth.until IS NULL OR worth.until > today.day)
            """,
            unnested(("int", "date"), self._get_days()),
        )

    @api.model
    def _get_parts(self) -> SQL:
        """Return a query: the balances by the ledger, and what was left in lots.

        A balance is a row without lot. Should a member have changed the programme, the
        ledger decides what is owed by which.
        """
        return SQL(
            """
            SELECT entry.member_id, entry.program_id, NULL::int AS lot_id,
                   min(entry.id) AS entry_id, NULL::date AS date,
                   NULL::date AS date_expiry, 0 AS points,
                   sum(entry.points)::int AS balance
              FROM garage_loyalty_entry entry
             WHERE entry.date <= %(day)s
             GROUP BY 1, 2
             UNION ALL
            SELECT lot.member_id, member.program_id, lot.id, lot.entry_id, lot.date,
                   CASE WHEN former.lot_id IS NULL THEN lot.date_expiry
                        ELSE former.date_expiry END,
                   lot.points, 0
              FROM (%(lots)s) lot
              JOIN garage_loyalty_member member ON member.id = lot.member_id
              LEFT JOIN later ON later.id = lot.entry_id
              LEFT JOIN former ON former.lot_id = lot.id
             WHERE later.id IS NULL AND lot.points > 0
            """,
            day=self._get_day_of(SQL("entry.program_id")),
            lots=self._get_lots(),
        )

    @api.model
    def _get_held(self) -> SQL:
        """Return a query: the parts with what lots hold, as they are spent one by one.

        What lots hold more than the balance, the ``excess``, repays what was taken from
        no lot.
        """
        return SQL(
            """
            SELECT part.*, sum(points) OVER spent AS upto,
                   sum(points) OVER account - sum(balance) OVER account AS excess
              FROM (%s) part
            WINDOW account AS (PARTITION BY program_id, member_id),
                   spent AS (PARTITION BY program_id, member_id
                             ORDER BY date_expiry, date, lot_id)
            """,
            self._get_parts(),
        )

    @api.model
    def _get_lines(self) -> SQL:
        """Return a query: what is owed for each lot, and what is in no lot.

        With the sum of all lines of the programme so far.
        """
        return SQL(
            """
            SELECT line.*, sum(owed) OVER (
                       PARTITION BY program_id
                       ORDER BY member_id, date_expiry, date, lot_id) AS running
              FROM (SELECT held.*, CASE
                           WHEN lot_id IS NOT NULL THEN LEAST(points, upto - excess)
                           WHEN balance < 0 THEN balance
                           ELSE GREATEST(-excess, 0) END AS owed
                      FROM (%s) held) line
             WHERE lot_id IS NULL AND owed <> 0 OR lot_id IS NOT NULL AND owed > 0
            """,
            self._get_held(),
        )

    @api.model
    def _select(self) -> SQL:
        """Return the columns. Override, calling super, to add one.

        The day is a part of the id: rows of another day are other rows.
        """
        return SQL(
            """
            SELECT (line.entry_id * 2::bigint + (line.lot_id IS NULL)::int) * 1000000
                   + (program.day - date '1900-01-01') AS id,
                   program.day, line.member_id, member.partner_id, line.program_id,
                   program.company_id, program.currency_id, line.lot_id, given.date,
                   line.date_expiry, line.owed::int AS points, %(band)s AS age_band,
                   %(soon)s AS expiring, %(amount)s AS amount, %(tier)s AS tier_id
            """,
            band=self._get_band(),
            soon=self._get_expiring(),
            amount=self._get_amount(),
            tier=self._get_tier(),
        )

    @api.model
    def _from(self) -> SQL:
        """Return the tables. Override, calling super, to join one more."""
        return SQL(
            """
              FROM (%s) line
              JOIN program ON program.id = line.program_id
              JOIN garage_loyalty_member member ON member.id = line.member_id
             CROSS JOIN LATERAL (SELECT %s) AS given (date)
            """,
            self._get_lines(),
            self._get_given(),
        )

    @api.model
    def _get_given(self) -> SQL:
        """Return when the points of a line were given; when last, if in no lot."""
        return SQL(
            """
            CASE WHEN line.lot_id IS NOT NULL THEN line.date
                 WHEN line.owed > 0 THEN (
                     SELECT max(entry.date) FROM garage_loyalty_entry entry
                      WHERE entry.member_id = line.member_id AND entry.points > 0
                        AND entry.date <= program.day) END
            """
        )

    @api.model
    def _get_tier(self) -> SQL:
        """Return the tier of the member on the day."""
        return SQL(
            """
            CASE WHEN member.status_date <= program.day THEN member.tier_id
                 ELSE (SELECT status.tier_id FROM garage_loyalty_member_status status
                        WHERE status.member_id = member.id
                          AND status.date <= program.day
                        ORDER BY status.date DESC, status.id DESC LIMIT 1) END
            """
        )

    @api.model
    def _get_band(self) -> SQL:
        """Return the band of the age of a line."""
        younger = [
            SQL(
                "WHEN given.date + make_interval(months => %s) > program.day THEN %s",
                months,
                key,
            )
            for key, months in ages.BANDS
        ]
        return SQL(
            "CASE WHEN line.owed < 0 THEN %s %s ELSE %s END",
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
            "CASE WHEN line.owed < 0 THEN %s WHEN line.date_expiry IS NULL THEN %s "
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
            round(line.running * program.worth, program.digits)
            - round((line.running - line.owed) * program.worth, program.digits)
            """
        )
