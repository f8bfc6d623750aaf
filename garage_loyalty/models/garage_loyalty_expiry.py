from datetime import timedelta
from functools import partial

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from ..tools.lots import INACTIVITY


class GarageLoyaltyExpiry(models.AbstractModel):
    """The nightly job in which points expire, after their owners have been warned.

    Four steps, each for the whole base and in batches: add new points to the stored
    balances, give more time to customers who came back, warn, expire. Every batch is
    one transaction that leaves nothing half done, so that the job can be killed
    anywhere; run again, it finds only what is still to be done.
    """

    _name = "garage.loyalty.expiry"
    _inherit = ["garage.loyalty.job.mixin"]
    _description = "Expiry of Loyalty Points"

    @api.model
    def _cron_expire(self, batch=5000):
        """Let points expire that could be spent until yesterday.

        Yesterday is that of each company, in the time zone of its contact.
        """
        programs = self.env["garage.loyalty.program"].with_context(active_test=False)
        companies = programs.search([("active", "in", (True, False))]).company_id
        inactivity = programs.search([("expiry_rule", "=", INACTIVITY)])
        warning = programs.search([("warning_days", ">", 0)])
        steps = [
            partial(self._settle_batch, batch),
            *(partial(self._postpone, program) for program in inactivity),
            *(partial(self._warn_batch, item, min(batch, 200)) for item in warning),
            *(partial(self._expire_batch, company, batch) for company in companies),
        ]
        for number, step in enumerate(steps):
            if not self._run_step(step, len(steps) - number):
                return
        self.env["ir.cron"]._commit_progress(0, remaining=0)

    @api.model
    def _settle_batch(self, batch):
        """Add points that were only given so far to the stored balances."""
        rows = self.env["garage.loyalty.lot"]._read_group(
            [("is_settled", "=", False)], ["member_id"], limit=batch
        )
        members = self.env["garage.loyalty.member"].browse(row[0].id for row in rows)
        members._settle()
        members._forward_points()
        return len(members)

    @api.model
    def _postpone(self, program):
        """Give more time to those who came back before their points expired.

        Who came back several times is given more time again: it is called until
        nothing changes.
        """
        today = program.company_id._get_loyalty_today()
        due = SQL("AND lot.date_expiry <= %s", today + timedelta(program.warning_days))
        lot_ids, days, plan = [], [], program._get_rules()
        in_time = SQL("AND visit.date <= lot.date_expiry")
        start = program._get_start_sql(INACTIVITY, in_time)
        for group in program._get_open_groups(start, due):
            day = plan.expiry_day(group["start"], group["is_bonus"], group["given"])
            if day and day > group["date_expiry"]:
                lot_ids += group["lots"]
                days += [day] * len(group["lots"])
        self.env["garage.loyalty.lot"]._set_expiry(lot_ids, days)
        return len(lot_ids)

    @api.model
    def _warn_batch(self, program, batch):
        """Tell customers, once, that points are about to expire."""
        Lot = self.env["garage.loyalty.lot"]
        today = program.company_id._get_loyalty_today()
        domain = self._get_warning_domain(program, today)
        rows = Lot._read_group(domain, ["member_id"], limit=batch)
        members = self.env["garage.loyalty.member"].browse(row[0].id for row in rows)
        if not members:
            return 0
        lots = Lot.search(domain & Domain("member_id", "in", members.ids))
        # A message for each day: which points expire when is clear.
        alike = lots.grouped(lambda lot: (lot.member_id, lot.date_expiry))
        for (member, _day), mine in alike.items():
            member._send_expiry_warning(mine)
        lots.date_warned = today
        return len(members)

    @api.model
    def _get_warning_domain(self, program, today):
        """Return the lots of which their owners are to be warned on a day.

        Override to warn other customers than active members with an e-mail address
        whose contact is not archived.
        """
        until = today + timedelta(days=program.warning_days)
        return (
            Domain("remaining", ">", 0)
            & Domain("date_expiry", ">=", today)
            & Domain("date_expiry", "<=", until)
            & Domain("date_warned", "=", False)
            & Domain("member_id.program_id", "=", program.id)
            & Domain("member_id.state", "=", "active")
            & Domain("member_id.partner_id.email", "!=", False)
            & Domain("member_id.partner_id.active", "=", True)
        )

    @api.model
    def _expire_batch(self, company, batch):
        """Take what could be spent until yesterday from its lots and balances."""
        due = SQL(
            "lot.is_settled AND lot.date_expiry < %s AND given.company_id = %s",
            company._get_loyalty_today(),
            company.id,
        )
        return self._expire(self._get_due_query(due, batch))

    @api.model
    def _expire_lots(self, lots):
        """Take what is left in lots from them, and from the balances."""
        if lots:
            condition = SQL("lot.id = ANY(%s)", lots.ids)
            self._expire(self._get_due_query(condition, len(lots)))

    @api.model
    def _expire(self, due):
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                """
                WITH due AS (%(due)s), account AS (
                    UPDATE garage_loyalty_member member
                       SET settled_points = settled_points - gone.points
                      FROM (SELECT member_id, sum(remaining) AS points
                              FROM due GROUP BY 1) gone
                     WHERE member.id = gone.member_id
                ), emptied AS (
                    -- By an array: joined, the planner reads the whole table.
                    UPDATE garage_loyalty_lot SET remaining = 0
                     WHERE id = ANY(ARRAY(SELECT id FROM due))
                ), entry AS (%(entries)s)
                INSERT INTO garage_loyalty_allocation (entry_id, lot_id, points)
                SELECT entry.id, entry.source_id, -entry.points FROM entry
                """,
                due=due,
                entries=self._get_expiry_entries(),
            )
        )
        expired = self.env.cr.rowcount
        if expired:
            self.env.invalidate_all(flush=False)
        return expired

    @api.model
    def _get_due_query(self, condition, batch):
        """Return a query: the lots that nobody can spend any more."""
        return SQL(
            """
            SELECT lot.id, lot.member_id, lot.remaining, lot.date_expiry,
                   given.program_id, given.company_id, given.source_name
              FROM garage_loyalty_lot lot
              JOIN garage_loyalty_entry given ON given.id = lot.entry_id
             WHERE lot.remaining > 0 AND %s
             ORDER BY lot.date_expiry, lot.id
             LIMIT %s
            """,
            condition,
            batch,
        )

    @api.model
    def _get_expiry_entries(self):
        """Return the statement that appends the entries; its source is the lot."""
        return SQL(
            """
            INSERT INTO garage_loyalty_entry (
                   member_id, program_id, company_id, date, kind, points, reason,
                   user_id, source_model, source_id, source_seq, source_name,
                   create_uid, create_date)
            SELECT member_id, program_id, company_id, date_expiry, 'expire',
                   -remaining, %(reason)s, %(uid)s, 'garage.loyalty.lot', due.id,
                   1 + (SELECT count(*) FROM garage_loyalty_entry earlier
                         WHERE earlier.source_model = 'garage.loyalty.lot'
                           AND earlier.source_id = due.id),
                   source_name, %(uid)s, %(now)s
              FROM due
            RETURNING id, source_id, points
            """,
            reason=self.env._("Expired"),
            uid=self.env.uid,
            now=fields.Datetime.to_string(self.env.cr.now()),
        )
