from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from ..tools import privileges as rules

KINDS = [
    (rules.PRIORITY, "Priority"),
    (rules.FREE, "Free diagnostics or service"),
    (rules.WARRANTY, "Extended repair warranty"),
    (rules.OFFER, "Special offers"),
]


class GarageLoyaltyPrivilege(models.Model):
    """What members have besides points: priority, free services, warranty, offers."""

    _name = "garage.loyalty.privilege"
    _description = "Loyalty Privilege"
    _inherit = [
        "garage.loyalty.export.mixin",
        "garage.loyalty.program.item.mixin",
        "garage.loyalty.privilege.usage.mixin",
    ]

    kind = fields.Selection(KINDS, required=True, default=rules.FREE)
    tier_ids = fields.Many2many(
        "garage.loyalty.tier",
        "garage_loyalty_privilege_tier_rel",
        "privilege_id",
        "tier_id",
        string="Tiers",
        domain="[('program_id', '=', program_id)]",
        # A tier that is gone, or archived, must not make it everybody's.
        context={"active_test": False},
        ondelete="restrict",
        help="Members of these tiers have it. Empty means every member.",
    )
    quota = fields.Integer(
        string="How many a year",
        help="Uses in a calendar year; what is left lapses on 31 December. "
        "0 means that there is no limit.",
    )
    product_ids = fields.Many2many(
        "product.product",
        string="Services that are free",
        domain=[("sale_ok", "=", True), ("type", "=", "service")],
        check_company=True,
        ondelete="restrict",
        help="One of them is free of charge at each use.",
    )
    max_value = fields.Monetary(
        string="Worth at most",
        help="The most that one use takes off, without tax. 0 means that there is no "
        "maximum.",
    )
    warranty_months = fields.Integer(
        string="Months of warranty",
        default=12,
        help="The warranty starts on the day the repair is done.",
    )
    reward_ids = fields.Many2many(
        "garage.loyalty.reward",
        string="Rewards",
        domain="[('program_id', '=', program_id)]",
        help="Only members with the privilege can choose these rewards.",
    )
    use_ids = fields.One2many(
        "garage.loyalty.privilege.use", "privilege_id", readonly=True
    )
    use_count = fields.Integer(
        string="Used", compute="_compute_use", compute_sudo=True, help="Uses so far."
    )
    value = fields.Monetary(
        compute="_compute_use",
        compute_sudo=True,
        help="What customers saved so far, without tax.",
    )

    _quota_positive = models.Constraint(
        "CHECK(quota >= 0)", "How many a year cannot be negative."
    )
    _max_value_positive = models.Constraint(
        "CHECK(max_value IS NULL OR max_value >= 0 AND max_value < 1e15)",
        "The most that a use is worth cannot be negative.",
    )
    _warranty_months_positive = models.Constraint(
        "CHECK(kind <> 'warranty' OR warranty_months BETWEEN 1 AND 600)",
        "A warranty lasts at least one month, and at most 600.",
    )

    @api.depends("use_ids.state", "use_ids.value")
    def _compute_use(self):
        rows = self.env["garage.loyalty.privilege.use"]._read_group(
            [("privilege_id", "in", self.ids), ("state", "=", "used")],
            ["privilege_id"],
            ["__count", "value:sum"],
        )
        used = {privilege.id: (count, value) for privilege, count, value in rows}
        for privilege in self:
            privilege.use_count, privilege.value = used.get(
                privilege._origin.id, (0, 0.0)
            )

    @api.constrains("kind", "product_ids")
    def _check_products(self):
        for privilege in self.filtered(lambda item: item.kind == rules.FREE):
            if not privilege.product_ids:
                raise ValidationError(
                    self.env._(
                        "“%s”: choose at least one service that is free.",
                        privilege.name,
                    )
                )
            for product in privilege.product_ids:
                if product.type != "service":
                    raise ValidationError(
                        self.env._(
                            "“%s” is not a service. To give away a part, make it a "
                            "reward.",
                            product.display_name,
                        )
                    )

    @api.constrains("kind", "reward_ids")
    def _check_rewards(self):
        for privilege in self:
            if privilege.kind == rules.OFFER and not privilege.reward_ids:
                raise ValidationError(
                    self.env._(
                        "“%s”: choose the rewards that only these members can have.",
                        privilege.name,
                    )
                )

    @api.constrains("program_id", "tier_ids", "reward_ids")
    def _check_same_program(self):
        for privilege in self:
            for item in (*privilege.tier_ids, *privilege.reward_ids):
                if item.program_id != privilege.program_id:
                    raise ValidationError(
                        self.env._(
                            "“%(item)s” does not belong to “%(program)s”.",
                            item=item.name,
                            program=privilege.program_id.name,
                        )
                    )

    @api.model_create_multi
    def create(self, vals_list):
        """Switch privileges on in the programme: what is set up is meant to work."""
        privileges = super().create(vals_list)
        programs = privileges.program_id
        programs.filtered(lambda program: not program.has_privileges).write(
            {"has_privileges": True}
        )
        return privileges

    def write(self, vals):
        """Refuse to make something else of what members have used."""
        for privilege in self:
            if any(
                privilege._fields[name].convert_to_write(privilege[name], privilege)
                != vals[name]
                for name in {"kind", "program_id"} & vals.keys()
            ):
                privilege._check_not_used()
        return super().write(vals)

    def _check_not_used(self):
        # Whoever edits a privilege need not see the members of other companies.
        if self.sudo().use_ids:
            raise UserError(
                self.env._(
                    "“%s” was used: its kind and its programme cannot change any more. "
                    "Archive it, and create another one.",
                    self.name,
                )
            )

    @api.ondelete(at_uninstall=False)
    def _unlink_except_used(self):
        # Uses of any company, and warranties that still run, keep the privilege.
        privileges = self.sudo()
        domain = [("loyalty_warranty_privilege_id", "in", privileges.ids)]
        # Whoever deletes a privilege need not have access to repairs.
        given = self.env["repair.order"].sudo().search(domain, limit=1)
        used = privileges.use_ids.privilege_id | given.loyalty_warranty_privilege_id
        for privilege in used[:1]:
            raise UserError(
                self.env._(
                    "“%s” was used and cannot be deleted. Archive it instead.",
                    privilege.name,
                )
            )

    def action_open_uses(self):
        """Open the log of the privilege."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "garage_loyalty.garage_loyalty_privilege_use_action"
        )
        return action | {
            "domain": [("privilege_id", "=", self.id)],
            "context": {"search_default_filter_used": 1},
        }

    def _get_of_tier(self, tier):
        """Return those that members of a tier have.

        Override to give privileges by other means than tiers.
        """
        return self.filtered(
            lambda privilege: not privilege.tier_ids or tier in privilege.tier_ids
        )

    def _get_of_which_some_are_left(self, member):
        """Return those of which the member has a use left this year, or no limit."""
        return self.filtered(lambda item: member._get_privilege_left(item) != 0)

    def _get_left(self, used):
        """Return how many uses are left of a year's quota; None without a limit."""
        self.ensure_one()
        quota = self.quota if self.kind in rules.LIMITED else 0
        return rules.left(quota, used)
