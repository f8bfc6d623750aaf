from ast import literal_eval

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain
from odoo.tools import SQL

# Whoever was contacted by any campaign is left alone for so long.
QUIET_DAYS = 30


class GarageLoyaltyCampaignAudienceMixin(models.AbstractModel):
    """Whom a campaign contacts: at the right stage, and nobody twice.

    Found with the rights of the user who started it: what is typed as a condition says
    nothing of what that user must not see.
    """

    _name = "garage.loyalty.campaign.audience.mixin"
    _description = "Audience of a Campaign"

    audience_count = fields.Integer(
        string="Customers now", compute="_compute_audience_count"
    )

    @api.depends("trigger", "scope", "domain", "company_id", "state", "template_id")
    @api.depends_context("uid")
    def _compute_audience_count(self):
        Customer = self.env["garage.loyalty.customer"]
        for campaign in self:
            campaign.audience_count = (
                Customer.search_count(campaign._get_due_domain(is_preview=True))
                if campaign.company_id
                else 0
            )

    @api.constrains("domain")
    def _check_domain(self):
        for campaign in self:
            campaign._get_audience_domain()

    def _get_audience_domain(self):
        """Return which customers the campaign is for, as it was typed.

        :raise ValidationError: when it is no condition on customers
        """
        self.ensure_one()
        Customer = self.env["garage.loyalty.customer"]
        try:
            domain = Domain(literal_eval(self.domain or "[]"))
            domain.validate(Customer)
        except (ValueError, SyntaxError, TypeError, KeyError) as error:
            raise ValidationError(
                self.env._("“%s”: the condition cannot be understood.", self.name)
            ) from error
        return domain

    def _get_due_domain(self, is_preview=False):
        """Return the domain of the customers who are to be contacted now.

        Override to leave out more of them.

        :param is_preview: those at the stage already, too
        """
        self.ensure_one()
        domain = (
            Domain("company_id", "=", self.company_id.id)
            & Domain("id", "in", self._get_due_query(is_preview))
            & Domain("partner_id.active", "=", True)
            & self._get_audience_domain()
        )
        if self.template_id and not self.activity_type_id:
            domain &= Domain("partner_id.email", "!=", False)
            domain &= Domain("partner_id.is_blacklisted", "=", False)
        return domain

    def _get_due_query(self, is_preview=False):
        """Return a subquery: customers at the stage who may be contacted."""
        today = self.company_id._get_loyalty_today()
        return SQL(
            """(
            SELECT card.id FROM garage_loyalty_customer card
              LEFT JOIN garage_loyalty_member member
                ON member.partner_id = card.partner_id
               AND member.company_id = card.company_id AND member.state = 'active'
             WHERE card.company_id = %(company)s AND %(stage)s AND %(scope)s
               AND (member.id IS NULL
                    OR member.consent_marketing_date IS NOT NULL)
               AND NOT EXISTS (%(contacted)s) AND NOT EXISTS (%(expected)s)
               AND card.partner_id NOT IN (
                    SELECT partner_id FROM garage_loyalty_changed_customer))""",
            company=self.company_id.id,
            stage=self._get_stage_condition(is_preview),
            scope={
                "member": SQL("member.id IS NOT NULL"),
                "other": SQL("member.id IS NULL"),
            }.get(self.scope, SQL("TRUE")),
            contacted=self._get_contacted_query(today),
            expected=self._get_expected_query(today),
        )

    def _get_stage_condition(self, is_preview):
        """Return the condition on ``card`` that its stage is that of the campaign."""
        if self.trigger not in ("at_risk", "lapsed"):
            return SQL("TRUE")
        at_stage = SQL("card.stage = %s", self.trigger)
        if is_preview or not self.date_start:
            return at_stage
        return SQL("%s AND card.stage_date >= %s", at_stage, self.date_start)

    def _get_contacted_query(self, today):
        """Return a query on ``card``: contacts that are in the way of another one."""
        again = (
            SQL("contact.campaign_id = %s", self._origin.id or 0)
            if self.trigger == "once"
            else SQL(
                "contact.trigger = %s AND contact.last_date = card.last_date",
                self.trigger,
            )
        )
        return SQL(
            """
            SELECT FROM garage_loyalty_campaign_contact contact
             WHERE contact.partner_id = card.partner_id
               AND contact.company_id = card.company_id
               AND (contact.date > %(quiet)s OR %(again)s)
            """,
            quiet=fields.Date.subtract(today, days=QUIET_DAYS),
            again=again,
        )

    def _get_expected_query(self, today):
        """Return a query on ``card``: repair orders for which the customer comes.

        Those that nobody has touched for a month are forgotten ones.
        """
        return SQL(
            """
            SELECT FROM res_partner owner
              JOIN repair_order repair ON repair.partner_id = owner.id
              JOIN res_company company ON company.id = repair.company_id
             WHERE owner.commercial_partner_id = card.partner_id
               AND company.loyalty_company_id = card.company_id
               AND repair.state IN ('draft', 'confirmed', 'under_repair')
               AND GREATEST(repair.schedule_date, repair.write_date) >= %s
            """,
            fields.Date.subtract(today, days=QUIET_DAYS),
        )

    # -- buttons ------------------------------------------------------------------

    def action_open_audience(self):
        """Open the customers whom the campaign is for now."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "garage_loyalty.garage_loyalty_customer_action_movement"
        )
        customers = self.env["garage.loyalty.customer"].search(
            self._get_due_domain(is_preview=True)
        )
        return action | {
            "name": self.name,
            "display_name": self.name,
            "domain": [("id", "in", customers.ids)],
        }
