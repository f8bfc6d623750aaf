from odoo import Command, api, fields, models
from odoo.exceptions import UserError

from ..tools import retention as rules
from ..tools.movement import month_number, month_start

BASES = [("visits", "Repair orders"), ("invoices", "Invoices")]
VERDICTS = [
    ("falling", "Falling"),
    ("holding", "Holding"),
    ("unknown", "Not enough history"),
]


class GarageLoyaltyRetentionCheck(models.Model):
    """Do existing customers come as often as in the same months a year before?

    A row for each company and month, written when the month is complete and not changed
    by what is invoiced later, unless a manager has it computed again. The rules are
    those of ``tools.retention``.
    """

    _name = "garage.loyalty.retention.check"
    _description = "Check of Retention"
    _inherit = [
        "garage.loyalty.export.mixin",
        "garage.loyalty.retention.query",
        "garage.loyalty.retention.alarm.mixin",
        "garage.loyalty.retention.words.mixin",
        "garage.loyalty.retention.action.mixin",
        "mail.thread",
        "mail.activity.mixin",
    ]
    _order = "month desc, company_id, id desc"
    _rec_name = "month"
    # Nobody writes figures; whoever reads them may comment.
    _mail_post_access = "read"

    company_id = fields.Many2one(
        "res.company", required=True, readonly=True, ondelete="cascade"
    )
    month = fields.Date(
        string="Last month compared",
        required=True,
        readonly=True,
        help="Its first day.",
    )
    months = fields.Integer(string="Months compared", readonly=True, aggregator=None)
    known_months = fields.Integer(
        string="Months known before",
        readonly=True,
        aggregator=None,
        help="Existing customers had an invoice in so many months before the months "
        "compared, this year and a year before.",
    )
    date_from = fields.Date(string="From", compute="_compute_dates")
    date_to = fields.Date(string="Until", compute="_compute_dates")
    share = fields.Float(
        string="Falling by more than (%)",
        readonly=True,
        digits=(16, 1),
        aggregator=None,
    )
    least = fields.Integer(
        string="Visits it takes to tell", readonly=True, aggregator=None
    )
    basis = fields.Selection(
        BASES,
        string="Counted by",
        readonly=True,
        help="Finished, invoiced repair orders; invoices where there are too few.",
    )
    visits = fields.Integer(
        string="Repeat visits",
        readonly=True,
        aggregator=None,
        help="Visits of existing customers in the months compared.",
    )
    prev_visits = fields.Integer(
        string="A year before",
        readonly=True,
        aggregator=None,
        help="Visits of existing customers in the same months a year before.",
    )
    change = fields.Float(
        string="Change (%)",
        readonly=True,
        digits=(16, 1),
        aggregator="avg",
        help="Of the visits of existing customers, against the same months a year "
        "before.",
    )
    chance = fields.Float(
        string="Likely by chance (%)",
        readonly=True,
        digits=(16, 1),
        aggregator=None,
        help="How likely a fall as large is if customers come as often as before.",
    )
    customers = fields.Integer(
        string="Existing customers", readonly=True, aggregator=None
    )
    prev_customers = fields.Integer(
        string="Existing customers a year before", readonly=True, aggregator=None
    )
    came = fields.Integer(
        string="Of these came",
        readonly=True,
        aggregator=None,
        help="Existing customers with at least one visit or invoice in the months "
        "compared.",
    )
    prev_came = fields.Integer(
        string="Of these came a year before", readonly=True, aggregator=None
    )
    verdict = fields.Selection(VERDICTS, readonly=True)
    figure_ids = fields.One2many(
        "garage.loyalty.retention.figure", "check_id", readonly=True
    )

    _month_uniq = models.UniqueIndex("(company_id, month)")

    @api.depends("month", "months")
    def _compute_dates(self):
        for check in self:
            last = check.month and month_number(check.month)
            first = last and last - check.months + 1
            check.date_from = last and month_start(first)
            check.date_to = last and fields.Date.end_of(check.month, "month")

    @api.depends("month", "months")
    @api.depends_context("lang")
    def _compute_display_name(self):
        for check in self:
            check.display_name = check.month and check._name_months(0)

    # -- computing ------------------------------------------------------------------

    @api.model
    def _record(self, company, number):
        """Look at the months that end with one, and keep what was found.

        :param number: of the month, see ``tools.movement``
        """
        quiet = self.with_context(tracking_disable=True)
        return quiet.create(
            {
                "company_id": company.id,
                "month": month_start(number),
                **self._prepare_check_vals(company, number),
            }
        )

    @api.model
    def _prepare_check_vals(self, company, number):
        """Return the figures of the months that end with one, and what they mean.

        Override to note more.
        """
        began = self._get_began(company)
        windows = rules.windows(
            number,
            company.loyalty_retention_months,
            month_number(began) if began else number,
            company.loyalty_lost_months,
        )
        counts = [self._get_counts(company, window) for window in windows]
        sums = [self._add_up(found.values()) for found in counts]
        return {
            "months": company.loyalty_retention_months,
            "known_months": windows[0].known,
            "share": company.loyalty_retention_share,
            "least": company.loyalty_retention_visits,
            **self._prepare_verdict_vals(company, *sums, windows[0].known),
            "figure_ids": self._prepare_figures(company, counts, sums),
        }

    @api.model
    def _add_up(self, rows):
        names = "customers", "came", "visits", "invoices"
        names += "visits_spread", "invoices_spread"
        rows = list(rows)
        return {name: sum(row[name] for row in rows) for name in names}

    @api.model
    def _get_basis(self, company, now, before):
        """Return what is compared. Override to compare something else.

        :param now: sums of this year, and of the year before
        """
        return rules.basis(
            (before["visits"], now["visits"]),
            (before["invoices"], now["invoices"]),
            company.loyalty_retention_visits,
        )

    @api.model
    def _prepare_verdict_vals(self, company, now, before, known):
        basis = self._get_basis(company, now, before)
        pair = before[basis], now[basis]
        spread = before[f"{basis}_spread"] + now[f"{basis}_spread"]
        verdict = "unknown"
        if rules.is_known(known, company.loyalty_lost_months):
            verdict = rules.verdict(
                *pair, company.loyalty_retention_share, company.loyalty_retention_visits
            )
        return {
            "basis": basis,
            "prev_visits": pair[0],
            "visits": pair[1],
            "change": rules.change(*pair),
            "chance": 100 * rules.chance(*pair, spread),
            "customers": now["customers"],
            "prev_customers": before["customers"],
            "came": now["came"],
            "prev_came": before["came"],
            "verdict": verdict,
        }

    @api.model
    def _prepare_figures(self, company, counts, sums):
        """Return the commands that write members and others apart, by year."""
        basis = self._get_basis(company, *sums)
        return [Command.clear()] + [
            Command.create(
                {
                    "scope": "member" if is_member else "other",
                    "period": period,
                    "customers": row["customers"],
                    "came": row["came"],
                    "visits": row[basis],
                }
            )
            for period, found in zip(("now", "before"), counts, strict=True)
            for is_member, row in found.items()
        ]

    def _recompute_figures(self):
        """Compute rows again, from the documents and by the settings as they are now.

        :raise UserError: where the check is switched off
        """
        self.env["garage.loyalty.changed.customer"]._process()
        for check in self:
            company = check.company_id
            if not company.loyalty_retention_share:
                raise UserError(
                    self.env._("The check is switched off in the settings.")
                )
            check.write(self._prepare_check_vals(company, month_number(check.month)))
        self._withdraw_alarm()
