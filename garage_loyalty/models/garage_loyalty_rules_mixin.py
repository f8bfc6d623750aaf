from lxml.html import fragments_fromstring
from markupsafe import Markup

from odoo import models
from odoo.tools import ormcache

from ..tools.rules import Rules


class GarageLoyaltyRulesMixin(models.AbstractModel):
    """The rules of a programme, read once and kept, and who answers for them."""

    _name = "garage.loyalty.rules.mixin"
    _description = "Rules of a Loyalty Programme"

    @ormcache("self.id")
    def _get_rules(self):
        """Return the rules of the programme, which are read once and then kept."""
        return self._prepare_rules()

    def _prepare_rules(self):
        """Return the rules of the programme as they are in the form.

        Override to return an object of a derived class with more rules.
        """
        self.ensure_one()
        program = self.sudo()  # rules are applied for whoever posts an invoice
        return Rules(
            trigger=program.earn_trigger,
            labour_rate=program.labour_rate if program.has_points else 0.0,
            parts_rate=program.parts_rate if program.has_points else 0.0,
            minimum=program.minimum_amount,
            private_only=program.private_only,
            earn_when_redeeming=program.earn_when_redeeming,
            excluded=frozenset(program.excluded_categ_ids.ids),
            joining=program._prepare_join_rules(),
            multipliers=program._get_multipliers(),
            tiers=program._prepare_tier_rules(),
            **program._prepare_expiry_rules(),
        )

    def _get_multipliers(self):
        # Invoices of the past may still be posted with a tier that was archived.
        tiers = self.with_context(active_test=False).tier_ids
        return {tier.id: tier.multiplier for tier in tiers}

    def _get_managers(self):
        """Return the users who answer for the programme.

        Override to ask other people than the loyalty managers of its company.
        """
        self.ensure_one()
        return self.company_id._get_loyalty_managers()

    def _report_to_managers(self, lines):
        """Tell managers what is wrong with the ledger, in one activity for each.

        What the open activity says already is not said again.
        """
        self.ensure_one()
        kind = "garage_loyalty.mail_activity_type_ledger"
        paragraph = Markup("<p>%s</p>")
        for user in self._get_managers():
            known = self.activity_search([kind], user_id=user.id)[:1]
            said = {
                item.text_content()
                for item in fragments_fromstring(known.note or "<p/>")
                if not isinstance(item, str)
            }
            new = [paragraph % line for line in lines if line not in said]
            note = (known.note or Markup()) + Markup().join(new)
            if not known:
                self.activity_schedule(kind, user_id=user.id, note=note)
            elif new:
                known.note = note

    def action_check_ledger(self):
        """Check now what is checked every night, and say what was found."""
        self.ensure_one()
        self.check_access("write")
        # A difference is found whoever asks, also in accounts of other companies.
        members = self.sudo().with_context(active_test=False).member_ids
        Check = self.env["garage.loyalty.ledger.check"].sudo()
        differences = Check._find_differences(members)
        Check._report_differences(differences)
        message = (
            self.env._("%s rows do not add up: see the activity.", len(differences))
            if differences
            else self.env._("Everything adds up for %s members.", len(members))
        )
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "message": message,
                "type": "danger" if differences else "success",
                "next": {"type": "ir.actions.act_window_close"},
            },
        }
