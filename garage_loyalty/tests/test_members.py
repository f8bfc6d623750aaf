from datetime import timedelta

from psycopg2 import IntegrityError

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import freeze_time, tagged
from odoo.tools import mute_logger

from .common import ACCOUNTANT, MANAGER, USER, GarageLoyaltyCommon


@tagged("post_install", "-at_install")
class TestEnrolment(GarageLoyaltyCommon):
    def _wizard(self, **vals):
        return self.env["garage.loyalty.enrol"].create(vals)

    def _open(self, action):
        """Return the enrolment dialog as the client opens it from a button."""
        self.assertEqual(action["res_model"], "garage.loyalty.enrol")
        return self.env["garage.loyalty.enrol"].with_context(**action["context"])

    # -- from where -------------------------------------------------------------

    def test_wizard_from_partner_enrols_and_closes(self):
        wizard = self._open(self.customer.action_enrol()).create(
            {"consent_terms": True}
        )
        action = wizard.action_enrol()
        member = self.customer.loyalty_member_id
        self.assertEqual(action["type"], "ir.actions.act_window_close")
        self.assertEqual(member.program_id, self.program)
        self.assertEqual(member.tier_id, self.bronze)
        self.assertEqual(member.state, "active")
        self.assertEqual(member.source, "counter")
        self.assertEqual(member.enrolled_by_id, self.env.user)
        self.assertEqual(member.date_joined, fields.Date.context_today(member))

    def test_wizard_from_repair_notes_that_the_offer_was_accepted(self):
        repair = self._create_repair(self.customer)
        self.assertEqual(repair.loyalty_offer, "not_asked")
        wizard = self._open(repair.action_enrol()).create({"consent_terms": True})
        self.assertEqual(wizard.partner_id, self.customer)
        wizard.action_enrol()
        self.assertEqual(repair.loyalty_offer, "accepted")
        self.assertEqual(repair.loyalty_member_id, self.customer.loyalty_member_id)

    def test_wizard_from_repair_of_another_company_enrols_there(self):
        other = self.setup_other_company()["company"]
        repair = (
            self.env["repair.order"]
            .with_company(other)
            .create({"partner_id": self.customer.id})
            .with_company(self.company)
        )
        wizard = self._open(repair.action_enrol()).create({"consent_terms": True})
        self.assertEqual(wizard.program_id.company_id, other)
        wizard.action_enrol()
        member = self.customer.with_company(other).loyalty_member_id
        self.assertEqual(member.company_id, other)
        self.assertFalse(self.customer.with_company(self.company).loyalty_member_id)

    def test_wizard_from_list_opens_the_new_member(self):
        wizard = self._wizard(partner_id=self.customer.id, consent_terms=True)
        action = wizard.action_enrol()
        self.assertEqual(action["res_model"], "garage.loyalty.member")
        self.assertEqual(action["res_id"], self.customer.loyalty_member_id.id)

    def test_customer_of_repair_is_proposed(self):
        repair = self._create_repair(self.customer)
        self.assertEqual(self._wizard(repair_id=repair.id).partner_id, self.customer)

    def test_declined_on_repair_is_kept(self):
        repair = self._create_repair(self.customer)
        repair.action_decline()
        self.assertEqual(repair.loyalty_offer, "declined")
        self.assertFalse(repair.loyalty_member_id)
        self.assertEqual(repair.copy().loyalty_offer, "not_asked")

    # -- refused ----------------------------------------------------------------

    def test_without_terms_refused(self):
        wizard = self._wizard(partner_id=self.customer.id)
        with self.assertRaisesRegex(UserError, "must accept the terms"):
            wizard.action_enrol()
        self.assertFalse(self.customer.loyalty_member_id)

    def test_without_customer_refused(self):
        with self.assertRaisesRegex(UserError, "Choose the customer"):
            self._wizard(consent_terms=True).action_enrol()

    def test_member_already_refused_by_wizard(self):
        member = self._enrol(self.customer)
        wizard = self._wizard(partner_id=self.customer.id, consent_terms=True)
        self.assertEqual(wizard.existing_member_id, member)
        with self.assertRaisesRegex(UserError, "is a member already"):
            wizard.action_enrol()

    def test_suspended_member_refused_by_wizard(self):
        self._enrol(self.customer)._suspend()
        wizard = self._wizard(partner_id=self.customer.id, consent_terms=True)
        with self.assertRaisesRegex(UserError, "is a member already"):
            wizard.action_enrol()

    def test_contact_of_member_company_refused_by_wizard(self):
        firm = self._create_customer("Firm", is_company=True)
        contact = self._create_customer("Driver", parent_id=firm.id)
        self._enrol(firm)
        wizard = self._wizard(partner_id=contact.id, consent_terms=True)
        with self.assertRaisesRegex(UserError, "is a member already"):
            wizard.action_enrol()

    @mute_logger("odoo.sql_db")
    def test_second_membership_refused_by_the_database(self):
        member = self._enrol(self.customer)
        second = self._enrol(self.other)
        with self.assertRaises(IntegrityError) as caught, self.env.cr.savepoint():
            self._hand_over(second, self.customer)
        index = member._partner_company_uniq
        self.assertIn(
            index.full_name(self.env["garage.loyalty.member"]),
            str(caught.exception),
        )
        message = index.get_error_message(self.Member, caught.exception.diag)
        self.assertIn("is a member already", message)

    def test_second_membership_refused_in_words(self):
        member = self._enrol(self.customer)
        with self.assertRaisesRegex(UserError, "is a member already"):
            self._enrol(self.customer)
        member._leave()
        with self.assertRaisesRegex(UserError, "Press “Come back” there"):
            self._enrol(self.customer)

    def test_contact_enrolled_gives_the_company_the_membership(self):
        firm = self._create_customer("Firm", is_company=True)
        contact = self._create_customer("Driver", parent_id=firm.id)
        member = self._enrol(contact)
        self.assertEqual(member.partner_id, firm)
        self.assertEqual(contact.loyalty_member_id, member)
        self.assertTrue(contact.is_loyalty_member)

    def test_same_customer_joins_in_two_companies(self):
        other = self.setup_other_company()["company"]
        program = self.env["garage.loyalty.program"]._get_default(other)
        here = self._enrol(self.customer)
        there = self._enrol(self.customer, program=program)
        there._post_points("adjust", 70, "2024-01-01", reason="Start")
        self.assertEqual(there.company_id, other)
        here_partner = self.customer.with_company(self.company)
        there_partner = self.customer.with_company(other)
        self.assertEqual(here_partner.loyalty_member_id, here)
        self.assertEqual(there_partner.loyalty_member_id, there)
        self.assertEqual(here_partner.loyalty_points, 0)
        self.assertEqual(there_partner.loyalty_points, 70)
        self.assertEqual(there_partner.loyalty_tier_id, program.tier_ids[0])

    # -- numbers ----------------------------------------------------------------

    def test_numbers_follow_the_sequence(self):
        first, second = self._enrol(self.customer), self._enrol(self.other)
        numbers = [int(member.number.removeprefix("M")) for member in first + second]
        self.assertRegex(first.number, r"^M\d{6}$")
        self.assertEqual(numbers[1], numbers[0] + 1)
        self.assertEqual(first.display_name, f"{first.number} · Ada Customer")

    def test_number_of_ones_own_is_ignored(self):
        self.assertNotEqual(self._enrol(self.customer, number="VIP").number, "VIP")

    def test_member_is_found_by_number_and_by_name(self):
        member = self._enrol(self.customer)
        for text in (member.number, "ada cust"):
            found = self.Member.name_search(text)
            self.assertIn(member.id, [row[0] for row in found])

    # -- consents ---------------------------------------------------------------

    @freeze_time("2024-05-06 07:08:09")
    def test_consents_keep_their_dates(self):
        self._wizard(
            partner_id=self.customer.id, consent_terms=True, consent_marketing=True
        ).action_enrol()
        member = self.customer.loyalty_member_id
        now = fields.Datetime.to_datetime("2024-05-06 07:08:09")
        self.assertTrue(member.consent_terms and member.consent_marketing)
        self.assertEqual(member.consent_terms_date, now)
        self.assertEqual(member.consent_marketing_date, now)

    def test_consent_not_given_has_no_date(self):
        self._wizard(partner_id=self.customer.id, consent_terms=True).action_enrol()
        member = self.customer.loyalty_member_id
        self.assertFalse(member.consent_marketing)
        self.assertFalse(member.consent_marketing_date)

    def test_consent_withdrawn_and_given_again(self):
        with freeze_time("2024-05-06"):
            member = self._enrol(
                self.customer, date="2024-05-06", consent_marketing=True
            )
        member.consent_marketing = True
        self.assertEqual(str(member.consent_marketing_date.date()), "2024-05-06")
        member.consent_marketing = False
        self.assertFalse(member.consent_marketing_date)
        with freeze_time("2024-07-08"):
            member.consent_marketing = True
        self.assertEqual(str(member.consent_marketing_date.date()), "2024-07-08")

    def test_consent_of_an_earlier_enrolment_has_its_day(self):
        member = self._enrol(self.customer, date="2024-02-03", consent_terms=True)
        self.assertEqual(str(member.consent_terms_date.date()), "2024-02-03")

    # -- what had happened before -----------------------------------------------

    def test_enrolled_after_paying_earns_for_the_day(self):
        today = fields.Date.context_today(self.customer)
        self._pay(self._invoice(self.customer, date=today))
        self._pay(self._invoice(self.customer, date=today - timedelta(days=1)))
        self._wizard(partner_id=self.customer.id, consent_terms=True).action_enrol()
        self.assertLedger(self.customer.loyalty_member_id, 1000)


@tagged("post_install", "-at_install")
class TestSearchBeforeEnrolling(GarageLoyaltyCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.ada = cls._create_customer(
            "Ada Lovelace", phone="+49 171 5550134", email="ada@engine.example"
        )
        cls.carl = cls._create_customer(
            "Carl Benz", phone="(0171) 666-0199", email="carl@motor.example"
        )

    def _find(self, text):
        return self.env["res.partner"]._find_for_enrolment(text)

    def test_phone_is_found_however_it_is_written(self):
        for text in (
            "+49 171 5550134",
            "+49 (0)171 5550134",
            "0049-171/5550134",
            "0171 5550134",
            "01715550134",
            "171.555.0134",
            "5550134",
        ):
            with self.subTest(text=text):
                self.assertEqual(self._find(text), self.ada)

    def test_phone_stored_without_country_is_found_with_country(self):
        for text in ("0171 6660199", "+49 171 6660199", "0049 (0)171 666 01 99"):
            with self.subTest(text=text):
                self.assertEqual(self._find(text), self.carl)

    def test_other_phone_number_is_not_found(self):
        for text in ("0171 5550135", "+49 172 5550134", "0134"):
            with self.subTest(text=text):
                self.assertNotIn(self.ada, self._find(text))

    def test_short_number_of_a_neighbour_is_not_found_by_a_longer_one(self):
        self._create_customer("Neighbour", phone="50134")
        self.assertEqual(self._find("0171 5550134"), self.ada)

    def test_email_and_name_are_found(self):
        for text in ("ada@engine", "ADA@ENGINE.EXAMPLE", "lovel", "  ada love "):
            with self.subTest(text=text):
                self.assertEqual(self._find(text), self.ada)

    def test_contact_is_found_by_the_name_of_its_company(self):
        firm = self._create_customer("Benzine & Sons", is_company=True)
        driver = self._create_customer("Driver", parent_id=firm.id)
        self.assertEqual(self._find("benzine"), firm | driver)

    def test_plate_in_repair_notes_is_found(self):
        repair = self._create_repair(self.ada, parts=0)
        repair.internal_notes = "<p>Audi A4, <b>kx-482</b> b, brakes</p>"
        for text in ("KX 482 B", "kx482b", "KX-482-B", "X 482"):
            with self.subTest(text=text):
                self.assertEqual(self._find(text), self.ada)

    def test_plate_is_not_made_up_of_markup(self):
        repair = self._create_repair(self.ada, parts=0)
        repair.internal_notes = "<p>482 km</p>"
        self.assertFalse(self._find("P 482"))

    def test_plate_too_short_or_without_digit_is_not_looked_for(self):
        repair = self._create_repair(self.ada, parts=0)
        repair.internal_notes = "KX 482 B, brakes"
        for text in ("482", "brakes"):
            with self.subTest(text=text):
                self.assertFalse(self._find(text))

    def test_plate_in_notes_of_another_company_is_not_found(self):
        other = self.setup_other_company()["company"]
        self.env["repair.order"].with_company(other).create(
            {"partner_id": self.ada.id, "internal_notes": "KX 482 B"}
        )
        self.assertFalse(self._find("KX 482 B"))

    def test_nothing_typed_finds_nobody(self):
        for text in (False, "", "   "):
            self.assertFalse(self._find(text))

    def test_wizard_chooses_the_only_match(self):
        wizard = self.env["garage.loyalty.enrol"].new({"search_text": "0171 5550134"})
        self.assertEqual(wizard.match_count, 1)
        self.assertEqual(wizard.partner_id._origin, self.ada)

    def test_wizard_leaves_the_choice_among_several(self):
        wizard = self.env["garage.loyalty.enrol"].new({"search_text": "example"})
        self.assertGreaterEqual(wizard.match_count, 2)
        self.assertFalse(wizard.partner_id)

    def test_wizard_says_when_nobody_is_found(self):
        wizard = self.env["garage.loyalty.enrol"].new({"search_text": "Nobody Here"})
        self.assertEqual(wizard.match_count, 0)
        self.assertFalse(wizard.partner_id)


@tagged("post_install", "-at_install")
class TestMembership(GarageLoyaltyCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.member = cls._enrol(cls.customer, date="2024-01-10")

    def _change(self, change, date=None, reason=None):
        vals = {"member_id": self.member.id, "change": change, "reason": reason}
        if date:
            vals["date"] = date
        wizard = self.env["garage.loyalty.status.change"].create(vals)
        return wizard.action_apply()

    def assertHistory(self, *expected):
        rows = self.member.status_ids.sorted("id")
        found = [(str(row.date), row.state, row.tier_id.name) for row in rows]
        self.assertEqual(found, list(expected))

    # -- suspend, leave, come back ----------------------------------------------

    def test_history_starts_with_the_enrolment(self):
        self.assertHistory(("2024-01-10", "active", "Bronze"))
        self.assertEqual(self.member.status_ids.reason, "Enrolled")
        self.assertEqual(self.member.status_ids.user_id, self.env.user)

    def test_suspended_left_and_back_leave_dated_rows(self):
        self._change("suspend", "2024-02-01", "Unpaid bill")
        self.assertEqual(self.member.state, "suspended")
        self.assertFalse(self.member.date_left)
        self._change("leave", "2024-03-01")
        self.assertEqual(self.member.state, "left")
        self.assertEqual(str(self.member.date_left), "2024-03-01")
        self._change("come_back", "2024-04-01")
        self.assertEqual(self.member.state, "active")
        self.assertFalse(self.member.date_left)
        self.assertHistory(
            ("2024-01-10", "active", "Bronze"),
            ("2024-02-01", "suspended", "Bronze"),
            ("2024-03-01", "left", "Bronze"),
            ("2024-04-01", "active", "Bronze"),
        )
        self.assertEqual(
            self.member.status_ids.sorted("id").mapped("reason"),
            ["Enrolled", "Unpaid bill", "Left", "Came back"],
        )

    def test_change_without_date_counts_from_today(self):
        self._change("suspend")
        today = fields.Date.context_today(self.member)
        self.assertEqual(self.member.status_ids[0].date, today)

    def test_change_on_the_day_of_enrolment_is_allowed(self):
        self._change("leave", "2024-01-10")
        self.assertEqual(self.member.state, "left")

    def test_change_before_enrolment_or_in_the_future_refused(self):
        tomorrow = fields.Date.context_today(self.member) + timedelta(days=1)
        for date in ("2024-01-09", tomorrow):
            for change in ("suspend", "leave", "come_back"):
                with (
                    self.subTest(date=date, change=change),
                    self.assertRaisesRegex(UserError, "between the enrolment"),
                ):
                    self._change(change, date)
        self.assertEqual(self.member.state, "active")

    def test_left_member_keeps_points_but_is_no_member(self):
        self.member._post_points("adjust", 300, "2024-01-10", reason="Start")
        self._change("leave", "2024-02-01")
        self.assertEqual(self.member.points, 300)
        self.assertFalse(self.customer.is_loyalty_member)
        self.assertEqual(self.customer.loyalty_status, "left")

    def test_enrolled_again_resumes_number_and_points(self):
        self.member._post_points("adjust", 300, "2024-01-10", reason="Start")
        self.member.note = "Prefers mornings"
        number = self.member.number
        self._change("leave", "2024-02-01")
        self.env["garage.loyalty.enrol"].create(
            {"partner_id": self.customer.id, "consent_terms": True}
        ).action_enrol()
        self.assertEqual(self.customer.loyalty_member_id, self.member)
        self.assertEqual(self.member.state, "active")
        self.assertEqual(self.member.number, number)
        self.assertEqual(self.member.points, 300)
        self.assertTrue(self.member.consent_terms_date)
        self.assertEqual(self.member.note, "Prefers mornings")

    def test_membership_beside_a_left_one_is_the_one_that_counts(self):
        self._change("leave", "2024-02-01")
        second = self._enrol(self.other, date="2024-03-01")
        self._hand_over(second, self.customer)
        self.assertEqual(self.customer.loyalty_member_id, second)
        found = self.env["res.partner"].search([("loyalty_status", "=", "left")])
        self.assertNotIn(self.customer, found)

    def test_history_cannot_be_rewritten(self):
        with self.assertRaisesRegex(UserError, "kept as it happened"):
            self.member.status_ids.sudo().write({"date": "2020-01-01"})
        nothing = self.member.status_ids.browse()
        self.assertTrue(nothing.write({"date": "2020-01-01"}))

    # -- protected --------------------------------------------------------------

    def test_protected_fields_refused_on_write(self):
        other = self.setup_other_company()["company"]
        for name, value in {
            "points": 99,
            "state": "left",
            "partner_id": self.other.id,
            "program_id": self.program.copy().id,
            "date_joined": "2020-01-01",
            "date_left": "2024-12-31",
            "company_id": other.id,
            "number": "VIP",
        }.items():
            with (
                self.subTest(field=name),
                self.assertRaisesRegex(UserError, "through their buttons only"),
            ):
                self.member.write({name: value})
        self.assertLedger(self.member)

    def test_protected_fields_refused_on_create(self):
        other = self.setup_other_company()["company"]
        for name, value in {
            "points": 99,
            "state": "suspended",
            "date_left": "2024-12-31",
            "company_id": other.id,
        }.items():
            with (
                self.subTest(field=name),
                self.assertRaisesRegex(UserError, "through their buttons only"),
            ):
                self._enrol(self.other, **{name: value})

    def test_harmless_fields_can_be_written(self):
        self.member.write({"note": "Likes tea"})
        self.assertEqual(self.member.note, "Likes tea")

    # -- tier -------------------------------------------------------------------

    def test_tier_set_by_manager_leaves_a_row(self):
        self.member.tier_id = self.gold
        rows = self.member.status_ids
        self.assertEqual(rows.mapped("tier_id"), self.gold + self.bronze)
        self.assertEqual(rows[0].reason, "Set by hand")

    def test_tier_set_to_the_same_leaves_no_row(self):
        self.member.tier_id = self.bronze
        self.assertEqual(len(self.member.status_ids), 1)

    def test_tier_removed_leaves_a_row(self):
        self.member.tier_id = False
        self.assertFalse(self.member.tier_id)
        self.assertEqual(len(self.member.status_ids), 2)

    def test_tier_set_by_advisor_refused(self):
        advisor = self._create_user("advisor", USER)
        with self.assertRaisesRegex(AccessError, "Only loyalty managers"):
            self.member.with_user(advisor).tier_id = self.gold
        with self.assertRaisesRegex(AccessError, "Only loyalty managers"):
            self.Member.with_user(advisor).create(
                {"partner_id": self.other.id, "tier_id": self.gold.id}
            )

    def test_tier_of_another_programme_refused(self):
        stranger = self.program.copy().tier_ids[0]
        with self.assertRaisesRegex(UserError, "is not a tier of"):
            self.member.tier_id = stranger
        with self.assertRaisesRegex(UserError, "is not a tier of"):
            self._enrol(self.other, tier=stranger)

    def test_tier_chosen_at_enrolment_is_the_first(self):
        member = self._enrol(self.other, tier=self.silver)
        self.assertEqual(member.tier_id, self.silver)
        self.assertEqual(member.status_ids.tier_id, self.silver)

    def test_programme_without_tiers_enrols_without_tier(self):
        program = self.program.copy({"tier_ids": False})
        program.tier_ids.unlink()
        member = self._enrol(self.other, program=program)
        self.assertFalse(member.tier_id)
        self._pay(self._invoice(self.other))
        self.assertLedger(member, 1000)

    def test_points_worth_is_never_negative(self):
        self.member._post_points("adjust", 100, "2024-01-10", reason="Start")
        self.assertAlmostEqual(self.member.points_worth, 5)
        self.member._post_points("adjust", -300, "2024-01-10", reason="Wrong")
        self.assertEqual(self.member.points_worth, 0)

    # -- deletion ---------------------------------------------------------------

    def test_member_with_entries_cannot_be_deleted(self):
        self.member._post_points("adjust", 1, "2024-01-10", reason="Start")
        with self.assertRaisesRegex(UserError, "End the membership with “Leave”"):
            self.member.unlink()

    def test_member_without_entries_can_be_deleted(self):
        self.member.unlink()
        self.assertFalse(self.customer.loyalty_member_id)

    @mute_logger("odoo.sql_db")
    def test_customer_who_is_a_member_cannot_be_deleted(self):
        with self.assertRaisesRegex(UserError, "Archive the contact instead"):
            self.customer.unlink()
        self.other.unlink()
        self.assertFalse(self.other.exists())

    # -- buttons ----------------------------------------------------------------

    def test_buttons_open_what_belongs_to_the_member(self):
        member = self.member
        self._pay(self._invoice(self.customer))
        self._visit(self.customer)
        opened = {
            name: self._records(getattr(member, name)())
            for name in ("action_open_entries", "action_open_visits")
        }
        self.assertEqual(opened["action_open_entries"], member.entry_ids)
        self.assertEqual(len(opened["action_open_visits"]), 2)
        self.assertEqual(member.entry_count, 1)
        self.assertEqual(member.visit_count, 1)
        self.assertIn(member, self._records(self.program.action_open_members()))
        self.assertEqual(self.program.member_count, 1)

    def _records(self, action):
        return self.env[action["res_model"]].search(action["domain"])

    def test_button_of_partner_opens_member_or_enrolment(self):
        opened = self.customer.action_open_loyalty_member()
        self.assertEqual(
            (opened["res_model"], opened["res_id"]),
            ("garage.loyalty.member", self.member.id),
        )
        opened = self.other.action_open_loyalty_member()
        self.assertEqual(opened["res_model"], "garage.loyalty.enrol")
        self.assertEqual(opened["context"], {"default_partner_id": self.other.id})


@tagged("post_install", "-at_install")
class TestPartnerFields(GarageLoyaltyCommon):
    """What is searched is what is shown, for customers of every sort."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.firm = cls._create_customer("Firm", is_company=True)
        cls.driver = cls._create_customer("Driver", parent_id=cls.firm.id)
        cls.people = cls.customer + cls.other + cls.firm + cls.driver
        for name in ("suspended", "left", "anew", "elsewhere", "gold", "untiered"):
            cls.people += cls._create_customer(name.title())
        by_name = {partner.name: partner for partner in cls.people}
        cls._enrol(cls.customer)
        cls.firm_member = cls._enrol(cls.driver)
        cls._enrol(by_name["Suspended"])._suspend()
        cls._enrol(by_name["Left"])._leave()
        former = cls._enrol(cls._create_customer("Anew, before the merge"))
        former._leave()
        cls._enrol(by_name["Anew"], date="2024-06-01", tier=cls.silver)
        cls._hand_over(former, by_name["Anew"])
        cls._enrol(by_name["Gold"], tier=cls.gold)
        cls._enrol(by_name["Untiered"]).tier_id = False
        other = cls.setup_other_company()["company"]
        cls._enrol(
            by_name["Elsewhere"],
            program=cls.env["garage.loyalty.program"]._get_default(other),
        )
        cls.Partner = cls.env["res.partner"].with_company(cls.company)

    def _oracle(self, name, operator, value):
        """Filter by the field itself, one customer after the other."""
        values = value if isinstance(value, list) else [value]

        def shown(partner):
            value = partner[name]
            return value.id if hasattr(value, "id") else value

        people = self.people.with_company(self.company)
        inside = people.filtered(lambda partner: shown(partner) in values)
        return people - inside if operator in ("!=", "not in") else inside

    def assertSearch(self, name, operator, value):
        with self.subTest(field=name, operator=operator, value=value):
            found = self.Partner.search(
                [("id", "in", self.people.ids), (name, operator, value)]
            )
            expected = self._oracle(name, operator, value)
            self.assertEqual(set(found.mapped("name")), set(expected.mapped("name")))

    def test_search_by_membership_finds_what_is_shown(self):
        member = self.firm_member.id
        for operator, value in (
            ("=", member),
            ("!=", member),
            ("=", False),
            ("!=", False),
            ("in", [member, self.customer.loyalty_member_id.id]),
            ("not in", [member]),
            ("in", [member, False]),
        ):
            self.assertSearch("loyalty_member_id", operator, value)

    def test_search_by_member_or_not_finds_what_is_shown(self):
        for operator, value in (
            ("=", True),
            ("=", False),
            ("!=", True),
            ("!=", False),
            ("in", [True, False]),
        ):
            self.assertSearch("is_loyalty_member", operator, value)

    def test_search_by_tier_finds_what_is_shown(self):
        bronze, gold = self.bronze.id, self.gold.id
        for operator, value in (
            ("=", bronze),
            ("!=", bronze),
            ("=", False),
            ("!=", False),
            ("in", [bronze, gold]),
            ("not in", [bronze]),
            ("in", [gold, False]),
        ):
            self.assertSearch("loyalty_tier_id", operator, value)

    def test_search_by_status_finds_what_is_shown(self):
        for operator, value in (
            ("=", "active"),
            ("!=", "active"),
            ("=", "left"),
            ("=", "suspended"),
            ("=", False),
            ("!=", False),
            ("in", ["active", "left"]),
            ("not in", ["left"]),
            ("in", ["left", False]),
        ):
            self.assertSearch("loyalty_status", operator, value)

    def test_search_with_other_operators_is_refused(self):
        Partner = self.env["res.partner"]
        for name in (
            "loyalty_member_id",
            "is_loyalty_member",
            "loyalty_tier_id",
            "loyalty_status",
        ):
            search = getattr(Partner, f"_search_{name}")
            self.assertIs(search("ilike", "x"), NotImplemented)

    def test_contact_shows_what_its_company_has(self):
        self.firm_member._post_points("adjust", 40, "2024-01-01", reason="Start")
        self.assertEqual(self.driver.loyalty_points, 40)
        self.assertEqual(self.driver.loyalty_tier_id, self.bronze)

    def test_new_contact_shows_nothing(self):
        partner = self.env["res.partner"].new({"name": "Not saved"})
        self.assertFalse(partner.loyalty_member_id)
        self.assertFalse(partner.is_loyalty_member)
        self.assertEqual(partner.visit_count, 0)

    def test_badge_of_contact_shows_tier_and_points_to_loyalty_users_only(self):
        self.firm_member._post_points("adjust", 40, "2024-01-01", reason="Start")

        def badges(user):
            partner = self.firm.with_user(user).with_company(self.company)
            return [
                (item["label"], item["value"])
                for item in partner.application_statistics or []
                if item["iconClass"] == "fa-star"
            ]

        for login, group, expected in (
            ("advisor", USER, [("Bronze", 40)]),
            ("manager", MANAGER, [("Bronze", 40)]),
            ("auditor", ACCOUNTANT, [("Bronze", 40)]),
            ("nobody", "base.group_user", []),
        ):
            with self.subTest(login=login):
                self.assertEqual(badges(self._create_user(login, group)), expected)

    def test_visits_of_another_company_are_not_counted(self):
        self._visit(self.customer, "2024-02-03")
        here = self.customer.with_company(self.company)
        other = self.env.companies - self.company
        self.assertEqual(here.visit_count, 1)
        self.assertEqual(str(here.last_visit_date), "2024-02-03")
        there = self.customer.with_company(other[:1])
        self.assertEqual((there.visit_count, there.last_visit_date), (0, False))


@tagged("post_install", "-at_install")
class TestMemberVisitSearch(GarageLoyaltyCommon):
    def test_search_finds_what_is_shown(self):
        open_other = self._create_repair(self.other)
        done_other, _invoice = self._visit(self.other, "2024-02-01")
        before, _invoice = self._visit(self.customer, "2024-01-01")
        self._enrol(self.customer, date="2024-01-15")
        after, _invoice = self._visit(self.customer, "2024-02-01")
        open_member = self._create_repair(self.customer)
        nobody = self.env["repair.order"].create({"company_id": self.company.id})
        repairs = open_other + done_other + before + after + open_member + nobody
        for operator, value in (
            ("=", True),
            ("=", False),
            ("!=", True),
            ("in", [True, False]),
        ):
            with self.subTest(operator=operator, value=value):
                found = repairs.search(
                    [("id", "in", repairs.ids), ("is_member_visit", operator, value)]
                )
                values = value if isinstance(value, list) else [value]
                wanted = repairs.filtered(
                    lambda repair, values=values: repair.is_member_visit in values
                )
                expected = repairs - wanted if operator == "!=" else wanted
                self.assertEqual(found, expected.sorted())
        self.assertIs(repairs._search_is_member_visit("ilike", "x"), NotImplemented)
