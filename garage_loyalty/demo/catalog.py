"""What the demo workshop sells: parts and services.

Prices are net, in euros. A part that differs by car comes in three sizes, and
is three products: S (city car), M (family car), L (van or large car).
"""

from dataclasses import dataclass

SIZES = {"S": ("city car", 0.82), "M": ("family car", 1.0), "L": ("van", 1.28)}


@dataclass(frozen=True)
class Part:
    code: str
    name: str
    price: float
    cost: float
    sized: bool = False


@dataclass(frozen=True)
class Service:
    code: str
    name: str
    price: float
    hourly: bool = False
    reduced_vat: bool = False
    # What regulars are offered something on; without one, what everybody buys.
    kind: str = ""


PARTS = [
    Part("OIL", "Engine oil 5W-30, per litre", 14.90, 5.20),
    Part("OFI", "Oil filter", 14.50, 4.80),
    Part("AFI", "Air filter", 22.50, 8.10),
    Part("CFI", "Cabin filter, activated carbon", 24.90, 8.90),
    Part("FFI", "Fuel filter", 38.00, 15.40),
    Part("SPK", "Spark plug, iridium", 13.80, 6.10),
    Part("BPF", "Brake pads, front axle", 68.00, 29.00, True),
    Part("BDF", "Brake discs, front, pair", 139.00, 66.00, True),
    Part("BPR", "Brake pads, rear axle", 58.00, 24.50, True),
    Part("BDR", "Brake discs, rear, pair", 118.00, 55.00, True),
    Part("BFL", "Brake fluid DOT 4, 1 litre", 16.50, 5.90),
    Part("BAT", "Starter battery", 134.00, 74.00, True),
    Part("TSU", "Summer tyre", 92.00, 63.00, True),
    Part("TWI", "Winter tyre", 98.00, 67.00, True),
    Part("TAS", "All-season tyre", 104.00, 71.00, True),
    Part("TBK", "Timing belt kit with water pump", 229.00, 121.00, True),
    Part("COO", "Coolant, 5 litres", 28.00, 11.50),
    Part("CLU", "Clutch kit", 289.00, 158.00, True),
    Part("REF", "Refrigerant, per 100 g", 17.50, 6.80),
    Part("WIP", "Wiper blades, front, set", 34.50, 13.20),
    Part("BUL", "Bulb H7", 12.90, 3.90),
    Part("SHO", "Shock absorbers, pair", 178.00, 96.00, True),
    Part("EXH", "Exhaust rear silencer", 164.00, 83.00, True),
    Part("LAM", "Oxygen sensor", 96.00, 49.00),
    Part("ABS", "ABS wheel speed sensor", 58.00, 27.00),
    Part("ALT", "Alternator, exchange unit", 285.00, 172.00, True),
    Part("BEL", "Drive belt", 39.00, 16.00),
    Part("BEA", "Wheel bearing kit", 74.00, 36.00, True),
    Part("ARM", "Control arm", 112.00, 58.00, True),
    Part("THE", "Thermostat with gasket", 54.00, 24.00),
    Part("WAS", "Screenwash, 5 litres", 9.95, 3.10),
]

SERVICES = [
    Service("LAB", "Workshop labour", 94.00, hourly=True),
    Service(
        "DIA", "Diagnostics and electronics", 108.00, hourly=True, kind="Diagnostics"
    ),
    Service("APK", "Periodic inspection (APK)", 52.00, kind="Inspection"),
    Service("ALI", "Wheel alignment, four wheels", 85.00, kind="Wheels and tyres"),
    Service(
        "TYR",
        "Tyre change, valve and balancing, per wheel",
        24.00,
        kind="Wheels and tyres",
    ),
    Service(
        "SWA", "Seasonal wheel change, set of four", 49.00, kind="Wheels and tyres"
    ),
    Service("STO", "Wheel storage, per season", 39.50, kind="Wheels and tyres"),
    Service("AIR", "Air-conditioning check and refill", 89.00, kind="Air conditioning"),
    Service("COU", "Courtesy car, per day", 25.00),
    Service("CLN", "Hand wash and interior clean", 29.50, kind="Cleaning"),
    Service("BIC", "Bicycle repair: tune-up", 42.00, reduced_vat=True, kind="Bicycles"),
]

# Sold over the counter, without a repair order.
COUNTER = ["WIP", "BUL", "WAS", "OIL", "CFI", "BAT"]

SIZED_PARTS = {part.code for part in PARTS if part.sized}


def product_codes():
    """Each product the workshop sells, as (code, part or service, size or None)."""
    for part in PARTS:
        for size in SIZES if part.sized else (None,):
            yield sized(part.code, size) if size else part.code, part, size
    for service in SERVICES:
        yield service.code, service, None


def sized(code, size):
    return f"{code}-{size}"
