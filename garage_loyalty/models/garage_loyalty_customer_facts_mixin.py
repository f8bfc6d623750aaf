from odoo import api, models
from odoo.tools import SQL

from ..tools.rows import columns


class GarageLoyaltyCustomerFactsMixin(models.AbstractModel):
    """How facts of customers are brought in line with their documents."""

    _name = "garage.loyalty.customer.facts.mixin"
    _description = "Facts of Customers"

    @api.model
    def _sync(self, partner_ids):
        """Bring the facts of customers in line. Idempotent.

        :param partner_ids: of commercial partners
        :return: the number of rows that changed
        """
        if not partner_ids:
            return 0
        self.env.flush_all()
        self.env.cr.execute(self._get_sync_query(list(partner_ids)))
        changed = self.env.cr.fetchone()[0]
        if changed:
            self.env.invalidate_all(flush=False)
        return changed

    @api.model
    def _get_sync_query(self, partner_ids):
        """Return the statement that writes the facts; it yields how many changed."""
        raise NotImplementedError

    @api.model
    def _get_net_query(self, partner, company, period):
        """Return a query: what was invoiced to a customer, less what was credited.

        Without tax, in the currency of the company.

        :param partner: the SQL of a commercial partner
        :param company: the SQL of the company that keeps the accounts
        :param period: the SQL of a condition on ``move.invoice_date``
        """
        return SQL(
            """
            SELECT sum(move.amount_untaxed_signed)
              FROM res_partner part
              JOIN account_move move ON move.commercial_partner_id = part.id
              JOIN res_company branch ON branch.id = move.company_id
             WHERE part.commercial_partner_id = %(partner)s
               AND branch.loyalty_company_id = %(company)s
               AND move.move_type IN ('out_invoice', 'out_refund')
               AND move.state = 'posted' AND %(period)s
            """,
            partner=partner,
            company=company,
            period=period,
        )

    @api.model
    def _get_upsert(self, names):
        """Return the pieces of a statement that writes only rows that differ.

        :return: the columns, the new values of a conflict, the values that are there
        """
        return {
            "names": columns(names),
            "excluded": SQL(", ").join(
                SQL("EXCLUDED.%s", SQL.identifier(name)) for name in names
            ),
            "current": SQL(", ").join(
                SQL.identifier(self._table, name) for name in names
            ),
        }
