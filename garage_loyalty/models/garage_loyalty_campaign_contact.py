from odoo import api, fields, models
from odoo.tools import SQL

from .garage_loyalty_campaign import TRIGGERS

# Until when what a customer is invoiced counts as the success of a campaign.
SUCCESS_DAYS = 90


class GarageLoyaltyCampaignContact(models.Model):
    """A customer whom a campaign has contacted, and what became of it."""

    _name = "garage.loyalty.campaign.contact"
    _description = "Customer of a Campaign"
    _inherit = [
        "garage.loyalty.append.mixin",
        "garage.loyalty.campaign.means.mixin",
        "garage.loyalty.customer.facts.mixin",
        "garage.loyalty.export.mixin",
        "garage.loyalty.history.mixin",
    ]
    _order = "date desc, id desc"
    _rec_name = "partner_id"
    _log_access = False

    campaign_id = fields.Many2one(
        "garage.loyalty.campaign", required=True, readonly=True, ondelete="cascade"
    )
    company_id = fields.Many2one(
        "res.company", required=True, readonly=True, ondelete="cascade"
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    partner_id = fields.Many2one(
        "res.partner",
        string="Customer",
        required=True,
        readonly=True,
        ondelete="cascade",
    )
    phone = fields.Char(related="partner_id.phone")
    email = fields.Char(related="partner_id.email")
    trigger = fields.Selection(TRIGGERS, string="Why", required=True, readonly=True)
    date = fields.Date(string="Contacted on", required=True, readonly=True)
    last_date = fields.Date(
        string="Last visit", readonly=True, help="Date of the last invoice before."
    )
    is_member = fields.Boolean(string="Member", readonly=True)
    is_left_out = fields.Boolean(
        string="Left out",
        readonly=True,
        help="Chosen by chance and not contacted, for comparison.",
    )
    user_id = fields.Many2one(
        "res.users", string="Advisor", readonly=True, ondelete="set null"
    )
    returned_date = fields.Date(
        string="Came back on",
        readonly=True,
        help="Date of the first invoice since, other than that of the last visit.",
    )
    return_rate = fields.Float(
        string="Share who came back", readonly=True, aggregator="avg"
    )
    returned_amount = fields.Monetary(
        string="Invoiced since",
        readonly=True,
        help="In the first 90 days after the contact, less what was credited, without "
        "tax.",
    )

    _lapse_uniq = models.UniqueIndex(
        "(partner_id, company_id, trigger, last_date) WHERE trigger <> 'once'"
    )
    _campaign_uniq = models.UniqueIndex(
        "(campaign_id, partner_id) WHERE trigger = 'once'"
    )
    _partner_idx = models.Index("(partner_id, company_id, date)")

    @api.model
    def _sync(self, partner_ids):
        """Note who came back; activities that are moot disappear."""
        changed = super()._sync(partner_ids)
        if changed:
            self.search(
                [
                    ("partner_id.commercial_partner_id", "in", list(partner_ids)),
                    ("returned_date", "!=", False),
                    ("activity_id.active", "=", True),
                ]
            ).activity_id.unlink()
        return changed

    @api.model
    def _get_sync_query(self, partner_ids):
        """Return the statement that notes who came back; yields changed rows."""
        return SQL(
            """
            WITH fact AS (
                SELECT contact.id, back.returned_date,
                       COALESCE((%(amount)s), 0) AS returned_amount
                  FROM garage_loyalty_campaign_contact contact
                  JOIN res_partner owner ON owner.id = contact.partner_id
                  JOIN (%(limits)s) limits ON limits.company_id = contact.company_id
                  LEFT JOIN LATERAL (%(returned)s) back ON TRUE
                 WHERE owner.commercial_partner_id = ANY(%(partners)s)
            ), put AS (
                UPDATE garage_loyalty_campaign_contact contact
                   SET returned_date = fact.returned_date,
                       return_rate = (fact.returned_date IS NOT NULL)::int,
                       returned_amount = fact.returned_amount
                  FROM fact
                 WHERE fact.id = contact.id
                   AND (contact.returned_date, contact.returned_amount)
                       IS DISTINCT FROM (fact.returned_date, fact.returned_amount)
                RETURNING contact.id
            )
            SELECT count(*) FROM put
            """,
            limits=self.env["garage.loyalty.customer"]._get_limits_query(),
            returned=self._get_returned_query(),
            amount=self._get_amount_query(),
            partners=partner_ids,
        )

    @api.model
    def _get_returned_query(self):
        """Return a query on ``contact``: the first invoice since."""
        return SQL(
            """
            SELECT day AS returned_date
              FROM garage_loyalty_active_month active
             CROSS JOIN LATERAL (VALUES (first_date), (last_date)) AS billed (day)
             WHERE active.company_id = contact.company_id
               AND active.partner_id = owner.commercial_partner_id
               AND active.invoices > 0
               AND day BETWEEN contact.date AND limits.today
               AND day > COALESCE(contact.last_date, '-infinity')
             ORDER BY day LIMIT 1
            """
        )

    @api.model
    def _get_amount_query(self):
        """Return a query on ``contact`` and ``back``: what was invoiced since.

        Override to measure the success of a campaign otherwise.
        """
        return self._get_net_query(
            SQL("owner.commercial_partner_id"),
            SQL("contact.company_id"),
            SQL(
                "move.invoice_date BETWEEN back.returned_date "
                "AND LEAST(contact.date + %s, limits.today)",
                SUCCESS_DAYS,
            ),
        )

    @api.model
    def _forget(self, partner_ids):
        """Keep one contact of customers who are about to be merged.

        A campaign has contacted them once, then.
        """
        self.env.cr.execute(
            SQL(
                """
                DELETE FROM garage_loyalty_campaign_contact contact
                 USING garage_loyalty_campaign_contact other
                 WHERE contact.partner_id = ANY(%(partners)s)
                   AND other.partner_id = ANY(%(partners)s) AND other.id < contact.id
                   AND (other.campaign_id = contact.campaign_id
                        AND other.trigger = 'once'
                        OR other.company_id = contact.company_id
                        AND other.trigger = contact.trigger
                        AND other.last_date = contact.last_date)
                """,
                partners=list(partner_ids),
            )
        )
        self.invalidate_model(flush=False)
