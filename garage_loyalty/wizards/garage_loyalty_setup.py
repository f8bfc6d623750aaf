from odoo import api, fields, models
from odoo.exceptions import UserError

from ..tools.whatif import Group


class GarageLoyaltySetup(models.TransientModel):
    """The page on which an owner chooses the kind of programme, and sees what it costs.

    Amounts are net, in the company's currency, of the invoices of the last 12 months.
    """

    _name = "garage.loyalty.setup"
    _description = "Choice of a Loyalty Programme"
    _inherit = ["garage.loyalty.input.mixin"]

    program_id = fields.Many2one(
        "garage.loyalty.program",
        string="Programme",
        required=True,
        ondelete="cascade",
        default=lambda self: self.env["garage.loyalty.program"]._get_default(
            self.env.company
        ),
    )
    currency_id = fields.Many2one(related="program_id.currency_id")
    member_count = fields.Integer(related="program_id.member_count")
    has_points = fields.Boolean(
        string="Points", compute="_compute_has_points", store=True, readonly=False
    )
    has_discount = fields.Boolean(
        string="Standing discount",
        compute="_compute_has_discount",
        store=True,
        readonly=False,
    )
    has_privileges = fields.Boolean(
        string="VIP club",
        compute="_compute_has_privileges",
        store=True,
        readonly=False,
    )
    least_visits = fields.Integer(
        string="Customers join who came at least",
        default=2,
        help="Customers who came less often in the last 12 months are left out.",
    )
    join_share = fields.Float(
        string="Of those, join (%)",
        default=100.0,
        digits=(16, 0),
        help="100 shows the most that it can cost.",
    )
    use_share = fields.Float(
        string="They use (%)",
        default=70.0,
        digits=(16, 0),
        help="How much of their points and free services members use.",
    )
    groups = fields.Json(compute="_compute_groups")
    joiner_count = fields.Integer(
        string="Members", compute="_compute_year", help="Customers who would join."
    )
    tiers_text = fields.Char(string="In the tiers", compute="_compute_year")
    revenue = fields.Monetary(
        string="They spent", compute="_compute_year", help="Net, in 12 months."
    )
    points_given = fields.Integer(compute="_compute_year")
    points_cost = fields.Monetary(compute="_compute_year")
    discount_cost = fields.Monetary(compute="_compute_year")
    privilege_cost = fields.Monetary(compute="_compute_year")
    cost = fields.Monetary(
        string="It would have cost",
        compute="_compute_cost",
        help="Of the kinds that are chosen.",
    )
    cost_share = fields.Float(
        string="Of what they spent (%)", compute="_compute_cost", digits=(16, 1)
    )
    plan = fields.Text(string="This will be added", compute="_compute_plan")

    _shares_percent = models.Constraint(
        "CHECK(join_share BETWEEN 0 AND 100 AND use_share BETWEEN 0 AND 100 "
        "AND least_visits >= 0)",
        "Shares are percentages between 0 and 100; visits cannot be negative.",
    )

    def _compute_display_name(self):
        for setup in self:
            setup.display_name = self.env._("Choose a programme")

    # Each by itself: a kind that is given must not keep the others from being filled.
    @api.depends("program_id")
    def _compute_has_points(self):
        for setup in self:
            setup.has_points = setup.program_id.has_points

    @api.depends("program_id")
    def _compute_has_discount(self):
        for setup in self:
            setup.has_discount = setup.program_id.has_discount

    @api.depends("program_id")
    def _compute_has_privileges(self):
        for setup in self:
            setup.has_privileges = setup.program_id.has_privileges

    @api.depends("program_id", "least_visits")
    def _compute_groups(self):
        WhatIf = self.env["garage.loyalty.what.if"]
        for setup in self:
            program = setup.program_id
            # What customers of another company did is not told.
            program.check_access("read")
            rules = program._get_planned_rules() if program else None
            least = max(setup.least_visits, 0)
            setup.groups = program and WhatIf._get_year(program, rules, least)

    @api.depends("groups", "join_share", "use_share")
    def _compute_year(self):
        for setup in self:
            groups = setup._get_joiners()
            program, used = setup.program_id, setup.use_share / 100
            points = program._get_points_given(groups) if program else 0
            setup.update(
                {
                    "joiner_count": sum(group.members for group in groups),
                    "tiers_text": setup._get_tiers_text(groups),
                    "revenue": sum(group.labour + group.parts for group in groups),
                    "points_given": points,
                    "points_cost": used * points * program.point_value,
                    "discount_cost": program and program._get_discounts_given(groups),
                    "privilege_cost": program
                    and used * program._get_services_given(groups),
                }
            )

    def _get_joiners(self):
        """Return the groups of last year, of the part of the customers who join."""
        share = self.join_share / 100
        return [
            Group(place, round(share * members), share * labour, share * parts)
            for place, members, labour, parts in self.groups or ()
        ]

    def _get_tiers_text(self, groups):
        names = self.program_id.tier_ids.mapped("name")
        return ", ".join(
            f"{names[group.place]} {group.members}"
            for group in groups
            if group.place < len(names)
        )

    @api.depends(
        "has_points",
        "has_discount",
        "has_privileges",
        "points_cost",
        "discount_cost",
        "privilege_cost",
    )
    def _compute_cost(self):
        for setup in self:
            setup.cost = sum(
                cost
                for is_chosen, cost in (
                    (setup.has_points, setup.points_cost),
                    (setup.has_discount, setup.discount_cost),
                    (setup.has_privileges, setup.privilege_cost),
                )
                if is_chosen
            )
            setup.cost_share = 100 * setup.cost / (setup.revenue or 1)

    @api.depends("program_id", "has_points", "has_discount", "has_privileges")
    def _compute_plan(self):
        for setup in self:
            program = setup.program_id
            missing = (program and program._get_missing(*setup._get_kinds())) or ()
            setup.plan = "\n".join(f"• {text}" for text, _add in missing)

    def _get_kinds(self):
        return self.has_points, self.has_discount, self.has_privileges

    def action_set_up(self):
        """Set the programme up, and open it.

        :raise UserError: when no kind is chosen
        """
        self.ensure_one()
        if not any(self._get_kinds()):
            raise UserError(self.env._("Choose at least one kind of programme."))
        self.program_id._set_up(*self._get_kinds())
        return {
            "type": "ir.actions.act_window",
            "res_model": "garage.loyalty.program",
            "res_id": self.program_id.id,
            "views": [[False, "form"]],
            "target": "main",
        }
