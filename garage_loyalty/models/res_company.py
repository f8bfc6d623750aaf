from odoo import api, fields, models

from ..tools.movement import month_number

STAGE_SETTINGS = {
    "loyalty_lapse_months",
    "loyalty_lost_months",
    "loyalty_risk_months",
    "loyalty_use_rhythm",
}
REGULAR_SETTINGS = {"loyalty_regular_months", "loyalty_regular_times"}


class ResCompany(models.Model):
    _name = "res.company"
    _inherit = [
        "res.company",
        "garage.loyalty.goal.mixin",
        "garage.loyalty.statement.settings.mixin",
        "garage.loyalty.retention.settings.mixin",
        "garage.loyalty.usage.settings.mixin",
    ]

    loyalty_program_ids = fields.One2many("garage.loyalty.program", "company_id")
    loyalty_company_id = fields.Many2one(
        "res.company",
        string="Company of the loyalty accounts",
        compute="_compute_loyalty_company_id",
        store=True,
        recursive=True,
        index=True,
        help="The company itself, or one above it whose programme branches share.",
    )

    # Every request reads its company. Our settings come along only when one of them is
    # asked for (``prefetch``), but for what posting an invoice needs.
    loyalty_risk_months = fields.Integer(
        string="At risk after (months)",
        default=6,
        help="Whole calendar months without an invoice.",
    )
    loyalty_lapse_months = fields.Integer(
        string="Lapsed after (months)",
        default=12,
        help="Whole calendar months without an invoice. The movement report starts "
        "with this number.",
        prefetch="loyalty",
    )
    loyalty_lost_months = fields.Integer(
        string="Lost after (months)",
        default=18,
        help="Whole calendar months without an invoice.",
        prefetch="loyalty",
    )
    loyalty_use_rhythm = fields.Boolean(
        string="At risk by personal rhythm",
        help="A customer is also at risk when away longer than in nine of ten times "
        "before. It takes four visits to know.",
        prefetch="loyalty",
    )

    loyalty_sleep_months = fields.Integer(
        string="Sleeping after (months)",
        default=6,
        help="Members who have neither earned nor redeemed points for so long are "
        "listed as sleeping. 6: when customers are at risk, so that they hear of you "
        "before they have lapsed and their points expire.",
        prefetch="loyalty",
    )

    loyalty_regular_times = fields.Integer(
        string="Regular after (times)",
        default=3,
        help="Offer something to customers who had the same kind of service invoiced "
        "so often. 0: nobody is proposed.",
        prefetch="loyalty",
    )
    loyalty_regular_months = fields.Integer(
        string="Regular within (months)",
        default=24,
        prefetch="loyalty",
    )
    loyalty_regular_percent = fields.Float(
        string="Offer for regulars (%)",
        default=10.0,
        help="Off the labour of that kind.",
        prefetch="loyalty",
    )
    loyalty_regular_days = fields.Integer(
        string="Personal offers valid (days)",
        default=90,
        help="How long a personal offer can be used, if nothing else is said.",
        prefetch="loyalty",
    )

    _loyalty_stages_order = models.Constraint(
        "CHECK(loyalty_risk_months BETWEEN 1 AND loyalty_lapse_months - 1"
        " AND loyalty_lost_months BETWEEN loyalty_lapse_months + 1 AND 120"
        " AND loyalty_lapse_months <= 60)",
        "Customers are at risk after at least one month, then lapsed (after at most "
        "60), then lost (after at most 120).",
    )

    _loyalty_sleep_possible = models.Constraint(
        "CHECK(loyalty_sleep_months BETWEEN 1 AND 120)",
        "Members are sleeping after 1 to 120 months.",
    )

    _loyalty_regular_possible = models.Constraint(
        "CHECK(loyalty_regular_times = 0 OR loyalty_regular_times BETWEEN 2 AND 100)",
        "Customers are regulars from the second time on at the earliest. 0 proposes "
        "nobody.",
    )
    _loyalty_regular_within = models.Constraint(
        "CHECK(loyalty_regular_months BETWEEN 1 AND 120)",
        "Regular work is counted within 1 to 120 months.",
    )
    _loyalty_regular_offer = models.Constraint(
        "CHECK(loyalty_regular_percent > 0 AND loyalty_regular_percent <= 100"
        " AND loyalty_regular_days BETWEEN 1 AND 3650)",
        "Regulars are offered more than 0 and at most 100 percent, for a day or more.",
    )

    @api.depends(
        "parent_id.loyalty_company_id",
        "parent_id.loyalty_company_id.loyalty_program_ids.active",
        "parent_id.loyalty_company_id.loyalty_program_ids.share_branches",
    )
    def _compute_loyalty_company_id(self):
        for company in self:
            above = company.parent_id.loyalty_company_id
            shared = above.loyalty_program_ids.filtered("share_branches")
            company.loyalty_company_id = above if shared else company

    @api.model_create_multi
    def create(self, vals_list):
        """Start a new company with a loyalty programme."""
        companies = super().create(vals_list)
        # Whoever may create a company need not be a loyalty manager.
        self.env["garage.loyalty.program"].sudo()._create_default(companies)
        return companies

    def write(self, vals):
        """Put customers in their stages again when the limits have changed."""
        result = super().write(vals)
        if STAGE_SETTINGS & vals.keys():
            # Stages are facts, the same whoever changes the limits.
            Customer = self.env["garage.loyalty.customer"].sudo()
            Customer._restage(self.loyalty_company_id)
        if REGULAR_SETTINGS & vals.keys():
            self._count_regulars_again()
        return result

    def _count_regulars_again(self):
        """Let the nightly job count regular work now, with the new settings."""
        off = self.filtered(lambda company: not company.loyalty_regular_times)
        # Facts are the same whoever changes the settings.
        Work = self.env["garage.loyalty.regular.work"].sudo()
        Work._count_again([("company_id", "in", off.ids)])

    def _is_active_since(self, day):
        """Tell whether a customer is active whose last invoice is of a day.

        Whatever the personal rhythm says, which the job looks at.
        """
        company = self.loyalty_company_id
        away = month_number(company._get_loyalty_today()) - month_number(day)
        return away <= company.loyalty_risk_months

    def _get_loyalty_sleep_day(self):
        """Return the day since which members who do not sleep have used points."""
        company = self.loyalty_company_id
        return fields.Date.subtract(
            company._get_loyalty_today(), months=company.loyalty_sleep_months
        )

    def _get_loyalty_today(self):
        """Return the present day in the time zone of the company's contact."""
        # The time zone of the workshop is no secret.
        zone = self.sudo().partner_id.tz or "UTC"
        return fields.Date.context_today(self.with_context(tz=zone))

    def _get_loyalty_tax_percent(self):
        """Return the percentage of the default sales tax, 0 if it is no percentage.

        Override where most sales bear another tax.
        """
        # Which tax it is is no secret to whoever may value points.
        tax = self.sudo().account_sale_tax_id
        return tax.amount if tax.amount_type == "percent" else 0

    @api.model
    def _get_loyalty_days(self, day=None):
        """Return pairs of each company with a programme and its day, or ``day``."""
        # Which day it is in a company is no secret.
        companies = self.sudo().with_context(active_test=False)
        companies = companies.search([("loyalty_program_ids", "!=", False)])
        return [(item.id, day or item._get_loyalty_today()) for item in companies]
