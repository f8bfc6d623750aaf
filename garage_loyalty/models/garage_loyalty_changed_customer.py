import logging

from odoo import api, fields, models
from odoo.tools import SQL, split_every

_logger = logging.getLogger(__name__)

BATCH = 2000


class GarageLoyaltyChangedCustomer(models.Model):
    """Customers whose documents have changed since their months were looked at.

    Posting an invoice adds a row, and nothing else: nobody waits. Reports compute what
    is listed here; a job brings the facts in line and empties the list.
    """

    _name = "garage.loyalty.changed.customer"
    _description = "Customer with Changed Documents"
    _inherit = ["garage.loyalty.job.mixin"]
    _rec_name = "partner_id"
    _log_access = False

    partner_id = fields.Many2one(
        "res.partner", required=True, readonly=True, ondelete="cascade", index=True
    )

    @api.model
    def _is_empty(self):
        """Return whether the facts of everybody are those of the documents."""
        query = SQL("SELECT NOT EXISTS (SELECT FROM garage_loyalty_changed_customer)")
        return self.env.execute_query(query)[0][0]

    @api.model
    def _note(self, partner_ids):
        """Note that documents of customers have changed.

        :param partner_ids: of commercial partners; others do no harm
        """
        if partner_ids:
            self.env.cr.execute(self._get_note_query(partner_ids))

    @api.model
    def _get_note_query(self, partner_ids):
        return SQL(
            "INSERT INTO garage_loyalty_changed_customer (partner_id) "
            "SELECT unnest(%s::int[])",
            list(partner_ids),
        )

    @api.model
    def _note_buyers(self, product_ids):
        """Note everybody who was ever invoiced one of some products."""
        self.env["account.move.line"].flush_model(["product_id", "move_id"])
        self.env.cr.execute(
            SQL(
                "INSERT INTO garage_loyalty_changed_customer (partner_id) "
                "SELECT DISTINCT move.commercial_partner_id "
                "FROM account_move_line line "
                "JOIN account_move move ON move.id = line.move_id "
                "WHERE line.product_id = ANY(%s) AND move.state = 'posted' "
                "AND move.commercial_partner_id IS NOT NULL",
                product_ids,
            )
        )

    @api.model
    def _process(self, batch=BATCH):
        """Bring the facts of the customers in line, and take them off the list.

        What another transaction adds meanwhile is not seen, and stays.

        :return: how many rows of the list are done
        """
        rows = self.env.execute_query(
            SQL(
                "SELECT id, partner_id FROM garage_loyalty_changed_customer "
                "WHERE partner_id IN (SELECT DISTINCT partner_id "
                "FROM garage_loyalty_changed_customer LIMIT %s)",
                batch,
            )
        )
        if not rows:
            return 0
        self._refresh({partner_id for _id, partner_id in rows})
        self.env.cr.execute(
            SQL(
                "DELETE FROM garage_loyalty_changed_customer WHERE id = ANY(%s)",
                [row[0] for row in rows],
            )
        )
        return len(rows)

    @api.model
    def _cron_process(self):
        """Bring the facts of customers whose documents have changed in line."""
        self._run_step(self._process, 1)

    @api.model
    def _cron_check(self, batch=BATCH):
        """Compare the facts of all customers with their documents every night.

        Keeps its place, so that it can be interrupted at any moment. Puts everybody in
        the stage of the day first, and records who has lapsed.
        """
        Cron = self.env["ir.cron"]
        Lapse = self.env["garage.loyalty.lapse"]
        # Whoever came back today is no longer away, and has not lapsed.
        if not self._run_step(self._process, 1):
            return
        self.env["garage.loyalty.customer"]._restage()
        if not self._run_step(Lapse._record_all, 1):
            return
        # Settings are the administrator's; this is where the job keeps its place.
        params = self.env["ir.config_parameter"].sudo()
        place = "garage_loyalty.customer_check"
        ids = self._get_customer_ids(int(params.get_param(place, 0)))
        left = len(ids)
        for chunk in split_every(batch, ids, list):
            changed = self._refresh(chunk)
            if changed:
                _logger.info("%s facts corrected of %s customers", changed, len(chunk))
            params.set_param(place, chunk[-1])
            left -= len(chunk)
            if not Cron._commit_progress(len(chunk), remaining=left):
                return
        params.set_param(place, 0)
        # On the first day, nothing was known before.
        Lapse._record_all()
        wrong = self.env["garage.loyalty.movement.count"]._check()
        if wrong:
            _logger.warning("%s counts of active months were wrong", wrong)

    @api.model
    def _refresh(self, partner_ids):
        """Bring all facts of customers in line. Override to derive one fact more.

        :return: the number of rows that changed
        """
        models = (
            "garage.loyalty.active.month",
            "garage.loyalty.benefit",
            "garage.loyalty.customer",
            "garage.loyalty.member.month",
            "garage.loyalty.regular.work",
            "garage.loyalty.lapse",
            "garage.loyalty.campaign.contact",
        )
        return sum(self.env[model]._sync(partner_ids) for model in models)

    @api.model
    def _forget(self, partner_ids):
        """Remove all facts of customers who are merged into others.

        Override together with ``_refresh``.
        """
        self.env["garage.loyalty.active.month"]._forget(partner_ids)
        self.env["garage.loyalty.lapse"]._forget(partner_ids)
        self.env["garage.loyalty.campaign.contact"]._forget(partner_ids)
        for table in (
            "garage_loyalty_benefit",
            "garage_loyalty_customer",
            "garage_loyalty_member_month",
            "garage_loyalty_regular_work",
        ):
            self.env.cr.execute(
                SQL(
                    "DELETE FROM %s WHERE partner_id = ANY(%s)",
                    SQL.identifier(table),
                    list(partner_ids),
                )
            )

    @api.model
    def _rebuild(self, batch=BATCH):
        """Compute the facts of everybody again, for a shell or a script.

        Does not commit.

        :return: the number of rows that changed
        """
        return sum(
            self._refresh(ids)
            for ids in split_every(batch, self._get_customer_ids(), list)
        )

    @api.model
    def _get_customer_ids(self, after=0):
        """Return the ids, in order, of everybody who is or was a customer."""
        found = self.env.execute_query(
            SQL(
                """
                SELECT owner.commercial_partner_id FROM account_move move
                  JOIN res_partner owner ON owner.id = move.commercial_partner_id
                 WHERE move.move_type = 'out_invoice'
                   AND owner.commercial_partner_id > %(after)s
                UNION SELECT partner_id FROM garage_loyalty_active_month
                 WHERE partner_id > %(after)s
                UNION SELECT partner_id FROM garage_loyalty_customer
                 WHERE partner_id > %(after)s
                UNION SELECT partner_id FROM garage_loyalty_member
                 WHERE partner_id > %(after)s
                UNION SELECT customer.commercial_partner_id FROM repair_order repair
                  JOIN res_partner customer ON customer.id = repair.partner_id
                 WHERE customer.commercial_partner_id > %(after)s
                 ORDER BY 1
                """,
                after=after,
            )
        )
        return [row[0] for row in found]
