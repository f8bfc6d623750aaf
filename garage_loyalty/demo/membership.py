"""The loyalty side of the demo: who joins, rises, leaves, and spends points."""

from datetime import timedelta

from odoo.tools import format_amount

# Net spend of twelve months that lifts a member to the second and third tier.
THRESHOLDS = (700, 1600)
REVIEW_MONTH = 1  # members are moved down in January only


class Register:
    def __init__(self, premises):
        self.premises = premises
        self.env = premises.env
        self.program = self.env["garage.loyalty.program"]._get_default(premises.company)
        self.members = {}  # customer number -> garage.loyalty.member
        self.redeemed = 0

    def enrol(self, enrolments):
        members = self.env["garage.loyalty.member"].create(
            [self._member_vals(enrolment) for enrolment in enrolments]
        )
        for enrolment, member in zip(enrolments, members, strict=True):
            self.members[enrolment.customer.number] = member

    def _member_vals(self, enrolment):
        return {
            "partner_id": self.premises.partners[enrolment.customer.number].id,
            "program_id": self.program.id,
            "date_joined": enrolment.day,
            "enrolled_by_id": self.premises.user(enrolment.advisor).id,
            "source": enrolment.source,
            "consent_terms": True,
            "consent_marketing": enrolment.marketing,
        }

    def change(self, changes):
        for change in changes:
            member = self.members[change.customer.number]
            method = getattr(member, f"_{change.action}")
            method(date=change.day, reason=change.reason)

    def redeem(self, visit, invoice):
        """Spend what the draft invoice allows, in hundreds of points."""
        member = self.members.get(visit.customer.number)
        if not member or member.state != "active":
            return
        wizard = self.env["garage.loyalty.redeem"].create({"move_id": invoice.id})
        points = wizard.max_points // 100 * 100
        if points > 0:
            wizard.points = points
            wizard.action_redeem()
            self.redeemed += 1

    def review(self, day):
        """Set the tiers that the net spend of the last twelve months deserves."""
        spent = self._spent(day)
        tiers, currency = self.program.tier_ids, self.premises.company.currency_id
        for member in self.members.values():
            if member.state != "active":
                continue
            amount = spent.get(member.partner_id, 0.0)
            tier = tiers[sum(amount >= threshold for threshold in THRESHOLDS)]
            rises = tier.sequence > member.tier_id.sequence
            if rises or (day.month == REVIEW_MONTH and tier != member.tier_id):
                money = format_amount(self.env, amount, currency)
                member._set_tier(tier, day, f"{money} in the last twelve months")

    def _spent(self, day):
        rows = self.env["garage.loyalty.visit"]._read_group(
            [
                ("company_id", "=", self.premises.company.id),
                ("date", "<", day),
                ("date", ">=", day - timedelta(days=365)),
                ("member_id", "!=", False),
            ],
            ["partner_id"],
            ["amount:sum"],
        )
        return dict(rows)

    def portal_partner(self):
        """The private customer who has most to see on the portal."""
        members = [
            member
            for member in self.members.values()
            if member.state == "active" and not member.partner_id.is_company
        ]
        return max(members, key=lambda member: (member.points, member.id)).partner_id
