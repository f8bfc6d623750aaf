from contextlib import closing

from psycopg2 import IntegrityError

from odoo import SUPERUSER_ID, Command, api, fields
from odoo.exceptions import (
    AccessError,
    ConcurrencyError,
    UserError,
    ValidationError,
)
from odoo.modules.registry import Registry
from odoo.service.model import call_kw
from odoo.tests import BaseCase, Form, freeze_time, get_db_name, new_test_user, tagged
from odoo.tools import mute_logger

from .common import ACCOUNTANT, MANAGER, USER, GarageLoyaltyCommon

DIALOG = "garage_loyalty.garage_loyalty_adjustment_view_form_dialog"
TODAY, EARLY, LATE = "2024-02-01", "2024-03-31", "2024-12-31"


class AdjustmentCommon(GarageLoyaltyCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.program.write(
            {
                "earn_trigger": "posted",
                "expiry_rule": "age",
                "expiry_months": 12,
                "expiry_month_end": False,
                "bonus_expiry_months": 3,
                "goodwill_budget": 500,
                "minimum_redemption": 1,
                "point_value": 0.1,
                "labour_cap": 100,
            }
        )
        cls.member = cls._enrol(cls.customer)
        cls.friend = cls._enrol(cls.other)
        cls.advisor = cls._create_user("advisor", USER)
        cls.manager = cls._create_user("manager", MANAGER)
        cls.Adjustment = cls.env["garage.loyalty.adjustment"]

    @classmethod
    def _transfer(cls, points, **vals):
        vals = {"kind": "transfer", "to_member_id": cls.friend.id, **vals}
        return cls._adjust(cls.member, points, cls.manager, **vals)

    def _spend(self, points):
        invoice = self._invoice(self.customer, post=False)
        self._redeem(invoice, points)
        self.program.labour_rate = 0
        invoice.action_post()

    def _prepare(self, **vals):
        reason = self._get_reason("thank_you")
        return {
            "member_id": self.member.id,
            "points": 10,
            "reason_id": reason.id,
            **vals,
        }

    def _refused(self, error, message, call, *args, **kwargs):
        with (
            self.assertRaisesRegex(error, message),
            mute_logger("odoo.sql_db"),
            self.env.cr.savepoint(),
        ):
            call(*args, **kwargs)


@tagged("post_install", "-at_install")
@freeze_time(TODAY)
class TestAdjusting(AdjustmentCommon):
    def test_goodwill_posts_an_entry_that_says_who_why_and_from_what(self):
        adjustment = self._adjust(
            self.member,
            250,
            self.manager,
            reason_id=self._get_reason("complaint").id,
            note="  Brakes squeal ",
            reference="C-17",
        )
        entry = self.member.entry_ids
        self.assertEqual(
            (entry.kind, entry.points, entry.reason, entry.user_id),
            ("adjust", 250, "Complaint: Brakes squeal", self.manager),
        )
        self.assertEqual(fields.Date.to_string(entry.date), TODAY)
        self.assertEqual(entry._get_source(), adjustment)
        self.assertEqual(entry.source_name, adjustment.name)
        self.assertEqual(entry.action_open_source()["res_id"], adjustment.id)
        self.assertEqual(adjustment.entry_ids, entry)
        self.assertEqual(adjustment.state, "posted")
        self.assertEqual(adjustment.user_id, self.manager)
        self.assertFalse(adjustment.approved_by_id)
        self.assertSound(self.member)

    def test_goodwill_is_a_bonus_and_a_correction_is_not(self):
        self._adjust(self.member, 10)
        correction = self._get_reason("error").id
        self._adjust(self.member, 20, reason_id=correction, note="Typed 10 too few")
        gift, owed = self._lots(self.member)
        self.assertEqual((gift.remaining, gift.is_bonus), (10, True))
        self.assertEqual((owed.remaining, owed.is_bonus), (20, False))
        self.assertLots(self.member, (10, "2024-05-01"), (20, "2025-02-01"))

    def test_name_of_the_member_stays_out_of_the_ledger(self):
        adjustment = self._adjust(self.member, 10)
        self.assertNotIn("Ada", adjustment.entry_ids.source_name)
        self.assertTrue(adjustment.name.startswith("ADJ"))

    def test_manager_takes_points(self):
        self._adjust(self.member, 100)
        self._adjust(self.member, -100, self.manager)
        self.assertLedger(self.member, 100, -100)
        self.assertSound(self.member)

    def test_taking_more_than_there_is_refused(self):
        self._adjust(self.member, 100)
        self._refused(
            ValidationError, "100 points: 101", self._adjust, self.member, -101
        )
        self._refused(ValidationError, "0 points: 1", self._adjust, self.friend, -1)
        self.assertLedger(self.member, 100)

    def test_draft_that_became_too_much_refused_at_the_button(self):
        self._adjust(self.member, 100)
        draft = self.Adjustment.create(self._prepare(points=-100))
        self._adjust(self.member, -1)
        self._refused(ValidationError, "99 points: 100", draft.action_confirm)
        self.assertEqual(draft.state, "draft")

    def test_pending_points_can_be_taken(self):
        self.program.activation_days = 14
        self._invoice(self.customer, date=TODAY)
        self.assertEqual(self.member.points_available, 0)
        self._adjust(self.member, -1000)
        self.assertLedger(self.member, 1000, -1000)
        self.assertSound(self.member)

    def test_goodwill_in_debt_repays_it(self):
        self.member._post_points("adjust", -30, TODAY)
        self._adjust(self.member, 10)
        self.assertEqual((self.member.points, self.member.debt), (-20, 20))
        self.assertSound(self.member)

    def test_dialog_shows_the_balance_afterwards(self):
        self._adjust(self.member, 100)
        for kind, points, after in (("adjust", -30, 70), ("transfer", 30, 70)):
            draft = self.Adjustment.new(
                {"member_id": self.member.id, "points": points, "kind": kind}
            )
            self.assertEqual((draft.points_before, draft.points_after), (100, after))

    def test_dialog_of_an_advisor_posts(self):
        Adjustment = self.Adjustment.with_user(self.advisor)
        form = Form(Adjustment.with_context(default_member_id=self.member.id), DIALOG)
        form.points = 40
        form.reason_id = self._get_reason("late_repair")
        self.assertEqual((form.points_before, form.points_after), (0, 40))
        self.assertEqual((form.budget_left, form.needs_approval), (500, False))
        form.save().action_confirm()
        self.assertLedger(self.member, 40)
        self.assertEqual(self.member.entry_ids.reason, "Late repair")

    # -- bad input --------------------------------------------------------------

    def test_reason_is_required(self):
        self._refused(
            ValidationError,
            "Choose the reason",
            self._adjust,
            self.member,
            10,
            reason_id=False,
        )

    def test_reason_that_asks_for_a_note_refused_without(self):
        reason = self._get_reason("complaint")
        for note in (False, "", "   ", "\t\n"):
            with self.subTest(note=note):
                self._refused(
                    ValidationError,
                    "For “Complaint”, a note",
                    self._adjust,
                    self.member,
                    10,
                    reason_id=reason.id,
                    note=note,
                )

    def test_nothing_or_beyond_measure_refused(self):
        for points in (0, 1_000_001, -1_000_001, 2**31, 1e308, "1e3", True, None):
            with self.subTest(points=points):
                self._refused(
                    UserError,
                    "at most 1,000,000",
                    self.Adjustment.create,
                    self._prepare(points=points),
                )
        self._adjust(self.member, 1_000_000)
        self._adjust(self.member, -1_000_000)
        self.assertLedger(self.member, 1_000_000, -1_000_000)

    def test_points_left_out_or_by_default_beyond_measure_refused(self):
        vals = self._prepare()
        del vals["points"]
        for context in ({}, {"default_points": 2**31}):
            Adjustment = self.Adjustment.with_context(**context)
            with self.subTest(**context):
                self._refused(UserError, "at most", Adjustment.create, vals)

    def test_points_beyond_measure_refused_by_the_database(self):
        draft = self.Adjustment.create(self._prepare())
        self._refused(
            IntegrityError,
            "points_within_limit",
            self.env.cr.execute,
            "UPDATE garage_loyalty_adjustment SET points = 1000001 WHERE id = %s",
            [draft.id],
        )

    def test_text_that_cannot_be_stored_refused(self):
        for text in ("a\0b", "x" * 501, 5):
            for name in ("note", "reference"):
                with self.subTest(text=str(text)[:5], field=name):
                    self._refused(
                        UserError,
                        "at most 500|enter a text|cannot be kept",
                        self.Adjustment.create,
                        self._prepare(**{name: text}),
                    )

    # -- repair orders ----------------------------------------------------------

    def test_repair_order_opens_the_dialog_and_shows_what_was_given(self):
        advisor = self._create_user("counter", USER, "stock.group_stock_user")
        repair = self._create_repair(self.customer).with_user(advisor)
        action = repair.action_give_points()
        Adjustment = repair.env["garage.loyalty.adjustment"]
        form = Form(Adjustment.with_context(**action["context"]), DIALOG)
        form.points = 25
        form.reason_id = self._get_reason("late_repair")
        adjustment = form.save()
        adjustment.action_confirm()
        self.assertEqual(adjustment.member_id, self.member)
        self.assertEqual(repair.loyalty_adjustment_ids, adjustment)

    def test_advisor_without_repair_rights_reads_what_answers_a_repair(self):
        repair = self._create_repair(self.customer)
        self.assertFalse(repair.with_user(self.advisor).has_access("read"))
        adjustment = self._adjust(self.member, 10, repair_id=repair.id)
        form = Form(adjustment.with_user(self.advisor))
        self.assertEqual((form.points, form.repair_id.id), (10, repair.id))
        own = self._adjust(self.member, 10, self.advisor, repair_id=repair.id)
        self.assertEqual((own.state, own.repair_id.id), ("posted", repair.id))
        self.assertEqual(self.member.points, 20)

    def test_repair_order_of_a_contact_of_the_customer_accepted(self):
        contact = self._create_customer("Driver", parent_id=self.customer.id)
        repair = self._create_repair(contact)
        self._adjust(self.member, 10, repair_id=repair.id)
        self.assertEqual(self.member.points, 10)

    def test_repair_order_of_another_customer_refused(self):
        repair = self._create_repair(self.other)
        self._refused(
            ValidationError,
            "another customer",
            self._adjust,
            self.member,
            10,
            repair_id=repair.id,
        )

    # -- nothing but the buttons -------------------------------------------------

    def test_state_and_names_cannot_be_written_by_anybody(self):
        draft = self.Adjustment.create(self._prepare())
        for vals in (
            {"state": "posted"},
            {"approved_by_id": self.manager.id},
            {"user_id": self.advisor.id},
            {"name": "ADJ1"},
            {"budget_seq": 7},
            {"undo_of_id": draft.id},
        ):
            with self.subTest(vals=vals):
                refused = "through buttons only"
                mine = draft.with_user(self.manager)
                self._refused(UserError, refused, mine.write, vals)
                vals = self._prepare(**vals)
                self._refused(UserError, refused, mine.create, vals)

    def test_created_over_rpc_as_posted_is_a_draft(self):
        context = {"default_state": "posted", "default_user_id": self.manager.id}
        Adjustment = self.Adjustment.with_user(self.advisor).with_context(**context)
        found = call_kw(
            Adjustment, "create", [[self._prepare(points=9)]], {"context": context}
        )
        draft = self.Adjustment.browse(found)
        self.assertEqual((draft.state, draft.user_id), ("draft", self.advisor))
        self.assertLedger(self.member)

    def test_copy_of_a_posted_adjustment_is_a_draft(self):
        adjustment = self._adjust(self.member, 10, self.advisor)
        copy = adjustment.with_user(self.advisor).copy()
        self.assertEqual((copy.state, copy.budget_seq), ("draft", 0))
        self.assertNotEqual(copy.name, adjustment.name)
        self.assertFalse(copy.entry_ids)

    def test_posted_is_fixed_even_for_the_superuser(self):
        adjustment = self._adjust(self.member, 10)
        for theirs in (adjustment.with_user(self.manager), adjustment.sudo()):
            for vals in (
                {"points": 20},
                {"note": "x"},
                {"member_id": self.friend.id},
                {"date": "2020-01-01"},
            ):
                with self.subTest(vals=vals, su=theirs.env.su):
                    self._refused(UserError, "no draft any more", theirs.write, vals)
            self._refused(UserError, "cannot be deleted", theirs.unlink)

    def test_draft_can_be_changed_and_deleted(self):
        draft = self.Adjustment.with_user(self.advisor).create(self._prepare())
        draft.points = 20
        draft.unlink()
        self.assertFalse(draft.exists())
        self.assertLedger(self.member)

    def test_posting_twice_refused(self):
        adjustment = self._adjust(self.member, 10)
        self._refused(UserError, "is “Posted” by now", adjustment.action_confirm)
        self.assertLedger(self.member, 10)

    def test_used_reason_can_be_archived_but_not_deleted(self):
        reason = self._get_reason("thank_you").copy({"name": "Jubilee"})
        adjustment = self._adjust(self.member, 10, reason_id=reason.id)
        self._refused(IntegrityError, "reason", reason.unlink)
        reason.action_archive()
        self.assertEqual(adjustment.reason_id.name, "Jubilee")

    # -- roles and companies ----------------------------------------------------

    def test_advisor_neither_takes_nor_moves_nor_opens(self):
        self._adjust(self.member, 100)
        for points, vals in (
            (-1, {}),
            (5, {"kind": "opening"}),
            (5, {"kind": "transfer", "to_member_id": self.friend.id}),
        ):
            with self.subTest(points=points, **vals):
                self._refused(
                    AccessError,
                    "Only loyalty managers take",
                    self._adjust,
                    self.member,
                    points,
                    self.advisor,
                    **vals,
                )
        self.assertLedger(self.member, 100)

    def test_advisor_does_not_post_what_a_manager_has_prepared(self):
        self._adjust(self.member, 100)
        draft = self.Adjustment.create(self._prepare(points=-10))
        mine = draft.with_user(self.advisor)
        self._refused(AccessError, "Only loyalty managers take", mine.action_confirm)
        self.assertLedger(self.member, 100)

    def test_others_do_nothing_at_all(self):
        draft = self.Adjustment.create(self._prepare())
        for groups in (ACCOUNTANT, "base.group_user", "base.group_portal"):
            user = new_test_user(self.env, f"no {groups}", groups=groups)
            for method in (
                "action_confirm",
                "action_approve",
                "action_refuse",
                "action_open_undo",
                "action_undo",
            ):
                with self.subTest(groups=groups, method=method):
                    theirs = draft.with_user(user)
                    with self.assertRaises(AccessError):
                        call_kw(theirs, method, draft.ids, {})
            with self.assertRaises(AccessError):
                draft.with_user(user).create(self._prepare())
        self.assertEqual(draft.state, "draft")

    def test_manager_of_another_company_sees_and_does_nothing(self):
        elsewhere = self.setup_other_company()["company"]
        stranger = new_test_user(
            self.env,
            "stranger",
            groups=MANAGER,
            company_id=elsewhere.id,
            company_ids=[Command.set(elsewhere.ids)],
        )
        reason = self._get_reason("thank_you").copy({"company_id": self.company.id})
        draft = self.Adjustment.create(self._prepare())
        waiting = self._adjust(self.member, 501, self.advisor)
        posted = self._adjust(self.member, 10)
        theirs = self.Adjustment.with_user(stranger)
        self.assertFalse(theirs.search([]))
        self.assertNotIn(reason, reason.with_user(stranger).search([]))
        for adjustment, method in (
            (draft, "action_confirm"),
            (waiting, "action_approve"),
            (waiting, "action_refuse"),
            (posted, "action_open_undo"),
            (posted, "action_undo"),
        ):
            with self.subTest(method=method), self.assertRaises(AccessError):
                getattr(adjustment.with_user(stranger), method)()
        with self.assertRaises(AccessError):
            theirs.create(self._prepare())
        self.assertNotIn(stranger, waiting.activity_ids.user_id)
        self.assertLedger(self.member, 10)

    def test_budgets_of_two_companies_are_apart(self):
        elsewhere = self.setup_other_company()["company"]
        program = self.env["garage.loyalty.program"]._get_default(elsewhere)
        program.goodwill_budget = 70
        self.env.user.company_ids += elsewhere
        self.advisor.company_ids += elsewhere
        foreign = self._enrol(self._create_customer("Carl"), program=program)
        self._adjust(self.member, 500, self.advisor)
        both = self.Adjustment.with_user(self.advisor).with_context(
            allowed_company_ids=(self.company | elsewhere).ids
        )
        draft = both.create(self._prepare(member_id=foreign.id, points=70))
        draft.action_confirm()
        self.assertEqual((draft.state, draft.company_id), ("posted", elsewhere))
        self.assertEqual((draft.budget_seq, draft.budget_left), (2, 0))
        self.assertLedger(foreign, 70)

    def test_reason_of_another_company_refused(self):
        elsewhere = self.setup_other_company()["company"]
        reason = self._get_reason("thank_you").copy({"company_id": elsewhere.id})
        self._refused(
            UserError,
            "company inconsistencies",
            self._adjust,
            self.member,
            10,
            reason_id=reason.id,
        )


@tagged("post_install", "-at_install")
@freeze_time(TODAY)
class TestBudget(AdjustmentCommon):
    def _ask(self, points=600):
        return self._adjust(self.member, points, self.advisor)

    def _left(self, user=None):
        draft = self.Adjustment.with_user(user or self.advisor).new(self._prepare())
        return draft.budget_left

    def test_within_the_budget_is_posted_at_once(self):
        adjustment = self._adjust(self.member, 500, self.advisor)
        self.assertEqual(adjustment.state, "posted")
        self.assertEqual(self._left(), 0)
        self.assertEqual(self.member.entry_ids.user_id, self.advisor)

    def test_beyond_the_budget_waits_for_a_manager(self):
        self._adjust(self.member, 300, self.advisor)
        adjustment = self._ask(201)
        self.assertEqual(adjustment.state, "to_approve")
        self.assertFalse(adjustment.entry_ids)
        managers = self.program._get_managers()
        self.assertEqual(adjustment.activity_ids.user_id, managers)
        self.assertIn(self.manager, managers)
        self.assertEqual(self._left(), 200)
        self._adjust(self.friend, 200, self.advisor)
        self.assertEqual(self._left(), 0)
        self.assertLedger(self.member, 300)

    def test_asking_says_so(self):
        draft = self.Adjustment.with_user(self.advisor).create(
            self._prepare(points=501)
        )
        self.assertTrue(draft.needs_approval)
        action = draft.action_confirm()
        self.assertEqual(action["tag"], "display_notification")
        self.assertIn("manager was asked", action["params"]["message"])

    def test_no_budget_always_asks(self):
        self.program.goodwill_budget = 0
        self.assertEqual(self._ask(1).state, "to_approve")

    def test_negative_budget_refused(self):
        with self.assertRaises(IntegrityError), mute_logger("odoo.sql_db"):
            self.program.goodwill_budget = -1
            self.env.flush_all()

    def test_manager_needs_no_approval(self):
        adjustment = self._adjust(self.member, 501, self.manager)
        self.assertEqual(adjustment.state, "posted")
        self.assertFalse(adjustment.is_limited)
        self.assertFalse(adjustment.budget_seq)

    def test_approved_is_posted_with_both_names_and_leaves_the_budget(self):
        adjustment = self._ask()
        with freeze_time("2024-02-05"):
            adjustment.with_user(self.manager).action_approve()
        self.assertEqual(adjustment.state, "posted")
        self.assertEqual(
            (adjustment.user_id, adjustment.approved_by_id),
            (self.advisor, self.manager),
        )
        entry = self.member.entry_ids
        self.assertEqual((entry.points, entry.user_id), (600, self.manager))
        self.assertEqual(str(entry.date), "2024-02-05")
        self.assertEqual(adjustment.date, entry.date)
        self.assertTrue(entry.lot_ids.is_bonus)
        self.assertFalse(adjustment.activity_ids)
        self.assertEqual(self._left(), 500)
        self.assertSound(self.member)

    def test_refused_gives_nothing_and_keeps_the_name(self):
        adjustment = self._ask()
        adjustment.with_user(self.manager).action_refuse()
        self.assertEqual(
            (adjustment.state, adjustment.approved_by_id), ("refused", self.manager)
        )
        self.assertFalse(adjustment.activity_ids)
        self.assertLedger(self.member)
        note = adjustment.message_ids.filtered("partner_ids")
        self.assertEqual(note.partner_ids, self.advisor.partner_id)
        self.assertIn("Refused", note.body)

    def test_decided_once(self):
        adjustment = self._ask().with_user(self.manager)
        adjustment.action_refuse()
        for method in (adjustment.action_approve, adjustment.action_refuse):
            self._refused(UserError, "is “Refused” by now", method)
        self._refused(UserError, "cannot be deleted", adjustment.unlink)

    def test_advisor_may_not_decide(self):
        adjustment = self._ask()
        for user in (self.advisor, self._create_user("colleague", USER)):
            mine = adjustment.with_user(user)
            for method in (mine.action_approve, mine.action_refuse):
                self._refused(AccessError, "Only loyalty managers", method)
        self.assertEqual(adjustment.state, "to_approve")

    def test_approved_after_merging_goes_to_who_is_left(self):
        adjustment = self._ask()
        self.member.sudo()._merge_into(self.friend)
        adjustment.with_user(self.manager).action_approve()
        self.assertEqual((self.member.points, self.friend.points), (0, 600))
        self.assertEqual(adjustment.undo_balance, 0)
        adjustment.with_user(self.manager).action_undo()
        self.assertEqual((self.member.points, self.friend.points), (0, 0))
        self.assertSound(self.member | self.friend)

    def test_asked_for_is_fixed(self):
        adjustment = self._ask().with_user(self.advisor)
        self._refused(
            UserError, "no draft any more", adjustment.write, {"points": 100_000}
        )

    def test_budget_is_for_a_month_an_employee_and_a_programme(self):
        self._adjust(self.member, 500, self.advisor)
        colleague = self._create_user("colleague", USER)
        self.assertEqual((self._left(), self._left(colleague)), (0, 500))
        with freeze_time("2024-03-01"):
            self.assertEqual(self._left(), 500)
        second = self.program.copy({"goodwill_budget": 40})
        self.friend.sudo().program_id = second
        adjustment = self._adjust(self.friend, 40, self.advisor)
        self.assertEqual(adjustment.state, "posted")
        self.assertEqual(adjustment.budget_seq, 2)

    @freeze_time("2024-02-29 23:30:00")
    def test_month_is_that_of_the_workshop(self):
        self._adjust(self.member, 500, self.advisor)
        self.assertEqual(self._left(), 0)
        self.company.partner_id.tz = "Asia/Jakarta"
        self.assertEqual(self._left(), 500)

    def test_colleague_spends_the_own_budget_on_a_draft_of_another(self):
        colleague = self._create_user("colleague", USER)
        draft = self.Adjustment.with_user(self.advisor).create(self._prepare())
        draft.with_user(colleague).action_confirm()
        self.assertEqual(draft.user_id, colleague)
        self.assertEqual((self._left(), self._left(colleague)), (500, 490))

    def test_manager_sees_the_budget_of_who_asked(self):
        self._adjust(self.member, 300, self.advisor)
        adjustment = self._ask().with_user(self.manager)
        self.assertEqual((adjustment.budget_left, adjustment.is_limited), (200, True))

    def test_undone_comes_back_to_the_budget(self):
        adjustment = self._adjust(self.member, 500, self.advisor)
        adjustment.with_user(self.manager).action_undo()
        self.assertEqual(self._left(), 500)
        again = self._adjust(self.member, 500, self.advisor)
        self.assertEqual((again.state, again.budget_seq), ("posted", 2))

    def test_same_number_twice_refused_by_the_database(self):
        self._adjust(self.member, 10, self.advisor)
        second = self._adjust(self.member, 10, self.advisor)
        self._refused(
            IntegrityError, "budget_uniq", second.sudo().write, {"budget_seq": 1}
        )


@tagged("post_install", "-at_install")
class TestBudgetAtTheSameMoment(BaseCase):
    """Real transactions: nothing here sees what another has not committed."""

    def setUp(self):
        super().setUp()
        self.registry = Registry(get_db_name())
        with self._env() as env:
            partner = env["res.partner"].create({"name": "At the same moment"})
            program = env["garage.loyalty.program"]._get_default(env.company)
            member = env["garage.loyalty.member"].create(
                {"partner_id": partner.id, "program_id": program.id}
            )
            reason = env.ref("garage_loyalty.adjustment_reason_thank_you")
            vals = {"member_id": member.id, "points": 5, "reason_id": reason.id}
            drafts = env["garage.loyalty.adjustment"].create([vals, vals])
            self.ids = drafts.ids
        self.addCleanup(self._remove, partner.id, member.id, drafts.ids)

    def _env(self):
        return self._Transaction(self.registry.cursor())

    class _Transaction:
        def __init__(self, cr):
            self.cr = cr

        def __enter__(self):
            self.cr.__enter__()
            return api.Environment(self.cr, SUPERUSER_ID, {})

        def __exit__(self, *args):
            return self.cr.__exit__(*args)

    def _remove(self, partner_id, member_id, draft_ids):
        with self._env() as env:
            env["garage.loyalty.adjustment"].browse(draft_ids).unlink()
            env["garage.loyalty.member"].browse(member_id).unlink()
            env["res.partner"].browse(partner_id).unlink()

    def _draft(self, cr, index):
        env = api.Environment(cr, SUPERUSER_ID, {})
        return env["garage.loyalty.adjustment"].browse(self.ids[index])

    @mute_logger("odoo.sql_db")
    def test_second_of_two_is_tried_again_and_sees_the_first(self):
        with (
            closing(self.registry.cursor()) as first,
            closing(self.registry.cursor()) as second,
        ):
            late = self._draft(second, 1)
            self.assertEqual(late.budget_seq, 0)
            self._draft(first, 0)._take_from_budget()
            first.commit()
            with self.assertRaises(ConcurrencyError):
                late._take_from_budget()
            second.rollback()
            again = self._draft(second, 1)
            again._take_from_budget()
            self.assertEqual(again.budget_seq, 2)
            second.commit()


@tagged("post_install", "-at_install")
@freeze_time(TODAY)
class TestUndo(AdjustmentCommon):
    def _undo(self, adjustment):
        adjustment.with_user(self.manager).action_undo()
        return adjustment.undone_by_id

    def test_given_is_taken_from_its_own_lot(self):
        self._adjust(self.member, 50)
        adjustment = self._adjust(self.member, 100, self.advisor)
        mirror = self._undo(adjustment)
        self.assertLedger(self.member, 50, 100, -100)
        self.assertLots(self.member, (50, "2024-05-01"))
        self.assertEqual((adjustment.state, mirror.state), ("undone", "posted"))
        self.assertEqual((mirror.points, mirror.undo_of_id), (-100, adjustment))
        self.assertEqual(mirror.user_id, self.manager)
        self.assertEqual(mirror.entry_ids.reason, "Undone: Thank you")
        self.assertEqual(mirror.entry_ids._get_source(), mirror)
        self.assertEqual(
            mirror.entry_ids.allocation_ids.lot_id, adjustment.entry_ids.lot_ids
        )
        self.assertSound(self.member)

    def test_taken_is_given_back_to_its_lots(self):
        self.member._post_points("adjust", 30, TODAY, expiry=fields.Date.to_date(EARLY))
        self.member._post_points("adjust", 70, TODAY, expiry=fields.Date.to_date(LATE))
        adjustment = self._adjust(self.member, -50)
        self.assertLots(self.member, (50, LATE))
        mirror = self._undo(adjustment)
        self.assertEqual(mirror.points, 50)
        self.assertLots(self.member, (30, EARLY), (70, LATE))
        self.assertSound(self.member)

    def test_once_only_and_not_the_mirror(self):
        adjustment = self._adjust(self.member, 100)
        mirror = self._undo(adjustment)
        for again in (adjustment, mirror):
            for method in (again.action_undo, again.action_open_undo):
                self._refused(UserError, "only once", method)
        self.assertLedger(self.member, 100, -100)

    def test_second_mirror_refused_by_the_database(self):
        adjustment = self._adjust(self.member, 100)
        self._undo(adjustment)
        other = self._adjust(self.member, 100)
        self._refused(
            IntegrityError,
            "undo_of_uniq",
            other.sudo().write,
            {"undo_of_id": adjustment.id},
        )

    def test_only_posted_ones(self):
        draft = self.Adjustment.create(self._prepare())
        waiting = self._adjust(self.member, 501, self.advisor)
        for adjustment in (draft, waiting):
            theirs = adjustment.with_user(self.manager)
            self._refused(UserError, "cannot be undone", theirs.action_undo)

    def test_advisor_undoes_nothing(self):
        adjustment = self._adjust(self.member, 100, self.advisor)
        mine = adjustment.with_user(self.advisor)
        for method in (mine.action_undo, mine.action_open_undo):
            self._refused(AccessError, "Only loyalty managers", method)
        self.assertLedger(self.member, 100)

    def test_spent_meanwhile_makes_a_debt_that_is_shown_before(self):
        adjustment = self._adjust(self.member, 100)
        self._spend(60)
        action = adjustment.with_user(self.manager).action_open_undo()
        form = Form(adjustment.with_user(self.manager), action["views"][0][0])
        self.assertEqual((form.undo_points, form.undo_balance), (100, -60))
        self._undo(adjustment)
        self.assertEqual((self.member.points, self.member.debt), (-60, 60))
        self.assertSound(self.member)

    def test_expired_meanwhile_is_not_taken_again(self):
        adjustment = self._adjust(self.member, 100)
        self._adjust(self.member, -30)
        self._run_job("ir_cron_expire", "2024-05-02")
        self.assertEqual(self.member.points, 0)
        self.assertEqual((adjustment.undo_points, adjustment.undo_balance), (30, -30))
        self._undo(adjustment)
        self.assertEqual((self.member.points, self.member.debt), (-30, 30))
        self.assertSound(self.member)

    def test_expired_altogether_refused(self):
        adjustment = self._adjust(self.member, 100)
        self._run_job("ir_cron_expire", "2024-05-02")
        for method in (adjustment.action_undo, adjustment.action_open_undo):
            self._refused(UserError, "nothing left to undo", method)
        self.assertEqual(adjustment.state, "posted")

    def test_opening_balance_undone(self):
        adjustment = self._adjust(self.member, 80, kind="opening")
        self._undo(adjustment)
        self.assertEqual(self.member.entry_ids.mapped("kind"), ["opening"] * 2)
        self.assertLedger(self.member, 80, -80)
        self.assertSound(self.member)

    def test_transfer_undone_gives_back_to_the_lots_it_came_from(self):
        self.member._post_points("adjust", 30, TODAY, expiry=fields.Date.to_date(EARLY))
        self.member._post_points("adjust", 70, TODAY, expiry=fields.Date.to_date(LATE))
        self._adjust(self.friend, 5)
        transfer = self._transfer(60)
        mirror = self._undo(transfer)
        self.assertEqual(
            (mirror.member_id, mirror.to_member_id, mirror.points),
            (self.friend, self.member, 60),
        )
        self.assertLots(self.member, (30, EARLY), (70, LATE))
        self.assertLots(self.friend, (5, "2024-05-01"))
        self.assertEqual(mirror.entry_ids.member_id, self.member | self.friend)
        self.assertSound(self.member | self.friend)

    def test_transfer_spent_by_the_other_makes_the_others_debt(self):
        self._adjust(self.member, 60)
        transfer = self._transfer(60)
        self._adjust(self.friend, -20)
        self.assertEqual(transfer.undo_balance, -20)
        self._undo(transfer)
        self.assertEqual((self.friend.points, self.member.points), (-20, 60))
        self.assertSound(self.member | self.friend)


@tagged("post_install", "-at_install")
@freeze_time(TODAY)
class TestOpeningBalance(AdjustmentCommon):
    def _open(self, points=100, **vals):
        return self._adjust(self.member, points, self.manager, kind="opening", **vals)

    def test_opening_is_a_kind_of_its_own_and_no_bonus(self):
        self._open(note="Card 4711")
        entry = self.member.entry_ids
        self.assertEqual(
            (entry.kind, entry.reason), ("opening", "Opening balance: Card 4711")
        )
        self.assertFalse(entry.lot_ids.is_bonus)
        self.assertLots(self.member, (100, "2025-02-01"))

    def test_opening_expires_as_the_manager_says(self):
        self._open(date_expiry=EARLY)
        self.assertLots(self.member, (100, EARLY))

    def test_opening_of_an_earlier_day_has_that_age(self):
        self._open(date="2024-01-01")
        self.assertEqual(str(self.member.entry_ids.date), "2024-01-01")
        self.assertLots(self.member, (100, "2025-01-01"))

    def test_opening_in_the_future_or_expired_refused(self):
        for vals in ({"date": "2024-02-02"}, {"date_expiry": "2024-01-31"}):
            with self.subTest(**vals):
                self._refused(ValidationError, "future|is over", self._open, **vals)
        self.assertLedger(self.member)

    def test_day_of_goodwill_is_the_day_of_posting(self):
        adjustment = self._adjust(self.member, 5, self.advisor, date="2020-01-01")
        self.assertEqual(str(adjustment.date), TODAY)
        self.assertEqual(str(self.member.entry_ids.date), TODAY)


@tagged("post_install", "-at_install")
@freeze_time(TODAY)
class TestTransfer(AdjustmentCommon):
    def _give(self, points, expiry=False, member=None, **options):
        if points > 0:
            options["expiry"] = expiry and fields.Date.to_date(expiry)
        return (member or self.member)._post_points("adjust", points, TODAY, **options)

    def _move_all(self):
        return self.member._transfer_points(
            self.friend, None, TODAY, self.member, "Merged"
        )

    def test_transfer_moves_what_expires_first_with_its_dates(self):
        self._give(30, EARLY, is_bonus=True)
        self._give(70, LATE)
        transfer = self._transfer(50, note="Sold the car")
        self.assertLots(self.member, (50, LATE))
        self.assertLots(self.friend, (30, EARLY), (20, LATE))
        self.assertEqual(self._lots(self.friend).mapped("is_bonus"), [True, False])
        entries = transfer.entry_ids.sorted("id")
        self.assertEqual(entries.mapped("points"), [-30, 30, -20, 20])
        self.assertEqual(set(entries.mapped("kind")), {"transfer"})
        self.assertEqual(set(entries.mapped("reason")), {"Transfer: Sold the car"})
        for entry in entries.filtered(lambda entry: entry.points > 0):
            self.assertEqual(entry.lot_ids.points, entry.points)
        self.assertSound(self.member | self.friend)

    def test_transfer_keeps_age_and_waiting_time(self):
        self.program.activation_days = 14
        self._invoice(self.customer, date="2024-01-30")
        given = self._lots(self.member)
        self._transfer(400)
        moved = self._lots(self.friend)
        self.assertEqual(
            (moved.date, moved.date_available, moved.date_expiry),
            (given.date, given.date_available, given.date_expiry),
        )
        self.assertEqual((self.friend.points, self.friend.points_available), (400, 0))
        self.assertSound(self.member | self.friend)

    def test_transfer_repays_what_the_other_owes(self):
        self._give(-50, member=self.friend)
        self._give(80)
        self._transfer(80)
        self.assertEqual((self.friend.points, self.friend.debt), (30, 0))
        self.assertSound(self.member | self.friend)

    def test_transfer_of_more_than_there_is_refused(self):
        self._give(80)
        self._refused(ValidationError, "80 points: 81", self._transfer, 81)
        self.assertLedger(self.member, 80)

    def test_transfer_leaves_out_what_has_expired(self):
        self._give(30, EARLY)
        self._give(70)
        with freeze_time("2024-04-01"):
            self._refused(UserError, "70 points that can be moved", self._transfer, 71)
            self._transfer(70)
        self.assertLots(self.member, (30, EARLY))
        self.assertSound(self.member | self.friend)

    def test_transfer_without_receiver_to_oneself_or_backwards_refused(self):
        self._give(80)
        for points, to, message in (
            (10, self.Member, "Choose the member"),
            (10, self.member, "to another member"),
            (-10, self.friend, "without a minus sign"),
        ):
            with self.subTest(message=message):
                self._refused(
                    UserError, message, self._transfer, points, to_member_id=to.id
                )
        self.assertLedger(self.member, 80)

    def test_transfer_between_companies_refused(self):
        self._give(80)
        elsewhere = self.setup_other_company()["company"]
        program = self.env["garage.loyalty.program"]._get_default(elsewhere)
        self.env.user.company_ids += elsewhere
        stranger = self._enrol(self._create_customer("Carl"), program=program)
        message = "another company|company inconsistencies"
        self._refused(UserError, message, self._transfer, 10, to_member_id=stranger.id)
        self._refused(
            UserError,
            "another company",
            self.member._transfer_points,
            stranger,
            None,
            TODAY,
            self.member,
            "x",
        )
        self.assertLedger(self.member, 80)
        self.assertLedger(stranger)

    def test_merged_account_neither_gives_nor_takes(self):
        self._give(80)
        third = self._enrol(self._create_customer("Carl"))
        third.sudo()._merge_into(self.friend)
        message = f"merged into {self.friend.number}"
        for member, to in ((self.member, third), (third, self.member)):
            self._refused(
                ValidationError,
                message,
                self._adjust,
                member,
                10,
                kind="transfer",
                to_member_id=to.id,
            )
        self.assertLedger(third)

    def test_transfer_between_programmes_of_a_company_allowed(self):
        self._give(80, LATE)
        self.friend.sudo().program_id = self.program.copy()
        self._transfer(80)
        self.assertLots(self.friend, (80, LATE))
        self.assertEqual(self.friend.entry_ids.program_id, self.friend.program_id)

    def test_everything_moves_with_pending_and_expired_points(self):
        self.program.activation_days = 14
        self._give(30, EARLY)
        self._invoice(self.customer, date="2024-03-25")
        with freeze_time("2024-04-01"):
            entries = self._move_all()
        self.assertEqual(entries.mapped("points"), [-30, 30, -1000, 1000])
        self.assertLots(self.friend, (30, EARLY), (1000, "2025-03-25"))
        self.assertEqual((self.member.points, self.member.debt), (0, 0))
        self.assertSound(self.member | self.friend)

    def test_everything_moves_with_a_debt(self):
        self._give(-50)
        self._give(20, LATE, member=self.friend)
        entries = self._move_all()
        self.assertEqual(sum(entries.mapped("points")), 0)
        self.assertEqual((self.member.points, self.member.debt), (0, 0))
        self.assertEqual((self.friend.points, self.friend.debt), (-30, 30))
        self.assertSound(self.member | self.friend)

    def test_nothing_moves_when_there_is_nothing(self):
        self.assertFalse(self._move_all())
        self.assertLedger(self.member)
        self.assertLedger(self.friend)

    def test_lot_that_was_moved_on_twice_keeps_its_dates(self):
        third = self._enrol(self._create_customer("Carl"))
        self._give(30, EARLY)
        self._transfer(30)
        self._adjust(
            self.friend, 30, self.manager, kind="transfer", to_member_id=third.id
        )
        self.assertLots(third, (30, EARLY))
        self.assertSound(self.member | self.friend | third)
