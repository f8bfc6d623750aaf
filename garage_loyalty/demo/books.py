"""What the accountant of the demo workshop has set up, booked and signed."""

from odoo import fields

# Type, where codes begin, name.
ACCOUNTS = (
    ("liability_current", "200000", "Owed to customers in points"),
    ("expense", "600000", "Cost of the loyalty programme"),
)
EXPECTED = 90  # percent


class Books:
    def __init__(self, premises, today):
        self.env = premises.env(user=premises.accountant)
        self.today = today
        self.company = premises.company

    def run(self):
        """Book the months of this year; the last one is a draft to be reviewed."""
        self._value()
        last = fields.Date.subtract(self.today.replace(day=1), months=1)
        rule = self._set_up(min(last, last.replace(month=1)))
        rule.action_book()
        bookings = self.env["garage.loyalty.booking"].search([])
        bookings.filtered(lambda booking: booking.month < last).move_id.action_post()
        self._compare(fields.Date.subtract(last, days=1)).action_sign()
        self._compare(fields.Date.end_of(last, "month"))

    def _value(self):
        self.env["garage.loyalty.valuation"].create(
            {
                "date": self.today,
                "tax_percent": self.company.account_sale_tax_id.amount,
                "redemption_rate": EXPECTED,
                "reason": self.env._("Standard tax; our own guess until we know more"),
            }
        )

    def _set_up(self, month):
        liability, expense = (self._open_account(*item) for item in ACCOUNTS)
        journal = self.env["account.journal"].search(
            [("company_id", "=", self.company.id), ("type", "=", "general")], limit=1
        )
        return self.env["garage.loyalty.accounting"].create(
            {
                "journal_id": journal.id,
                "liability_account_id": liability.id,
                "result_account_id": expense.id,
                "first_month": month,
                "user_id": self.env.uid,
            }
        )

    def _open_account(self, kind, code, name):
        Account = self.env["account.account"]
        return Account.create(
            {
                "name": name,
                "account_type": kind,
                "code": Account._search_new_account_code(code),
            }
        )

    def _compare(self, day):
        return self.env["garage.loyalty.reconciliation"].create({"date": day})
