"""Is a value what a field can hold? Asked before the database has to refuse it.

Every function returns the key of what is wrong, or None. What means "empty" is fine.
"""

from datetime import date, datetime

MAX_INTEGER = 2**31 - 1
MAX_AMOUNT = 10**12
MAX_TEXT = {"char": 1000, "text": 20000}


def whole_number(value):
    """
    >>> [whole_number(v) for v in (5, -5, 5.0, False, None)]
    [None, None, None, None, None]
    >>> [whole_number(v) for v in (0.5, 2**31, float("nan"), "1e3", "٣")]
    ['whole', 'whole', 'whole', 'whole', 'whole']
    """
    if value is None or isinstance(value, int):
        return None if abs(value or 0) <= MAX_INTEGER else "whole"
    fits = isinstance(value, float) and value.is_integer() and abs(value) <= MAX_INTEGER
    return None if fits else "whole"


def number(value):
    """
    >>> [number(v) for v in (1.5, 0, False)]
    [None, None, None]
    >>> [number(v) for v in (float("inf"), float("nan"), 1e308, "1.5")]
    ['number', 'number', 'number', 'number']
    """
    if value is None or isinstance(value, (int, float)):
        # What is not a number is not smaller than any number either.
        return None if abs(value or 0) <= MAX_AMOUNT else "number"
    return "number"


def text(value, kind="char"):
    r"""
    >>> [text(v) for v in ("x", "<b>", "\u202e", False)]
    [None, None, None, None]
    >>> [text(v) for v in ("a\x00b", 5, "x" * 1001)]
    ['nul', 'text', 'long']
    """
    if value is None or value is False:
        return None
    if not isinstance(value, str):
        return "text"
    if "\x00" in value or not _is_text(value):
        return "nul"
    return "long" if len(value) > MAX_TEXT.get(kind, MAX_TEXT["text"]) else None


def _is_text(value):
    """Half of a character that needs two is none, and cannot be kept."""
    return not any("\ud800" <= char <= "\udfff" for char in value)


def day(value):
    """
    >>> [day(v) for v in ("2024-02-29", date(2024, 2, 29), False)]
    [None, None, None]
    >>> [day(v) for v in ("2023-02-29", "29/02/2024", 5, date.max, "٢٠٢٤-٠١-٠١")]
    ['day', 'day', 'day', 'day', 'day']
    """
    if value is None or value is False:
        return None
    if isinstance(value, str):
        if not value.isascii():
            return "day"
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return "day"
    if not isinstance(value, date):
        return "day"
    return None if 1900 <= value.year <= 2999 else "day"


def reference(value):
    """
    >>> [reference(v) for v in (7, False)]
    [None, None]
    >>> [reference(v) for v in (-1, True, 2**40, "7", [7])]
    ['reference', 'reference', 'reference', 'reference', 'reference']
    """
    if value is None or value is False:
        return None
    fits = isinstance(value, int) and value is not True and 0 < value <= MAX_INTEGER
    return None if fits else "reference"


def commands(value):
    """
    >>> [commands(v) for v in ([], [7], [(6, 0, [7])], False)]
    [None, None, None, None]
    >>> [commands(v) for v in ("x", ["x"], [(9, 0)], 5)]
    ['records', 'records', 'records', 'records']
    """
    if value is None or value is False:
        return None
    if not isinstance(value, (list, tuple)):
        return "records"
    return None if all(map(_is_command, value)) else "records"


def _is_command(item):
    if isinstance(item, (list, tuple)):
        if not item or item[0] not in range(7):
            return False
        linked = item[2] if item[0] == 6 and len(item) > 2 else item[1:2]
        return not any(map(reference, filter(_is_no_new_record, linked)))
    return reference(item) is None and bool(item)


def _is_no_new_record(item):
    """The web client names records that do not exist yet by a text, or by 0."""
    return item != 0 and not (isinstance(item, str) and item.startswith("virtual_"))


def choice(value, choices):
    """
    >>> [choice(v, ["a"]) for v in ("a", False)]
    [None, None]
    >>> [choice(v, ["a"]) for v in ("b", [], {}, 5)]
    ['choice', 'choice', 'choice', 'choice']
    """
    if value is None or value is False or value == "":
        return None
    return None if isinstance(value, str) and value in choices else "choice"


CHECKS = {
    "integer": whole_number,
    "float": number,
    "monetary": number,
    "char": text,
    "text": lambda value: text(value, "text"),
    "html": lambda value: text(value, "text"),
    "date": day,
    "datetime": day,
    "many2one": reference,
    "one2many": commands,
    "many2many": commands,
}
