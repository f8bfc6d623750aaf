"""The loyalty side of the demo: who joins, rises, leaves, and spends points."""

from datetime import timedelta

# Net spend of twelve months that lifts a member to the second and third tier.
THRESHOLDS = (700, 1600)
BONUSES = {"signup_bonus": 100, "birthday_bonus": 50, "referral_bonus": 250}


class Register:
    def __init__(self, premises):
        self.premises = premises
        self.env = premises.env
        self.program = self.env["garage.loyalty.program"]._get_default(premises.company)
        self.members = {}  # customer number -> garage.loyalty.member
        self.redeemed = 0
        for tier, spend in zip(self.program.tier_ids[1:], THRESHOLDS, strict=True):
            tier.write({"required_spend": spend, "required_visits": 0})

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
            # Whoever enrolled a member answers the telephone, too.
            member = member.with_user(member.enrolled_by_id)
            method = getattr(member, f"_{change.action}")
            method(date=change.day, reason=change.reason)

    def redeem(self, visit, invoice):
        """Spend what the draft invoice allows, in hundreds of points."""
        member = self.members.get(visit.customer.number)
        if not member or member.state != "active":
            return
        Wizard = self.env["garage.loyalty.redeem"]
        Wizard = Wizard.with_user(self.premises.user(visit.advisor))
        wizard = Wizard.create({"move_id": invoice.id})
        points = wizard.max_points // 100 * 100
        if points > 0:
            wizard.points = points
            wizard.action_redeem()
            self.redeemed += 1

    def review(self, day):
        """Move members to the tiers that they deserve on a day, as the job does."""
        self.env["garage.loyalty.tier.review"]._review_day(self.program, day)

    def honour(self, customers, day):
        """Give the first member among customers the highest tier by hand."""
        numbers = [customer.number for customer in customers]
        members = [self.members[number] for number in numbers if number in self.members]
        for member in [one for one in members if one.state == "active"][:1]:
            best, until = self.program.tier_ids[-1], day + timedelta(days=180)
            member._fix_tier(best, until, "Sponsors our rally team")

    def open_club(self):
        """Give tiers discounts and privileges, too: what customers get from today."""
        self.program._set_up(has_points=True, has_discount=True, has_privileges=True)
        self.program.write(BONUSES)

    def portal_partner(self):
        """The private customer who has most to see on the portal."""
        members = [
            member
            for member in self.members.values()
            if member.state == "active" and not member.partner_id.is_company
        ]
        return max(members, key=lambda member: (member.points, member.id)).partner_id
