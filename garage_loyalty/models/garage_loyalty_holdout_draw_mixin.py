from secrets import token_hex

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import split_every

from ..tools.draw import detectable, draw, forecast

BATCH = 5000
DAYS_OF_MONTH = 30.4375


class GarageLoyaltyHoldoutDrawMixin(models.AbstractModel):
    """The draw: who may be drawn, who was, and what it will be able to tell."""

    _name = "garage.loyalty.holdout.draw.mixin"
    _description = "Draw of a Hold-Out"

    seed = fields.Char(
        readonly=True,
        copy=False,
        help="Whoever knows it can draw again, and see that nobody chose.",
    )
    drawn_by_id = fields.Many2one(
        "res.users", string="Drawn by", readonly=True, copy=False, ondelete="set null"
    )
    invited_count = fields.Integer(string="May be invited", readonly=True, copy=False)
    held_out_count = fields.Integer(
        string="Held out",
        readonly=True,
        copy=False,
        help="Customers who were drawn not to be asked.",
    )
    invited_before = fields.Float(
        string="Visits before of the invited",
        digits=(16, 2),
        readonly=True,
        copy=False,
        help="Of each, in the months that count for joining, up to the draw.",
    )
    held_out_before = fields.Float(
        string="Visits before of those held out",
        digits=(16, 2),
        readonly=True,
        copy=False,
    )

    def action_draw(self):
        """Draw lots, and begin: cannot be done again, nor taken back.

        :raise AccessError: for others than loyalty managers
        :raise UserError: when the end has passed, another hold-out of the company is
            running, or there are too few customers to tell anything
        """
        self._check_manager()
        for holdout in self.filtered(lambda holdout: holdout.state == "draft"):
            holdout._check_before_draw()
            # Rows are added by the draw only.
            holdout.sudo()._draw()
        return True

    def _check_before_draw(self):
        self.ensure_one()
        if self.date_end <= self.company_id._get_loyalty_today():
            raise UserError(self.env._("The last day must be in the future."))
        running = [("company_id", "=", self.company_id.id), ("state", "=", "running")]
        for other in self.search(running, limit=1):
            raise UserError(
                self.env._("“%s” is running: one after the other.", other.name)
            )
        total = sum(count for _visits, count in self._get_visit_counts())
        held_out = self._get_held_out_number(total)
        if detectable(total - held_out, held_out, 1, 1) is None:
            raise UserError(self._say_too_few(total, held_out))

    def _draw(self):
        candidates = self.env["garage.loyalty.candidate"].search_fetch(
            self._get_eligible_domain(), ["partner_id", "visit_count"]
        )
        before = {each.partner_id.id: each.visit_count for each in candidates}
        seed = token_hex(8)
        self._begin(before, draw(before, self.share, seed), seed)

    def _begin(self, before, held_out, seed):
        """Note the groups, and begin.

        :param before: how often each customer had come, by id
        :param held_out: ids of those who are not invited
        """
        invited = before.keys() - held_out
        rows = [
            self._prepare_row_vals(number, visits, number in held_out)
            for number, visits in sorted(before.items())
        ]
        for batch in split_every(BATCH, rows, list):
            self.env["garage.loyalty.holdout.customer"]._append(batch)
        self.write(
            {
                "state": "running",
                "seed": seed,
                "date_start": self.company_id._get_loyalty_today(),
                "drawn_by_id": self.env.uid,
                "invited_count": len(invited),
                "held_out_count": len(held_out),
                "invited_before": self._get_mean(before[one] for one in invited),
                "held_out_before": self._get_mean(before[one] for one in held_out),
            }
        )
        self.invalidate_recordset(["customer_ids"])

    def _prepare_row_vals(self, partner_id, visits, is_held_out):
        """Return the values of a customer of the draw. Override to note more."""
        return {
            "holdout_id": self.id,
            "company_id": self.company_id.id,
            "partner_id": partner_id,
            "is_held_out": is_held_out,
            "visits_before": visits,
            "visits": 0,
            "amount": 0,
            "has_joined": False,
        }

    @api.model
    def _get_mean(self, values):
        values = list(values)
        return sum(values) / len(values) if values else 0

    def _get_eligible_domain(self):
        """Return the domain of candidates who are drawn from.

        Who can be reached, and has not said no. Override to leave out more.
        """
        self.ensure_one()
        return [
            ("company_id", "=", self.company_id.id),
            ("is_declined", "=", False),
            ("is_held_out", "=", False),
            ("partner_id.is_blacklisted", "=", False),
            "|",
            ("partner_id.email", "!=", False),
            ("partner_id.phone", "!=", False),
        ]

    # -- what it will be able to tell ----------------------------------------------

    def _get_visit_counts(self):
        """Return how many of those who may be drawn came how often lately."""
        candidates, plan = self.env["garage.loyalty.candidate"], self
        if not candidates.has_access("read"):
            # Who may read a plan, and not whom it is drawn from, learns how many.
            candidates, plan = candidates.sudo(), self._origin
        if not plan:
            return []
        return candidates._read_group(
            plan._get_eligible_domain(), ["visit_count"], ["__count"]
        )

    def _get_held_out_number(self, total):
        return int(total * self.share / 100)

    def _get_detectable(self, counts):
        """Return the difference in visits that would be found in 8 of 10 cases.

        In percent, None when there are too few customers.
        """
        self.ensure_one()
        program = self.env["garage.loyalty.program"]._get_default(self.company_id)
        today = self.company_id._get_loyalty_today()
        days = (self.date_end - today).days
        visits = [visits for visits, count in counts for _each in range(count)]
        moments = forecast(visits, days / (program.join_months * DAYS_OF_MONTH))
        held_out = self._get_held_out_number(len(visits))
        found = detectable(len(visits) - held_out, held_out, *moments)
        return found and 100 * found
