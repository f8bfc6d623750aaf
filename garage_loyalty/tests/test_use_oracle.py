import random
from datetime import date, timedelta

from odoo import fields
from odoo.tests import freeze_time, tagged

from ..tools import use
from ..tools.cohorts import is_old_enough, is_within
from ..tools.movement import month_number, month_start
from .test_use import TODAY, UseCommon

START = date(2022, 1, 1)
LEVELS = (
    [],
    ["month:month"],
    ["month:quarter"],
    ["month:year"],
    ["tier_id"],
    ["month:quarter", "tier_id"],
    ["company_id"],
    ["company_id", "month:month"],
)
MEASURES = [
    "member_count:count_distinct",
    "active_count:count_distinct",
    "active_share:avg",
    "earned:sum",
    "redeemed:sum",
    "expired:sum",
    "other:sum",
    "redemption_rate:avg",
    "breakage_rate:avg",
]


def percent(part, whole):
    share = use.percentage(part, whole)
    return False if share is None else share


@tagged("post_install", "-at_install")
@freeze_time(TODAY)
class TestUseOracle(UseCommon):
    """The reports against a slow, obvious count of the same random history."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.elsewhere = cls.setup_other_company()["company"]
        cls.elsewhere.currency_id = cls.env.ref("base.CHF")
        cls.companies = cls.company | cls.elsewhere
        generator = random.Random(6)
        for company in cls.companies:
            program = cls.env["garage.loyalty.program"]._get_default(company)
            program.point_value = generator.choice((0.01, 0.25))
            for number in range(12):
                cls._live(generator, program, number)
        cls.members = cls.Member.search([("company_id", "in", cls.companies.ids)])
        # Some are known, of others something has changed since.
        cls.Changed._process(10**6)
        for member in generator.sample(list(cls.members), 5):
            member._post_points("earn", 77, cls._pick(generator))

    @classmethod
    def _pick(cls, generator, start=START):
        return start + timedelta(generator.randrange((date(2024, 6, 14) - start).days))

    @classmethod
    def _live(cls, generator, program, number):
        """Let a customer join, move between tiers, leave, come back, use points."""
        partner = cls._create_customer(f"{program.id}-{number}")
        joined = cls._pick(generator)
        member = cls._enrol(partner, joined, program=program)
        days = sorted(cls._pick(generator, joined) for _ in range(4))
        for day in days[: generator.randrange(5)]:
            change = generator.choice(("tier", "leave", "suspend", "back", "back"))
            if change == "tier":
                member._set_tier(generator.choice(program.tier_ids), day)
            else:
                name = {"leave": "_leave", "suspend": "_suspend", "back": "_come_back"}
                getattr(member, name[change])(day)
        for _time in range(generator.randrange(15)):
            cls._move(generator, member)

    @classmethod
    def _move(cls, generator, member):
        kind = generator.choice(("earn", "earn", "earn", *use.FIGURES))
        day = cls._pick(generator)
        points = generator.randrange(1, 200)
        if kind == "transfer":
            return
        if kind in ("clawback", "redeem", "expire"):
            points = -points
        if kind != "redeem" or member.points_available >= -points:
            member._post_points(kind, points, day)

    # -- the oracle ---------------------------------------------------------------

    def _describe(self):
        """Return what each member adds to each month."""
        rows = []
        for member in self.members:
            history = [
                (status.date, status.state == "active", status.tier_id)
                for status in member.status_ids.sorted("id")
            ]
            months = use.member_months(history, date.fromisoformat("2024-06-30"))
            by_month = {number: [] for number in months}
            for entry in member.entry_ids:
                by_month.setdefault(month_number(entry.date), []).append(entry)
            for number, entries in by_month.items():
                row = dict.fromkeys(("earned", "redeemed", "expired", "other"), 0)
                for entry in entries:
                    name, sign = use.FIGURES[entry.kind]
                    row[name] += sign * entry.points
                row |= {
                    "month": month_start(number),
                    "company_id": member.company_id,
                    "partner_id": member.partner_id,
                    "tier_id": months.get(number) or self.bronze.browse(),
                    "is_member": number in months,
                    "is_active": number in months
                    and any(entry.kind in use.USES for entry in entries),
                }
                rows.append(row)
        return rows

    def _key(self, row, groupby):
        key = []
        for spec in groupby:
            name, _colon, step = spec.partition(":")
            value = row[name]
            if step == "quarter":
                value = value.replace(month=3 * ((value.month - 1) // 3) + 1)
            elif step == "year":
                value = value.replace(month=1)
            key.append(value)
        return tuple(key)

    def _measure(self, rows):
        members = {row["partner_id"] for row in rows if row["is_member"]}
        active = {row["partner_id"] for row in rows if row["is_active"]}
        names = ("earned", "redeemed", "expired", "other")
        sums = {name: sum(row[name] for row in rows) for name in names}
        return [
            len(members),
            len(active),
            percent(len(active), len(members)),
            *sums.values(),
            percent(sums["redeemed"], sums["earned"]),
            percent(sums["expired"], sums["earned"]),
        ]

    def _assert_alike(self, found, expected):
        self.assertEqual(found.keys(), expected.keys())
        for key, values in expected.items():
            for value, other in zip(found[key], values, strict=True):
                self.assertEqual(value is False, other is False, key)
                self.assertAlmostEqual(value, other, msg=key)

    def _group(self, rows, groupby):
        groups = {}
        for row in rows:
            groups.setdefault(self._key(row, groupby), []).append(row)
        return groups

    def test_use_at_every_level_is_what_history_and_ledger_say(self):
        rows = self._describe()
        self.assertTrue(any(not row["is_member"] for row in rows))
        for done in (False, True):
            if done:
                self._process()
            self._compare_levels(rows, [("company_id", "in", self.companies.ids)])
        since = date(2023, 7, 1)
        late = [row for row in rows if row["month"] >= since]
        self._compare_levels(
            late, [("company_id", "in", self.companies.ids), ("month", ">=", since)]
        )

    def _compare_levels(self, rows, domain):
        for groupby in LEVELS:
            expected = {
                key: self._measure(part)
                for key, part in self._group(rows, groupby).items()
            }
            width = len(groupby)
            found = {
                tuple(group[:width]): list(group[width:])
                for group in self.Use._read_group(domain, groupby, MEASURES)
            }
            with self.subTest(groupby=groupby):
                self._assert_alike(found, expected)

    # -- cohorts of earning -------------------------------------------------------

    def _follow(self):
        """Return what became of the points of each lot."""
        today = fields.Date.to_date(TODAY)
        rows = []
        for lot in self.env["garage.loyalty.lot"].search(
            [("member_id", "in", self.members.ids)]
        ):
            row = dict.fromkeys(
                ("redeemed", "expired", "taken", "in_3", "in_6", "in_12"), 0
            )
            for part in lot.allocation_ids:
                kind = part.entry_id.kind
                if kind in ("redeem", "restore"):
                    row["redeemed"] += part.points
                    for span in (3, 6, 12):
                        if is_within(lot.date, part.entry_id.date, span):
                            row[f"in_{span}"] += part.points
                elif kind == "expire":
                    row["expired"] += part.points
                elif kind in ("earn", "clawback"):
                    row["taken"] += part.points
            row["month"] = lot.date.replace(day=1)
            row["company_id"] = lot.company_id
            row["origin"] = "earned" if lot.entry_id.kind == "earn" else "gift"
            row["earned"] = lot.points - row["taken"]
            row["left"] = lot.remaining
            row["value"] = lot.remaining * lot.member_id.program_id.point_value
            for span in (3, 6, 12):
                row[f"due_{span}"] = is_old_enough(row["month"], span, today)
            rows.append(row)
        return rows

    def _sum_cohort(self, rows):
        def total(name, part=rows):
            return sum(row[name] for row in part)

        found = [total(name) for name in ("earned", "redeemed", "expired", "left")]
        found += [total("value"), percent(total("redeemed"), total("earned"))]
        for span in (3, 6, 12):
            known = [row for row in rows if row[f"due_{span}"]]
            found.append(percent(total(f"in_{span}", known), total("earned", known)))
        return found

    def test_cohorts_of_earning_at_every_level_are_what_lots_say(self):
        rows = self._follow()
        measures = ["earned:sum", "redeemed:sum", "expired:sum", "left_points:sum"]
        measures += ["left_value:sum", "redemption_rate:avg"]
        measures += [f"rate_{span}:avg" for span in (3, 6, 12)]
        domain = [("company_id", "in", self.companies.ids)]
        for groupby in (
            [],
            ["month:month"],
            ["month:quarter", "origin"],
            ["month:year"],
            ["company_id"],
        ):
            width = len(groupby)
            found = {
                tuple(group[:width]): list(group[width:])
                for group in self.Cohort._read_group(domain, groupby, measures)
            }
            expected = {
                key: self._sum_cohort(part)
                for key, part in self._group(rows, groupby).items()
            }
            with self.subTest(groupby=groupby):
                self._assert_alike(found, expected)

    def test_cohorts_show_the_currency_of_their_company(self):
        for company in self.companies:
            rows = self.Cohort.search([("company_id", "=", company.id)])
            self.assertEqual(rows.currency_id, company.currency_id)
