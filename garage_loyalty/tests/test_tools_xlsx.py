import io
import zipfile
from datetime import date, datetime

from lxml import etree
from openpyxl import load_workbook

from odoo.tests import BaseCase, tagged

from ..tools.cells import Column, Currency, Money
from ..tools.xlsx import Book, Table

EURO = Currency("EUR", "€")
DOLLAR = Currency("USD", "$", "before")
EVIL = (
    '=HYPERLINK("http://x")',
    "@SUM(1)",
    "+1",
    "-1",
    "{=SUM(A1)}",
    "http://example.com",
    "mailto:a@example.com",
    "<script>&amp;</script>",
    "12",
)


@tagged("post_install", "-at_install")
class TestXlsxTools(BaseCase):
    def _write(self, columns, rows, name="Visits", **looks):
        """Return a file with a table, after it was closed."""
        file = io.BytesIO()
        book = Book(file, Table(name, columns, **looks))
        book.fill(iter(rows))
        book.explain("About", [("Filter", "=1+1")], ("Column", "=Meaning"))
        book.close()
        self.book = book
        return file

    def _load(self, *args, formulas=True, **looks):
        return load_workbook(self._write(*args, **looks), data_only=not formulas)

    def test_text_that_looks_like_a_formula_is_text(self):
        sheet = self._load([Column("Customer")], [[text] for text in EVIL]).active
        cells = [row[0] for row in sheet.iter_rows(min_row=2)]
        self.assertEqual([cell.value for cell in cells], list(EVIL))
        self.assertEqual({cell.data_type for cell in cells}, {"s"})
        self.assertFalse(any(cell.hyperlink for cell in cells))
        # It stays text when somebody edits it.
        self.assertEqual([cell.quotePrefix for cell in cells][:5], [True] * 5)

    def test_labels_and_parameters_that_look_like_formulas_are_text(self):
        book = self._load([Column("=1+1", help="@SUM(1)")], [], name="=SUM(A1)")
        for sheet in book:
            for row in sheet.iter_rows():
                self.assertLessEqual({cell.data_type for cell in row}, {"s", "n"})

    def test_control_characters_are_removed(self):
        text = "Ada\x00\x01\x08\x0b\x1f\ufffe\ud800 Customer\nLine"
        sheet = self._load([Column("Customer")], [[text]]).active
        self.assertEqual(sheet["A2"].value, "Ada Customer\nLine")

    def test_every_part_of_the_file_is_well_formed(self):
        rows = [[text, Money(1, EURO)] for text in (*EVIL, "\x07")]
        columns = [Column("Customer"), Column("Net", "money", total=True)]
        with zipfile.ZipFile(self._write(columns, rows)) as parts:
            self.assertIsNone(parts.testzip())
            names = [name for name in parts.namelist() if not name.endswith("/")]
            for name in names:
                with self.subTest(part=name):
                    etree.fromstring(parts.read(name))

    def test_kinds_of_columns_are_written_as_what_they_are(self):
        columns = [
            Column("Day", "date"),
            Column("Moment", "datetime"),
            Column("Times", "integer"),
            Column("Share", "percent"),
            Column("Ratio", "decimal", digits=3),
            Column("Member", "boolean"),
        ]
        row = [date(2024, 2, 29), datetime(2024, 2, 29, 13, 5), 7, 0.5, 1.25, True]
        sheet = self._load(columns, [row]).active
        values = [cell.value for cell in sheet[2]]
        self.assertEqual(values, [datetime(2024, 2, 29), *row[1:]])
        self.assertEqual(
            [cell.number_format for cell in sheet[2]][2:5],
            ["#,##0", "0.0%", "#,##0.000"],
        )
        # The formats 14 and 22 are shown as the country of the reader writes them.
        self.assertEqual([sheet["A2"]._style.numFmtId for _ in "1"], [14])
        self.assertEqual(sheet["B2"]._style.numFmtId, 22)

    def test_nothing_is_written_where_there_is_no_value(self):
        sheet = self._load(
            [Column("Day", "date"), Column("Name")], [[None, None]]
        ).active
        self.assertEqual([cell.value for cell in sheet[2]], [None, None])

    def test_money_is_shown_in_its_currency(self):
        rows = [[Money(1.5, EURO)], [Money(2.5, DOLLAR)], [Money(3)]]
        sheet = self._load([Column("Net", "money")], rows).active
        self.assertEqual(
            [sheet.cell(row, 1).number_format for row in (2, 3, 4)],
            ['#,##0.00 "€"', '"$" #,##0.00', "#,##0.00"],
        )

    def test_totals_are_formulas_with_their_value(self):
        columns = [
            Column("Name"),
            Column("Net", "money", total=True),
            Column("Times", "integer", total=True),
        ]
        rows = [["a", Money(0.1, EURO), 1], ["b", Money(0.2, EURO), 2], ["c", None, 3]]
        sheet = self._load(columns, rows).active
        self.assertEqual(
            [cell.value for cell in sheet[6]],
            ["Total", "=SUBTOTAL(109,B2:B4)", "=SUBTOTAL(109,C2:C4)"],
        )
        self.assertEqual(sheet["B6"].number_format, '#,##0.00 "€"')
        self.assertEqual([cell.value for cell in sheet[5]], [None] * 3)
        self.assertEqual({cell.border.top.style for cell in sheet[6]}, {"thin"})
        values = self._load(columns, rows, formulas=False).active
        self.assertEqual([cell.value for cell in values[6]], ["Total", 0.3, 6])

    def test_amounts_in_several_currencies_have_no_total(self):
        columns = [
            Column("Net", "money", total=True),
            Column("n", "integer", total=True),
        ]
        rows = [[Money(1, EURO), 1], [Money(1, DOLLAR), 1]]
        sheet = self._load(columns, rows).active
        self.assertEqual(
            [cell.value for cell in sheet[5]], [None, "=SUBTOTAL(109,B2:B3)"]
        )
        self.assertEqual(self.book.get_unsummed(), ["Net"])

    def test_table_without_rows_has_a_header_and_a_filter_only(self):
        sheet = self._load([Column("Net", "money", total=True)], []).active
        self.assertEqual(list(sheet.values), [("Net",)])
        self.assertEqual(sheet.auto_filter.ref, "A1")

    def test_sheet_is_made_for_work(self):
        sheet = self._load([Column("A"), Column("B")], [["x" * 80, "y"]] * 3).active
        self.assertEqual(sheet.freeze_panes, "A2")
        self.assertEqual(sheet.auto_filter.ref, "A1:B4")
        self.assertEqual(sheet.print_title_rows, "$1:$1")
        self.assertLessEqual(sheet.column_dimensions["A"].width, 51)

    def test_figures_stand_below_their_labels_and_dates_beside_names(self):
        columns = [Column("Day", "date"), Column("Name"), Column("Net", "money")]
        row = [date(2024, 2, 29), "Ada", Money(1, EURO)]
        sheet = self._load(columns, [row]).active
        sides = [cell.alignment.horizontal for cell in sheet[1]]
        self.assertEqual(sides, ["left", "left", "right"])
        sides = [cell.alignment.horizontal for cell in sheet[2]]
        self.assertEqual(sides, ["left", None, None])
        sheet = self._load(columns, [row], right_to_left=True).active
        self.assertEqual({cell.alignment.horizontal for cell in sheet[1]}, {None})

    def test_long_definitions_get_the_height_they_need(self):
        column = Column("Net", "money", help="word " * 60)
        sheet = self._load([column, Column("Name", help="short")], []).worksheets[1]
        rows = {sheet.cell(row, 1).value: row for row in range(1, sheet.max_row + 1)}
        heights = [sheet.row_dimensions[rows[name]].height for name in ("Net", "Name")]
        self.assertEqual(heights, [60, None])

    def test_right_to_left_language_is_written_from_the_right(self):
        book = self._load([Column("A")], [["x"]], right_to_left=True)
        self.assertTrue(all(sheet.sheet_view.rightToLeft for sheet in book))

    def test_definitions_stand_on_a_sheet_of_their_own(self):
        columns = [Column("Net", help="Without tax."), Column("Other")]
        sheet = self._load(columns, [["a", "b"]])["About"]
        rows = list(sheet.values)
        self.assertIn(("Filter", "=1+1"), rows)
        self.assertIn(("Net", "Without tax."), rows)

    def test_sheets_with_the_same_name_are_told_apart(self):
        book = self._load([Column("A")], [], name="About")
        self.assertEqual(book.sheetnames, ["About", "About 2"])
