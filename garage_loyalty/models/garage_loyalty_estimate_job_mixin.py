from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from ..tools.movement import month_start
from ..tools.retention import last_settled
from .garage_loyalty_adjustment_check import MANAGER

# Up to so many visits a report is computed while the user waits.
AT_ONCE = 50_000


class GarageLoyaltyEstimateJobMixin(models.AbstractModel):
    """When reports are computed: on demand, and once for every month."""

    _name = "garage.loyalty.estimate.job.mixin"
    _description = "Job of the Honest Estimate"
    _inherit = ["garage.loyalty.job.mixin"]

    # -- on demand -----------------------------------------------------------------

    @api.model
    def action_open(self):
        """Open the newest report, or the page that says what it takes.

        :raise AccessError: for others than who may read reports
        """
        self.browse().check_access("read")
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "garage_loyalty.garage_loyalty_estimate_action"
        )
        company = self.env.company.loyalty_company_id
        report = self.search([("company_id", "=", company.id)], limit=1)
        if report:
            kinds = ("form", "list", "kanban", "graph")
            views = [[False, kind] for kind in kinds]
            action |= {"res_id": report.id, "views": views}
        return action

    @api.readonly
    def action_open_reports(self):
        """Open all reports of the company, as a graph first."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "garage_loyalty.garage_loyalty_estimate_action"
        )
        kinds = ("graph", "list", "kanban", "form")
        return action | {
            "domain": [("company_id", "=", self.company_id.id)],
            "context": {"search_default_filter_known": 1},
            "views": [[False, kind] for kind in kinds],
        }

    @api.readonly
    def action_open_holdouts(self):
        """Open the hold-outs of the company."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "garage_loyalty.garage_loyalty_holdout_action"
        )
        return action | {"domain": [("company_id", "=", self.company_id.id)]}

    def action_compute(self):
        """Compute a report on all visits until yesterday, and open it.

        At once, or within minutes where there are many visits. What was computed today
        is not computed again.

        :raise AccessError: for others than loyalty managers
        :raise UserError: while nobody has joined
        """
        self._check_manager()
        company = self.env.company.loyalty_company_id
        # Nobody may write figures; a manager may have them computed.
        writer = self.sudo()
        if not writer._has_members(company):
            raise UserError(
                self.env._("Nobody has joined yet: there is nothing to compare.")
            )
        day = fields.Date.subtract(company._get_loyalty_today(), days=1)
        writer._request(company, day)
        return self.action_open()

    @api.model
    def _request(self, company, day):
        """Return the report until a day, computed or waiting for the job."""
        report = self.search([("company_id", "=", company.id), ("date_to", "=", day)])
        if not report:
            report = self.create({"company_id": company.id, "date_to": day})
        if report.state == "waiting":
            if self._count_visits(company, day) <= AT_ONCE:
                report._compute_report()
            else:
                self.env.ref("garage_loyalty.ir_cron_compute_estimates")._trigger()
        return report

    def _check_manager(self):
        if not self.env.su and not self.env.user.has_group(MANAGER):
            raise AccessError(self.env._("Only loyalty managers do this."))

    # -- the nightly job -----------------------------------------------------------

    @api.model
    def _cron_compute(self):
        """Compute what waits, and the last complete month of every company.

        Each report is a step of its own. Nothing happens twice.
        """
        if self._run_step(self._compute_waiting, 2):
            self._run_step(self._compute_due, 1)

    @api.model
    def _compute_waiting(self):
        """Compute a report that was asked for; tell whether there was one."""
        report = self.search([("state", "=", "waiting")], limit=1, order="id")
        for each in report:
            each._compute_report()
        return len(report)

    @api.model
    def _compute_due(self):
        """Compute the first report that is due; tell whether there was one."""
        for company in self._get_companies():
            month = last_settled(company._get_loyalty_today())
            day = fields.Date.end_of(month_start(month), "month")
            key = {"company_id": company.id, "date_to": day}
            if not self.search_count([(name, "=", key[name]) for name in key]):
                self.create(key)._compute_report()
                return 1
        return 0

    @api.model
    def _get_companies(self):
        """Return the companies that keep accounts and have members."""
        Member = self.env["garage.loyalty.member"]
        return self.env["res.company"].union(
            *(company for (company,) in Member._read_group([], ["company_id"]))
        )
