from odoo import api, fields, models

from ..tools.movement import month_start
from ..tools.result import result
from ..tools.review import MONTHS
from .garage_loyalty_result_cost_mixin import COSTS, TOLD

YEAR = 12
# What the comparison leaves out when it opens, see the visit report.
COMPARED = [
    ("kind", "=", "repair"),
    ("is_warranty", "=", False),
    ("amount_before_discount", "!=", 0),
    ("customer_kind", "=", "private"),
]


class GarageLoyaltyReviewFiguresMixin(models.AbstractModel):
    """Where the figures of a review come from: the reports that the menus open."""

    _name = "garage.loyalty.review.figures.mixin"
    _description = "Figures of a Programme Review"

    @api.model
    def _prepare_figures(self, company, first, last):
        """Return the figures of the months from one to another.

        Override to keep more; the field must be there.

        :param company: the one that keeps the accounts; its branches count with it
        """
        start, end = month_start(first), fields.Date.end_of(month_start(last), "month")
        lengths = {length: kind for kind, length in MONTHS.items()}
        return {
            "period": lengths[last - first + 1],
            "date_from": start,
            "date_to": end,
            **self._prepare_aro(company, start, end),
            **self._prepare_effect(company, end),
            **self._prepare_frequency(company, last),
            **self._prepare_enrolment(company, start, end),
            **self._prepare_use(company, start, end, last),
            **self._prepare_result(company, start, end),
        }

    @api.model
    def _get_family(self, company):
        """Return the domain of what happens in a company and in its branches."""
        return [("company_id.loyalty_company_id", "=", company.id)]

    @api.model
    def _get_days(self, start, end):
        return [("date", ">=", start), ("date", "<=", end)]

    @api.model
    def _sum_up(self, model, domain, names):
        """Return aggregates of a report by their field, None where there is none."""
        [row] = self.env[model]._read_group(domain, [], list(names.values()))
        values = (None if value is False else value for value in row)
        return dict(zip(names, values, strict=True))

    @api.model
    def _prepare_aro(self, company, start, end):
        model = "garage.loyalty.visit.report"
        domain = self._get_family(company) + self._get_days(start, end) + COMPARED
        found = self._sum_up(
            model,
            domain,
            {
                "aro_lead": "aro_uplift:avg",
                "visit_share": "visit_share:avg",
                "amount_share": "amount_share:avg",
            },
        )
        for side in ("member", "other"):
            mine = [*domain, ("membership", "=", side)]
            found |= self._sum_up(
                model,
                mine,
                {
                    f"{side}_visits": "visit_count:sum",
                    f"{side}_customers": "customer_count:count_distinct",
                    f"{side}_aro": "aro:avg",
                },
            )
            found[f"{side}_visits"] = found[f"{side}_visits"] or 0
        return found

    @api.model
    def _prepare_effect(self, company, end):
        report = self.env["garage.loyalty.result"]._get_estimate(company, end)
        names = (
            ("effect", "effect_low", "effect_high") if report.verdict in TOLD else ()
        )
        return {
            "estimate_id": report.id,
            "effect_verdict": report.verdict,
            **{name: report[name] for name in names},
        }

    @api.model
    def _prepare_frequency(self, company, last):
        """Return how often customers came in the twelve months until the end."""
        model = "garage.loyalty.frequency"
        domain = [
            *self._get_family(company),
            ("date", "=", month_start(last)),
            ("customer_kind", "=", "private"),
        ]
        names = ("member_frequency", "other_frequency", "frequency_ratio")
        found = self._sum_up(model, domain, {name: f"{name}:avg" for name in names})
        return {
            **found,
            "frequency_goal": company.loyalty_frequency_target,
            "frequency_members": self._count_customers(domain, "member"),
            "frequency_others": self._count_customers(domain, "other"),
        }

    @api.model
    def _count_customers(self, domain, line):
        [(count,)] = self.env["garage.loyalty.frequency"]._read_group(
            [*domain, ("line", "=", line)], [], ["customer_count:sum"]
        )
        return count or 0

    @api.model
    def _prepare_enrolment(self, company, start, end):
        domain = self._get_family(company) + self._get_days(start, end)
        found = self._sum_up(
            "garage.loyalty.enrolment",
            [*domain, ("customer_kind", "=", "private")],
            {
                "could_ask": "opportunity_count:sum",
                "asked": "asked_count:sum",
                "accepted": "accepted_count:sum",
                "asking_rate": "asking_rate:avg",
                "conversion_rate": "conversion_rate:avg",
                "joined": "joined_count:sum",
                "left": "left_count:sum",
            },
        )
        for name in ("could_ask", "asked", "accepted", "joined", "left"):
            found[name] = found[name] or 0
        return {
            **found,
            "asking_goal": company.loyalty_asking_target,
            "conversion_goal": company.loyalty_conversion_target,
        }

    @api.model
    def _prepare_use(self, company, start, end, last):
        """Return who used the programme in twelve months, and its points meanwhile."""
        model = "garage.loyalty.use"
        mine = [("company_id", "=", company.id), ("month", "<=", end)]
        found = self._sum_up(
            model,
            [*mine, ("month", ">=", month_start(last - YEAR + 1))],
            {
                "members": "member_count:count_distinct",
                "active_members": "active_count:count_distinct",
                "use_rate": "active_share:avg",
            },
        )
        points = self._sum_up(
            model,
            [*mine, ("month", ">=", start)],
            {
                "earned": "earned:sum",
                "redeemed": "redeemed:sum",
                "redemption_rate": "redemption_rate:avg",
                "breakage_rate": "breakage_rate:avg",
            },
        )
        points |= {name: points[name] or 0 for name in ("earned", "redeemed")}
        return {**found, **points, "use_goal": company.loyalty_use_target}

    @api.model
    def _prepare_result(self, company, start, end):
        """Return what the period cost and brought, as a programme result says it."""
        Result = self.env["garage.loyalty.result"]
        costs = Result._get_costs(company, start, end)
        margin = Result._get_incremental_margin(company, start, end)
        found = result([costs[name] for name in COSTS], margin)
        return {
            "cost": found.cost,
            "margin": margin and margin.mid,
            "result_verdict": found.verdict,
            **(Result._prepare_range("roi", found.roi) if found.roi else {}),
        }
