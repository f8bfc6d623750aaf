from odoo import api, fields, models
from odoo.tools import SQL, format_amount


class GarageLoyaltyCandidate(models.Model):
    """Customers who are no members and meet the conditions of a programme.

    One row for a customer and the programme that new members of a company join. Only
    customers who came in the months that count are in it; those who have been members
    are not. States the rules of ``tools.joining.JoinRules`` once more, for the whole
    base at once.
    """

    _name = "garage.loyalty.candidate"
    _description = "Candidate for Membership"
    _inherit = [
        "garage.loyalty.candidate.query",
        "garage.loyalty.customer.kind.mixin",
        "garage.loyalty.export.mixin",
    ]
    _auto = False
    _order = "spend desc, id"
    _rec_name = "partner_id"
    _depends = {
        "garage.loyalty.holdout": ["company_id", "date_end", "state"],
        "garage.loyalty.holdout.customer": ["holdout_id", "is_held_out", "partner_id"],
        "garage.loyalty.invitation": ["answer", "company_id", "date", "partner_id"],
        "garage.loyalty.member": ["company_id", "partner_id"],
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
        "garage.loyalty.visit": ["amount", "company_id", "date", "kind", "partner_id"],
        "repair.order": ["company_id", "loyalty_offer", "partner_id"],
        "res.company": ["currency_id", "loyalty_company_id", "partner_id"],
        "res.partner": [
            "active",
            "category_id",
            "commercial_partner_id",
            "is_company",
            "tz",
        ],
    }

    partner_id = fields.Many2one("res.partner", string="Customer", readonly=True)
    phone = fields.Char(related="partner_id.phone")
    email = fields.Char(related="partner_id.email")
    tag_ids = fields.Many2many(related="partner_id.category_id", string="Tags")
    program_id = fields.Many2one(
        "garage.loyalty.program", string="Programme", readonly=True
    )
    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    spend = fields.Monetary(
        readonly=True, help="Net amount invoiced in the months that count."
    )
    visit_count = fields.Integer(
        string="Visits",
        readonly=True,
        help="Repair orders finished and invoiced in the months that count.",
    )
    first_visit_date = fields.Date(
        string="First visit",
        readonly=True,
        help="Day of the first visit or invoice ever.",
    )
    last_visit_date = fields.Date(string="Last visit", readonly=True)
    is_declined = fields.Boolean(
        string="Declined",
        readonly=True,
        help="Said no when asked last, at the counter or by invitation.",
    )
    invited_on = fields.Date(string="Invited on", readonly=True)
    is_held_out = fields.Boolean(
        string="In the hold-out",
        readonly=True,
        help="Lots have decided that the customer is not invited for a time, so that "
        "the groups can be compared. Whoever asks to join may join.",
    )
    reasons = fields.Char(string="Why", compute="_compute_reasons")

    @api.depends("visit_count", "spend", "first_visit_date", "program_id")
    def _compute_reasons(self):
        for candidate in self:
            candidate.reasons = candidate._get_reasons()

    def _get_reasons(self):
        """Return in words what makes the customer a candidate. Override for more."""
        self.ensure_one()
        program = self.program_id
        return self.env._(
            "%(visits)s, %(spend)s in %(months)s months; customer since %(year)s",
            visits=program._describe_visits(self.visit_count),
            spend=format_amount(self.env, self.spend, self.currency_id),
            months=program.join_months,
            year=self.first_visit_date and self.first_visit_date.year,
        )

    def action_enrol(self):
        """Open the preview of what enrolling these customers would do."""
        return self.partner_id._open_enrol_many(self.program_id)

    # -- the query -----------------------------------------------------------------

    @property
    def _table_query(self) -> SQL:
        return SQL("%s %s %s", self._select(), self._from(), self._where())

    @api.model
    def _select(self) -> SQL:
        """Return the columns. Override, calling super, to add one."""
        return SQL(
            """
            SELECT done.id, done.partner_id, done.program_id, done.company_id,
                   %(kind)s AS customer_kind,
                   COALESCE(partner.is_company, FALSE) AS is_firm,
                   done.spend, done.visit_count, done.last_visit_date,
                   %(first)s AS first_visit_date, %(declined)s AS is_declined,
                   %(invited)s AS invited_on, %(held_out)s AS is_held_out
            """,
            kind=self._get_customer_kind(SQL("partner.is_company")),
            held_out=self._get_held_out(),
            first=self._get_first_visit(),
            declined=self._get_declined(),
            invited=self._get_invitation(SQL("date")),
        )

    @api.model
    def _from(self) -> SQL:
        """Return the tables. Override, calling super, to join one more."""
        return SQL(
            """
              FROM (%(figures)s) done
              JOIN garage_loyalty_program program ON program.id = done.program_id
              JOIN res_partner partner ON partner.id = done.partner_id
            """,
            figures=self._get_figures(),
        )

    @api.model
    def _where(self) -> SQL:
        """Return who is a candidate. Override, calling super, to narrow."""
        # OFFSET 0: look up one after the other. As a join, the planner, which does not
        # know how many customers there are, reads all members for each of them.
        return SQL(
            """
             WHERE partner.active
               AND NOT EXISTS (
                    SELECT FROM garage_loyalty_member member
                     WHERE member.company_id = done.company_id
                       AND member.partner_id = done.partner_id
                    OFFSET 0)
               AND done.spend >= COALESCE(NULLIF(program.join_min_spend, 0), done.spend)
               AND done.visit_count >= COALESCE(program.join_min_visits, 0)
               AND (program.join_kind = 'anyone' OR COALESCE(partner.is_company, FALSE)
                    = (program.join_kind = 'company'))
               AND %(age)s AND %(tags)s
            """,
            age=self._get_age_condition(),
            tags=self._get_tag_condition(),
        )
