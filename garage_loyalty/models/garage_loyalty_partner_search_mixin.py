from odoo import api, models
from odoo.fields import Domain
from odoo.tools import SQL

from ..tools.text import MIN_NATIONAL_DIGITS, compact, phone_digits


class GarageLoyaltyPartnerSearchMixin(models.AbstractModel):
    """How customers are found: by their membership, or by what they tell first."""

    _name = "garage.loyalty.partner.search.mixin"
    _description = "Search of Customers"

    @api.model
    def _search_members(self, domain):
        Member = self.env["garage.loyalty.member"]
        Member.flush_model(["company_id", "merged_into_id", "partner_id", "state"])
        # The same choice as in _get_loyalty_members: one membership for a customer.
        superseded = SQL(
            """(
            SELECT ended.id FROM garage_loyalty_member ended
              JOIN garage_loyalty_member other
                ON other.company_id = ended.company_id
               AND other.partner_id = ended.partner_id
               AND (other.state <> 'left'
                    OR (other.merged_into_id IS NULL, other.id)
                       > (ended.merged_into_id IS NULL, ended.id))
             WHERE ended.state = 'left'
            )"""
        )
        members = Member._search(
            Domain("company_id", "=", self.env.company.loyalty_company_id.id)
            & Domain("id", "not in", superseded)
            & Domain(domain)
        )
        return Domain("commercial_partner_id", "in", members.subselect("partner_id"))

    @api.model
    def _search_loyalty_member_id(self, operator, value):
        if operator != "in":
            return NotImplemented
        found = self._search_members([("id", "in", [item for item in value if item])])
        return found | ~self._search_members([]) if False in value else found

    @api.model
    def _search_is_loyalty_member(self, operator, value):
        if operator != "in":
            return NotImplemented
        found = self._search_members([("state", "=", "active")])
        return Domain.OR(found if item else ~found for item in value)

    @api.model
    def _search_loyalty_tier_id(self, operator, value):
        if operator != "in":
            return NotImplemented
        found = self._search_members([("tier_id", "in", value)])
        return found | ~self._search_members([]) if False in value else found

    @api.model
    def _search_loyalty_status(self, operator, value):
        if operator != "in":
            return NotImplemented
        states = [item for item in value if item]
        found = self._search_members([("state", "in", states)])
        return found | ~self._search_members([]) if False in value else found

    @api.model
    def _find_for_enrolment(self, text, limit=10):
        """Return the customers that ``text`` may mean, by whatever they tell first.

        Looks at name, e-mail, phone number (however it is written), and number
        plates in the notes of repair orders.
        """
        text = (text or "").strip()
        if not text:
            return self.browse()
        domain = Domain("email", "ilike", text) | Domain("complete_name", "ilike", text)
        digits, plate = phone_digits(text), compact(text)
        if digits:
            domain |= Domain("id", "in", self._phone_query(digits))
        if len(plate) > 3 and any(char.isdigit() for char in plate):
            domain |= Domain("id", "in", self._plate_query(plate))
        return self.search(domain, limit=limit, order="complete_name, id")

    @api.model
    def _phone_query(self, digits):
        """Return the partners whose number ends like ``digits``, or the other way."""
        self.flush_model(["phone"])
        return SQL(
            r"""(
            SELECT id FROM (
                SELECT id, ltrim(regexp_replace(
                           phone, '\(0\)|[^0-9]', '', 'g'), '0') AS digits
                  FROM res_partner WHERE phone IS NOT NULL) known
             WHERE digits LIKE %s
                OR length(digits) >= %s AND %s LIKE '%%' || digits
            )""",
            f"%{digits}",
            MIN_NATIONAL_DIGITS,
            digits,
        )

    @api.model
    def _plate_query(self, plate):
        self.env["repair.order"].flush_model(
            ["company_id", "internal_notes", "partner_id"]
        )
        return SQL(
            r"""(
            SELECT partner_id FROM repair_order
             WHERE company_id = %s AND internal_notes IS NOT NULL
               AND regexp_replace(
                       upper(internal_notes), '<[^>]*>|[^[:alnum:]]', '', 'g') LIKE %s
            )""",
            self.env.company.id,
            f"%{plate}%",
        )
