from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from .garage_loyalty_priority_mixin import PRIORITY_FACTS
from .garage_loyalty_visit import ANSWERS
from .garage_loyalty_warranty_mixin import WARRANTY_FACTS
from .res_partner import GROUPS

OFFERS = [("not_asked", "Not asked"), *ANSWERS]

# A change of these changes what is known of the visit.
FACTS = {"date_done", "partner_id", "state", "under_warranty", "user_id"}


class RepairOrder(models.Model):
    _name = "repair.order"
    _inherit = [
        "repair.order",
        "garage.loyalty.asking.mixin",
        "garage.loyalty.badge.mixin",
        "garage.loyalty.billed.mixin",
        "garage.loyalty.discounted.mixin",
        "garage.loyalty.offered.mixin",
        "garage.loyalty.priority.mixin",
        "garage.loyalty.privileged.mixin",
        "garage.loyalty.warranty.mixin",
    ]

    date_done = fields.Datetime(
        string="Done on",
        copy=False,
        readonly=True,
        index="btree_not_null",
        help="When the repair was finished.",
    )
    loyalty_offer = fields.Selection(
        OFFERS,
        string="Membership offered",
        default="not_asked",
        required=True,
        copy=False,
        help="What the customer said when asked to become a member.",
    )
    visit_ids = fields.One2many(
        "garage.loyalty.visit", "repair_id", readonly=True, groups=GROUPS
    )
    loyalty_adjustment_ids = fields.One2many(
        "garage.loyalty.adjustment",
        "repair_id",
        string="Goodwill",
        readonly=True,
        groups=GROUPS,
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    loyalty_member_id = fields.Many2one(
        help="Membership of the customer; after the visit, the one as of its day.",
    )
    loyalty_tier_id = fields.Many2one(
        help="Tier of the customer; after the visit, the one as of its day.",
    )
    is_member_visit = fields.Boolean(
        string="Member's visit",
        compute="_compute_loyalty",
        search="_search_is_member_visit",
        help="The customer was an active member on the day of the visit.",
    )
    amount_labour = fields.Monetary(string="Net labour", compute="_compute_amounts")
    amount_parts = fields.Monetary(string="Net parts", compute="_compute_amounts")
    amount_invoiced = fields.Monetary(
        string="Net invoiced",
        compute="_compute_amounts",
        help="Posted invoices minus credit notes, without tax, in the company's "
        "currency.",
    )
    loyalty_points_earned = fields.Integer(
        string="Points earned",
        compute="_compute_loyalty_points_earned",
        help="Points earned by the invoices of this repair order.",
    )

    # Few have an answer, and those of a customer are asked for.
    _loyalty_offer_idx = models.Index("(partner_id) WHERE loyalty_offer <> 'not_asked'")

    @api.depends("partner_id", "company_id", "visit_ids")
    def _compute_loyalty(self):
        # The badge is for everybody who may see the repair order.
        for company, repairs in self.sudo().grouped("company_id").items():
            members = repairs.partner_id._get_loyalty_members(company)
            for repair in repairs:
                visit = repair.visit_ids
                member = members.get(repair.partner_id.commercial_partner_id._origin)
                member = member and member.sudo()  # as above
                current = member if member and member.state != "left" else None
                shown = visit.member_id if visit else current
                repair.loyalty_member_id = shown
                repair.loyalty_points = shown and shown.points
                repair.loyalty_state = shown and shown.state
                repair.loyalty_tier_id = (
                    visit.tier_id if visit else current and current.tier_id
                )
                repair.is_member_visit = (
                    visit.is_member
                    if visit
                    else bool(current) and current.state == "active"
                )

    @api.model
    def _search_is_member_visit(self, operator, value):
        if operator != "in":
            return NotImplemented
        self.env.flush_all()
        # The same rule as in _compute_loyalty: without a visit, the present counts.
        found = Domain(
            "id",
            "in",
            SQL(
                """(
                SELECT repair.id FROM repair_order repair
                  LEFT JOIN garage_loyalty_visit visit ON visit.repair_id = repair.id
                  LEFT JOIN res_partner customer ON customer.id = repair.partner_id
                  LEFT JOIN res_company company ON company.id = repair.company_id
                  LEFT JOIN garage_loyalty_member member
                    ON member.company_id = company.loyalty_company_id
                   AND member.partner_id = customer.commercial_partner_id
                   AND member.state = 'active'
                 WHERE COALESCE(visit.is_member, member.id IS NOT NULL)
                )"""
            ),
        )
        return Domain.OR(found if item else ~found for item in value)

    @api.depends("visit_ids")
    def _compute_amounts(self):
        for repair in self:
            # Amounts of a repair order are for whoever may see the repair order.
            visit = repair.sudo().visit_ids
            repair.amount_labour = visit.amount_labour
            repair.amount_parts = visit.amount_parts
            repair.amount_invoiced = visit.amount

    @api.depends("visit_ids")
    def _compute_loyalty_points_earned(self):
        for repair in self:
            # Advisors see the points of an invoice without access to invoices.
            moves = repair.sudo()._get_loyalty_invoice_lines().move_id
            invoices = moves.filtered(lambda move: move.move_type == "out_invoice")
            repair.loyalty_points_earned = sum(invoices.mapped("loyalty_points_earned"))

    @api.model_create_multi
    def create(self, vals_list):
        """Stamp repair orders that are imported as done."""
        for vals in vals_list:
            if vals.get("state") == "done":
                vals.setdefault("date_done", fields.Datetime.now())
        repairs = super().create(vals_list)
        repairs._sync_loyalty_priority()
        repairs._stamp_loyalty_warranty()
        return repairs

    def write(self, vals):
        """Stamp the moment a repair is done, and what is known of it as a visit."""
        result = super().write(vals)
        if vals.get("state") == "done":
            undated = self.filtered(lambda repair: not repair.date_done)
            super(RepairOrder, undated).write({"date_done": fields.Datetime.now()})
        if FACTS & vals.keys():
            visits = self.filtered(lambda repair: repair.state == "done")
            visits |= self.sudo().filtered("visit_ids")  # for any user of repairs
            if self.env["garage.loyalty.visit"]._sync_repairs(visits):
                visits.sudo().visit_ids.member_id._settle_tiers()  # as above
        if "loyalty_offer" in vals:
            self.env["garage.loyalty.visit"]._sync_answers(self)
        if PRIORITY_FACTS & vals.keys():
            self._sync_loyalty_priority()
        if WARRANTY_FACTS & vals.keys():
            self._stamp_loyalty_warranty()
            self._sync_loyalty_warranty()
        return result

    def _fill_date_done(self):
        """Give a date to repairs done before the add-on was there.

        The day of the product's stock move, else of the last part, else the last
        change of the repair order.
        """
        self.env.cr.execute(
            SQL(
                """
                UPDATE repair_order repair
                   SET date_done = COALESCE(
                        (SELECT date FROM stock_move WHERE id = repair.move_id),
                        (SELECT max(date) FROM stock_move
                          WHERE repair_id = repair.id AND state = 'done'),
                        repair.write_date)
                 WHERE id = ANY(%s) AND state = 'done' AND date_done IS NULL
                """,
                self.ids,
            )
        )
        self.invalidate_recordset(["date_done"])

    def action_enrol(self):
        """Open the enrolment dialog for the customer of the repair order."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "garage_loyalty.garage_loyalty_enrol_action"
        )
        return action | {
            "context": {
                "default_repair_id": self.id,
                "default_partner_id": self.partner_id.id,
                "default_company_id": self.company_id.id,
            }
        }

    def action_give_points(self):
        """Open the dialog to give the customer points for this repair order."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "garage_loyalty.garage_loyalty_adjustment_action_new"
        )
        return action | {
            "name": self.env._("Give Points"),
            "context": {
                "default_repair_id": self.id,
                "default_member_id": self.loyalty_member_id.id,
            },
        }

    def action_decline(self):
        """Note that the customer was asked to become a member, and declined."""
        self.write({"loyalty_offer": "declined"})
