from odoo import api, fields, models
from odoo.exceptions import ValidationError

from .garage_loyalty_expiry_mixin import SCHEDULE


class GarageLoyaltyProgram(models.Model):
    _name = "garage.loyalty.program"
    _description = "Loyalty Programme"
    _inherit = [
        "garage.loyalty.input.mixin",
        "garage.loyalty.bonus.mixin",
        "garage.loyalty.expiry.mixin",
        "garage.loyalty.kit.cost.mixin",
        "garage.loyalty.kit.mixin",
        "garage.loyalty.program.privileges.mixin",
        "garage.loyalty.join.rules.mixin",
        "garage.loyalty.rules.mixin",
        "garage.loyalty.tier.rules.mixin",
        "garage.loyalty.valued.mixin",
        "mail.thread",
        "mail.activity.mixin",
    ]
    _order = "company_id, sequence, id"
    _check_company_auto = True

    name = fields.Char(required=True, translate=True, tracking=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    company_id = fields.Many2one(
        "res.company", required=True, index=True, default=lambda self: self.env.company
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    share_branches = fields.Boolean(
        string="Branches share members and points",
        tracking=True,
        help="Customers of a branch of the company have one account for all branches. "
        "Otherwise no point crosses from one company to another.",
    )

    earn_trigger = fields.Selection(
        [("posted", "The invoice is posted"), ("paid", "The invoice is fully paid")],
        string="Points are earned when",
        required=True,
        default="paid",
        tracking=True,
    )
    labour_rate = fields.Float(
        string="Points per unit of labour",
        default=1.0,
        digits=(16, 4),
        tracking=True,
        help="Points for one unit of the company's currency spent on labour "
        "(service products), net of tax and discounts.",
    )
    parts_rate = fields.Float(
        string="Points per unit of parts",
        default=1.0,
        digits=(16, 4),
        tracking=True,
        help="Points for one unit of the company's currency spent on parts, "
        "net of tax and discounts.",
    )
    minimum_amount = fields.Monetary(
        string="Smallest invoice",
        tracking=True,
        help="An invoice whose net amount is smaller earns nothing. "
        "0 means that every invoice earns.",
    )
    private_only = fields.Boolean(
        string="Private customers only",
        tracking=True,
        help="Companies can be members, but their invoices earn nothing.",
    )
    earn_when_redeeming = fields.Boolean(
        string="Earn on the rest of a redeemed invoice",
        default=True,
        tracking=True,
        help="What is paid with points never earns. Untick to give nothing at all "
        "on an invoice on which points were spent.",
    )
    excluded_categ_ids = fields.Many2many(
        "product.category",
        string="Categories that earn nothing",
        help="Products of these categories, and of those below them, earn nothing.",
    )

    point_value = fields.Float(
        string="Value of a point",
        default=0.05,
        digits=(16, 6),
        tracking=True,
        help="What one point takes off, taxes included, in the company's currency.",
    )
    minimum_redemption = fields.Integer(
        string="Fewest points at once", default=100, tracking=True
    )
    labour_cap = fields.Float(
        string="Most of the labour (%)",
        default=50.0,
        tracking=True,
        help="How much of a document's labour may be paid with points, in percent.",
    )
    parts_cap = fields.Float(
        string="Most of the parts (%)",
        default=20.0,
        tracking=True,
        help="How much of a document's parts may be paid with points, in percent.",
    )
    goodwill_budget = fields.Integer(
        string="Goodwill per employee and month",
        default=500,
        tracking=True,
        help="Points that an employee may give in a month without asking a manager. "
        "0: a manager is always asked.",
    )
    redemption_product_id = fields.Many2one(
        "product.product",
        string="Product for redemption lines",
        required=True,
        ondelete="restrict",
        check_company=True,
        domain=[("type", "=", "service")],
        default=lambda self: self._default_redemption_product_id(),
        help="Its income account receives what customers pay with points.",
    )

    tier_ids = fields.One2many("garage.loyalty.tier", "program_id", copy=True)
    reward_ids = fields.One2many("garage.loyalty.reward", "program_id")
    member_ids = fields.One2many("garage.loyalty.member", "program_id")
    member_count = fields.Integer(compute="_compute_member_count")

    _rates_positive = models.Constraint(
        "CHECK(labour_rate >= 0 AND parts_rate >= 0 AND minimum_amount >= 0)",
        "Rates and the smallest invoice cannot be negative.",
    )
    _point_value_positive = models.Constraint(
        "CHECK(point_value > 0)", "A point must be worth something."
    )
    _minimum_redemption_positive = models.Constraint(
        "CHECK(minimum_redemption >= 0)",
        "The fewest points at once cannot be negative.",
    )
    _goodwill_budget_positive = models.Constraint(
        "CHECK(goodwill_budget >= 0)", "The goodwill budget cannot be negative."
    )
    _caps_percent = models.Constraint(
        "CHECK(labour_cap BETWEEN 0 AND 100 AND parts_cap BETWEEN 0 AND 100)",
        "How much may be paid with points is a percentage between 0 and 100.",
    )

    @api.model
    def _default_redemption_product_id(self):
        return self.env.ref(
            "garage_loyalty.product_redemption", raise_if_not_found=False
        )

    def _compute_member_count(self):
        counts = dict(
            self.env["garage.loyalty.member"]._read_group(
                [("program_id", "in", self.ids), ("state", "!=", "left")],
                ["program_id"],
                ["__count"],
            )
        )
        for program in self:
            program.member_count = counts.get(program, 0)

    def write(self, vals):
        """Refuse to take members elsewhere; let new rules apply to old points."""
        self._check_input(vals)
        if "company_id" in vals:
            company = self.env["res.company"].browse(vals["company_id"])
            for program in self.filtered("member_ids"):
                program._check_company_unchanged(company)
        result = super().write(vals)
        self.env.registry.clear_cache()  # the rules are kept
        if SCHEDULE & vals.keys():
            self._reschedule()
        return result

    def _check_company_unchanged(self, company):
        if self.company_id != company:
            raise ValidationError(
                self.env._(
                    "“%s” has members: it cannot move to another company.", self.name
                )
            )

    @api.model
    def action_open_app(self):
        """Open the members; a loyalty manager first chooses the kind of programme."""
        program = self._get_default(self.env.company)
        manager = self.env.user.has_group("garage_loyalty.garage_loyalty_group_manager")
        is_new = program and not program.date_set_up
        name = "setup" if manager and is_new else "member"
        return self.env["ir.actions.act_window"]._for_xml_id(
            f"garage_loyalty.garage_loyalty_{name}_action"
        )

    def action_open_members(self):
        """Open the list of the programme's members."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "garage_loyalty.garage_loyalty_member_action"
        )
        return action | {"domain": [("program_id", "=", self.id)], "context": {}}

    @api.constrains("share_branches", "active")
    def _check_branches_have_no_members(self):
        """One account for a customer: branches that have their own cannot share."""
        Member = self.env["garage.loyalty.member"].sudo()  # of all branches
        for program in self.filtered(lambda item: item.share_branches and item.active):
            own = Member.search(
                [
                    ("state", "!=", "left"),
                    ("company_id", "child_of", program.company_id.id),
                    ("company_id", "!=", program.company_id.id),
                ],
                limit=1,
            )
            if own:
                raise ValidationError(
                    self.env._(
                        "%(company)s has members of its own, such as %(member)s. "
                        "Branches can share a programme when they have none.",
                        company=own.company_id.name,
                        member=own.number,
                    )
                )

    @api.model
    def _get_default(self, company):
        """Return the programme that new members of ``company`` join.

        Override to choose by other means than the order of the programmes.
        """
        return self.search(
            [("company_id", "=", company.loyalty_company_id.id)], limit=1
        )

    @api.model
    def _create_default(self, companies):
        """Give each company without any programme the points programme."""
        Program = self.with_context(active_test=False)
        for company in companies:
            if not Program._get_default(company):
                Program.create(self._prepare_default_vals(company))

    def _get_entry_tier(self):
        """Return the tier that a new member starts in: the first one, if any.

        Override to start members in another tier.
        """
        self.ensure_one()
        return self.tier_ids[:1]
