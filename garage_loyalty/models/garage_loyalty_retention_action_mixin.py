from odoo import api, fields, models
from odoo.exceptions import AccessError

from ..tools.movement import month_number, month_start
from .garage_loyalty_adjustment_check import MANAGER


class GarageLoyaltyRetentionActionMixin(models.AbstractModel):
    """What a manager does about a check: see who stayed away, write to them."""

    _name = "garage.loyalty.retention.action.mixin"
    _description = "Buttons of the Retention Check"

    missing_count = fields.Integer(
        string="Did not come",
        compute="_compute_missing_count",
        help="Existing customers who have not had an invoice since the months compared "
        "began, as of now.",
    )

    def _compute_missing_count(self):
        Customer = self.env["garage.loyalty.customer"]
        for check in self:
            check.missing_count = Customer.search_count(
                [("company_id", "=", check.company_id.id), *check._get_missing_domain()]
            )

    def _get_missing_domain(self):
        """Return the domain of existing customers who have not come since.

        On ``garage.loyalty.customer``, as a list, with days as text. Override to write
        to others.
        """
        self.ensure_one()
        first = month_number(self.date_from)
        start = fields.Date.to_string(self.date_from)
        since = fields.Date.to_string(month_start(first - self.known_months))
        return [
            ("first_date", "<", start),
            ("last_date", "<", start),
            ("last_date", ">=", since),
        ]

    @api.readonly
    def action_open_missing(self):
        """Open the existing customers who have not come since, to call or to write."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "garage_loyalty.garage_loyalty_customer_action"
        )
        title = self.env._("No visit from %s on", self._name_month(self.date_from))
        return action | {
            "name": title,
            "display_name": title,
            "views": [[False, "list"], [False, "kanban"]],
            "domain": [
                ("company_id", "=", self.company_id.id),
                *self._get_missing_domain(),
            ],
            "context": {},
        }

    @api.readonly
    def action_open_figures(self):
        """Open the graph of this year against the year before."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "garage_loyalty.garage_loyalty_retention_figure_action"
        )
        return action | {"domain": [("company_id", "=", self.company_id.id)]}

    def action_start_campaign(self):
        """Open a new campaign for the existing customers who stayed away.

        :raise AccessError: for others than loyalty managers
        """
        self.ensure_one()
        self._check_manager()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("New Campaign"),
            "res_model": "garage.loyalty.campaign",
            "views": [[False, "form"]],
            "context": self._prepare_campaign_context(),
        }

    def _prepare_campaign_context(self):
        """Return the defaults of the campaign. Override to fill in more."""
        self.ensure_one()
        return {
            "default_company_id": self.company_id.id,
            "default_name": self.env._(
                "Existing customers who did not come, %s", self._name_months(0)
            ),
            "default_trigger": "once",
            "default_scope": "all",
            "default_domain": repr(self._get_missing_domain()),
        }

    def action_recompute(self):
        """Compute these months again, by the documents and settings as they are now.

        :raise AccessError: for others than loyalty managers
        :raise UserError: where the check is switched off
        """
        self._check_manager()
        self.check_access("read")
        # Nobody writes figures; a manager may have them derived again.
        self.sudo()._recompute_figures()

    def _check_manager(self):
        if not self.env.su and not self.env.user.has_group(MANAGER):
            raise AccessError(self.env._("Only loyalty managers do this."))
