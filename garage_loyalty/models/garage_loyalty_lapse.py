from odoo import api, fields, models
from odoo.tools import SQL

from ..tools import movement as rules

OUTCOMES = [
    (rules.AWAY, "Still away"),
    (rules.BACK, "Came back"),
    (rules.VOID, "No lapse after all"),
]
CHANNELS = [
    ("none", "Not contacted"),
    ("call", "Call"),
    ("email", "E-mail"),
    ("sms", "SMS"),
    ("other", "Other activity"),
]


class GarageLoyaltyLapse(models.Model):
    """A customer was found to have lapsed: what was known on that day, for good.

    The movement report is computed from the invoices as they are now. This is its
    counterpart: what was recorded does not change, only what became of it does.
    """

    _name = "garage.loyalty.lapse"
    _description = "Recorded Lapse"
    _inherit = [
        "garage.loyalty.lapse.query",
        "garage.loyalty.export.mixin",
        "garage.loyalty.history.mixin",
    ]
    _order = "month desc, yearly_amount desc, id"
    _rec_name = "partner_id"
    _log_access = False

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
    customers = fields.Integer(
        readonly=True, default=1, help="1: to be added up in reports."
    )
    month = fields.Date(
        string="Lapsed in",
        required=True,
        readonly=True,
        help="First day of the month in which the months without an invoice were "
        "complete.",
    )
    gap = fields.Integer(
        string="Months without an invoice",
        readonly=True,
        aggregator=None,
        help="The setting when the lapse was recorded.",
    )
    date = fields.Date(string="Recorded on", required=True, readonly=True)
    last_date = fields.Date(
        string="Last visit",
        required=True,
        readonly=True,
        help="Date of the last invoice before.",
    )
    yearly_amount = fields.Monetary(
        string="Value a year",
        readonly=True,
        help="Invoiced in the 12 months up to the last visit, less what was credited, "
        "without tax.",
    )
    is_member = fields.Boolean(string="Member", readonly=True)
    tier_id = fields.Many2one("garage.loyalty.tier", readonly=True, ondelete="set null")
    user_id = fields.Many2one(
        "res.users",
        string="Advisor",
        readonly=True,
        ondelete="set null",
        help="The salesperson of the customer, or who did the last visit.",
    )
    returned_date = fields.Date(
        string="Came back on", readonly=True, help="Date of the next invoice."
    )
    outcome = fields.Selection(
        OUTCOMES,
        required=True,
        readonly=True,
        default=rules.AWAY,
        help="No lapse after all: an invoice that was posted late lies in between.",
    )
    # Empty where it says nothing, so that averages leave it out.
    win_back_rate = fields.Float(
        string="Win-back rate",
        readonly=True,
        aggregator="avg",
        help="Share of the customers who came back since. What was no lapse after all "
        "does not count.",
    )
    channel = fields.Selection(
        CHANNELS,
        string="Contacted by",
        required=True,
        readonly=True,
        default="none",
        help="The last contact between the day on which the lapse was recorded and the "
        "return: e-mails, text messages and activities in the history of the customer.",
    )
    contact_date = fields.Date(string="Contacted on", readonly=True)
    contact_user_id = fields.Many2one(
        "res.users", string="Contact made by", readonly=True, ondelete="set null"
    )

    _absence_uniq = models.UniqueIndex("(partner_id, company_id, last_date)")
    _month_idx = models.Index("(company_id, month)")

    @api.model
    def _record_all(self):
        """Record who has lapsed in any company; return how many."""
        companies = self.env["res.company"].search(
            [("loyalty_company_id", "!=", False)]
        )
        return sum(self._record(company) for company in companies.loyalty_company_id)

    @api.model
    def _record(self, company):
        """Record who has lapsed up to the last month that is over. Idempotent.

        What was missed is made up for, back to the last month that has any; the very
        first time, for one month only.

        :param company: one that keeps the accounts
        :return: the number of lapses that were recorded
        """
        self.env.flush_all()
        added = 0
        over = rules.month_number(company._get_loyalty_today()) - 1
        for number in range(self._get_first_month(company, over), over + 1):
            self.env.cr.execute(self._get_record_query(company, number))
            added += self.env.cr.rowcount
        if added:
            self.invalidate_model(flush=False)
        return added

    @api.model
    def _get_first_month(self, company, over):
        """Return the number of the first month for which to look."""
        last = self.search(
            [("company_id", "=", company.id)], order="month desc", limit=1
        )
        return min(rules.month_number(last.month), over) if last else over

    @api.model
    def _forget(self, partner_ids):
        """Keep one of the lapses of customers who are about to be merged.

        Those of the same absence would be two of one customer.
        """
        self.env.cr.execute(
            SQL(
                """
                DELETE FROM garage_loyalty_lapse lapse
                 USING garage_loyalty_lapse other
                 WHERE lapse.partner_id = ANY(%(partners)s)
                   AND other.partner_id = ANY(%(partners)s)
                   AND other.company_id = lapse.company_id
                   AND other.last_date = lapse.last_date AND other.id < lapse.id
                """,
                partners=list(partner_ids),
            )
        )
        self.invalidate_model(flush=False)
