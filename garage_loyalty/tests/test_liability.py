import random
from collections import defaultdict
from contextlib import suppress
from datetime import date, timedelta
from decimal import Decimal
from io import BytesIO

from dateutil.relativedelta import relativedelta
from freezegun import freeze_time
from openpyxl import load_workbook

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged
from odoo.tools import format_date

from ..tools import ages
from ..tools.liability import Valuation, rounded, valuation_on
from .common import ACCOUNTANT, MANAGER, USER
from .test_roll_forward import START, LiabilityCommon

DAY = timedelta(days=1)


class AgedCommon(LiabilityCommon):
    """Three companies: two decimals, none, and three."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        dinar = cls.setup_other_currency(
            "KWD", rates=[("2020-01-01", 0.3)], rounding=0.001
        )
        third = cls.setup_other_company(name="Third", currency_id=dinar.id)["company"]
        cls.companies += third
        cls.env.user.company_ids += third
        cls.programs += cls.env["garage.loyalty.program"]._get_default(third)
        cls.programs[2].point_value = 0.00713
        cls.programs.write({"minimum_redemption": 1, "warning_days": 0})
        cls.programs[0].write({"expiry_rule": "age", "expiry_months": 1})
        cls.Report = cls.env["garage.loyalty.liability"].with_context(
            allowed_company_ids=cls.companies.ids
        )
        cls.members = cls.Member
        for program in cls.programs:
            for number in range(4):
                customer = cls._create_customer(f"Customer {number}")
                cls.members += cls._enrol(customer, date=START, program=program)

    # -- a random history -----------------------------------------------------------

    @classmethod
    def _act(cls, rng, day, dated=None):
        """Let something happen on a day, dated that day unless said."""
        member = rng.choice(cls.members)
        source = member.partner_id
        points = rng.randrange(1, 400)
        dated = dated or day
        act = rng.choice(
            ["give"] * 4 + ["redeem", "restore", "clawback", "clawback", "transfer"]
        )
        # Whoever has too little is refused, as at the counter.
        with suppress(UserError), cls.env.cr.savepoint():
            if act == "give":
                kind = rng.choice(["earn", "adjust", "opening"])
                member._post_points(kind, points, dated, source=source)
            elif act == "redeem":
                member._post_points("redeem", -points, dated, source=source)
            elif act == "restore":
                options = {"source": source, "origin": source}
                member._post_points("restore", points // 3 + 1, dated, **options)
            elif act == "clawback":
                member._post_points("clawback", -points, dated, source=source)
            else:
                others = cls.members.filtered(
                    lambda item: item.program_id == member.program_id
                )
                member._transfer_points(
                    rng.choice(others), points, dated, source, "Gift"
                )

    @classmethod
    def _change_rules(cls, rng):
        program = rng.choice(cls.programs)
        program.write(
            {
                "expiry_rule": rng.choice(["age", "age", "fixed", "never"]),
                "expiry_months": rng.randrange(1, 5),
                "warning_days": rng.choice([0, 5]),
            }
        )

    @classmethod
    def _revalue(cls, rng, day):
        program = rng.choice(cls.programs)
        cls._value(program, day, rng.randrange(5000, 10000) / 100)

    @classmethod
    def _expire(cls):
        Expiry = cls.env["garage.loyalty.expiry"].sudo()
        Expiry._settle_batch(1000)
        for company in cls.companies:
            Expiry._expire_batch(company, 1000)

    @classmethod
    def _live(cls, seed, days, dated=None, each_day=None):
        """Let days pass: things happen, and at night points expire."""
        rng = random.Random(seed)
        for number in range(days):
            day = START + timedelta(number)
            with freeze_time(day):
                cls.env.invalidate_all()
                cls._expire()
                if each_day:
                    each_day(day, "morning")
                for _act in range(rng.randrange(4)):
                    cls._act(rng, day, dated and dated(rng, day))
                if rng.random() < 0.05:
                    cls._change_rules(rng)
                if rng.random() < 0.05:
                    cls._revalue(rng, day)
                if each_day:
                    each_day(day, "evening")
        return START + timedelta(days)

    def _read(self, day=None, domain=()):
        """Return the rows as dictionaries, by member and lot."""
        report = self.Report.with_context(loyalty_date=day)
        names = ["date", "date_expiry", "age_band", "expiring", "points", "amount"]
        return {
            (row.member_id, row.lot_id): {name: row[name] or None for name in names}
            for row in report.search(list(domain))
        }

    def _get_totals(self, rows):
        """Return points and amounts of each programme."""
        found = defaultdict(lambda: [0, Decimal(0)])
        for (member, _lot), row in rows.items():
            total = found[member.program_id]
            total[0] += row["points"] or 0
            total[1] += Decimal(str(row["amount"] or 0))
        return found

    # -- the oracle -----------------------------------------------------------------

    def _get_former_expiry(self, lot, day):
        """Return until when a lot could be spent, as was known at the end of a day."""
        changes = (
            self.env["garage.loyalty.lot.expiry"]
            .sudo()
            .search(
                [("lot_id", "=", lot.id), ("date", ">", day)], order="date, id", limit=1
            )
        )
        return (changes or lot).date_expiry or None

    def _replay(self, member, day):
        """Return what is owed to a member for each lot, from the ledger alone."""
        entries = self.Entry.search(
            [("member_id", "=", member.id), ("date", "<=", day)]
        )
        lots = {}
        for lot in entries.lot_ids:
            taken = lot.allocation_ids.filtered(lambda part: part.entry_id.date <= day)
            left = lot.points - sum(taken.mapped("points"))
            if left > 0:
                expiry = self._get_former_expiry(lot, day)
                lots[expiry, lot.date, lot.id] = left
        return ages.owed(sum(entries.mapped("points")), lots)

    def _assert_replayed(self, day):
        rows = self._read(day)
        Lot = self.env["garage.loyalty.lot"]
        for member in self.members:
            expected = self._replay(member, day)
            found = {lot: row for (owner, lot), row in rows.items() if owner == member}
            numbers = {key and key[2]: points for key, points in expected.items()}
            mine = {lot.id or None: row["points"] for lot, row in found.items()}
            self.assertEqual(mine, numbers, f"{member.number} on {day}")
            for key in filter(None, expected):
                row = found[Lot.browse(key[2])]
                self.assertEqual(row["date_expiry"], key[0])
                self.assertEqual(row["age_band"], ages.age_band(key[1], day))
                self.assertEqual(row["expiring"], ages.expiring(key[0], day))
            if (expected.get(None) or 0) < 0:
                row = found[Lot]
                self.assertEqual(row["age_band"], "debt")
                self.assertEqual(row["expiring"], "debt")
                self.assertFalse(row["date"])

    def _get_worth(self, program, day):
        valuations = [
            Valuation(
                item.date,
                Decimal(str(round(item.point_value, 6))),
                Decimal(str(round(item.redemption_rate, 2))),
            )
            for item in program.valuation_ids.sorted(lambda item: (item.date, item.id))
        ]
        return valuation_on(day, valuations).worth


@tagged("post_install", "-at_install")
class TestLiability(AgedCommon):
    """The report against the ledger, replayed for each day and member."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.days = [START + timedelta(number) for number in range(-1, 135, 9)]

        def dated(rng, day):
            return max(START, day - timedelta(rng.choice([0, 0, 3, 20, 40])))

        cls._live(5, 120, dated)

    def test_every_day_is_what_its_entries_make(self):
        for day in self.days:
            self._assert_replayed(day)

    def test_sheet_of_a_past_day_says_it_and_sums_to_its_rounded_worth(self):
        day = self.days[-3]
        self.env.user.group_ids += self.env.ref("base.group_allow_export")
        for program in self.programs:
            file = BytesIO()
            report = self.Report.with_context(
                loyalty_date=day, allowed_company_ids=program.company_id.ids
            )
            report._write_xlsx(file, [("program_id", "=", program.id)])
            rows, about = (
                [*sheet.values]
                for sheet in load_workbook(file, data_only=True).worksheets
            )
            self.assertIn(("As of", format_date(self.env, day)), [r[:2] for r in about])
            place = rows[0].index("Owed")
            *values, total = (row[place] for row in rows[1:] if row[place] is not None)
            domain = [("program_id", "=", program.id), ("date", "<=", day)]
            points = sum(self.Entry.search(domain).mapped("points"))
            digits = program.company_id.currency_id.decimal_places
            worth = rounded(points * self._get_worth(program, day), digits)
            self.assertEqual(sum(Decimal(str(value)) for value in values), worth)
            self.assertAlmostEqual(total, float(worth), 6)

    def test_history_has_all_that_the_report_must_tell_apart(self):
        rows = [row for day in self.days for row in self._read(day).values()]
        found = {row["age_band"] for row in rows} | {row["expiring"] for row in rows}
        self.assertLessEqual({"00_03", "03_06", "debt", "1_30", "4_never"}, found)

    def test_rows_sum_to_the_ledger_and_to_its_rounded_worth(self):
        for day in self.days:
            totals = self._get_totals(self._read(day))
            for program in self.programs:
                points, amount = totals[program]
                domain = [("program_id", "=", program.id), ("date", "<=", day)]
                entries = self.Entry.search(domain)
                self.assertEqual(points, sum(entries.mapped("points")))
                digits = program.company_id.currency_id.decimal_places
                worth = points * self._get_worth(program, day)
                self.assertEqual(amount, rounded(worth, digits), f"{program} {day}")

    def test_rows_are_whole_smallest_units_and_no_unit_off(self):
        for day in self.days:
            for (member, _lot), row in self._read(day).items():
                digits = member.company_id.currency_id.decimal_places
                amount = Decimal(str(row["amount"] or 0))
                self.assertEqual(amount, rounded(amount, digits))
                exact = row["points"] * self._get_worth(member.program_id, day)
                self.assertLess(abs(amount - exact), Decimal(1).scaleb(-digits))

    def test_end_of_each_month_is_the_closing_of_the_roll_forward(self):
        rows = self.env["garage.loyalty.roll.forward"].with_context(
            allowed_company_ids=self.companies.ids
        )
        months = rows.search([("program_id", "in", self.programs.ids)])
        self.assertGreaterEqual(len(months), 12)
        for row in months:
            last = row.month + relativedelta(months=1, days=-1)
            points, amount = self._get_totals(self._read(last))[row.program_id]
            self.assertEqual(points, row.closing, row.display_name)
            self.assertAlmostEqual(float(amount), row.closing_amount, 6)

    def test_groups_add_up_to_the_whole_in_every_grouping(self):
        report = self.Report.with_context(loyalty_date=self.days[-2])
        specs = ["points:sum", "amount:sum"]
        whole = {
            program: sums
            for program, *sums in report._read_group([], ["program_id"], specs)
        }
        for name in ("age_band", "expiring", "member_id", "tier_id"):
            groups = report._read_group([], ["program_id", name], specs)
            self.assertGreaterEqual(len(groups), len(whole))
            for program, sums in whole.items():
                mine = [row[2:] for row in groups if row[0] == program]
                for index, total in enumerate(sums):
                    part = sum(Decimal(str(row[index])) for row in mine)
                    self.assertEqual(part, Decimal(str(total)), name)


@tagged("post_install", "-at_install")
class TestLiabilityThen(AgedCommon):
    """What is told of a day later is what was told on that day."""

    def test_past_days_are_told_as_they_were_told_then(self):
        """Each day is asked for when it is over, and once more at the end."""
        mornings, evenings = {}, {}

        def keep(day, moment):
            if moment == "evening":
                evenings[day] = self._read()
            elif day > START:
                mornings[day - DAY] = self._read(day - DAY)

        end = self._live(11, 100, each_day=keep)
        changes = (
            self.env["garage.loyalty.lot.expiry"]
            .sudo()
            .search_count([("lot_id.member_id", "in", self.members.ids)])
        )
        self.assertGreater(changes, 10, "Nothing to be told otherwise now.")
        with freeze_time(end):
            for day, rows in mornings.items():
                self.assertEqual(self._read(day), rows, day)
        for day, rows in evenings.items():
            if day in mornings:
                self._assert_same_but_expired(rows, mornings[day], day)

    def _assert_same_but_expired(self, evening, morning, day):
        """At night only that goes of which it was the last day."""
        facts = ("date", "date_expiry", "age_band", "expiring", "points")
        kept = {
            key: [row[name] for name in facts]
            for key, row in evening.items()
            if not row["date_expiry"] or row["date_expiry"] > day
        }
        found = {key: [row[name] for name in facts] for key, row in morning.items()}
        self.assertEqual(found, kept, day)


@tagged("post_install", "-at_install")
class TestLiabilityCases(LiabilityCommon):
    """What happens to one member, and who may see it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.member = cls._enrol(cls.customer, date=START)
        cls.program.point_value = 0.05
        cls.Report = cls.env["garage.loyalty.liability"]

    def _read(self, day, *names):
        report = self.Report.with_context(loyalty_date=day)
        rows = report.search([("member_id", "=", self.member.id)])
        return [tuple(row[name] for name in names) for row in rows]

    def _post(self, kind, points, day, **options):
        with freeze_time(day):
            return self.member._post_points(kind, points, day, **options)

    def test_points_spent_later_are_owed_before(self):
        self._post("adjust", 100, "2024-01-10")
        self._post("redeem", -30, "2024-02-10")
        for day, expected in (
            ("2024-01-09", []),
            ("2024-01-10", [(100, 5.0)]),
            ("2024-02-09", [(100, 5.0)]),
            ("2024-02-10", [(70, 3.5)]),
        ):
            self.assertEqual(self._read(day, "points", "amount"), expected, day)

    def test_debt_is_a_row_without_lot(self):
        self._post("adjust", 100, "2024-01-10")
        self._post("clawback", -160, "2024-02-10")
        names = ("points", "amount", "lot_id", "age_band", "expiring", "date")
        Lot = self.env["garage.loyalty.lot"]
        self.assertEqual(
            self._read("2024-02-10", *names),
            [(-60, -3.0, Lot, "debt", "debt", False)],
        )

    def test_debt_of_then_is_not_forgotten_when_it_is_repaid(self):
        self._post("adjust", 100, "2024-01-10")
        self._post("clawback", -160, "2024-02-10")
        self._post("adjust", 200, "2024-03-10")
        self.assertEqual(self._read("2024-02-20", "points"), [(-60,)])
        self.assertEqual(self._read("2024-03-10", "points"), [(140,)])

    def test_transferred_points_change_their_member_and_keep_their_age(self):
        taker = self._enrol(self.other, date=START)
        self._post("adjust", 100, "2024-01-10")
        with freeze_time("2024-06-10"):
            self.member._transfer_points(taker, 40, "2024-06-10", self.member, "Gift")
        names = ("points", "date", "age_band")
        given_on = date(2024, 1, 10)
        self.assertEqual(self._read("2024-06-09", *names), [(100, given_on, "03_06")])
        self.assertEqual(self._read("2024-06-10", *names), [(60, given_on, "03_06")])
        report = self.Report.with_context(loyalty_date="2024-07-10")
        row = report.search([("member_id", "=", taker.id)])
        self.assertEqual((row.points, row.date, row.age_band), (40, given_on, "06_12"))
        before = self.Report.with_context(loyalty_date="2024-06-09")
        self.assertFalse(before.search([("member_id", "=", taker.id)]))

    def test_points_given_back_after_they_expired_expire_as_was_known_then(self):
        self.program.write({"expiry_rule": "age", "expiry_months": 1})
        self.program.expiry_month_end = False
        self._post("adjust", 100, "2024-01-10")
        source = {"source": self.customer}
        self._post("redeem", -100, "2024-01-20", **source)
        self._post("restore", 100, "2024-03-01", origin=self.customer, **source)
        names = ("points", "date_expiry", "expiring")
        self.assertEqual(
            self._read("2024-01-15", *names), [(100, date(2024, 2, 10), "1_30")]
        )
        self.assertEqual(self._read("2024-02-01", *names), [])
        self.assertEqual(
            self._read("2024-03-01", *names), [(100, date(2024, 3, 31), "1_30")]
        )

    def test_points_that_wait_for_the_nightly_action_are_past(self):
        self.program.write({"expiry_rule": "age", "expiry_months": 1})
        self._post("adjust", 100, "2024-01-10")
        with freeze_time("2024-03-01"):
            self.assertEqual(self._read(None, "expiring"), [("0_past",)])
            self.env["garage.loyalty.expiry"]._settle_batch(10)
            self.env["garage.loyalty.expiry"]._expire_batch(self.company, 10)
            self.assertEqual(self._read(None, "points"), [])
        self.assertEqual(self._read("2024-02-28", "points"), [(100,)])
        self.assertEqual(self._read("2024-02-29", "points"), [])

    def test_tier_is_that_of_the_day(self):
        self._post("adjust", 100, "2024-01-10")
        with freeze_time("2024-03-01"):
            self.member._set_tier(self.gold)
        self.assertEqual(self._read("2024-02-29", "tier_id"), [(self.bronze,)])
        self.assertEqual(self._read("2024-03-01", "tier_id"), [(self.gold,)])

    def test_points_are_worth_what_the_valuation_of_the_day_says(self):
        self._post("adjust", 1000, "2024-01-10")
        self._value(self.program, date(2024, 3, 1), 80)
        self.assertEqual(self._read("2024-02-29", "amount"), [(50.0,)])
        self.assertEqual(self._read("2024-03-01", "amount"), [(40.0,)])

    def test_today_is_that_of_the_company(self):
        self._post("adjust", 100, "2024-01-10")
        with freeze_time("2024-01-09 22:00:00"):
            self.assertEqual(self._read(None, "points"), [])
            self.company.partner_id.tz = "Asia/Tokyo"
            self.assertEqual(
                self._read(None, "points", "day"), [(100, date(2024, 1, 10))]
            )

    def test_rows_of_two_days_are_told_apart(self):
        self._post("adjust", 100, "2024-01-10")
        first, second = (
            self.Report.with_context(loyalty_date=day).search(
                [("member_id", "=", self.member.id)]
            )
            for day in ("2024-01-10", "2024-05-10")
        )
        self.assertNotEqual(first.id, second.id)
        self.assertEqual((first.age_band, second.age_band), ("00_03", "03_06"))

    def test_filters_find_what_expires_soon(self):
        self.program.write({"expiry_rule": "age", "expiry_months": 3})
        self.program.expiry_month_end = False
        self._post("adjust", 100, "2024-01-10")
        for day, expected in (
            ("2024-01-11", "2_90"),
            ("2024-03-11", "1_30"),
            ("2024-01-10", "3_later"),
        ):
            self.assertEqual(self._read(day, "expiring"), [(expected,)], day)

    # -- the day --------------------------------------------------------------------

    def test_day_that_is_none_is_refused(self):
        for day in ("yesterday", "2024-02-30", 5, ["2024-01-01"], "0001-01-01", {}):
            report = self.Report.with_context(loyalty_date=day)
            if not day:
                report.search([])  # the same as none
                continue
            with self.subTest(day=day), self.assertRaises(UserError):
                report.search([])
            with self.subTest(day=day), self.assertRaises(UserError):
                report.action_open()

    def test_dialog_opens_the_report_as_of_its_day_and_says_so(self):
        Wizard = self.env["garage.loyalty.liability.date"]
        with freeze_time("2024-03-15"):
            wizard = Wizard.create({})
            self.assertEqual(wizard.date, date(2024, 2, 29))
            action = wizard.action_show()
            self.assertEqual(action["context"]["loyalty_date"], "2024-02-29")
            self.assertIn("02/29/2024", action["name"])
            with self.assertRaises(UserError):
                Wizard.create({"date": "2024-03-16"}).action_show()
            action = self.Report.action_open()
            self.assertNotIn("loyalty_date", action["context"])
            self.assertIn("03/15/2024", action["name"])

    def test_row_opens_its_member(self):
        self._post("adjust", 100, START)
        row = self.Report.search([("member_id", "=", self.member.id)])
        self.assertEqual(row.action_open_member()["res_id"], self.member.id)

    # -- who may see it -------------------------------------------------------------

    def test_managers_and_accountants_read_and_advisors_do_not(self):
        self._post("adjust", 100, START)
        for login, group in (("owner", MANAGER), ("auditor", ACCOUNTANT)):
            reader = self._create_user(login, group)
            rows = self.Report.with_user(reader).search([])
            self.assertIn(self.member, rows.member_id)
            with self.assertRaises(AccessError):
                rows.write({"points": 5})
        advisor = self._create_user("counter", USER)
        for model in ("garage.loyalty.liability", "garage.loyalty.liability.date"):
            with self.assertRaises(AccessError):
                self.env[model].with_user(advisor).search([])

    def test_rows_of_another_company_are_not_there(self):
        self._post("adjust", 100, "2024-01-10")
        elsewhere = self.companies - self.company
        stranger = new_test_user(
            self.env,
            "stranger",
            groups=f"base.group_user,{ACCOUNTANT}",
            company_id=elsewhere.id,
            company_ids=[Command.set(elsewhere.ids)],
        )
        self.assertFalse(self.Report.with_user(stranger).search([]))
        theirs = self._enrol(self.other, program=self.programs[1])
        theirs._post_points("adjust", 10, START)
        found = self.Report.with_user(stranger).search([])
        self.assertEqual(found.member_id, theirs)
        self.assertEqual(found.company_id, elsewhere)
