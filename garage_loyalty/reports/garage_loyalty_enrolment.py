from odoo import api, fields, models
from odoo.tools import SQL
from odoo.tools.query import Query

from ..models.repair_order import OFFERS

EVENTS = [
    ("visit", "Visit"),
    ("joined", "Joined"),
    ("returned", "Came back"),
    ("left", "Left"),
    ("suspended", "Suspended"),
]


class GarageLoyaltyEnrolment(models.Model):
    """Who was asked to join and what came of it, who joined, who left.

    One row for each repair order at which a customer was asked or could have been, and
    one for each membership that begins, ends, pauses or goes on. Ratios are computed by
    the database for every grouping, from the sums of that grouping.
    """

    _name = "garage.loyalty.enrolment"
    _description = "Enrolment"
    _inherit = [
        "garage.loyalty.enrolment.query",
        "garage.loyalty.customer.kind.mixin",
        "garage.loyalty.export.mixin",
        "garage.loyalty.fold.mixin",
    ]
    _auto = False
    _order = "date desc, id desc"
    _rec_name = "date"
    _depends = {
        "garage.loyalty.member": [
            "company_id",
            "date_joined",
            "enrolled_by_id",
            "merged_into_id",
            "partner_id",
            "source",
        ],
        "garage.loyalty.member.status": ["date", "member_id", "state", "user_id"],
        "garage.loyalty.program": [
            "active",
            "company_id",
            "join_excluded_tag_ids",
            "join_kind",
            "join_min_age_months",
            "join_min_spend",
            "join_min_visits",
            "join_months",
            "join_tag_ids",
            "sequence",
        ],
        "garage.loyalty.visit": [
            "amount",
            "answer",
            "company_id",
            "date",
            "is_member",
            "kind",
            "partner_id",
            "repair_id",
            "user_id",
        ],
        "res.company": ["loyalty_company_id", "partner_id"],
        "res.partner": ["category_id", "is_company", "tz"],
    }

    date = fields.Date(readonly=True)
    event = fields.Selection(EVENTS, string="What", readonly=True)
    outcome = fields.Selection(
        OFFERS,
        readonly=True,
        help="What the customer said at this repair order when asked to join. Empty "
        "where a membership begins or ends.",
    )
    company_id = fields.Many2one("res.company", readonly=True)
    partner_id = fields.Many2one("res.partner", string="Customer", readonly=True)
    user_id = fields.Many2one(
        "res.users",
        string="Advisor",
        readonly=True,
        help="Of a repair order, its advisor; of a new member, who enrolled the "
        "customer; of one who left, who noted it.",
    )
    member_id = fields.Many2one(
        "garage.loyalty.member", string="Membership", readonly=True
    )
    repair_id = fields.Many2one("repair.order", string="Repair order", readonly=True)
    source = fields.Selection(
        lambda self: self.env["garage.loyalty.member"]._fields["source"].selection,
        string="Enrolled",
        readonly=True,
        help="Where the member was enrolled.",
    )
    opportunity_count = fields.Integer(
        string="Could be asked",
        readonly=True,
        help="Finished, invoiced repair orders of customers who were no members on "
        "arrival and met the conditions for joining, since the first member joined.",
    )
    asked_count = fields.Integer(
        string="Asked",
        readonly=True,
        help="Repair orders at which the customer accepted or declined.",
    )
    accepted_count = fields.Integer(string="Accepted", readonly=True)
    declined_count = fields.Integer(string="Declined", readonly=True)
    not_asked_count = fields.Integer(string="Not asked", readonly=True)
    asking_rate = fields.Float(
        string="Asked (%)",
        readonly=True,
        digits=(16, 1),
        aggregator="avg",
        help="Asked, of those who could be asked. Empty where nobody could.",
    )
    conversion_rate = fields.Float(
        string="Conversion (%)",
        readonly=True,
        digits=(16, 1),
        aggregator="avg",
        help="Accepted, of those who were asked. Empty where nobody was.",
    )
    joined_count = fields.Integer(
        string="Joined",
        readonly=True,
        help="New members by the day they joined, wherever they were enrolled.",
    )
    returned_count = fields.Integer(
        string="Came back",
        readonly=True,
        help="Memberships that go on after they had ended or paused.",
    )
    left_count = fields.Integer(string="Left", readonly=True)
    suspended_count = fields.Integer(string="Suspended", readonly=True)
    growth = fields.Integer(
        string="Net growth",
        readonly=True,
        help="By how many the number of active members changed.",
    )
    timed_count = fields.Integer(
        string="Joined, days known",
        readonly=True,
        help="New members of whom it is known how long they took to join.",
    )
    days_to_join = fields.Integer(
        string="Days to joining",
        readonly=True,
        aggregator="avg",
        help="Average days from the first repair order to joining. Members who joined "
        "elsewhere before their first repair order have none.",
    )
    days_to_join_median = fields.Float(
        string="Median days to joining",
        readonly=True,
        digits=(16, 1),
        aggregator="avg",
        help="Half of the new members took less time from their first repair order to "
        "joining, half took more.",
    )

    @api.model
    def _get_ratios(self):
        asked = "asked_count:sum"
        return {
            **super()._get_ratios(),
            "asking_rate:avg": (asked, "opportunity_count:sum", 100),
            "conversion_rate:avg": ("accepted_count:sum", asked, 100),
        }

    @api.model
    def _get_fold_keys(self):
        is_firm = SQL("is_firm")
        names = ("company_id", "date", "event", "outcome", "source", "user_id")
        return super()._get_fold_keys() | {
            "customer_kind": ("is_firm", self._get_customer_kind(is_firm)),
            **dict.fromkeys(names),
        }

    def _read_group_select(self, aggregate_spec: str, query: Query) -> SQL:
        if aggregate_spec == "days_to_join_median:avg":
            return SQL(
                "percentile_cont(0.5) WITHIN GROUP (ORDER BY %s)",
                self._field_to_sql(self._table, "days_to_join_median", query),
            )
        return super()._read_group_select(aggregate_spec, query)

    @api.readonly
    def action_open_source(self):
        """Open what the row is about: the repair order, or the member."""
        self.ensure_one()
        self.check_access("read")
        source = self.repair_id or self.member_id
        return {
            "type": "ir.actions.act_window",
            "res_model": source._name,
            "res_id": source.id,
            "views": [(False, "form")],
        }

    # -- the query ------------------------------------------------------------------

    @property
    def _table_query(self) -> SQL:
        self._compile_nothing()
        return SQL("%s %s %s", self._select(), self._from(), self._where())

    @api.model
    def _select(self) -> SQL:
        """Return the columns. Override, calling super, to add one."""
        return SQL(
            """
            SELECT event.id, event.date, event.event, event.outcome, event.company_id,
                   event.partner_id, event.user_id, event.member_id, event.repair_id,
                   event.source, event.growth,
                   %s AS customer_kind, firm.id IS NOT NULL AS is_firm,
                   event.opportunity_count, event.asked_count, event.accepted_count,
                   event.asked_count - event.accepted_count AS declined_count,
                   event.opportunity_count - event.asked_count AS not_asked_count,
                   NULL::float AS asking_rate, NULL::float AS conversion_rate,
                   event.joined_count, event.returned_count, event.left_count,
                   event.suspended_count,
                   (event.days IS NOT NULL)::int AS timed_count,
                   event.days AS days_to_join, event.days AS days_to_join_median
            """,
            self._get_customer_kind(SQL("firm.id IS NOT NULL")),
        )

    @api.model
    def _from(self) -> SQL:
        """Return the tables. Override, calling super, to join one more."""
        return SQL(
            """
              FROM (%s UNION ALL %s UNION ALL %s) event
              LEFT JOIN res_partner firm ON firm.id = event.partner_id
               AND firm.is_company
            """,
            self._get_visits_query(),
            self._get_joined_query(),
            self._get_changes_query(),
        )

    @api.model
    def _where(self) -> SQL:
        """Return the condition on all rows. Override, calling super, to narrow."""
        return SQL("")
