import logging
from functools import partial

from odoo import api, fields, models
from odoo.exceptions import AccessError, ValidationError

from ..tools.campaigns import is_left_out

_logger = logging.getLogger(__name__)


class GarageLoyaltyCampaignJobMixin(models.AbstractModel):
    """The daily job that contacts customers, step by step.

    A step notes whom it contacts in the same transaction in which activities and
    e-mails are made: killed anywhere and run again, nobody is contacted twice.
    """

    _name = "garage.loyalty.campaign.job.mixin"
    _description = "Job of Campaigns"
    _inherit = ["garage.loyalty.job.mixin"]

    @api.model
    def _cron_run(self, batch=100):
        """Contact the customers of all campaigns that run."""
        Changed = self.env["garage.loyalty.changed.customer"]
        campaigns = self.search([("state", "=", "running")], order="id")
        left = len(campaigns) + 1
        # Whoever came back is known before anybody is contacted.
        if not self._run_step(Changed._process, left):
            return
        for campaign in campaigns:
            left -= 1
            if not self._run_step(partial(campaign._contact_some, batch), left):
                return
            if campaign.trigger == "once":
                campaign.state = "ended"

    def _contact_some(self, batch):
        """Contact some of the customers who are due; return how many."""
        self.ensure_one()
        user = self.started_by_id
        Customer = self.env["garage.loyalty.customer"].with_user(user)
        Customer = Customer.with_context(allowed_company_ids=self.company_id.ids)
        try:
            found = Customer.search(
                self.with_user(user)._get_due_domain(), limit=batch, order="id"
            )
        except (AccessError, ValidationError) as error:
            _logger.warning("Campaign %s contacts nobody: %s", self.id, error)
            return 0
        customers = self.env["garage.loyalty.customer"].browse(found.ids)
        contacts = self.env["garage.loyalty.campaign.contact"]._append(
            [self._prepare_contact(customer) for customer in customers]
        )
        contacts.filtered(lambda contact: not contact.is_left_out)._reach()
        return len(contacts)

    def _prepare_contact(self, customer):
        """Return the values of a contact. Override to note more of the customer."""
        advisor = customer.user_id
        if not advisor.active or advisor.share:
            advisor = self.user_id
        return {
            "campaign_id": self.id,
            "company_id": self.company_id.id,
            "partner_id": customer.partner_id.id,
            "trigger": self.trigger,
            "date": self.company_id._get_loyalty_today(),
            "last_date": customer.last_date or None,
            "user_id": advisor.id or None,
            "is_member": bool(customer.member_id),
            "is_left_out": is_left_out(
                self.id, customer.partner_id.id, self.left_out_percent
            ),
            "return_rate": 0,
            "returned_amount": 0,
        }

    def _get_offer_end(self, day):
        """Return the last day of an offer that is made on a day."""
        self.ensure_one()
        return fields.Date.add(day, days=self.offer_days)
