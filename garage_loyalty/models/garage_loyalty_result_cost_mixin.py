from odoo import api, models

from ..tools.result import REDEEMED, incremental, settled

# What the cost of a programme consists of.
COSTS = (
    "cost_earned",
    "cost_given",
    "cost_expired",
    "cost_settled",
    "cost_privileges",
    "cost_discounts",
)
EARNED = ("earn", "clawback")
# Verdicts of the honest estimate that come with an interval.
TOLD = ("open", "more", "less")


class GarageLoyaltyResultCostMixin(models.AbstractModel):
    """What a programme costs in a period, and what it brings.

    Nothing counts twice. Points cost their value when they are given, as an accountant
    sees it: from then on they are owed. What expires is not owed any more. What points
    buy settles what was counted already, so that only the difference to the value of
    these points is added. Over the whole life of a programme the sum is what was really
    given away, and in between that and what is still owed, at full value.
    Points of an older scheme that were brought in are the older scheme's cost.
    """

    _name = "garage.loyalty.result.cost.mixin"
    _description = "Cost of a Loyalty Programme"

    @api.model
    def _get_costs(self, company, date_from, date_to):
        """Return the cost by its parts, in the currency of the company.

        For all programmes of the company. Override to count other costs, such as
        letters or software.

        :param company: the one that keeps the accounts
        """
        issued = self._get_points_issued(company, date_from, date_to)
        used = self._get_benefits_used(company, date_from, date_to)
        costs = {
            "cost_earned": self._value(issued, EARNED),
            "cost_given": self._value(issued, ["adjust"]),
            "cost_expired": self._value(issued, ["expire"]),
            "cost_settled": sum(
                settled(cost, points, program.point_value)
                for (program, kind), (cost, points) in used.items()
                if kind in REDEEMED
            ),
        }
        for name, kind in (
            ("cost_privileges", "privilege"),
            ("cost_discounts", "discount"),
        ):
            costs[name] = sum(
                cost for key, (cost, _points) in used.items() if key[1] == kind
            )
        return {
            name: company.currency_id.round(amount) for name, amount in costs.items()
        }

    @api.model
    def _value(self, issued, kinds):
        return sum(
            points * program.point_value
            for (program, kind), points in issued.items()
            if kind in kinds
        )

    @api.model
    def _get_points_issued(self, company, date_from, date_to):
        """Return the points that entries moved, by programme and kind of entry."""
        rows = self.env["garage.loyalty.entry"]._read_group(
            [
                *self._get_period_domain(company, date_from, date_to),
                # A balance that keeps its worth costs nothing.
                ("source_model", "!=", "garage.loyalty.conversion.line"),
            ],
            ["program_id", "kind"],
            ["points:sum"],
        )
        return {(program, kind): points for program, kind, points in rows}

    @api.model
    def _get_benefits_used(self, company, date_from, date_to):
        """Return the cost and the points of what was given, by programme and kind."""
        rows = self.env["garage.loyalty.reward.use"]._read_group(
            self._get_period_domain(company, date_from, date_to),
            ["program_id", "kind"],
            ["cost:sum", "points:sum"],
        )
        return {
            (program, kind): (float(cost or 0), points or 0)
            for program, kind, cost, points in rows
        }

    @api.model
    def _get_period_domain(self, company, date_from, date_to):
        return [
            ("company_id", "=", company.id),
            ("date", ">=", date_from),
            ("date", "<=", date_to),
        ]

    # -- what it brings ---------------------------------------------------------------

    @api.model
    def _get_effect(self, company, date_from, date_to):
        """Return by what share members' invoices are higher: low, estimate, high.

        As the honest estimate says. None while there is none, or where there are too
        few customers to tell. Override to say what is known better.
        """
        report = self._get_estimate(company, date_to)
        if report.verdict not in TOLD:
            return None
        shares = report.effect_low, report.effect, report.effect_high
        return tuple(share / 100 for share in shares)

    @api.model
    def _get_estimate(self, company, date_to):
        """Return the last estimate that a period could know of, or else the first."""
        Estimate = self.env["garage.loyalty.estimate"]
        domain = [("company_id", "=", company.id), ("state", "=", "done")]
        known = Estimate.search([*domain, ("date_to", "<=", date_to)], limit=1)
        return known or Estimate.search(domain, order="date_to", limit=1)

    @api.model
    def _get_members_invoiced(self, company, date_from, date_to):
        """Return the net amount that members' visits came to before rewards.

        Rewards are deducted as costs, and must not be deducted twice.
        """
        return self._sum_members_visits(company, date_from, date_to)

    @api.model
    def _get_members_repaired(self, company, date_from, date_to):
        """Return the part of it that the honest estimate is about.

        Repair orders of private customers that are not under warranty. Override
        together with what the estimate looks at.
        """
        return self._sum_members_visits(
            company,
            date_from,
            date_to,
            ("kind", "=", "repair"),
            ("is_warranty", "=", False),
            ("partner_id.is_company", "=", False),
        )

    @api.model
    def _sum_members_visits(self, company, date_from, date_to, *conditions):
        [(amount, discount)] = self.env["garage.loyalty.visit"]._read_group(
            [
                ("company_id.loyalty_company_id", "=", company.id),
                ("date", ">=", date_from),
                ("date", "<=", date_to),
                ("is_member", "=", True),
                *conditions,
            ],
            [],
            ["amount:sum", "amount_discount:sum"],
        )
        return (amount or 0.0) + (discount or 0.0)

    @api.model
    def _get_margin_percent(self, company):
        """Return what is left of an amount after wages and parts, in percent.

        Override where the margin is known better than by the settings.
        """
        return company.loyalty_margin_percent

    @api.model
    def _get_incremental_margin(self, company, date_from, date_to):
        """Return the margin that the programme brought: low, estimate, high; or None.

        In the currency of the company. Only of what the estimate is about: of other
        invoices nobody knows what the programme changed.
        """
        return incremental(
            self._get_members_repaired(company, date_from, date_to),
            self._get_margin_percent(company) / 100,
            self._get_effect(company, date_from, date_to),
        )
