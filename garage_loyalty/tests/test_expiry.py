import re
from datetime import date, timedelta

from psycopg2.errors import CheckViolation

from odoo.fields import Date
from odoo.tests import Form, freeze_time, tagged
from odoo.tools import SQL, mute_logger

from .common import GarageLoyaltyCommon

JOB = "ir_cron_expire"
START = date(2024, 1, 15)


class ExpiryCommon(GarageLoyaltyCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Lot = cls.env["garage.loyalty.lot"]
        cls.Mail = cls.env["mail.mail"]
        cls.customer.email = "ada@example.com"
        cls.program.write({"earn_trigger": "posted", "expiry_rule": "never"})
        cls.member = cls._enrol(cls.customer, date="2020-01-01")

    def _set(self, rule, months=12, month_end=False, **vals):
        self.program.write(
            {
                "expiry_rule": rule,
                "expiry_months": months,
                "expiry_month_end": month_end,
                **vals,
            }
        )

    def _give(self, points, day=START, member=None, **options):
        member = member or self.member
        return member._post_points("adjust", points, day, **options).lot_ids

    def _run(self, day):
        """Run the job in the night before ``day``."""
        self._run_job(JOB, f"{day} 01:00:00")

    def _points_on(self, day, member=None):
        self._run(day)
        return (member or self.member).points

    def _mails(self, member=None):
        return self.Mail.search(
            [
                ("model", "=", "garage.loyalty.member"),
                ("res_id", "in", (member or self.member).ids),
            ],
            order="id",
        )

    def _warned(self, member=None):
        """Return number and last day of each warning that was sent."""
        found = []
        for mail in self._mails(member):
            month, day, year = re.search(
                r"(\d\d)/(\d\d)/(\d{4})", mail.body_html
            ).groups()
            found.append((int(mail.subject.split()[0]), f"{year}-{month}-{day}"))
        return found


@tagged("post_install", "-at_install")
@freeze_time("2024-01-15")
class TestExpiryRules(ExpiryCommon):
    def _check_last_day(self, expected, day=START, **options):
        """Points are there on their last day, and expire in the night after it."""
        lot = self._give(100, day, **options)
        self.assertEqual(str(lot.date_expiry), expected)
        last = Date.to_date(expected)
        self.assertEqual(self._points_on(last), 100)
        self.assertEqual(self._points_on(last + timedelta(days=1)), 0)
        entry = self.member.entry_ids[0]
        self.assertEqual((entry.kind, entry.date), ("expire", last))
        self.assertEqual(entry._get_source(), lot)
        self.assertSound(self.member)

    def test_never(self):
        lot = self._give(100)
        self.assertFalse(lot.date_expiry)
        self.assertEqual(self._points_on("2124-01-15"), 100)

    def test_age_to_the_day(self):
        self._set("age", 12)
        self._check_last_day("2025-01-15")

    def test_age_to_the_end_of_the_month(self):
        self._set("age", 13, month_end=True)
        self._check_last_day("2025-02-28")

    def test_age_of_a_month_end_to_the_day(self):
        self._set("age", 1)
        self._check_last_day("2024-02-29", day=date(2024, 1, 31))

    def test_age_of_a_leap_day(self):
        self._set("age", 12)
        self._check_last_day("2025-02-28", day=date(2024, 2, 29))

    def test_fixed_day(self):
        self._set("fixed", 3, expiry_month="3", expiry_day=31)
        self._check_last_day("2025-03-31")

    def test_fixed_day_that_a_month_does_not_have(self):
        self._set("fixed", 0, expiry_month="2", expiry_day=30)
        self._check_last_day("2024-02-29")

    def test_inactivity(self):
        self._set("inactivity", 6)
        self._check_last_day("2024-07-15")

    def test_earned_points_expire_by_the_date_of_the_invoice(self):
        self._set("age", 6)
        self._invoice(self.customer, date="2024-01-02")
        self.assertEqual(str(self._lots(self.member).date_expiry), "2024-07-02")
        self.assertEqual(self._points_on("2024-07-02"), 1000)
        self.assertEqual(self._points_on("2024-07-03"), 0)

    # -- bonus ------------------------------------------------------------------

    def test_bonus_lives_shorter(self):
        self._set("age", 12, bonus_expiry_months=3)
        lot = self._give(100)
        self._check_last_day_of_bonus("2024-04-15")
        self.assertEqual(str(lot.date_expiry), "2025-01-15")

    def _check_last_day_of_bonus(self, expected):
        lot = self._give(10, is_bonus=True)
        self.assertEqual(str(lot.date_expiry), expected)

    def test_bonus_never_lives_longer_than_other_points(self):
        self._set("age", 2, bonus_expiry_months=3)
        self._check_last_day_of_bonus("2024-03-15")

    def test_bonus_expires_when_other_points_never_do(self):
        self._set("never", bonus_expiry_months=3)
        self._check_last_day_of_bonus("2024-04-15")

    def test_bonus_without_a_life_of_its_own_is_like_other_points(self):
        self._set("age", 12, month_end=True, bonus_expiry_months=0)
        self._check_last_day_of_bonus("2025-01-31")

    def test_bonus_is_not_prolonged_by_a_visit(self):
        self._set("inactivity", 6, bonus_expiry_months=3)
        bonus, other = self._give(10, is_bonus=True), self._give(100)
        with freeze_time("2024-04-10"):
            self._invoice(self.customer, [(self.labour, 1, 1)], date="2024-04-10")
        self._run("2024-04-15")
        self.assertEqual(str(bonus.date_expiry), "2024-04-15")
        self.assertEqual(self._points_on("2024-04-16"), 101)
        self.assertEqual(self._points_on("2024-07-16"), 101)
        self.assertEqual(str(other.date_expiry), "2024-10-10")
        self.assertSound(self.member)

    def test_bonus_given_before_a_change_of_rules_counts_from_its_own_day(self):
        with freeze_time("2024-03-01"):
            self._invoice(self.customer, [(self.labour, 1, 1)], date="2024-03-01")
            bonus = self._give(10, date(2024, 2, 1), is_bonus=True)
            self._set("inactivity", 12, bonus_expiry_months=6)
            self.assertEqual(str(bonus.date_expiry), "2024-08-01")

    # -- inactivity -------------------------------------------------------------

    def test_customer_who_came_back_in_time_keeps_the_points(self):
        self._set("inactivity", 6)
        lot = self._give(100)
        with freeze_time("2024-07-15"):
            self._invoice(self.customer, [(self.labour, 1, 1)], date="2024-07-15")
        self.assertEqual(self._points_on("2024-07-16"), 101)
        self.assertEqual(str(lot.date_expiry), "2025-01-15")
        self.assertEqual(self._points_on("2025-01-15"), 101)
        self.assertEqual(self._points_on("2025-01-16"), 0)
        self.assertSound(self.member)

    def test_customer_who_came_back_often_keeps_the_points_if_the_job_is_late(self):
        self._set("inactivity", 6)
        lot = self._give(100)
        for day in ("2024-07-10", "2025-01-05"):
            with freeze_time(day):
                self._invoice(self.customer, [(self.labour, 1, 1)], date=day)
        self.assertEqual(self._points_on("2025-06-01"), 102)
        self.assertEqual(str(lot.date_expiry), "2025-07-05")

    def test_customer_who_came_back_too_late_does_not_keep_the_points(self):
        """Whether the job has run in time, or only afterwards."""
        self._set("inactivity", 6)
        self._give(100)
        with freeze_time("2024-07-16"):
            self._invoice(self.customer, [(self.labour, 1, 1)], date="2024-07-16")
        self.assertEqual(self._points_on("2024-07-17"), 1)
        self.assertSound(self.member)

    def test_visit_of_somebody_else_prolongs_nothing(self):
        self._set("inactivity", 6)
        self._give(100)
        self._invoice(self.other, date="2024-07-01")
        self.assertEqual(self._points_on("2024-07-16"), 0)

    # -- the job ----------------------------------------------------------------

    def test_job_run_again_changes_nothing(self):
        self._set("age", 6, warning_days=10)
        self._give(100)
        self._give(50, date(2024, 1, 20))
        for day in ("2024-07-10", "2024-07-16", "2024-07-30"):
            self._run(day)
            state = self._get_state()
            self._run(day)
            self.assertEqual(self._get_state(), state)
        self.assertLedger(self.member, 100, 50, -100, -50)

    def _get_state(self):
        """Return all that the job may change, as it is in the database."""
        self.env.flush_all()
        rows = [
            self.env.execute_query(
                SQL("SELECT *, xmin FROM %s ORDER BY id", SQL.identifier(model._table))
            )
            for model in (self.Entry, self.Lot, self.env["garage.loyalty.allocation"])
        ]
        return [*rows, self._mails().ids, self.member.points, self.member.debt]

    def test_job_that_was_away_for_a_year_dates_each_entry_as_it_should_be(self):
        self._set("age", 1)
        for month in range(1, 7):
            self._give(month, date(2024, month, 10))
        self._run("2025-08-01")
        entries = self.member.entry_ids.filtered(lambda row: row.kind == "expire")
        self.assertEqual(
            sorted((str(entry.date), entry.points) for entry in entries),
            [(f"2024-{month + 1:02}-10", -month) for month in range(1, 7)],
        )
        self.assertEqual(self.member.points, 0)
        self.assertSound(self.member)

    def test_job_as_of_each_day_equals_the_job_once(self):
        self._set("age", 1)
        twin = self._enrol(self.other, date="2020-01-01")
        for member in (self.member, twin):
            for day in (10, 12, 12, 20):
                self._give(day, date(2024, 1, day), member)
        day, balances = date(2024, 2, 9), []
        while day <= date(2024, 2, 22):
            balances.append(self._points_on(day))
            day += timedelta(days=1)
        self.assertEqual(balances[:3], [54, 54, 44])
        self.assertEqual(balances[3:6], [44, 20, 20])
        self.assertEqual(balances[-2:], [0, 0])
        self.assertEqual(
            [entry.points for entry in self.member.entry_ids.sorted("id")],
            [entry.points for entry in twin.entry_ids.sorted("id")],
        )

    def test_only_what_is_left_expires(self):
        self._set("age", 6)
        lot = self._give(100)
        self.member._post_points("redeem", -60, START)
        self._run("2024-07-16")
        self.assertLedger(self.member, 100, -60, -40)
        self.assertEqual(lot.remaining, 0)
        self.assertEqual(sum(lot.allocation_ids.mapped("points")), 100)

    def test_interrupted_between_batches_goes_on_later(self):
        self._set("age", 6)
        members = self.member
        for number in range(4):
            members |= self._enrol(self._create_customer(f"Customer {number}"))
        for member in members:
            self._give(10, member=member)
            self._invoice(member.partner_id, [(self.labour, 1, 5)], date="2024-01-15")
        balances = [sum(members.mapped("points"))]
        cron = self.env.ref(f"garage_loyalty.{JOB}")
        for _time in range(30):
            with (
                freeze_time("2024-07-16"),
                self.enter_registry_test_mode(),
                self.registry.cursor() as cr,
            ):
                env = self.env(cr=cr, su=True)
                progress = env["ir.cron.progress"].create({"cron_id": cron.id})
                job = env["garage.loyalty.expiry"].with_context(
                    ir_cron_progress_id=progress.id, cron_id=cron.id, cron_end_time=0
                )
                job._cron_expire(batch=3)
                self.assertEqual(progress.remaining > 0, progress.done > 0)
            self.env.invalidate_all()
            self.assertSound(members)
            balances.append(sum(members.mapped("points")))
        self.assertEqual(balances[0], 75)
        self.assertEqual(balances, sorted(balances, reverse=True))
        self.assertGreater(len(set(balances)), 3)  # it was interrupted in the midst
        self._run("2024-07-16")
        self.assertEqual(sum(members.mapped("points")), 0)
        for member in members:
            self.assertEqual(
                sorted(member.entry_ids.mapped("points")), [-10, -5, 5, 10]
            )

    def test_pending_points_expire_like_others(self):
        self._set("age", 1, activation_days=60)
        self._invoice(self.customer, [(self.labour, 1, 80)], date="2024-01-15")
        self.assertEqual(self.member.points_pending, 80)
        self.assertEqual(self._points_on("2024-02-15"), 80)
        self.assertEqual(self._points_on("2024-02-16"), 0)
        self.assertEqual(self.member.points_pending, 0)
        self.assertSound(self.member)

    def test_unsettled_points_expire_too(self):
        self._set("age", 6)
        self._invoice(self.customer, [(self.labour, 1, 80)], date="2024-01-01")
        self.assertFalse(self._lots(self.member).is_settled)
        self.assertEqual(self._points_on("2024-07-02"), 0)
        self.assertSound(self.member)

    def test_debt_does_not_expire(self):
        self._set("age", 6)
        self.member._post_points("adjust", -50, START)
        self.assertEqual(self._points_on("2034-07-16"), -50)
        self.assertEqual(self.member.debt, 50)

    def test_points_repay_a_debt_before_the_rest_of_them_expires(self):
        self._set("age", 6)
        self.member._post_points("adjust", -50, START)
        self._invoice(self.customer, [(self.labour, 1, 80)], date="2024-01-15")
        self.assertEqual(self._points_on("2024-07-16"), 0)
        self.assertLedger(self.member, -50, 80, -30)
        self.assertEqual(self.member.debt, 0)
        self.assertSound(self.member)

    def test_points_of_former_members_and_archived_programmes_expire_too(self):
        self._set("age", 6)
        self._give(100)
        self.member._leave(date="2024-02-01")
        self.program.active = False
        self.assertEqual(self._points_on("2024-07-16"), 0)

    # -- companies and time zones -----------------------------------------------

    def test_day_of_expiry_ends_at_midnight_of_the_workshop(self):
        self._set("age", 1, month_end=True)
        self._give(100)
        cases = (
            ("America/Los_Angeles", "2024-03-01 07:59:00", 100),
            ("America/Los_Angeles", "2024-03-01 08:01:00", 0),
            ("Pacific/Auckland", "2024-02-29 10:59:00", 100),
            ("Pacific/Auckland", "2024-02-29 11:01:00", 0),
            (False, "2024-02-29 23:59:00", 100),
            (False, "2024-03-01 00:01:00", 0),
        )
        for zone, now, expected in cases:
            with self.subTest(zone=zone, now=now), self.env.cr.savepoint() as point:
                self.company.partner_id.tz = zone
                self._run_job(JOB, now)
                self.assertEqual(self.member.points, expected)
                point.rollback()
                self.env.invalidate_all(flush=False)

    def test_two_companies_each_have_their_own_day(self):
        company = self.env["res.company"].sudo().create({"name": "Down under"})
        self.env.user.sudo().company_ids += company
        company.partner_id.tz = "Pacific/Auckland"
        self.company.partner_id.tz = "America/Los_Angeles"
        program = self.env["garage.loyalty.program"]._get_default(company)
        member = self._enrol(self.customer, program=program)
        for who in (self.member, member):
            self._give(100, member=who, expiry=date(2024, 2, 29))
        seen = []
        for now in ("02-29 10:00", "02-29 12:00", "03-01 07:00", "03-01 09:00"):
            self._run_job(JOB, f"2024-{now}:00")
            seen.append((self.member.points, member.points))
        self.assertEqual(seen, [(100, 100), (100, 0), (100, 0), (0, 0)])
        self.assertEqual(member.entry_ids[0].company_id, company)
        self.assertSound(self.member | member)


@tagged("post_install", "-at_install")
@freeze_time("2024-01-15")
class TestExpiryWarnings(ExpiryCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.program.write(
            {
                "expiry_rule": "age",
                "expiry_months": 6,
                "expiry_month_end": False,
                "warning_days": 30,
            }
        )

    def test_warning_is_sent_once_with_the_number_and_the_day(self):
        lot = self._give(100)
        self.member._post_points("redeem", -40, START)
        self._run("2024-06-14")
        self.assertFalse(self._mails())
        for day in ("2024-06-15", "2024-06-16", "2024-07-15", "2024-07-16"):
            self._run(day)
            self.assertEqual(self._warned(), [(60, "2024-07-15")], day)
        mail = self._mails()
        self.assertEqual(mail.recipient_ids, self.customer)
        self.assertEqual(str(lot.date_warned), "2024-06-15")

    def test_points_of_one_day_are_warned_of_together(self):
        for points in (1, 2, 3):
            self._give(points)
        self._run("2024-07-01")
        self.assertEqual(self._warned(), [(6, "2024-07-15")])

    def test_every_lot_is_warned_of_once(self):
        self._give(100)
        self._give(50, date(2024, 1, 20))
        for day in range(14, 24):
            self._run(f"2024-06-{day}")
        self.assertEqual(self._warned(), [(100, "2024-07-15"), (50, "2024-07-20")])

    def test_nobody_is_warned_of_points_that_are_gone(self):
        self._give(100)
        self.member._post_points("redeem", -100, START)
        self._run("2024-07-01")
        self.assertFalse(self._mails())

    def test_nobody_is_warned_after_the_last_day(self):
        self._give(100)
        self._run("2024-07-16")
        self.assertFalse(self._mails())

    def test_warned_on_the_last_day_when_the_job_was_away(self):
        self._give(100)
        self._run("2024-07-15")
        self.assertEqual(self._warned(), [(100, "2024-07-15")])

    def test_members_who_cannot_or_need_not_be_warned(self):
        cases = {
            "no e-mail": lambda member: member.partner_id.write({"email": False}),
            "empty e-mail": lambda member: member.partner_id.write({"email": ""}),
            "left": lambda member: member._leave(date="2024-02-01"),
            "suspended": lambda member: member._suspend(date="2024-02-01"),
        }
        for name, change in cases.items():
            with self.subTest(name):
                partner = self._create_customer(name, email="someone@example.com")
                member = self._enrol(partner)
                self._give(100, member=member)
                change(member)
                self._run("2024-07-01")
                self.assertFalse(self._mails(member))
                self.assertEqual(self._points_on("2024-07-16", member), 0)

    def test_no_warning_when_it_is_switched_off(self):
        self.program.warning_days = 0
        self._give(100)
        self._run("2024-07-15")
        self.assertFalse(self._mails())

    def test_warned_of_points_that_expire_by_another_rule_than_the_programme(self):
        self.program.expiry_rule = "never"
        self._give(100, expiry=date(2024, 3, 1))
        self._run("2024-02-15")
        self.assertEqual(self._warned(), [(100, "2024-03-01")])

    def test_customer_who_came_back_is_not_warned(self):
        self.program.expiry_rule = "inactivity"
        self._give(100)
        self._invoice(self.customer, [(self.labour, 1, 1)], date="2024-06-10")
        self._run("2024-06-16")
        self.assertFalse(self._mails())

    def test_postponed_points_are_warned_of_again(self):
        self.program.expiry_rule = "inactivity"
        lot = self._give(100)
        self._run("2024-06-16")
        self.assertEqual(self._warned(), [(100, "2024-07-15")])
        with freeze_time("2024-07-01"):
            self._invoice(self.customer, [(self.labour, 1, 5)], date="2024-07-01")
        self._run("2024-07-02")
        self.assertFalse(lot.date_warned)
        self.assertEqual(str(lot.date_expiry), "2025-01-01")
        self._run("2024-12-02")
        self.assertEqual(self._warned(), [(100, "2024-07-15"), (105, "2025-01-01")])

    def test_points_that_expire_sooner_than_told_are_warned_of_again(self):
        self.program.warning_days = 60
        self._give(100)
        self._run("2024-05-20")
        self.assertEqual(self._warned(), [(100, "2024-07-15")])
        with freeze_time("2024-05-20 12:00:00"):
            self.program.write({"expiry_months": 1, "warning_days": 10})
        self._run("2024-05-21")
        self.assertEqual(self._warned(), [(100, "2024-07-15"), (100, "2024-05-30")])

    def test_restored_points_are_warned_of_again(self):
        self.program.restored_days = 20
        lot = self._give(100)
        self.member._post_points("redeem", -100, START, source=self.other)
        with freeze_time("2024-08-01"):
            self.member._post_points(
                "restore", 100, date(2024, 8, 1), source=self.other, origin=self.other
            )
        self._run("2024-08-02")
        self.assertEqual(self._warned(), [(100, "2024-08-21")])
        self.assertEqual(lot.remaining, 100)

    def test_mail_is_in_the_language_and_with_the_date_format_of_the_customer(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        self.customer.lang = "fr_FR"
        self._give(100)
        self._run("2024-07-01")
        self.assertIn("15/07/2024", self._mails().body_html)

    def test_warning_escapes_the_name_of_the_customer(self):
        self.customer.name = "<script>alert(1)</script>"
        self._give(100)
        self._run("2024-07-01")
        self.assertNotIn("<script", self._mails().body_html)

    def test_warnings_in_batches_reach_everybody_once(self):
        members = self.member
        for number in range(5):
            partner = self._create_customer(f"C{number}", email=f"{number}@example.com")
            members |= self._enrol(partner)
        for member in members:
            self._give(10, member=member)
            self._give(5, member=member)
        Expiry = self.env["garage.loyalty.expiry"].sudo()
        with freeze_time("2024-07-01"):
            done = [Expiry._warn_batch(self.program, 2) for _time in range(4)]
        self.assertEqual(done, [2, 2, 2, 0])
        for member in members:
            self.assertEqual(self._warned(member), [(15, "2024-07-15")])


@tagged("post_install", "-at_install")
@freeze_time("2024-06-01")
class TestExpirySettings(ExpiryCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.program.warning_days = 30

    def _edited(self, **vals):
        return self.program.new(vals, origin=self.program)

    def test_nothing_expires_before_one_period_of_warning_has_passed(self):
        never = self._give(100, date(2020, 1, 1))
        soon = self._give(10, date(2020, 1, 1), expiry=date(2024, 6, 10))
        late = self._give(1, date(2020, 1, 1), expiry=date(2029, 1, 1))
        self._set("age", 6)
        self.assertEqual(str(never.date_expiry), "2024-07-01")
        self.assertEqual(str(late.date_expiry), "2024-07-01")
        self.assertEqual(str(soon.date_expiry), "2024-06-10")
        self._run("2024-06-02")
        self.assertEqual(self._warned(), [(10, "2024-06-10"), (101, "2024-07-01")])
        self.assertEqual(self._points_on("2024-06-11"), 101)
        self.assertEqual(self._points_on("2024-07-01"), 101)
        self.assertEqual(self._points_on("2024-07-02"), 0)

    def test_points_that_are_young_enough_expire_by_the_new_rule(self):
        lot = self._give(100, date(2024, 5, 1))
        self._set("age", 12, month_end=True)
        self.assertEqual(str(lot.date_expiry), "2025-05-31")
        self._set("fixed", 0, expiry_month="12", expiry_day=31)
        self.assertEqual(str(lot.date_expiry), "2024-12-31")
        self._set("inactivity", 24)
        self.assertEqual(str(lot.date_expiry), "2026-05-01")
        self._set("never")
        self.assertFalse(lot.date_expiry)

    def test_rule_of_inactivity_counts_from_the_last_visit(self):
        lot = self._give(100, date(2020, 1, 1))
        self._invoice(self.customer, [(self.labour, 1, 1)], date="2024-05-20")
        self._set("inactivity", 6)
        self.assertEqual(str(lot.date_expiry), "2024-11-20")

    def test_change_back_and_forth_never_brings_expiry_forward(self):
        lot = self._give(100, date(2020, 1, 1))
        for _time in range(3):
            self._set("age", 6)
            self.assertEqual(str(lot.date_expiry), "2024-07-01")
            self._set("never")
            self.assertFalse(lot.date_expiry)

    def test_change_a_second_time_keeps_what_was_told_first(self):
        lot = self._give(100, date(2020, 1, 1))
        self._set("age", 6)
        with freeze_time("2024-06-20"):
            self._set("age", 7)
            self.assertEqual(str(lot.date_expiry), "2024-07-01")

    def test_points_of_other_programmes_and_spent_points_stay_as_they_are(self):
        other = self.program.copy({"name": "Another"})
        member = self._enrol(self.other, program=other)
        lot = self._give(100, member=member)
        spent = self._give(10)
        self.member._post_points("redeem", -10, START)
        self._set("age", 6)
        self.assertFalse(lot.date_expiry)
        self.assertFalse(spent.date_expiry)

    def test_change_of_another_setting_moves_nothing(self):
        self._set("age", 6)
        lot = self._give(100, expiry=date(2024, 9, 9))
        self.program.write({"warning_days": 5, "activation_days": 3, "name": "New"})
        self.assertEqual(str(lot.date_expiry), "2024-09-09")

    @mute_logger("odoo.sql_db")
    def test_numbers_that_mean_nothing_are_refused(self):
        for vals in (
            {"expiry_rule": "age", "expiry_months": 0},
            {"expiry_rule": "inactivity", "expiry_months": -1},
            {"expiry_rule": "fixed", "expiry_months": -1},
            {"expiry_rule": "age", "expiry_months": 1201},
            {"expiry_day": 0},
            {"expiry_day": 32},
            {"activation_days": -1},
            {"bonus_expiry_months": -1},
            {"warning_days": -1},
            {"warning_days": 367},
            {"restored_days": 0},
        ):
            with (
                self.subTest(vals=vals),
                self.assertRaises(CheckViolation),
                self.env.cr.savepoint(),
            ):
                self.program.write(vals)
                self.env.flush_all()

    # -- the preview ------------------------------------------------------------

    def test_preview_says_what_would_expire_within_a_year(self):
        twin = self._enrol(self.other)
        self._give(100, date(2020, 1, 1))
        self._give(20, date(2024, 5, 1), member=twin)
        self._give(3, date(2024, 5, 1))
        edited = self._edited(expiry_rule="age", expiry_months=6)
        self.assertEqual(
            edited.expiry_preview,
            "123 points would expire within a year (members: 2), "
            "the first of them after 07/01/2024.",
        )

    def test_preview_is_on_the_form_until_it_is_saved(self):
        lot = self._give(100, date(2020, 1, 1))
        with Form(self.program) as form:
            self.assertFalse(form.expiry_preview)
            form.expiry_rule = "age"
            form.expiry_months = 6
            self.assertIn("100 points would expire", form.expiry_preview)
            form.expiry_months = 600
            self.assertIn("No points would expire", form.expiry_preview)
            self.assertFalse(lot.date_expiry)
        self.assertFalse(self.program.expiry_preview)
        self.assertEqual(str(lot.date_expiry), "2070-01-31")

    def test_preview_agrees_with_what_then_happens(self):
        for number, day in enumerate((date(2020, 2, 29), START, date(2024, 5, 31)), 1):
            self._give(number, day)
            self._give(10 * number, day, is_bonus=True)
            self._give(100 * number, day, expiry=date(2024, 6, 5 * number))
        self._invoice(self.customer, [(self.labour, 1, 1)], date="2024-05-20")
        for vals in (
            {"expiry_rule": "age", "expiry_months": 6},
            {"expiry_rule": "age", "expiry_months": 13, "expiry_month_end": False},
            {"expiry_rule": "inactivity", "expiry_months": 3},
            {"expiry_rule": "fixed", "expiry_months": 9, "expiry_month": "2"},
            {"expiry_rule": "never", "bonus_expiry_months": 2},
            {"expiry_rule": "age", "bonus_expiry_months": 2, "warning_days": 0},
        ):
            with self.subTest(vals=vals), self.env.cr.savepoint() as point:
                told = self._edited(**vals).expiry_preview
                self.program.write(vals)
                lots = self._lots(self.member).filtered(
                    lambda lot: lot.date_expiry and lot.date_expiry <= date(2025, 6, 1)
                )
                words = told.split()
                self.assertEqual(int(words[0]), sum(lots.mapped("remaining")))
                first = min(lots.mapped("date_expiry"))
                self.assertEqual(words[-1], f"{first:%m/%d/%Y}.")
                point.rollback()
                self.env.invalidate_all(flush=False)
                self.env.registry.clear_cache()

    def test_preview_of_a_rule_that_takes_nothing(self):
        self._give(100)
        edited = self._edited(expiry_rule="age", expiry_months=240)
        self.assertEqual(edited.expiry_preview, "No points would expire within a year.")

    def test_preview_is_silent_when_nothing_was_changed(self):
        self._give(100, expiry=date(2024, 7, 1))
        self.assertFalse(self.program.expiry_preview)
        self.assertFalse(self._edited(name="New name").expiry_preview)

    def test_preview_of_a_new_programme_is_silent(self):
        self.assertFalse(self.program.new({"expiry_rule": "age"}).expiry_preview)

    def test_preview_of_numbers_that_cannot_be_saved_does_not_fail(self):
        self._give(100)
        for months in (-1, 10**9, -(10**9), 2**31 - 1):
            with self.subTest(months=months):
                edited = self._edited(expiry_rule="age", expiry_months=months)
                self.assertTrue(edited.expiry_preview)
        for vals in ({"expiry_day": 0}, {"expiry_day": -5}, {"warning_days": -(10**9)}):
            with self.subTest(vals=vals):
                edited = self._edited(expiry_rule="fixed", **vals)
                self.assertTrue(edited.expiry_preview)
