from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from ..tools import offers as rules

STATES = [
    (rules.OPEN, "Open"),
    (rules.USED, "Used"),
    (rules.EXPIRED, "Expired"),
    (rules.DECLINED, "Declined"),
]


class GarageLoyaltyOfferStateMixin(models.AbstractModel):
    """The state of a personal offer. It passes by time, so it is not stored.

    States ``tools.offers.state`` once more as a domain, and once as SQL by which
    offers are grouped.
    """

    _name = "garage.loyalty.offer.state.mixin"
    _description = "State of a Personal Offer"

    state = fields.Selection(STATES, compute="_compute_state", search="_search_state")

    @api.depends("redemption_id", "is_declined", "date_until", "company_id")
    def _compute_state(self):
        for company, offers in self.grouped("company_id").items():
            today = company._get_loyalty_today()
            for offer in offers:
                offer.state = rules.state(
                    bool(offer.redemption_id),
                    offer.is_declined,
                    offer.date_until or today,
                    today,
                )

    @api.model
    def _search_state(self, operator, value):
        if operator != "in":
            return NotImplemented
        domains = self._get_state_domains()
        return Domain.OR(domains[state] for state in value if state in domains)

    @api.model
    def _get_state_domains(self):
        """Return the offers in each state as a domain."""
        in_time = Domain.OR(
            Domain("company_id", "in", companies.ids) & Domain("date_until", ">=", day)
            for day, companies in self._get_days().items()
        )
        used, declined = (
            Domain("redemption_id", "!=", False),
            Domain("is_declined", "=", True),
        )
        waiting = ~used & ~declined
        return {
            rules.OPEN: waiting & in_time,
            rules.USED: used,
            rules.EXPIRED: waiting & ~in_time,
            rules.DECLINED: ~used & declined,
        }

    @api.model
    def _get_days(self):
        """Return the companies by their present day, at most three of them."""
        # Which day it is in a company is no secret.
        companies = self.env["res.company"].sudo()
        companies = companies.search([("loyalty_company_id", "!=", False)])
        return companies.grouped(lambda company: company._get_loyalty_today())

    def _field_to_sql(self, alias, field_expr, query=None):
        """Group and sort by the state."""
        if field_expr != "state":
            return super()._field_to_sql(alias, field_expr, query)
        redemption, is_declined, until, company = (
            self._field_to_sql(alias, name, query)
            for name in ("redemption_id", "is_declined", "date_until", "company_id")
        )
        in_time = SQL(" OR ").join(
            SQL("%s = ANY(%s) AND %s >= %s::date", company, companies.ids, until, day)
            for day, companies in self._get_days().items()
        )
        return SQL(
            "CASE WHEN %s IS NOT NULL THEN 'used' WHEN %s THEN 'declined' "
            "WHEN %s THEN 'open' ELSE 'expired' END",
            redemption,
            is_declined,
            in_time,
        )
