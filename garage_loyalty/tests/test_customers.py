from datetime import date, timedelta

from psycopg2 import IntegrityError

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import freeze_time, tagged
from odoo.tools import mute_logger

from ..tools import movement as rules
from .common import ACCOUNTANT, USER
from .test_movement import TODAY, MovementCommon


class CustomersCommon(MovementCommon):
    def _card(self, partner, company=None):
        self._refresh()
        domain = [
            ("partner_id", "=", partner.id),
            ("company_id", "=", (company or self.company).id),
        ]
        return self.Customer.search(domain)


@tagged("post_install", "-at_install")
@freeze_time(TODAY)
class TestStages(CustomersCommon):
    """Who is active, at risk, lapsed, lost or was never invoiced."""

    def test_stages_by_whole_months(self):
        for day, stage in (
            ("2024-06-01", "active"),
            ("2023-12-01", "active"),
            ("2023-11-30", "at_risk"),
            ("2023-06-01", "at_risk"),
            ("2023-05-31", "lapsed"),
            ("2022-12-01", "lapsed"),
            ("2022-11-30", "lost"),
            ("2025-01-01", "active"),
        ):
            with self.subTest(day=day):
                customer = self._create_customer(day)
                self._invoice(customer, date=day)
                self.assertEqual(self._card(customer).stage, stage)

    def test_card_says_what_was_invoiced(self):
        self._visit(self.customer, "2024-01-31")
        self._invoice(self.customer, [(self.labour, 1, 70)], date="2024-03-01")
        card = self._card(self.customer)
        self.assertEqual(
            (str(card.first_date), str(card.last_date)), ("2024-01-31", "2024-03-01")
        )
        self.assertEqual((card.invoices, card.visits), (2, 1))
        self.assertAlmostEqual(card.last_amount, 70)
        self.assertEqual(str(card.stage_date), TODAY)

    def test_customer_with_drafts_only_was_never_invoiced(self):
        self._invoice(self.customer, date="2024-03-01", post=False)
        self._create_repair(self.other)
        third = self._create_customer("Third")
        self._enrol(third)
        self.Changed._refresh((self.customer + self.other + third).ids)
        for partner in (self.customer, self.other, third):
            with self.subTest(partner=partner.name):
                self.assertEqual(self._card(partner).stage, "never")
        self.assertFalse(self._card(self._create_customer("Supplier")))

    def test_posting_makes_active_at_once(self):
        self._invoice(self.customer, date="2022-01-01")
        card = self._card(self.customer)
        self.assertEqual(card.stage, "lost")
        self._invoice(self.customer, date="2023-01-01")
        self.env.invalidate_all()
        self.assertEqual(card.stage, "lost")
        self._invoice(self.customer, date="2024-06-01")
        self.env.invalidate_all()
        self.assertEqual(card.stage, "active")
        self._refresh()
        self.assertEqual(card.stage, "active")

    def test_posting_the_invoice_of_a_repair_makes_active_at_once(self):
        self._invoice(self.customer, date="2022-01-01")
        card = self._card(self.customer)
        self._visit(self.customer, "2024-06-01")
        self.env.invalidate_all()
        self.assertEqual(card.stage, "active")

    def test_time_alone_moves_customers(self):
        self._invoice(self.customer, date="2024-01-15")
        card = self._card(self.customer)
        for day, stage in (
            ("2024-07-31", "active"),
            ("2024-08-01", "at_risk"),
            ("2025-02-01", "lapsed"),
            ("2025-08-01", "lost"),
        ):
            with self.subTest(day=day):
                self._run_job("ir_cron_check_customers", day)
                self.assertEqual(card.stage, stage)
        self.assertEqual(str(card.stage_date), "2025-08-01")

    def test_limits_of_the_settings_count_at_once(self):
        self._invoice(self.customer, date="2024-03-15")
        card = self._card(self.customer)
        self.company.loyalty_risk_months = 2
        self.assertEqual(card.stage, "at_risk")

    def test_limits_that_overtake_each_other_are_refused(self):
        for vals in (
            {"loyalty_risk_months": 0},
            {"loyalty_risk_months": 12},
            {"loyalty_lapse_months": 61, "loyalty_lost_months": 70},
            {"loyalty_lost_months": 12},
        ):
            with (
                self.subTest(vals=vals),
                self.assertRaises(IntegrityError),
                mute_logger("odoo.sql_db"),
                self.env.cr.savepoint(),
            ):
                self.company.write(vals)
                self.company.flush_recordset()

    def test_personal_rhythm(self):
        for day in ("2023-12-01", "2024-01-01", "2024-02-01", "2024-03-01"):
            self._invoice(self.customer, date=day)
        card = self._card(self.customer)
        self.assertEqual(card.stage, "active")
        days = [date(2023, 12, 1), date(2024, 1, 1), date(2024, 2, 1), date(2024, 3, 1)]
        self.assertAlmostEqual(card.usual_days, rules.usual_interval(days), 1)
        self.company.loyalty_use_rhythm = True
        self.assertEqual(card.stage, "at_risk")
        self._invoice(self.customer, date="2024-06-10")
        self._refresh()
        self.assertEqual(card.stage, "active")

    def test_rhythm_takes_four_visits(self):
        self.company.loyalty_use_rhythm = True
        for day in ("2024-01-01", "2024-01-15", "2024-02-01"):
            self._invoice(self.customer, date=day)
        card = self._card(self.customer)
        self.assertEqual((card.stage, card.usual_days), ("active", 0))

    def test_stage_is_of_each_company(self):
        elsewhere = self.setup_other_company()["company"]
        self._invoice(self.customer, date="2022-01-01")
        self._refresh()
        self.assertFalse(self._card(self.customer, elsewhere))

    def test_contact_and_member_show_the_stage(self):
        Partner = self.env["res.partner"]
        company = self._create_customer("Fleet", is_company=True)
        driver = self._create_customer("Driver", parent_id=company.id)
        member = self._enrol(company)
        self._invoice(driver, date="2023-01-15")
        self._refresh()
        for record in (company, driver, member):
            self.assertEqual(record.loyalty_stage, "lapsed")
        lapsed = [("loyalty_stage", "=", "lapsed")]
        found = Partner.search(lapsed)
        self.assertEqual(found & (company + driver + self.other), company + driver)
        self.assertEqual(self.Member.search(lapsed), member)
        unknown = Partner.search([("loyalty_stage", "=", False)])
        self.assertEqual(unknown & (company + driver + self.other), self.other)
        elsewhere = self.setup_other_company()["company"]
        self.assertFalse(company.with_company(elsewhere).loyalty_stage)
        self.assertFalse(Partner.with_company(elsewhere).search(lapsed) & found)

    def test_contacts_and_members_are_grouped_and_sorted_by_stage(self):
        member = self._enrol(self.customer)
        self._invoice(self.customer, date="2023-01-15")
        self._invoice(self.other, date="2024-06-01")
        self._refresh()
        Partner = self.env["res.partner"]
        mine = [("id", "in", (self.customer + self.other).ids)]
        self.assertEqual(
            Partner._read_group(mine, ["loyalty_stage"], ["__count"]),
            [("active", 1), ("lapsed", 1)],
        )
        self.assertEqual(
            Partner.search(mine, order="loyalty_stage desc"), self.customer + self.other
        )
        for model in (Partner, self.Member):
            field = model.fields_get(["loyalty_stage"])["loyalty_stage"]
            self.assertTrue(field["groupable"] and field["sortable"])
        groups = self.Member._read_group(
            [("id", "=", member.id)], ["loyalty_stage", "tier_id"], ["__count"]
        )
        self.assertEqual(groups, [("lapsed", member.tier_id, 1)])
        elsewhere = self.setup_other_company()["company"]
        self.assertEqual(
            Partner.with_company(elsewhere)._read_group(mine, ["loyalty_stage"], []),
            [(False,)],
        )

    def test_stage_of_contacts_is_for_loyalty_users_to_group_by(self):
        user = self._create_user("somebody")
        with self.assertRaises(AccessError):
            self.env["res.partner"].with_user(user)._read_group([], ["loyalty_stage"])

    def test_stages_say_the_same_as_the_rule(self):
        partners = [self._create_customer(f"C{number}") for number in range(30)]
        for number, partner in enumerate(partners):
            day = date(2022, 1, 31) + timedelta(number * 29)
            self._invoice(partner, date=fields.Date.to_string(day))
        for partner in partners:
            card = self._card(partner)
            expected = rules.stage(card.last_date, date(2024, 6, 15), (6, 12, 18))
            self.assertEqual(card.stage, expected)


@tagged("post_install", "-at_install")
@freeze_time(TODAY)
class TestReachingCustomers(CustomersCommon):
    """The list, and the buttons with which customers are reached."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.customer.write({"email": "ada@example.com", "phone": "+32 470 12 34 56"})
        for partner in (cls.customer, cls.other):
            cls._invoice(partner, date="2024-03-01")

    def test_members_and_others(self):
        member = self._enrol(self.customer, tier=self.gold)
        member._post_points("adjust", 70, "2024-01-01", reason="Test")
        card = self._card(self.customer)
        self.assertEqual(card.member_id, member)
        self.assertEqual((card.tier_id, card.points), (self.gold, 70))
        others = self.Customer.search([("member_id", "=", False)])
        self.assertIn(self._card(self.other), others)
        self.assertNotIn(card, others)
        self.assertEqual(
            self.Customer.search([("member_id", "!=", False)]) & (card + others), card
        )

    def test_email_goes_to_whoever_has_an_address_and_agreed(self):
        cards = self._card(self.customer) + self._card(self.other)
        action = cards.action_send_email()
        self.assertEqual(action["context"]["default_res_ids"], self.customer.ids)
        composer = self.env["mail.compose.message"].with_context(**action["context"])
        composer = composer.create({"subject": "We miss you", "body": "<p>Hello</p>"})
        self.assertTrue(composer.use_exclusion_list)
        composer.action_send_mail()
        mail = self.env["mail.mail"].search([("subject", "=", "We miss you")])
        self.assertEqual(mail.recipient_ids, self.customer)
        self._enrol(self.customer)
        self.env.invalidate_all()
        with self.assertRaisesRegex(UserError, "did not agree"):
            cards.action_send_email()

    def test_sms_where_its_app_is_installed(self):
        card = self._card(self.customer)
        if "sms.composer" not in self.env:
            with self.assertRaisesRegex(UserError, "Install the app"):
                card.action_send_sms()
            return
        action = card.action_send_sms()
        self.assertEqual(action["context"]["default_res_ids"], self.customer.ids)

    def test_history_opens_visits_and_invoices(self):
        self._visit(self.customer, "2024-04-01")
        action = self._card(self.customer).action_open_history()
        visits = self.Visit.search(action["domain"])
        self.assertEqual(set(visits.mapped("kind")), {"repair", "sale"})

    def test_advisor_sees_customers_and_accountant_does_not_write_to_them(self):
        advisor = self._create_user("advisor", USER, "sales_team.group_sale_salesman")
        card = self._card(self.customer)
        self.assertEqual(card.with_user(advisor).stage, "active")
        self.assertTrue(card.with_user(advisor).action_send_email())
        accountant = self._create_user("accountant", ACCOUNTANT)
        self.assertEqual(card.with_user(accountant).stage, "active")
        nobody = self._create_user("nobody")
        with self.assertRaises(AccessError):
            card.with_user(nobody).read(["stage"])

    def test_report_opens_for_an_advisor(self):
        advisor = self._create_user("advisor", USER)
        row = self._rows()["2024-03"].with_user(advisor)
        self.assertEqual(row.first_count, 2)
        action = row.with_context(figure="first_count").action_open_customers()
        found = self.Customer.with_user(advisor).search(action["domain"])
        self.assertEqual(found.partner_id, self.customer | self.other)
