from odoo import Command, api, fields, models
from odoo.exceptions import UserError, ValidationError

# What was signed. Discussing it goes on.
SIGNED = {"company_id", "date", "note", "owed", "booked", "line_ids", "state"}


class GarageLoyaltyReconciliation(models.Model):
    """What the ledger of points says is owed, against the books, for the end of a day.

    Each difference has its causes as a list. Once somebody has signed it, nothing
    changes it any more.
    """

    _name = "garage.loyalty.reconciliation"
    _description = "Points against the Books"
    _inherit = [
        "garage.loyalty.export.mixin",
        "garage.loyalty.input.mixin",
        "garage.loyalty.reconciliation.causes.mixin",
        "mail.thread",
    ]
    _order = "date desc, id desc"
    _rec_name = "date"

    company_id = fields.Many2one(
        "res.company",
        required=True,
        ondelete="restrict",
        index=True,
        default=lambda self: self.env.company,
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    date = fields.Date(
        string="At the end of",
        required=True,
        tracking=True,
        default=lambda self: self._get_default_date(),
    )
    owed = fields.Monetary(
        string="Owed by the points ledger",
        readonly=True,
        help="By the method that the company books points with.",
    )
    booked = fields.Monetary(
        string="Balance in the books",
        readonly=True,
        help="Posted lines on the account of what is owed, and on those it was before.",
    )
    difference = fields.Monetary(readonly=True, help="Owed less booked.")
    line_ids = fields.One2many(
        "garage.loyalty.reconciliation.line",
        "reconciliation_id",
        string="Causes",
        readonly=True,
    )
    computed_on = fields.Datetime(string="Compared on", readonly=True)
    state = fields.Selection(
        [("draft", "To be signed"), ("signed", "Signed off")],
        default="draft",
        required=True,
        readonly=True,
        copy=False,
        tracking=True,
    )
    note = fields.Text(
        string="Remarks", help="Needed where the books differ from the points ledger."
    )
    signed_by_id = fields.Many2one("res.users", readonly=True, copy=False)
    signed_on = fields.Datetime(readonly=True, copy=False)

    @api.model
    def _get_default_date(self):
        today = self.env.company._get_loyalty_today()
        return fields.Date.subtract(today.replace(day=1), days=1)

    @api.depends("company_id", "date")
    def _compute_display_name(self):
        for check in self:
            check.display_name = fields.Date.to_string(check.date) or ""

    @api.constrains("date")
    def _check_date(self):
        for check in self:
            if check.date >= check.company_id._get_loyalty_today():
                raise ValidationError(
                    self.env._("Choose a day that is over: today is not yet.")
                )

    # -- figures --------------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        """Compare as soon as there is something to compare."""
        checks = super().create([self._without_figures(vals) for vals in vals_list])
        checks._compare()
        return checks

    def write(self, vals):
        """Compare again for another day; refuse to change what was signed."""
        if SIGNED & vals.keys():
            self._check_open()
        result = super().write(self._without_figures(vals))
        if {"company_id", "date"} & vals.keys():
            self._compare()
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_except_signed(self):
        self._check_open()

    def action_compare(self):
        """Compare again with what the ledger and the books say now.

        :raise UserError: once it was signed
        """
        self.check_access("write")
        self._check_open()
        self._compare()

    def action_sign(self):
        """Sign what was compared: as the ledger and the books are at this moment.

        :raise UserError: when they differ and nobody has said why
        """
        for check in self:
            check.action_compare()
            if check.difference and not (check.note or "").strip():
                raise UserError(
                    self.env._("The books differ: say why under “Remarks” first.")
                )
            # The rights were checked; nobody types that it was signed.
            check.sudo().write(
                {
                    "state": "signed",
                    "signed_by_id": self.env.uid,
                    "signed_on": fields.Datetime.now(),
                }
            )

    @api.readonly
    def action_open_items(self):
        """Open all lines on the accounts that were compared."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "account.action_account_moves_all"
        )
        domain = self._get_item_domain(self._get_rule())
        return action | {"domain": domain, "context": {"create": False}}

    def _check_open(self):
        if self.filtered(lambda check: check.state == "signed"):
            raise UserError(
                self.env._("This was signed off: compare again for another day.")
            )

    @api.model
    def _without_figures(self, vals):
        """Return values without what is computed: nobody types figures."""
        if self.env.su:
            return vals
        return {
            name: value
            for name, value in vals.items()
            if name not in self._fields or not self._fields[name].readonly
        }

    def _compare(self):
        for check in self:
            rule = check._get_rule()
            # The figures of a company, whoever of its accountants compares; and nobody
            # has the right to add causes: they come from here only.
            trusted = check.sudo()
            figures = trusted._get_figures(rule.sudo())
            causes = [Command.create(cause) for cause in figures.pop("causes")]
            trusted.write(
                figures
                | {
                    "line_ids": [Command.clear(), *causes],
                    "computed_on": fields.Datetime.now(),
                }
            )

    def _get_rule(self):
        """Return how the company books points.

        :raise UserError: when it does not
        """
        rule = self.env["garage.loyalty.accounting"].search(
            [("company_id", "=", self.company_id.id)]
        )
        if not rule:
            raise UserError(
                self.env._(
                    "%s does not book points: say first on which accounts, under "
                    "“Accounting of Points”.",
                    self.company_id.display_name,
                )
            )
        return rule
