from odoo import api, fields, models
from odoo.tools import format_date


class GarageLoyaltyCampaignMeansMixin(models.AbstractModel):
    """How customers of a campaign are contacted, and what they are given."""

    _name = "garage.loyalty.campaign.means.mixin"
    _description = "Means of a Campaign"

    activity_id = fields.Many2one(
        "mail.activity",
        readonly=True,
        ondelete="set null",
        index="btree_not_null",
        help="Of the advisor, done or not.",
    )
    mail_id = fields.Many2one(
        "mail.message",
        string="E-mail",
        readonly=True,
        ondelete="set null",
        index="btree_not_null",
    )
    offer_id = fields.Many2one(
        "garage.loyalty.personal.offer",
        readonly=True,
        ondelete="set null",
        index="btree_not_null",
    )
    offer_used_date = fields.Date(string="Offer used on", related="offer_id.used_date")
    bonus_ids = fields.One2many("garage.loyalty.bonus", "contact_id", readonly=True)
    bonus_points = fields.Integer(
        compute="_compute_bonus_points", help="The gift, and what was spent of it."
    )
    bonus_spent = fields.Integer(
        compute="_compute_bonus_points", help="What the customer has spent of the gift."
    )

    @api.depends("bonus_ids.points")
    def _compute_bonus_points(self):
        # The use of an offer is for whoever may see to whom it was made.
        readers = self.sudo()
        spent = readers.bonus_ids._get_spent()
        for contact, given in zip(self, readers, strict=True):
            mine = given.bonus_ids
            contact.bonus_points = sum(mine.mapped("points"))
            contact.bonus_spent = sum(spent.get(bonus.id, 0) for bonus in mine)

    def _reach(self):
        """Contact the customers. Override, calling super, for more means of contact."""
        for campaign, contacts in self.grouped("campaign_id").items():
            # Before the message, which may tell of it.
            contacts._give_bonus(campaign)
            contacts._make_offers(campaign)
            contacts._send_email(campaign)
            contacts._plan_activities(campaign)

    def _give_bonus(self, campaign):
        """Give members the points of the campaign."""
        if not campaign.bonus_points:
            return
        partners = self.partner_id
        members = partners._get_loyalty_members(campaign.company_id)
        self.env["garage.loyalty.bonus"]._give(
            [
                members[contact.partner_id]._prepare_bonus_vals(
                    "campaign", date=contact.date, points=campaign.bonus_points
                )
                | {
                    "contact_id": contact.id,
                    "date_expiry": campaign._get_offer_end(contact.date),
                }
                for contact in self
                if contact.partner_id in members
            ]
        )
        self.invalidate_recordset(["bonus_ids"])

    def _make_offers(self, campaign):
        """Offer the reward of the campaign personally."""
        if not campaign.reward_id:
            return
        offers = self.env["garage.loyalty.personal.offer"]._offer(
            [
                {
                    "partner_id": contact.partner_id.id,
                    "company_id": contact.company_id.id,
                    "reward_id": campaign.reward_id.id,
                    "date_until": campaign._get_offer_end(contact.date),
                    "source": "campaign",
                }
                for contact in self
            ]
        )
        offers = offers.grouped("partner_id")
        for contact in self:
            contact.offer_id = offers.get(contact.partner_id)

    def _send_email(self, campaign):
        """Let the host write to who can be written to, with the e-mails that wait.

        It leaves out blacklisted addresses.
        """
        contacts = self.filtered("email")
        if not campaign.template_id or not contacts:
            return
        composer = contacts._as_sender(campaign)["mail.compose.message"]
        composer = composer.with_context(
            **self._prepare_email_context(campaign)
        ).create(
            {
                "model": "res.partner",
                "res_ids": repr(contacts.partner_id.ids),
                "composition_mode": "mass_mail",
                "template_id": campaign.template_id.id,
                "force_send": False,
            }
        )
        mails, _messages = composer._action_send_mail()
        sent = {
            mail.res_id: mail.mail_message_id
            for mail in mails
            if mail.state != "cancel"
        }
        for contact in contacts:
            contact.mail_id = sent.get(contact.partner_id.id)

    @api.model
    def _as_sender(self, campaign):
        """Return the environment in which whoever started a campaign is the sender.

        With all rights: whom to contact is decided, and the job must not fail because
        a manager has left meanwhile.
        """
        sender = self.with_user(campaign.started_by_id)
        # Whom to contact was found with the rights of that user already.
        return sender.with_company(campaign.company_id).sudo().env

    @api.model
    def _prepare_email_context(self, campaign):
        """Return what templates find in ``ctx``. Override to tell them more.

        Texts and numbers: the name of the company, the points of the gift, the name of
        the reward, the last day of the offer.
        """
        today = campaign.company_id._get_loyalty_today()
        return {
            "loyalty_company": campaign.company_id.name,
            "loyalty_points": campaign.bonus_points,
            "loyalty_reward": campaign.reward_id.name,
            "loyalty_date": campaign._get_offer_end(today),
        }

    def _plan_activities(self, campaign):
        """Ask the advisors of the customers to contact them.

        They find the activities where they find all others: one e-mail about each of
        them would be too many.
        """
        if not campaign.activity_type_id:
            return
        env = self._as_sender(campaign)
        env = env(context={**env.context, "mail_activity_quick_update": True})
        for contact in self:
            contact.activity_id = contact.partner_id.with_env(env).activity_schedule(
                activity_type_id=campaign.activity_type_id.id,
                user_id=contact.user_id.id or campaign.create_uid.id,
                summary=campaign.name,
                note=contact._get_note(),
            )

    def _get_note(self):
        """Return what the advisor reads in the activity. Override to say more."""
        self.ensure_one()
        lines = [
            self.env._("Last visit: %s.", format_date(self.env, self.last_date))
            if self.last_date
            else self.env._("Never invoiced.")
        ]
        if self.bonus_points:
            day = self.campaign_id._get_offer_end(self.date)
            lines.append(
                self.env._(
                    "Was given %(points)s points, to be spent until %(day)s.",
                    points=self.bonus_points,
                    day=format_date(self.env, day),
                )
            )
        if self.offer_id:
            lines.append(self.env._("Was offered: %s.", self.offer_id.display_name))
        if self.mail_id:
            lines.append(self.env._("An e-mail was sent."))
        return " ".join(lines)
