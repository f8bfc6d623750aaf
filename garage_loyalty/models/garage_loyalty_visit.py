import logging

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL, split_every

_logger = logging.getLogger(__name__)

BATCH = 5000
KINDS = [("repair", "Repair order"), ("sale", "Invoice without repair order")]
ANSWERS = [("accepted", "Accepted"), ("declined", "Declined")]


class GarageLoyaltyVisit(models.Model):
    """Facts about finished, invoiced work, stamped when they become known.

    Every row is computed from the documents by one SQL statement, the same for one
    repair order and for the whole base: computing it again changes nothing.
    Amounts are net of tax, in the company's currency, credit notes deducted.
    """

    _name = "garage.loyalty.visit"
    _description = "Customer Visit"
    _inherit = [
        "garage.loyalty.visit.sync.mixin",
        "garage.loyalty.visit.months.mixin",
        "garage.loyalty.export.mixin",
    ]
    _order = "date desc, id desc"
    _rec_name = "date"
    _log_access = False

    kind = fields.Selection(KINDS, required=True, readonly=True)
    repair_id = fields.Many2one(
        "repair.order", string="Repair order", readonly=True, ondelete="cascade"
    )
    move_id = fields.Many2one(
        "account.move",
        string="Invoice",
        readonly=True,
        ondelete="cascade",
        help="Set when the invoice belongs to no repair order.",
    )
    company_id = fields.Many2one(
        "res.company", required=True, readonly=True, ondelete="cascade"
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    partner_id = fields.Many2one(
        "res.partner",
        string="Customer",
        required=True,
        readonly=True,
        ondelete="restrict",
    )
    user_id = fields.Many2one("res.users", string="Advisor", readonly=True)
    date = fields.Date(required=True, readonly=True, index=True)
    prev_date = fields.Date(string="Previous visit", readonly=True)
    prev_paid_date = fields.Date(
        string="Previous paid visit",
        readonly=True,
        help="Under warranty or worth nothing: left out, here and as previous one.",
    )
    prev_same_date = fields.Date(
        string="Previous paid visit, same membership",
        readonly=True,
        help="Of a member's visit the one as member, of others' the one as non-member.",
    )
    member_id = fields.Many2one(
        "garage.loyalty.member",
        readonly=True,
        ondelete="set null",
        index="btree_not_null",
    )
    is_member = fields.Boolean(
        string="Member then",
        readonly=True,
        help="The customer was an active member on the day of the visit.",
    )
    tier_id = fields.Many2one(
        "garage.loyalty.tier",
        string="Tier then",
        readonly=True,
        ondelete="set null",
        index="btree_not_null",
    )
    is_warranty = fields.Boolean(string="Under warranty", readonly=True)
    answer = fields.Selection(
        ANSWERS,
        readonly=True,
        help="What the customer said when asked to become a member. Empty when not "
        "asked.",
    )
    amount_labour = fields.Monetary(
        string="Labour", readonly=True, help="Services invoiced, without taxes."
    )
    amount_parts = fields.Monetary(
        string="Parts", readonly=True, help="Goods invoiced, without taxes."
    )
    amount = fields.Monetary(
        string="Net invoiced",
        readonly=True,
        help="Labour and parts, without taxes, after discounts and rewards, less what "
        "was credited.",
    )
    amount_discount = fields.Monetary(
        string="Paid with points",
        readonly=True,
        help="Reward discounts on the visit, net of tax; already deducted from "
        "labour, parts and net invoiced.",
    )

    _repair_uniq = models.UniqueIndex("(repair_id)")
    _move_uniq = models.UniqueIndex("(move_id)")
    _customer_idx = models.Index("(company_id, partner_id, date)")

    # -- synchronisation --------------------------------------------------------

    @api.model
    def _sync_repairs(self, repairs):
        """Bring the rows of ``repairs`` in line with their documents.

        Repair orders that share a quotation with one of them are done as well.

        :return: the number of rows that changed
        """
        # Facts are the same whoever posts the invoice, or finishes the repair.
        repairs = repairs.sudo()
        repairs |= repairs.sale_order_id.repair_order_ids
        return self._sync("repair_id", repairs.ids)

    @api.model
    def _sync_moves(self, moves):
        """Bring the rows of invoices without repair order in line with them."""
        return self._sync("move_id", moves.ids)

    @api.model
    def _sync_answers(self, repairs):
        """Stamp what customers said on the visits that there are already.

        No other fact depends on it.
        """
        self.env["repair.order"].flush_model(["loyalty_offer"])
        self.env.cr.execute(
            SQL(
                """
                UPDATE garage_loyalty_visit visit SET answer = %(answer)s
                  FROM repair_order repair
                 WHERE repair.id = visit.repair_id AND repair.id = ANY(%(ids)s)
                   AND visit.answer IS DISTINCT FROM %(answer)s
                """,
                answer=self.env["garage.loyalty.facts"]._get_answer(),
                ids=repairs.ids,
            )
        )
        self.invalidate_model(["answer"], flush=False)

    @api.model
    def _sync_partner(self, partner, company, date):
        """Do the visits of a customer again from ``date`` on: a status changed."""
        # Facts are the same whoever enrols the customer.
        visits = self.sudo().search(
            [
                ("company_id.loyalty_company_id", "=", company.id),
                ("partner_id", "=", partner.id),
                ("date", ">=", date),
            ]
        )
        return self._sync_repairs(visits.repair_id) + self._sync_moves(visits.move_id)

    @api.model
    def _forget_cached_facts(self):
        self.invalidate_model(flush=False)
        Repair, Partner = self.env["repair.order"], self.env["res.partner"]
        self.env["garage.loyalty.customer"].invalidate_model(flush=False)
        Partner.invalidate_model(
            ["last_visit_date", "loyalty_stage", "visit_count"], flush=False
        )
        facts = ["is_member_visit", "loyalty_member_id", "loyalty_tier_id", "visit_ids"]
        amounts = ["amount_invoiced", "amount_labour", "amount_parts"]
        Repair.invalidate_model(
            [*facts, *amounts, "loyalty_points_earned"], flush=False
        )

    # -- whole base -------------------------------------------------------------

    @api.model
    def _rebuild(self, batch=BATCH):
        """Compute all visits again from the documents, for a shell or a script.

        Does not commit. For a base so large that one transaction is too long, run
        the scheduled action instead, which does the same in steps.

        :return: the number of rows that changed
        """
        return sum(
            self._check_batch(model, ids)
            for model in ("repair.order", "account.move")
            for ids in split_every(batch, self._get_document_ids(model), list)
        )

    @api.model
    def _cron_check_visits(self, batch=BATCH):
        """Compare the facts with the documents every night, and correct them.

        Also stamps the history that is there when the add-on is installed. Walks
        through the documents by id and keeps its place, so that it can be
        interrupted at any moment.
        """
        Cron = self.env["ir.cron"]
        for model in ("repair.order", "account.move"):
            place = f"garage_loyalty.visit_check.{model}"
            # Settings are the administrator's; this is where the job keeps its place.
            params = self.env["ir.config_parameter"].sudo()
            done = int(params.get_param(place, 0))
            ids = self._get_document_ids(model, done)
            left = len(ids)
            for chunk in split_every(batch, ids, list):
                self._check_batch(model, chunk)
                params.set_param(place, chunk[-1])
                left -= len(chunk)
                if not Cron._commit_progress(len(chunk), remaining=left):
                    return
            params.set_param(place, 0)

    @api.model
    def _check_batch(self, model, ids):
        documents = self.env[model].browse(ids)
        if model == "repair.order":
            documents._fill_date_done()
            changed = self._sync_repairs(documents)
        else:
            changed = self._sync_moves(documents)
        if changed:
            _logger.info("%s visits corrected from %s %s", changed, len(ids), model)
        return changed

    @api.model
    def _get_document_ids(self, model, after=0):
        """Return the ids, in order, of the documents that are or were visits."""
        key, domain = (
            ("repair_id", Domain("state", "=", "done"))
            if model == "repair.order"
            else (
                "move_id",
                Domain("move_type", "=", "out_invoice")
                & Domain("state", "=", "posted"),
            )
        )
        visits = self._search([(key, "!=", False)])
        domain |= Domain("id", "in", visits.subselect(key))
        return self.env[model].search(domain & Domain("id", ">", after), order="id").ids
