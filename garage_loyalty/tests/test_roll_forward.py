import random
from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

from dateutil.relativedelta import relativedelta
from freezegun import freeze_time
from psycopg2 import IntegrityError

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, tagged
from odoo.tools import mute_logger

from ..reports.garage_loyalty_roll_forward_query import FIGURES
from ..tools.liability import Valuation, movements
from .common import ACCOUNTANT, MANAGER, USER, GarageLoyaltyCommon

TODAY = date(2024, 8, 20)
START = date(2024, 1, 5)
RATE = 2.0
MONTHS = [date(2024, number, 1) for number in range(1, 9)]
NAMES = [*FIGURES.values()]
POINTS = ["opening", *NAMES, "closing"]
MONEY = [f"{name}_amount" for name in ("opening", *NAMES, "revalued", "closing")]


class LiabilityCommon(GarageLoyaltyCommon):
    """Two companies, one of them with a currency without decimals."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.startClassPatcher(freeze_time(START))
        yen = cls.setup_other_currency(
            "JPY", rates=[("2020-01-01", RATE)], rounding=1.0
        )
        elsewhere = cls.setup_other_company(currency_id=yen.id)["company"]
        cls.companies = cls.company + elsewhere
        cls.env.user.company_ids += elsewhere
        Program = cls.env["garage.loyalty.program"]
        cls.programs = cls.program + Program._get_default(elsewhere)
        # Most tests are about other things than taxes.
        cls.companies.account_sale_tax_id = False
        # As the first valuation: it begins on the first day of this workshop.
        cls.env.flush_all()
        cls.env.cr.execute("DELETE FROM garage_loyalty_valuation")
        cls.env.invalidate_all()
        cls.programs[0].point_value = 0.037
        cls.programs[1].point_value = 7.5
        cls.Report = cls.env["garage.loyalty.roll.forward"].with_context(
            allowed_company_ids=cls.companies.ids
        )

    @classmethod
    def _value(cls, program, day, rate, point_value=None):
        vals = {"program_id": program.id, "date": day, "redemption_rate": rate}
        if point_value:
            vals["point_value"] = point_value
        with freeze_time(day):
            return cls.env["garage.loyalty.valuation"].create(vals)

    @classmethod
    def _append(cls, member, kind, points, day):
        """Add an entry alone: the report is not about lots."""
        vals = member._prepare_entry_vals(kind, points, day, member, None)
        cls.Entry._append([vals])

    @classmethod
    def _fill(cls, seed=3, count=60):
        """Post entries of all kinds on random days, and change the valuations."""
        rng = random.Random(seed)
        for program in cls.programs:
            customers = [cls._create_customer(f"Customer {n}") for n in range(4)]
            members = [
                cls._enrol(customer, date=START, program=program)
                for customer in customers
            ]
            for _entry in range(count):
                member = rng.choice(members)
                day = START + timedelta(days=rng.randrange(220))
                kind = rng.choice([*FIGURES])
                points = rng.randrange(1, 900)
                sign = -1 if kind in ("redeem", "expire", "clawback") else 1
                cls._append(member, kind, sign * points, day)
        cls._value(cls.programs[0], date(2024, 3, 15), 83.3)
        cls._value(cls.programs[0], date(2024, 5, 1), 78.25)
        cls._value(cls.programs[0], date(2024, 5, 1), 90, 0.0415)
        cls._value(cls.programs[1], date(2024, 6, 30), 66.66)
        cls.env.flush_all()

    # -- the oracle -----------------------------------------------------------------

    def _get_cells(self, program):
        entries = [
            (entry.date, entry.kind, entry.points)
            for entry in self.Entry.search([("program_id", "=", program.id)])
        ]
        valuations = [
            Valuation(
                item.date,
                Decimal(str(round(item.point_value, 6))),
                Decimal(str(round(item.redemption_rate, 2))),
                Decimal(str(round(item.tax_percent, 4))),
            )
            for item in program.valuation_ids.sorted(lambda item: (item.date, item.id))
        ]
        digits = program.company_id.currency_id.decimal_places
        return movements(entries, valuations, digits)

    def _get_month(self, cells, first, after):
        """Return all figures of the time from a day until the eve of another."""
        found = defaultdict(int)
        for (day, kind), (points, amount) in cells.items():
            name = FIGURES.get(kind, "revalued")
            if day < after:
                found["closing"] += points
                found["closing_amount"] += amount
            if day < first:
                found["opening"] += points
                found["opening_amount"] += amount
            elif day < after:
                found[name] += points
                found[f"{name}_amount"] += amount
        return found


@tagged("post_install", "-at_install")
class TestRollForward(LiabilityCommon):
    """The report against movements added up one after the other."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._fill()
        cls.startClassPatcher(freeze_time(TODAY))

    def _assert_row(self, row, expected, factor=1, message=None):
        for name in POINTS:
            self.assertEqual(row[f"{name}:sum"], expected[name], f"{message} {name}")
        for name in MONEY:
            found = float(row[f"{name}:sum"])
            text = f"{message} {name}"
            self.assertAlmostEqual(found, float(expected[name]), 6, text)

    def _read(self, domain, groupby, names=POINTS + MONEY):
        specs = [f"{name}:sum" for name in names]
        size = len(groupby)
        return {
            row[:size]: dict(zip(specs, row[size:], strict=True))
            for row in self.Report._read_group(domain, groupby, specs)
        }

    def test_every_month_of_every_program_is_what_its_entries_make(self):
        rows = self._read([], ["program_id", "month:month"])
        self.assertEqual(len(rows), 2 * len(MONTHS))
        for program in self.programs:
            cells = self._get_cells(program)
            for month in MONTHS:
                after = month + relativedelta(months=1)
                expected = self._get_month(cells, month, after)
                self._assert_row(rows[program, month], expected, message=str(month))

    def test_closing_of_a_month_is_the_opening_of_the_next(self):
        rows = self._read([], ["program_id", "month:month"])
        for program in self.programs:
            for month, after in pairwise(MONTHS):
                for kind in ("", "_amount"):
                    self.assertEqual(
                        rows[program, month][f"closing{kind}:sum"],
                        rows[program, after][f"opening{kind}:sum"],
                    )

    def test_opening_and_movements_make_the_closing_in_every_group(self):
        for groupby in ([], ["month:quarter"], ["program_id"], ["month:year"]):
            for key, row in self._read([], groupby).items():
                points = row["opening:sum"] + sum(row[f"{name}:sum"] for name in NAMES)
                self.assertEqual(points, row["closing:sum"], key)
                money = sum(row[f"{name}:sum"] for name in MONEY[:-1])
                self.assertAlmostEqual(money, row["closing_amount:sum"], 6, key)

    def test_group_of_months_opens_with_the_first_and_closes_with_the_last(self):
        domain = [("month", ">=", MONTHS[2]), ("month", "<=", MONTHS[5])]
        for (program,), row in self._read(domain, ["program_id"]).items():
            cells = self._get_cells(program)
            self._assert_row(row, self._get_month(cells, MONTHS[2], MONTHS[6]))

    def test_closing_is_points_times_worth_to_the_smallest_unit(self):
        rows = self._read([], ["program_id"])
        for program, worth in zip(self.programs, ("0.03735", "4.9995"), strict=True):
            row = rows[program,]
            digits = program.company_id.currency_id.decimal_places
            expected = round(row["closing:sum"] * Decimal(worth), digits)
            self.assertAlmostEqual(row["closing_amount:sum"], float(expected), 6)

    def test_amounts_are_whole_smallest_units(self):
        for program in self.programs:
            digits = program.company_id.currency_id.decimal_places
            for row in self.Report.search([("program_id", "=", program.id)]):
                for name in MONEY:
                    self.assertEqual(row[name], round(row[name], digits), name)

    def test_taxes_in_the_value_of_a_point_are_not_owed(self):
        with freeze_time(TODAY):
            self.env["garage.loyalty.valuation"].create(
                {"program_id": self.program.id, "tax_percent": 19}
            )
        [row] = self._read([("program_id", "=", self.program.id)], []).values()
        cells = self._get_cells(self.program)
        after = MONTHS[-1] + relativedelta(months=1)
        self._assert_row(row, self._get_month(cells, MONTHS[0], after))
        expected = row["closing:sum"] * 0.0415 * 0.9 / 1.19
        self.assertAlmostEqual(row["closing_amount:sum"], expected, 2)

    def test_several_currencies_are_converted(self):
        names = ["opening_amount", "earned_amount", "closing_amount"]
        domain = [("month", ">", MONTHS[1])]
        apart = self._read(domain, ["program_id"], names)
        specs = [f"{name}:sum_currency" for name in names]
        [found] = self.Report._read_group(domain, [], specs)
        for name, value in zip(names, found, strict=True):
            first, second = (
                float(apart[program,][f"{name}:sum"]) for program in self.programs
            )
            self.assertAlmostEqual(float(value), first + second / RATE, 6, name)

    def test_past_months_stay_what_they_were_when_more_is_posted(self):
        before = self._read([("month", "<", MONTHS[-1])], ["program_id", "month:month"])
        member = self.Member.search([("program_id", "=", self.program.id)], limit=1)
        self._append(member, "adjust", 500, TODAY)
        self._value(self.program, TODAY, 50)
        after = self._read([("month", "<", MONTHS[-1])], ["program_id", "month:month"])
        self.assertEqual(before, after)

    def test_every_figure_opens_the_entries_that_it_is_made_of(self):
        for row in self.Report.search([]):
            for name in POINTS:
                action = row.with_context(figure=name).action_open_entries()
                entries = self.Entry.search(action["domain"])
                self.assertEqual(sum(entries.mapped("points")), row[name], name)
            action = row.with_context(figure="earned_amount").action_open_entries()
            entries = self.Entry.search(action["domain"])
            self.assertEqual(sum(entries.mapped("points")), row.earned)
            moved = self.Entry.search(row.action_open_entries()["domain"])
            self.assertEqual(sum(moved.mapped("points")), row.closing - row.opening)

    def test_rows_of_another_company_are_not_there(self):
        reader = self._create_user("auditor", ACCOUNTANT)
        reader.company_ids = self.company
        rows = self.env["garage.loyalty.roll.forward"].with_user(reader).search([])
        self.assertEqual(rows.program_id, self.program)

    def test_advisors_see_none_of_it(self):
        reader = self._create_user("counter", USER)
        with self.assertRaises(AccessError):
            self.env["garage.loyalty.roll.forward"].with_user(reader).search([])
        with self.assertRaises(AccessError):
            self.env["garage.loyalty.valuation"].with_user(reader).search([])


@tagged("post_install", "-at_install")
class TestValuation(LiabilityCommon):
    """What a point is expected to cost, and how that changes."""

    def _valuate(self, **vals):
        return self.env["garage.loyalty.valuation"].create(
            {"program_id": self.program.id, **vals}
        )

    def test_new_program_is_valued_in_full(self):
        self.assertFalse(self.company.account_sale_tax_id)
        program = self.program.copy({"name": "Second"})
        self.assertEqual(program.valuation_ids.redemption_rate, 100)
        self.assertAlmostEqual(program.valuation_ids.worth, program.point_value)

    def test_new_value_of_a_point_keeps_the_rate(self):
        self._valuate(redemption_rate=80)
        self.program.point_value = 0.1
        latest = self.program._get_valuation()
        self.assertAlmostEqual(latest.worth, 0.08)
        self.assertEqual(len(self.program.valuation_ids), 3)
        self.program.point_value = 0.1
        self.assertEqual(len(self.program.valuation_ids), 3)

    def test_new_value_counts_from_the_last_valuation_where_the_clock_went_back(self):
        with freeze_time("2023-12-31"):
            self.program.point_value = 0.2
        latest = self.program._get_valuation()
        self.assertAlmostEqual(latest.point_value, 0.2)
        self.assertEqual(latest.date, START)

    def test_value_that_no_float_holds_to_six_decimals_is_noted_once(self):
        count = len(self.program.valuation_ids)
        self.program.point_value = 2147483648
        self.assertEqual(len(self.program.valuation_ids), count + 1)

    def test_value_in_a_valuation_is_that_of_customers_too(self):
        self._valuate(redemption_rate=80, point_value=0.2)
        self.assertAlmostEqual(self.program.point_value, 0.2)
        self.assertEqual(len(self.program.valuation_ids), 2)

    def test_effect_is_shown_before_saving(self):
        member = self._enrol(self.customer, date=START)
        self.program.point_value = 0.05
        self._append(member, "adjust", 1000, START - timedelta(days=1))
        valuation = self.env["garage.loyalty.valuation"]
        with Form(valuation) as form:
            form.redemption_rate = 80
            self.assertEqual(form.outstanding, 1000)
            self.assertAlmostEqual(form.effect, -10)

    def test_taxes_are_those_of_most_sales_then_as_they_were(self):
        self.company.account_sale_tax_id = self.tax
        program = self.program.copy({"name": "Second"})
        self.assertEqual(program.valuation_ids.tax_percent, self.tax.amount)
        self.company.account_sale_tax_id = False
        program.point_value = 0.5
        latest = program._get_valuation()
        self.assertEqual(latest.tax_percent, self.tax.amount)
        self.assertAlmostEqual(latest.worth, 0.5 / (1 + self.tax.amount / 100), 8)

    def test_tax_that_is_no_percentage_is_none(self):
        self.tax.amount_type = "fixed"
        self.company.account_sale_tax_id = self.tax
        program = self.program.copy({"name": "Second"})
        self.assertEqual(program.valuation_ids.tax_percent, 0)

    def test_day_is_neither_in_the_future_nor_before_the_last_one(self):
        for day in ("2024-01-06", "2024-01-04"):
            with self.assertRaises(ValidationError):
                self._valuate(date=day)

    def test_value_for_customers_changes_today_only(self):
        with freeze_time(TODAY), self.assertRaises(ValidationError):
            self._valuate(date="2024-02-01", point_value=0.2)
        with freeze_time(TODAY):
            self._valuate(date="2024-02-01", redemption_rate=50)

    def test_valuations_are_kept(self):
        valuation = self._valuate(redemption_rate=80)
        with self.assertRaises(UserError):
            valuation.redemption_rate = 70
        with self.assertRaises(UserError):
            valuation.unlink()

    @mute_logger("odoo.sql_db")
    def test_rate_is_a_percentage(self):
        for rate in (-1, 100.5):
            with self.assertRaises(IntegrityError), self.env.cr.savepoint():
                self._valuate(redemption_rate=rate)

    def test_accountant_changes_the_rate_but_not_the_value(self):
        accountant = self._create_user("auditor", ACCOUNTANT)
        Valuation_ = self.env["garage.loyalty.valuation"].with_user(accountant)
        vals = {"program_id": self.program.id, "redemption_rate": 75}
        self.assertEqual(Valuation_.create(vals).user_id, accountant)
        with self.assertRaises(AccessError):
            Valuation_.create({**vals, "point_value": 0.5})
        manager = self._create_user("owner", MANAGER)
        Valuation_.with_user(manager).create({**vals, "point_value": 0.5})

    def test_rate_is_learned_from_months_of_which_nothing_is_left(self):
        rate, basis = self.program._get_redemption_estimate()
        self.assertIsNone(rate)
        self.assertIn("Too little", basis)
        member = self._enrol(self.customer, date=START)
        member._post_points("earn", 2000, START)
        member._post_points("redeem", -1500, START)
        member._post_points("expire", -500, START)
        rate, basis = self.program._get_redemption_estimate()
        self.assertAlmostEqual(rate, 75)
        self.assertIn("75.0 % of the 2000 points earned from 2024-01", basis)
