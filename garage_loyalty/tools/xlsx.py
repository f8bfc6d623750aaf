"""Writing tables to Excel: rows go to the disk as they come, text is never computed."""

import textwrap
from dataclasses import dataclass

import xlsxwriter

from .cells import Money, Sum, clean, is_formula_like, number_format, sheet_name

MAX_ROWS = 1_048_576 - 3  # what a sheet holds, less the header and the total
OPTIONS = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_numbers": False,
    "strings_to_urls": False,
    "nan_inf_to_errors": True,
}
WIDTHS = {"date": 11, "datetime": 16, "boolean": 8, "percent": 9}
MIN_WIDTH, MAX_WIDTH = 9, 50
# Of the column that says what others mean, and of a line in it.
MEANING_WIDTH, LINE_HEIGHT = 90, 15
NUMBERS = ("decimal", "integer", "money", "percent")


@dataclass
class Table:
    """What is written on the first sheet; the words are in the user's language."""

    name: str
    columns: list
    total_label: str = "Total"
    author: str = ""
    right_to_left: bool = False


class Book:
    """A workbook in a file: a table with its totals, and a sheet that explains it.

    :param file: an open binary file, such as a temporary one
    """

    def __init__(self, file, table):
        self.table = table
        self.count = 0
        self._book = xlsxwriter.Workbook(file, OPTIONS)
        self._book.set_properties(
            {"title": clean(table.name), "author": clean(table.author)}
        )
        self._formats, self._known = {}, {}
        self._sheet = self._book.add_worksheet(sheet_name(table.name))
        self._sums = [Sum() if column.total else None for column in table.columns]
        self._widths = [
            min(max(len(column.label) + 4, WIDTHS.get(column.kind, MIN_WIDTH)), 24)
            for column in table.columns
        ]
        self._set_up(self._sheet)
        self._write_header()

    def fill(self, rows):
        """Write the rows one after the other, then the totals.

        :param rows: iterable of lists with a cell for each column: None, or what the
            kind of the column says; an amount is a ``Money``
        """
        for row in rows:
            self.count += 1
            for number, (column, cell) in enumerate(
                zip(self.table.columns, row, strict=True)
            ):
                if cell is not None:
                    self._write_cell(self.count, number, column, cell)
        self._finish_table()

    def explain(self, name, parameters, titles):
        """Write the second sheet: what was asked for, and what each column means.

        :param parameters: pairs of words and what they are
        :param titles: the words above the columns and above what they mean
        """
        sheet = self._book.add_worksheet(self._get_free_name(name))
        self._set_up(sheet)
        sheet.set_column(0, 0, 30)
        sheet.set_column(1, 1, MEANING_WIDTH)
        sheet.write_string(0, 0, clean(self.table.name), self._style(bold=True))
        sheet.set_row(0, 22)
        row = self._write_pairs(sheet, 2, parameters)
        for column, title in enumerate(titles):
            sheet.write_string(row + 1, column, clean(title), self._head())
        pairs = [(column.label, column.help) for column in self.table.columns]
        self._write_pairs(sheet, row + 2, pairs)

    def get_unsummed(self):
        """Return the labels of columns without a total, for they mix currencies."""
        return [
            column.label
            for column, total in zip(self.table.columns, self._sums, strict=True)
            if total and not total.is_known
        ]

    def close(self):
        """Finish the file."""
        self._book.close()

    # -- the parts of a sheet -------------------------------------------------------

    def _set_up(self, sheet):
        """Prepare a sheet for the screen and for paper."""
        sheet.set_landscape()
        sheet.set_paper(9)  # A4
        sheet.fit_to_pages(1, 0)
        sheet.set_footer("&L&A&R&P / &N")
        if self.table.right_to_left:
            sheet.right_to_left()

    def _write_header(self):
        self._sheet.freeze_panes(1, 0)
        self._sheet.repeat_rows(0)
        for number, column in enumerate(self.table.columns):
            looks = self._get_alignment(column)
            if column.kind in NUMBERS and looks:
                # Programs show the button of the filter in this corner of the cell.
                looks["indent"] = 2
            head = self._head(**looks)
            self._sheet.write_string(0, number, clean(column.label), head)

    def _finish_table(self):
        last = len(self.table.columns) - 1
        self._sheet.autofilter(0, 0, self.count, last)
        if self.count:
            self._write_totals()
        for number, width in enumerate(self._widths):
            self._sheet.set_column(number, number, width)

    def _write_totals(self):
        """Write sums that follow the filter, below an empty row that ends the table."""
        row = self.count + 2
        if not any(self._sums):
            return
        line = self._style(bold=True, top=1)
        for number, total in enumerate(self._sums):
            if total and total.is_known:
                self._write_total(row, number, total)
            else:
                self._sheet.write_blank(row, number, None, line)
        if not self._sums[0]:
            label = clean(self.table.total_label)
            self._sheet.write_string(row, 0, label, line)

    def _write_total(self, row, number, total):
        column, cell = self.table.columns[number], total.cell
        letter = xlsxwriter.utility.xl_col_to_name(number)
        formula = f"=SUBTOTAL(109,{letter}2:{letter}{self.count + 1})"
        # Programs that do not compute show the value that stands beside the formula.
        style = self._get_style(column, cell, bold=True, top=1)
        value = round(self._get_number(cell), 0 if column.kind == "integer" else 6)
        self._sheet.write_formula(row, number, formula, style, value)
        self._widen(number, len(f"{value:,.2f}") + 5)

    def _write_pairs(self, sheet, row, pairs):
        style = self._style(text_wrap=True, valign="top")
        for name, value in pairs:
            # Some programs do not make room for a second line by themselves.
            parts = clean(value).splitlines() or [""]
            lines = sum(len(textwrap.wrap(part, MEANING_WIDTH)) or 1 for part in parts)
            sheet.set_row(row, LINE_HEIGHT * lines)
            sheet.write_string(row, 0, clean(name), style)
            sheet.write_string(row, 1, clean(value), style)
            row += 1
        return row

    # -- cells ----------------------------------------------------------------------

    def _write_cell(self, row, number, column, cell):
        if total := self._sums[number]:
            total.add(cell)
        style = self._get_style(column, cell)
        if column.kind == "text":
            text = clean(cell)
            self._sheet.write_string(row, number, text, style)
            self._widen(number, len(text) + 1)
        elif column.kind == "boolean":
            self._sheet.write_boolean(row, number, cell, style)
        elif column.kind in ("date", "datetime"):
            self._sheet.write_datetime(row, number, cell, style)
        else:
            self._sheet.write_number(row, number, self._get_number(cell), style)

    def _get_number(self, cell):
        return cell.amount if isinstance(cell, Money) else cell

    def _widen(self, number, width):
        if width > self._widths[number]:
            self._widths[number] = min(width, MAX_WIDTH)

    # -- looks ----------------------------------------------------------------------

    def _get_style(self, column, cell, **looks):
        """Return the style of a cell, which few of them do not share."""
        currency = cell.currency if isinstance(cell, Money) else None
        # So it stays text when somebody edits the cell.
        is_quoted = column.kind == "text" and is_formula_like(cell)
        key = column.kind, column.digits, currency, is_quoted, *looks
        if key not in self._known:
            if number := number_format(column.kind, column.digits, currency):
                looks["num_format"] = number
            if column.kind in ("boolean", "date", "datetime"):
                looks |= self._get_alignment(column)
            if is_quoted:
                looks["quote_prefix"] = True
            self._known[key] = self._style(**looks) if looks else None
        return self._known[key]

    def _style(self, **looks):
        """Return a style of the workbook, made once."""
        key = tuple(sorted(looks.items()))
        if key not in self._formats:
            self._formats[key] = self._book.add_format(looks)
        return self._formats[key]

    def _get_alignment(self, column):
        """Return on which side a column stands; programs know it from right to left."""
        if self.table.right_to_left:
            return {}
        return {"align": "right" if column.kind in NUMBERS else "left"}

    def _head(self, **looks):
        shape = {"bottom": 1, "text_wrap": True, "valign": "vcenter"}
        return self._style(bold=True, bg_color="#E7E9ED", **shape, **looks)

    def _get_free_name(self, name):
        name = sheet_name(name)
        return f"{name[:29]} 2" if name == sheet_name(self.table.name) else name
