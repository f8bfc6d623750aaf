from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL


class GarageLoyaltyHoldoutCustomer(models.Model):
    """A customer of a draw, and in which group."""

    _name = "garage.loyalty.holdout.customer"
    _description = "Customer of a Hold-Out"
    _inherit = ["garage.loyalty.append.mixin", "garage.loyalty.export.mixin"]
    _order = "id"
    _rec_name = "partner_id"
    _log_access = False

    holdout_id = fields.Many2one(
        "garage.loyalty.holdout",
        string="Hold-out",
        required=True,
        readonly=True,
        ondelete="cascade",
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
        ondelete="cascade",
    )
    is_held_out = fields.Boolean(
        string="Held out", readonly=True, help="Drawn not to be invited."
    )
    visits_before = fields.Integer(
        string="Visits before",
        readonly=True,
        aggregator="avg",
        help="In the months that count for joining, up to the draw.",
    )
    visits = fields.Integer(
        readonly=True, aggregator="avg", help="In the time that was compared."
    )
    amount = fields.Monetary(
        string="Revenue", readonly=True, aggregator="avg", help="Before rewards."
    )
    has_joined = fields.Boolean(
        string="Joined", readonly=True, help="In the time that was compared."
    )

    _customer_uniq = models.UniqueIndex("(holdout_id, partner_id)")
    _held_out_idx = models.Index("(partner_id, company_id) WHERE is_held_out")

    @api.model
    def _get_running_condition(self, today) -> SQL:
        """Return the condition on ``held`` and ``holdout``: not to be invited now.

        :param today: SQL of a day
        """
        return SQL(
            "held.is_held_out AND holdout.state = 'running' AND holdout.date_end >= %s",
            today,
        )

    @api.model
    def _get_held_out(self, partners, company):
        """Return until when customers are not to be invited, by customer.

        :param partners: commercial partners
        :param company: the one that keeps the accounts
        """
        today = company._get_loyalty_today()
        # Whoever stands at the counter must know whom not to ask; who else was drawn,
        # and what comes of it, is not told.
        rows = self.sudo().search(
            Domain("partner_id", "in", partners.ids)
            & Domain("is_held_out", "=", True)
            & Domain("holdout_id.company_id", "=", company.id)
            & Domain("holdout_id.state", "=", "running")
            & Domain("holdout_id.date_end", ">=", today)
        )
        return {
            row.partner_id.sudo(self.env.su): row.holdout_id.date_end for row in rows
        }

    @api.model
    def _follow_partners(self, partners, customer):
        """Give the rows of customers who are merged to the one that stays.

        Whoever was drawn twice stays in the group of the customer who stays.
        """
        rows = self.search([("partner_id", "in", (partners | customer).ids)])
        for mine in rows.grouped("holdout_id").values():
            kept = mine.sorted(lambda row: (row.partner_id != customer, row.id))[:1]
            (mine - kept).unlink()
            kept.partner_id = customer
