"""Reading what people type at a counter, and writing it elsewhere."""

import re

MIN_PHONE_DIGITS = 5
MIN_NATIONAL_DIGITS = 7  # a shorter one fits the end of too many numbers

FORMULA_STARTS = ("=", "{=", "@", "\t", "\r", "\n")


def phone_digits(text):
    """Return the digits of a phone number, or "" when there are too few to be one.

    A leading 0, an international prefix 00 and a "(0)" in between are dropped, so
    that 0171 and +49 171 find each other by their common end.

    >>> phone_digits("+49 (0)171 555-01")
    '4917155501'
    >>> phone_digits("0171 55501")
    '17155501'
    >>> phone_digits("KX 482 B")
    ''
    """
    written = text.replace("(0)", "")
    digits = "".join(char for char in written if char in "0123456789").lstrip("0")
    letters = re.search(r"[^\W\d_]", text)
    return "" if letters or len(digits) < MIN_PHONE_DIGITS else digits


def compact(text):
    """Return letters and digits in upper case, as a number plate is compared.

    >>> compact(" kx-482 b")
    'KX482B'
    """
    return re.sub(r"[\W_]", "", text).upper()


def no_formula(value):
    """Return what a cell of a spreadsheet shows as it is; other values unchanged.

    A phone number stays as it is in Excel, where text is never computed for its + or
    - alone; the host marks these in CSV.

    >>> [no_formula(text) for text in ("=1+1", "@SUM(A1)", "+31 6 12", 7)]
    ["'=1+1", "'@SUM(A1)", '+31 6 12', 7]
    """
    if isinstance(value, str) and value.startswith(FORMULA_STARTS):
        return f"'{value}"
    return value
