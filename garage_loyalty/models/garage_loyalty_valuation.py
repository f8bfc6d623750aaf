from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import float_compare, format_date, formatLang

DIGITS = 6


class GarageLoyaltyValuation(models.Model):
    """What a point is expected to cost, from a day on.

    Outstanding points x value of a point x share that is expected to be redeemed is
    what the workshop owes. A change is a row of its own: what was owed on an earlier
    day stays what it was. The first valuation of a programme holds before its day, too.
    """

    _name = "garage.loyalty.valuation"
    _description = "Valuation of Points"
    _inherit = ["garage.loyalty.export.mixin", "garage.loyalty.input.mixin"]
    _order = "date desc, id desc"
    _rec_name = "date"

    program_id = fields.Many2one(
        "garage.loyalty.program",
        string="Programme",
        required=True,
        index=True,
        ondelete="cascade",
        default=lambda self: self.env["garage.loyalty.program"]._get_default(
            self.env.company
        ),
    )
    company_id = fields.Many2one(
        related="program_id.company_id", store=True, index=True
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    date = fields.Date(
        string="From",
        required=True,
        default=lambda self: self.env.company._get_loyalty_today(),
        help="First day on which points are worth this. Not before the valuation that "
        "holds now, and not in the future.",
    )
    point_value = fields.Float(
        string="Value of a point",
        digits=(16, DIGITS),
        required=True,
        compute="_compute_point_value",
        store=True,
        readonly=False,
        precompute=True,
        help="What one point takes off, taxes included, in the company's currency. "
        "Changed here, it changes for customers, too, from today on.",
    )
    redemption_rate = fields.Float(
        string="Expected to be redeemed (%)",
        digits=(16, 2),
        required=True,
        compute="_compute_redemption_rate",
        store=True,
        readonly=False,
        precompute=True,
        help="Of the points outstanding. The others are expected to expire.",
    )
    tax_percent = fields.Float(
        string="Taxes in it (%)",
        digits=(16, 4),
        required=True,
        compute="_compute_tax_percent",
        store=True,
        readonly=False,
        precompute=True,
        help="What a point takes off contains taxes that you then owe nobody: the tax "
        "on most of your sales. What is owed for points is without them.",
    )
    worth = fields.Float(
        string="Owed for a point",
        digits=(16, DIGITS + 2),
        compute="_compute_worth",
        store=True,
        help="Value of a point without taxes, times the share that is expected to be "
        "redeemed.",
    )
    reason = fields.Char(string="Why", help="For whoever asks later.")
    user_id = fields.Many2one(
        "res.users",
        string="By",
        required=True,
        readonly=True,
        ondelete="restrict",
        default=lambda self: self.env.user,
    )
    keep_balances = fields.Boolean(
        string="Balances keep their worth",
        help="At a new value of a point: every member gets an entry that adds or takes "
        "points, so that the balance takes off as much as before. Otherwise balances "
        "stay, and are worth more or less.",
    )
    kept_text = fields.Char(string="Balances", compute="_compute_kept_text")
    outstanding = fields.Integer(
        string="Points outstanding",
        compute="_compute_effect",
        help="At the end of the day before.",
    )
    effect = fields.Monetary(
        compute="_compute_effect",
        help="What is owed more, or less, for the points outstanding from that day on.",
    )
    signed_text = fields.Char(string="Signed off", compute="_compute_signed_text")
    estimate = fields.Char(
        string="By your own history",
        compute="_compute_estimate",
        help="What became of points that were earned long enough ago.",
    )

    _rate_percent = models.Constraint(
        "CHECK(redemption_rate >= 0 AND redemption_rate <= 100)",
        "What is expected to be redeemed is a percentage between 0 and 100.",
    )
    _tax_possible = models.Constraint(
        "CHECK(tax_percent >= 0 AND tax_percent <= 1000)",
        "Taxes in the value of a point cannot be negative.",
    )
    _value_positive = models.Constraint(
        "CHECK(point_value > 0)", "A point must be worth something."
    )
    _program_date_idx = models.Index("(program_id, date, id)")

    @api.depends("program_id")
    def _compute_point_value(self):
        for valuation in self:
            valuation.point_value = valuation.program_id.point_value

    @api.depends("program_id")
    def _compute_redemption_rate(self):
        for valuation in self:
            latest = valuation.program_id._get_valuation()
            valuation.redemption_rate = latest.redemption_rate if latest else 100

    @api.depends("program_id")
    def _compute_tax_percent(self):
        for valuation in self:
            latest = valuation.program_id._get_valuation()
            valuation.tax_percent = (
                latest.tax_percent
                if latest
                else valuation.company_id._get_loyalty_tax_percent()
            )

    @api.depends("point_value", "redemption_rate", "tax_percent")
    def _compute_worth(self):
        for valuation in self:
            value = valuation.point_value * valuation.redemption_rate
            valuation.worth = value / (100 + valuation.tax_percent)

    @api.depends(
        "program_id",
        "date",
        "point_value",
        "redemption_rate",
        "tax_percent",
        "keep_balances",
    )
    def _compute_effect(self):
        for valuation in self:
            before = valuation._get_former() or valuation
            points = valuation.program_id._get_outstanding(valuation.date)
            _members, balances, kept = valuation._get_kept() or (0, 0, 0)
            after = points + kept - balances
            valuation.outstanding = points
            valuation.effect = after * valuation.worth - points * before.worth

    @api.depends("program_id", "point_value", "keep_balances")
    def _compute_kept_text(self):
        for valuation in self:
            kept = [
                formatLang(self.env, number, digits=0)
                for number in valuation._get_kept() or ()
            ]
            valuation.kept_text = bool(kept) and self.env._(
                "%(count)s members: %(before)s points become %(after)s.",
                count=kept[0],
                before=kept[1],
                after=kept[2],
            )

    def _get_kept(self):
        """Return what keeping balances would do now, nothing where they stay.

        Members, their points, and their points afterwards.
        """
        value = self.program_id.point_value
        if (
            self._origin
            or not self.keep_balances
            or self.point_value <= 0
            or not float_compare(self.point_value, value, DIGITS)
        ):
            return None
        Conversion = self.env["garage.loyalty.conversion"]
        return Conversion._get_effect(self.program_id, value, self.point_value)

    @api.depends("program_id", "date")
    def _compute_signed_text(self):
        for valuation in self:
            signed = not valuation._origin and valuation._get_signed()
            valuation.signed_text = bool(signed) and self.env._(
                "The points of %s were compared with the books and signed. With this "
                "valuation, reports tell another amount for that day than the one that "
                "was signed. A valuation that begins later leaves it as it is.",
                format_date(self.env, signed.date),
            )

    def _get_signed(self):
        """Return the last signed reconciliation of a day that this is about, too."""
        domain = Domain("company_id", "=", self.company_id.id)
        domain &= Domain("state", "=", "signed")
        first = self.program_id._get_valuations()[-1:].date
        # That of the first day also holds before it.
        if first and self.date and self.date > first:
            domain &= Domain("date", ">=", self.date)
        return self.env["garage.loyalty.reconciliation"].search(domain, limit=1)

    @api.depends("program_id")
    def _compute_estimate(self):
        for valuation in self:
            valuation.estimate = valuation.program_id._get_redemption_estimate()[1]

    @api.depends("program_id", "date")
    def _compute_display_name(self):
        for valuation in self:
            name = valuation.program_id.display_name
            day = fields.Date.to_string(valuation.date)
            valuation.display_name = f"{name}, {day}" if day else name

    def _get_former(self):
        """Return the valuation that held before."""
        self.ensure_one()
        former = self.program_id._get_valuations() - self._origin
        if self._origin:
            key = (self._origin.date, self._origin.id)
            former = former.filtered(lambda item: (item.date, item.id) < key)
        return former[:1]

    # -- changes --------------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        """Add valuations; a new value of a point is that of the programme, too."""
        valuations = super().create(vals_list)
        for valuation, vals in zip(valuations, vals_list, strict=True):
            valuation._check_day()
            # Without one the value is that of the programme: nothing to take over.
            if "point_value" in vals:
                valuation._apply_value()
        return valuations

    def write(self, vals):
        """Refuse: what was owed on a day stays what it was."""
        if self:
            raise UserError(
                self.env._("A valuation is not changed: add one from today on.")
            )
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(
            self.env._("A valuation is not deleted: what was owed would change.")
        )

    def _check_day(self):
        latest = (self.program_id._get_valuations() - self)[:1]
        today = self.company_id._get_loyalty_today()
        if self.date > max(today, latest.date or today):
            raise ValidationError(self.env._("A valuation cannot begin in the future."))
        if latest and self.date < latest.date:
            raise ValidationError(
                self.env._(
                    "There is a valuation from %s on: a new one cannot begin earlier.",
                    fields.Date.to_string(latest.date),
                )
            )

    def _apply_value(self):
        """Let the programme take over a new value, as whoever may change it."""
        program = self.program_id
        if not float_compare(self.point_value, program.point_value, DIGITS):
            return
        if self.date != self.company_id._get_loyalty_today():
            raise ValidationError(
                self.env._("Customers get the new value of a point from today on.")
            )
        before = program.point_value
        program.point_value = self.point_value
        if self.keep_balances:
            # Whoever may change the value; entries are posted by nobody's hand.
            self.env["garage.loyalty.conversion"].sudo()._request(self, before)
