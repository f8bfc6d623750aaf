import random
from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal

from freezegun import freeze_time

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from ..reports.garage_loyalty_roll_forward_query import FIGURES
from ..tools.liability import Valuation, movements
from .common import ACCOUNTANT, USER
from .test_roll_forward import MONEY, NAMES, POINTS, START, TODAY, LiabilityCommon

NAMES_THEN = {**FIGURES, "tier": "moved", "revalue": "revalued"}
ALL_POINTS = [*POINTS, "moved"]
ALL_MONEY = [*MONEY, "moved_amount"]
ROUNDING = "rounding"


@tagged("post_install", "-at_install")
class TestRollForwardTier(LiabilityCommon):
    """What is owed by tier, against each entry and change one after the other."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._fill(seed=4)
        rng = random.Random(6)
        for program in cls.programs:
            members = cls.Member.search([("program_id", "=", program.id)])
            for number in range(20):
                day = START + timedelta(days=1 + 11 * number)
                with freeze_time(day):
                    member, tier = rng.choice(members), rng.choice(program.tier_ids)
                    if member.tier_id != tier:
                        member._set_tier(tier)
        cls.env.flush_all()
        cls.Tiers = cls.env["garage.loyalty.roll.forward.tier"].with_context(
            allowed_company_ids=cls.companies.ids
        )
        cls.startClassPatcher(freeze_time(TODAY))

    # -- the oracle -----------------------------------------------------------------

    def _get_tier_on(self, member, day):
        rows = self.env["garage.loyalty.member.status"].search(
            [("member_id", "=", member.id)], order="date, id"
        )
        past = rows.filtered(lambda row: row.date <= day)
        return (past[-1:] or rows[:1]).tier_id

    def _get_divided(self, program):
        """Return (day, kind, points) of each tier."""
        found = defaultdict(list)
        entries = self.Entry.search([("program_id", "=", program.id)])
        for entry in entries:
            tier = self._get_tier_on(entry.member_id, entry.date)
            found[tier].append((entry.date, entry.kind, entry.points))
        for member in entries.member_id:
            mine = entries.filtered(lambda entry, who=member: entry.member_id == who)
            history = self.env["garage.loyalty.member.status"].search(
                [("member_id", "=", member.id)], order="date, id"
            )
            for day in sorted(set(history.mapped("date")))[1:]:
                before = self._get_tier_on(member, day - timedelta(days=1))
                after = self._get_tier_on(member, day)
                held = sum(
                    mine.filtered(lambda e, at=day: e.date < at).mapped("points")
                )
                if before != after:
                    found[before].append((day, "tier", -held))
                    found[after].append((day, "tier", held))
        return found

    def _get_cells_by_tier(self, program):
        """Return the cells of each tier, and what rounding leaves over."""
        valuations = [
            Valuation(
                item.date,
                Decimal(str(round(item.point_value, 6))),
                Decimal(str(round(item.redemption_rate, 2))),
            )
            for item in program.valuation_ids.sorted(lambda item: (item.date, item.id))
        ]
        digits = program.company_id.currency_id.decimal_places
        cells = {
            tier: movements(entries, valuations, digits)
            for tier, entries in self._get_divided(program).items()
        }
        rest = defaultdict(lambda: (0, Decimal(0)))
        for key, (_points, amount) in self._get_cells(program).items():
            rest[key] = (0, rest[key][1] + amount)
        for mine in cells.values():
            for key, (_points, amount) in mine.items():
                rest[key] = (0, rest[key][1] - amount)
        return cells | {ROUNDING: rest}

    def _get_expected(self, cells, first, after):
        found = defaultdict(int)
        for (day, kind), (points, amount) in cells.items():
            name = NAMES_THEN[kind]
            if day < after:
                found["closing"] += points
                found["closing_amount"] += amount
            if day < first:
                found["opening"] += points
                found["opening_amount"] += amount
            elif day < after:
                found[name] += points
                found[f"{name}_amount"] += amount
        return found

    def _read(self, report, domain, groupby):
        names = ALL_POINTS + ALL_MONEY if report == self.Tiers else POINTS + MONEY
        size = len(groupby)
        return {
            row[:size]: dict(zip(names, row[size:], strict=True))
            for row in report._read_group(
                domain, groupby, [f"{name}:sum" for name in names]
            )
        }

    # -- figures --------------------------------------------------------------------

    def test_every_month_of_every_tier_is_what_its_members_did(self):
        rows = self._read(
            self.Tiers, [], ["program_id", "tier_id", "is_rounding", "month:month"]
        )
        seen = set()
        for program in self.programs:
            for tier, cells in self._get_cells_by_tier(program).items():
                is_rest = tier is ROUNDING
                mine = self.env["garage.loyalty.tier"] if is_rest else tier
                for number in range(1, 9):
                    first, after = date(2024, number, 1), date(2024, number + 1, 1)
                    expected = self._get_expected(cells, first, after)
                    row = rows.get((program, mine, is_rest, first), {})
                    seen.add((program, mine, is_rest, first))
                    for name in ALL_POINTS + ALL_MONEY:
                        self.assertAlmostEqual(
                            float(row.get(name, 0)),
                            float(expected[name]),
                            6,
                            (program.id, tier, first, name),
                        )
        self.assertFalse(rows.keys() - seen)
        self.assertTrue(any(row["moved"] for row in rows.values()))

    def test_tiers_make_the_program_to_the_smallest_coin(self):
        for groupby in (["program_id"], ["program_id", "month:month"], ["month:year"]):
            whole = self._read(self.Report, [], groupby)
            tiers = self._read(self.Tiers, [], groupby)
            self.assertEqual(whole.keys(), tiers.keys())
            for key, row in whole.items():
                for name in POINTS + MONEY:
                    self.assertAlmostEqual(
                        float(row[name]), float(tiers[key][name]), 6, (key, name)
                    )
                self.assertEqual(tiers[key]["moved"], 0)
                self.assertAlmostEqual(float(tiers[key]["moved_amount"]), 0, 6)

    def test_opening_and_movements_make_the_closing_of_every_tier(self):
        for groupby in (["tier_id"], ["tier_id", "month:quarter"]):
            for key, row in self._read(self.Tiers, [], groupby).items():
                points = row["opening"] + row["moved"] + sum(row[n] for n in NAMES)
                self.assertEqual(points, row["closing"], key)
                money = sum(row[name] for name in MONEY[:-1]) + row["moved_amount"]
                self.assertAlmostEqual(
                    float(money), float(row["closing_amount"]), 6, key
                )

    def test_closing_of_a_tier_is_its_points_times_worth(self):
        for program in self.programs:
            worth = Decimal(f"{program._get_valuation().worth:.8f}")
            digits = program.company_id.currency_id.decimal_places
            rows = self._read(
                self.Tiers, [("program_id", "=", program.id)], ["tier_id"]
            )
            for (tier,), row in rows.items():
                if tier:
                    expected = round(row["closing"] * worth, digits)
                    self.assertAlmostEqual(
                        float(row["closing_amount"]), float(expected), 6
                    )

    def test_rounding_stays_below_a_coin_for_each_tier(self):
        for row in self.Tiers.search([("is_rounding", "=", True)]):
            coin = 10.0**-row.currency_id.decimal_places
            tiers = len(row.program_id.tier_ids)
            self.assertLessEqual(abs(row.closing_amount), coin * tiers)
            self.assertEqual(row.closing, 0)

    def test_any_period_is_divided_as_well(self):
        rng = random.Random(9)
        divided = {item: self._get_cells_by_tier(item) for item in self.programs}
        for _period in range(6):
            first = START + timedelta(days=rng.randrange(150))
            last = first + timedelta(days=rng.randrange(50))
            report = self.Tiers.with_context(loyalty_from=first, loyalty_to=last)
            names = ALL_POINTS + ALL_MONEY
            rows = {
                row[:3]: dict(zip(names, row[3:], strict=True))
                for row in report._read_group(
                    [],
                    ["program_id", "tier_id", "is_rounding"],
                    [f"{name}:sum" for name in names],
                )
            }
            for program, tiers in divided.items():
                for tier in program.tier_ids:
                    cells = tiers.get(tier, {})
                    after = last + timedelta(days=1)
                    expected = self._get_expected(cells, first, after)
                    row = rows.get((program, tier, False), {})
                    for name in names:
                        self.assertAlmostEqual(
                            float(row.get(name, 0)), float(expected[name]), 6, name
                        )

    # -- drill-down -----------------------------------------------------------------

    def test_every_figure_opens_the_entries_that_it_is_made_of(self):
        for row in self.Tiers.search([("is_rounding", "=", False)]):
            for name in POINTS:
                action = row.with_context(figure=name).action_open_entries()
                Entry = self.Entry.with_context(**action["context"])
                entries = Entry.search(action["domain"])
                self.assertEqual(sum(entries.mapped("points")), row[name], name)
                self.assertLessEqual(entries.tier_then_id, row.tier_id)

    def test_tier_behind_an_entry_is_that_of_its_day(self):
        entries = self.Entry.search([("program_id", "in", self.programs.ids)])
        expected = defaultdict(int)
        for entry in entries:
            tier = self._get_tier_on(entry.member_id, entry.date)
            self.assertEqual(entry.tier_then_id, tier)
            expected[tier] += entry.points
        domain = [("id", "in", entries.ids)]
        groups = self.Entry._read_group(domain, ["tier_then_id"], ["points:sum"])
        self.assertEqual(dict(groups), dict(expected))
        for tier, points in expected.items():
            for sought in (
                [("tier_then_id", "=", tier.id)],
                [
                    ("tier_then_id.name", "=", tier.name),
                    ("program_id", "=", tier.program_id.id),
                ],
            ):
                found = self.Entry.search([*sought, *domain])
                self.assertEqual(sum(found.mapped("points")), points)
        others = self.Entry.search([("tier_then_id", "!=", tier.id), *domain])
        self.assertEqual(others.tier_then_id & tier, tier.browse())

    def test_tier_of_what_is_no_day_is_refused(self):
        with self.assertRaises(UserError):
            self.Entry.with_context(loyalty_tier_date="soon").search(
                [("tier_then_id", "!=", False)]
            )

    def test_points_that_moved_open_the_changes_of_tier(self):
        row = self.Tiers.search([("moved", "!=", 0)], limit=1)
        action = row.with_context(figure="moved").action_open_entries()
        self.assertEqual(action["res_model"], "garage.loyalty.tier.move")
        moves = self.env["garage.loyalty.tier.move"].search(action["domain"])
        self.assertTrue(moves)

    def test_rounding_has_no_entries(self):
        row = self.Tiers.search([("is_rounding", "=", True)], limit=1)
        self.assertTrue(row)
        with self.assertRaises(UserError):
            row.action_open_entries()

    # -- rights ---------------------------------------------------------------------

    def test_accountant_reads_own_companies_and_advisor_nothing(self):
        reader = self._create_user("auditor", ACCOUNTANT)
        Report = self.env["garage.loyalty.roll.forward.tier"]
        self.assertEqual(Report.with_user(reader).search([]).program_id, self.program)
        row = Report.with_user(reader).search([("is_rounding", "=", False)], limit=1)
        self.assertTrue(row.with_context(figure="closing").action_open_entries())
        with self.assertRaises(AccessError):
            Report.with_user(self._create_user("counter", USER)).search([])

    def test_dialog_opens_the_tiers_of_the_period(self):
        wizard = self.env["garage.loyalty.roll.forward.period"].create(
            {"period": "last_month", "by_tier": True}
        )
        action = wizard.action_show()
        self.assertEqual(action["res_model"], "garage.loyalty.roll.forward.tier")
        self.assertEqual(action["context"]["loyalty_from"], "2024-07-01")
