"""What a cell of a spreadsheet holds and how it is shown."""

import re
from dataclasses import dataclass, field
from typing import NamedTuple

# What XML forbids, and halves of characters that cannot be written at all.
FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
FORMULA = re.compile(r"^\s*[=+\-@{]")
# Numbers 14 and 22 are the formats that Excel shows as the user's country does.
FORMATS = {"integer": "#,##0", "percent": "0.0%", "date": 14, "datetime": 22}


class Currency(NamedTuple):
    """How amounts in a currency are shown."""

    name: str
    symbol: str = ""
    position: str = "after"
    digits: int = 2


class Money(NamedTuple):
    """A cell: an amount, and its currency where it is known."""

    amount: float
    currency: Currency | None = None


@dataclass(frozen=True)
class Column:
    """A column: ``kind`` is text, integer, decimal, percent, money, date, datetime
    or boolean."""

    label: str
    kind: str = "text"
    help: str = ""
    digits: int = 2
    total: bool = False


@dataclass
class Sum:
    """A total of a column while its rows go by."""

    amount: float = 0.0
    currencies: set = field(default_factory=set)

    def add(self, cell):
        if isinstance(cell, Money):
            self.currencies.add(cell.currency)
            cell = cell.amount
        self.amount += cell or 0

    @property
    def is_known(self):
        """Tell whether there is one: amounts in several currencies have no sum."""
        return len(self.currencies) < 2

    @property
    def cell(self):
        """Return it as a cell like those above it."""
        if not self.currencies:
            return self.amount
        return Money(self.amount, next(iter(self.currencies)))


def clean(text):
    """Return a text without what no cell can hold.

    >>> clean("Ada" + chr(0) + chr(11) + " Lovelace")
    'Ada Lovelace'
    """
    return FORBIDDEN.sub("", text)


def sheet_name(text, default="Sheet"):
    """Return a name that Excel accepts for a sheet.

    >>> sheet_name("Points: earned/redeemed [all] by month")
    'Points earned redeemed all by m'
    >>> sheet_name("'?'")
    'Sheet'
    """
    words = re.sub(r"[\[\]:*?/\\]+", " ", clean(text)).split()
    name = " ".join(words)[:31].strip(" '")
    # Excel keeps this name for itself.
    return f"{name}_" if name.lower() == "history" else name or default


def number_format(kind, digits=2, currency=None):
    """Return the format of a number; None where there is nothing to say.

    >>> number_format("integer"), number_format("decimal", 1)
    ('#,##0', '#,##0.0')
    >>> number_format("money", currency=Currency("EUR", "€"))
    '#,##0.00 "€"'
    >>> number_format("money", currency=Currency("JPY", "¥", "before", 0))
    '"¥" #,##0'
    """
    if kind in FORMATS:
        return FORMATS[kind]
    if kind not in ("decimal", "money"):
        return None
    digits = currency.digits if currency else digits
    plain = f"#,##0.{'0' * digits}" if digits else "#,##0"
    symbol = clean(currency.symbol).replace('"', "") if currency else ""
    if not symbol:
        return plain
    before = currency.position == "before"
    return f'"{symbol}" {plain}' if before else f'{plain} "{symbol}"'


def is_formula_like(text):
    """Tell whether a spreadsheet would compute a text when somebody edits its cell.

    >>> [is_formula_like(text) for text in ("=1+1", " -1", "@SUM(1)", "Ada = Bob")]
    [True, True, True, False]
    """
    return bool(FORMULA.match(text))
