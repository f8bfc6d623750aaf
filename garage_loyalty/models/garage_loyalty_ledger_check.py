import logging

from odoo import api, models
from odoo.tools import SQL, split_every

_logger = logging.getLogger(__name__)


class GarageLoyaltyLedgerCheck(models.AbstractModel):
    """Does everything in the ledger add up, and is every entry as it was posted?

    Balance = entries = what is left in lots - debt, for every member; every entry is
    explained by its lot and its allocations; its checksum fits.
    """

    _name = "garage.loyalty.ledger.check"
    _description = "Check of the Points Ledger"

    @api.model
    def _cron_check_ledger(self, batch=5000):
        """Compare the whole ledger with itself, and report differences to managers.

        Walks through the members by id and keeps its place, so that it can be
        interrupted at any moment. Changes nothing but activities.
        """
        Cron = self.env["ir.cron"]
        # Settings are the administrator's; this is where the job keeps its place.
        params = self.env["ir.config_parameter"].sudo()
        place = "garage_loyalty.ledger_check"
        done = int(params.get_param(place, 0))
        Member = self.env["garage.loyalty.member"]
        ids = Member.search([("id", ">", done)], order="id").ids
        left = len(ids)
        if not done:
            self._report_differences(self._find_strays())
        for chunk in split_every(batch, ids, Member.browse):
            self._report_differences(self._find_differences(chunk))
            left -= len(chunk)
            params.set_param(place, left and chunk[-1].id)
            if not Cron._commit_progress(len(chunk), remaining=left):
                return
        params.set_param(place, 0)

    @api.model
    def _find_differences(self, members):
        """Return what does not add up, as dicts: member_id, row and problem.

        Rows are named by table and id, so that they can be found in the database.
        """
        self.env.flush_all()
        query = SQL(" UNION ALL ").join(
            SQL("(%s)", part) for part in self._get_difference_queries(members.ids)
        )
        problems = self._get_problems()
        return [
            row | {"problem": problems[row["problem"]]}
            for row in self.env.execute_query_dict(
                SQL("SELECT * FROM (%s) difference ORDER BY member_id, row_name", query)
            )
        ]

    @api.model
    def _find_strays(self):
        """Return rows of members that do not exist, as ``_find_differences``."""
        problem = self._get_problems()["missing"]
        queries = [
            SQL(
                """
                SELECT member_id, %(name)s || ' ' || id AS row_name FROM %(table)s row
                 WHERE NOT EXISTS (SELECT FROM garage_loyalty_member member
                                    WHERE member.id = row.member_id)
                """,
                name=table,
                table=SQL.identifier(table),
            )
            for table in ("garage_loyalty_entry", "garage_loyalty_lot")
        ]
        rows = self.env.execute_query_dict(SQL(" UNION ALL ").join(queries))
        return [row | {"problem": problem} for row in rows]

    @api.model
    def _get_all_programs(self):
        Program = self.env["garage.loyalty.program"]
        return Program.search([("active", "in", (True, False))])

    @api.model
    def _get_problems(self):
        return {
            "changed": self.env._("was changed after it was posted"),
            "lot": self.env._("does not agree with its lot and allocations"),
            "left": self.env._("does not have left what its allocations say"),
            "missing": self.env._(
                "belongs to an entry, a lot or a member that is missing"
            ),
            "balance": self.env._("has another balance than its entries say"),
            "debt": self.env._("owes other points than its entries say"),
        }

    @api.model
    def _get_difference_queries(self, member_ids):
        """Return queries of differences. Override to check more.

        They yield member_id, row_name and a key of ``_get_problems``.
        """
        member = SQL("member_id = ANY(%s)", list(member_ids))
        return [
            self._get_entry_differences(member),
            self._get_lot_differences(member),
            self._get_allocation_differences(member),
            self._get_orphans(member),
            self._get_balance_differences(member),
        ]

    @api.model
    def _get_entry_differences(self, member):
        return SQL(
            """
            SELECT entry.member_id, 'garage_loyalty_entry ' || entry.id AS row_name,
                   CASE WHEN entry.checksum
                             IS DISTINCT FROM garage_loyalty_checksum(entry)
                        THEN 'changed' ELSE 'lot' END AS problem
              FROM garage_loyalty_entry entry
              LEFT JOIN (SELECT entry_id, sum(points) AS points
                           FROM garage_loyalty_lot WHERE %(member)s GROUP BY 1) lot
                ON lot.entry_id = entry.id
              LEFT JOIN LATERAL (
                   SELECT COALESCE(sum(points), 0) AS points
                     FROM garage_loyalty_allocation
                    WHERE entry_id = entry.id) taken ON TRUE
             WHERE entry.%(member)s AND (
                   entry.checksum IS DISTINCT FROM garage_loyalty_checksum(entry)
                   OR CASE WHEN entry.points > 0
                      THEN entry.points <> COALESCE(lot.points, 0) - taken.points
                      ELSE taken.points NOT BETWEEN 0 AND -entry.points
                           OR lot.points IS NOT NULL END)
            """,
            member=member,
        )

    @api.model
    def _get_lot_differences(self, member):
        return SQL(
            """
            SELECT lot.member_id, 'garage_loyalty_lot ' || lot.id,
                   CASE WHEN lot.remaining <> lot.points - taken.points
                        THEN 'left' ELSE 'lot' END
              FROM garage_loyalty_lot lot
              JOIN garage_loyalty_entry entry
                ON entry.id = lot.entry_id AND entry.member_id = lot.member_id
              LEFT JOIN LATERAL (
                   SELECT COALESCE(sum(points), 0) AS points
                     FROM garage_loyalty_allocation
                    WHERE lot_id = lot.id) taken ON TRUE
              LEFT JOIN LATERAL (
                   SELECT COALESCE(sum(points), 0) AS points
                     FROM garage_loyalty_allocation
                    WHERE entry_id = entry.id) back ON TRUE
             WHERE lot.%(member)s AND (lot.remaining <> lot.points - taken.points
                   OR lot.points <> entry.points + back.points)
            """,
            member=member,
        )

    @api.model
    def _get_allocation_differences(self, member):
        return SQL(
            """
            SELECT lot.member_id, 'garage_loyalty_allocation ' || allocation.id,
                   'changed'
              FROM garage_loyalty_lot lot
              JOIN garage_loyalty_allocation allocation ON allocation.lot_id = lot.id
             WHERE lot.%s AND allocation.checksum
                   IS DISTINCT FROM garage_loyalty_checksum(allocation)
            """,
            member,
        )

    @api.model
    def _get_orphans(self, member):
        return SQL(
            """
            SELECT lot.member_id, 'garage_loyalty_lot ' || lot.id || COALESCE(
                   ' (garage_loyalty_entry ' || lot.entry_id || ')', ''), 'missing'
              FROM garage_loyalty_lot lot
              LEFT JOIN garage_loyalty_entry entry
                ON entry.id = lot.entry_id AND entry.member_id = lot.member_id
             WHERE lot.%(member)s AND entry.id IS NULL
            UNION ALL
            SELECT COALESCE(lot.member_id, entry.member_id),
                   'garage_loyalty_allocation ' || allocation.id
                   || ' (garage_loyalty_entry ' || allocation.entry_id || ')', 'missing'
              FROM garage_loyalty_allocation allocation
              LEFT JOIN garage_loyalty_entry entry ON entry.id = allocation.entry_id
              LEFT JOIN garage_loyalty_lot lot ON lot.id = allocation.lot_id
             WHERE (lot.%(member)s OR entry.%(member)s)
               AND lot.member_id IS DISTINCT FROM entry.member_id
            """,
            member=member,
        )

    @api.model
    def _get_balance_differences(self, member):
        return SQL(
            """
            SELECT id, 'garage_loyalty_member ' || id, problem
              FROM (SELECT member.id, CASE
                    WHEN member.settled_points <> COALESCE(entry.points, 0)
                                                - COALESCE(lot.fresh, 0)
                    THEN 'balance'
                    WHEN member.debt <> COALESCE(lot.points, 0)
                                      - COALESCE(entry.points, 0)
                    THEN 'debt' END AS problem
                      FROM garage_loyalty_member member
                      LEFT JOIN (SELECT member_id, sum(points) AS points
                                   FROM garage_loyalty_entry WHERE %(member)s
                                  GROUP BY 1) entry ON entry.member_id = member.id
                      LEFT JOIN (SELECT member_id, sum(remaining) AS points,
                                        sum(remaining) FILTER (
                                            WHERE is_settled IS NOT TRUE) AS fresh
                                   FROM garage_loyalty_lot WHERE %(member)s
                                  GROUP BY 1) lot ON lot.member_id = member.id
                     WHERE member.%(id)s) balance
             WHERE problem IS NOT NULL
            """,
            member=member,
            id=SQL("id = ANY(%s)", member.params[0]),
        )

    @api.model
    def _report_differences(self, differences):
        """Tell the managers of each programme, in one activity."""
        Member = self.env["garage.loyalty.member"]
        by_program = {}
        for difference in differences:
            member = Member.browse(difference["member_id"]).exists()
            line = self.env._(
                "%(member)s: %(row)s %(problem)s",
                member=member.number or difference["member_id"],
                row=difference["row_name"],
                problem=difference["problem"],
            )
            _logger.error("The points ledger does not add up: %s", line)
            for program in member.program_id or self._get_all_programs():
                by_program.setdefault(program, []).append(line)
        for program, lines in by_program.items():
            program._report_to_managers(lines)
