from odoo import api, fields, models

from .res_partner import GROUPS


class GarageLoyaltyOfferedMixin(models.AbstractModel):
    """What the customer of a document was, or could be, offered personally."""

    _name = "garage.loyalty.offered.mixin"
    _description = "Document of a Customer with Personal Offers"

    loyalty_personal_offer_ids = fields.Many2many(
        "garage.loyalty.personal.offer",
        string="Personal offers",
        compute="_compute_loyalty_personal_offer_ids",
        groups=GROUPS,
        help="Offers that the customer can use now.",
    )
    loyalty_personal_offer_text = fields.Char(
        string="Offered",
        compute="_compute_loyalty_personal_offer_ids",
        groups=GROUPS,
    )
    loyalty_regular_ids = fields.Many2many(
        "garage.loyalty.regular.work",
        string="Regular work",
        compute="_compute_loyalty_regular_ids",
        groups=GROUPS,
        help="Work that the customer had done so often that an offer is due.",
    )

    @api.depends("partner_id", "company_id")
    def _compute_loyalty_personal_offer_ids(self):
        self._set_of_loyalty_customer(
            "loyalty_personal_offer_ids",
            [("active", "=", True), ("state", "=", "open")],
        )
        for document in self:
            offers = document.loyalty_personal_offer_ids
            names = offers.sorted("date_until").mapped("display_name")
            document.loyalty_personal_offer_text = ", ".join(names) or False

    @api.depends("partner_id", "company_id")
    def _compute_loyalty_regular_ids(self):
        self._set_of_loyalty_customer("loyalty_regular_ids", [])

    def _set_of_loyalty_customer(self, name, domain):
        """Set a field to the rows of the customer of each document."""
        keys = {
            document: (
                # To which company an account belongs is no secret.
                (document.company_id or self.env.company).sudo().loyalty_company_id.id,
                document.partner_id.commercial_partner_id._origin.id,
            )
            for document in self
        }
        companies, partners = map(set, zip(*keys.values(), strict=True))
        rows = self.env[self._fields[name].comodel_name].search(
            [
                *domain,
                ("company_id", "in", list(companies)),
                ("partner_id", "in", list(partners - {False})),
            ]
        )
        mine = rows.grouped(lambda row: (row.company_id.id, row.partner_id.id))
        for document, key in keys.items():
            document[name] = mine.get(key)
