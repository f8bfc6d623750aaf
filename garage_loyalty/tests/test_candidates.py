import random
from datetime import date, timedelta

from dateutil.relativedelta import relativedelta

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command, Date
from odoo.tests import Form, freeze_time, new_test_user, tagged

from .common import ACCOUNTANT, MANAGER, USER, GarageLoyaltyCommon

TODAY = "2024-06-15"


class CandidateCommon(GarageLoyaltyCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Candidate = cls.env["garage.loyalty.candidate"]
        cls.Invitation = cls.env["garage.loyalty.invitation"]
        cls.advisor = cls._create_user("advisor", USER)
        cls.tag = cls.env["res.partner.category"].create({"name": "Rally"})
        cls.customer.email = "ada@example.com"

    @classmethod
    def _put_visit(cls, partner, day, amount=100, kind="repair", company=None):
        """Add the fact of a visit, without its documents."""
        cls.env.cr.execute(
            "INSERT INTO garage_loyalty_visit (kind, company_id, partner_id, date, "
            "amount) VALUES (%s, %s, %s, %s, %s)",
            [kind, (company or cls.company).id, partner.id, day, amount],
        )
        cls.env.invalidate_all()

    def _candidates(self, *domain):
        self.env.invalidate_all()  # as the next request would see them
        return self.Candidate.search([("company_id", "=", self.company.id), *domain])

    def _open(self, partners, user=None, **vals):
        """Return the preview for customers, as whoever opens it from a list."""
        partners = partners.with_user(user or self.env.user)
        action = partners.action_enrol_many()
        Wizard = partners.env["garage.loyalty.enrol.many"]
        return Wizard.with_context(**action["context"]).create(vals)

    def _refusals(self, wizard):
        return {
            line.partner_id: (line.enrol_refusal, line.invite_refusal)
            for line in wizard.line_ids
        }


@tagged("post_install", "-at_install")
@freeze_time(TODAY)
class TestCandidates(CandidateCommon):
    """The list of customers who could join."""

    def test_customer_who_came_lately_with_reasons(self):
        self._put_visit(self.customer, "2021-03-01")
        self._put_visit(self.customer, "2024-02-01")
        self._put_visit(self.customer, "2024-03-01", 50.5)
        self._put_visit(self.customer, "2024-04-01", 9, kind="sale")
        candidate = self._candidates()
        self.assertEqual(candidate.partner_id, self.customer)
        self.assertEqual(candidate.program_id, self.program)
        self.assertEqual((candidate.visit_count, candidate.spend), (2, 159.5))
        self.assertEqual(str(candidate.first_visit_date), "2021-03-01")
        self.assertEqual(str(candidate.last_visit_date), "2024-04-01")
        self.assertEqual(candidate.customer_kind, "private")
        self.assertRegex(
            candidate.reasons,
            r"^2 visits, .*159.50.* in 12 months; customer since 2021$",
        )
        self.assertEqual(candidate.display_name, self.customer.display_name)

    def test_members_and_former_members_are_not_in_it(self):
        for partner in (self.customer, self.other):
            self._put_visit(partner, "2024-03-01")
        member = self._enrol(self.customer)
        self.assertEqual(self._candidates().partner_id, self.other)
        member._leave()
        self.assertEqual(self._candidates().partner_id, self.other)

    def test_archived_customers_are_not_in_it(self):
        self._put_visit(self.customer, "2024-03-01")
        self.customer.active = False
        self.assertFalse(self._candidates())

    def test_first_programme_of_the_company_counts(self):
        self._put_visit(self.customer, "2024-03-01")
        first = self.program.copy({"sequence": 1, "join_min_visits": 2})
        self.assertFalse(self._candidates())
        first.sequence = 20
        self.assertEqual(self._candidates().program_id, self.program)
        self.program.active = False
        self.assertFalse(self._candidates())

    def test_companies_do_not_mix(self):
        elsewhere = self.setup_other_company()["company"]
        self._put_visit(self.customer, "2024-03-01")
        self._put_visit(self.customer, "2024-03-01", 7, company=elsewhere)
        self._enrol(self.customer)
        self.assertFalse(self._candidates())
        theirs = self.Candidate.search([("company_id", "=", elsewhere.id)])
        self.assertEqual((theirs.partner_id, theirs.spend), (self.customer, 7))

    def test_branches_that_share_count_together(self):
        branch = self.env["res.company"].create(
            {"name": "Branch", "parent_id": self.company.id}
        )
        self.program.join_min_visits = 2
        self._put_visit(self.customer, "2024-03-01")
        self._put_visit(self.customer, "2024-03-02", company=branch)
        self.assertFalse(self._candidates())
        self.program.share_branches = True
        self.assertEqual(self._candidates().visit_count, 2)
        self.assertFalse(self.Candidate.search([("company_id", "=", branch.id)]))
        helper = self._create_user("helper", USER)
        helper.write(
            {"company_id": branch.id, "company_ids": [Command.set(branch.ids)]}
        )
        Theirs = self.Candidate.with_user(helper).with_context(
            allowed_company_ids=branch.ids
        )
        self.assertEqual(Theirs.search([]).partner_id, self.customer)

    def test_day_is_that_of_the_workshop(self):
        self.company.partner_id.tz = "Pacific/Auckland"
        self._put_visit(self.customer, "2023-06-16")
        with freeze_time(f"{TODAY} 11:00:00"):
            self.assertTrue(self._candidates())
        with freeze_time(f"{TODAY} 13:00:00"):
            self.assertFalse(self._candidates())

    def test_last_answer_counts(self):
        self._put_visit(self.customer, "2024-03-01")
        repair = self._create_repair(self.customer)
        self.assertFalse(self._candidates().is_declined)
        repair.action_decline()
        self.assertTrue(self._candidates().is_declined)
        self._create_repair(self.customer)  # nobody asked
        self.assertTrue(self._candidates(("is_declined", "=", True)))
        self._create_repair(self.customer).loyalty_offer = "accepted"
        self.assertFalse(self._candidates().is_declined)

    def test_answer_of_a_contact_counts_for_the_company(self):
        firm = self._create_customer("Firm", is_company=True)
        clerk = self._create_customer("Clerk", parent_id=firm.id)
        self._put_visit(firm, "2024-03-01")
        self._create_repair(clerk).action_decline()
        candidate = self._candidates()
        self.assertEqual(candidate.customer_kind, "company")
        self.assertTrue(candidate.is_declined)
        declined = self.Invitation._get_declined(firm | self.customer, self.company)
        self.assertEqual(declined, firm)

    def test_reading_groups_searching_and_sorting(self):
        self.customer.category_id = self.tag
        for partner in (self.customer, self.other):
            self._put_visit(partner, "2024-03-01")
        self._put_visit(self.other, "2024-03-02")
        rows = self.Candidate._read_group(
            [("company_id", "=", self.company.id)],
            ["customer_kind", "first_visit_date:year"],
            ["spend:sum", "__count"],
        )
        self.assertEqual(rows, [("private", date(2024, 1, 1), 300.0, 2)])
        self.assertEqual(
            self._candidates(("tag_ids", "in", self.tag.ids)).partner_id, self.customer
        )
        self.assertEqual(
            self._candidates(("partner_id.email", "!=", False)).partner_id,
            self.customer,
        )
        self.assertEqual(
            self._candidates().mapped("partner_id"), self.other | self.customer
        )
        found = self.Candidate.search([])
        self.assertEqual(self.Candidate.search_count([]), len(found))

    def test_invoiced_and_enrolled_customers_change_the_list_at_once(self):
        self._visit(self.customer, TODAY)
        candidate = self._candidates()
        self.assertEqual((candidate.visit_count, candidate.spend), (1, 200))
        self._enrol(self.customer)
        self.assertFalse(self._candidates())

    def test_rights(self):
        self._put_visit(self.customer, "2024-03-01")
        mine = self._candidates().with_user(self.advisor)
        self.assertTrue(mine.reasons)
        with self.assertRaises(AccessError):
            mine.write({"spend": 5})
        for groups in ("base.group_user", ACCOUNTANT):
            other = self._create_user(f"user {groups}", groups)
            with self.assertRaises(AccessError):
                self.Candidate.with_user(other).search([])
        stranger = new_test_user(
            self.env,
            "stranger",
            groups=f"base.group_user,{MANAGER}",
            company_id=self.setup_other_company()["company"].id,
        )
        self.assertFalse(self.Candidate.with_user(stranger).search([]))


@tagged("post_install", "-at_install")
@freeze_time(TODAY)
class TestCandidatesOracle(CandidateCommon):
    """The query against the rules, on customers made by chance."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.numbers = random.Random(7)
        cls.tags = cls.tag | cls.tag.create([{"name": "Fleet"}, {"name": "VIP"}])
        cls.branch = cls.env["res.company"].create(
            {"name": "Branch", "parent_id": cls.company.id}
        )
        cls.program.share_branches = True
        cls.partners = cls.env["res.partner"].create(
            [
                {
                    "name": f"Customer {number}",
                    "is_company": cls.numbers.random() < 0.3,
                    "active": cls.numbers.random() < 0.9,
                    "category_id": [
                        Command.set(
                            [tag.id for tag in cls.tags if cls.numbers.random() < 0.3]
                        )
                    ],
                }
                for number in range(80)
            ]
        )
        cls._visit_by_chance()
        cls._join_by_chance()

    @classmethod
    def _visit_by_chance(cls):
        for partner in cls.partners:
            for _time in range(cls.numbers.randrange(6)):
                cls._put_visit(
                    partner,
                    date(2024, 6, 20) - timedelta(days=cls.numbers.randrange(900)),
                    cls.numbers.randrange(-2000, 60000) / 100,
                    cls.numbers.choice(["repair", "repair", "sale"]),
                    cls.numbers.choice([cls.company, cls.branch]),
                )

    @classmethod
    def _join_by_chance(cls):
        for partner in cls.partners[:20].filtered("active"):
            member = cls._enrol(partner)
            if cls.numbers.random() < 0.5:
                member._leave()
        for partner in cls.partners[20:50].filtered("active"):
            repair = cls.env["repair.order"].create(
                {"partner_id": partner.id, "company_id": cls.company.id}
            )
            repair.loyalty_offer = cls.numbers.choice(
                ["not_asked", "accepted", "declined"]
            )

    def _expect(self):
        """Return candidates by the rules, one customer after the other."""
        joining, day = self.program._get_rules().joining, Date.to_date(TODAY)
        after = day - relativedelta(months=self.program.join_months)
        known = self.program._get_join_customers(self.partners, day)
        members = self.Member.search([]).partner_id
        found = {}
        for partner in self.partners - members:
            visits = self.Visit.search([("partner_id", "=", partner.id)])
            recent = visits.filtered(lambda visit: after < visit.date <= day)
            if not partner.active or not recent:
                continue
            if joining.refusals(known[partner], day):
                continue
            found[partner.id] = (
                round(sum(recent.mapped("amount")), 2),
                len(recent.filtered(lambda visit: visit.kind == "repair")),
                min(visits.mapped("date")),
                max(recent.mapped("date")),
            )
        return found

    def test_query_says_what_the_rules_say(self):
        choose, sizes = self.numbers.choice, set()
        for _round in range(25):
            self.program.write(
                {
                    "join_months": choose([1, 6, 12, 24]),
                    "join_min_spend": choose([0, 0, 50, 400]),
                    "join_min_visits": choose([0, 0, 1, 2]),
                    "join_min_age_months": choose([0, 0, 3, 12]),
                    "join_kind": choose(["anyone", "anyone", "private", "company"]),
                    "join_tag_ids": choose([[], [], self.tags[:2].ids]),
                    "join_excluded_tag_ids": choose([[], self.tags[2:].ids]),
                }
            )
            found = {
                candidate.partner_id.id: (
                    round(candidate.spend, 2),
                    candidate.visit_count,
                    candidate.first_visit_date,
                    candidate.last_visit_date,
                )
                for candidate in self._candidates(
                    ("partner_id", "in", self.partners.ids)
                )
            }
            self.assertEqual(found, self._expect())
            sizes.add(len(found))
        self.assertGreater(len(sizes), 5)

    def test_declined_is_what_the_preview_says(self):
        candidates = self._candidates(("partner_id", "in", self.partners.ids))
        self.Invitation._send(candidates.partner_id[:5], self.program)
        self.Invitation.search([], limit=3).action_decline()
        self.env.invalidate_all()
        declined = candidates.filtered("is_declined").partner_id
        self.assertTrue(declined)
        expected = self.Invitation._get_declined(candidates.partner_id, self.company)
        self.assertEqual(set(declined), set(expected))

    def test_ids_are_unique_and_stay(self):
        ids = self._candidates().ids
        self.assertEqual(len(ids), len(set(ids)))
        partners = self._candidates().mapped("partner_id.id")
        self.env.invalidate_all()
        self.assertEqual(self.Candidate.browse(ids).mapped("partner_id.id"), partners)


@tagged("post_install", "-at_install")
@freeze_time(TODAY)
class TestEnrolMany(CandidateCommon):
    """Enrolling and inviting many, after a preview."""

    def test_preview_says_who_and_why_not(self):
        self.program.write(
            {"signup_bonus": 100, "point_value": 0.05, "join_kind": "private"}
        )
        firm = self._create_customer("Firm", is_company=True, email="f@example.com")
        member = self._create_customer("Member", email="m@example.com")
        self._enrol(member)
        former = self._create_customer("Former", email="l@example.com")
        self._enrol(former)._leave()
        no_mail = self._create_customer("Old school")
        said_no = self._create_customer("No", email="n@example.com")
        self._create_repair(said_no).action_decline()
        no_ads = self._create_customer("No ads", email="ads@example.com")
        self.env["mail.blacklist"]._add("ads@example.com")
        gone = self._create_customer("Gone", email="g@example.com", active=False)
        everybody = (
            self.customer | firm | member | former | no_mail | said_no | no_ads | gone
        )
        wizard = self._open(everybody, self.advisor)
        no = "Only private customers may join."
        self.assertEqual(
            self._refusals(wizard),
            {
                self.customer: (False, False),
                firm: (no, no),
                member: ("Is a member already.",) * 2,
                former: ("Was a member before: use “Come back” there.",) * 2,
                no_mail: (False, "Has no e-mail address."),
                said_no: ("Declined when asked.",) * 2,
                no_ads: (False, "Wants no advertising."),
                gone: ("The contact is archived.",) * 2,
            },
        )
        self.assertEqual((wizard.enrol_count, wizard.invite_count), (3, 1))
        self.assertEqual(wizard.left_out_count, 5)
        self.assertEqual((wizard.bonus_total, wizard.bonus_worth), (300, 15))
        self.assertFalse(self.customer.is_loyalty_member)
        self.assertFalse(self.Invitation.search([]))
        wizard.with_declined = True
        self.assertEqual((wizard.enrol_count, wizard.invite_count), (4, 2))

    def test_preview_opens_from_candidates(self):
        self._put_visit(self.customer, "2024-03-01")
        action = self._candidates().with_user(self.advisor).action_enrol()
        Wizard = self.env["garage.loyalty.enrol.many"].with_user(self.advisor)
        with Form(Wizard.with_context(**action["context"])) as form:
            self.assertEqual(form.enrol_count, 1)
            self.assertEqual(len(form.line_ids), 1)
            form.consent_terms = True
        form.save().action_enrol()
        self.assertTrue(self.customer.is_loyalty_member)

    def test_enrolling_needs_consent_and_somebody(self):
        wizard = self._open(self.customer, self.advisor)
        with self.assertRaisesRegex(UserError, "accept the terms"):
            wizard.action_enrol()
        wizard.consent_terms = True
        action = wizard.action_enrol()
        member = self.customer.loyalty_member_id
        self.assertEqual(action["domain"], [("id", "in", member.ids)])
        self.assertTrue(member.consent_terms_date)
        self.assertEqual(member.enrolled_by_id, self.advisor)
        with self.assertRaisesRegex(UserError, "None of these"):
            wizard.action_enrol()

    def test_lines_that_were_tampered_with_change_nothing(self):
        self.program.join_kind = "company"
        wizard = self._open(self.customer, self.advisor, consent_terms=True)
        wizard.line_ids.write({"enrol_refusal": False, "invite_refusal": False})
        for act in (wizard.action_enrol, wizard.action_invite):
            with self.assertRaisesRegex(UserError, "None of these"):
                act()

    def test_contacts_of_one_company_are_one_customer(self):
        firm = self._create_customer("Firm", is_company=True)
        clerks = self._create_customer("Clerk", parent_id=firm.id)
        clerks |= self._create_customer("Boss", parent_id=firm.id)
        wizard = self._open(clerks, consent_terms=True)
        self.assertEqual(wizard.enrol_count, 1)
        wizard.action_enrol()
        self.assertTrue(firm.is_loyalty_member)

    def test_action_in_the_list_of_contacts(self):
        action = self.env.ref("garage_loyalty.res_partner_action_enrol_many")
        opened = (
            action.with_user(self.advisor)
            .with_context(active_model="res.partner", active_ids=self.customer.ids)
            .run()
        )
        self.assertEqual(opened["context"]["default_partner_ids"], self.customer.ids)
        internal = self._create_user("internal")
        with self.assertRaises(AccessError):
            self._open(self.customer, internal)

    def test_too_many_at_once(self):
        partners = self.env["res.partner"].create(
            [{"name": f"Customer {number}"} for number in range(1001)]
        )
        with self.assertRaisesRegex(UserError, "at most 1000"):
            partners.action_enrol_many()
        with self.assertRaisesRegex(UserError, "at most 1000"):
            self.env["garage.loyalty.enrol.many"].create(
                {"partner_ids": partners.ids, "program_id": self.program.id}
            )

    # -- invitations ----------------------------------------------------------------

    def _mails(self):
        return self.env["mail.mail"].search(
            [("model", "=", "garage.loyalty.invitation")], order="id"
        )

    def test_invitation_waits_in_the_queue_in_the_language_of_the_customer(self):
        self.env["res.lang"]._activate_lang("nl_NL")
        template = self.env.ref("garage_loyalty.mail_template_invitation")
        template.with_context(lang="nl_NL").subject = "Welkom bij {{ 1 + 1 }}"
        self.customer.lang = "nl_NL"
        self.program.signup_bonus = 125
        self._open(self.customer, self.advisor).action_invite()
        mail = self._mails()
        self.assertEqual(mail.state, "outgoing")
        self.assertEqual(mail.recipient_ids, self.customer)
        self.assertEqual(mail.subject, "Welkom bij 2")
        self.assertIn("125", mail.body_html)
        self.assertIn(self.company.name, mail.body_html)
        invitation = self.Invitation.search([])
        self.assertEqual(invitation.user_id, self.advisor)
        self.assertEqual((str(invitation.date), invitation.answer), (TODAY, "waiting"))

    def test_invitation_escapes_what_people_type(self):
        evil = "<script>alert('points')</script>"
        self.customer.name = evil
        self.program.name = evil
        self._open(self.customer).action_invite()
        body = self._mails().body_html
        self.assertNotIn("<script>", body)
        self.assertIn("&lt;script&gt;", body)

    def test_nobody_is_invited_twice_within_some_weeks(self):
        self._open(self.customer).action_invite()
        wizard = self._open(self.customer)
        self.assertEqual(wizard.enrol_count, 1)
        self.assertIn("Was invited on", wizard.line_ids.invite_refusal)
        with self.assertRaisesRegex(UserError, "None of these"):
            wizard.action_invite()
        wizard.invite_again = True
        wizard.action_invite()
        self.assertEqual(len(self._mails()), 2)
        with freeze_time("2024-09-12"):
            self.assertEqual(self._open(self.customer).invite_count, 0)
        with freeze_time("2024-09-13"):
            self.assertEqual(self._open(self.customer).invite_count, 1)

    def test_answers_are_noted(self):
        for partner in (self.customer, self.other):
            partner.email = f"c{partner.id}@example.com"
            self._put_visit(partner, "2024-03-01")
        self._open(self.customer | self.other).action_invite()
        self.assertEqual(
            set(map(str, self._candidates().mapped("invited_on"))), {TODAY}
        )
        mine = self.Invitation.search([("partner_id", "=", self.other.id)])
        mine.with_user(self.advisor).action_decline()
        candidate = self._candidates(("partner_id", "=", self.other.id))
        self.assertTrue(candidate.is_declined)
        self._enrol(self.customer)
        joined = self.Invitation.search([("partner_id", "=", self.customer.id)])
        self.assertEqual((joined.answer, mine.answer), ("joined", "declined"))
        with self.assertRaisesRegex(UserError, "has joined already"):
            joined.action_decline()
        self._enrol(self.other)
        self.assertEqual(mine.answer, "joined")

    def test_invitation_of_another_company_is_not_answered(self):
        self._open(self.customer).action_invite()
        elsewhere = self.setup_other_company()["company"]
        program = self.env["garage.loyalty.program"]._get_default(elsewhere)
        self._enrol(self.customer, program=program)
        self.assertEqual(self.Invitation.search([]).answer, "waiting")

    def test_invitations_follow_customers_that_are_merged(self):
        self._open(self.customer).action_invite()
        wizard = self.env["base.partner.merge.automatic.wizard"]
        wizard._merge((self.customer | self.other).ids, self.other)
        self.assertEqual(self.Invitation.search([]).partner_id, self.other)

    def test_only_loyalty_users_note_answers(self):
        self._open(self.customer).action_invite()
        invitation = self.Invitation.search([])
        with self.assertRaises(AccessError):
            invitation.with_user(self._create_user("internal")).action_decline()
        with self.assertRaises(AccessError):
            invitation.with_user(self.advisor).write({"answer": "joined"})

    def test_without_template_nothing_is_noted(self):
        self.env.ref("garage_loyalty.mail_template_invitation").unlink()
        with self.assertRaisesRegex(UserError, "template of the invitation"):
            self._open(self.customer).action_invite()
        self.assertFalse(self.Invitation.search([]))

    # -- many -----------------------------------------------------------------------

    def _count_queries(self, number):
        partners = self.env["res.partner"].create(
            [{"name": f"Customer {number} {index}"} for index in range(number)]
        )
        wizard = self._open(partners, consent_terms=True)
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        wizard.action_enrol()
        self.env.flush_all()
        found = self.env.cr.sql_log_count - before
        self.assertEqual(sum(partners.loyalty_member_id.mapped("points")), number * 5)
        return found

    def test_statements_grow_no_faster_than_the_customers(self):
        self.program.signup_bonus = 5
        self._count_queries(1)
        few, many = self._count_queries(10), self._count_queries(110)
        self.assertLess(many - few, 100 * 12)

    def test_preview_of_many_takes_few_statements(self):
        def count(number):
            partners = self.env["res.partner"].create(
                [{"name": f"Customer {index}"} for index in range(number)]
            )
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.assertEqual(self._open(partners).enrol_count, number)
            return self.env.cr.sql_log_count - before

        self.program.join_min_spend = 0
        self.program.join_kind = "private"
        count(1)
        self.assertLess(count(200) - count(20), 10)
