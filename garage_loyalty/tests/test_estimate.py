import random
from datetime import date, timedelta
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import freeze_time, tagged
from odoo.tools import html2plaintext

from ..models import garage_loyalty_estimate_job_mixin as job
from ..tools import dropouts, estimate, matching
from ..tools.moments import Customer, Span
from .common import ACCOUNTANT, MANAGER, USER, GarageLoyaltyCommon

TODAY = "2024-06-15"
LAST = date(2024, 5, 31)


class EstimateCommon(GarageLoyaltyCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Estimate = cls.env["garage.loyalty.estimate"]

    @classmethod
    def _work(cls, partner, day, amount=100, company=None, **vals):
        """Add the fact of a visit, without its documents."""
        row = {
            "kind": "repair",
            "company_id": (company or cls.company).id,
            "partner_id": partner.id,
            "date": day,
            "is_member": False,
            "is_warranty": False,
            "amount": amount,
            "amount_discount": 0,
            **vals,
        }
        cls.env.cr.execute(
            "INSERT INTO garage_loyalty_visit (kind, company_id, partner_id, date, "
            "is_member, is_warranty, amount, amount_discount) VALUES (%(kind)s, "
            "%(company_id)s, %(partner_id)s, %(date)s, %(is_member)s, %(is_warranty)s, "
            "%(amount)s, %(amount_discount)s)",
            row,
        )

    @classmethod
    def _request(cls, company=None, day=LAST):
        cls.env.flush_all()
        cls.env.invalidate_all()
        return cls.Estimate.sudo()._request(company or cls.company, day)

    @classmethod
    def _pair(cls, number, effect=1.0, company=None, **vals):
        """Let customers join, and as many who are like them not join.

        All came four times: in two years before, at joining, and in the year after.

        :param effect: how many times as much members spend afterwards
        """
        partners = cls.env["res.partner"].create(
            [{"name": f"Customer {place}"} for place in range(2 * number)]
        )
        days = ("2021-06-01", "2022-01-01", "2022-06-01", "2022-12-01")
        for place, partner in enumerate(partners):
            is_member = place < number
            noise = 1 + (place % number % 7 - 3) / 50
            for day in days:
                is_after = day > "2022-06-01"
                amount = 100 * (effect * noise if is_member and is_after else 1)
                joined = is_member and day >= "2022-06-01"
                cls._work(partner, day, amount, company, is_member=joined, **vals)
        program = cls.env["garage.loyalty.program"]._get_default(company or cls.company)
        for partner in partners[:number]:
            cls._enrol(partner, "2022-06-01", program=program)
        return partners


@tagged("post_install", "-at_install")
@freeze_time(TODAY)
class TestEstimate(EstimateCommon):
    """The figures of the report."""

    # -- an oracle: slow and obvious -----------------------------------------------

    def _find_customers(self, company, last):
        """Return the customers with the visits that count, by the ORM."""
        found, sums = {}, {}
        for visit in self.Visit.search([("date", "<=", last)]):
            value = visit.amount + visit.amount_discount
            if (
                visit.company_id.loyalty_company_id != company
                or visit.kind != "repair"
                or visit.is_warranty
                or visit.partner_id.is_company
                or value <= 0
            ):
                continue
            partner = visit.partner_id
            found.setdefault(partner, []).append((visit.date.toordinal(), value))
            if (last - visit.date).days < 365:
                key = (visit.is_member, partner)
                money, count = sums.get(key, (0, 0))
                sums[key] = money + value, count + 1
        return [
            Customer(partner.id, sorted(visits), self._find_joined(partner, company))
            for partner, visits in sorted(found.items(), key=lambda item: item[0].id)
        ], sums

    def _find_joined(self, partner, company):
        days = [
            status.date
            for member in self.Member.search([("partner_id", "=", partner.id)])
            if member.company_id == company
            for status in member.status_ids
            if status.state == "active"
        ]
        return min(days).toordinal() if days else None

    def _expect(self, company, last):
        """Return what the pure functions say of what the oracle has found."""
        customers, sums = self._find_customers(company, last)
        first = min(day for each in customers for day, _value in each.visits)
        span = Span(first, last.toordinal())
        found = matching.compare(customers, span)
        placebo = matching.effect_on_frequency(matching.compare(customers, span, 365))
        sides = [
            [
                value
                for (is_member, _partner), value in sums.items()
                if is_member is side
            ]
            for side in (True, False)
        ]
        return {
            "gap": estimate.gap(*sides),
            "effect": matching.effect_on_aro(found),
            "frequency": estimate.describe(
                matching.effect_on_frequency(found), placebo
            ),
            "placebo": placebo,
            "dropped": dropouts.count_dropouts(customers, span, found),
            "matched": len(found.members),
            "joined": sum(each.joined is not None for each in customers),
            "first": date.fromordinal(first),
        }

    def _fill(self, rng, company, number, elsewhere):
        """Let customers come at random, and some of them join."""
        program = self.env["garage.loyalty.program"]._get_default(company)
        partners = self.env["res.partner"].create(
            [
                {"name": f"{company.name} {place}", "is_company": not place % 15}
                for place in range(number)
            ]
        )
        for partner in partners:
            worth, day = rng.choice((80, 100, 130)), date(2019, 1, 1)
            days = []
            while (day := day + timedelta(rng.randint(90, 270))) <= date(2024, 6, 14):
                days.append(day)
            middle = [day for day in days if 2020 < day.year < 2023]
            joined = middle and rng.random() < 0.6 and rng.choice(middle)
            for day in days:
                self._work(
                    partner,
                    day,
                    rng.choice(
                        (0, *(worth * rng.uniform(0.5, 1.5) for _ in range(19)))
                    ),
                    rng.choice((company,) * 9 + (elsewhere,)),
                    is_member=bool(joined) and day >= joined,
                    is_warranty=rng.random() < 0.05,
                    kind=rng.choice(("repair",) * 9 + ("sale",)),
                    amount_discount=rng.choice((0, 0, 12.5)),
                )
            if joined:
                shift = rng.choice((0, 0, 0, 3, 30))
                member = self._enrol(
                    partner, joined + timedelta(shift), program=program
                )
                if rng.random() < 0.1:
                    member._leave(date=joined + timedelta(shift + 50), reason="Moved")

    def test_figures_are_what_the_rules_say_of_the_visits_in_two_currencies(self):
        rng = random.Random(6)
        elsewhere = self.setup_other_company()["company"]
        elsewhere.currency_id = self.env.ref("base.CHF")
        self._fill(rng, self.company, 260, elsewhere)
        self._fill(rng, elsewhere, 30, self.company)
        for company in (self.company, elsewhere):
            report = self._request(company)
            expected = self._expect(company, LAST)
            with self.subTest(company=company.name):
                self.assertEqual(report.currency_id, company.currency_id)
                self.assertEqual(report.date_from, expected["first"])
                self._check(report, expected)
        verdicts = self.Estimate.sudo().search([], order="id").mapped("verdict")
        self.assertNotEqual(verdicts[0], "few", "nothing was estimated")
        self.assertEqual(verdicts[1], "few")

    def _check(self, report, expected):
        for names, found in (
            (("effect", "effect_low", "effect_high"), expected["effect"]),
            (
                ("frequency_effect", "frequency_low", "frequency_high"),
                expected["frequency"],
            ),
            (("placebo", "placebo_low", "placebo_high"), expected["placebo"]),
            (("aro_gap",), expected["gap"]),
        ):
            values = found.value, found.low, found.high
            for name, value in zip(names, values, strict=False):
                # Kept to one decimal of a percent, as it is shown.
                self.assertAlmostEqual(report[name], 100 * (value or 0), delta=0.0501)
        for name, value in (
            ("verdict", expected["effect"].verdict),
            ("members", expected["effect"].members),
            ("others", expected["effect"].controls),
            ("frequency_verdict", expected["frequency"].verdict),
            ("placebo_verdict", expected["placebo"].verdict),
            ("gap_verdict", expected["gap"].verdict),
            ("gap_members", expected["gap"].members),
            ("gap_others", expected["gap"].controls),
            ("matched", expected["matched"]),
            ("joined", expected["joined"]),
        ):
            self.assertEqual(report[name], value, name)
        for name, value in expected["dropped"]._asdict().items():
            self.assertEqual(report[f"dropped_{name}"], value, name)

    def test_effect_is_found_and_the_visit_of_joining_is_left_out(self):
        self._pair(35, 1.1)
        report = self._request()
        self.assertEqual(report.verdict, "more")
        self.assertAlmostEqual(report.effect, 10, delta=0.3)
        self.assertEqual((report.members, report.others, report.joined), (35, 35, 35))
        self.assertEqual(str(report.date_from), "2021-06-01")

    def test_no_effect_is_not_conclusive(self):
        self._pair(35)
        self.assertEqual(self._request().verdict, "open")

    def test_below_thirty_nothing_is_said(self):
        self._pair(29, 2)
        report = self._request()
        self.assertEqual((report.verdict, report.effect), ("few", 0))
        self.assertEqual((report.members, report.joined), (29, 29))

    def test_report_that_cannot_tell_does_not_lower_the_average(self):
        common = {"company_id": self.company.id, "state": "done", "gap_verdict": "few"}
        for day, effect, verdict in [
            ("2024-04-30", 6, "more"),
            ("2024-04-29", 0, "few"),
            ("2024-03-31", 0, "few"),
        ]:
            self.Estimate.sudo().create(
                {**common, "date_to": day, "effect": effect, "verdict": verdict}
            )
        groups = self.Estimate._read_group(
            [("company_id", "=", self.company.id)],
            ["date_to:month"],
            ["effect:avg", "aro_gap:avg"],
            order="date_to:month",
        )
        # What has no value is no zero: assertEqual alone would take False for 0.
        averages = [average for _month, *numbers in groups for average in numbers]
        self.assertEqual(averages, [False, False, 6, False])
        self.assertNotIn(0, [average for average in averages if average is not False])

    def test_what_does_not_count(self):
        partner = self.customer
        for vals in (
            {"kind": "sale"},
            {"is_warranty": True},
            {"amount": 0},
            {"amount": -5},
            {"day": "2024-06-01"},
        ):
            self._work(**{"partner": partner, "day": "2024-05-01", **vals})
        self.other.is_company = True
        self._work(self.other, "2024-05-01")
        report = self._request()
        self.assertFalse(report.date_from)
        self.assertEqual((report.gap_members, report.gap_others), (0, 0))

    def test_what_was_paid_with_points_counts(self):
        self._work(self.customer, "2024-05-01", 0, amount_discount=80)
        self._work(self.other, "2024-05-01", 100, is_member=True)
        report = self._request()
        self.assertEqual((report.other_aro, report.member_aro), (80, 100))

    def test_branches_that_share_the_accounts_count(self):
        branch = self.env["res.company"].create(
            {"name": "Branch", "parent_id": self.company.id}
        )
        self._work(self.customer, "2024-05-01", company=branch)
        self.assertEqual(self._request().gap_others, 0)
        self.program.share_branches = True
        self.assertEqual(branch.loyalty_company_id, self.company)
        self.assertEqual(self._request(day=date(2024, 6, 1)).gap_others, 1)

    def test_raw_gap_is_of_the_last_365_days(self):
        self._work(self.customer, "2023-06-01")
        self._work(self.other, "2023-06-02")
        self.assertEqual(self._request().gap_others, 1)

    # -- what was computed stays ---------------------------------------------------

    def test_report_never_changes(self):
        report = self._request()
        with self.assertRaisesRegex(UserError, "kept as it was computed"):
            report.effect = 50
        with self.assertRaisesRegex(UserError, "kept as it was computed"):
            report.unlink()
        self._pair(30)
        self.assertEqual(self._request(), report)
        self.assertEqual(report.joined, 0)

    # -- when it is computed -------------------------------------------------------

    def test_manager_computes_until_yesterday(self):
        manager = self._create_user("manager", MANAGER)
        mine = self.Estimate.with_user(manager)
        with self.assertRaisesRegex(UserError, "Nobody has joined yet"):
            mine.action_compute()
        self.assertFalse(mine.action_open()["res_id"])
        self._enrol(self.customer)
        action = mine.action_compute()
        report = mine.browse(action["res_id"])
        self.assertEqual(str(report.date_to), "2024-06-14")
        self.assertEqual(report.state, "done")
        self.assertEqual(mine.action_compute()["res_id"], report.id)
        self.assertEqual(report.action_open_reports()["domain"][0][2], self.company.id)

    def test_others_do_not_compute(self):
        self._enrol(self.customer)
        for group in (ACCOUNTANT, USER):
            user = self._create_user(group[-10:], group)
            with self.subTest(group=group), self.assertRaises(AccessError):
                self.Estimate.with_user(user).action_compute()
        with self.assertRaises(AccessError):
            self.Estimate.with_user(user).action_open()

    def test_many_visits_wait_for_the_job(self):
        self._enrol(self.customer)
        self._work(self.customer, "2024-05-01")
        with patch.object(job, "AT_ONCE", 0):
            report = self._request(day=date(2024, 6, 14))
            self.assertEqual(report.state, "waiting")
            self.assertIn("being computed", report.headline)
            self.assertEqual(self._request(day=date(2024, 6, 14)), report)
        self._run_job("ir_cron_compute_estimates", TODAY)
        self.assertEqual(report.state, "done")
        self.assertEqual(report.gap_others, 1)

    def test_job_computes_the_last_complete_month_once(self):
        self._run_job("ir_cron_compute_estimates", TODAY)
        self.assertFalse(self.Estimate.search([]), "there are no members")
        self._enrol(self.customer)
        for day, expected in (
            ("2024-06-05", ["2024-04-30"]),
            ("2024-06-06", ["2024-04-30", "2024-05-31"]),
            ("2024-06-20", ["2024-04-30", "2024-05-31"]),
        ):
            self._run_job("ir_cron_compute_estimates", day)
            reports = self.Estimate.search(
                [("company_id", "=", self.company.id)], order="date_to"
            )
            days = reports.mapped(lambda report: str(report.date_to))
            self.assertEqual(days, expected)
            self.assertEqual(set(reports.mapped("state")), {"done"})


@tagged("post_install", "-at_install")
class TestEstimateWords(EstimateCommon):
    """What a layman reads."""

    def _report(self, **vals):
        return self.Estimate.sudo().create(
            {
                "company_id": self.company.id,
                "currency_id": self.company.currency_id.id,
                "date_from": "2020-01-01",
                "date_to": LAST,
                "state": "done",
                "member_aro": 342,
                "other_aro": 300,
                "aro_gap": 14,
                "gap_verdict": "more",
                "gap_members": 200,
                "gap_others": 800,
                "effect": 5,
                "effect_low": 4,
                "effect_high": 6,
                "members": 100,
                "others": 99,
                "joined": 150,
                "verdict": "more",
                "frequency_gap": 74,
                "frequency_effect": 11,
                "frequency_low": 3,
                "frequency_high": 19,
                "frequency_verdict": "described",
                "placebo": 1,
                "placebo_low": -3,
                "placebo_high": 5,
                "placebo_verdict": "open",
                **vals,
            }
        )

    def _read(self, report):
        names = "headline", "gap_text", "effect_text", "frequency_text", "method_text"
        return " ".join(html2plaintext(report[name] or "") for name in names)

    def test_words_of_every_verdict(self):
        for number, (vals, said, unsaid) in enumerate(
            (
                (
                    {},
                    (
                        "Members spend about 5.0% more for each visit",
                        "is 14.0% above that of others",
                        "Most of that says who joins.",
                        "changed by +5.0%. As far as",
                        "most likely lies between +4.0% and +6.0%",
                        "100 members and 99 customers like them, of 150",
                    ),
                    ("Not conclusive", "Too few"),
                ),
                (
                    {"verdict": "less", "effect": -5, "effect_low": -6},
                    ("about 5.0% less for each visit", "changed by −5.0%"),
                    ("Not conclusive",),
                ),
                (
                    {"verdict": "open", "effect_low": -2},
                    ("Not conclusive", "nothing is concluded", "between −2.0% and"),
                    ("Members spend about",),
                ),
                (
                    {"verdict": "few", "members": 12, "others": 11},
                    ("Too few customers to tell yet", "12 members and 11 customers"),
                    ("changed by +5.0%", "Most of that"),
                ),
                (
                    {"aro_gap": -3, "effect": 2},
                    ("is 3.0% below that of others", "also says who joins"),
                    ("Most of that",),
                ),
                (
                    {"gap_verdict": "few", "gap_members": 7},
                    ("7 members and 800 others came",),
                    ("above that of others", "74.0%"),
                ),
            )
        ):
            vals = {"date_to": fields.Date.add(LAST, days=number), **vals}
            text = self._read(self._report(**vals))
            for words in said:
                with self.subTest(vals=vals, words=words):
                    self.assertIn(words, text)
            for words in unsaid:
                with self.subTest(vals=vals, unsaid=words):
                    self.assertNotIn(words, text)

    def test_words_of_the_frequency_are_no_clearance(self):
        for number, (vals, said) in enumerate(
            (
                (
                    {},
                    ("no proof", "+1.0% (between −3.0% and +5.0%)", "overlooks a lot"),
                ),
                (
                    {"frequency_verdict": "biased", "placebo": 9},
                    ("found +9.0%", "do not rely on it"),
                ),
                (
                    {"placebo_verdict": "few"},
                    ("too few customers to check this",),
                ),
                ({"frequency_verdict": "few"}, ("Too few customers to describe",)),
                ({"frequency_gap": -20}, ("came 20.0% less often",)),
            )
        ):
            report = self._report(date_to=fields.Date.add(LAST, days=number), **vals)
            text = html2plaintext(report.frequency_text)
            for words in (*said, "Only a hold-out can tell"):
                with self.subTest(vals=vals, words=words):
                    self.assertIn(words, text)

    def test_labels_show_a_sign_and_nothing_that_is_not_known(self):
        report = self._report(verdict="few", aro_gap=0.04)
        self.assertEqual((report.gap_label, report.effect_label), ("0.0%", "–"))

    def test_right_to_left_keeps_numbers_together(self):
        self.env["res.lang"]._activate_lang("ar_001")
        report = self._report().with_context(lang="ar_001")
        self.assertRegex(report.effect_label, "^\u200e\\+5.0%\u200e$")

    def test_words_escape_what_people_type(self):
        self._hold_out(self.other, name="<b>Bold</b>")
        text = str(self._report().holdout_text)
        self.assertIn("&lt;b&gt;Bold&lt;/b&gt;", text)
