from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError


class GarageLoyaltyStatusMixin(models.AbstractModel):
    """How the state and the tier of a membership change: never without a trace."""

    _name = "garage.loyalty.status.mixin"
    _description = "Loyalty Membership Status"

    is_tier_fixed = fields.Boolean(
        string="Tier set by hand",
        readonly=True,
        copy=False,
        help="The review of tiers leaves the tier alone, until its end date if there "
        "is one.",
    )
    tier_fixed_until = fields.Date(readonly=True, copy=False, index="btree_not_null")

    def _check_tier(self, tier):
        for member in self if tier else ():
            if tier.program_id != member.program_id:
                raise UserError(
                    self.env._(
                        "“%(tier)s” is not a tier of “%(program)s”.",
                        tier=tier.name,
                        program=member.program_id.name,
                    )
                )

    @api.model
    def _check_may_set_tier(self):
        manager = "garage_loyalty.garage_loyalty_group_manager"
        if not self.env.su and not self.env.user.has_group(manager):
            raise AccessError(
                self.env._("Only loyalty managers set a member's tier by hand.")
            )

    def _log_status(self, date, reason):
        """Add the present state and tier to the history, and restamp visits."""
        self.ensure_one()
        # The history is read-only for everybody, so that nobody can invent it.
        Status = self.env["garage.loyalty.member.status"].sudo()
        latest = Status.search([("member_id", "=", self.id)], limit=1)
        date = fields.Date.to_date(date)
        # Protected like the state itself.
        self.sudo().status_date = False if latest and latest.date > date else date
        Status.create(
            {
                "member_id": self.id,
                "date": date,
                "state": self.state,
                "tier_id": self.tier_id.id,
                "reason": reason,
                "user_id": self.env.uid,
            }
        )
        self.env["garage.loyalty.visit"]._sync_partner(
            self.partner_id, self.company_id, date
        )
        self.env["repair.order"]._sync_loyalty_priority_of(self)

    def _change_state(self, state, date, reason, vals=None):
        self.check_access("write")
        for member in self:
            # The state is protected from everybody, so that a reason is kept.
            member.sudo().write({"state": state, **(vals or {})})
            member._log_status(date or fields.Date.context_today(member), reason)

    def _suspend(self, date=None, reason=None):
        """Stop earning and spending for a while; points stay where they are."""
        self._change_state("suspended", date, reason or self.env._("Suspended"))

    def _leave(self, date=None, reason=None):
        """End the membership; the ledger and its balance are kept."""
        date = date or fields.Date.context_today(self)
        self._change_state(
            "left", date, reason or self.env._("Left"), {"date_left": date}
        )

    def _come_back(self, date=None, reason=None):
        """Resume a membership that was suspended or ended, with its points."""
        self._change_state(
            "active", date, reason or self.env._("Came back"), {"date_left": False}
        )

    def _fix_tier(self, tier, until=None, reason=None):
        """Set the tier by hand: until its end date, the review leaves it alone.

        :raise UserError: when the end date has passed
        """
        self._check_may_set_tier()
        self.check_access("write")
        today = self.company_id[:1]._get_loyalty_today()
        if until and until < today:
            raise UserError(self.env._("The end date of the tier has passed already."))
        fixed = {"is_tier_fixed": True, "tier_fixed_until": until}
        change = {"reason": reason, "is_fixed": True, "until": until}
        # The flags are protected from everybody, so that a reason is kept.
        members = self.sudo().with_context(garage_loyalty_change=change)
        members.write({"tier_id": tier.id, **fixed})

    def action_release_tier(self):
        """Let figures decide again about the tiers that were set by hand."""
        self._check_may_set_tier()
        self.check_access("write")
        # As above.
        self.sudo().write({"is_tier_fixed": False, "tier_fixed_until": False})
        self._settle_tiers()

    def _set_tier(self, tier, date=None, reason=None):
        """Move members to ``tier`` from ``date`` on (today)."""
        change = {"date": date, "reason": reason, "is_fixed": False}
        # Rules set tiers on behalf of people who may not.
        members = self.sudo().with_context(garage_loyalty_change=change)
        members.write({"tier_id": tier.id})
