from odoo import Command
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import freeze_time, tagged
from odoo.tools import html2plaintext

from ..tools.draw import draw
from .common import ACCOUNTANT, MANAGER, USER
from .test_campaigns import CampaignsCommon
from .test_candidates import CandidateCommon

TODAY = "2024-06-15"


class HoldoutCommon(CandidateCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Holdout = cls.env["garage.loyalty.holdout"]
        cls.manager = cls._create_user("holder", MANAGER)

    @classmethod
    def _create_crowd(cls, number, day="2024-03-01", **vals):
        """Return customers who came lately, and can be reached."""
        partners = cls.env["res.partner"].create(
            [{"name": f"C{place}", "phone": "123", **vals} for place in range(number)]
        )
        for partner in partners:
            cls._put_visit(partner, day)
        return partners

    def _plan(self, user=None, **vals):
        Holdout = self.Holdout.with_user(user or self.manager)
        vals = {"name": "Not now", "date_end": "2025-06-15", "share": 40, **vals}
        return Holdout.create(vals)


@tagged("post_install", "-at_install")
@freeze_time(TODAY)
class TestHoldout(HoldoutCommon):
    """The draw."""

    def test_draw_is_by_lot_and_can_be_done_again_by_anybody(self):
        crowd = self._create_crowd(80)
        holdout = self._plan()
        holdout.action_draw()
        self.assertEqual(holdout.state, "running")
        self.assertEqual(str(holdout.date_start), TODAY)
        self.assertEqual(holdout.drawn_by_id, self.manager)
        self.assertEqual((holdout.invited_count, holdout.held_out_count), (48, 32))
        rows = holdout.customer_ids
        self.assertEqual(rows.partner_id, crowd)
        held_out = rows.filtered("is_held_out").partner_id
        self.assertEqual(set(held_out.ids), draw(crowd.ids, 40, holdout.seed))
        self.assertEqual(holdout.invited_before, 1)

    def test_who_is_not_drawn(self):
        crowd = self._create_crowd(80)
        silent = self._create_crowd(1, phone=False)
        old = self._create_crowd(1, day="2022-01-01")
        member = self._create_crowd(1)
        self._enrol(member)
        declined = self._create_crowd(1)
        self._create_repair(declined).loyalty_offer = "declined"
        unwanted = self._create_crowd(1, email="no@example.com")
        self.env["mail.blacklist"]._add("no@example.com")
        holdout = self._plan()
        holdout.action_draw()
        drawn = holdout.customer_ids.partner_id
        self.assertEqual(drawn, crowd)
        self.assertFalse(drawn & (silent | old | member | declined | unwanted))

    def test_lots_are_drawn_once(self):
        self._create_crowd(80)
        holdout = self._plan()
        holdout.action_draw()
        seed, rows = holdout.seed, holdout.customer_ids
        holdout.action_draw()
        self.assertEqual((holdout.seed, holdout.customer_ids), (seed, rows))
        for vals in (
            {"share": 10},
            {"date_end": "2024-07-01"},
            {"state": "draft"},
            {"seed": "mine"},
            {"customer_ids": [Command.clear()]},
        ):
            with self.subTest(vals=vals), self.assertRaises(UserError):
                holdout.write(vals)
        with self.assertRaisesRegex(UserError, "cannot be deleted"):
            holdout.unlink()
        holdout.name = "Renamed"

    def test_nobody_makes_up_a_draw(self):
        for vals in ({"state": "done"}, {"seed": "1"}, {"invited_count": 4}):
            with self.subTest(vals=vals), self.assertRaises(UserError):
                self._plan(**vals)
            with self.subTest(vals=vals), self.assertRaises(UserError):
                self._plan().write(vals)
        copied = self._hold_out(self.other).copy()
        self.assertEqual((copied.state, copied.seed), ("draft", False))
        self.assertFalse(copied.customer_ids)
        copied.unlink()

    def test_too_few_customers_are_not_drawn(self):
        self._create_crowd(74)
        holdout = self._plan()
        self.assertIn("at least 30", html2plaintext(holdout.explanation))
        with self.assertRaisesRegex(UserError, "at least 30 .* 45 and 29"):
            holdout.action_draw()
        self.assertEqual(holdout.state, "draft")
        self._create_crowd(1)
        holdout.action_draw()
        self.assertEqual(holdout.held_out_count, 30)

    def test_what_would_be_found_is_said_before(self):
        self._create_crowd(100)
        holdout = self._plan(share=50)
        text = html2plaintext(holdout.explanation)
        self.assertIn("which 50 of 100 customers", text)
        # One visit each in a year: 2.8 · √(1/50 + 1/50) of a logarithm.
        self.assertRegex(text, r"with 50 customers .* difference of 75\.\d% in visits")

    def test_accountant_reads_the_plan_with_its_numbers(self):
        self._create_crowd(80)
        accountant = self._create_user("reader", ACCOUNTANT)
        holdout = self._plan().with_user(accountant)
        self.assertIn("32 of 80 customers", html2plaintext(holdout.explanation))
        self.assertFalse(self.Holdout.with_user(accountant).new()._get_visit_counts())

    def test_end_in_the_past_and_a_second_one_are_refused(self):
        self._create_crowd(80)
        with self.assertRaisesRegex(UserError, "in the future"):
            self._plan(date_end=TODAY).action_draw()
        self._plan(name="First").action_draw()
        with self.assertRaisesRegex(UserError, "“First” is running"):
            self._plan().action_draw()

    def test_only_managers_draw_and_advisors_read_nothing(self):
        self._create_crowd(80)
        holdout = self._plan()
        auditor = self._create_user("auditor", ACCOUNTANT)
        for user in (auditor, self._create_user("counter", USER)):
            for name in ("action_draw", "action_stop"):
                with self.subTest(user=user.login), self.assertRaises(AccessError):
                    getattr(holdout.with_user(user), name)()
        holdout.action_draw()
        self.assertTrue(holdout.with_user(auditor).customer_ids)
        with self.assertRaises(AccessError):
            self.env["garage.loyalty.holdout.customer"].with_user(user).search([])

    def test_company_that_keeps_no_accounts_is_refused(self):
        branch = self.env["res.company"].create(
            {"name": "Branch", "parent_id": self.company.id}
        )
        self.program.share_branches = True
        with self.assertRaisesRegex(ValidationError, "shares its customers"):
            self.Holdout.create({"name": "No", "company_id": branch.id})


@tagged("post_install", "-at_install")
@freeze_time(TODAY)
class TestHoldoutRespected(HoldoutCommon):
    """Who is held out is not asked, and may join."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other.email = "bob@example.com"
        for partner in (cls.customer, cls.other):
            cls._put_visit(partner, "2024-03-01")
        with freeze_time(TODAY):
            cls.holdout = cls._hold_out(cls.other, cls.customer)

    def test_candidates_are_hidden_while_it_runs(self):
        may = [("is_held_out", "=", False)]
        self.assertEqual(self._candidates(*may).partner_id, self.customer)
        held_out = self._candidates(("is_held_out", "=", True))
        self.assertEqual(held_out.partner_id, self.other)
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "garage_loyalty.garage_loyalty_candidate_action"
        )
        self.assertIn("search_default_filter_not_held_out", action["context"])
        for day, number in ((self.holdout.date_end, 1), ("2025-06-16", 2)):
            with freeze_time(day):
                self.env["garage.loyalty.visit"].search([]).invalidate_recordset()
                self._put_visit(self.customer, "2025-03-01")
                self._put_visit(self.other, "2025-03-01")
                self.assertEqual(len(self._candidates(*may)), number)

    def test_candidates_of_another_company_are_not_hidden(self):
        elsewhere = self.setup_other_company()["company"]
        self._put_visit(self.other, "2024-03-01", company=elsewhere)
        found = self.Candidate.search([("company_id", "=", elsewhere.id)])
        self.assertFalse(found.is_held_out)

    def test_advisor_does_not_invite_but_enrols(self):
        wizard = self._open(self.customer | self.other, self.advisor)
        refusals = self._refusals(wizard)
        self.assertEqual(refusals[self.customer], (False, False))
        enrol, invite = refusals[self.other]
        self.assertFalse(enrol)
        self.assertRegex(invite, "In the hold-out: not invited until")
        wizard.action_invite()
        self.assertEqual(self.Invitation.search([]).partner_id, self.customer)
        wizard = self._open(self.other, self.advisor, consent_terms=True)
        wizard.action_enrol()
        self.assertTrue(self.other.is_loyalty_member)

    def test_counter_is_told_not_to_ask(self):
        advisor = self._create_user("desk", USER, "stock.group_stock_user")
        child = self._create_customer("Child", parent_id=self.other.id)
        for partner, is_held_out in (
            (self.other, True),
            (child, True),
            (self.customer, False),
        ):
            repair = self._create_repair(partner, order=self.env["sale.order"])
            theirs = repair.with_user(advisor)
            theirs.invalidate_recordset()
            day = is_held_out and self.holdout.date_end
            self.assertEqual(theirs.loyalty_not_asked_until, day)
            self.assertEqual(
                "Do not ask" in (theirs.loyalty_asking_hint or ""), is_held_out
            )
        self._enrol(self.other)
        repair = self._create_repair(self.other)
        self.assertFalse(repair.loyalty_not_asked_until)

    def test_joining_at_the_counter_is_never_refused(self):
        self.env["garage.loyalty.enrol"].with_user(self.advisor).create(
            {
                "partner_id": self.other.id,
                "program_id": self.program.id,
                "consent_terms": True,
            }
        ).action_enrol()
        self.assertTrue(self.other.is_loyalty_member)
        self.assertTrue(self.holdout.customer_ids[1].is_held_out)

    def test_merged_customers_stay_in_the_group_of_the_one_who_stays(self):
        third = self._create_customer("Third")
        for src, dst, is_held_out in (
            (self.customer, self.other, True),
            (self.other, third, True),
        ):
            wizard = self.env["base.partner.merge.automatic.wizard"]
            wizard._merge((src | dst).ids, dst, extra_checks=False)
            self.env.invalidate_all()
            self.assertEqual(self.holdout.customer_ids.partner_id, dst)
            self.assertEqual(self.holdout.customer_ids.is_held_out, is_held_out)


@tagged("post_install", "-at_install")
@freeze_time("2024-01-15")
class TestHoldoutCampaigns(CampaignsCommon):
    """Campaigns that ask to join."""

    def _audience(self, **vals):
        campaign = self._campaign(None, trigger="once", **vals)
        self.env.flush_all()
        customers = self.env["garage.loyalty.customer"].search(
            campaign._get_due_domain(is_preview=True)
        )
        return customers.partner_id & (self.customer | self.other)

    def test_campaigns_that_ask_to_join_leave_out_who_is_held_out(self):
        both = self.customer | self.other
        for partner in both:
            self._invoice(partner, date="2023-11-14")
        self.env["garage.loyalty.changed.customer"]._process()
        self._hold_out(self.other)
        self.assertEqual(self._audience(), both)
        self.assertEqual(self._audience(is_invitation=True), self.customer)
        reward = self.env["garage.loyalty.reward"].create(
            {
                "name": "10% off",
                "program_id": self.program.id,
                "kind": "labour_percent",
                "points": 0,
                "is_personal": True,
            }
        )
        self.assertEqual(self._audience(reward_id=reward.id), self.customer)
        self._enrol(
            self.other, date="2024-01-10"
        ).sudo().consent_marketing_date = "2024-01-10 12:00:00"
        self.env["garage.loyalty.changed.customer"]._process()
        self.assertEqual(self._audience(reward_id=reward.id), both)
        for_members = self._campaign(None, reward_id=reward.id, scope="member")
        self.assertFalse(for_members.is_invitation)
