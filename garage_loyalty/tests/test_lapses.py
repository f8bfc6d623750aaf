from datetime import date

from odoo import fields
from odoo.tests import freeze_time, tagged

from .test_movement import TODAY, MovementCommon


class LapsesCommon(MovementCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Lapse = cls.env["garage.loyalty.lapse"]

    def _record(self, day=TODAY):
        """Run the nightly job on a day, and return the lapses that are recorded."""
        self._run_job("ir_cron_check_customers", day)
        self.env.invalidate_all()
        return self.Lapse.search([("company_id", "=", self.company.id)])

    def _lapse(self, partner, last_date="2023-05-14", **kwargs):
        """Return the recorded lapse of a customer who was last here a year ago."""
        self._invoice(partner, date=last_date, **kwargs)
        lapses = self._record()
        return lapses.filtered(lambda lapse: lapse.partner_id == partner)


@tagged("post_install", "-at_install")
@freeze_time(TODAY)
class TestLapses(LapsesCommon):
    """What is recorded when a customer lapses, and stays as it was."""

    def test_lapse_is_recorded_with_what_was_known(self):
        member = self._enrol(self.customer, date="2022-01-01", tier=self.silver)
        self.customer.user_id = self.env.user
        self._invoice(self.customer, [(self.labour, 1, 70)], date="2022-05-14")
        self._invoice(self.customer, [(self.labour, 1, 50)], date="2022-05-15")
        credited = self._invoice(self.customer, date="2023-01-31")
        self._credit(credited, amount=400, date="2023-03-01")
        lapse = self._lapse(self.customer, lines=[(self.labour, 1, 30)])
        self.assertEqual(
            [str(lapse[name]) for name in ("month", "date", "last_date")],
            ["2024-05-01", TODAY, "2023-05-14"],
        )
        self.assertEqual((lapse.gap, lapse.outcome), (12, "away"))
        net = credited.amount_untaxed - sum(
            credited.reversal_move_ids.mapped("amount_untaxed")
        )
        self.assertAlmostEqual(lapse.yearly_amount, 50 + net + 30)
        self.assertTrue(lapse.is_member)
        self.assertEqual(lapse.tier_id, member.tier_id)
        self.assertEqual(lapse.user_id, self.env.user)
        self.assertEqual((lapse.channel, lapse.returned_date), ("none", False))

    def test_responsible_is_who_did_the_last_visit(self):
        repair = self._visit(self.customer, "2023-05-14")[0]
        repair.user_id = self.env.user
        self._run_job("ir_cron_check_visits", TODAY)
        self.assertEqual(self._record().user_id, repair.user_id)

    def test_first_run_records_one_month_only(self):
        self._invoice(self.customer, date="2021-03-01")
        self._invoice(self.other, date="2023-05-31")
        self._invoice(self._create_customer("Running"), date="2023-06-01")
        self.assertEqual(self._record().partner_id, self.other)

    def test_months_that_were_missed_are_made_up_for(self):
        self._invoice(self.customer, date="2023-05-14")
        self._invoice(self.other, date="2023-07-01")
        self._record()
        lapses = self._record("2024-10-03")
        self.assertEqual(
            {lapse.partner_id: str(lapse.month)[:7] for lapse in lapses},
            {self.customer: "2024-05", self.other: "2024-07"},
        )
        self.assertEqual(str(lapses[0].date), "2024-10-03")

    def test_nobody_is_recorded_twice_for_one_absence(self):
        lapse = self._lapse(self.customer)
        self.company.loyalty_lost_months = 30
        for day, months in (("2024-06-16", 12), ("2025-01-03", 18), ("2025-06-01", 24)):
            self.company.loyalty_lapse_months = months
            self.assertEqual(self._record(day), lapse)
        self.assertEqual(lapse.gap, 12)

    def test_who_lapses_again_is_recorded_again(self):
        first = self._lapse(self.customer)
        self._invoice(self.customer, date="2024-06-20")
        lapses = self._record("2025-07-01")
        self.assertEqual(len(lapses), 2)
        self.assertEqual(first.outcome, "back")
        self.assertEqual(str((lapses - first).last_date), "2024-06-20")

    def test_return_is_noted_when_it_is_processed(self):
        lapse = self._lapse(self.customer)
        self._invoice(self.customer, date="2024-06-10")
        self._refresh()
        self.assertEqual((lapse.outcome, lapse.win_back_rate), ("back", 1))
        self.assertEqual(str(lapse.returned_date), "2024-06-10")

    def test_late_invoice_makes_it_no_lapse(self):
        lapse = self._lapse(self.customer)
        self._lapse(self.other)
        invoice = self._invoice(self.customer, date="2024-05-31")
        self._refresh()
        self.assertEqual(lapse.outcome, "void")
        rate = [("company_id", "=", self.company.id)]
        average = self.Lapse._read_group(rate, [], ["win_back_rate:avg"])
        self.assertEqual(average, [(0,)])
        invoice.button_draft()
        self._refresh()
        self.assertEqual((lapse.outcome, lapse.returned_date), ("away", False))

    def test_invoice_of_the_future_is_no_return_yet(self):
        lapse = self._lapse(self.customer)
        self._invoice(self.customer, date="2024-08-01")
        self._refresh()
        self.assertEqual(lapse.outcome, "away")
        self._record("2024-08-01")
        self.assertEqual(
            (lapse.outcome, str(lapse.returned_date)), ("back", "2024-08-01")
        )

    def test_who_came_back_in_the_running_month_has_lapsed_before(self):
        self._invoice(self.customer, date="2024-06-02")
        lapse = self._lapse(self.customer)
        self.assertEqual((str(lapse.month), lapse.outcome), ("2024-05-01", "back"))

    def test_recorded_equals_the_report(self):
        for number in range(24):
            partner = self._create_customer(f"C{number}")
            day = date(2022 + number // 12, number % 12 + 1, 28)
            self._invoice(partner, date=fields.Date.to_string(day))
        self._record("2024-02-01")
        for day in ("2024-03-01", "2024-04-01", "2024-06-30", "2025-01-01"):
            self._record(day)
        lapses = self.Lapse.search([("company_id", "=", self.company.id)])
        recorded = lapses.grouped(lambda lapse: str(lapse.month)[:7])
        with freeze_time("2025-01-01"):
            rows = self._rows()
        reported = {
            month: row.lapsed
            for month, row in rows.items()
            if row.lapsed and "2024-01" <= month <= "2024-12"
        }
        self.assertEqual(
            {month: len(mine) for month, mine in recorded.items()}, reported
        )

    def test_each_company_records_its_own(self):
        elsewhere = self.setup_other_company()["company"]
        elsewhere.loyalty_lapse_months = 7
        lapse = self._lapse(self.customer)
        self.assertEqual(lapse.company_id, self.company)
        self.assertFalse(self.Lapse.search([("company_id", "=", elsewhere.id)]))

    def test_nothing_of_merged_customers_is_recorded_twice(self):
        lapses = self._lapse(self.customer) + self._lapse(self.other)
        lapses += self._lapse(self._create_customer("Third"), "2023-05-20")
        wizard = self.env["base.partner.merge.automatic.wizard"].create({})
        wizard._merge(lapses.partner_id.ids, self.customer)
        self._refresh()
        left = lapses.exists()
        self.assertEqual(left.partner_id, self.customer)
        self.assertEqual(
            left.mapped(lambda lapse: str(lapse.last_date)),
            ["2023-05-14", "2023-05-20"],
        )
        self._invoice(self.customer, date="2024-06-03")
        self._refresh()
        self.assertEqual(set(left.mapped("outcome")), {"back"})

    def test_part_of_a_company_came_back_with_the_company(self):
        lapse = self._lapse(self.customer)
        self.customer.parent_id = self._create_customer("Fleet", is_company=True)
        self._invoice(self.customer.parent_id, date="2024-06-03")
        self._refresh()
        self.assertEqual(lapse.outcome, "back")

    def test_recording_again_changes_nothing(self):
        self._lapse(self.customer)
        self.assertEqual(self.Lapse._record(self.company), 0)
        self.assertEqual(self.Changed._refresh(self.customer.ids), 0)


@tagged("post_install", "-at_install")
@freeze_time(TODAY)
class TestWinBackChannels(LapsesCommon):
    """How those were contacted who came back: from the history of the contact."""

    def setUp(self):
        super().setUp()
        self.lapse = self._lapse(self.customer)

    def _channel(self):
        self.Changed._refresh(self.customer.ids)
        self.env.invalidate_all()
        return self.lapse.channel

    def test_note_is_no_contact(self):
        self.customer.message_post(body="Moved house", subtype_xmlid="mail.mt_note")
        self.assertEqual(self._channel(), "none")

    def test_message_to_the_customer_is_an_email(self):
        self.customer.message_post(
            body="We miss you", message_type="comment", subtype_xmlid="mail.mt_comment"
        )
        self.assertEqual(self._channel(), "email")
        self.assertEqual(self.lapse.contact_user_id, self.env.user)
        self.assertEqual(str(self.lapse.contact_date), TODAY)

    def test_mass_mail_is_an_email(self):
        self.customer.email = "ada@example.com"
        card = self.Customer.search([("partner_id", "=", self.customer.id)])
        action = card.action_send_email()
        composer = self.env["mail.compose.message"].with_context(**action["context"])
        composer.create({"subject": "Hello", "body": "We miss you"})._action_send_mail()
        self.assertEqual(self._channel(), "email")

    def test_sms_in_the_history(self):
        self.customer._message_log(body="We miss you", message_type="sms")
        self.assertEqual(self._channel(), "sms")

    def test_activity_counts_when_it_is_done(self):
        for xmlid, channel in (
            ("mail.mail_activity_data_call", "call"),
            ("mail.mail_activity_data_todo", "other"),
        ):
            activity = self.customer.activity_schedule(xmlid)
            before = self._channel()
            self.assertNotEqual(before, channel)
            activity.action_feedback("Spoke to her")
            self.assertEqual(self._channel(), channel)

    def test_contact_of_a_part_of_the_company_counts(self):
        part = self._create_customer("Driver", parent_id=self.customer.id)
        part._message_log(body="We miss you", message_type="sms")
        self.assertEqual(self._channel(), "sms")

    def test_contact_after_the_return_does_not_count(self):
        self._invoice(self.customer, date="2024-06-16")
        with freeze_time("2024-06-18"):
            self.customer._message_log(body="Thank you", message_type="sms")
            self.assertEqual(self._channel(), "none")
        self.assertEqual(self.lapse.outcome, "back")

    def test_contact_before_the_lapse_does_not_count(self):
        message = self.customer._message_log(body="Hello", message_type="sms")
        message.date = "2024-06-14 12:00:00"
        message.flush_recordset()
        self.assertEqual(self._channel(), "none")

    def test_last_contact_counts(self):
        self.customer._message_log(body="First", message_type="sms")
        self.customer.message_post(
            body="Then", message_type="comment", subtype_xmlid="mail.mt_comment"
        )
        self.assertEqual(self._channel(), "email")
