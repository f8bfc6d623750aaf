from odoo import api, models
from odoo.tools import SQL

from ..tools.rows import columns, values

BEFORE = ["prev_date", "prev_paid_date", "prev_same_date"]


class GarageLoyaltyVisitSyncMixin(models.AbstractModel):
    """The statement that brings visits in line with their documents."""

    _name = "garage.loyalty.visit.sync.mixin"
    _description = "Synchronisation of Visits"
    _inherit = ["garage.loyalty.append.mixin"]

    @api.model
    def _sync(self, key, ids):
        """Bring the rows of documents in line with them.

        :return: the number of rows that changed
        """
        if not ids:
            return 0
        self.env.flush_all()
        ids = list(ids)
        Facts = self.env["garage.loyalty.facts"]
        facts = (
            Facts._get_repair_query(ids)
            if key == "repair_id"
            else Facts._get_invoice_query(ids)
        )
        self.env.cr.execute(self._get_sync_query(key, ids, facts))
        changed = self.env.cr.fetchone()[0]
        if changed:
            self._forget_cached_facts()
        return changed

    @api.model
    def _add(self, key, vals_list, totals=None, also=None):
        """Add the rows of documents that are no visit yet, and whose facts are known.

        :param vals_list: dicts of all that ``garage.loyalty.facts`` yields
        :param totals: SQL of what else is asked of each row, on its table
        :param also: SQL of CTEs: what else is written by the same statement
        :return: the answers, of each document of which a row was added, by its id
        """
        if not vals_list:
            return {}
        names = self.env["garage.loyalty.facts"]._get_names()
        facts = [{name: vals[name] for name in names} for vals in vals_list]
        if key == "repair_id":
            query = self._get_add_query([vals[key] for vals in facts], facts, also)
        else:
            query = self._get_insert(facts)
            query = SQL("WITH %s %s", also, query) if also else query
        query = SQL(
            "%s RETURNING %s, %s", query, SQL.identifier(key), totals or SQL("NULL")
        )
        added = dict(self.env.execute_query(query))
        self._forget_cached_facts()
        return added

    @api.model
    def _get_add_query(self, ids, facts, also=None):
        """Return the statement that adds visits of repair orders with what goes before.

        The same as ``_get_sync_query``, where nothing is to be removed or overwritten.
        """
        names = columns(facts[0])
        return SQL(
            """
            WITH %(also)s
                 fact AS MATERIALIZED (SELECT * FROM (%(rows)s) AS fact (%(names)s)),
                 %(history)s, moved AS (%(moved)s)
            INSERT INTO garage_loyalty_visit (%(names)s, %(before)s)
            SELECT %(names)s, %(before)s FROM fact LEFT JOIN previous USING (repair_id)
             ORDER BY repair_id
            ON CONFLICT DO NOTHING
            """,
            also=SQL("%s,", also) if also else SQL(),
            rows=values(self, facts),
            names=names,
            before=columns(BEFORE),
            history=self._get_history("repair_id", ids),
            moved=self._get_moved(ids),
        )

    @api.model
    def _get_sync_query(self, key, ids, facts):
        """Return the statement that writes and removes the rows of ``ids``.

        It also stamps the dates of the previous visits, on the rows of ``ids`` and on
        those that follow them, and yields the number of rows it changed.
        """
        return SQL(
            """
            WITH fact AS MATERIALIZED (%(facts)s), %(history)s, gone AS (
                DELETE FROM garage_loyalty_visit
                 WHERE %(key)s = ANY(%(ids)s)
                   AND %(key)s NOT IN (SELECT %(key)s FROM fact)
                RETURNING id, partner_id
            ), put AS (%(put)s), moved AS (%(moved)s), noted AS (
                INSERT INTO garage_loyalty_changed_customer (partner_id)
                SELECT partner_id FROM gone UNION SELECT partner_id FROM put
                UNION SELECT before.partner_id
                  FROM garage_loyalty_visit before JOIN put USING (id)
            )
            SELECT (SELECT count(*) FROM gone) + (SELECT count(*) FROM put)
                   + (SELECT count(*) FROM moved)
            """,
            facts=facts,
            history=self._get_history(key, ids),
            key=SQL.identifier(key),
            ids=ids,
            put=self._get_put(key),
            moved=self._get_moved(ids),
        )

    @api.model
    def _get_moved(self, ids):
        """Return the statement that corrects what goes before the other visits.

        A row that another transaction is writing is left to it, or to the nightly
        check: posting invoices of one customer in parallel never waits.
        """
        return SQL(
            """
            UPDATE garage_loyalty_visit SET (%(before)s) = (%(previous)s)
              FROM previous
             WHERE garage_loyalty_visit.repair_id = previous.repair_id
               AND garage_loyalty_visit.id IN (
                    SELECT visit.id
                      FROM garage_loyalty_visit visit JOIN previous USING (repair_id)
                     WHERE visit.repair_id <> ALL(%(ids)s)
                       AND (%(current)s) IS DISTINCT FROM (%(previous)s)
                       FOR UPDATE OF visit SKIP LOCKED)
            RETURNING id
            """,
            ids=ids,
            before=columns(BEFORE),
            current=self._get_columns_of("visit", BEFORE),
            previous=self._get_columns_of("previous", BEFORE),
        )

    @api.model
    def _get_columns_of(self, table, names):
        return SQL(", ").join(SQL.identifier(table, name) for name in names)

    @api.model
    def _get_put(self, key):
        """Return the statement that writes the rows that are not as the facts say."""
        names = [*self.env["garage.loyalty.facts"]._get_names(), *BEFORE]
        excluded = (SQL("EXCLUDED.%s", SQL.identifier(name)) for name in names)
        return SQL(
            """
                INSERT INTO garage_loyalty_visit (%(columns)s)
                SELECT %(columns)s FROM fact LEFT JOIN previous USING (repair_id)
                 ORDER BY %(key)s
                ON CONFLICT (%(key)s) DO UPDATE SET (%(columns)s) = (%(excluded)s)
                 WHERE (%(current)s) IS DISTINCT FROM (%(excluded)s)
                RETURNING id, partner_id
            """,
            key=SQL.identifier(key),
            columns=columns(names),
            excluded=SQL(", ").join(excluded),
            current=self._get_columns_of(self._table, names),
        )

    @api.model
    def _get_history(self, key, ids):
        """Return CTEs: the previous visit of all visits of the customers in question.

        As the base will be after the statement: the facts take the place of the rows.
        """
        if key == "move_id":
            # Only repair orders have a previous visit.
            return SQL(
                "previous AS (SELECT NULL::int AS repair_id, NULL::date AS prev_date, "
                "NULL::date AS prev_paid_date, NULL::date AS prev_same_date "
                "WHERE FALSE)"
            )
        return SQL(
            """
            customer AS (
                SELECT company_id, partner_id FROM fact
                UNION
                SELECT company_id, partner_id FROM garage_loyalty_visit
                 WHERE repair_id = ANY(%(ids)s)
            ), history AS (
                SELECT company_id, partner_id, date, repair_id, is_member,
                       %(is_paid)s AS is_paid FROM fact visit
                UNION ALL
                SELECT visit.company_id, visit.partner_id, visit.date, visit.repair_id,
                       visit.is_member, %(is_paid)s
                  FROM garage_loyalty_visit visit
                  JOIN customer USING (company_id, partner_id)
                 WHERE visit.kind = 'repair' AND visit.repair_id <> ALL(%(ids)s)
            ), previous AS (
                SELECT repair_id,
                       lag(date) OVER (PARTITION BY company_id, partner_id
                                           ORDER BY date, repair_id) AS prev_date,
                       CASE WHEN is_paid THEN lag(date) OVER (
                           PARTITION BY company_id, partner_id, is_paid
                               ORDER BY date, repair_id) END AS prev_paid_date,
                       CASE WHEN is_paid THEN lag(date) OVER (
                           PARTITION BY company_id, partner_id, is_paid, is_member
                               ORDER BY date, repair_id) END AS prev_same_date
                  FROM history
            )
            """,
            ids=ids,
            is_paid=self._get_is_paid(),
        )

    @api.model
    def _get_is_paid(self):
        """Return the SQL of whether ``visit`` counts in averages by default.

        Not under warranty, and worth something before rewards. Override to leave out
        other visits, and have all visits done again (``_rebuild``).
        """
        return SQL(
            "(visit.is_warranty IS NOT TRUE "
            "AND visit.amount + visit.amount_discount <> 0)"
        )
