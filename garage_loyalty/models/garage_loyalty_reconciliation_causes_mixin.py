from odoo import fields, models


class GarageLoyaltyReconciliationCausesMixin(models.AbstractModel):
    """Why the books differ from the points ledger. The causes add up to the difference.

    What is owed is the sum of what the months changed. A month that is not booked yet,
    a draft, an entry of a later day are causes; so is what was posted on the account
    by hand; and what has changed in months that were booked already.
    """

    _name = "garage.loyalty.reconciliation.causes.mixin"
    _description = "Causes of a Difference"

    def _get_figures(self, rule):
        """Return what is owed, what is booked, and the causes of the difference."""
        self.env.flush_all()
        round_ = self.company_id.currency_id.round
        items = self._get_items(rule)
        booked = round_(-sum(items.mapped("balance")))
        owed, causes = 0, self._get_manual_causes(items)
        for program in self._get_programs():
            amount = self.env[f"garage.loyalty.{rule.method}"]._get_owed(
                program, self.date
            )
            owed += amount
            causes += self._get_program_causes(rule, program, amount, items)
        return {
            "owed": round_(owed),
            "booked": booked,
            "difference": round_(owed - booked),
            "causes": [
                cause | {"amount": round_(cause["amount"])}
                for cause in causes
                if round_(cause["amount"])
            ],
        }

    def _get_programs(self):
        Program = self.env["garage.loyalty.program"].with_context(active_test=False)
        return Program.search([("company_id", "=", self.company_id.id)], order="id")

    def _get_bookings(self, program=None):
        domain = [("company_id", "=", self.company_id.id)]
        if program:
            domain.append(("program_id", "=", program.id))
        return self.env["garage.loyalty.booking"].search(domain, order="month")

    def _get_item_domain(self, rule):
        """Return the domain of the lines in the books that are compared."""
        # Accounts that were used before, too: what was booked there still counts.
        accounts = rule.liability_account_id
        accounts |= self._get_bookings().liability_account_id
        return [
            ("account_id", "in", accounts.ids),
            ("company_id", "child_of", self.company_id.id),
            ("parent_state", "=", "posted"),
            ("date", "<=", self.date),
        ]

    def _get_items(self, rule):
        return self.env["account.move.line"].search(self._get_item_domain(rule))

    def _get_manual_causes(self, items):
        """Return a cause for each line that no booked month has made."""
        return [
            {
                "kind": "manual",
                "amount": item.balance,
                "move_id": item.move_id.id,
                "date": item.date,
            }
            for item in items
            if not item.move_id.loyalty_booking_id
        ]

    def _get_program_causes(self, rule, program, owed, items):
        """Return why what is owed for a programme is not what its entries booked."""
        causes, rest = [], owed
        bookings = self._get_bookings(program).filtered(
            lambda booking: booking.month <= self.date
        )
        for move in bookings.move_ids:
            amount = -sum(move._get_loyalty_liability_lines().mapped("balance"))
            rest -= amount
            if not (move.line_ids & items):
                kind = "draft" if move.state == "draft" else "later"
                causes.append(
                    {
                        "kind": kind,
                        "amount": amount,
                        "move_id": move.id,
                        "date": move.date,
                        "program_id": program.id,
                    }
                )
        later = self._get_bookings(program) - bookings
        for move in later.move_ids.filtered(lambda move: move.line_ids & items):
            amount = -sum(move._get_loyalty_liability_lines().mapped("balance"))
            causes.append({"kind": "early", "amount": -amount, "move_id": move.id})
        return causes + self._get_open_causes(rule, program, owed, rest, bookings)

    def _get_open_causes(self, rule, program, owed, rest, bookings):
        """Return the months that nothing was booked for, then all other changes."""
        causes, method = [], self.env[f"garage.loyalty.{rule.method}"]
        counted = bookings.filtered(
            lambda booking: booking.state in ("draft", "posted")
        )
        last = max(counted.mapped("month"), default=None)
        month = fields.Date.add(last, months=1) if last else rule.first_month
        while month <= self.date:
            eve = fields.Date.subtract(month, days=1)
            end = min(fields.Date.end_of(month, "month"), self.date)
            before = method._get_owed(program, eve) if last else 0
            change = method._get_owed(program, end) - before
            causes.append(
                {
                    "kind": "open",
                    "amount": change,
                    "date": month,
                    "program_id": program.id,
                }
            )
            rest, last = rest - change, month
            month = fields.Date.add(month, months=1)
        kind = "changed" if counted else "open"
        causes.append({"kind": kind, "amount": rest, "program_id": program.id})
        return causes
