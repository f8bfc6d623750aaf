from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ..tools import checks
from ..tools.movement import month_number
from ..tools.rows import columns, unnested

# How the ledger calls what moves a balance, and how the report does.
FIGURES = {
    "earn": "earned",
    "opening": "opened",
    "redeem": "redeemed",
    "restore": "restored",
    "expire": "expired",
    "clawback": "taken_back",
    "adjust": "adjusted",
    "transfer": "transferred",
}


class GarageLoyaltyRollForwardQuery(models.AbstractModel):
    """The parts of the query of ``garage.loyalty.roll.forward``.

    States ``tools.liability.movements`` once more, for all programmes at once. Months
    are whole numbers in it. The context may ask for a period, as ``loyalty_from`` and
    ``loyalty_to``: its first and its last month are those days of them.
    """

    _name = "garage.loyalty.roll.forward.query"
    _description = "Query of the Roll-Forward"

    @property
    def _table_query(self) -> SQL:
        queries = (
            SQL("%s AS MATERIALIZED (%s)", SQL.identifier(name), query)
            for name, query in self._get_named().items()
        )
        named = SQL(", ").join(queries)
        return SQL("WITH %s %s %s", named, self._select(), self._from())

    @api.model
    def _get_named(self):
        """Return the queries that the others build on, in their order."""
        return {
            "worth": self.env["garage.loyalty.program"]._get_worth_query(),
            "daily": self._get_daily(),
            "rounded": self._get_rounded(),
            "monthly": self._get_monthly(),
        }

    @api.model
    def _get_keys(self):
        """Return the columns of what is rolled forward.

        Override, together with ``_get_daily``, to divide programmes further.
        """
        return columns(("program_id",))

    @api.model
    def _get_names(self):
        """Return the columns of all figures, of each the points and the amount."""
        figures = self._get_figures().values()
        return [name for item in figures for name in (item, f"{item}_amount")]

    @api.model
    def _get_figures(self):
        """Return the columns of what moves a balance, by what the ledger calls it."""
        return FIGURES

    @api.model
    def _get_period(self):
        """Return the days from and to which the context asks, None where it does not.

        :raise UserError: when they are no days, or in the wrong order
        """
        names = ("loyalty_from", "loyalty_to")
        days = [self.env.context.get(name) or None for name in names]
        if any(map(checks.day, days)):
            text = self.env._("Enter days between the years 1900 and 2999.")
            raise UserError(text)
        start, end = map(fields.Date.to_date, days)
        if start and end and end < start:
            raise UserError(self.env._("The period ends before it begins."))
        return start, end

    @api.model
    def _get_within(self) -> SQL:
        """Return the condition on the days of the period."""
        start, end = self._get_period()
        return SQL(
            "%s AND %s",
            SQL("date >= %s", start) if start else SQL("TRUE"),
            SQL("date <= %s", end) if end else SQL("TRUE"),
        )

    @api.model
    def _get_daily(self) -> SQL:
        """Return a query: the points of each day, programme and kind of entry."""
        return SQL(
            """
            SELECT program_id, date, kind, sum(points) AS points
              FROM garage_loyalty_entry GROUP BY 1, 2, 3
            """
        )

    @api.model
    def _get_cells(self, keys) -> SQL:
        """Return a query: points and their exact worth, revaluations first in a day.

        :param keys: by which of the columns of ``daily``
        """
        return SQL(
            """
            SELECT %(keys)s, daily.date, daily.kind, daily.points,
                   daily.points * worth.worth AS amount
              FROM daily
              JOIN worth USING (program_id)
             WHERE (worth.since IS NULL OR worth.since <= daily.date)
               AND (worth.until IS NULL OR worth.until > daily.date)
             UNION ALL
            SELECT %(keys)s, worth.since, '', 0, worth.change * sum(daily.points)
              FROM daily
              JOIN worth USING (program_id)
             WHERE daily.date < worth.since
             GROUP BY %(keys)s, worth.since, worth.change
            """,
            keys=keys,
        )

    @api.model
    def _get_rounded(self) -> SQL:
        """Return a query: each cell in the smallest unit of the currency."""
        return self._round(self._get_cells(self._get_keys()), self._get_keys())

    @api.model
    def _round(self, cells, keys) -> SQL:
        """Return a query: cells, rounded so that they make the rounded totals.

        Rounded totals less the rounded totals before: so whatever is added up of them
        makes the rounded total again.
        """
        return SQL(
            """
            SELECT %(keys)s, cell.date, cell.kind, cell.points,
                   round(cell.total, currency.decimal_places)
                   - round(cell.total - cell.amount, currency.decimal_places) AS amount
              FROM (SELECT cells.*, sum(amount) OVER (
                               PARTITION BY %(keys)s ORDER BY date, kind COLLATE "C")
                               AS total
                      FROM (%(cells)s) cells) cell
              JOIN garage_loyalty_program program ON program.id = cell.program_id
              JOIN res_company company ON company.id = program.company_id
              JOIN res_currency currency ON currency.id = company.currency_id
            """,
            keys=keys,
            cells=cells,
        )

    @api.model
    def _get_monthly(self) -> SQL:
        """Return a query: what each kind adds to a month."""
        sums = [
            SQL(
                "COALESCE(sum(points) FILTER (WHERE kind = %(kind)s), 0)::int "
                "AS %(name)s, COALESCE(sum(amount) FILTER (WHERE kind = %(kind)s), 0) "
                "AS %(amount)s",
                kind=kind,
                name=SQL.identifier(name),
                amount=SQL.identifier(f"{name}_amount"),
            )
            for kind, name in self._get_figures().items()
        ]
        return SQL(
            """
            SELECT %s, extract(year FROM month)::int * 12
                   + extract(month FROM month)::int - 1 AS number, %s,
                   COALESCE(sum(amount) FILTER (WHERE kind = ''), 0)
                       AS revalued_amount,
                   sum(points)::int AS points, sum(amount) AS amount
              FROM (SELECT *, date_trunc('month', date::timestamp) AS month
                      FROM rounded WHERE %s) moved
             GROUP BY %s, number
            """,
            self._get_keys(),
            SQL(", ").join(sums),
            self._get_within(),
            self._get_keys(),
        )

    @api.model
    def _get_before(self) -> SQL:
        """Return a query: what was outstanding when the period began."""
        start, _end = self._get_period()
        return SQL(
            "SELECT %(keys)s, sum(points) AS points, sum(amount) AS amount "
            "FROM rounded WHERE %(before)s GROUP BY %(keys)s",
            keys=self._get_keys(),
            before=SQL("date < %s", start) if start else SQL("FALSE"),
        )

    @api.model
    def _select(self) -> SQL:
        """Return the columns. Override, calling super, to add one."""
        names = [*self._get_names(), "revalued_amount"]
        return SQL(
            """
            SELECT %s AS id,
                   make_date(line.number / 12, line.number %% 12 + 1, 1) AS month,
                   line.program_id, program.company_id, company.currency_id,
                   line.is_running, %s,
                   line.closing - line.points AS opening, line.closing,
                   line.closing_amount - line.amount AS opening_amount,
                   line.closing_amount
            """,
            self._get_row_id(),
            SQL(", ").join(SQL.identifier("line", name) for name in names),
        )

    @api.model
    def _get_row_id(self) -> SQL:
        """Return the id of a row: months that a period cuts are other rows."""
        start, end = self._get_period()
        return SQL(
            "(line.program_id::bigint * 100000 + line.number) * 1024 + %s + %s",
            self._get_cut(start, start and 32 * (start.day - 1)),
            self._get_cut(end, end and end.day),
        )

    @api.model
    def _get_cut(self, day, number) -> SQL:
        """Return a number for the month of a day, 0 for all others."""
        if not day:
            return SQL("0")
        month = month_number(day)
        return SQL("CASE WHEN line.number = %s THEN %s ELSE 0 END", month, number)

    @api.model
    def _from(self) -> SQL:
        """Return the tables. Override, calling super, to join one more."""
        zeros = SQL(", ").join(
            SQL(
                "COALESCE(%s, 0) AS %s",
                SQL.identifier("monthly", name),
                SQL.identifier(name),
            )
            for name in ("points", "amount", *self._get_names())
        )
        return SQL(
            """
              FROM (SELECT %(keys)s, number, span.is_running, %(zeros)s,
                           COALESCE(revalued_amount, 0) AS revalued_amount,
                           monthly.points IS NOT NULL AS is_moved,
                           (sum(COALESCE(monthly.points, 0)) OVER program)::int
                               + COALESCE(earlier.points, 0)::int AS closing,
                           sum(COALESCE(monthly.amount, 0)) OVER program
                               + COALESCE(earlier.amount, 0) AS closing_amount
                      FROM (%(months)s) AS span (%(keys)s, number, is_running)
                      LEFT JOIN monthly USING (%(keys)s, number)
                      LEFT JOIN (%(before)s) earlier USING (%(keys)s)
                    WINDOW program AS (PARTITION BY %(keys)s ORDER BY number)) line
              JOIN garage_loyalty_program program ON program.id = line.program_id
              JOIN res_company company ON company.id = program.company_id
            """,
            keys=self._get_keys(),
            zeros=zeros,
            months=self._get_months(),
            before=self._get_before(),
        )

    @api.model
    def _get_months(self) -> SQL:
        """Return a query: the months of each programme, up to the running one.

        Of a period, only its own.
        """
        start, end = self._get_period()
        found = self.env.execute_query(
            SQL(
                "SELECT program_id, company_id, min(date), max(date) "
                "FROM garage_loyalty_entry GROUP BY 1, 2"
            )
        )
        # Which day it is in a company is no secret.
        companies = self.env["res.company"].sudo()
        rows = []
        for program_id, company_id, first, last in found:
            today = companies.browse(company_id)._get_loyalty_today()
            running = month_number(today)
            since = month_number(max(first, start) if start else first)
            until = max(running, month_number(last))
            until = min(until, month_number(end)) if end else until
            rows += [
                (program_id, number, number == running)
                for number in range(since, until + 1)
            ]
        return unnested(("int", "int", "boolean"), rows)
