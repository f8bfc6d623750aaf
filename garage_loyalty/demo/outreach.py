"""Who stopped coming to the demo workshop, and what was done about it."""

from datetime import datetime, time, timedelta

from ..tools.movement import month_number

MONTHS_BACK = 18
CALLED_AFTER = timedelta(days=3)
LEFT_OUT = 20


class Outreach:
    def __init__(self, premises, today):
        self.env = premises.env
        self.company = premises.company
        self.today = today
        self.owner = self.env["res.users"].search([("login", "=", "owner")])
        self.call = self.env.ref("mail.mail_activity_data_call")

    def run(self):
        """Record past lapses as if the job had run then, and start campaigns."""
        self._rebuild()
        self._record()
        self._call_lapsed()
        self._start_others()
        self._rebuild()
        self._offer_regulars()
        self._check_retention()

    def _rebuild(self):
        """Derive who came and who left, as the nightly job does."""
        Changed = self.env["garage.loyalty.changed.customer"]
        Changed._rebuild()
        Changed._process(10**6)

    def _record(self):
        """Record each lapse on the day after the month in which it was complete."""
        Lapse = self.env["garage.loyalty.lapse"]
        over = month_number(self.today) - 1
        for number in range(over - MONTHS_BACK, over + 1):
            self.env.cr.execute(Lapse._get_record_query(self.company, number))
        self.env.cr.execute(
            "UPDATE garage_loyalty_lapse SET date = month + interval '1 month'"
        )
        self.env.invalidate_all()

    def _call_lapsed(self):
        """Let a campaign have asked for a call whenever somebody lapsed."""
        campaign = self._campaign(
            "Call who lapses",
            trigger="lapsed",
            activity_type_id=self.call.id,
            left_out_percent=LEFT_OUT,
        )
        lapses = self.env["garage.loyalty.lapse"].search(
            [("company_id", "=", self.company.id)], order="date, id"
        )
        campaign.date_start = lapses[:1].date
        Contact = self.env["garage.loyalty.campaign.contact"]
        for lapse in lapses:
            card = self._card(lapse.partner_id)
            vals = campaign._prepare_contact(card)
            vals |= {"date": lapse.date, "last_date": lapse.last_date}
            if not Contact._append([vals]).is_left_out:
                self._note_call(lapse, vals["user_id"])

    def _card(self, partner):
        return self.env["garage.loyalty.customer"].search(
            [("partner_id", "=", partner.id), ("company_id", "=", self.company.id)]
        )

    def _note_call(self, lapse, user_id):
        """Note in the history of a customer that the advisor has called."""
        day = lapse.date + CALLED_AFTER
        if day > self.today:
            return
        user = self.env["res.users"].browse(user_id)
        # Advisors of the demo need not be allowed to write to every contact.
        message = (
            lapse.partner_id.with_user(user)
            .sudo()
            .message_post(
                body=self.env._("Called: asked how we can help."),
                subtype_xmlid="mail.mt_activities",
                mail_activity_type_id=self.call.id,
            )
        )
        message.date = datetime.combine(day, time(10))

    def _start_others(self):
        """Start what begins today: for who becomes at risk, and once for members."""
        self._campaign("Call who becomes at risk", activity_type_id=self.call.id)
        gift = self._campaign(
            "300 points for members who stay away",
            trigger="once",
            scope="member",
            domain="[('stage', 'in', ['at_risk', 'lapsed'])]",
            activity_type_id=self.call.id,
            bonus_points=300,
        )
        while gift._contact_some(100):
            pass
        gift.action_end()

    def _offer_regulars(self):
        """Let the owner have made some of the offers that are due."""
        Work = self.env["garage.loyalty.regular.work"].with_user(self.owner)
        Work.search([("company_id", "=", self.company.id)], limit=8).action_offer()

    def _check_retention(self):
        """Compare this year with the one before, month by month."""
        Check = self.env["garage.loyalty.retention.check"]
        while Check._record_next():
            pass
        Check._tell_due()

    def _campaign(self, name, **vals):
        campaign = self.env["garage.loyalty.campaign"].create(
            {
                "name": name,
                "company_id": self.company.id,
                "user_id": self.owner.id,
                **vals,
            }
        )
        campaign.with_user(self.owner).action_start()
        return campaign
