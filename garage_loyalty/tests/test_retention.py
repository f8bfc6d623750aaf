import random
from datetime import date, timedelta

from lxml import html
from psycopg2 import IntegrityError

from odoo import Command, fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, freeze_time, new_test_user, tagged
from odoo.tools import mute_logger

from ..tools import movement, retention
from .common import ACCOUNTANT, MANAGER, USER
from .test_movement import TODAY, MovementCommon

CRON = "ir_cron_check_retention"


class RetentionCommon(MovementCommon):
    """A workshop that knows its invoices since January 2021."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Check = cls.env["garage.loyalty.retention.check"].sudo()
        cls.company.loyalty_retention_visits = 4
        cls._bill_by_sql([(cls.other, "2021-01-04")])
        cls.bystanders = cls.company._get_loyalty_managers()
        cls.manager = cls._create_user("retention_manager", MANAGER)

    @classmethod
    def _bill_by_sql(cls, rows, company=None, member=None):
        """Post invoices without all that goes with it: pairs of customer and day."""
        company = company or cls.company
        journal = cls.env["account.journal"].search(
            [("type", "=", "sale"), ("company_id", "=", company.id)], limit=1
        )
        for partner, day in rows:
            cls.env.cr.execute(
                """
                INSERT INTO account_move (name, state, move_type, journal_id, date,
                       currency_id, company_id, invoice_date, partner_id,
                       commercial_partner_id, amount_total, amount_untaxed_signed,
                       auto_post, loyalty_member_id)
                VALUES (%s, 'posted', 'out_invoice', %s, %s, %s, %s, %s, %s, %s, 100,
                        100, 'no', %s)
                """,
                [
                    f"T{random.random()}",
                    journal.id,
                    day,
                    company.currency_id.id,
                    company.id,
                    day,
                    partner.id,
                    partner.id,
                    member.id if member else None,
                ],
            )
        cls.Changed._note([partner.id for partner, _day in rows])
        cls.env.invalidate_all()

    @classmethod
    def _finish_by_sql(cls, rows, company=None):
        """Note finished, invoiced repair orders: pairs of customer and day."""
        for partner, day in rows:
            cls.env.cr.execute(
                "INSERT INTO garage_loyalty_visit (kind, company_id, partner_id, date,"
                " is_member) VALUES ('repair', %s, %s, %s, false)",
                [(company or cls.company).id, partner.id, day],
            )
        cls.Changed._note([partner.id for partner, _day in rows])

    @classmethod
    def _come(cls, customers, before, now, year=2024, **kwargs):
        """Let customers, known before, come so often in March of two years."""
        for partner in customers:
            days = [f"{year - 2}-12-01", f"{year - 1}-12-01"]
            days += [f"{year - 1}-03-{day + 1:02}" for day in range(before)]
            days += [f"{year}-03-{day + 1:02}" for day in range(now)]
            cls._bill_by_sql([(partner, day) for day in days], **kwargs)

    def _check(self, company=None, last="2024-05"):
        """Return the check of the months that end with one, computed now."""
        self._refresh()
        company = company or self.company
        number = movement.month_number(date.fromisoformat(f"{last}-01"))
        return self.Check._record(company, number)

    def _run(self, day=TODAY):
        self._run_job(CRON, day)
        return self.Check.search([("company_id", "=", self.company.id)])

    def _alarms(self, company=None):
        """Return the open activities of the managers that the test is about."""
        alarms = self.Check._get_alarms(company or self.company)
        return alarms.filtered(lambda alarm: alarm.user_id not in self.bystanders)

    def assertFigures(self, check, **figures):
        found = {name: check[name] for name in figures}
        self.assertEqual(found, figures)


@tagged("post_install", "-at_install")
@freeze_time(TODAY)
class TestRetention(RetentionCommon):
    """What is counted, and what is concluded from it."""

    def test_fewer_visits_than_the_share_allows_are_falling(self):
        for before, now, verdict in ((10, 8, "falling"), (10, 9, "holding")):
            with self.subTest(now=now), self.env.cr.savepoint() as savepoint:
                self._come([self.customer], before, now)
                check = self._check()
                self.assertFigures(
                    check, prev_visits=before, visits=now, verdict=verdict
                )
                self.assertAlmostEqual(check.change, 100 * (now - before) / before)
                savepoint.rollback()

    def test_too_few_visits_conclude_nothing(self):
        self._come([self.customer], 3, 0)
        check = self._check()
        self.assertFigures(check, prev_visits=3, visits=0, verdict="unknown")
        self.assertIn("fewer than 4 visits", check.explanation)

    def test_invoices_that_begin_too_late_conclude_nothing(self):
        elsewhere = self.setup_other_company()["company"]
        elsewhere.loyalty_retention_visits = 4
        self._bill_by_sql([(self.other, "2022-09-14")], company=elsewhere)
        self._come([self.customer], 10, 5, company=elsewhere)
        check = self._check(elsewhere)
        # October to February are known as whole months.
        self.assertFigures(check, known_months=5, verdict="unknown", prev_visits=10)
        self.assertIn("only 5 whole months", check.explanation)
        self.assertIn("March – May 2023", check.explanation)

    def test_customers_who_are_new_are_no_existing_ones(self):
        self._come([self.customer], 5, 5)
        new = self._create_customer("New")
        self._bill_by_sql([(new, "2024-03-01"), (new, "2024-05-31")])
        self.assertFigures(self._check(), customers=1, prev_customers=1, visits=5)

    def test_customers_who_were_lost_are_no_existing_ones(self):
        self._come([self.customer], 5, 5)
        for day, customers in (("2022-08-31", 1), ("2022-09-01", 2)):
            with self.subTest(day=day), self.env.cr.savepoint() as savepoint:
                self._bill_by_sql([(self.other, day), (self.other, "2024-03-05")])
                self.assertFigures(
                    self._check(), customers=customers, visits=4 + customers
                )
                savepoint.rollback()

    def test_both_years_know_customers_for_as_long(self):
        elsewhere = self.setup_other_company()["company"]
        self._bill_by_sql([(self.other, "2022-07-14")], company=elsewhere)
        # A year later there is a year more to know customers from; it is left out.
        self._bill_by_sql([(self.customer, "2023-07-01")], company=elsewhere)
        self.assertFigures(self._check(elsewhere), known_months=7, customers=0)

    def test_repair_orders_are_counted_where_there_are_enough(self):
        self._come([self.customer], 6, 6)
        days = ("2023-03-07", "2023-04-07", "2023-05-07", "2023-05-08")
        self._finish_by_sql([(self.customer, day) for day in days])
        self._finish_by_sql([(self.customer, "2024-03-07")])
        check = self._check()
        self.assertFigures(check, basis="invoices", visits=6, prev_visits=6)
        self.assertIn("Invoices are counted", check.explanation)
        days = ("2024-03-08", "2024-03-09", "2024-05-31")
        self._finish_by_sql([(self.customer, day) for day in days])
        check._recompute_figures()
        self.assertFigures(check, basis="visits", visits=4, prev_visits=4)
        self.assertNotIn("Invoices are counted", check.explanation)

    def test_real_repair_orders_are_counted(self):
        self.company.loyalty_retention_visits = 1
        for day in ("2022-12-05", "2023-03-05", "2024-03-05"):
            self._visit(self.customer, day)
        check = self._check()
        self.assertFigures(check, basis="visits", visits=1, prev_visits=1, came=1)
        self.assertEqual(check.verdict, "holding")

    def test_invoice_that_is_credited_as_a_whole_never_was(self):
        self._bill_by_sql(
            [(self.customer, "2022-12-01"), (self.customer, "2023-12-01")]
        )
        for day in ("2023-03-05", "2023-03-06", "2024-03-05"):
            self._invoice(self.customer, date=day)
        self.assertFigures(self._check(), prev_visits=2, visits=1, came=1)
        credited = self._invoice(self.customer, date="2024-04-05")
        self._credit(credited, date="2024-06-01")
        check = self._check(last="2024-04")
        self.assertFigures(check, prev_visits=2, visits=1)

    def test_customer_whose_only_invoice_before_was_credited_did_not_exist(self):
        self._credit(self._invoice(self.customer, date="2023-12-01"), date="2024-01-05")
        self._invoice(self.customer, date="2024-03-05")
        self.assertFigures(self._check(), customers=0, visits=0)

    def test_members_and_others_apart_as_they_were_then(self):
        member = self._enrol(self.customer, "2022-01-01")
        self._come([self.customer], 5, 6, member=member)
        self._come([self.other], 4, 1)
        member._leave(date="2024-06-01")
        check = self._check()
        found = {
            (row.scope, row.period): (row.customers, row.came, row.visits)
            for row in check.figure_ids
        }
        self.assertEqual(
            found,
            {
                ("member", "now"): (1, 1, 6),
                ("member", "before"): (1, 1, 5),
                ("other", "now"): (1, 1, 1),
                ("other", "before"): (1, 1, 4),
            },
        )
        self.assertFigures(check, visits=7, prev_visits=9, customers=2)
        self.assertIn(
            "Non-members: 1 visits of 1 customers, a year before 4 of 1.",
            check.explanation,
        )

    def test_ratios_of_groups_are_of_their_sums(self):
        self._come([self.customer], 6, 6)
        self._come([self._create_customer("Away")], 0, 0)
        check = self._check()
        Figure = self.env["garage.loyalty.retention.figure"]
        row = Figure._read_group(
            [("check_id", "=", check.id)],
            [],
            ["came_share:avg", "frequency:avg", "visits:sum"],
        )[0]
        self.assertEqual([float(item) for item in row], [50, 3, 12])

    def test_months_that_overlap_are_not_added_up(self):
        member = self._enrol(self.other, "2022-01-01")
        self._come([self.customer], 6, 6)
        self._come([self.other], 4, 2, member=member)
        (self._check() + self._check(last="2024-04")).mapped("visits")
        Figure = self.env["garage.loyalty.retention.figure"]
        rows = Figure._read_group(
            [("company_id", "=", self.company.id)], ["period"], ["visits:avg"]
        )
        self.assertEqual({key: float(item) for key, item in rows}["now"], 8)
        self.assertEqual({key: float(item) for key, item in rows}["before"], 10)

    def test_branches_that_share_the_programme_are_one_company(self):
        self.company.loyalty_program_ids.share_branches = True
        branch = self.env["res.company"].create(
            {"name": "Branch", "parent_id": self.company.id}
        )
        self.assertEqual(branch.loyalty_company_id, self.company)
        self.assertNotIn(branch, self.Check._get_companies())

    def test_settings_out_of_bounds_are_refused(self):
        for vals in (
            {"loyalty_retention_share": -1},
            {"loyalty_retention_share": 101},
            {"loyalty_retention_months": 0},
            {"loyalty_retention_months": 13},
            {"loyalty_retention_visits": 0},
        ):
            with (
                self.subTest(vals=vals),
                self.assertRaises(IntegrityError),
                mute_logger("odoo.sql_db"),
                self.env.cr.savepoint(),
            ):
                self.company.write(vals)
                self.company.flush_recordset()

    def test_settings_page_writes_them(self):
        owner = self._create_user("retention_owner", MANAGER, "base.group_system")
        Settings = self.env(user=owner)["res.config.settings"]
        settings = Settings.with_company(self.company).create({})
        settings.loyalty_retention_months = 2
        settings.execute()
        self.assertEqual(self.company.loyalty_retention_months, 2)


@tagged("post_install", "-at_install")
@freeze_time(TODAY)
class TestRetentionOracle(RetentionCommon):
    """The figures against a slow, obvious count of the same random documents."""

    def _count(self, start, end, since, billed, done, members):
        """Return what existing customers did, by membership."""
        found = {}
        for partner, days in billed.items():
            before = sorted(
                (day, number) for number, day in enumerate(days) if day < start
            )
            if not before or before[-1][0] < since:
                continue
            row = found.setdefault(
                members[partner][before[-1][1]],
                {"customers": 0, "came": 0, "visits": 0, "invoices": 0},
            )
            visits = sum(start <= day <= end for day in done.get(partner, ()))
            invoices = sum(start <= day <= end for day in days)
            row["customers"] += 1
            row["came"] += bool(visits or invoices)
            row["visits"] += visits
            row["invoices"] += invoices
        return found

    def _make(self, generator, company, customers, accounts):
        """Invoice customers and finish repair orders at random; return the days."""
        billed, done, members = {}, {}, {}
        span = (date(2024, 9, 1) - date(2020, 1, 1)).days
        for customer in customers:
            for _number in range(generator.randrange(1, 14)):
                day = date(2020, 1, 1) + timedelta(generator.randrange(span))
                is_member = customer in accounts and generator.random() < 0.5
                account = accounts[customer] if is_member else None
                self._bill_by_sql([(customer, day)], company, account)
                billed.setdefault(customer, []).append(day)
                members.setdefault(customer, []).append(is_member)
                if generator.random() < 0.7:
                    self._finish_by_sql([(customer, day)], company)
                    done.setdefault(customer, []).append(day)
        return billed, done, members

    def _compare(self, company, documents, number, months, known):
        for window in retention.windows(number, months, number - 90, known):
            start = movement.month_start(window.first)
            expected = self._count(
                start,
                fields.Date.end_of(movement.month_start(window.last), "month"),
                movement.month_start(window.first - window.known),
                *documents,
            )
            found = self.Check._get_counts(company, window)
            names = "customers", "came", "visits", "invoices"
            found = {
                key: {name: row[name] for name in names} for key, row in found.items()
            }
            self.assertEqual(found, expected, (company.name, window))

    def test_random_documents_in_two_companies(self):
        generator = random.Random(7)
        elsewhere = self.setup_other_company()["company"]
        customers = [self._create_customer(f"R{number}") for number in range(25)]
        customers[4].active = False
        accounts = {partner: self._enrol(partner) for partner in customers[:10]}
        both = {
            company: self._make(
                generator,
                company,
                customers,
                accounts if company == self.company else {},
            )
            for company in (self.company, elsewhere)
        }
        both[self.company][0].setdefault(self.other, []).append(date(2021, 1, 4))
        both[self.company][2].setdefault(self.other, []).append(False)
        self._refresh()
        last = movement.month_number(date(2024, 5, 1))
        for company, documents in both.items():
            for number in range(last - 8, last + 2):
                for months, known in ((1, 6), (3, 18), (12, 24)):
                    self._compare(company, documents, number, months, known)


@tagged("post_install", "-at_install")
@freeze_time(TODAY)
class TestRetentionJob(RetentionCommon):
    """The nightly job, and who hears of it."""

    def test_first_run_looks_at_a_year_and_tells_of_the_last_month_only(self):
        self._come([self.customer], 10, 5)
        checks = self._run()
        self.assertEqual(len(checks), retention.HISTORY)
        self.assertEqual(str(checks[0].month), "2024-05-01")
        self.assertEqual(str(checks[-1].month), "2023-06-01")
        self.assertEqual(checks.filtered("told_date"), checks[0])
        alarm = self._alarms()
        self.assertEqual(alarm.user_id, self.manager)
        self.assertEqual(alarm.res_id, checks[0].id)
        self.assertEqual(
            alarm.summary, "Existing customers come 50% less often than a year ago"
        )
        self.assertIn("March – May 2024: 5 visits", alarm.note)

    def test_job_again_changes_nothing(self):
        self._come([self.customer], 10, 5)
        before = self._run().read(["visits", "write_date", "told_date"])
        alarms = self._alarms()
        after = self._run("2024-06-30").read(["visits", "write_date", "told_date"])
        self.assertEqual(after, before)
        self.assertEqual(self._alarms(), alarms)

    def test_job_that_was_interrupted_goes_on(self):
        self._come([self.customer], 10, 5)
        self._refresh()
        for _month in range(2):
            self.assertEqual(self.Check._record_next(), 1)
        self.assertFalse(self._alarms())
        checks = self._run()
        self.assertEqual(len(checks), retention.HISTORY)
        self.assertEqual(len(self._alarms()), 1)
        self.assertEqual(self.Check._record_next(), 0)

    def test_month_waits_for_late_invoices(self):
        self._come([self.customer], 10, 5)
        for day, month in (("2024-06-05", "2024-04-01"), ("2024-06-06", "2024-05-01")):
            with self.subTest(day=day):
                self.assertEqual(str(self._run(day)[0].month), month)

    def test_figures_stay_as_they_were_unless_computed_again(self):
        self._come([self.customer], 10, 5)
        check = self._run()[0]
        self._bill_by_sql([(self.customer, "2024-05-31")])
        self.assertEqual(self._run()[0].visits, 5)
        check.with_user(self.manager).action_recompute()
        self.assertEqual(check.visits, 6)

    def test_fall_that_goes_on_is_told_when_no_month_is_the_same(self):
        self._come([self.customer], 10, 5)
        self._bill_by_sql(
            [(self.customer, f"2023-{month:02}-20") for month in (4, 5, 6, 7, 8)] * 4
        )
        self._run()
        self._alarms().action_done()
        for day, told in (
            ("2024-07-15", False),
            ("2024-08-15", False),
            ("2024-09-15", True),
        ):
            with self.subTest(day=day):
                check = self._run(day)[0]
                self.assertEqual(check.verdict, "falling")
                self.assertEqual(bool(check.told_date), told)
                self.assertEqual(self._alarms().res_id, told and check.id)

    def test_manager_with_an_open_activity_gets_no_other(self):
        self._come([self.customer], 10, 5)
        check = self._run()[0]
        check.told_date = False
        second = self._create_user("second_manager", MANAGER)
        self._run()
        self.assertEqual(self._alarms().user_id, self.manager + second)
        self.assertEqual(len(self._alarms()), 2)

    def test_holding_tells_nobody(self):
        self._come([self.customer], 10, 10)
        self.assertEqual(self._run()[0].verdict, "holding")
        self.assertFalse(self._alarms())

    def test_archived_managers_and_those_of_other_companies_are_not_told(self):
        self._come([self.customer], 10, 5)
        elsewhere = self.setup_other_company()["company"]
        new_test_user(
            self.env,
            "stranger",
            groups=f"base.group_user,{MANAGER}",
            company_id=elsewhere.id,
            company_ids=[Command.set(elsewhere.ids)],
        )
        self.env.ref(MANAGER).sudo().user_ids -= self.bystanders
        self.manager.sudo().active = False
        check = self._run()[0]
        self.assertEqual(check.verdict, "falling")
        self.assertFalse(check.told_date)
        self.assertFalse(self._alarms())
        # Whoever becomes a manager hears of it the next night.
        late = self._create_user("late_manager", MANAGER)
        self._run()
        self.assertEqual(self._alarms().user_id, late)

    def test_months_that_were_missed_are_looked_at_without_an_alarm(self):
        self._come([self.customer], 10, 5)
        self._run("2024-03-15")
        checks = self._run("2024-08-15")
        self.assertEqual(len(checks), retention.HISTORY + 5)
        self.assertFalse(self._alarms())
        falling = checks.filtered(lambda check: check.verdict == "falling")
        self.assertEqual(
            [str(month) for month in falling.mapped("month")],
            ["2024-05-01", "2024-04-01", "2024-03-01"],
        )

    def test_share_of_nothing_switches_it_off(self):
        self._come([self.customer], 10, 5)
        self.company.loyalty_retention_share = 0
        self.assertFalse(self._run())
        check = self._check()
        with self.assertRaisesRegex(UserError, "switched off"):
            check.action_recompute()

    def test_company_without_invoices_has_no_rows(self):
        elsewhere = self.setup_other_company()["company"]
        self._run()
        self.assertFalse(self.Check.search([("company_id", "=", elsewhere.id)]))

    def test_companies_are_told_apart(self):
        elsewhere = self.setup_other_company()["company"]
        elsewhere.loyalty_retention_visits = 4
        self._bill_by_sql([(self.other, "2021-01-04")], company=elsewhere)
        self._come([self.customer], 10, 10)
        self._come([self.customer], 10, 5, company=elsewhere)
        self.manager.company_ids += elsewhere
        self._run()
        self.assertFalse(self._alarms())
        self.assertEqual(self._alarms(elsewhere).user_id, self.manager)

    def test_alarm_is_taken_back_when_it_was_none(self):
        self._come([self.customer], 10, 5)
        check = self._run()[0]
        self.assertTrue(self._alarms())
        days = [f"2024-04-{day:02}" for day in range(1, 6)]
        self._bill_by_sql([(self.customer, day) for day in days])
        check.with_user(self.manager).action_recompute()
        self.assertEqual(check.verdict, "holding")
        self.assertFalse(self._alarms())
        self.assertFalse(check.told_date)

    def test_manager_finishes_the_activity(self):
        self._come([self.customer], 10, 5)
        check = self._run()[0]
        self._alarms().with_user(self.manager).action_feedback(feedback="Called them")
        self.assertFalse(self._alarms())
        self.assertIn("Called them", check.message_ids[0].body)

    def test_activity_is_in_the_language_of_its_reader(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        self.manager.lang = "fr_FR"
        self._come([self.customer], 10, 5)
        self._run()
        self.assertIn("mars", self._alarms().note)


@tagged("post_install", "-at_install")
@freeze_time(TODAY)
class TestRetentionButtons(RetentionCommon):
    """What the form says and does."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.away = cls._create_customer("Away")
        cls._come([cls.customer], 12, 8)
        cls._come([cls.away], 8, 0)

    def _customers(self, domain):
        mine = [("company_id", "=", self.company.id)]
        return self.Customer.search(mine + domain).partner_id

    def test_explanation_says_it_all_in_words(self):
        check = self._check()
        text = html.fromstring(f"<div>{check.explanation}</div>").text_content()
        for words in (
            "March – May 2024: 8 visits of existing customers.",
            "a year before: 20. That is 60% less.",
            "Existing customers: 2, a year before 2. Of these came 50% (100%).",
            "Visits of each existing customer: 4.00 (10.00).",
            "may still be chance",
            "an invoice in the 18 months before",
            "more than 10% fewer visits",
        ):
            with self.subTest(words=words):
                self.assertIn(words, text)
        self.assertEqual(check.display_name, "March – May 2024")

    def test_months_of_two_years_and_of_one_month(self):
        self.assertEqual(
            self._check(last="2024-01").display_name, "November 2023 – January 2024"
        )
        self.company.loyalty_retention_months = 1
        self.assertEqual(self._check(last="2024-02").display_name, "February 2024")

    def test_many_customers_are_hardly_chance(self):
        partners = [self._create_customer(f"M{number}") for number in range(40)]
        self._come(partners[:30], 1, 0)
        self._come(partners[30:], 1, 1)
        check = self._check()
        self.assertLess(check.chance, 5)
        self.assertIn("hardly chance", check.explanation)

    def test_who_did_not_come_are_existing_customers(self):
        new = self._create_customer("New")
        lost = self._create_customer("Lost")
        self._bill_by_sql([(new, "2024-06-01"), (lost, "2021-06-01")])
        check = self._check()
        self.assertEqual(check.missing_count, 1)
        action = check.action_open_missing()
        self.assertEqual(self.Customer.search(action["domain"]).partner_id, self.away)
        self._bill_by_sql([(self.away, "2024-06-10")])
        self._refresh()
        self.assertEqual(check.missing_count, 0)

    def test_campaign_that_is_started_contacts_them(self):
        action = self._check().action_start_campaign()
        Campaign = self.env[action["res_model"]].with_context(**action["context"])
        with Form(Campaign) as form:
            form.activity_type_id = self.env.ref("mail.mail_activity_data_call")
        campaign = form.record
        campaign.action_start()
        campaign.sudo()._contact_some(10)
        self.assertEqual(campaign.contact_ids.partner_id, self.away)

    def test_campaign_is_for_existing_customers_who_did_not_come(self):
        check = self._check()
        context = check._prepare_campaign_context()
        self.assertEqual(
            context["default_domain"],
            "[('first_date', '<', '2024-03-01'), ('last_date', '<', '2024-03-01'), "
            "('last_date', '>=', '2022-09-01')]",
        )
        self.assertEqual(context["default_company_id"], self.company.id)
        self.assertEqual(context["default_trigger"], "once")
        self.assertEqual(context["default_scope"], "all")
        self.assertIn("March – May 2024", context["default_name"])
        action = check.with_user(self.manager).action_start_campaign()
        self.assertEqual(action["res_model"], "garage.loyalty.campaign")
        self.assertEqual(action["context"], context)
        self.assertEqual(self._customers(check._get_missing_domain()), self.away)

    def test_graph_shows_both_years(self):
        check = self._check()
        action = check.action_open_figures()
        Figure = self.env["garage.loyalty.retention.figure"]
        rows = Figure._read_group(action["domain"], ["period"], ["visits:sum"])
        self.assertEqual(dict(rows), {"now": 8, "before": 20})

    def test_buttons_are_for_managers(self):
        check = self._check()
        accountant = self._create_user("retention_accountant", ACCOUNTANT)
        theirs = check.with_user(accountant)
        self.assertEqual((theirs.verdict, theirs.missing_count), ("falling", 1))
        self.assertTrue(theirs.explanation)
        for button in (theirs.action_start_campaign, theirs.action_recompute):
            with self.subTest(button=button.__name__), self.assertRaises(AccessError):
                button()
        advisor = self._create_user("retention_advisor", USER)
        with self.assertRaises(AccessError):
            check.with_user(advisor).read(["verdict"])
        with self.assertRaises(AccessError):
            check.with_user(self.manager).write({"verdict": "holding"})

    def test_manager_of_another_company_computes_nothing(self):
        check = self._check()
        elsewhere = self.setup_other_company()["company"]
        stranger = new_test_user(
            self.env,
            "stranger",
            groups=f"base.group_user,{MANAGER}",
            company_id=elsewhere.id,
            company_ids=[Command.set(elsewhere.ids)],
        )
        theirs = check.with_user(stranger)
        for button in (
            theirs.action_open_missing,
            theirs.action_recompute,
            theirs.action_start_campaign,
        ):
            with self.subTest(button=button.__name__), self.assertRaises(AccessError):
                button()
