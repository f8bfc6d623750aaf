"""Example amounts that look sensible in any currency.

Rough on purpose: what they make is a starting point, which people adapt.
"""

from math import floor, log10

# About what one euro is, to the power of ten, where that is not 1.
LEVELS = {
    10: "AFN BTN BWP CNY CZK DKK DOP EGP ETB GTQ HKD HNL LSL MDL MKD MXN MZN NAD NIO "
    "NOK SEK SRD SZL THB TMT TRY TWD UAH UYU ZAR ZMW",
    100: "ALL AMD AOA BDT CVE DZD GMD HTG HUF INR ISK JMD JPY KES KGS KZT LKR LRD MUR "
    "NPR PHP PKR RSD RUB XPF YER",
    1000: "ARS BIF CDF CLP COP CRC DJF IQD KHR KMF KRW MGA MMK MNT MWK NGN RWF SDG "
    "SOS SSP SYP TZS UGX XAF XOF",
    10000: "GNF IDR IRR LAK LBP PYG STN UZS VND",
}


def price_level(currency):
    """Return about what one euro is in a currency, to the power of ten.

    >>> price_level("EUR"), price_level("RUB"), price_level("IDR")
    (1, 100, 10000)
    """
    found = (level for level, codes in LEVELS.items() if currency in codes.split())
    return next(found, 1)


def nice(amount):
    """Return a round amount of about the same size: 1, 2, 2.5 or 5 and zeros.

    >>> nice(237.4), nice(0.04), nice(1_380_000), nice(0)
    (250.0, 0.05, 1000000.0, 0.0)
    """
    if amount <= 0:
        return 0.0
    power = 10.0 ** floor(log10(amount))
    step = min((1, 2, 2.5, 5, 10), key=lambda value: abs(value - amount / power))
    return round(step * power, 10)
