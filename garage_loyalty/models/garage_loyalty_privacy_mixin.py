from datetime import datetime, time

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError


class GarageLoyaltyPrivacyMixin(models.AbstractModel):
    """What the customer agreed to, and forgetting who the customer was.

    Name, phone and e-mail are the contact's alone: whoever blanks them there has
    blanked them everywhere. The ledger names members by their number.
    """

    _name = "garage.loyalty.privacy.mixin"
    _description = "Privacy of Loyalty Members"

    consent_terms = fields.Boolean(
        string="Accepted the terms",
        compute="_compute_consent_terms",
        inverse="_inverse_consent_terms",
    )
    consent_terms_date = fields.Datetime(string="Terms accepted on", readonly=True)
    consent_marketing = fields.Boolean(
        string="Agreed to marketing",
        compute="_compute_consent_marketing",
        inverse="_inverse_consent_marketing",
    )
    consent_marketing_date = fields.Datetime(
        string="Marketing agreed on", readonly=True
    )
    note = fields.Text(
        help="Emptied when personal data is removed. Nothing of it is in the ledger."
    )

    @api.depends("consent_terms_date")
    def _compute_consent_terms(self):
        for member in self:
            member.consent_terms = bool(member.consent_terms_date)

    def _inverse_consent_terms(self):
        self._set_consent("consent_terms", "consent_terms_date")

    @api.depends("consent_marketing_date")
    def _compute_consent_marketing(self):
        for member in self:
            member.consent_marketing = bool(member.consent_marketing_date)

    def _inverse_consent_marketing(self):
        self._set_consent("consent_marketing", "consent_marketing_date")

    def _set_consent(self, consent, date_field):
        """Keep when a consent was given; withdrawing it empties the date."""
        for member in self:
            if member[consent] != bool(member[date_field]):
                # Protected: nobody types in when a customer consented.
                member.sudo()[date_field] = member[consent] and fields.Datetime.now()

    @api.model
    def _get_consent_date(self, vals):
        """Return when a new member consented: now, or on the day of joining."""
        now = fields.Datetime.now()
        joined = fields.Date.to_date(vals.get("date_joined")) or now.date()
        return datetime.combine(joined, time(12)) if joined < now.date() else now

    def action_anonymise(self):
        """Remove what was noted about a former member; the ledger stays as it is.

        :raise UserError: while the membership has not ended
        """
        if not self.env.user.has_group("garage_loyalty.garage_loyalty_group_manager"):
            raise AccessError(
                self.env._("Only loyalty managers remove the data of a member.")
            )
        self.check_access("write")
        for member in self.filtered(lambda member: member.state != "left")[:1]:
            raise UserError(
                self.env._(
                    "%s is still a member. End the membership with “Leave” first.",
                    member.number,
                )
            )
        # Messages, activities and files may be those of other people.
        members = self.sudo()
        members._remove_personal_data()
        for member in members:
            member.message_post(body=self.env._("Personal data was removed."))

    def _remove_personal_data(self):
        """Empty what may say who the customer was. Override to forget more."""
        self.write({"note": False, "consent_marketing_date": False})
        self.activity_ids.unlink()
        self.message_follower_ids.unlink()
        self.message_ids.unlink()
        files = [("res_model", "=", self._name), ("res_id", "in", self.ids)]
        self.env["ir.attachment"].search(files).unlink()
