from functools import partial

from odoo import Command, api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ..tools import estimate, holdout
from ..tools.retention import WAIT_DAYS


class GarageLoyaltyHoldoutResultMixin(models.AbstractModel):
    """The end of a hold-out: the groups are compared as they were drawn, once.

    Nobody sees a result before: whoever may stop when it looks good finds something in
    every second draw.
    """

    _name = "garage.loyalty.holdout.result.mixin"
    _description = "Result of a Hold-Out"
    _inherit = ["garage.loyalty.job.mixin"]

    date_last = fields.Date(
        string="Compared until",
        readonly=True,
        copy=False,
        help="The last day of which visits count.",
    )
    invited_joined = fields.Integer(
        string="Joined of the invited", readonly=True, copy=False
    )
    held_out_joined = fields.Integer(
        string="Joined of those held out", readonly=True, copy=False
    )

    def action_stop(self):
        """End a hold-out early, and compare what there is.

        :raise AccessError: for others than loyalty managers
        :raise UserError: without a reason
        """
        self._check_manager()
        for each in self.filtered(lambda each: each.state == "running"):
            if not (each.stop_reason or "").strip():
                raise UserError(self.env._("Say why it is stopped."))
            # Nobody writes results; a manager may have them computed.
            each.sudo()._end(each.company_id._get_loyalty_today())
        return True

    @api.model
    def _cron_end(self):
        """End the hold-outs whose time is over, late invoices included."""
        self._run_step(self._end_next, 1)

    @api.model
    def _end_next(self):
        """End the first hold-out that is due; tell whether there was one."""
        for each in self.search([("state", "=", "running")], order="id"):
            today = each.company_id._get_loyalty_today()
            if fields.Date.add(each.date_end, days=WAIT_DAYS) < today:
                each._end(each.date_end)
                return 1
        return 0

    def _end(self, last):
        """Compare the groups up to a day, and keep what was found."""
        self.ensure_one()
        last = min(last, self.date_end)
        self.env.flush_all()
        self.env.cr.execute(self._get_facts_query(last))
        rows = self.customer_ids
        rows.invalidate_recordset(flush=False)
        held_out = rows.filtered("is_held_out")
        invited = rows - held_out
        self.write(
            {
                "state": "done",
                "date_last": last,
                "invited_joined": len(invited.filtered("has_joined")),
                "held_out_joined": len(held_out.filtered("has_joined")),
                "figure_ids": [
                    Command.create(
                        {
                            "company_id": self.company_id.id,
                            "sequence": place,
                            "measure": measure,
                            **compare(invited, held_out),
                        }
                    )
                    for place, (measure, compare) in enumerate(
                        self._get_measures().items()
                    )
                ],
            }
        )

    def _get_facts_query(self, last) -> SQL:
        """Return the statement that notes what every customer did in the time."""
        Estimate = self.env["garage.loyalty.estimate"]
        # One customer after the other: the planner does not know how few they are.
        return SQL(
            """
            UPDATE garage_loyalty_holdout_customer held
               SET visits = done.visits, amount = done.amount,
                   has_joined = COALESCE(member.joined > %(start)s
                                         AND member.joined <= %(last)s, FALSE)
              FROM garage_loyalty_holdout_customer mine
              JOIN res_partner owner ON owner.id = mine.partner_id
             CROSS JOIN LATERAL (
                SELECT count(*)::int AS visits, COALESCE(sum(%(value)s), 0) AS amount
                  FROM garage_loyalty_visit visit
                 WHERE visit.partner_id = owner.commercial_partner_id
                   AND visit.company_id = ANY(%(branches)s)
                   AND visit.date > %(start)s AND visit.date <= %(last)s
                   AND visit.kind = 'repair' AND visit.is_warranty IS NOT TRUE
                   AND %(value)s > 0
             ) done
             CROSS JOIN LATERAL (
                SELECT min(joined) AS joined FROM (%(joined)s) member
                 WHERE member.partner_id = owner.commercial_partner_id
             ) member
             WHERE held.id = mine.id AND mine.holdout_id = %(holdout)s
            """,
            value=Estimate._get_value(),
            joined=Estimate._get_joined_query(self.company_id),
            branches=self._get_branches().ids,
            start=self.date_start,
            last=last,
            holdout=self.id,
        )

    def _get_branches(self):
        """Return the companies whose visits count: those that share the accounts."""
        return self.env["res.company"].search(
            [("loyalty_company_id", "=", self.company_id.id)]
        )

    # -- what is compared ----------------------------------------------------------

    @api.model
    def _get_measures(self):
        """Return what is compared, by measure: a function of both groups.

        Override to compare one more; it is a value of the field, too.
        """
        return {
            "visits": self._compare_visits,
            "came": self._compare_came,
            "aro": partial(self._compare_money, of_visits=True),
            "revenue": self._compare_money,
        }

    @api.model
    def _compare_visits(self, *groups):
        found = [group.mapped("visits") for group in groups]
        return self._prepare_figure_vals(
            holdout.visits_change(*found), *map(self._get_mean, found)
        )

    @api.model
    def _compare_came(self, *groups):
        found = [[bool(row.visits) for row in group] for group in groups]
        means = (100 * self._get_mean(values) for values in found)
        return self._prepare_figure_vals(holdout.shares_gap(*found), *means)

    @api.model
    def _compare_money(self, *groups, of_visits=False):
        """Compare revenue by customer, or by visit of those who came."""
        pairs = [
            [
                (row.amount, row.visits if of_visits else 1)
                for row in group
                if row.visits or not of_visits
            ]
            for group in groups
        ]
        ratios = (estimate.ratio(side) for side in pairs)
        return self._prepare_figure_vals(
            estimate.gap(*pairs), *(ratio.value if ratio else 0 for ratio in ratios)
        )

    @api.model
    def _prepare_figure_vals(self, found, invited, held_out):
        return {
            "invited": invited,
            "held_out": held_out,
            "value": found.is_known and 100 * found.value,
            "low": found.is_known and 100 * found.low,
            "high": found.is_known and 100 * found.high,
            "verdict": found.verdict,
        }
