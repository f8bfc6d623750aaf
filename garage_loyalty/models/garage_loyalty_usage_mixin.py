from odoo import api, fields, models
from odoo.fields import Domain

from ..tools.usage import Usage


class GarageLoyaltyUsageMixin(models.AbstractModel):
    """How much members use a reward or a privilege, and whether it is hardly used.

    Counted from ``garage.loyalty.reward.use``: what was really given.
    """

    _name = "garage.loyalty.usage.mixin"
    _description = "Benefit That Is Used or Not"
    _inherit = "garage.loyalty.usage.words.mixin"
    # The field of the report that names it.
    _usage_name = None

    recent_count = fields.Integer(
        string="Used lately",
        compute="_compute_usage",
        compute_sudo=True,
        help="How often it was used in the months of the settings.",
    )
    recent_members = fields.Integer(
        string="Members who used it", compute="_compute_usage", compute_sudo=True
    )
    audience = fields.Integer(
        string="Members who may have it",
        compute="_compute_usage",
        compute_sudo=True,
        help="Active members today, of the tiers it is for. Of a personal reward: to "
        "how many it was offered in these months.",
    )
    recent_percent = fields.Float(
        string="Share of members (%)",
        compute="_compute_usage",
        compute_sudo=True,
        digits=(16, 1),
        help="Members who used it, in percent of those who may have it.",
    )
    last_used = fields.Date(compute="_compute_usage", compute_sudo=True)
    is_hardly_used = fields.Boolean(
        compute="_compute_usage",
        compute_sudo=True,
        search="_search_is_hardly_used",
        help="Used by fewer members than Settings say, though it has been offered for "
        "long enough.",
    )

    usage_label = fields.Char(
        string="Acceptance", compute="_compute_usage_label", compute_sudo=True
    )

    @api.depends("is_hardly_used")
    @api.depends_context("lang")
    def _compute_usage_label(self):
        for item in self:
            item.usage_label = item.is_hardly_used and self.env._("Hardly used")

    def _compute_usage(self):
        for company, items in self.grouped("company_id").items():
            items._compute_usage_of(company)

    def _compute_usage_of(self, company):
        """Compute the use of what belongs to one company."""
        last = self._get_uses("date:max")
        since = self._get_usage_start(company)
        recent = self._get_uses(
            "times:sum", "member_id:count_distinct", domain=[("date", ">", since)]
        )
        audiences = self._get_audiences(since)
        for item in self:
            key = item._origin.id
            count, users = recent.get(key, (0, 0))
            usage = Usage(users, audiences.get(key, 0), item._is_offered_since(since))
            item.recent_count, item.recent_members = count, users
            item.audience, item.recent_percent = usage.audience, usage.percent
            item.last_used = last.get(key, (False,))[0]
            item.is_hardly_used = usage.is_hardly_used(company.loyalty_usage_percent)

    def _get_uses(self, *aggregates, domain=()):
        """Return the aggregates of the report of rewards, by id."""
        name = self._usage_name
        rows = self.env["garage.loyalty.reward.use"]._read_group(
            [(name, "in", self._origin.ids), *domain], [name], aggregates
        )
        return {item.id: values for item, *values in rows}

    @api.model
    def _get_usage_start(self, company):
        """Return the day after which uses count."""
        today = company._get_loyalty_today()
        return fields.Date.subtract(today, months=company.loyalty_usage_months)

    def _is_offered_since(self, day):
        """Tell whether it has been offered since a day, and still is.

        Override where there is more to it.
        """
        self.ensure_one()
        created = self._origin.create_date
        return bool(self.active and created and created.date() <= day)

    def _get_audiences(self, since):
        """Return how many members may have each of them, by id.

        Override to count others.
        """
        raise NotImplementedError

    @api.model
    def _count_members(self, programs):
        """Return the number of active members by programme and tier."""
        rows = self.env["garage.loyalty.member"]._read_group(
            [("program_id", "in", programs.ids), ("state", "=", "active")],
            ["program_id", "tier_id"],
            ["__count"],
        )
        return [(program, tier, count) for program, tier, count in rows]

    def _search_is_hardly_used(self, operator, value):
        if operator != "in":
            return NotImplemented
        # What is archived is not offered, and never marked.
        offered = self.with_context(active_test=False).search([("active", "=", True)])
        found = offered.filtered("is_hardly_used")
        domain = Domain.FALSE
        if True in value:
            domain |= Domain("id", "in", found.ids)
        if False in value:
            domain |= Domain("id", "not in", found.ids)
        return domain
