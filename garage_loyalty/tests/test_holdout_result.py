import random
from datetime import date, timedelta

from odoo.exceptions import UserError
from odoo.tests import freeze_time, tagged
from odoo.tools import html2plaintext

from ..tools import estimate, holdout
from .test_holdout import TODAY, HoldoutCommon


@tagged("post_install", "-at_install")
@freeze_time(TODAY)
class TestHoldoutResult(HoldoutCommon):
    """What the groups did, as they were drawn."""

    def _come(self, partners, times, amount=100, company=None):
        for partner in partners:
            for place in range(times):
                day = date(2024, 7, 1) + timedelta(10 * place)
                self._put_visit(partner, day, amount, company=company)

    def _finish(self, drawn, day="2025-06-21"):
        self.env.flush_all()
        self._run_job("ir_cron_end_holdouts", day)
        self.assertEqual(drawn.state, "done")
        return {figure.measure: figure for figure in drawn.figure_ids}

    def _draw(self, number=60):
        crowd = self.env["res.partner"].create(
            [{"name": f"C{place}"} for place in range(number)]
        )
        invited, held_out = crowd[: number // 2], crowd[number // 2 :]
        return self._hold_out(held_out, invited, date_end="2025-06-15")

    def _get_groups(self, drawn):
        held_out = drawn.customer_ids.filtered("is_held_out")
        return drawn.customer_ids - held_out, held_out

    # -- an oracle: slow and obvious -----------------------------------------------

    def _find(self, rows, company):
        """Return number and sum of the visits of each customer, by the ORM."""
        found = []
        for row in rows:
            amounts = [
                visit.amount + visit.amount_discount
                for visit in self.Visit.search([("partner_id", "=", row.partner_id.id)])
                if visit.company_id == company
                and visit.kind == "repair"
                and not visit.is_warranty
                and visit.amount + visit.amount_discount > 0
                and date(2024, 6, 15) < visit.date <= date(2025, 6, 15)
            ]
            found.append((len(amounts), sum(amounts)))
        return found

    def test_figures_are_what_the_rules_say_of_the_visits_in_two_currencies(self):
        rng = random.Random(7)
        elsewhere = self.setup_other_company()["company"]
        elsewhere.currency_id = self.env.ref("base.CHF")
        drawn = self._draw(220)
        other = self._hold_out(
            *(group.partner_id for group in reversed(self._get_groups(drawn))),
            company_id=elsewhere.id,
            date_end="2025-06-15",
        )
        for row in drawn.customer_ids:
            for _visit in range(rng.randint(0, 6)):
                day = date(2024, 6, 1) + timedelta(rng.randint(0, 400))
                self._put_visit(
                    row.partner_id,
                    day,
                    rng.choice((0, 40, 99.5, 310)),
                    rng.choice(("repair", "repair", "sale")),
                    rng.choice((self.company, elsewhere)),
                )
        self.env.cr.execute(
            "UPDATE garage_loyalty_visit SET is_warranty = TRUE WHERE id % 9 = 0"
        )
        for each in (drawn, other):
            figures = self._finish(each)
            groups = self._get_groups(each)
            found = [self._find(group, each.company_id) for group in groups]
            with self.subTest(company=each.company_id.name):
                self._check(figures, *found)

    def _check(self, figures, *found):
        visits = [[number for number, _sum in side] for side in found]
        money = [[(total, 1) for _number, total in side] for side in found]
        orders = [
            [(total, number) for number, total in side if number] for side in found
        ]
        expected = {
            "visits": (holdout.visits_change(*visits), 1),
            "came": (holdout.shares_gap(*visits), 100),
            "aro": (estimate.gap(*orders), 1),
            "revenue": (estimate.gap(*money), 1),
        }
        ratios = {
            "visits": [[(number, 1) for number in side] for side in visits],
            "came": [[(bool(number), 1) for number in side] for side in visits],
            "aro": orders,
            "revenue": money,
        }
        self.assertEqual(figures.keys(), expected.keys())
        for measure, (wanted, scale) in expected.items():
            figure = figures[measure]
            self.assertEqual(figure.verdict, wanted.verdict)
            self.assertNotEqual(figure.verdict, "few")
            for name in ("value", "low", "high"):
                self.assertAlmostEqual(
                    figure[name], 100 * getattr(wanted, name), delta=0.0501
                )
            means = [estimate.ratio(side).value for side in ratios[measure]]
            for name, mean in zip(("invited", "held_out"), means, strict=True):
                self.assertAlmostEqual(figure[name], scale * mean, delta=0.00501)

    def test_words_of_every_verdict(self):
        for times, verdict, words in (
            ((3, 2), "more", "come about 50.0% more often"),
            ((2, 4), "less", "come about 50.0% less often"),
            ((2, 2), "open", "Not conclusive"),
            ((0, 0), "few", "Too few customers to tell"),
        ):
            drawn = self._draw()
            for group, number in zip(self._get_groups(drawn), times, strict=True):
                self._come(group.partner_id, number)
            figures = self._finish(drawn)
            with self.subTest(verdict=verdict):
                self.assertEqual(figures["visits"].verdict, verdict)
                self.assertIn(words, drawn.headline)

    def test_everybody_stays_in_the_group_that_was_drawn(self):
        drawn = self._draw()
        invited, held_out = self._get_groups(drawn)
        self._enrol(held_out[0].partner_id, date="2024-08-01")
        for row in invited[:3]:
            self._enrol(row.partner_id, date="2024-09-01")
        self._enrol(invited[3].partner_id, date="2025-06-16")
        self._come(held_out[0].partner_id, 5)
        figures = self._finish(drawn)
        self.assertEqual((drawn.invited_joined, drawn.held_out_joined), (3, 1))
        self.assertAlmostEqual(figures["visits"].held_out, 0.17)
        text = html2plaintext(drawn.explanation)
        self.assertIn(
            "3 of 30 customers who could be invited have joined, and 1 of", text
        )

    def test_it_ends_when_late_invoices_are_in(self):
        drawn = self._draw()
        for day, state in (
            ("2025-06-15", "running"),
            ("2025-06-20", "running"),
            ("2025-06-21", "done"),
        ):
            self._run_job("ir_cron_end_holdouts", day)
            self.assertEqual(drawn.state, state)
        self.assertEqual(str(drawn.date_last), "2025-06-15")

    def test_result_never_changes(self):
        drawn = self._draw()
        self._come(self._get_groups(drawn)[0].partner_id, 1)
        figures = self._finish(drawn)
        value = figures["visits"].invited
        self._come(self._get_groups(drawn)[0].partner_id, 4)
        self._run_job("ir_cron_end_holdouts", "2025-07-21")
        self.assertEqual(figures["visits"].invited, value)
        for vals in ({"name": "Better"}, {"date_last": TODAY}, {"state": "running"}):
            with self.assertRaises(UserError):
                drawn.with_user(self.manager).write(vals)

    def test_stopping_early_needs_a_reason(self):
        drawn = self._draw().with_user(self.manager)
        with self.assertRaisesRegex(UserError, "Say why"):
            drawn.action_stop()
        self.assertEqual(drawn.state, "running")
        drawn.stop_reason = "The workshop moves"
        with freeze_time("2024-10-01"):
            drawn.action_stop()
        self.assertEqual((drawn.state, str(drawn.date_last)), ("done", "2024-10-01"))
        text = html2plaintext(drawn.explanation)
        self.assertIn("stopped on 10/01/2024", text)
        self.assertIn("The workshop moves", text)
        self.assertFalse(self._candidates(("is_held_out", "=", True)))

    def test_nothing_is_told_while_it_runs(self):
        drawn = self._draw()
        self._come(self._get_groups(drawn)[0].partner_id, 3)
        self.assertFalse(drawn.figure_ids)
        self.assertFalse(any(drawn.customer_ids.mapped("visits")))
        self.assertIn("Running until", drawn.headline)
        report = self.env["garage.loyalty.estimate"].sudo()
        words = report._join_paragraphs(self.Holdout._say_of_company(self.company))
        self.assertIn("Not now: Running until", words)

    def test_report_tells_that_there_was_none(self):
        words = self.Holdout._say_of_company(self.company)
        self.assertIn("no hold-out yet", words[0])
