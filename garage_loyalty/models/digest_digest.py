from odoo import fields, models
from odoo.fields import Domain

# As the comparison of members with others starts: what says how members spend.
COMPARED = Domain(
    [
        ("kind", "=", "repair"),
        ("is_warranty", "=", False),
        ("amount_before_discount", "!=", 0),
        ("customer_kind", "=", "private"),
        ("membership", "=", "member"),
    ]
)
REDEEMED = Domain("kind", "in", ("redeem", "restore"))


class DigestDigest(models.Model):
    """Figures of the loyalty programme, for whoever may read what they are made of.

    The host leaves a figure out of the mail of a user for whom it raises AccessError.
    """

    _inherit = "digest.digest"

    kpi_loyalty_aro = fields.Boolean("Average Repair Order of Members")
    kpi_loyalty_aro_value = fields.Monetary(compute="_compute_kpi_loyalty_aro_value")
    kpi_loyalty_visits = fields.Boolean("Visits of Members")
    kpi_loyalty_visits_value = fields.Integer(
        compute="_compute_kpi_loyalty_visits_value"
    )
    kpi_loyalty_new_members = fields.Boolean("New Loyalty Members")
    kpi_loyalty_new_members_value = fields.Integer(
        compute="_compute_kpi_loyalty_new_members_value"
    )
    kpi_loyalty_redeemed = fields.Boolean("Points Redeemed")
    kpi_loyalty_redeemed_value = fields.Integer(
        compute="_compute_kpi_loyalty_redeemed_value"
    )

    def _compute_kpi_loyalty_aro_value(self):
        groups = self._get_loyalty_groups(
            "garage.loyalty.visit.report", "aro:avg", COMPARED
        )
        for digest in self:
            company = digest.company_id or self.env.company
            digest.kpi_loyalty_aro_value = groups.get(company) or 0

    def _compute_kpi_loyalty_visits_value(self):
        groups = self._get_loyalty_groups(
            "garage.loyalty.visit.report", "visit_count:sum", COMPARED
        )
        for digest in self:
            company = digest.company_id or self.env.company
            digest.kpi_loyalty_visits_value = groups.get(company, 0)

    def _compute_kpi_loyalty_new_members_value(self):
        groups = self._get_loyalty_groups(
            "garage.loyalty.member", "__count", Domain.TRUE, "date_joined"
        )
        for digest in self:
            company = digest.company_id or self.env.company
            keeper = company.loyalty_company_id
            digest.kpi_loyalty_new_members_value = groups.get(keeper, 0)

    def _compute_kpi_loyalty_redeemed_value(self):
        """Count points that were spent, less those that were given back."""
        groups = self._get_loyalty_groups(
            "garage.loyalty.entry", "points:sum", REDEEMED
        )
        for digest in self:
            company = digest.company_id or self.env.company
            keeper = company.loyalty_company_id
            digest.kpi_loyalty_redeemed_value = -groups.get(keeper, 0)

    def _get_loyalty_groups(self, model, aggregate, domain, date_name="date"):
        """Return an aggregate by company. Override to count something else.

        Facts have a day and no time: they are counted by whole days, from the first
        one on and before the last one, which is not over when the mail is sent. So
        every day counts in one period only.

        :raise AccessError: when the user may not read the model
        """
        start, end, companies = self._get_kpi_compute_parameters()
        domain &= Domain(date_name, ">=", fields.Date.to_date(start) or False)
        domain &= Domain(date_name, "<", fields.Date.to_date(end) or False)
        # Branches may share the accounts of a company above them.
        companies |= companies.loyalty_company_id
        domain &= Domain("company_id", "in", companies.ids)
        return dict(self.env[model]._read_group(domain, ["company_id"], [aggregate]))

    def _compute_kpis_actions(self, company, user):
        actions = super()._compute_kpis_actions(company, user)
        menu = self.env.ref("garage_loyalty.garage_loyalty_menu_root").id
        for name, action in (
            ("aro", "visit_report_action"),
            ("visits", "visit_report_action"),
            ("new_members", "member_action"),
            ("redeemed", "redemption_action"),
        ):
            actions[f"kpi_loyalty_{name}"] = (
                f"garage_loyalty.garage_loyalty_{action}?menu_id={menu}"
            )
        return actions
