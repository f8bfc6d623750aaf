from datetime import timedelta

from psycopg2 import IntegrityError

from odoo.exceptions import UserError, ValidationError
from odoo.fields import Command
from odoo.tests import Form, freeze_time, tagged
from odoo.tools import mute_logger

from .common import MANAGER, USER, GarageLoyaltyCommon

TODAY = "2024-06-15"


@tagged("post_install", "-at_install")
@freeze_time(TODAY)
class TestJoining(GarageLoyaltyCommon):
    """Only those join who meet the conditions, unless a manager insists."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.advisor = cls._create_user("advisor", USER)
        cls.manager = cls._create_user("manager", MANAGER)
        cls.tag = cls.env["res.partner.category"].create({"name": "Rally"})

    def _refusals(self, partner=None):
        partner = partner or self.customer
        return self.program._get_join_refusals(partner).get(partner, [])

    def _open_dialog(self, user, partner=None, **vals):
        Wizard = self.env["garage.loyalty.enrol"].with_user(user)
        return Wizard.create(
            {
                "partner_id": (partner or self.customer).id,
                "consent_terms": True,
                **vals,
            }
        )

    def test_without_conditions_everybody_joins_and_nothing_is_asked(self):
        self.assertEqual(self._refusals(), [])
        with self.assertQueryCount(0):
            self.program._get_join_refusals(self.customer)
        self._open_dialog(self.advisor).action_enrol()
        self.assertTrue(self.customer.is_loyalty_member)

    def test_conditions_in_words(self):
        self._visit(self.customer, "2024-06-01")
        self._invoice(self.customer, [(self.labour, 1, 100)], date="2023-06-15")
        cases = [
            ({"join_min_visits": 3}, "Needs 3 visits in 12 months: has 1."),
            ({"join_min_visits": 1}, None),
            ({"join_min_spend": 300}, r"Needs .*300.* in 12 months: has .*200"),
            ({"join_min_spend": 200}, None),
            ({"join_min_spend": 300, "join_months": 13}, None),
            ({"join_min_age_months": 13}, r"customer for 13 months: came first on"),
            ({"join_min_age_months": 12}, None),
            ({"join_kind": "company"}, "Only companies may join."),
            ({"join_kind": "private"}, None),
            ({"join_tag_ids": self.tag.ids}, "Needs the tag Rally."),
        ]
        blank = {
            "join_min_visits": 0,
            "join_min_spend": 0,
            "join_min_age_months": 0,
            "join_months": 12,
            "join_kind": "anyone",
            "join_tag_ids": False,
        }
        for vals, expected in cases:
            self.program.write(blank | vals)
            with self.subTest(**vals):
                texts = self._refusals()
                self.assertEqual(len(texts), 1 if expected else 0)
                if expected:
                    self.assertRegex(texts[0], expected)

    def test_first_day_of_the_months_that_count(self):
        self.program.join_min_spend = 1000
        self._invoice(self.customer, date="2023-06-15")
        self.assertTrue(self._refusals())
        self._invoice(self.customer, date="2023-06-16")
        self.assertFalse(self._refusals())

    def test_never_here(self):
        self.program.join_min_age_months = 1
        self.assertIn("was never here", self._refusals()[0])

    def test_tags_let_in_and_keep_out(self):
        self.program.join_excluded_tag_ids = self.tag
        self.assertFalse(self._refusals())
        self.customer.category_id = self.tag
        self.assertEqual(
            self._refusals(), ["Customers with the tag Rally cannot join."]
        )
        self.program.write(
            {"join_excluded_tag_ids": False, "join_tag_ids": self.tag.ids}
        )
        self.assertFalse(self._refusals())

    def test_contact_of_a_company_counts_as_the_company(self):
        firm = self._create_customer("Firm", is_company=True)
        contact = self._create_customer("Clerk", parent_id=firm.id)
        self._visit(firm, "2024-06-01")
        self.program.write({"join_kind": "company", "join_min_visits": 1})
        self.assertEqual(self.program._get_join_refusals(contact), {})
        self.program.join_min_visits = 2
        self.assertIn(firm, self.program._get_join_refusals(contact))

    def test_advisor_is_told_why_and_cannot_enrol(self):
        self.program.join_min_visits = 3
        dialog = self._open_dialog(self.advisor)
        self.assertEqual(dialog.refusal, "Needs 3 visits in 12 months: has 0.")
        self.assertFalse(dialog.may_insist)
        dialog.write({"insist": True, "insist_reason": "A friend"})
        with self.assertRaisesRegex(UserError, "Needs 3 visits.*loyalty manager can"):
            dialog.action_enrol()
        with self.assertRaisesRegex(UserError, "cannot join yet. Needs 3 visits"):
            self.Member.with_user(self.advisor).create({"partner_id": self.customer.id})
        because = {"garage_loyalty_joined_because": "A friend"}
        with self.assertRaisesRegex(UserError, "cannot join yet"):
            self.Member.with_user(self.advisor).with_context(**because).create(
                {"partner_id": self.customer.id}
            )
        self.assertFalse(self.customer.is_loyalty_member)

    def test_manager_insists_with_a_reason_that_is_kept(self):
        self.program.join_min_visits = 3
        dialog = self._open_dialog(self.manager)
        self.assertTrue(dialog.may_insist)
        for vals in ({}, {"insist": True}, {"insist": True, "insist_reason": " "}):
            dialog.write(vals)
            with self.assertRaisesRegex(UserError, "Tick .Enrol all the same."):
                dialog.action_enrol()
        dialog.insist_reason = "The mayor"
        dialog.action_enrol()
        history = self.customer.loyalty_member_id.status_ids
        self.assertEqual(
            history.mapped("reason"),
            ["Enrolled although conditions are not met: The mayor"],
        )

    def test_manager_and_application_enrol_by_code_as_before(self):
        self.program.join_min_visits = 3
        Member = self.Member.with_user(self.manager)
        Member.create({"partner_id": self.customer.id, "source": "import"})
        Member = self.Member.with_user(self.advisor).sudo()
        Member.create({"partner_id": self.other.id})
        self.assertTrue(self.other.is_loyalty_member)

    def test_former_member_comes_back_whatever_the_conditions(self):
        member = self._enrol(self.customer)
        member._leave()
        self.program.join_min_visits = 3
        dialog = self._open_dialog(self.advisor)
        self.assertFalse(dialog.refusal)
        dialog.action_enrol()
        self.assertEqual(member.state, "active")

    def test_one_who_cannot_join_stops_all_that_are_enrolled_together(self):
        self.program.join_min_visits = 1
        self._visit(self.customer, "2024-06-01")
        vals = [{"partner_id": self.customer.id}, {"partner_id": self.other.id}]
        Member = self.Member.with_user(self.advisor)
        with self.assertRaisesRegex(UserError, "Bob Customer cannot join yet"):
            Member.create(vals)
        self.assertFalse(self.customer.is_loyalty_member)

    def test_changed_conditions_apply_at_once(self):
        self.program.join_min_visits = 1
        self.assertTrue(self._refusals())
        self.program.join_min_visits = 0
        self.assertFalse(self._refusals())

    def test_branches_that_share_count_together(self):
        branch = self.env["res.company"].create(
            {"name": "Branch", "parent_id": self.company.id}
        )
        self.program.write({"share_branches": True, "join_min_visits": 2})
        self._visit(self.customer, "2024-06-01")
        visit = self.Visit.search([("partner_id", "=", self.customer.id)])
        self.assertTrue(self._refusals())
        self.env.flush_all()
        self.env.cr.execute(
            "INSERT INTO garage_loyalty_visit (kind, company_id, partner_id, date, "
            "amount) VALUES ('repair', %s, %s, '2024-06-02', 5)",
            [branch.id, self.customer.id],
        )
        self.assertTrue(visit)
        self.assertFalse(self._refusals())

    def test_day_is_that_of_the_workshop(self):
        self.company.partner_id.tz = "Pacific/Auckland"
        self.program.write({"join_min_visits": 1, "join_months": 1})
        self._visit(self.customer, "2024-05-15")  # the 16th there
        with freeze_time(f"{TODAY} 11:00:00"):
            self.assertFalse(self._refusals())
        with freeze_time(f"{TODAY} 13:00:00"):
            self.assertTrue(self._refusals())

    @mute_logger("odoo.sql_db")
    def test_impossible_conditions_are_refused(self):
        for vals in (
            {"join_months": 0},
            {"join_months": 121},
            {"join_min_visits": -1},
            {"join_min_spend": -1},
            {"join_min_age_months": -1},
        ):
            with (
                self.subTest(**vals),
                self.assertRaises(IntegrityError),
                self.env.cr.savepoint(),
            ):
                self.program.write(vals)
                self.env.flush_all()

    @mute_logger("odoo.sql_db")
    def test_tag_that_a_programme_needs_cannot_be_deleted(self):
        self.program.join_tag_ids = self.tag
        with self.assertRaises(IntegrityError), self.env.cr.savepoint():
            self.tag.unlink()
        self.assertTrue(self.tag.exists())

    def test_dialog_asks_for_birthday_and_referrer(self):
        referrer = self._enrol(self.other)
        with Form(self.env["garage.loyalty.enrol"].with_user(self.advisor)) as form:
            form.partner_id = self.customer
            form.consent_terms = True
            form.birthday = "1980-02-29"
            form.referred_by_id = referrer
        form.save().action_enrol()
        member = self.customer.loyalty_member_id
        self.assertEqual(str(member.birthday), "1980-02-29")
        self.assertEqual(member.referred_by_id, referrer)

    def test_referrer_is_found_by_phone_number_name_and_number(self):
        self.other.phone = "+49 (0)171 555-0199"
        referrer = self._enrol(self.other)
        Member = self.Member.with_user(self.advisor)
        for text in ("0171 5550199", "Bob", referrer.number):
            with self.subTest(text=text):
                found = [row[0] for row in Member.name_search(text)]
                self.assertIn(referrer.id, found)

    def test_birthday_lies_in_the_past(self):
        with self.assertRaisesRegex(ValidationError, "in the past"):
            self._enrol(self.customer, birthday="2024-06-16")

    def test_birthday_is_forgotten_with_other_personal_data(self):
        member = self._enrol(self.customer, birthday="1980-02-29")
        member._leave()
        member.with_user(self.manager).action_anonymise()
        self.assertFalse(member.birthday)

    def test_accountant_does_not_see_birthdays(self):
        accountant = self._create_user(
            "accountant", "garage_loyalty.garage_loyalty_group_accountant"
        )
        names = self.Member.with_user(accountant).fields_get()
        self.assertNotIn("birthday", names)
        self.assertIn("birthday", self.Member.with_user(self.advisor).fields_get())

    def test_visit_in_the_future_does_not_count(self):
        self.program.join_min_visits = 1
        day = self.company._get_loyalty_today() + timedelta(days=1)
        self._visit(self.customer, str(day))
        self.assertTrue(self._refusals())

    def test_one_of_several_tags_suffices(self):
        second = self.tag.create({"name": "Fleet"})
        self.program.join_tag_ids = [Command.set((self.tag | second).ids)]
        self.customer.category_id = second
        self.assertFalse(self._refusals())
