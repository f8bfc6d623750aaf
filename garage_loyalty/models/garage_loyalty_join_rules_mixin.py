from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import format_amount, format_date

from ..tools.joining import ANYONE, COMPANY, PRIVATE, Customer, JoinRules


class GarageLoyaltyJoinRulesMixin(models.AbstractModel):
    """Who may join, for programmes. Without any condition, everybody may."""

    _name = "garage.loyalty.join.rules.mixin"
    _description = "Conditions for Joining"

    currency_id = fields.Many2one("res.currency")  # the programme says which
    join_months = fields.Integer(
        string="Months that count",
        required=True,
        default=12,
        tracking=True,
        help="Over how many months spend and visits are added up. Candidates are "
        "customers who came in this time.",
    )
    join_min_spend = fields.Monetary(
        string="Spend needed to join",
        tracking=True,
        help="Net amount invoiced in the months that count. 0: none is needed.",
    )
    join_min_visits = fields.Integer(
        string="Visits needed to join",
        tracking=True,
        help="Repair orders finished and invoiced in the months that count.",
    )
    join_min_age_months = fields.Integer(
        string="Customer for (months)",
        tracking=True,
        help="Months since the first visit or invoice. 0: new customers may join.",
    )
    join_kind = fields.Selection(
        [
            (ANYONE, "Everybody"),
            (PRIVATE, "Private customers"),
            (COMPANY, "Companies"),
        ],
        string="Who",
        required=True,
        default=ANYONE,
        tracking=True,
    )
    join_tag_ids = fields.Many2many(
        "res.partner.category",
        "garage_loyalty_program_join_tag_rel",
        "program_id",
        "tag_id",
        string="With a tag of",
        ondelete="restrict",
        help="Customers with at least one of these tags. Empty: no tag is needed.",
    )
    join_excluded_tag_ids = fields.Many2many(
        "res.partner.category",
        "garage_loyalty_program_join_excluded_tag_rel",
        "program_id",
        "tag_id",
        string="Without a tag of",
        ondelete="restrict",
        help="Customers with one of these tags cannot join.",
    )

    _join_numbers = models.Constraint(
        "CHECK(join_months BETWEEN 1 AND 120 "
        "AND COALESCE(join_min_spend, 0) >= 0 AND COALESCE(join_min_visits, 0) >= 0 "
        "AND COALESCE(join_min_age_months, 0) BETWEEN 0 AND 1200)",
        "Joining looks at 1 to 120 months; what it needs cannot be negative.",
    )

    def _prepare_join_rules(self):
        """Return the conditions for joining as plain values.

        Override to return an object of a derived class with more conditions; state
        them in ``garage.loyalty.candidate`` as well.
        """
        self.ensure_one()
        return JoinRules(
            months=self.join_months,
            spend=self.join_min_spend,
            visits=self.join_min_visits,
            age_months=self.join_min_age_months,
            kind=self.join_kind,
            tags=frozenset(self.join_tag_ids.ids),
            excluded=frozenset(self.join_excluded_tag_ids.ids),
        )

    def _get_join_refusals(self, partners):
        """Return in words why customers may not join today, by commercial partner.

        Those who may are not in it. Without conditions nothing is asked of the base.

        :return: lists of texts
        """
        self.ensure_one()
        joining = self._get_rules().joining
        customers = partners.commercial_partner_id
        if not joining.asks or not customers:
            return {}
        # Whose programme it is, is no secret; nor are its conditions.
        day = self.sudo().company_id._get_loyalty_today()
        known = self._get_join_customers(customers, day)
        found = {
            customer: joining.refusals(known[customer], day) for customer in customers
        }
        return {
            customer: [self._describe_refusal(refusal) for refusal in refusals]
            for customer, refusals in found.items()
            if refusals
        }

    def _get_join_customers(self, partners, day):
        """Return what is known of each customer, as ``tools.joining.Customer``.

        Override to measure by other means; the same is to be stated in
        ``garage.loyalty.candidate``.
        """
        joining = self._get_rules().joining
        measured = self._get_join_figures(partners, day) if joining.measures else {}
        # Tags are compared, not shown.
        return {
            partner: Customer(
                *measured.get(partner.id, (0.0, 0, None)),
                is_company=partner.is_company,
                # What decides on joining is read whoever enrols.
                tags=frozenset(partner.sudo().category_id.ids),
            )
            for partner in partners
        }

    def _get_join_figures(self, partners, day):
        """Return (spend, visits, first day) by the customer's id."""
        # What was done in all companies that share the programme, whoever enrols.
        Visit = self.env["garage.loyalty.visit"].sudo()
        joining = self._get_rules().joining
        # Whose programme it is, and in which currency, is no secret.
        mine = (
            Domain("partner_id", "in", partners.ids)
            & Domain("company_id.loyalty_company_id", "=", self.sudo().company_id.id)
            & Domain("date", "<=", day)
        )
        window = mine & Domain("date", ">=", joining.window_start(day))
        first = dict(Visit._read_group(mine, ["partner_id"], ["date:min"]))
        figures = {partner.id: [0.0, 0, day] for partner, day in first.items()}
        for partner, kind, amount, count in Visit._read_group(
            window, ["partner_id", "kind"], ["amount:sum", "__count"]
        ):
            figures[partner.id][0] += amount
            figures[partner.id][1] += count if kind == "repair" else 0
        # As above.
        rounded = self.sudo().currency_id.round
        return {
            partner_id: (rounded(spend), visits, first)
            for partner_id, (spend, visits, first) in figures.items()
        }

    @api.model
    def _get_tag_names(self, ids):
        # A tag is named to whoever is told that it decides.
        tags = self.env["res.partner.category"].sudo().browse(sorted(ids))
        return ", ".join(tags.mapped("display_name"))

    def _describe_refusal(self, refusal):
        """Return one condition that is not met in words. Override for more."""
        asked, found = refusal.asked, refusal.found
        program = self.sudo()  # its rules are told to whoever enrols
        if refusal.code == "kind":
            return (
                self.env._("Only companies may join.")
                if asked == COMPANY
                else self.env._("Only private customers may join.")
            )
        if refusal.code == "tags":
            names = self._get_tag_names(asked)
            return self.env._("Needs the tag %s.", names)
        if refusal.code == "excluded":
            names = self._get_tag_names(asked)
            return self.env._("Customers with the tag %s cannot join.", names)
        if refusal.code == "age":
            return self._describe_age(asked, found)
        if refusal.code == "spend":
            return self.env._(
                "Needs %(asked)s in %(months)s months: has %(found)s.",
                asked=format_amount(self.env, asked, program.currency_id),
                months=program.join_months,
                found=format_amount(self.env, found, program.currency_id),
            )
        return self.env._(
            "Needs %(asked)s in %(months)s months: has %(found)s.",
            asked=self._describe_visits(asked),
            months=program.join_months,
            found=found,
        )

    def _describe_age(self, months, first):
        if not first:
            return self.env._(
                "Needs to be a customer for %s months: was never here.", months
            )
        return self.env._(
            "Needs to be a customer for %(months)s months: came first on %(day)s.",
            months=months,
            day=format_date(self.env, first),
        )

    @api.model
    def _describe_visits(self, count):
        return self.env._("1 visit") if count == 1 else self.env._("%s visits", count)
