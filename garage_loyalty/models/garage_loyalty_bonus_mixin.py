from odoo import fields, models

POINTS = ("signup_bonus", "birthday_bonus", "referral_bonus", "referred_bonus")


class GarageLoyaltyBonusMixin(models.AbstractModel):
    """Which bonuses a programme gives; 0 gives none."""

    _name = "garage.loyalty.bonus.mixin"
    _description = "Bonuses of a Loyalty Programme"

    signup_bonus = fields.Integer(
        string="Sign-up bonus",
        tracking=True,
        help="Points for joining, given once. Members who are imported, and former "
        "members who come back, do not get them.",
    )
    birthday_bonus = fields.Integer(
        string="Birthday bonus",
        tracking=True,
        help="Points for active members on their birthday, once a calendar year. Who "
        "was born on 29 February gets them on 28 February in common years.",
    )
    referral_bonus = fields.Integer(
        string="Referral bonus",
        tracking=True,
        help="Points for the member who referred a new one, once the new member has "
        "paid an invoice. They stay when that invoice is credited later.",
    )
    referred_bonus = fields.Integer(
        string="Bonus for being referred",
        tracking=True,
        help="Points for the new member who was referred, at the same moment.",
    )
    birthday_given_until = fields.Date(
        string="Birthdays done until",
        readonly=True,
        copy=False,
        help="Last day whose birthdays the scheduled action has rewarded.",
    )

    _bonus_numbers = models.Constraint(
        "CHECK(COALESCE(signup_bonus, 0) BETWEEN 0 AND 1000000 "
        "AND COALESCE(birthday_bonus, 0) BETWEEN 0 AND 1000000 "
        "AND COALESCE(referral_bonus, 0) BETWEEN 0 AND 1000000 "
        "AND COALESCE(referred_bonus, 0) BETWEEN 0 AND 1000000)",
        "A bonus lies between 0 and a million points.",
    )

    def write(self, vals):
        """Start with today when birthdays begin to be rewarded."""
        if vals.get("birthday_bonus"):
            starting = self.filtered(lambda program: not program.birthday_bonus)
            super(GarageLoyaltyBonusMixin, starting).write(
                {"birthday_given_until": False}
            )
        return super().write(vals)

    def _get_bonus_points(self, kind):
        """Return the points of a bonus of a kind. Override to give other amounts.

        :param kind: of ``garage.loyalty.bonus``
        """
        self.ensure_one()
        # What a programme gives is given whoever posts the invoice.
        return self.sudo()[f"{kind}_bonus"]
