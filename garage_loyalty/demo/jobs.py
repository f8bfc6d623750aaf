"""Why cars come to the demo workshop: jobs, their seasons, and what they need."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Job:
    """A reason to come: how often, in which months, with what on the invoice."""

    code: str
    name: str
    weight: float
    parts: tuple = ()
    services: tuple = ()
    months: dict = field(default_factory=dict)
    every: int = 0
    note: str = ""

    def weight_in(self, month):
        """Without months of its own a job comes all year round."""
        return self.weight * (self.months.get(month, 0.0) if self.months else 1.0)


SPRING = {3: 3.0, 4: 2.6, 5: 0.4}
AUTUMN = {9: 0.3, 10: 3.0, 11: 3.0, 12: 0.6}
COLD = {12: 2.4, 1: 3.0, 2: 2.2, 11: 1.0, 3: 0.6, 10: 0.3}
WARM = {5: 2.6, 6: 3.0, 7: 2.6, 4: 0.7, 8: 1.0}
DARK = {10: 1.6, 11: 1.8, 12: 1.6, 1: 1.4, 2: 1.0, 3: 0.5}
HOT = {6: 1.5, 7: 2.0, 8: 1.6, 5: 0.8}

# A quantity in brackets is chosen: whole numbers one of them, hours from … to.
JOBS = [
    Job(
        "oil",
        "Oil service",
        15,
        (("OIL", (4, 5)), ("OFI", 1)),
        (("LAB", 0.6, "Oil and filter change"),),
        every=9,
    ),
    Job(
        "major",
        "Major service",
        9,
        (("OIL", (4, 6)), ("OFI", 1), ("AFI", 1), ("SPK", 4)),
        (("LAB", (1.8, 2.4), "Major service to schedule"),),
        every=20,
    ),
    Job("apk", "Periodic inspection", 13, (), (("APK", 1),), every=11),
    Job(
        "brakes_front",
        "Front brakes",
        8,
        (("BPF", 1), ("BDF", 1)),
        (("LAB", (1.2, 1.6), "Front brake discs and pads"),),
        every=20,
        note="Grinding noise when braking.",
    ),
    Job(
        "brakes_rear",
        "Rear brakes",
        5,
        (("BPR", 1), ("BDR", 1)),
        (("LAB", (1.4, 1.9), "Rear brake discs and pads"),),
        every=20,
        note="Handbrake travel too long.",
    ),
    Job(
        "tyres_summer",
        "Tyres",
        7,
        (("TSU", 4),),
        (("TYR", 4),),
        SPRING,
        every=18,
    ),
    Job(
        "tyres_winter",
        "Tyres",
        8,
        (("TWI", 4),),
        (("TYR", 4),),
        AUTUMN,
        every=18,
    ),
    Job(
        "tyres_all",
        "Tyres",
        2.2,
        (("TAS", 2),),
        (("TYR", 2),),
        every=18,
    ),
    Job(
        "swap",
        "Seasonal wheel change",
        9,
        (),
        (("SWA", 1), ("STO", 1)),
        {**SPRING, **AUTUMN},
        every=4,
    ),
    Job(
        "battery",
        "Battery",
        6,
        (("BAT", 1),),
        (("LAB", 0.4, "Battery fitted, charging tested"),),
        COLD,
        every=40,
        note="Does not start in the morning.",
    ),
    Job(
        "aircon",
        "Air-conditioning",
        8,
        (("REF", (3, 6)), ("CFI", 1)),
        (("AIR", 1),),
        WARM,
        every=18,
        note="Blows warm air only.",
    ),
    Job(
        "belt",
        "Timing belt",
        2.6,
        (("TBK", 1), ("COO", 1)),
        (("LAB", (3.4, 4.6), "Timing belt and water pump"),),
        every=60,
    ),
    Job(
        "clutch",
        "Clutch",
        1.6,
        (("CLU", 1),),
        (("LAB", (4.5, 6.0), "Clutch replaced"),),
        every=60,
        note="Clutch slips uphill.",
    ),
    Job(
        "diagnosis",
        "Diagnostics",
        5,
        (("LAM", 1),),
        (("DIA", (0.8, 1.6), "Fault codes read, engine light"),),
        note="Engine warning light is on.",
    ),
    Job(
        "abs",
        "Diagnostics",
        2.5,
        (("ABS", 1),),
        (("DIA", 0.8, "ABS fault located"), ("LAB", 0.6, "Sensor replaced")),
        note="ABS light comes and goes.",
    ),
    Job("align", "Wheel alignment", 4, (), (("ALI", 1),), every=8),
    Job(
        "shocks",
        "Suspension",
        2.6,
        (("SHO", 1),),
        (("LAB", (1.6, 2.2), "Rear shock absorbers"), ("ALI", 1)),
        every=40,
    ),
    Job(
        "arm",
        "Suspension",
        2.2,
        (("ARM", 1),),
        (("LAB", (1.0, 1.4), "Control arm replaced"), ("ALI", 1)),
        every=18,
        note="Knocking noise from the front.",
    ),
    Job(
        "exhaust",
        "Exhaust",
        2.4,
        (("EXH", 1),),
        (("LAB", 0.9, "Rear silencer replaced"),),
        every=36,
    ),
    Job(
        "alternator",
        "Electrics",
        1.3,
        (("ALT", 1), ("BEL", 1)),
        (("DIA", 0.5, "Charging circuit"), ("LAB", 1.5, "Alternator replaced")),
        every=60,
    ),
    Job(
        "bearing",
        "Suspension",
        2.0,
        (("BEA", 1),),
        (("LAB", (1.2, 1.6), "Wheel bearing replaced"),),
        every=18,
        note="Humming that grows with speed.",
    ),
    Job(
        "light",
        "Wipers and lights",
        4.5,
        (("WIP", 1), ("BUL", (1, 2))),
        (("LAB", 0.3, "Wipers and bulbs, winter check"),),
        DARK,
        every=9,
    ),
    Job(
        "cooling",
        "Cooling system",
        1.8,
        (("THE", 1),),
        (("LAB", (1.0, 1.5), "Thermostat replaced, system bled"),),
        HOT,
        every=36,
        note="Temperature gauge climbs in traffic.",
    ),
]

# Small things the advisor offers on top: (chance, code, quantity, is a part).
EXTRAS = [
    (0.09, "WIP", 1, True),
    (0.07, "CFI", 1, True),
    (0.06, "BUL", 1, True),
    (0.10, "WAS", 1, True),
    (0.07, "CLN", 1, False),
    (0.05, "COU", 1, False),
    (0.02, "BIC", 1, False),
]

# Busy and quiet months of the trade.
SEASON = dict(
    zip(
        range(1, 13),
        (0.85, 0.8, 1.0, 1.0, 0.95, 0.95, 0.8, 0.65, 0.85, 1.0, 1.0, 0.75),
        strict=True,
    )
)
