from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from .garage_loyalty_member_status import STATES
from .res_partner import GROUPS

OFFERS = [
    ("not_asked", "Not asked"),
    ("accepted", "Accepted"),
    ("declined", "Declined"),
]

# A change of these changes what is known of the visit.
FACTS = {"date_done", "partner_id", "state", "under_warranty", "user_id"}


class RepairOrder(models.Model):
    _inherit = "repair.order"

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
    currency_id = fields.Many2one(related="company_id.currency_id")
    loyalty_member_id = fields.Many2one(
        "garage.loyalty.member",
        string="Membership",
        compute="_compute_loyalty",
        help="Membership of the customer; after the visit, the one as of its day.",
    )
    loyalty_state = fields.Selection(
        STATES, string="Membership state", compute="_compute_loyalty"
    )
    loyalty_tier_id = fields.Many2one(
        "garage.loyalty.tier",
        string="Tier",
        compute="_compute_loyalty",
        help="Tier of the customer; after the visit, the one as of its day.",
    )
    loyalty_points = fields.Integer(
        string="Points of the customer", compute="_compute_loyalty"
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

    @api.depends("partner_id", "company_id", "visit_ids")
    def _compute_loyalty(self):
        # The badge is for everybody who may see the repair order.
        for company, repairs in self.sudo().grouped("company_id").items():
            members = repairs.partner_id._get_loyalty_members(company)
            for repair in repairs:
                visit = repair.visit_ids
                member = members.get(repair.partner_id.commercial_partner_id._origin)
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
                  LEFT JOIN garage_loyalty_member member
                    ON member.company_id = repair.company_id
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
        return super().create(vals_list)

    def write(self, vals):
        """Stamp the moment a repair is done, and what is known of it as a visit."""
        result = super().write(vals)
        if vals.get("state") == "done":
            undated = self.filtered(lambda repair: not repair.date_done)
            super(RepairOrder, undated).write({"date_done": fields.Datetime.now()})
        if FACTS & vals.keys():
            visits = self.filtered(lambda repair: repair.state == "done")
            visits |= self.sudo().filtered("visit_ids")  # for any user of repairs
            self.env["garage.loyalty.visit"]._sync_repairs(visits)
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

    def action_decline(self):
        """Note that the customer was asked to become a member, and declined."""
        self.write({"loyalty_offer": "declined"})

    # -- where the money is -----------------------------------------------------

    @api.model
    def _get_loyalty_line_query(self, repair_ids):
        """Return a subquery: the invoice lines of repair orders and their siblings.

        Columns: ``repair_id``, ``order_id``, ``line_id`` and ``is_own``. The lines
        that a repair order brought to its quotation (its parts, and the service it
        came from) are its own. What else stands on the quotation (labour, fees) is
        its own too if it is alone there, and shared by all its repair orders if not.
        Down payments are left out: the final invoice carries the whole.

        This and the next two methods are the only ones that know how a repair order
        is invoiced; override them where invoices are reached in another way.
        """
        return SQL(
            """
            WITH sibling AS (
                SELECT id AS repair_id, sale_order_id AS order_id,
                       count(*) OVER (PARTITION BY sale_order_id) = 1 AS is_alone
                  FROM repair_order
                 WHERE state <> 'cancel' AND sale_order_id IN (
                        SELECT sale_order_id FROM repair_order WHERE id = ANY(%s))
            ), own AS (
                SELECT repair.id AS repair_id, repair.sale_order_line_id AS line_id
                  FROM repair_order repair JOIN sibling ON repair_id = repair.id
                 WHERE repair.sale_order_line_id IS NOT NULL
                UNION
                SELECT sibling.repair_id, move.sale_line_id
                  FROM stock_move move
                  JOIN sibling ON sibling.repair_id = move.repair_id
                 WHERE move.sale_line_id IS NOT NULL
            ), quoted AS (
                SELECT sibling.repair_id, sibling.order_id, line.id AS line_id,
                       own.line_id IS NOT NULL OR sibling.is_alone AS is_own
                  FROM sibling
                  JOIN sale_order_line line ON line.order_id = sibling.order_id
                  LEFT JOIN own ON own.line_id = line.id
                 WHERE own.line_id IS NULL OR own.repair_id = sibling.repair_id
            )
            SELECT DISTINCT quoted.repair_id, quoted.order_id, quoted.is_own,
                   rel.invoice_line_id AS line_id
              FROM quoted
              JOIN sale_order_line_invoice_rel rel
                ON rel.order_line_id = quoted.line_id
              JOIN account_move_line line ON line.id = rel.invoice_line_id
              JOIN account_move move ON move.id = line.move_id
             WHERE move.state = 'posted'
               AND move.move_type IN ('out_invoice', 'out_refund')
               AND line.display_type = 'product'
               AND line.is_downpayment IS NOT TRUE
            """,
            list(repair_ids),
        )

    @api.model
    def _get_of_loyalty_moves(self, moves):
        """Return the repair orders that are billed by these invoices."""
        return moves.invoice_line_ids.sale_line_ids.order_id.repair_order_ids

    @api.model
    def _get_loyalty_exists(self, move_id):
        """Return a condition: repair orders are billed by an invoice.

        :param move_id: the SQL of the invoice's id
        """
        return SQL(
            """
            EXISTS (
                SELECT FROM account_move_line line
                  JOIN sale_order_line_invoice_rel rel
                    ON rel.invoice_line_id = line.id
                  JOIN sale_order_line quoted ON quoted.id = rel.order_line_id
                  JOIN repair_order repair
                    ON repair.sale_order_id = quoted.order_id
                 WHERE line.move_id = %s AND repair.state <> 'cancel')
            """,
            move_id,
        )

    def _get_loyalty_invoice_lines(self):
        """Return the posted invoice and credit note lines of the repair orders.

        Lines that several repair orders share are in the result of each of them.
        """
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                "SELECT DISTINCT line_id FROM (%s) line WHERE repair_id = ANY(%s)",
                self._get_loyalty_line_query(self.ids),
                self.ids,
            )
        )
        return self.env["account.move.line"].browse(row[0] for row in rows)
