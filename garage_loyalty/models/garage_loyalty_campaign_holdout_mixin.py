from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL


class GarageLoyaltyCampaignHoldoutMixin(models.AbstractModel):
    """Campaigns that ask customers to join leave out those who are held out."""

    _name = "garage.loyalty.campaign.holdout.mixin"
    _description = "Hold-Outs in Campaigns"

    is_invitation = fields.Boolean(
        string="Asks to join",
        compute="_compute_is_invitation",
        store=True,
        readonly=False,
        help="Customers who are in a hold-out, and no members, are left out. So is it "
        "for a reward, which non-members can use after joining.",
    )

    @api.depends("reward_id", "scope")
    def _compute_is_invitation(self):
        for campaign in self:
            is_offer = campaign.reward_id and campaign.scope != "member"
            campaign.is_invitation = bool(is_offer)

    def _get_due_domain(self, is_preview=False):
        """Leave out who is not to be invited."""
        domain = super()._get_due_domain(is_preview)
        if self.is_invitation:
            is_held_out = Domain("partner_id", "in", self._get_held_out_query())
            domain &= ~(is_held_out & Domain("member_id", "=", False))
        return domain

    def _get_held_out_query(self) -> SQL:
        """Return a subquery: customers who are not to be invited now."""
        Customer = self.env["garage.loyalty.holdout.customer"]
        today = SQL("%s", self.company_id._get_loyalty_today())
        return SQL(
            """(
            SELECT held.partner_id FROM garage_loyalty_holdout_customer held
              JOIN garage_loyalty_holdout holdout ON holdout.id = held.holdout_id
             WHERE held.company_id = %s AND %s)""",
            self.company_id.id,
            Customer._get_running_condition(today),
        )
