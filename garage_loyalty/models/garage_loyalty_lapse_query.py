from odoo import api, models
from odoo.tools import SQL

from ..tools import movement as rules


class GarageLoyaltyLapseQuery(models.AbstractModel):
    """The statements that record lapses, and what became of them."""

    _name = "garage.loyalty.lapse.query"
    _description = "Query of Recorded Lapses"
    _inherit = ["garage.loyalty.customer.facts.mixin"]

    # -- recording -----------------------------------------------------------------

    @api.model
    def _get_lapsed_query(self, company, number, gap):
        """Return a query: who lapsed in a month, with the last day before.

        Override to let customers lapse by other means.

        :param number: of the month, see ``tools.movement.month_number``
        :param gap: months without an invoice
        """
        return SQL(
            """
            SELECT company_id, partner_id, last_date, is_member
              FROM garage_loyalty_active_month
             WHERE company_id = %(company)s AND month = %(left)s AND invoices > 0
               AND (next_gap = 0 OR next_gap > %(gap)s)
            """,
            company=company.id,
            left=rules.month_start(number - gap),
            gap=gap,
        )

    @api.model
    def _get_record_query(self, company, number):
        """Return the statement that records who lapsed in a month, and is not yet."""
        gap = company.loyalty_lapse_months
        return SQL(
            """
            INSERT INTO garage_loyalty_lapse (
                   company_id, partner_id, last_date, is_member, month, gap, date,
                   yearly_amount, tier_id, user_id, outcome, win_back_rate, channel,
                   customers)
            SELECT lapsed.company_id, lapsed.partner_id, lapsed.last_date,
                   lapsed.is_member, %(month)s, %(gap)s, %(today)s,
                   COALESCE((%(value)s), 0), (%(tier)s), (%(user)s), 'away', 0, 'none',
                   1
              FROM (%(lapsed)s) lapsed
             WHERE NOT EXISTS (
                    SELECT FROM garage_loyalty_lapse known
                     WHERE known.company_id = lapsed.company_id
                       AND known.partner_id = lapsed.partner_id
                       AND known.last_date = lapsed.last_date)
            ON CONFLICT DO NOTHING
            """,
            month=rules.month_start(number),
            gap=gap,
            today=company._get_loyalty_today(),
            value=self._get_value_query(),
            tier=self._get_tier_query(),
            user=self._get_user_query(),
            lapsed=self._get_lapsed_query(company, number, gap),
        )

    @api.model
    def _get_value_query(self):
        """Return a query on ``lapsed``: what the customer was worth in a year."""
        return self._get_net_query(
            SQL("lapsed.partner_id"),
            SQL("lapsed.company_id"),
            SQL(
                "move.invoice_date <= lapsed.last_date "
                "AND move.invoice_date > lapsed.last_date - interval '12 months'"
            ),
        )

    @api.model
    def _get_tier_query(self):
        """Return a query on ``lapsed``: the tier of the member."""
        return SQL(
            """
            SELECT member.tier_id FROM garage_loyalty_member member
             WHERE member.partner_id = lapsed.partner_id
               AND member.company_id = lapsed.company_id AND member.state = 'active'
             LIMIT 1
            """
        )

    @api.model
    def _get_user_query(self):
        """Return a query on ``lapsed``: who is responsible for the customer.

        Override together with ``_compute_user_id`` of ``garage.loyalty.customer``.
        """
        return SQL(
            """
            SELECT COALESCE(partner.user_id, (
                    SELECT visit.user_id FROM garage_loyalty_visit visit
                      JOIN res_company company ON company.id = visit.company_id
                     WHERE visit.partner_id = lapsed.partner_id
                       AND company.loyalty_company_id = lapsed.company_id
                       AND visit.user_id IS NOT NULL
                     ORDER BY visit.date DESC, visit.user_id DESC LIMIT 1))
              FROM res_partner partner WHERE partner.id = lapsed.partner_id
            """
        )

    # -- what became of it ---------------------------------------------------------

    @api.model
    def _get_sync_query(self, partner_ids):
        """Return the statement that notes who came back; yields changed rows."""
        return SQL(
            """
            WITH fact AS (%(fact)s), put AS (
                UPDATE garage_loyalty_lapse lapse
                   SET (returned_date, outcome, channel, contact_date,
                        contact_user_id) = (fact.returned_date, fact.outcome,
                        fact.channel, fact.contact_date, fact.contact_user_id),
                       win_back_rate = CASE fact.outcome
                            WHEN %(back)s THEN 1 WHEN %(away)s THEN 0 END
                  FROM fact
                 WHERE fact.id = lapse.id
                   AND (lapse.returned_date, lapse.outcome, lapse.channel,
                        lapse.contact_date, lapse.contact_user_id)
                       IS DISTINCT FROM (fact.returned_date, fact.outcome,
                        fact.channel, fact.contact_date, fact.contact_user_id)
                RETURNING lapse.id
            )
            SELECT count(*) FROM put
            """,
            fact=self._get_fact_query(partner_ids),
            away=rules.AWAY,
            back=rules.BACK,
        )

    @api.model
    def _get_fact_query(self, partner_ids):
        """Return a query: what became of the lapses of customers.

        States ``tools.movement.outcome`` once more, for many of them.
        """
        return SQL(
            """
            SELECT lapse.id, back.returned_date, contact.contact_date,
                   contact.contact_user_id,
                   COALESCE(contact.channel, 'none') AS channel,
                   CASE WHEN back.returned_date IS NULL THEN %(away)s
                        WHEN back.returned_date < lapse.month + interval '1 month'
                        THEN %(void)s ELSE %(back)s END AS outcome
              FROM garage_loyalty_lapse lapse
              JOIN res_partner owner ON owner.id = lapse.partner_id
              JOIN (%(limits)s) limits ON limits.company_id = lapse.company_id
              LEFT JOIN LATERAL (%(returned)s) back ON TRUE
              LEFT JOIN LATERAL (%(contact)s) contact ON TRUE
             WHERE owner.commercial_partner_id = ANY(%(partners)s)
            """,
            away=rules.AWAY,
            back=rules.BACK,
            void=rules.VOID,
            limits=self.env["garage.loyalty.customer"]._get_limits_query(),
            returned=self._get_returned_query(),
            contact=self._get_contact_query(),
            partners=partner_ids,
        )

    @api.model
    def _get_returned_query(self):
        """Return a query on ``lapse``: the first invoice of a later month."""
        return SQL(
            """
            SELECT active.first_date AS returned_date
              FROM garage_loyalty_active_month active
             WHERE active.company_id = lapse.company_id
               AND active.partner_id = owner.commercial_partner_id
               AND active.invoices > 0 AND active.month > lapse.last_date
               AND active.first_date <= limits.today
             ORDER BY active.month LIMIT 1
            """
        )

    @api.model
    def _get_contact_query(self):
        """Return a query on ``lapse``: how the customer was contacted last.

        Override to find contacts elsewhere than in the history of the contact.
        """
        return SQL(
            """
            SELECT message.date::date AS contact_date,
                   NULLIF(message.create_uid, %(root)s) AS contact_user_id,
                   CASE WHEN activity.category = 'phonecall' THEN 'call'
                        WHEN activity.id IS NOT NULL THEN 'other'
                        WHEN message.message_type = 'sms' THEN 'sms'
                        ELSE 'email' END AS channel
              FROM mail_message message
              JOIN res_partner reached ON reached.id = message.res_id
              LEFT JOIN mail_activity_type activity
                ON activity.id = message.mail_activity_type_id
             WHERE message.model = 'res.partner'
               AND reached.commercial_partner_id = owner.commercial_partner_id
               AND message.date >= lapse.date
               AND message.date < COALESCE(back.returned_date, limits.today) + 1
               AND (activity.id IS NOT NULL
                    OR message.message_type IN ('sms', 'email_outgoing')
                    OR message.message_type = 'comment'
                       AND message.subtype_id = %(public)s)
               AND NOT EXISTS (
                    SELECT FROM mail_notification notification
                     WHERE notification.mail_message_id = message.id
                       AND notification.notification_status
                        IN ('bounce', 'canceled', 'exception'))
             ORDER BY message.date DESC, message.id DESC LIMIT 1
            """,
            root=self.env.ref("base.user_root").id,
            public=self.env.ref("mail.mt_comment").id,
        )
