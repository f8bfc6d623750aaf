from odoo import Command, api, fields, models
from odoo.exceptions import UserError

from .garage_loyalty_accounting import METHODS


class GarageLoyaltyBooking(models.Model):
    """What is owed in points at the end of a month, and the journal entry that says so.

    A row for each programme and month. The entry is what is owed less what all entries
    of the programme have booked until then: run again it books nothing twice, and what
    was missed in one month is made up for in the next.
    """

    _name = "garage.loyalty.booking"
    _description = "Booked Month of Points"
    _inherit = ["garage.loyalty.export.mixin"]
    _order = "month desc, program_id, id"
    _rec_name = "month"

    program_id = fields.Many2one(
        "garage.loyalty.program",
        string="Programme",
        required=True,
        readonly=True,
        ondelete="restrict",
    )
    company_id = fields.Many2one(
        related="program_id.company_id", store=True, index=True
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    month = fields.Date(required=True, readonly=True, help="Its first day.")
    method = fields.Selection(METHODS, readonly=True)
    liability_account_id = fields.Many2one(
        "account.account", readonly=True, ondelete="restrict"
    )
    points = fields.Integer(
        string="Points outstanding", readonly=True, help="At the end of the month."
    )
    owed = fields.Monetary(readonly=True, help="At the end of the month.")
    booked_before = fields.Monetary(
        readonly=True, help="By the entries of this programme until then."
    )
    amount = fields.Monetary(
        string="Booked", readonly=True, help="What the entry adds to what is owed."
    )
    line_ids = fields.One2many(
        "garage.loyalty.booking.line", "booking_id", readonly=True
    )
    cohort_ids = fields.One2many(
        "garage.loyalty.booking.cohort", "booking_id", readonly=True
    )
    move_ids = fields.One2many("account.move", "loyalty_booking_id", readonly=True)
    move_id = fields.Many2one(
        "account.move",
        string="Journal entry",
        compute="_compute_move_id",
        store=True,
        help="The one that counts: neither cancelled nor reversed.",
    )
    state = fields.Selection(
        [
            ("none", "No entry"),
            ("draft", "Draft"),
            ("posted", "Posted"),
            ("reversed", "Reversed"),
        ],
        compute="_compute_move_id",
        store=True,
    )

    _program_month_uniq = models.UniqueIndex(
        "(program_id, month)", "This month has been booked already."
    )

    @api.depends("move_ids.state", "move_ids.reversal_move_ids.state")
    def _compute_move_id(self):
        for booking in self:
            moves = booking.move_ids.filtered(lambda move: move.state != "cancel")
            undone = moves.reversed_entry_id | moves.filtered("reversed_entry_id")
            booking.move_id = (moves - undone)[:1]
            booking.state = booking.move_id.state or (undone and "reversed") or "none"

    @api.depends("month", "program_id")
    def _compute_display_name(self):
        for booking in self:
            month = fields.Date.to_string(booking.month)
            name = booking.program_id.display_name
            booking.display_name = f"{name}, {month[:7]}" if month else name

    @api.ondelete(at_uninstall=False)
    def _unlink_without_entry(self):
        if self.move_ids:
            raise UserError(self.env._("A month with a journal entry is not deleted."))

    @api.readonly
    def action_open_moves(self):
        """Open all journal entries of months, those that were reversed as well."""
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "account.action_move_journal_line"
        )
        return action | {
            "domain": [("loyalty_booking_id", "in", self.ids)],
            "context": {"create": False},
        }

    def action_book_again(self):
        """Bring the draft up to date, or book again what was reversed or deleted.

        :raise UserError: where the company books no points
        :raise AccessError: where the user may not make journal entries
        """
        self.ensure_one()
        self.env["account.move"].check_access("create")
        rule = self.env["garage.loyalty.accounting"].search(
            [("company_id", "=", self.company_id.id)]
        )
        if not rule:
            raise UserError(
                self.env._("%s does not book points.", self.company_id.display_name)
            )
        rule.check_access("write")
        self.sudo()._book(rule)  # as in action_book of the rule

    # -- the journal entry ----------------------------------------------------------

    def _book(self, rule):
        """Make the journal entry of the month, or bring its draft up to date.

        What is posted stays: what has changed since is booked with the next month.
        """
        self.ensure_one()
        self.lock_for_update(allow_referencing=True)
        if self.state == "posted":
            return
        company, program = self.company_id, self.program_id
        last = fields.Date.end_of(self.month, "month")
        method = self.env[f"garage.loyalty.{rule.method}"]
        owed, lines, cohorts = method._get_booked_figures(program, self.month, last)
        self.write(
            {
                "method": rule.method,
                "liability_account_id": rule.liability_account_id.id,
                "points": program._get_outstanding(fields.Date.add(last, days=1)),
                "owed": owed,
                "line_ids": [Command.clear()],
                "cohort_ids": [Command.clear(), *map(Command.create, cohorts)],
            }
        )
        self.booked_before = self._get_booked_before()
        self.amount = company.currency_id.round(owed - self.booked_before)
        rest = company.currency_id.round(
            self.amount - sum(line["amount"] for line in lines)
        )
        if rest:
            lines.append({"kind": "earlier", "amount": rest})
        self.line_ids = [
            Command.create(line)
            for line in lines
            if not company.currency_id.is_zero(line["amount"])
        ]
        self._apply(rule)

    def _get_booked_before(self):
        """Return what entries of the programme until this month have booked.

        Drafts count, but not that of this month; an entry and its reversal are nothing.
        """
        self.env.flush_all()
        bookings = self.search(
            [("program_id", "=", self.program_id.id), ("month", "<=", self.month)]
        )
        moves = bookings.move_ids - self.move_id
        return -sum(moves._get_loyalty_liability_lines().mapped("balance"))

    def _apply(self, rule):
        """Let the draft say what the lines say, or make one."""
        # Whoever books makes the entries as themselves.
        Move = self.env["account.move"].with_user(self.env.uid).sudo(self._is_job())
        lang = self.company_id.partner_id.lang
        Move = Move.with_company(self.company_id).with_context(lang=lang)
        draft = Move.browse(self.move_id.id)
        if not self.line_ids:
            draft.unlink()
            return
        vals = self.with_context(lang=lang)._prepare_move(rule)
        if draft:
            draft.write({"line_ids": [Command.clear(), *vals["line_ids"]]})
            return
        Move.create(vals)._ask_for_loyalty_review(rule.user_id)

    def _is_job(self):
        return self.env.uid == api.SUPERUSER_ID

    def _prepare_move(self, rule):
        """Return the values of the journal entry. Override to note more in it."""
        last = fields.Date.end_of(self.month, "month")
        return {
            "move_type": "entry",
            "company_id": self.company_id.id,
            "journal_id": rule.journal_id.id,
            "date": self._get_open_day(rule.journal_id, last),
            "ref": self.env._("Points: %s", self.display_name),
            "loyalty_booking_id": self.id,
            "line_ids": [
                Command.create(vals)
                for line in self.line_ids
                for vals in line._prepare_move_lines(rule)
            ],
        }

    def _get_open_day(self, journal, day):
        """Return the day, or the one that the host takes where it is locked."""
        locks = self.company_id._get_violated_lock_dates(day, False, journal)
        if not locks:
            return day
        move = self.env["account.move"].new(
            {"move_type": "entry", "journal_id": journal.id, "date": day}
        )
        return move._get_accounting_date(day, False, lock_dates=locks)
