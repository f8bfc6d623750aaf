import random
from datetime import date, timedelta
from io import BytesIO

from freezegun import freeze_time
from openpyxl import load_workbook
from psycopg2 import IntegrityError

from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .test_roll_forward import MONEY, NAMES, POINTS, START, TODAY, LiabilityCommon

DAY = timedelta(days=1)


@tagged("post_install", "-at_install")
class TestRollForwardPeriod(LiabilityCommon):
    """What is owed between any two days, against movements one after the other."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._fill(seed=8)
        cls.startClassPatcher(freeze_time(TODAY))

    def _read(self, first, last, groupby=("program_id",)):
        report = self.Report.with_context(loyalty_from=first, loyalty_to=last)
        specs = [f"{name}:sum" for name in POINTS + MONEY]
        size = len(groupby)
        return {
            row[:size]: dict(zip(POINTS + MONEY, row[size:], strict=True))
            for row in report._read_group([], groupby, specs)
        }

    def _draw(self, rng):
        first = START + timedelta(days=rng.randrange(200))
        return first, first + timedelta(days=rng.randrange(28))

    def test_any_period_is_what_its_entries_make(self):
        rng = random.Random(2)
        for _period in range(25):
            first, last = self._draw(rng)
            found = self._read(first, last)
            for program in self.programs:
                cells = self._get_cells(program)
                expected = self._get_month(cells, first, last + DAY)
                for name in POINTS + MONEY:
                    self.assertAlmostEqual(
                        float(found[program,][name]),
                        float(expected[name]),
                        6,
                        (first, last, name),
                    )

    def test_closing_of_a_period_is_the_opening_of_the_next(self):
        rng = random.Random(3)
        for _period in range(15):
            first, last = self._draw(rng)
            before, after = self._read(first, last), self._read(last + DAY, TODAY)
            for program in self.programs:
                for kind in ("", "_amount"):
                    self.assertEqual(
                        before[program,][f"closing{kind}"],
                        after[program,][f"opening{kind}"],
                    )

    def test_months_of_a_period_add_up_and_whole_ones_are_as_ever(self):
        first, last = date(2024, 2, 10), date(2024, 5, 9)
        cut = self._read(first, last, ("program_id", "month:month"))
        whole = self._read(None, None, ("program_id", "month:month"))
        total = self._read(first, last)
        for program in self.programs:
            for month in (date(2024, 3, 1), date(2024, 4, 1)):
                self.assertEqual(cut[program, month], whole[program, month])
            rows = [row for (mine, _month), row in cut.items() if mine == program]
            self.assertEqual(len(rows), 4)
            for name in [*NAMES, *MONEY[1:-1]]:
                self.assertAlmostEqual(
                    float(sum(row[name] for row in rows)),
                    float(total[program,][name]),
                    6,
                )

    def test_past_period_stays_what_it_was(self):
        first, last = date(2024, 3, 10), date(2024, 6, 20)
        before = self._read(first, last)
        member = self.Member.search([("program_id", "=", self.program.id)], limit=1)
        self._append(member, "adjust", 999, TODAY)
        self._value(self.program, TODAY, 33)
        self.assertEqual(self._read(first, last), before)

    def test_figures_of_a_cut_month_open_its_entries(self):
        first, last = date(2024, 3, 10), date(2024, 4, 9)
        report = self.Report.with_context(loyalty_from=first, loyalty_to=last)
        rows = report.search([])
        self.assertEqual(len(rows), 4)
        for row in rows:
            for name in POINTS:
                action = row.with_context(figure=name).action_open_entries()
                entries = self.Entry.search(action["domain"])
                self.assertEqual(sum(entries.mapped("points")), row[name], name)

    def test_periods_read_one_after_the_other_are_told_apart(self):
        domain = [("program_id", "=", self.program.id), ("month", "=", "2024-03-01")]
        found = []
        for days in (("2024-03-10", "2024-03-19"), ("2024-03-10", None), (None, None)):
            context = dict(zip(("loyalty_from", "loyalty_to"), days, strict=True))
            row = self.Report.with_context(**context).search(domain)
            found.append((row.opening, row.closing))
        first, second, whole = found
        self.assertEqual(first[0], second[0])
        self.assertEqual(second[1], whole[1])
        self.assertNotEqual(first[0], whole[0])
        self.assertNotEqual(first[1], whole[1])

    def test_program_that_began_later_has_no_rows(self):
        self.assertFalse(self._read(date(2023, 1, 1), date(2023, 12, 31)))

    def test_bad_periods_are_refused(self):
        for first, last in (
            ("2024-02-31", "2024-03-01"),
            ("x", None),
            (None, 7),
            ("2024-03-02", "2024-03-01"),
        ):
            with self.assertRaises(UserError):
                self._read(first, last)

    # -- dialog ---------------------------------------------------------------------

    def _choose(self, **vals):
        return self.env["garage.loyalty.roll.forward.period"].create(vals)

    def test_choices_are_whole_months_quarters_and_years(self):
        for period, first, last in (
            ("last_month", "2024-07-01", "2024-07-31"),
            ("this_month", "2024-08-01", "2024-08-31"),
            ("last_quarter", "2024-04-01", "2024-06-30"),
            ("this_quarter", "2024-07-01", "2024-09-30"),
            ("last_year", "2023-01-01", "2023-12-31"),
            ("this_year", "2024-01-01", "2024-12-31"),
        ):
            wizard = self._choose(period=period)
            days = (wizard.date_from, wizard.date_to)
            self.assertEqual(days, tuple(map(date.fromisoformat, (first, last))))

    def test_dialog_opens_the_report_of_the_period(self):
        wizard = self._choose(
            period="other", date_from="2024-02-10", date_to="2024-03-09"
        )
        action = wizard.action_show()
        self.assertEqual(
            action["context"],
            {"loyalty_from": "2024-02-10", "loyalty_to": "2024-03-09"},
        )
        self.assertIn("02/10/2024 to 03/09/2024", action["name"])

    @mute_logger("odoo.sql_db")
    def test_dialog_refuses_days_in_the_wrong_order(self):
        with self.assertRaises(IntegrityError), self.env.cr.savepoint():
            self._choose(period="other", date_from="2024-02-10", date_to="2024-02-09")

    def test_excel_says_which_period_it_is(self):
        report = self.Report.with_context(
            loyalty_from="2024-02-10", loyalty_to="2024-03-09"
        )
        content = BytesIO()
        report._write_xlsx(content, [])
        sheets = load_workbook(content).worksheets
        cells = {cell for sheet in sheets for row in sheet.values for cell in row}
        self.assertTrue({"02/10/2024", "03/09/2024"} <= cells)
