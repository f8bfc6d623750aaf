from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL, format_date

from ..tools import lots as rules

EXPIRY_RULES = [
    (rules.NEVER, "Never"),
    (rules.AGE, "Months after earning"),
    (rules.INACTIVITY, "Months without a visit"),
    (rules.FIXED, "On a fixed day"),
]
MONTHS = [
    ("1", "January"),
    ("2", "February"),
    ("3", "March"),
    ("4", "April"),
    ("5", "May"),
    ("6", "June"),
    ("7", "July"),
    ("8", "August"),
    ("9", "September"),
    ("10", "October"),
    ("11", "November"),
    ("12", "December"),
]
# A change of these changes when points that are there already expire.
SCHEDULE = {
    "bonus_expiry_months",
    "expiry_day",
    "expiry_month",
    "expiry_month_end",
    "expiry_months",
    "expiry_rule",
}


class GarageLoyaltyExpiryMixin(models.AbstractModel):
    """From when and until when points can be spent, for programmes."""

    _name = "garage.loyalty.expiry.mixin"
    _description = "Life of Loyalty Points"

    activation_days = fields.Integer(
        string="Days before points can be spent",
        tracking=True,
        help="Points of an invoice wait this number of days, for instance until it can "
        "no longer be disputed. 0: they can be spent at once.",
    )
    expiry_rule = fields.Selection(
        EXPIRY_RULES,
        string="Points expire",
        required=True,
        default=rules.NEVER,
        tracking=True,
    )
    expiry_months = fields.Integer(
        string="Months",
        default=24,
        tracking=True,
        help="For a fixed day: points live at least this number of months.",
    )
    expiry_month_end = fields.Boolean(
        string="At the end of the month",
        default=True,
        tracking=True,
        help="Untick to let points expire to the day.",
    )
    expiry_day = fields.Integer(string="Day", default=31, tracking=True)
    expiry_month = fields.Selection(
        MONTHS, string="Month", required=True, default="12", tracking=True
    )
    bonus_expiry_months = fields.Integer(
        string="Months for bonus points",
        tracking=True,
        help="Points given as a gift expire this number of months after they were "
        "given, if that is sooner. 0: they live as long as other points.",
    )
    warning_days = fields.Integer(
        string="Days of warning",
        default=30,
        tracking=True,
        help="Customers are told by e-mail this number of days before points expire. "
        "0: no warning.",
    )
    restored_days = fields.Integer(
        string="Days for points given back",
        default=30,
        tracking=True,
        help="Points that are given back after they would have expired can be spent "
        "for this number of days.",
    )
    expiry_preview = fields.Text(
        string="What this change means", compute="_compute_expiry_preview"
    )

    _expiry_numbers = models.Constraint(
        "CHECK(activation_days BETWEEN 0 AND 3660 "
        "AND bonus_expiry_months BETWEEN 0 AND 1200 "
        "AND warning_days BETWEEN 0 AND 366 AND restored_days BETWEEN 1 AND 3660)",
        "Numbers of days and months cannot be negative, nor longer than a customer "
        "lives; points that are given back live for at least one day.",
    )
    _expiry_months_needed = models.Constraint(
        "CHECK(expiry_rule = 'never' OR expiry_rule = 'fixed' AND "
        "expiry_months BETWEEN 0 AND 1200 OR expiry_months BETWEEN 1 AND 1200)",
        "Enter after how many months points expire, at least 1.",
    )
    _expiry_day_of_month = models.Constraint(
        "CHECK(expiry_day BETWEEN 1 AND 31)",
        "The day on which points expire lies between 1 and 31.",
    )

    def _prepare_expiry_rules(self):
        """Return the rules of when points can be spent, for ``tools.rules.Rules``."""
        self.ensure_one()
        return {
            "activation_days": self.activation_days,
            "expiry": self.expiry_rule,
            "months": self.expiry_months,
            "month_end": self.expiry_month_end,
            "fixed": (int(self.expiry_month), self.expiry_day),
            "bonus_months": self.bonus_expiry_months,
        }

    def _get_restored_day(self, today):
        """Return until when points that have expired are given back."""
        self.ensure_one()
        return today + timedelta(days=self.restored_days)

    # -- changing the rules ---------------------------------------------------------

    @api.depends(*SCHEDULE, "warning_days")
    def _compute_expiry_preview(self):
        for program in self:
            saved = program._origin
            changed = any(program[name] != saved[name] for name in SCHEDULE)
            program.expiry_preview = (
                program._get_expiry_preview(saved) if saved and changed else False
            )

    def _get_expiry_preview(self, saved):
        """Return in words what would expire within a year by the rules as edited."""
        self.ensure_one()
        today = saved.company_id._get_loyalty_today()
        earliest = today + timedelta(days=max(self.warning_days, 0))
        horizon = today + timedelta(days=365)
        points, members, first = 0, set(), None
        plan = self._prepare_rules()
        for group in saved._get_open_groups(saved._get_start_sql(self.expiry_rule)):
            day = self._get_rescheduled(plan, group, earliest)
            if day and day <= horizon:
                points += group["points"]
                members.update(group["members"])
                first = min(first or day, day)
        if not points:
            return self.env._("No points would expire within a year.")
        return self.env._(
            "%(points)s points would expire within a year (members: %(members)s), "
            "the first of them after %(first)s.",
            points=points,
            members=len(members),
            first=format_date(self.env, first),
        )

    @api.model
    def _get_rescheduled(self, plan, group, earliest):
        try:
            new = plan.expiry_day(group["start"], group["is_bonus"], group["given"])
        except (OverflowError, ValueError):
            return None  # numbers that cannot be saved, see the constraints
        return rules.rescheduled(new, group["date_expiry"], earliest)

    def _get_open_groups(self, start, condition=None):
        """Return what is left in lots that are treated alike, as dicts.

        :param start: the SQL of the day from which their life counts
        """
        self.ensure_one()
        return self.env.execute_query_dict(
            SQL(
                """
                SELECT %(start)s AS start, COALESCE(lot.is_bonus, FALSE) AS is_bonus,
                       lot.date_expiry,
                       CASE WHEN lot.is_bonus THEN lot.date END AS given,
                       sum(lot.remaining) AS points,
                       array_agg(DISTINCT lot.member_id) AS members,
                       array_agg(lot.id) AS lots
                  FROM garage_loyalty_lot lot
                  JOIN garage_loyalty_member member ON member.id = lot.member_id
                 WHERE member.program_id = %(program)s AND lot.remaining > 0
                   AND lot.is_promised IS NOT TRUE
                       %(condition)s
                 GROUP BY 1, 2, 3, 4
                """,
                start=start,
                condition=condition or SQL(),
                program=self.id,
            )
        )

    @api.model
    def _get_start_sql(self, rule, condition=None):
        """Return the SQL of the day from which the life of a lot counts.

        :param condition: of the visits that count
        """
        if rule != rules.INACTIVITY:
            return SQL("lot.date")
        visit = self._get_last_visit_sql()
        return SQL("GREATEST(lot.date, (%s %s))", visit, condition or SQL())

    @api.model
    def _get_last_visit_sql(self):
        return SQL(
            """SELECT max(visit.date) FROM garage_loyalty_visit visit
                WHERE visit.company_id IN (
                      SELECT id FROM res_company
                       WHERE loyalty_company_id = member.company_id)
                  AND visit.partner_id = member.partner_id"""
        )

    def _reschedule(self):
        """Let the points that are there already expire by the present rules.

        Nothing expires before one period of warning has passed.
        """
        for program in self:
            today = program.company_id._get_loyalty_today()
            earliest = today + timedelta(days=program.warning_days)
            program.env["garage.loyalty.lot"].flush_model()
            lot_ids, days = [], []
            plan = program._get_rules()
            start = program._get_start_sql(program.expiry_rule)
            for group in program._get_open_groups(start):
                day = program._get_rescheduled(plan, group, earliest)
                if day != group["date_expiry"]:
                    lot_ids += group["lots"]
                    days += [day] * len(group["lots"])
            program.env["garage.loyalty.lot"]._set_expiry(lot_ids, days)
