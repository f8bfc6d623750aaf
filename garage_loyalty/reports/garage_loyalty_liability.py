from odoo import api, fields, models
from odoo.tools import SQL, format_date

from ..tools import ages

AGE_BANDS = [
    ("00_03", "0–3 months"),
    ("03_06", "3–6 months"),
    ("06_12", "6–12 months"),
    ("12_24", "12–24 months"),
    (ages.OLDEST, "Older"),
    (ages.DEBT, "In debt"),
]
EXPIRING = [
    (ages.PAST, "Already past"),
    ("1_30", "Within 30 days"),
    ("2_90", "In 31–90 days"),
    (ages.LATER, "Later"),
    (ages.NEVER, "Never"),
    (ages.DEBT, "In debt"),
]


class GarageLoyaltyLiability(models.Model):
    """What is owed at the end of a day: a row for each lot in which points are left.

    Members who owe points have one row, with less than no points. The day comes from
    the context, as ``loyalty_date``; without it, it is today in each company. Rows sum
    to the ledger in points, and to the closing of ``garage.loyalty.roll.forward`` in
    money.
    """

    _name = "garage.loyalty.liability"
    _description = "What Is Owed by Age"
    _inherit = [
        "garage.loyalty.liability.query",
        "garage.loyalty.export.mixin",
        "garage.loyalty.ratio.mixin",
    ]
    _auto = False
    _order = "program_id, member_id, date, id"
    _rec_name = "member_id"
    _depends = {
        "garage.loyalty.allocation": ["entry_id", "lot_id", "points"],
        "garage.loyalty.entry": ["date", "member_id", "points", "program_id"],
        "garage.loyalty.lot": ["date", "date_expiry", "entry_id", "remaining"],
        "garage.loyalty.lot.expiry": ["date", "date_expiry", "lot_id"],
        "garage.loyalty.member": ["partner_id", "status_date", "tier_id"],
        "garage.loyalty.member.status": ["date", "member_id", "tier_id"],
        "garage.loyalty.program": ["company_id"],
        "garage.loyalty.valuation": ["date", "program_id", "worth"],
        "res.company": ["currency_id"],
        "res.currency": ["decimal_places"],
    }

    day = fields.Date(
        string="As of", readonly=True, help="At the end of this day, by the ledger."
    )
    member_id = fields.Many2one("garage.loyalty.member", readonly=True)
    partner_id = fields.Many2one("res.partner", string="Customer", readonly=True)
    program_id = fields.Many2one(
        "garage.loyalty.program", string="Programme", readonly=True
    )
    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    tier_id = fields.Many2one(
        "garage.loyalty.tier", readonly=True, help="The tier of the member on the day."
    )
    lot_id = fields.Many2one(
        "garage.loyalty.lot", readonly=True, help="Empty for members in debt."
    )
    date = fields.Date(
        string="Given on",
        readonly=True,
        help="Points that were moved to another member keep their day.",
    )
    age_band = fields.Selection(
        AGE_BANDS,
        string="Age",
        readonly=True,
        help="Full months since the points were given.",
    )
    date_expiry = fields.Date(
        string="Expires after",
        readonly=True,
        help="Last day on which the points can be spent, as was known on the day. "
        "Empty: they never expire.",
    )
    expiring = fields.Selection(
        EXPIRING,
        string="Expires",
        readonly=True,
        help="Days from the day on. “Already past”: the nightly action takes them.",
    )
    points = fields.Integer(
        readonly=True,
        help="What was left of the points. Negative: more was taken back from the "
        "member than there was.",
    )
    amount = fields.Monetary(
        string="Owed",
        readonly=True,
        help="Points times what is owed for a point, by the valuation of the day. "
        "Rounded so that rows make the rounded total of the programme.",
    )

    @property
    def _table_query(self) -> SQL:
        self._compile_nothing()
        return super()._table_query

    @api.depends("member_id")
    def _compute_display_name(self):
        for row in self:
            row.display_name = row.member_id.display_name

    # -- buttons ----------------------------------------------------------------------

    @api.model
    @api.readonly
    def action_open(self):
        """Open the report as of the day of the context, which its title says."""
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "garage_loyalty.garage_loyalty_liability_action"
        )
        day = self._get_day()
        shown = day or self.env.company._get_loyalty_today()
        title = self.env._("Owed on %s", format_date(self.env, shown))
        context = {"search_default_group_age": 1}
        if day:
            context["loyalty_date"] = fields.Date.to_string(day)
        # With the address of the page, the client keeps the day when it loads it again.
        named = {"name": title, "display_name": title, "path": "loyalty-owed-by-age"}
        return action | named | {"context": context}

    @api.readonly
    def action_open_member(self):
        """Open the member to whom the points belong."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "garage.loyalty.member",
            "res_id": self.member_id.id,
            "views": [[False, "form"]],
        }

    # -- Excel ------------------------------------------------------------------------

    @api.model
    def _get_xlsx_about(self, domain, book):
        day = self._get_day() or self.env.company._get_loyalty_today()
        pair = (self.env._("As of"), format_date(self.env, day))
        return [pair, *super()._get_xlsx_about(domain, book)]
