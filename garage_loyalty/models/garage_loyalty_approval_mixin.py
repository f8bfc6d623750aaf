from psycopg2.errors import UniqueViolation

from odoo import api, fields, models
from odoo.exceptions import ConcurrencyError

from .garage_loyalty_adjustment_check import MANAGER

ACTIVITY = "garage_loyalty.mail_activity_type_approve"


class GarageLoyaltyApprovalMixin(models.AbstractModel):
    """How many points an employee may give in a month without asking a manager.

    Points are given by number: the first of an employee in a month, the second, and so
    on. Of two at the same moment, which do not know of each other, the unique index
    lets one pass; the other is tried again, and sees what the first one used.
    """

    _name = "garage.loyalty.approval.mixin"
    _description = "Goodwill within a Budget"

    approved_by_id = fields.Many2one(
        "res.users",
        string="Decided by",
        readonly=True,
        ondelete="restrict",
        copy=False,
        help="Manager who approved or refused.",
    )
    budget_month = fields.Date(
        readonly=True,
        copy=False,
        help="First day of the month whose budget the points were taken from. "
        "Empty: no budget was needed, or a manager approved.",
    )
    budget_seq = fields.Integer(string="Number in the month", readonly=True, copy=False)
    is_limited = fields.Boolean(compute="_compute_budget")
    budget = fields.Integer(string="Monthly budget", compute="_compute_budget")
    budget_left = fields.Integer(
        string="Left this month",
        compute="_compute_budget",
        help="What the employee may still give this month without asking a manager.",
    )
    needs_approval = fields.Boolean(compute="_compute_budget")

    _budget_uniq = models.UniqueIndex(
        "(user_id, budget_month, budget_seq) WHERE budget_seq > 0"
    )

    @api.depends("kind", "member_id", "points", "state", "user_id")
    @api.depends_context("uid")
    def _compute_budget(self):
        for adjustment in self:
            program = adjustment.member_id.program_id
            asker = adjustment._get_asker()
            adjustment.is_limited = not asker.has_group(MANAGER)
            adjustment.budget = program.goodwill_budget
            left = program.goodwill_budget - adjustment._get_given(asker)
            adjustment.budget_left = max(left, 0)
            adjustment.needs_approval = (
                adjustment.is_limited and adjustment.points > adjustment.budget_left
            )

    def _get_asker(self):
        """Return whose budget counts: who asked, or who is about to."""
        self.ensure_one()
        return self.env.user if self.state == "draft" else self.user_id

    def _get_budget_month(self):
        self.ensure_one()
        return self.company_id._get_loyalty_today().replace(day=1)

    def _get_given(self, user):
        """Return the points that an employee has given by budget this month.

        What was undone counts no more. Override to count by other means.
        """
        self.ensure_one()
        # A budget is the same whoever looks at it, and from whatever company.
        rows = self.sudo()._read_group(
            [
                ("user_id", "=", user.id),
                ("program_id", "=", self.member_id.program_id.id),
                ("budget_month", "=", self._get_budget_month()),
                ("state", "=", "posted"),
            ],
            [],
            ["points:sum"],
        )
        return rows[0][0] or 0

    def _take_from_budget(self):
        """Note that the points are given by the budget of who asked.

        :raise ConcurrencyError: when the employee gives others at the same moment
        """
        self.ensure_one()
        month = self._get_budget_month()
        rows = self._read_group(
            [("user_id", "=", self.user_id.id), ("budget_month", "=", month)],
            [],
            ["budget_seq:max"],
        )
        try:
            with self.env.cr.savepoint():
                self.write({"budget_month": month, "budget_seq": (rows[0][0] or 0) + 1})
        except UniqueViolation as error:
            raise ConcurrencyError(
                self.env._("You gave other points at the same moment.")
            ) from error

    # -- beyond the budget ------------------------------------------------------------

    def _get_done_action(self):
        """Return what follows: a message when a manager was asked."""
        if "to_approve" not in self.mapped("state"):
            return True
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "warning",
                "message": self.env._(
                    "This exceeds your budget: a manager was asked to approve it."
                ),
                "next": {"type": "ir.actions.act_window_close"},
            },
        }

    def _ask_managers(self):
        """Let the points wait until a manager approves them."""
        self.ensure_one()
        self.state = "to_approve"
        summary = self.env._(
            "%(user)s asks for %(points)s points",
            user=self.user_id.name,
            points=self.points,
        )
        for manager in self.program_id._get_managers():
            self.activity_schedule(ACTIVITY, user_id=manager.id, summary=summary)

    def action_approve(self):
        """Give the points that exceed the budget of who asked for them."""
        for adjustment in self:
            mine = adjustment._decide()
            mine._post()
            mine._tell_asker(self.env._("Approved: the points have been posted."))

    def action_refuse(self):
        """Give nothing, and keep who refused."""
        for adjustment in self:
            mine = adjustment._decide()
            mine.state = "refused"
            mine._tell_asker(self.env._("Refused: no points have been given."))

    def _decide(self):
        """Keep who decides, and return the adjustment for writing."""
        self.check_access("write")
        self._check_manager()
        self._check_state("to_approve")
        # The rights were checked; the fields are written by buttons only.
        mine = self.sudo()
        mine.approved_by_id = self.env.user
        mine.activity_unlink([ACTIVITY])
        return mine

    def _tell_asker(self, body):
        """Tell who asked what was decided. Override to use other channels."""
        self.ensure_one()
        self.message_post(
            body=body,
            partner_ids=self.user_id.partner_id.ids,
            subtype_xmlid="mail.mt_note",
        )
