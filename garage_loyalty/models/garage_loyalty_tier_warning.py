from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL


class GarageLoyaltyTierWarning(models.AbstractModel):
    """Telling members, once, that they are about to lose their tier."""

    _name = "garage.loyalty.tier.warning"
    _description = "Warning before a Loyalty Tier is Lost"

    @api.model
    def _warn_batch(self, program, batch):
        """Warn some of those who were not warned yet; return how many."""
        today = program.company_id._get_loyalty_today()
        held = self.env["garage.loyalty.qualification"].search(
            self._get_warning_domain(program, today), limit=batch
        )
        # Whoever came back since the last full review has nothing to fear.
        for member in held.member_id.filtered("tier_to_keep"):
            member._send_tier_warning()
        # Written by the review only, which this is a part of.
        held.sudo().date_warned = today
        return len(held)

    @api.model
    def _get_warning_domain(self, program, today):
        """Return the qualifications of which their members are to be warned on a day.

        Only for the tier that they have. Override to warn other members than active
        ones with an e-mail address whose contact is not archived.
        """
        due = SQL(
            """(
            SELECT held.id FROM garage_loyalty_qualification held
              JOIN garage_loyalty_member member
                ON member.id = held.member_id AND member.tier_id = held.tier_id
             WHERE held.date_until > %s AND held.date_until <= %s
               AND held.date_warned IS NULL AND member.program_id = %s
               AND member.is_tier_fixed IS NOT TRUE
            )""",
            today,
            fields.Date.add(today, days=program.tier_warning_days),
            program.id,
        )
        return (
            Domain("id", "in", due)
            & Domain("member_id.state", "=", "active")
            & Domain("member_id.partner_id.email", "!=", False)
            & Domain("member_id.partner_id.active", "=", True)
        )
