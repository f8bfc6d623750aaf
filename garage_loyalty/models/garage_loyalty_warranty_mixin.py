from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_date

from ..tools import privileges as rules
from .garage_loyalty_priority_mixin import OPEN
from .res_partner import GROUPS

# A change of these may start a warranty, or use one.
WARRANTY_FACTS = {"date_done", "state", "under_warranty"}


class GarageLoyaltyWarrantyMixin(models.AbstractModel):
    """The extended warranty of members' repairs, for ``repair.order``.

    A repair that is done has a last day of warranty. When the customer comes back
    until then, the next repair says so, and can be done under it.
    """

    _name = "garage.loyalty.warranty.mixin"
    _description = "Extended Repair Warranty"

    loyalty_warranty_until = fields.Date(
        string="Extended warranty until",
        readonly=True,
        copy=False,
        index="btree_not_null",
        help="Last day of the extended warranty that the member has on this repair.",
    )
    loyalty_warranty_privilege_id = fields.Many2one(
        "garage.loyalty.privilege",
        string="Warranty by",
        readonly=True,
        copy=False,
        ondelete="restrict",
        index="btree_not_null",
        groups=GROUPS,
    )
    loyalty_warranty_repair_id = fields.Many2one(
        "repair.order",
        string="Under the warranty of",
        readonly=True,
        copy=False,
        ondelete="set null",
        index="btree_not_null",
        help="The earlier repair under whose extended warranty this one is done.",
    )
    loyalty_earlier_ids = fields.Many2many(
        "repair.order",
        string="Repairs under warranty",
        compute="_compute_loyalty_earlier_ids",
        help="Earlier repairs of the customer whose extended warranty had not ended "
        "when this one was opened; the latest first.",
    )
    loyalty_warranty_warning = fields.Text(compute="_compute_loyalty_earlier_ids")

    @api.depends("partner_id", "company_id", "product_id", "lot_id", "state")
    def _compute_loyalty_earlier_ids(self):
        repairs = self.filtered(lambda repair: repair.state in OPEN)
        rest = self - repairs
        rest.update({"loyalty_earlier_ids": False, "loyalty_warranty_warning": False})
        candidates = repairs._search_loyalty_warranties()
        for repair in repairs:
            earlier = candidates.filtered(repair._is_loyalty_covered_by)
            repair.loyalty_earlier_ids = earlier
            warnings = map(repair._describe_loyalty_warranty, earlier)
            repair.loyalty_warranty_warning = "\n".join(warnings) or False

    def _get_loyalty_day_opened(self):
        """Return the day on which the customer came, where the workshop is."""
        self.ensure_one()
        if not self._origin.create_date:
            return self.company_id._get_loyalty_today()
        return self._get_loyalty_local_day(self._origin.create_date)

    def _get_loyalty_local_day(self, moment):
        # The time zone of the workshop is no secret.
        zone = self.company_id.sudo().partner_id.tz or "UTC"
        return fields.Datetime.context_timestamp(
            self.with_context(tz=zone), moment
        ).date()

    def _search_loyalty_warranties(self):
        """Return the repairs whose warranty may cover these, the latest first."""
        if not self:
            return self
        # The advisor is warned wherever the earlier repair was done.
        return self.sudo().search(
            [
                ("state", "=", "done"),
                (
                    "loyalty_warranty_until",
                    ">=",
                    min(repair._get_loyalty_day_opened() for repair in self),
                ),
                (
                    "partner_id.commercial_partner_id",
                    "in",
                    self.partner_id.commercial_partner_id.ids,
                ),
            ],
            order="date_done desc, id desc",
        )

    def _is_loyalty_covered_by(self, earlier):
        """Tell whether the repair may be done under the warranty of an earlier one.

        Override to tell vehicles apart by other means, see ``_get_loyalty_marks``.
        """
        self.ensure_one()
        # To which company an account belongs is no secret.
        company = self.company_id.sudo().loyalty_company_id
        return (
            earlier != self._origin
            and earlier.partner_id.commercial_partner_id
            == self.partner_id.commercial_partner_id._origin
            and earlier.company_id.loyalty_company_id == company
            and earlier.loyalty_warranty_until >= self._get_loyalty_day_opened()
            and rules.is_same(self._get_loyalty_marks(), earlier._get_loyalty_marks())
        )

    def _get_loyalty_marks(self):
        """Return what tells vehicles apart, the surest first. Override to add more."""
        self.ensure_one()
        return (self.lot_id.id, self.product_id.id)

    def _describe_loyalty_warranty(self, earlier):
        values = {
            "done": format_date(
                self.env, earlier._get_loyalty_local_day(earlier.date_done)
            ),
            "repair": earlier.name,
            "until": format_date(self.env, earlier.loyalty_warranty_until),
            "what": (earlier.lot_id or earlier.product_id).display_name,
        }
        is_known = (self.lot_id._origin and earlier.lot_id) or (
            self.product_id._origin and earlier.product_id
        )
        if is_known:
            return self.env._(
                "The same %(what)s was repaired on %(done)s (%(repair)s), under "
                "extended warranty until %(until)s.",
                **values,
            )
        return self.env._(
            "Repaired on %(done)s (%(repair)s), under extended warranty until "
            "%(until)s.",
            **values,
        )

    # -- when the repair is done --------------------------------------------------

    def _stamp_loyalty_warranty(self):
        """Note until when members have a warranty on repairs that are done."""
        # Whoever ends a repair need not have loyalty rights.
        repairs = self.sudo().filtered(lambda r: r.state == "done" and r.date_done)
        members = repairs._get_loyalty_document_members()
        for repair in repairs:
            day = repair._get_loyalty_local_day(repair.date_done)
            privilege = repair._get_loyalty_warranty_privilege(members[repair], day)
            until = False
            if privilege:
                until = rules.warranty_end(day, privilege.warranty_months)
            if repair.loyalty_warranty_until != until:
                repair.write(
                    {
                        "loyalty_warranty_until": until,
                        "loyalty_warranty_privilege_id": privilege.id,
                    }
                )

    def _get_loyalty_warranty_privilege(self, member, day):
        """Return the longest warranty that the member had on the day, or none.

        Override to leave out repairs that have no warranty.
        """
        every = member.program_id.privilege_ids
        mine = every.filtered(lambda privilege: privilege.kind == rules.WARRANTY)
        if not mine:
            return mine
        Status = self.env["garage.loyalty.member.status"]
        state, tier_id = Status._get_at_dates([(member, day)])[0]
        if state != "active":
            return mine.browse()
        mine = mine._get_of_tier(self.env["garage.loyalty.tier"].browse(tier_id))
        return mine.sorted("warranty_months", reverse=True)[:1]

    # -- when the customer comes back ---------------------------------------------

    def action_use_loyalty_warranty(self):
        """Do the repair under the warranty of the latest one that covers it.

        :raise UserError: when none does
        """
        self.ensure_one()
        self._check_loyalty_rights()
        earlier = self.loyalty_earlier_ids[:1]
        if not earlier:
            raise UserError(
                self.env._("No earlier repair of the customer is under warranty.")
            )
        self.write({"under_warranty": True, "loyalty_warranty_repair_id": earlier.id})
        self._sync_loyalty_warranty()

    def _sync_loyalty_warranty(self):
        """Log what is repaired under an extended warranty. Idempotent."""
        # Whoever works on a repair need not have loyalty rights.
        for repair in self.sudo():
            if repair.loyalty_warranty_repair_id and not repair.under_warranty:
                repair.loyalty_warranty_repair_id = False
            earlier = repair.loyalty_warranty_repair_id
            uses = repair.loyalty_use_ids.filtered(
                lambda use: use.kind == rules.WARRANTY and use.state != "released"
            )
            if not earlier or repair.state == "cancel":
                uses._return_to("released")
                continue
            use = uses or repair._plan_loyalty_warranty(earlier)
            if repair.state == "done" and use.state != "used":
                use._take(repair._get_loyalty_warranty_value())

    def _plan_loyalty_warranty(self, earlier):
        # The promise of the earlier repair counts, whatever the membership is now.
        members = earlier._get_loyalty_document_members()
        return self.loyalty_use_ids._plan(
            members[earlier], earlier.loyalty_warranty_privilege_id, repair_id=self.id
        )

    def _get_loyalty_warranty_value(self):
        """Return the list price of what is not charged, net of tax.

        In the currency of the company. Override to value it by other means.
        """
        self.ensure_one()
        if not self.sale_order_id:
            added = self.move_ids.filtered(lambda move: move.repair_line_type == "add")
            return sum(
                move.product_id.lst_price * move.product_qty
                for move in added
                if move.state != "cancel"
            )
        return sum(
            line._get_loyalty_list_price()
            for line in self._get_loyalty_quoted_lines()
            if line._is_loyalty_priced()
            and not line.loyalty_privilege_id
            and not line.price_subtotal
        )
