from odoo import api, models
from odoo.exceptions import AccessError

from ..tools import review as rules
from ..tools.movement import month_number
from ..tools.retention import last_settled
from .garage_loyalty_adjustment_check import MANAGER

ACTIVITY = "garage_loyalty.mail_activity_type_review"
TEMPLATE = "garage_loyalty.mail_template_review"


class GarageLoyaltyReviewJobMixin(models.AbstractModel):
    """When the programme is reviewed, and how managers hear of it."""

    _name = "garage.loyalty.review.job.mixin"
    _description = "Job of the Programme Review"
    _inherit = ["garage.loyalty.job.mixin"]

    @api.model
    def _cron_review(self):
        """Review the periods that are over by now, and tell managers of the last one.

        Each period is a step of its own: interrupted, the others are done the next
        time. Nothing happens twice.
        """
        Changed = self.env["garage.loyalty.changed.customer"]
        steps = (Changed._process, self._record_next, self._tell_next)
        for number, step in enumerate(steps):
            if not self._run_step(step, len(steps) - number):
                return

    @api.model
    def action_review_now(self):
        """Review what is due at once, and open all reviews.

        :raise AccessError: for others than loyalty managers
        """
        if not self.env.su and not self.env.user.has_group(MANAGER):
            raise AccessError(self.env._("Only loyalty managers do this."))
        # Nobody writes figures; a manager may have them derived.
        reviewer = self.sudo()
        company = self.env.company.loyalty_company_id
        for first, last in reviewer._get_due_periods(company):
            reviewer._record(company, first, last)
        return self.env["ir.actions.act_window"]._for_xml_id(
            "garage_loyalty.garage_loyalty_review_action"
        )

    @api.model
    def _get_companies(self):
        """Return the companies that keep accounts and have members."""
        Member = self.env["garage.loyalty.member"]
        return self.env["res.company"].union(
            *(company for (company,) in Member._read_group([], ["company_id"]))
        )

    @api.model
    def _get_due_periods(self, company):
        """Return the first and last month of the periods to review, in order."""
        kind = company.loyalty_review_period
        [(began,)] = self.env["garage.loyalty.member"]._read_group(
            [("company_id", "=", company.id)], [], ["date_joined:min"]
        )
        if kind == "none" or not began:
            return []
        done = self.search([("company_id", "=", company.id), ("period", "=", kind)])
        return rules.due_periods(
            kind,
            last_settled(company._get_loyalty_today()),
            month_number(began),
            set(map(month_number, done.mapped("date_from"))),
        )

    @api.model
    def _record_next(self):
        """Review the first period that is due; tell whether there was one."""
        for company in self._get_companies():
            for first, last in self._get_due_periods(company)[:1]:
                self._record(company, first, last)
                return 1
        return 0

    # -- telling managers ----------------------------------------------------------

    @api.model
    def _tell_next(self):
        """Tell the managers of a company of its last review; say if there was one.

        Not of the periods before it: what is old when the add-on is installed is no
        news.
        """
        for company in self._get_companies():
            last = self.search([("company_id", "=", company.id)], limit=1)
            is_news = last.period == company.loyalty_review_period
            if is_news and not last.told_date and company._get_loyalty_managers():
                last._tell()
                return 1
        return 0

    def _tell(self):
        """Send each manager the figures, with an activity where a goal is missed."""
        self.ensure_one()
        self.told_date = self.company_id._get_loyalty_today()
        template = self.env.ref(TEMPLATE, raise_if_not_found=False)
        for user in self.company_id._get_loyalty_managers():
            # The e-mail says it all; one more about the activity is too many.
            mine = self.with_context(lang=user.lang, mail_activity_quick_update=True)
            if self.state == rules.POOR:
                mine.activity_schedule(
                    ACTIVITY,
                    user_id=user.id,
                    summary=mine._get_headline(),
                    note=mine._get_advice(),
                )
            if template and user.email:
                template.with_context(lang=user.lang).send_mail(
                    self.id,
                    email_values={"recipient_ids": user.partner_id.ids},
                    email_layout_xmlid="mail.mail_notification_light",
                )
