from datetime import date

from psycopg2 import IntegrityError

from odoo import fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import freeze_time, tagged
from odoo.tools import mute_logger

from .common import MANAGER, USER
from .test_lapses import LapsesCommon
from .test_movement import TODAY

CALL = "mail.mail_activity_data_call"


class CampaignsCommon(LapsesCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.call = cls.env.ref(CALL)
        cls.template = cls.env.ref("garage_loyalty.mail_template_win_back")
        cls.program.signup_bonus = 0
        cls.customer.email = "ada@example.com"
        cls.customer.user_id = cls.env.user

    @classmethod
    def _campaign(cls, start="2024-01-01", **vals):
        """Return a campaign that asks for a call, started on a day."""
        campaign = cls.env["garage.loyalty.campaign"].create(
            {
                "name": "Call them",
                "company_id": cls.company.id,
                "activity_type_id": cls.call.id,
                **vals,
            }
        )
        if start:
            with freeze_time(start):
                campaign.action_start()
        return campaign

    def _run(self, day=TODAY):
        """Run the nightly job, then that of campaigns; return all contacts."""
        self._run_job("ir_cron_check_customers", day)
        self._run_job("ir_cron_run_campaigns", day)
        Contact = self.env["garage.loyalty.campaign.contact"]
        return Contact.search([("company_id", "=", self.company.id)], order="id")


@tagged("post_install", "-at_install")
@freeze_time(TODAY)
class TestCampaigns(CampaignsCommon):
    """Whom campaigns contact, and whom they leave alone."""

    def test_who_becomes_at_risk_is_called_by_the_advisor(self):
        self._invoice(self.customer, date="2023-11-14")
        self._campaign()
        contact = self._run()
        self.assertEqual(contact.partner_id, self.customer)
        activity = self.customer.activity_ids
        self.assertEqual(contact.activity_id, activity)
        self.assertEqual(activity.activity_type_id, self.call)
        self.assertEqual(activity.user_id, self.env.user)
        self.assertEqual(activity.summary, "Call them")
        self.assertIn("11/14/2023", activity.note)

    def test_who_lapses_is_contacted_by_the_other_kind(self):
        self._invoice(self.customer, date="2023-05-14")
        self._invoice(self.other, date="2023-11-14")
        self._campaign(trigger="lapsed")
        self.assertEqual(self._run().partner_id, self.customer)

    def test_nobody_is_contacted_by_a_draft_or_an_ended_one(self):
        self._invoice(self.customer, date="2023-11-14")
        self._campaign(start=None)
        self._campaign().action_end()
        self.assertFalse(self._run())

    def test_who_was_at_the_stage_before_is_left_alone(self):
        self._invoice(self.customer, date="2023-11-14")
        self._record("2024-06-02")
        self._campaign(start="2024-06-10")
        self.assertFalse(self._run())

    def test_campaign_that_runs_once_contacts_those_and_ends(self):
        self._invoice(self.customer, date="2023-11-14")
        self._invoice(self.other, date="2024-06-01")
        campaign = self._campaign(
            start=TODAY, trigger="once", domain="[('stage', '=', 'at_risk')]"
        )
        self.assertEqual(self._run().partner_id, self.customer)
        self.assertEqual(campaign.state, "ended")

    def test_many_are_contacted_in_steps(self):
        partners = self.customer.browse()
        for number in range(7):
            partners += self._create_customer(f"C{number}")
            self._invoice(partners[-1], date="2023-11-14")
        self._campaign()
        self._run_job("ir_cron_check_customers", TODAY)
        cron = self.env.ref("garage_loyalty.ir_cron_run_campaigns")
        cron.code = "model._cron_run(batch=3)"
        contacts = self._run()
        self.assertEqual(contacts.partner_id, partners)
        self.assertEqual(len(partners.activity_ids), 7)

    def test_nobody_is_contacted_twice_for_one_absence(self):
        self._invoice(self.customer, date="2023-11-14")
        self._campaign()
        self._campaign(name="Another")
        for day in (TODAY, "2024-06-16", "2024-07-31", "2024-10-01"):
            contacts = self._run(day)
        self.assertEqual(len(contacts), 1)

    def test_who_becomes_at_risk_again_is_contacted_again(self):
        self._invoice(self.customer, date="2023-11-14")
        self._campaign()
        self._run()
        self._invoice(self.customer, date="2024-06-20")
        contacts = self._run("2025-02-01")
        self.assertEqual(len(contacts), 2)
        self.assertEqual(
            contacts.mapped(lambda contact: str(contact.last_date)),
            ["2023-11-14", "2024-06-20"],
        )

    def test_nobody_is_contacted_twice_in_thirty_days(self):
        self._invoice(self.customer, date="2023-11-14")
        self._campaign(trigger="once", start=TODAY)
        self._campaign()
        self.assertEqual(len(self._run()), 1)
        self.assertEqual(len(self._run("2024-07-14")), 1)
        self.assertEqual(len(self._run("2024-07-15")), 2)

    def test_who_came_back_meanwhile_is_left_alone(self):
        self._invoice(self.customer, date="2023-11-14")
        self._run_job("ir_cron_check_customers", TODAY)
        self._campaign()
        self._invoice(self.customer, date=TODAY)
        self._run_job("ir_cron_run_campaigns", TODAY)
        self.assertFalse(self.customer.activity_ids)

    def test_activity_disappears_when_the_customer_comes_back(self):
        self._invoice(self.customer, date="2023-11-14")
        self._campaign()
        contact = self._run()
        self._invoice(self.customer, date="2024-06-15")
        self._refresh()
        self.assertEqual(str(contact.returned_date), "2024-06-15")
        self.assertFalse(self.customer.activity_ids)

    def test_activity_that_is_done_stays_done(self):
        self._invoice(self.customer, date="2023-11-14")
        self._campaign()
        contact = self._run()
        contact.activity_id.action_feedback("Comes on Monday")
        self.assertEqual(len(self._run("2024-06-16")), 1)
        self._invoice(self.customer, date="2024-06-17")
        self._refresh()
        self.assertTrue(contact.activity_id)
        self.assertFalse(contact.activity_id.active)

    def test_who_is_expected_in_the_workshop_is_left_alone(self):
        self._invoice(self.customer, date="2023-11-14")
        repair = self._create_repair(self.customer)
        self._campaign()
        self.assertFalse(self._run())
        repair.action_repair_cancel()
        self.assertEqual(self._run().partner_id, self.customer)

    def test_archived_contact_is_left_alone(self):
        self._invoice(self.customer, date="2023-11-14")
        self.customer.active = False
        self._campaign()
        self.assertFalse(self._run())

    def test_members_who_did_not_agree_are_left_alone(self):
        member = self._enrol(self.customer)
        member.consent_marketing = False
        self._invoice(self.customer, date="2023-11-14")
        self._campaign()
        self.assertFalse(self._run())
        member.consent_marketing = True
        self.assertEqual(self._run().partner_id, self.customer)

    def test_members_or_others_only(self):
        self._enrol(self.customer, consent_marketing=True)
        for partner in (self.customer, self.other):
            self._invoice(partner, date="2023-11-14")
        for scope, partner in (("member", self.customer), ("other", self.other)):
            campaign = self._campaign(scope=scope)
            self._run()
            self.assertEqual(campaign.contact_ids.partner_id, partner)

    def test_customer_without_advisor_goes_to_the_one_of_the_campaign(self):
        user = self._create_user("reception", USER)
        self._invoice(self.other, date="2023-11-14", invoice_user_id=False)
        self._campaign(user_id=user.id)
        self._run()
        self.assertEqual(self.other.activity_ids.user_id, user)

    def test_advisor_who_has_left_gets_nothing(self):
        user = self._create_user("left", USER)
        self.customer.user_id = user
        user.active = False
        self._invoice(self.customer, date="2023-11-14")
        self._campaign()
        self._run()
        self.assertEqual(self.customer.activity_ids.user_id, self.env.user)

    def test_nobody_who_never_was_a_customer_is_at_risk(self):
        self._invoice(self.customer, date="2023-11-14", post=False)
        self._campaign()
        self.assertFalse(self._run())

    def test_each_company_contacts_its_own(self):
        elsewhere = self.setup_other_company()["company"]
        self._invoice(self.customer, date="2023-11-14")
        self._campaign(company_id=elsewhere.id)
        self.assertFalse(self._run())

    def test_condition_is_looked_at_with_the_rights_of_who_started_it(self):
        manager = self._create_user("manager", MANAGER)
        elsewhere = self.setup_other_company()["company"]
        self._invoice(self.customer, date="2023-11-14")
        campaign = self._campaign(start=None).with_user(manager)
        campaign.domain = f"[('partner_id.company_id.id', '=', {elsewhere.id})]"
        campaign.action_start()
        self.assertEqual(campaign.started_by_id, manager)
        manager.active = False
        self.assertFalse(self._run())


@tagged("post_install", "-at_install")
@freeze_time(TODAY)
class TestCampaignMeans(CampaignsCommon):
    """E-mails, gifts, and what is measured."""

    def _get_mails(self, partner):
        return self.env["mail.mail"].search(
            [("model", "=", "res.partner"), ("res_id", "=", partner.id)]
        )

    def _mail_only(self, **vals):
        return self._campaign(
            activity_type_id=False, template_id=self.template.id, **vals
        )

    def test_email_waits_to_be_sent_and_stays_in_the_history(self):
        self._invoice(self.customer, date="2023-05-14")
        self._mail_only(trigger="lapsed")
        contact = self._run()
        mail = self._get_mails(self.customer)
        self.assertEqual(mail.state, "outgoing")
        self.assertEqual(mail.subject, f"{self.company.name}: it has been a while")
        self.assertEqual(contact.mail_id, mail.mail_message_id)
        self.assertIn(contact.mail_id, self.customer.message_ids)
        lapse = self.Lapse.search([("partner_id", "=", self.customer.id)])
        self.Changed._refresh(self.customer.ids)
        lapse.invalidate_recordset()
        self.assertEqual(lapse.channel, "email")

    def test_who_has_no_address_or_is_blacklisted_gets_none(self):
        self.other.email = "bob@example.com"
        third = self._create_customer("Third")
        for partner in (self.customer, self.other, third):
            self._invoice(partner, date="2023-11-14")
        self.env["mail.blacklist"]._add("bob@example.com")
        self._mail_only()
        self.assertEqual(self._run().partner_id, self.customer)

    def test_who_cannot_be_written_to_is_called_at_least(self):
        self.other.email = "bob@example.com"
        self.env["mail.blacklist"]._add("bob@example.com")
        self._invoice(self.other, date="2023-11-14")
        self._campaign(template_id=self.template.id)
        contact = self._run()
        self.assertTrue(contact.activity_id)
        self.assertFalse(contact.mail_id)

    def test_gift_expires_on_the_promised_day(self):
        member = self._enrol(self.customer, consent_marketing=True)
        self._invoice(self.customer, date="2023-11-14")
        self._mail_only(bonus_points=500, offer_days=30, scope="member")
        contact = self._run()
        self.assertEqual(member.points, 500)
        self.assertLots(member, (500, "2024-07-15"))
        self.assertEqual((contact.bonus_points, contact.bonus_spent), (500, 0))
        mail = self._get_mails(self.customer)
        self.assertIn("500", mail.body_html)
        self.assertIn("07/15/2024", mail.body_html)
        self.program.write({"expiry_rule": "inactivity", "expiry_months": 24})
        self._invoice(self.customer, date="2024-06-20")
        self._run_job("ir_cron_expire", "2024-07-01")
        self.assertLots(member, (500, "2024-07-15"))
        self._run_job("ir_cron_expire", "2024-07-16")
        self.assertEqual(member.points, 0)

    def test_spending_of_the_gift_is_measured(self):
        self.program.write({"point_value": 0.1, "minimum_redemption": 1})
        member = self._enrol(self.customer, consent_marketing=True)
        member._post_points("adjust", 50, "2024-01-01", reason="Before")
        self._invoice(self.customer, date="2023-11-14")
        self._campaign(bonus_points=500, scope="member")
        contact = self._run()
        invoice = self._invoice(self.customer, date=TODAY, post=False)
        self._redeem(invoice, 520)
        invoice.action_post()
        contact.invalidate_recordset()
        self.assertEqual(contact.bonus_spent, 500)
        self.assertEqual(contact.campaign_id.used_count, 1)
        self._credit(invoice, date=TODAY)
        contact.invalidate_recordset()
        self.assertEqual(contact.bonus_spent, 0)
        contact.campaign_id.invalidate_recordset()
        self.assertEqual(contact.campaign_id.used_count, 0)

    def test_reward_is_offered_personally_and_its_use_measured(self):
        reward = self._offer_personally(self.other).reward_id
        member = self._enrol(self.customer, consent_marketing=True)
        self._invoice(self.customer, date="2023-11-14")
        self._mail_only(reward_id=reward.id, offer_days=30)
        contact = self._run()
        offer = contact.offer_id
        self.assertEqual((offer.reward_id, offer.source), (reward, "campaign"))
        self.assertEqual(str(offer.date_until), "2024-07-15")
        self.assertIn(reward.name, self._get_mails(self.customer).body_html)
        invoice = self._invoice(self.customer, date=TODAY, post=False)
        Wizard = self.env["garage.loyalty.redeem"]
        wizard = Wizard.create({"move_id": invoice.id, "kind": "reward"})
        wizard.reward_id = reward
        wizard.action_redeem()
        invoice.action_post()
        self.assertEqual(str(contact.offer_used_date), TODAY)
        self.assertEqual(offer.redemption_id.member_id, member)
        contact.campaign_id.invalidate_recordset()
        self.assertEqual(contact.campaign_id.used_count, 1)

    def test_gift_moves_with_a_merged_account_on_its_day(self):
        self._enrol(self.customer, consent_marketing=True)
        self._invoice(self.customer, date="2023-11-14")
        self._campaign(bonus_points=500, offer_days=30, scope="member")
        self._run()
        survivor = self._enrol(self.other, date="2023-01-01")
        wizard = self.env["base.partner.merge.automatic.wizard"].create({})
        wizard._merge((self.customer + self.other).ids, self.other)
        self.assertLots(survivor, (500, "2024-07-15"))
        self.assertTrue(self._lots(survivor).is_promised)

    def test_results_count_who_came_back(self):
        for partner in (self.customer, self.other):
            self._invoice(partner, date="2023-11-14")
        campaign = self._campaign()
        self._run()
        self._invoice(self.customer, [(self.labour, 1, 300)], date="2024-06-20")
        self._invoice(self.customer, [(self.labour, 1, 40)], date="2024-09-13")
        self._invoice(self.customer, [(self.labour, 1, 7)], date="2024-09-14")
        self._run("2024-10-01")
        self.assertEqual((campaign.contact_count, campaign.returned_count), (2, 1))
        self.assertAlmostEqual(campaign.return_rate, 0.5)
        self.assertAlmostEqual(campaign.returned_amount, 340)

    def test_who_is_left_out_shows_what_would_have_been(self):
        partners = [self._create_customer(f"C{number}") for number in range(20)]
        for partner in partners:
            self._invoice(partner, date="2023-11-14")
        campaign = self._campaign(left_out_percent=50)
        contacts = self._run()
        out = contacts.filtered("is_left_out")
        self.assertTrue(3 <= len(out) <= 17, len(out))
        self.assertFalse(out.partner_id.activity_ids)
        contacted = contacts - out
        self.assertEqual(len(contacted.partner_id.activity_ids), len(contacted))
        for contact in contacted + out[0]:
            self._invoice(contact.partner_id, date="2024-06-20")
        self._run("2024-06-21")
        self.assertEqual(campaign.returned_count, len(contacted))
        points = f"{100 - 100 / len(out):.1f} percentage points"
        self.assertIn(points, campaign.effect)
        self.assertEqual(len(self._run("2024-07-20")), 20)

    def test_return_in_the_month_of_the_last_visit_counts(self):
        self._invoice(self.customer, date="2024-06-02")
        self._campaign(trigger="once", start=TODAY)
        contact = self._run()
        self._invoice(self.customer, date="2024-06-15")
        self._refresh()
        self.assertEqual(str(contact.returned_date), "2024-06-15")

    def test_merged_customers_are_one_contact(self):
        for partner in (self.customer, self.other):
            self._invoice(partner, date="2023-11-14")
        self._campaign()
        contacts = self._run()
        wizard = self.env["base.partner.merge.automatic.wizard"].create({})
        wizard._merge((self.customer + self.other).ids, self.other)
        self.assertEqual(contacts.exists().partner_id, self.other)
        self.assertEqual(len(contacts.exists()), 1)


@tagged("post_install", "-at_install")
@freeze_time(TODAY)
class TestCampaignInput(CampaignsCommon):
    """What managers may set up, and what is refused."""

    def test_campaign_that_does_nothing_is_refused(self):
        campaign = self._campaign(start=None, activity_type_id=False)
        with self.assertRaisesRegex(UserError, "Choose an activity"):
            campaign.action_start()

    def test_gift_is_for_members_only(self):
        for scope in ("all", "other"):
            with self.assertRaisesRegex(ValidationError, "only members"):
                self._campaign(start=None, bonus_points=10, scope=scope)

    def test_reward_of_another_company_is_refused(self):
        elsewhere = self.setup_other_company()["company"]
        reward = self._offer_personally(self.other).reward_id
        with self.assertRaisesRegex(ValidationError, "another company"):
            self._campaign(start=None, company_id=elsewhere.id, reward_id=reward.id)

    def test_gift_needs_a_programme_with_points(self):
        self.program.write({"has_points": False, "has_privileges": True})
        campaign = self._campaign(start=None, bonus_points=10, scope="member")
        with self.assertRaisesRegex(UserError, "no points"):
            campaign.action_start()

    def test_condition_that_is_none_is_refused(self):
        for domain in ("[('nonsense', '=', 1)]", "hello", "[(1, 2)]", "{}", "1"):
            with self.subTest(domain=domain), self.assertRaises(ValidationError):
                self._campaign(start=None, domain=domain)

    def test_promises_cannot_change_once_started(self):
        campaign = self._campaign()
        for vals in (
            {"trigger": "lapsed"},
            {"scope": "other"},
            {"left_out_percent": 10},
            {"offer_days": 5},
            {"domain": "[('stage', '=', 'lost')]"},
        ):
            with self.subTest(vals=vals), self.assertRaisesRegex(UserError, "started"):
                campaign.write(vals)
        campaign.write({"trigger": "at_risk", "name": "Other words"})

    def test_numbers_out_of_range_are_refused(self):
        for vals in (
            {"bonus_points": -1},
            {"offer_days": 0},
            {"left_out_percent": 91},
        ):
            with (
                self.subTest(vals=vals),
                self.assertRaises(IntegrityError),
                mute_logger("odoo.sql_db"),
                self.env.cr.savepoint(),
            ):
                self._campaign(start=None, scope="member", **vals)

    def test_started_campaign_cannot_be_deleted(self):
        self._campaign(start=None).unlink()
        with self.assertRaisesRegex(UserError, "Archive it"):
            self._campaign().unlink()

    def test_branch_that_shares_customers_is_refused(self):
        branch = self.env["res.company"].create(
            {"name": "Branch", "parent_id": self.company.id}
        )
        self.program.share_branches = True
        with self.assertRaisesRegex(ValidationError, "shares its customers"):
            self._campaign(start=None, company_id=branch.id)

    def test_advisor_can_read_and_not_start(self):
        advisor = self._create_user("advisor", USER)
        campaign = self._campaign(start=None).with_user(advisor)
        self.assertEqual(campaign.name, "Call them")
        self.assertGreaterEqual(campaign.audience_count, 0)
        for method in (campaign.action_start, campaign.action_end):
            with self.assertRaises(AccessError):
                method()

    def test_buttons_open_who_is_meant(self):
        self._invoice(self.customer, date="2023-11-14")
        campaign = self._campaign(start=None)
        self._record()
        Customer = self.env["garage.loyalty.customer"]
        found = Customer.search(campaign.action_open_audience()["domain"])
        self.assertEqual(found.partner_id, self.customer)
        self.assertEqual(campaign.audience_count, len(found))
        with freeze_time("2024-01-01"):
            campaign.action_start()
        contacts = self._run()
        action = campaign.action_open_contacts()
        self.assertEqual(contacts.search(action["domain"]), contacts)
        history = contacts.action_open_history()
        self.assertEqual(history["name"], self.customer.display_name)

    def test_dates_of_the_condition_are_understood(self):
        self._invoice(self.customer, date="2023-11-14")
        day = fields.Date.to_string(date(2023, 12, 1))
        campaign = self._campaign(
            trigger="once", start=TODAY, domain=f"[('last_date', '<', '{day}')]"
        )
        self._run()
        self.assertEqual(campaign.contact_ids.partner_id, self.customer)
