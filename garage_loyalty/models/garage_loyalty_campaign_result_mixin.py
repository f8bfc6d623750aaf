from odoo import api, fields, models
from odoo.tools.misc import formatLang

from ..tools.campaigns import effect


class GarageLoyaltyCampaignResultMixin(models.AbstractModel):
    """What became of the customers of a campaign."""

    _name = "garage.loyalty.campaign.result.mixin"
    _description = "Results of a Campaign"

    company_id = fields.Many2one("res.company")
    currency_id = fields.Many2one(related="company_id.currency_id")
    contact_ids = fields.One2many(
        "garage.loyalty.campaign.contact", "campaign_id", readonly=True
    )
    contact_count = fields.Integer(
        string="Contacted",
        compute="_compute_results",
        compute_sudo=True,
        help="Customers whom the campaign has reached, in whatever way.",
    )
    returned_count = fields.Integer(
        string="Came back",
        compute="_compute_results",
        compute_sudo=True,
        help="Of those who were contacted: who has had an invoice since.",
    )
    return_rate = fields.Float(
        string="Share back",
        compute="_compute_results",
        compute_sudo=True,
        help="Of those who were contacted, the share that has had an invoice since.",
    )
    effect = fields.Char(
        compute="_compute_results",
        compute_sudo=True,
        help="By how many percentage points more of those who were contacted came back "
        "than of those who were left out.",
    )
    returned_amount = fields.Monetary(
        string="Invoiced since",
        compute="_compute_results",
        compute_sudo=True,
        help="To those who were contacted and came back, in the first 90 days after "
        "the contact, without tax.",
    )

    used_count = fields.Integer(
        string="Used the offer",
        compute="_compute_used_count",
        compute_sudo=True,
        help="Customers who have redeemed the reward, or spent some of the points.",
    )

    @api.depends("contact_ids.offer_id.used_date", "contact_ids.bonus_ids")
    def _compute_used_count(self):
        Contact = self.env["garage.loyalty.campaign.contact"]
        mine = [("campaign_id", "in", self.ids)]
        used = Contact.search([*mine, ("offer_id.used_date", "!=", False)])
        gifts = self.env["garage.loyalty.bonus"].search(
            [("contact_id.campaign_id", "in", self.ids)]
        )
        spent = gifts._get_spent()
        used |= gifts.filtered(lambda gift: spent.get(gift.id, 0) > 0).contact_id
        users = used.grouped("campaign_id")
        for campaign in self:
            campaign.used_count = len(users.get(campaign._origin, ()))

    @api.depends("contact_ids.return_rate", "contact_ids.returned_amount")
    def _compute_results(self):
        rows = self.env["garage.loyalty.campaign.contact"]._read_group(
            [("campaign_id", "in", self.ids)],
            ["campaign_id", "is_left_out"],
            ["__count", "return_rate:sum", "returned_amount:sum"],
        )
        found = {(campaign.id, left_out): row for campaign, left_out, *row in rows}
        for campaign in self:
            count, back, amount = found.get((campaign._origin.id, False), (0, 0, 0))
            others = found.get((campaign._origin.id, True), (0, 0, 0))
            campaign.contact_count, campaign.returned_count = count, back
            campaign.return_rate = back / count if count else 0
            campaign.returned_amount = amount
            campaign.effect = campaign._get_effect_text(
                effect((back, count), (others[1], others[0]))
            )

    def _get_effect_text(self, figures):
        """Return in words what difference the campaign made, chance considered."""
        self.ensure_one()
        if not figures:
            return self.left_out_percent and self.env._("Nobody to compare with yet.")
        difference, margin = (formatLang(self.env, item, digits=1) for item in figures)
        if abs(figures[0]) <= figures[1]:
            return self.env._(
                "%(difference)s percentage points: may be chance, which makes "
                "differences of up to %(margin)s.",
                difference=difference,
                margin=margin,
            )
        return self.env._(
            "%(difference)s percentage points, more than chance makes (up to "
            "%(margin)s).",
            difference=difference,
            margin=margin,
        )

    def action_open_contacts(self):
        """Open who was contacted, and what became of it."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "garage_loyalty.garage_loyalty_campaign_contact_action"
        )
        return action | {
            "display_name": self.name,
            "domain": [("campaign_id", "=", self.id)],
            "context": {},
        }
