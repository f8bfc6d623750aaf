from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

METHODS = [
    ("provision", "Provision: what points are expected to cost"),
    ("deferral", "Deferral of revenue (IFRS 15)"),
]
INCOME = ("income", "income_other")
RESULT = (*INCOME, "expense", "expense_other", "expense_direct_cost")
LIABILITY = ("liability_current", "liability_non_current")


class GarageLoyaltyAccounting(models.Model):
    """How a company books what it owes in points: by which method, on which accounts.

    Nothing is booked without it. Who changed it is in its chatter.
    """

    _name = "garage.loyalty.accounting"
    _description = "Accounting of Points"
    _inherit = [
        "garage.loyalty.export.mixin",
        "garage.loyalty.input.mixin",
        "garage.loyalty.job.mixin",
        "mail.thread",
    ]
    _rec_name = "company_id"
    _order = "company_id"
    _check_company_auto = True

    active = fields.Boolean(default=True, tracking=True)
    company_id = fields.Many2one(
        "res.company",
        required=True,
        ondelete="cascade",
        default=lambda self: self.env.company,
    )
    method = fields.Selection(
        METHODS,
        default="provision",
        required=True,
        tracking=True,
        help="Provision: points cost something when they are given. Deferral: a part "
        "of each sale that earned points becomes revenue when they are redeemed.",
    )
    journal_id = fields.Many2one(
        "account.journal",
        required=True,
        tracking=True,
        check_company=True,
        domain=[("type", "=", "general")],
    )
    liability_account_id = fields.Many2one(
        "account.account",
        required=True,
        tracking=True,
        check_company=True,
        domain=[("account_type", "in", LIABILITY)],
        help="What is owed in points. Best an account for nothing else.",
    )
    result_account_id = fields.Many2one(
        "account.account",
        string="Revenue or expense account",
        required=True,
        tracking=True,
        check_company=True,
        domain=[("account_type", "in", RESULT)],
        help="Provision: revenue that points reduce, or the expense of the programme. "
        "Deferral: the revenue that is deferred.",
    )
    first_month = fields.Date(
        required=True,
        tracking=True,
        default=lambda self: self._get_last_month(self.env.company),
        help="The first journal entry is of this month. It also takes over what was "
        "owed before.",
    )
    user_id = fields.Many2one(
        "res.users",
        string="Reviewed by",
        tracking=True,
        domain=[("share", "=", False)],
        help="Is asked to review and post each new draft.",
    )

    _company_uniq = models.UniqueIndex(
        "(company_id)", "A company books its points in one way: change that."
    )

    @api.constrains("method", "liability_account_id", "result_account_id")
    def _check_accounts(self):
        for rule in self:
            if rule.liability_account_id.account_type not in LIABILITY:
                raise ValidationError(
                    self.env._("What is owed belongs on an account of liabilities.")
                )
            kinds = INCOME if rule.method == "deferral" else RESULT
            if rule.result_account_id.account_type not in kinds:
                raise ValidationError(
                    self.env._("Revenue that is deferred needs an account of revenue.")
                    if rule.method == "deferral"
                    else self.env._(
                        "What points cost belongs on an account of revenue or expenses."
                    )
                )

    @api.constrains("journal_id")
    def _check_journal(self):
        if self.filtered(lambda rule: rule.journal_id.type != "general"):
            raise ValidationError(
                self.env._("Points are booked in a journal of miscellaneous entries.")
            )

    @api.model_create_multi
    def create(self, vals_list):
        """Begin with a whole month."""
        return super().create([self._with_whole_month(vals) for vals in vals_list])

    def write(self, vals):
        """Begin with a whole month."""
        return super().write(self._with_whole_month(vals))

    @api.model
    def _with_whole_month(self, vals):
        day = vals.get("first_month")
        if not day:
            return vals
        self._check_input({"first_month": day})
        return vals | {"first_month": fields.Date.to_date(day).replace(day=1)}

    @api.model
    def _get_last_month(self, company):
        """Return the first day of the last month that is over for a company."""
        today = company._get_loyalty_today()
        return fields.Date.subtract(today.replace(day=1), months=1)

    # -- the monthly run ------------------------------------------------------------

    def action_book(self):
        """Book the months that are over, and bring drafts up to date.

        :return: the action that shows the journal entries
        :raise AccessError: where the user may not make journal entries
        """
        self.ensure_one()
        self.check_access("write")
        self.env["account.move"].check_access("create")
        if not self.active:
            raise UserError(self.env._("This is archived: nothing is booked."))
        for program, month in self._get_due():
            self._get_booking(program, month)._book(self)
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "garage_loyalty.garage_loyalty_booking_action"
        )
        return action | {"domain": [("company_id", "=", self.company_id.id)]}

    @api.model
    def _cron_book(self):
        """Book the months that are over and have not been booked yet, as drafts."""
        rules = self.search([("active", "=", True)], order="id")
        left = len(rules)
        for rule in rules:
            if not self._run_step(rule._book_next, left):
                return
            left -= 1

    def _book_next(self):
        """Book the first month that is still to be booked; return how many it were."""
        for program, month in self._get_due():
            if not self._find_booking(program, month):
                self._get_booking(program, month)._book(self)
                return 1
        return 0

    def _get_due(self):
        """Return pairs of programme and month that are over, the oldest first."""
        # Whoever books need not be a manager of the programme.
        programs = self.env["garage.loyalty.program"].sudo()
        programs = programs.with_context(active_test=False).search(
            [("company_id", "=", self.company_id.id)], order="id"
        )
        last, due = self._get_last_month(self.company_id), []
        for program in programs:
            month = self.first_month
            while month <= last:
                after = fields.Date.add(month, months=1)
                if program._has_entries(after):
                    due.append((program, month))
                month = after
        return sorted(due, key=lambda pair: (pair[1], pair[0].id))

    def _find_booking(self, program, month):
        Booking = self.env["garage.loyalty.booking"].sudo()  # see _get_booking
        return Booking.search(
            [("program_id", "=", program.id), ("month", "=", month)], limit=1
        )

    def _get_booking(self, program, month):
        """Return the booking of a month, a new one if there is none."""
        booking = self._find_booking(program, month)
        # Nobody has the right to add bookings: they come from here only.
        return booking or self.env["garage.loyalty.booking"].sudo().create(
            {"program_id": program.id, "month": month}
        )
