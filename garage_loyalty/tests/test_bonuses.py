from contextlib import closing
from datetime import date

from odoo import SUPERUSER_ID, Command, api
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.modules.registry import Registry
from odoo.tests import BaseCase, freeze_time, tagged
from odoo.tests.common import get_db_name
from odoo.tools import mute_logger

from .common import MANAGER, USER, GarageLoyaltyCommon

TODAY = "2024-06-15"
JOB = "ir_cron_give_bonuses"


class BonusCommon(GarageLoyaltyCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Bonus = cls.env["garage.loyalty.bonus"]

    def assertBonuses(self, member, *expected):
        """Check the bonuses of a member, as (kind, points), the oldest first."""
        bonuses = self.Bonus.search([("member_id", "=", member.id)], order="id")
        found = [(bonus.kind, bonus.points) for bonus in bonuses]
        self.assertEqual(found, list(expected))
        entries = member.entry_ids.filtered(
            lambda entry: entry.source_model == "garage.loyalty.bonus"
        )
        self.assertEqual(
            sorted(entries.mapped("points")), sorted(bonuses.mapped("points"))
        )
        self.assertEqual(set(entries.mapped("kind")) - {"adjust"}, set())
        self.assertTrue(all(entries.lot_ids.mapped("is_bonus")))
        self.assertSound(member)


@tagged("post_install", "-at_install")
@freeze_time(TODAY)
class TestSignupBonus(BonusCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.program.signup_bonus = 100

    def test_given_at_enrolment_as_a_gift_that_expires(self):
        self.program.write({"bonus_expiry_months": 3})
        member = self._enrol(self.customer, TODAY)
        self.assertBonuses(member, ("signup", 100))
        self.assertEqual(member.points_available, 100)
        self.assertLots(member, (100, "2024-09-30"))
        entry = member.entry_ids
        self.assertEqual((entry.reason, str(entry.date)), ("Sign-up bonus", TODAY))
        self.assertEqual(entry.source_name, "Sign-up bonus")
        self.assertEqual(entry._get_source(), member.bonus_ids)

    def test_dated_today_even_for_who_joined_long_ago(self):
        self.program.write({"bonus_expiry_months": 3})
        member = self._enrol(self.customer, "2020-01-01")
        self.assertEqual(member.points_available, 100)

    def test_not_for_imports(self):
        member = self._enrol(self.customer, source="import")
        self.assertBonuses(member)

    def test_none_when_the_programme_gives_none(self):
        self.program.signup_bonus = 0
        self.assertBonuses(self._enrol(self.customer))

    def test_not_again_for_who_comes_back(self):
        member = self._enrol(self.customer)
        member._leave()
        member._come_back()
        self.assertBonuses(member, ("signup", 100))

    def test_advisor_enrols_at_the_counter(self):
        advisor = self._create_user("advisor", USER)
        member = self.Member.with_user(advisor).create({"partner_id": self.customer.id})
        self.assertBonuses(member.sudo(), ("signup", 100))
        self.assertEqual(member.entry_ids.user_id, advisor)

    def test_both_of_merged_customers_keep_theirs(self):
        first, second = self._enrol(self.customer), self._enrol(self.other)
        wizard = self.env["base.partner.merge.automatic.wizard"]
        wizard._merge((self.customer | self.other).ids, self.customer)
        self.assertEqual(second.merged_into_id, first)
        self.assertEqual(first.points, 200)
        self.assertSound(first | second)
        self.assertEqual(len((first | second).bonus_ids), 2)

    def test_spent_and_expired_like_other_points(self):
        self.program.write({"minimum_redemption": 1, "bonus_expiry_months": 1})
        member = self._enrol(self.customer, TODAY)
        invoice = self._invoice(self.customer, post=False)
        self._redeem(invoice, 40)
        invoice.action_post()
        self._run_job("ir_cron_expire", "2024-08-01")
        self.assertEqual(member.points, 0)
        self.assertSound(member)

    def test_given_once_only(self):
        member = self._enrol(self.customer)
        self.assertFalse(member._give_signup_bonus())
        self.assertFalse(self.Bonus._give([member._prepare_bonus_vals("signup")]))
        self.assertBonuses(member, ("signup", 100))

    def test_nobody_creates_or_changes_bonuses_by_hand(self):
        member = self._enrol(self.customer)
        manager = self._create_user("manager", MANAGER)
        bonus = member.bonus_ids.with_user(manager)
        self.assertEqual(bonus.points, 100)
        for act in (
            lambda: bonus.write({"points": 1000}),
            bonus.unlink,
            lambda: bonus.create(
                {
                    "member_id": member.id,
                    "kind": "birthday",
                    "date": TODAY,
                    "year": 2024,
                    "points": 5,
                }
            ),
        ):
            with self.assertRaises(AccessError):
                act()

    def test_member_who_got_a_bonus_is_not_deleted(self):
        with self.assertRaises(UserError):
            self._enrol(self.customer).unlink()


@tagged("post_install", "-at_install")
class TestBirthdayBonus(BonusCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.program.birthday_bonus = 50
        cls.member = cls._enrol(cls.customer, "2023-01-01", birthday="1980-06-15")

    def _run(self, day):
        self._run_job(JOB, f"{day} 12:00:00")

    def test_given_on_the_day_once_a_year(self):
        self._run("2024-06-14")
        self.assertBonuses(self.member)
        self._run("2024-06-15")
        self._run("2024-06-15")
        self._run("2024-06-16")
        self.assertBonuses(self.member, ("birthday", 50))
        entry = self.member.entry_ids
        self.assertEqual(entry.reason, "Birthday bonus 2024")
        self.assertEqual(str(entry.date), "2024-06-15")
        self._run("2025-06-15")
        self.assertBonuses(self.member, ("birthday", 50), ("birthday", 50))

    def test_run_again_for_a_day_that_was_done_gives_nothing(self):
        self._run("2024-06-15")
        self.program.birthday_given_until = False
        self._run("2024-06-15")
        self.assertBonuses(self.member, ("birthday", 50))

    def test_missed_days_are_made_up_for(self):
        self._run("2024-06-10")
        self._run("2024-06-20")
        self.assertBonuses(self.member, ("birthday", 50))
        self.assertEqual(str(self.member.entry_ids.date), "2024-06-15")
        self.assertEqual(str(self.program.birthday_given_until), "2024-06-20")

    def test_more_than_a_month_ago_is_past(self):
        self._run("2024-06-10")
        self._run("2024-07-16")
        self.assertBonuses(self.member)
        self.program.birthday_given_until = "2024-06-10"
        self._run("2024-07-15")
        self.assertBonuses(self.member, ("birthday", 50))

    def test_year_changes_while_the_job_stands_still(self):
        self.member.birthday = "1980-12-31"
        self._run("2023-12-30")
        self._run("2024-01-02")
        self.assertEqual(self.member.bonus_ids.year, 2023)
        self._run("2024-12-31")
        self.assertEqual(sorted(self.member.bonus_ids.mapped("year")), [2023, 2024])

    def test_leap_day(self):
        self.member.birthday = "1980-02-29"
        for day in ("2024-02-28", "2024-02-29", "2024-03-01"):
            self._run(day)
        self.assertEqual(self.member.bonus_ids.mapped("date"), [date(2024, 2, 29)])
        for day in ("2025-02-27", "2025-02-28", "2025-03-01"):
            self._run(day)
        self.assertEqual(
            self.member.bonus_ids.mapped("date"), [date(2025, 2, 28), date(2024, 2, 29)]
        )

    def test_only_active_members_who_had_joined_before(self):
        suspended = self._enrol(self.other, birthday="1990-06-15")
        suspended._suspend()
        left = self._enrol(self._create_customer("Cy"), birthday="1990-06-15")
        left._leave()
        new = self._enrol(
            self._create_customer("Di"), "2024-06-15", birthday="1990-06-15"
        )
        blank = self._enrol(self._create_customer("Ed"))
        self._run("2024-06-15")
        for member in (suspended, left, new, blank):
            self.assertBonuses(member)
        self.assertBonuses(self.member, ("birthday", 50))

    def test_bonus_that_starts_later_looks_at_no_day_before(self):
        self.program.birthday_bonus = 0
        self.program.birthday_given_until = "2024-06-01"
        self.program.birthday_bonus = 70
        self._run("2024-06-20")
        self.assertBonuses(self.member)
        self.program.birthday_bonus = 80
        self.assertEqual(str(self.program.birthday_given_until), "2024-06-20")

    def test_day_is_that_of_the_workshop(self):
        self.company.partner_id.tz = "Pacific/Auckland"
        self._run_job(JOB, "2024-06-14 11:00:00")
        self.assertBonuses(self.member)
        self._run_job(JOB, "2024-06-14 13:00:00")
        self.assertBonuses(self.member, ("birthday", 50))

    def test_companies_do_not_mix(self):
        elsewhere = self.setup_other_company()["company"]
        program = self.env["garage.loyalty.program"]._get_default(elsewhere)
        program.birthday_bonus = 7
        theirs = self._enrol(self.customer, program=program, birthday="1980-06-15")
        self._run("2024-06-15")
        self.assertBonuses(self.member, ("birthday", 50))
        self.assertBonuses(theirs, ("birthday", 7))

    def test_not_twice_for_customers_that_are_merged(self):
        second = self._enrol(self.other, birthday="1980-06-15")
        self._run("2024-06-15")
        self.assertBonuses(second, ("birthday", 50))
        third = self._enrol(self._create_customer("Cy"))
        self.member.sudo()._merge_into(third)
        self.assertEqual(str(third.birthday), "1980-06-15")
        self.program.birthday_given_until = "2024-06-14"
        self._run("2024-06-15")
        self.assertFalse(third.bonus_ids)
        self.assertEqual(third.points, 50)
        self.assertSound(self.member | second | third)

    def test_interrupted_between_batches_goes_on_later(self):
        members = self.member
        for number in range(6):
            members |= self._enrol(
                self._create_customer(f"Customer {number}"), birthday="1970-06-15"
            )
        cron, found = self.env.ref(f"garage_loyalty.{JOB}"), [0]
        for _time in range(6):
            with (
                freeze_time("2024-06-15 12:00:00"),
                self.enter_registry_test_mode(),
                self.registry.cursor() as cr,
            ):
                env = self.env(cr=cr, su=True)
                progress = env["ir.cron.progress"].create({"cron_id": cron.id})
                job = env["garage.loyalty.bonus.job"].with_context(
                    ir_cron_progress_id=progress.id, cron_id=cron.id, cron_end_time=0
                )
                job._cron_give_bonuses(batch=2)
            self.env.invalidate_all()
            self.assertSound(members)
            found.append(sum(members.mapped("points")))
        self.assertEqual(found, [0, 100, 200, 300, 350, 350, 350])
        for member in members:
            self.assertBonuses(member, ("birthday", 50))

    def test_many_are_given_in_few_statements(self):
        Job = self.env["garage.loyalty.bonus.job"]
        members = self.Member.browse()
        for number in range(30):
            members |= self._enrol(
                self._create_customer(f"Customer {number}"), birthday="1970-06-16"
            )
        Job._give_birthday_batch(self.program, date(2024, 6, 15), 100)
        self.env.invalidate_all()
        with self.assertQueryCount(12):
            Job._give_birthday_batch(self.program, date(2024, 6, 16), 100)
        self.assertEqual(sum(members.mapped("points")), 30 * 50)
        self.assertSound(members)


@tagged("post_install", "-at_install")
@freeze_time(TODAY)
class TestReferralBonus(BonusCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.program.write({"referral_bonus": 200, "referred_bonus": 30})
        cls.referrer = cls._enrol(cls.other)
        cls.member = cls._enrol(cls.customer, TODAY, referred_by_id=cls.referrer.id)

    def _run(self):
        self._run_job(JOB, f"{TODAY} 12:00:00")

    def test_given_when_the_first_invoice_is_paid_and_not_before(self):
        invoice = self._invoice(self.customer, date=TODAY)
        self.assertBonuses(self.referrer)
        self._pay(invoice, amount=10)
        self.assertBonuses(self.referrer)
        self._pay(invoice)
        self.assertBonuses(self.referrer, ("referral", 200))
        self.assertBonuses(self.member, ("referred", 30))
        self.assertEqual(self.referrer.bonus_ids.referred_id, self.member)
        self.assertEqual(self.referrer.entry_ids.reason, "Referral bonus")
        self.assertFalse(self.member.is_referral_due)

    def test_second_invoice_gives_nothing_more(self):
        for _time in range(2):
            self._pay(self._invoice(self.customer, date=TODAY))
        self._run()
        self.assertBonuses(self.referrer, ("referral", 200))
        self.assertBonuses(self.member, ("referred", 30))

    def test_invoice_of_before_does_not_count(self):
        self._pay(self._invoice(self.customer, date="2024-06-14"))
        self._run()
        self.assertBonuses(self.referrer)

    def test_invoice_of_the_day_that_was_paid_before_enrolling_counts(self):
        third = self._create_customer("Cy")
        self._pay(self._invoice(third, date=TODAY))
        member = self._enrol(third, TODAY, referred_by_id=self.referrer.id)
        self.assertBonuses(self.referrer, ("referral", 200))
        self.assertBonuses(member, ("referred", 30))

    def test_free_invoice_does_not_count(self):
        self._invoice(self.customer, [(self.labour, 1, 0)], date=TODAY)
        self._run()
        self.assertBonuses(self.referrer)

    def test_credited_invoice_does_not_count_later_credit_takes_nothing_back(self):
        invoice = self._invoice(self.customer, date=TODAY)
        self._credit(invoice, date=TODAY)
        self._run()
        self.assertBonuses(self.referrer)
        paid = self._invoice(self.customer, date=TODAY)
        self._pay(paid)
        self._credit(paid, date=TODAY)
        self._run()
        self.assertBonuses(self.referrer, ("referral", 200))
        self.assertEqual(self.referrer.points, 200)

    def test_payment_that_no_event_announced_is_found_at_night(self):
        invoice = self._invoice(self.customer, date=TODAY)
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE account_move SET payment_state = 'paid' WHERE id = %s", [invoice.id]
        )
        self.env.invalidate_all()
        self._run()
        self._run()
        self.assertBonuses(self.referrer, ("referral", 200))
        self.assertBonuses(self.member, ("referred", 30))

    def test_terms_of_the_day_of_the_payment_count(self):
        self.program.write({"referral_bonus": 0, "referred_bonus": 0})
        self._pay(self._invoice(self.customer, date=TODAY))
        self.assertFalse(self.member.is_referral_due)
        self.program.write({"referral_bonus": 200})
        self._pay(self._invoice(self.customer, date=TODAY))
        self._run()
        self.assertBonuses(self.referrer)

    def test_suspended_referrer_waits_one_who_left_gets_nothing(self):
        self.referrer._suspend()
        self._pay(self._invoice(self.customer, date=TODAY))
        self.assertBonuses(self.referrer)
        self.assertBonuses(self.member, ("referred", 30))
        self._run()
        self.assertBonuses(self.referrer)
        self.referrer._come_back()
        self._run()
        self.assertBonuses(self.referrer, ("referral", 200))
        third = self._create_customer("Cy")
        self._enrol(third, TODAY, referred_by_id=self.referrer.id)
        self.referrer._leave()
        self._pay(self._invoice(third, date=TODAY))
        self.referrer._come_back()
        self._run()
        self.assertBonuses(self.referrer, ("referral", 200))

    def test_nobody_refers_oneself_or_from_another_programme(self):
        with self.assertRaisesRegex(ValidationError, "cannot refer themselves"):
            self.member.referred_by_id = self.member
        elsewhere = self.setup_other_company()["company"]
        program = self.env["garage.loyalty.program"]._get_default(elsewhere)
        stranger = self._enrol(self.other, program=program)
        with self.assertRaisesRegex(ValidationError, "another programme"):
            self.member.referred_by_id = stranger

    def test_advisor_says_who_referred_at_enrolment_only(self):
        advisor = self._create_user("advisor", USER)
        third = self._create_customer("Cy")
        mine = self.Member.with_user(advisor).create(
            {"partner_id": third.id, "referred_by_id": self.referrer.id}
        )
        self.assertTrue(mine.is_referral_due)
        with self.assertRaises(AccessError):
            mine.referred_by_id = False
        with self.assertRaises(UserError):
            mine.is_referral_due = False

    def test_due_cannot_be_invented_at_enrolment(self):
        member = self._enrol(self._create_customer("Cy"), is_referral_due=True)
        self.assertFalse(member.is_referral_due)

    def test_manager_changes_who_referred(self):
        manager = self._create_user("manager", MANAGER)
        third = self._enrol(self._create_customer("Cy"))
        self.member.with_user(manager).referred_by_id = third
        self._pay(self._invoice(self.customer, date=TODAY))
        self.assertBonuses(third, ("referral", 200))
        self.member.with_user(manager).referred_by_id = self.referrer
        self.assertFalse(self.member.is_referral_due)
        self._run()
        self.assertBonuses(self.referrer)

    def test_clerk_without_loyalty_group_takes_the_money(self):
        clerk = self._create_user("clerk", "account.group_account_invoice")
        invoice = self._invoice(self.customer.with_user(clerk), date=TODAY)
        self._pay(invoice)
        self.assertBonuses(self.referrer, ("referral", 200))
        self.assertEqual(self.referrer.entry_ids.user_id, clerk)

    def test_referrer_who_was_merged_gets_it_under_the_other_account(self):
        third = self._enrol(self._create_customer("Cy"))
        self.referrer.sudo()._merge_into(third)
        self._pay(self._invoice(self.customer, date=TODAY))
        self.assertFalse(self.referrer.bonus_ids)
        self.assertBonuses(third, ("referral", 200))

    def test_referrer_and_referred_that_become_one_get_nothing(self):
        self.referrer.sudo()._merge_into(self.member)
        self._pay(self._invoice(self.customer, date=TODAY))
        self._run()
        self.assertFalse((self.referrer | self.member).bonus_ids)
        self.assertFalse(self.member.is_referral_due)

    def test_referral_follows_to_a_newer_account_of_the_customer(self):
        third = self._enrol(self._create_customer("Cy"), TODAY)
        invoice = self._invoice(self.customer, date=TODAY)
        self.member.sudo()._merge_into(third)
        self.assertEqual(third.referred_by_id, self.referrer)
        self._pay(invoice)
        self.assertBonuses(self.referrer, ("referral", 200))

    def test_referral_does_not_follow_to_an_older_customer(self):
        third = self._enrol(self._create_customer("Cy"), "2020-01-01")
        self.member.sudo()._merge_into(third)
        self._pay(self._invoice(third.partner_id, date=TODAY))
        self._run()
        self.assertBonuses(self.referrer)

    def test_branch_that_shares_pays_the_referral(self):
        branch = self.env["res.company"].create(
            {"name": "Branch", "parent_id": self.company.id}
        )
        self.env.user.company_ids = [Command.link(branch.id)]
        self.program.share_branches = True
        invoice = self._invoice(self.customer, date=TODAY)
        self._pay(invoice)
        self.assertBonuses(self.referrer, ("referral", 200))

    def test_posting_and_paying_of_others_takes_no_more_statements(self):
        self.program.earn_trigger = "posted"
        paid = self._invoice(self.customer, date=TODAY)
        self._pay(paid)  # not due any more
        invoice = self._invoice(self.customer, date=TODAY, post=False)
        self.env.flush_all()
        self.env.invalidate_all()
        statements = []
        patched = self._patchExecute(statements, flush=False)
        try:
            next(patched)
            invoice.action_post()
            self.env.flush_all()
        finally:
            patched.close()
        ours = [text for text in statements if "is_referral_due" in text]
        self.assertLessEqual(len(ours), 1)  # one of the columns of the member
        self.assertFalse([text for text in statements if "loyalty_bonus" in text])


@tagged("post_install", "-at_install")
class TestBonusAtTheSameMoment(BaseCase):
    """Real transactions: nothing here sees what another has not committed."""

    def setUp(self):
        super().setUp()
        self.registry = Registry(get_db_name())
        with self.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            partners = env["res.partner"].create(
                [{"name": "Refers at the same moment"}, {"name": "Is referred"}]
            )
            program = env["garage.loyalty.program"]._get_default(env.company)
            Member = env["garage.loyalty.member"]
            vals = {"program_id": program.id, "date_joined": "2024-01-01"}
            referrer = Member.create({"partner_id": partners[0].id, **vals})
            member = Member.create(
                {
                    "partner_id": partners[1].id,
                    "referred_by_id": referrer.id,
                    **vals,
                }
            )
            self.ids = (referrer.id, member.id)
            self.partner_ids = partners.ids
        self.addCleanup(self._remove)

    def _remove(self):
        with self.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            env["garage.loyalty.member"].browse(reversed(self.ids)).unlink()
            env["res.partner"].browse(self.partner_ids).unlink()

    def _prepare(self, cr):
        env = api.Environment(cr, SUPERUSER_ID, {})
        referrer, member = env["garage.loyalty.member"].browse(self.ids)
        return env["garage.loyalty.bonus"], [
            {
                **referrer._prepare_bonus_vals("referral", referred=member),
                "points": 10,
            }
        ]

    @mute_logger("odoo.sql_db")
    def test_second_of_two_fails_and_finds_nothing_to_do_when_tried_again(self):
        with (
            closing(self.registry.cursor()) as first,
            closing(self.registry.cursor()) as second,
        ):
            Late, late_vals = self._prepare(second)
            Bonus, vals = self._prepare(first)
            rows = Bonus._append(vals)
            first.commit()
            with self.assertRaises(Exception) as caught:
                Late._give(late_vals)
            self.assertEqual(getattr(caught.exception, "pgcode", None), "40001")
            second.rollback()
            Late, late_vals = self._prepare(second)
            self.assertFalse(Late._give(late_vals))
            second.rollback()
            rows.unlink()
            first.commit()
