from odoo import api, models
from odoo.tools import SQL

from ..tools.rows import columns


class GarageLoyaltyVisitSyncMixin(models.AbstractModel):
    """The statement that brings visits in line with their documents."""

    _name = "garage.loyalty.visit.sync.mixin"
    _description = "Synchronisation of Visits"

    @api.model
    def _get_sync_query(self, key, ids):
        """Return the statement that writes and removes the rows of ``ids``.

        It also stamps the date of the previous visit, on the rows of ``ids`` and on
        those that follow them, and yields the number of rows it changed.
        """
        Facts = self.env["garage.loyalty.facts"]
        facts = (
            Facts._get_repair_query(ids)
            if key == "repair_id"
            else Facts._get_invoice_query(ids)
        )
        return SQL(
            """
            WITH fact AS MATERIALIZED (%(facts)s), %(history)s, gone AS (
                DELETE FROM garage_loyalty_visit
                 WHERE %(key)s = ANY(%(ids)s)
                   AND %(key)s NOT IN (SELECT %(key)s FROM fact)
                RETURNING id
            ), put AS (%(put)s
            ), moved AS (
                UPDATE garage_loyalty_visit SET prev_date = previous.prev_date
                  FROM previous
                 WHERE garage_loyalty_visit.repair_id = previous.repair_id
                   AND garage_loyalty_visit.repair_id <> ALL(%(ids)s)
                   AND garage_loyalty_visit.prev_date
                       IS DISTINCT FROM previous.prev_date
                RETURNING id
            )
            SELECT (SELECT count(*) FROM gone) + (SELECT count(*) FROM put)
                   + (SELECT count(*) FROM moved)
            """,
            facts=facts,
            history=self._get_history(key, ids),
            key=SQL.identifier(key),
            ids=ids,
            put=self._get_put(key),
        )

    @api.model
    def _get_put(self, key):
        """Return the statement that writes the rows that are not as the facts say."""
        names = [*self.env["garage.loyalty.facts"]._get_names(), "prev_date"]
        excluded = (SQL("EXCLUDED.%s", SQL.identifier(name)) for name in names)
        current = (SQL.identifier(self._table, name) for name in names)
        return SQL(
            """
                INSERT INTO garage_loyalty_visit (%(columns)s)
                SELECT %(columns)s FROM fact LEFT JOIN previous USING (repair_id)
                 ORDER BY %(key)s
                ON CONFLICT (%(key)s) DO UPDATE SET (%(columns)s) = (%(excluded)s)
                 WHERE (%(current)s) IS DISTINCT FROM (%(excluded)s)
                RETURNING id
            """,
            key=SQL.identifier(key),
            columns=columns(names),
            excluded=SQL(", ").join(excluded),
            current=SQL(", ").join(current),
        )

    @api.model
    def _get_history(self, key, ids):
        """Return CTEs: the previous visit of all visits of the customers in question.

        As the base will be after the statement: the facts take the place of the rows.
        """
        if key == "move_id":
            # Only repair orders have a previous visit.
            return SQL(
                "previous AS (SELECT NULL::int AS repair_id, "
                "NULL::date AS prev_date WHERE FALSE)"
            )
        return SQL(
            """
            customer AS (
                SELECT company_id, partner_id FROM fact
                UNION
                SELECT company_id, partner_id FROM garage_loyalty_visit
                 WHERE repair_id = ANY(%(ids)s)
            ), history AS (
                SELECT company_id, partner_id, date, repair_id FROM fact
                UNION ALL
                SELECT visit.company_id, visit.partner_id, visit.date, visit.repair_id
                  FROM garage_loyalty_visit visit
                  JOIN customer USING (company_id, partner_id)
                 WHERE visit.kind = 'repair' AND visit.repair_id <> ALL(%(ids)s)
            ), previous AS (
                SELECT repair_id, lag(date) OVER (
                           PARTITION BY company_id, partner_id
                           ORDER BY date, repair_id) AS prev_date
                  FROM history
            )
            """,
            ids=ids,
        )
