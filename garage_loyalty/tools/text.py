"""Reading what people type at a counter."""

import re

MIN_PHONE_DIGITS = 5


def phone_digits(text):
    """Return the digits of a phone number, or "" when there are too few to be one.

    A leading 0 or an international prefix 00 is dropped, so that 0171 and +49 171
    find each other by their common end.

    >>> phone_digits("+49 (0171) 555-01")
    '49017155501'
    >>> phone_digits("0171 55501")
    '17155501'
    >>> phone_digits("KX 482 B")
    ''
    """
    digits = "".join(char for char in text if char in "0123456789")
    letters = re.search(r"[^\W\d_]", text)
    return "" if letters or len(digits) < MIN_PHONE_DIGITS else digits.lstrip("0")


def compact(text):
    """Return letters and digits in upper case, as a number plate is compared.

    >>> compact(" kx-482 b")
    'KX482B'
    """
    return re.sub(r"[\W_]", "", text).upper()
