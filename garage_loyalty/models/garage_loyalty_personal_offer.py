from datetime import timedelta

from psycopg2.errors import UniqueViolation

from odoo import api, fields, models
from odoo.exceptions import ConcurrencyError, UserError, ValidationError
from odoo.tools import format_date

from ..tools import offers as rules

SOURCES = [
    ("regular", "Regular work"),
    ("campaign", "Campaign"),
    ("manual", "By hand"),
]


class GarageLoyaltyPersonalOffer(models.Model):
    """A reward that one customer is offered, to be used once until a day.

    Made by ``_offer`` and by nothing else. Offered to members and others alike; only
    members can redeem it, also those who join because of it.
    """

    _name = "garage.loyalty.personal.offer"
    _description = "Personal Offer"
    _inherit = [
        "garage.loyalty.export.mixin",
        "garage.loyalty.offer.state.mixin",
        "garage.loyalty.offer.use.mixin",
        "garage.loyalty.offered.customer.mixin",
    ]
    _order = "date desc, id desc"

    active = fields.Boolean(default=True, help="Not active: it was cancelled.")
    reward_id = fields.Many2one(
        "garage.loyalty.reward",
        readonly=True,
        ondelete="restrict",
        index="btree_not_null",
        help="Empty when the customer was not interested before one was chosen.",
    )
    categ_id = fields.Many2one(
        "product.category",
        string="Kind of work",
        readonly=True,
        ondelete="set null",
        index="btree_not_null",
        help="Regular work of this kind is counted anew from the day of the offer.",
    )
    date = fields.Date(string="Offered on", required=True, readonly=True)
    date_until = fields.Date(
        string="Valid until",
        required=True,
        readonly=True,
        help="Last day on which it can be redeemed.",
    )
    source = fields.Selection(SOURCES, required=True, readonly=True, default="manual")
    # Not the advisor of the customer, as on other lists: who made the offer.
    user_id = fields.Many2one(
        "res.users",
        string="Offered by",
        compute=None,
        store=True,
        readonly=True,
        ondelete="restrict",
        default=lambda self: self.env.user,
        help=None,
    )
    is_declined = fields.Boolean(string="Not interested", readonly=True)
    is_latest = fields.Boolean(
        readonly=True,
        default=True,
        help="Technical: offering the same reward again moves the last day of this "
        "offer, as long as it is open.",
    )
    redemption_id = fields.Many2one(
        "garage.loyalty.redemption",
        readonly=True,
        ondelete="set null",
        index="btree_not_null",
        help="Where it was used: reserved or done.",
    )
    used_date = fields.Date(string="Used on", readonly=True)
    used_count = fields.Integer(
        string="Used", compute="_compute_used", store=True, help="1 when it was used."
    )
    used_share = fields.Float(
        string="Share used",
        compute="_compute_used",
        store=True,
        aggregator="avg",
        help="How many of the offers were used.",
    )
    cost = fields.Monetary(
        related="redemption_id.cost",
        store=True,
        help="What it cost where it was used, net of tax.",
    )

    _latest_uniq = models.UniqueIndex(
        "(partner_id, company_id, reward_id) WHERE is_latest",
        "This reward was offered to the customer at the same moment.",
    )
    _customer_idx = models.Index("(partner_id, company_id)")
    _dates_order = models.Constraint(
        "CHECK(date_until >= date)", "An offer cannot end before it is made."
    )
    _reward_required = models.Constraint(
        "CHECK(reward_id IS NOT NULL OR is_declined)", "Choose what is offered."
    )

    @api.depends("redemption_id")
    def _compute_used(self):
        for offer in self:
            offer.used_count = offer.used_share = int(bool(offer.redemption_id))

    @api.depends("reward_id.name", "categ_id.name", "date_until")
    @api.depends_context("lang")
    def _compute_display_name(self):
        for offer in self:
            if not offer.reward_id:
                kind = offer.categ_id.name or ""
                name = self.env._("%s: not interested", kind)
            else:
                name = self.env._(
                    "%(reward)s until %(day)s",
                    reward=offer.reward_id.name,
                    day=offer._get_until(),
                )
            offer.display_name = name

    def _get_until(self):
        """Return the last day in words, the year only when it is another one."""
        self.ensure_one()
        until = self.date_until or self.company_id._get_loyalty_today()
        is_near = until.year == self.company_id._get_loyalty_today().year
        return format_date(
            self.env, until, date_format="d MMM" if is_near else "d MMM y"
        )

    @api.constrains("company_id", "reward_id")
    def _check_company_of_reward(self):
        for offer in self.filtered("reward_id"):
            if offer.reward_id.company_id != offer.company_id:
                raise ValidationError(
                    self.env._(
                        "“%s” is a reward of another company.", offer.reward_id.name
                    )
                )

    # -- making offers --------------------------------------------------------------

    @api.model
    def _offer(self, vals_list):
        """Offer rewards to customers personally, and return the offers.

        A reward that is open for a customer is not offered twice: its last day is
        moved instead. Whoever calls has checked who may make offers.

        :param vals_list: of each: ``partner_id``, ``company_id``, ``reward_id``, and
            ``date_until`` (as many days as Settings say, if not given), ``source``,
            ``categ_id`` (that of the reward, if not given)
        :raise ConcurrencyError: when somebody offers the same at once; Odoo tries again
        """
        # Nobody has the right to type offers in.
        Offer = self.sudo()
        found = {}
        for vals in map(Offer._prepare_offer_vals, vals_list):
            key = vals["company_id"], vals["partner_id"], vals["reward_id"]
            until = max(vals["date_until"], found.get(key, vals)["date_until"])
            found[key] = {**vals, "date_until": until}
        known = Offer._get_latest(found)
        offers = Offer._renew(known, found) | Offer._create_offers(
            [vals for key, vals in found.items() if key not in known]
        )
        self.env["garage.loyalty.regular.work"]._start_again(offers)
        return offers.with_env(self.env)

    @api.model
    def _prepare_offer_vals(self, vals):
        """Return the values of an offer. Override to fill in more."""
        company = self.env["res.company"].browse(vals["company_id"]).loyalty_company_id
        partner = self.env["res.partner"].browse(vals["partner_id"])
        reward = self.env["garage.loyalty.reward"].browse(vals["reward_id"])
        today = company._get_loyalty_today()
        days = timedelta(days=company.loyalty_regular_days)
        until = vals.get("date_until") or today + days
        return {
            "categ_id": reward.categ_id.id,
            **vals,
            "company_id": company.id,
            "partner_id": partner.commercial_partner_id.id,
            "date": today,
            "date_until": fields.Date.to_date(until),
        }

    @api.model
    def _get_latest(self, keys):
        """Return the offers that are open, by company, customer and reward.

        Those that have ended make room for others.
        """
        companies, partners, rewards = (
            [list(set(ids)) for ids in zip(*keys, strict=True)] if keys else [[]] * 3
        )
        latest = self.search(
            [
                ("is_latest", "=", True),
                ("company_id", "in", companies),
                ("partner_id", "in", partners),
                ("reward_id", "in", rewards),
            ]
        )
        ended = latest.filtered(lambda offer: offer.state != rules.OPEN)
        ended.is_latest = False
        ended.flush_recordset()
        return {offer._get_key(): offer for offer in latest - ended}

    def _get_key(self):
        self.ensure_one()
        return self.company_id.id, self.partner_id.id, self.reward_id.id

    @api.model
    def _renew(self, known, found):
        """Move the last day of offers that are open; never to an earlier one."""
        for key, offer in known.items():
            if found[key]["date_until"] > offer.date_until:
                offer.date_until = found[key]["date_until"]
        return self.union(*known.values())

    @api.model
    def _create_offers(self, vals_list):
        try:
            # The database knows of offers that somebody else makes meanwhile.
            with self.env.cr.savepoint():
                return self.create(vals_list)
        except UniqueViolation as error:
            raise ConcurrencyError(
                self.env._("This reward was offered at the same moment.")
            ) from error

    @api.model
    def _decline(self, vals_list):
        """Note that customers are not interested in a kind of work, and return it.

        :param vals_list: of each: ``partner_id``, ``company_id``, ``categ_id``
        """
        # Nobody has the right to type offers in.
        Offer = self.sudo()
        empty = {"reward_id": False, "source": "regular"}
        declined = [Offer._prepare_offer_vals({**vals, **empty}) for vals in vals_list]
        for vals in declined:
            over = {"date_until": vals["date"], "is_declined": True}
            vals.update(over, is_latest=False)
        offers = Offer.create(declined)
        self.env["garage.loyalty.regular.work"]._start_again(offers)
        return offers.with_env(self.env)

    # -- buttons ----------------------------------------------------------------------

    def action_decline(self):
        """Note that the customers are not interested in offers that are open.

        :raise UserError: for an offer that is not open any more
        """
        self._check_offer_rights("user")
        self._check_open()
        # Advisors change offers by this button only.
        self.sudo().write({"is_declined": True, "is_latest": False})

    def action_cancel(self):
        """Cancel offers that are open, as if they had never been made.

        :raise UserError: for an offer that is not open any more
        """
        self._check_offer_rights("manager")
        self._check_open()
        # Managers change offers by this button only.
        self.sudo().write({"active": False, "is_latest": False})
        Changed = self.env["garage.loyalty.changed.customer"].sudo()  # facts
        Changed._note(self.partner_id.ids)

    def _check_open(self):
        for offer in self - self._get_open().filtered("active"):
            raise UserError(
                self.env._("“%s” is not open any more.", offer.display_name)
            )
