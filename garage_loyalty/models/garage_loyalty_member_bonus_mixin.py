from odoo import api, fields, models
from odoo.exceptions import AccessError, ValidationError
from odoo.fields import Domain

from ..tools.text import phone_digits


class GarageLoyaltyMemberBonusMixin(models.AbstractModel):
    """What members get bonuses for: joining, their birthday, referring others."""

    _name = "garage.loyalty.member.bonus.mixin"
    _description = "Bonuses of Loyalty Members"

    birthday = fields.Date(
        copy=False,
        groups="garage_loyalty.garage_loyalty_group_user",
        help="For the birthday bonus. Emptied when personal data is removed.",
    )
    referred_by_id = fields.Many2one(
        "garage.loyalty.member",
        string="Referred by",
        copy=False,
        ondelete="restrict",
        index="btree_not_null",
        domain="[('program_id', '=', program_id), ('id', '!=', id), "
        "('state', '!=', 'left')]",
        help="The member who brought this one. Gets the referral bonus when the new "
        "member has paid an invoice.",
    )
    is_referral_due = fields.Boolean(
        string="Referral not rewarded yet", readonly=True, copy=False
    )
    bonus_ids = fields.One2many("garage.loyalty.bonus", "member_id", readonly=True)

    _referral_due_idx = models.Index("(id) WHERE is_referral_due")

    @api.constrains("birthday", "date_joined")
    def _check_birthday(self):
        for member in self.filtered("birthday"):
            if member.birthday > member.company_id._get_loyalty_today():
                raise ValidationError(self.env._("A birthday lies in the past."))

    @api.constrains("referred_by_id", "program_id")
    def _check_referred_by(self):
        for member in self.filtered("referred_by_id"):
            problem = member._get_referral_problem(member.referred_by_id)
            if problem:
                raise ValidationError(problem)

    def _get_referral_problem(self, referrer):
        """Return in words why a member cannot have been referred by another."""
        self.ensure_one()
        if self in (referrer, referrer._get_survivor()):
            return self.env._("Members cannot refer themselves.")
        if referrer.program_id != self.program_id:
            return self.env._("%s belongs to another programme.", referrer.display_name)
        return None

    @api.model
    def _search_display_name(self, operator, value):
        """Find members by a phone number as well, however it is written."""
        found = super()._search_display_name(operator, value)
        digits = isinstance(value, str) and phone_digits(value)
        if operator != "ilike" or not digits:
            return found
        phones = self.env["res.partner"]._phone_query(digits)
        return Domain(found) | Domain("partner_id", "in", phones)

    @api.model_create_multi
    def create(self, vals_list):
        """Give the sign-up bonus; remember who was referred."""
        vals_list = [
            {**vals, "is_referral_due": bool(vals.get("referred_by_id"))}
            for vals in vals_list
        ]
        members = super().create(vals_list)
        members._give_signup_bonus()
        return members

    def write(self, vals):
        """Let managers only change who referred a member."""
        if "referred_by_id" not in vals:
            return super().write(vals)
        if not self._may_enrol_anybody():
            raise AccessError(
                self.env._("Only loyalty managers change who referred a member.")
            )
        result = super().write(vals)
        # Protected: it follows from who referred, and from what was given.
        members = self.sudo()
        members.is_referral_due = False
        if vals["referred_by_id"]:
            (members - members._get_rewarded()).is_referral_due = True
        return result

    def _get_rewarded(self):
        """Return those of the members for whom a referral was rewarded."""
        bonuses = self.env["garage.loyalty.bonus"].search(
            [("referred_id", "in", self.ids)]
        )
        return bonuses.referred_id

    # -- giving ---------------------------------------------------------------------

    def _prepare_bonus_vals(self, kind, date=None, referred=None, points=None):
        """Return the values of a bonus. Override to give other amounts.

        :param kind: of ``garage.loyalty.bonus``
        :param date: today, unless given
        :param referred: the new member, for a referral
        :param points: what the programme gives, unless said
        """
        self.ensure_one()
        date = date or self.company_id._get_loyalty_today()
        return {
            "member_id": self.id,
            "kind": kind,
            "date": date,
            "year": date.year,
            "points": points or self.program_id._get_bonus_points(kind),
            "referred_id": referred.id if referred else None,
        }

    def _give_signup_bonus(self):
        """Give the bonus for joining. Override to give it to others."""
        joined = self.filtered(lambda member: member.source != "import")
        self.env["garage.loyalty.bonus"]._give(
            [member._prepare_bonus_vals("signup") for member in joined]
        )

    def _give_referral_bonuses(self):
        """Reward who referred these members, and the members themselves.

        Called for those who have paid an invoice. A referrer who is suspended gets
        the bonus once active again; one who has left, nothing.
        """
        vals_list, done = [], self.browse()
        for member in self.filtered("is_referral_due"):
            referrer = member.referred_by_id._get_survivor()
            waits = referrer.state == "suspended"
            if referrer != member:
                vals_list.append(member._prepare_bonus_vals("referred"))
            if referrer != member and referrer.state == "active":
                vals_list.append(
                    referrer._prepare_bonus_vals("referral", referred=member)
                )
            if not waits:
                done += member
        bonuses = self.env["garage.loyalty.bonus"]._give(vals_list)
        done.is_referral_due = False
        return bonuses

    # -- changes --------------------------------------------------------------------

    def _merge_into(self, survivor):
        """Let the other account have the birthday, and a referral that is due."""
        result = super()._merge_into(survivor)
        survivor.birthday = survivor.birthday or self.birthday
        if self.is_referral_due:
            self.is_referral_due = False
            self._hand_over_referral(survivor)
        return result

    def _hand_over_referral(self, survivor):
        """Whoever was a customer before was not brought by the referral."""
        is_old = survivor.date_joined < self.date_joined
        if is_old or survivor.referred_by_id:
            return
        if not survivor._get_referral_problem(self.referred_by_id):
            survivor.referred_by_id = self.referred_by_id

    def _remove_personal_data(self):
        """Forget the birthday, too."""
        self.write({"birthday": False})
        return super()._remove_personal_data()
