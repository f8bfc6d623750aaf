from odoo import models
from odoo.tools import SQL

from ..tools.tiers import Figures


class GarageLoyaltyTierRiseMixin(models.AbstractModel):
    """How members reach a higher tier at once, without waiting for the night.

    Adding up what a member did takes longer than posting an invoice may. So posting
    asks the visit that it writes what came before it, which costs next to nothing, and
    looks closer only at who may have reached a tier.
    """

    _name = "garage.loyalty.tier.rise.mixin"
    _description = "Rise to a Loyalty Tier"

    def _rise(self, day=None):
        """Give members the tier that their figures suffice for on a day (today)."""
        self._filter_rising()._settle_tiers(day)

    def _settle_tiers(self, day=None):
        """Review members on a day (today), because something that counts has changed.

        Not while history is loaded: it is reviewed day by day, afterwards.
        """
        if self.env.context.get("garage_loyalty_defer_tiers"):
            return
        # Whoever posts may neither see members nor write what the review finds.
        Review = self.env["garage.loyalty.tier.review"].sudo()
        for program, members in self.sudo().grouped("program_id").items():
            if program._get_rules().tiers.are_given:
                today = program.company_id._get_loyalty_today()
                Review._review(program, day or today, members.ids)

    def _filter_rising(self):
        """Return the members for whom there is a tier that figures can reach."""
        return self.filtered(
            lambda member: (
                member.state == "active"
                and not member.is_tier_fixed
                and member._get_tier_rules().can_rise(member.tier_id.id)
            )
        )

    def _get_tier_rules(self):
        return self.program_id._get_rules().tiers

    def _get_rise_totals(self):
        """Return the SQL that asks a new visit what its customer did in time.

        It counts too much rather than too little: who may have reached a tier is
        looked at once more. None when nobody can reach any.
        """
        if not self:
            return None
        rules = [program._get_rules().tiers for program in self.program_id]
        day = self.company_id[0]._get_loyalty_today()  # known, unlike the programme's
        return SQL(
            """
            (SELECT ARRAY[garage_loyalty_visit.member_id,
                          count(*) FILTER (WHERE earlier.kind = 'repair')
                          + (garage_loyalty_visit.kind = 'repair')::int,
                          sum(earlier.amount)]
               FROM garage_loyalty_visit earlier
              WHERE earlier.company_id = ANY(%(companies)s)
                AND earlier.partner_id = garage_loyalty_visit.partner_id
                AND earlier.date >= %(start)s) || garage_loyalty_visit.amount
            """,
            companies=[company for rule in rules for company in rule.companies],
            start=min(rule.window_start(day) for rule in rules),
        )

    def _rise_by_totals(self, totals):
        """Give a higher tier to those who may have reached one.

        :param totals: what ``_get_rise_totals`` yields for each new visit
        """
        new = {}
        for member_id, *numbers in filter(None, totals):
            new.setdefault(member_id, []).append(numbers)
        self.filtered(lambda member: member._may_rise(new.get(member.id)))._rise()

    def _may_rise(self, totals):
        """Tell whether a member may have reached a tier with new visits.

        :param totals: for each new visit: the number of repair orders up to it, what
            was spent before, and its amount
        """
        if not totals:
            return False
        count, before, _amount = totals[0]
        spend = (before or 0) + sum(amount for _count, _before, amount in totals)
        rules = self._get_tier_rules()
        figures = Figures(spend, float("inf"), count + len(totals) - 1)
        return rules.deserved(figures) > rules.place(self.tier_id.id)
