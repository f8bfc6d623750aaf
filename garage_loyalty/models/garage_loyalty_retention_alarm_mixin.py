from odoo import api, fields, models

from ..tools import retention as rules
from ..tools.movement import month_number

ACTIVITY = "garage_loyalty.mail_activity_type_retention"


class GarageLoyaltyRetentionAlarmMixin(models.AbstractModel):
    """The nightly job, and how managers hear that customers come less often."""

    _name = "garage.loyalty.retention.alarm.mixin"
    _description = "Alarm of the Retention Check"
    _inherit = ["garage.loyalty.job.mixin"]

    told_date = fields.Date(
        string="Managers told on",
        readonly=True,
        help="Once for each fall; again when it goes on and none of the months "
        "compared are the same.",
    )

    @api.model
    def _cron_check(self):
        """Look at months that are complete by now, and tell managers what has fallen.

        Each month is a step of its own: interrupted, the others are done the next time.
        Nothing happens twice.
        """
        Changed = self.env["garage.loyalty.changed.customer"]
        if self._run_step(Changed._process, 2) and self._run_step(self._record_next, 1):
            self._tell_due()

    @api.model
    def _record_next(self):
        """Look at the first month that is due; tell whether there was one."""
        for company in self._get_companies():
            for number in self._get_due_months(company)[:1]:
                self._record(company, number)
                return 1
        return 0

    @api.model
    def _get_companies(self):
        """Return the companies that keep accounts and want to be told."""
        companies = self.env["res.company"].search(
            [("loyalty_company_id", "!=", False)]
        )
        return companies.loyalty_company_id.filtered("loyalty_retention_share")

    @api.model
    def _get_due_months(self, company):
        """Return the numbers of the months that are to be looked at, in order."""
        began = self._get_began(company)
        if not began:
            return []
        done = self.search([("company_id", "=", company.id)]).mapped("month")
        return rules.due_months(
            rules.last_settled(company._get_loyalty_today()),
            company.loyalty_retention_months,
            month_number(began),
            company.loyalty_lost_months,
            {month_number(month) for month in done},
        )

    # -- telling managers -------------------------------------------------------------

    @api.model
    def _tell_due(self):
        """Tell the managers of every company whose last month calls for it."""
        for company in self._get_companies():
            check = self.search([("company_id", "=", company.id)], limit=1)
            last = rules.last_settled(company._get_loyalty_today())
            is_last = check and month_number(check.month) == last
            if is_last and check._should_tell():
                check._tell()

    def _should_tell(self):
        self.ensure_one()
        lately = self.search(
            [("company_id", "=", self.company_id.id), ("month", "<=", self.month)],
            limit=self.months,
        )
        return rules.should_tell(
            {
                month_number(check.month): (
                    check.verdict == "falling",
                    bool(check.told_date),
                )
                for check in lately
            },
            self.months,
        )

    def _tell(self):
        """Give each manager an activity that explains the figures.

        Not to who has an open one already. Without any manager it is done as soon as
        there is one, as long as no later month is complete.
        """
        self.ensure_one()
        managers = self.company_id._get_loyalty_managers()
        told = self._get_alarms(self.company_id).user_id
        for user in managers - told:
            mine = self.with_context(lang=user.lang)
            mine.activity_schedule(
                ACTIVITY,
                user_id=user.id,
                summary=mine._get_headline(),
                note=mine._get_explanation(),
            )
        if managers:
            self.told_date = self.company_id._get_loyalty_today()

    @api.model
    def _get_alarms(self, company):
        """Return the open activities about the retention of a company."""
        checks = self.search([("company_id", "=", company.id)])
        return checks.activity_search([ACTIVITY])

    def _withdraw_alarm(self):
        """Take back what was said of months that do not fall, as it turned out."""
        recovered = self.filtered(lambda check: check.verdict != "falling")
        recovered.activity_unlink([ACTIVITY])
        recovered.told_date = False
