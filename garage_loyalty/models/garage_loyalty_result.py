from odoo import api, fields, models
from odoo.exceptions import AccessError

from ..tools.result import FREE, LOSES, OPEN, PAYS, UNKNOWN, Range, result
from .garage_loyalty_result_cost_mixin import COSTS

VERDICTS = [
    (PAYS, "Pays"),
    (LOSES, "Costs more than it brings"),
    (OPEN, "Cannot be told"),
    (UNKNOWN, "Not estimated yet"),
    (FREE, "Cost nothing"),
]
# What is said of a result; everything else follows from it.
INPUT = {"company_id", "date_from", "date_to"}
NOTHING = Range(0.0, 0.0, 0.0)

# Computed with the rights of the user: who may not see a company learns nothing of it.
FIGURE = {"compute": "_compute_figures", "compute_sudo": False, "store": True}


def _amount(**attributes):
    return fields.Monetary(**FIGURE, **attributes)


def _percent(label, **attributes):
    return fields.Float(string=label, aggregator=None, **FIGURE, **attributes)


class GarageLoyaltyResult(models.Model):
    """What the programme cost in a period, against what it brought.

    Computed when it is saved, and kept as it was: it changes only when somebody has it
    computed again.
    """

    _name = "garage.loyalty.result"
    _description = "Programme Result"
    _inherit = [
        "garage.loyalty.export.mixin",
        "garage.loyalty.input.mixin",
        "garage.loyalty.result.cost.mixin",
        "garage.loyalty.result.words.mixin",
    ]
    _order = "date_to desc, date_from desc, id desc"

    company_id = fields.Many2one(
        "res.company",
        required=True,
        index=True,
        ondelete="cascade",
        default=lambda self: self.env.company.loyalty_company_id,
        domain="[('id', 'in', allowed_company_ids)]",
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    date_from = fields.Date(
        string="From", required=True, default=lambda self: self._default_dates()[0]
    )
    date_to = fields.Date(
        string="Until",
        required=True,
        default=lambda self: self._default_dates()[1],
        help="Last day of the period.",
    )
    computed_on = fields.Date(string="Computed on", **FIGURE)

    cost_earned = _amount(
        string="Points earned",
        help="Points that invoices earned, less what credit notes took back, at the "
        "value of a point.",
    )
    cost_given = _amount(
        string="Points given",
        help="Bonuses, gifts of campaigns, goodwill, other adjustments; at the value "
        "of a point.",
    )
    cost_expired = _amount(
        string="Points expired",
        help="Negative: they were counted when they were given, and cost nothing now.",
    )
    cost_settled = _amount(
        string="Rewards, beyond their points",
        help="What redemptions cost, net of tax, less the value of the points spent on "
        "them, which was counted when these were given. Negative when they cost less.",
    )
    cost_privileges = _amount(
        string="Privileges used", help="What customers saved by them, net of tax."
    )
    cost_discounts = _amount(
        string="Standing discounts",
        help="What standing discounts took off invoices, net of tax.",
    )
    cost = _amount(
        string="Cost in all",
        help="Points earned and given, less those expired; what rewards cost beyond "
        "their points; privileges and standing discounts.",
    )
    invoiced = _amount(
        string="Invoiced to members",
        help="Net amount of members' visits before rewards, which are costs here.",
    )
    repaired = _amount(
        string="Of this, repair orders",
        help="Of private customers, not under warranty: the estimate is about these, "
        "and so is the margin brought.",
    )
    margin_percent = _percent("Gross margin (%)", digits=(16, 1))
    is_estimated = fields.Boolean(
        **FIGURE,
        help="There is an estimate of what the programme brought.",
    )
    estimate_id = fields.Many2one(
        "garage.loyalty.estimate",
        string="Estimate used",
        **FIGURE,
        ondelete="set null",
        help="The report that says what the programme changed.",
    )
    verdict = fields.Selection(VERDICTS, **FIGURE)
    margin_low = _amount(string="Margin brought, at least")
    margin = _amount(
        string="Margin brought",
        help="What members' invoices left that would not be there without the "
        "programme: by the estimate of its effect, at the gross margin.",
    )
    margin_high = _amount(string="Margin brought, at most")
    net_low = _amount(string="Net, at least")
    net = _amount(
        help="Margin that the programme brought, less its cost.",
    )
    net_high = _amount(string="Net, at most")
    roi_low = _percent("Return, at least (%)", digits=(16, 0))
    roi = _percent(
        "Return on investment (%)",
        help="Net in percent of the cost. 0: it brought just what it cost.",
        digits=(16, 0),
    )
    roi_high = _percent("Return, at most (%)", digits=(16, 0))

    _dates_order = models.Constraint(
        "CHECK(date_from <= date_to)", "A period cannot end before it starts."
    )
    _period_uniq = models.UniqueIndex(
        "(company_id, date_from, date_to)",
        "There is a result of this period already: open it, and compute it again.",
    )

    @api.model
    def _default_dates(self):
        """Return the first and the last day of the last complete quarter."""
        today = self.env.company._get_loyalty_today()
        end = fields.Date.subtract(fields.Date.start_of(today, "quarter"), days=1)
        return fields.Date.start_of(end, "quarter"), end

    @api.depends("date_from", "date_to", "company_id.name")
    @api.depends_context("lang")
    def _compute_display_name(self):
        for item in self:
            item.display_name = item._name_period()

    @api.depends("company_id", "date_from", "date_to")
    def _compute_figures(self):
        nothing = {
            name: False
            for name, field in self._fields.items()
            if field.compute == FIGURE["compute"]
        }
        for item in self:
            is_complete = item.company_id and item.date_from and item.date_to
            item.update(item._get_figures() if is_complete else nothing)

    def _get_figures(self):
        """Return the values of all figures of the period.

        :raise AccessError: of a company that is not the user's
        """
        self.ensure_one()
        company = self.company_id._origin
        if not self.env.su and company not in self.env.user.company_ids:
            raise AccessError(self.env._("The result is another company's."))
        # The figures are the same whoever asks: a branch's visits, too.
        item = self.sudo()
        period = company.sudo(), item.date_from, item.date_to
        costs = item._get_costs(*period)
        margin = item._get_incremental_margin(*period)
        found = result([costs[name] for name in COSTS], margin)
        return {
            **costs,
            "computed_on": company._get_loyalty_today(),
            "cost": found.cost,
            "invoiced": item._get_members_invoiced(*period),
            "repaired": item._get_members_repaired(*period),
            "margin_percent": item._get_margin_percent(company.sudo()),
            "is_estimated": margin is not None,
            "estimate_id": margin and item._get_estimate(*period[::2]).id,
            "verdict": found.verdict,
            **self._prepare_range("margin", found.margin),
            **self._prepare_range("net", found.net),
            **self._prepare_range("roi", found.roi),
        }

    @api.model
    def _prepare_range(self, name, amounts):
        low, mid, high = amounts or NOTHING
        return {f"{name}_low": low, name: mid, f"{name}_high": high}

    @api.model_create_multi
    def create(self, vals_list):
        """Compute the figures of periods; none can be typed."""
        return super().create(
            [
                {name: value for name, value in vals.items() if name in INPUT}
                for vals in vals_list
            ]
        )

    def action_recompute(self):
        """Compute the figures again, from what is known today.

        :raise AccessError: for others than loyalty managers
        """
        self.check_access("unlink")
        for item in self:
            # Nobody has the right to write figures.
            item.sudo().write(item._get_figures())

    @api.readonly
    def action_open_uses(self):
        """Open what was given in the period."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "garage_loyalty.garage_loyalty_reward_use_action"
        )
        domain = self._get_period_domain(self.company_id, self.date_from, self.date_to)
        return action | {"domain": domain, "context": {}}
