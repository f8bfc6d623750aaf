import random
from datetime import date, timedelta

from psycopg2 import IntegrityError

from odoo import Command, fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import freeze_time, tagged
from odoo.tools import mute_logger

from ..tools import offers as rules
from .common import ACCOUNTANT, USER
from .test_personal_offers import TODAY, OffersCommon


class RegularCommon(OffersCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Changed = cls.env["garage.loyalty.changed.customer"]
        cls.kinds = cls.brakes | cls.handbrakes

    @classmethod
    def _brake(cls, day, partner=None, lines=None, **vals):
        lines = lines or [(cls.brake_service, 1, 80)]
        return cls._invoice(partner or cls.customer, lines, date=day, **vals)

    def _get_works(self, partner=None):
        """Return the facts of a customer, after the job of the hour."""
        self.Changed._process(10**6)
        self.env.invalidate_all()
        partner = partner or self.customer
        return self.Work.search(
            [("partner_id", "=", partner.id), ("categ_id", "in", self.kinds.ids)]
        )

    def _get_times(self, partner=None):
        works = self._get_works(partner)
        return {work.categ_id.name: work.times for work in works}

    def _get_expected(self, partner):
        """Return the facts by the plain rule, from the documents one by one."""
        company = self.company
        offers = self.Offer.search([("partner_id", "=", partner.id)])
        offered = {}
        for offer in offers.filtered("categ_id"):
            day = max(offer.date, offered.get(offer.categ_id.id, offer.date))
            offered[offer.categ_id.id] = day
        works = []
        invoices = (
            self.env["account.move"]
            .search([("move_type", "=", "out_invoice"), ("state", "=", "posted")])
            .filtered(lambda move: move.commercial_partner_id == partner)
        )
        for invoice in invoices:
            credits = invoice.reversal_move_ids.filtered(
                lambda move: move.state == "posted"
            )
            if credits and sum(credits.mapped("amount_total")) >= invoice.amount_total:
                continue
            amounts = {}
            for line in (invoice + credits).invoice_line_ids:
                product = line.product_id
                if product.type == "service" and line._is_loyalty_priced():
                    kind = product.categ_id.id
                    amounts[kind] = amounts.get(kind, 0) - line.balance
            works += [
                rules.Work(invoice.invoice_date, kind, round(amount, 2))
                for kind, amount in amounts.items()
                if kind
            ]
        return rules.regulars(
            works,
            company._get_loyalty_today(),
            company.loyalty_regular_times,
            company.loyalty_regular_months,
            offered,
        )


@tagged("post_install", "-at_install")
@freeze_time(TODAY)
class TestRegularWork(RegularCommon):
    """Who had the same kind of service done again and again."""

    def test_third_time_makes_a_regular(self):
        for day, expected in (
            ("2024-01-10", {}),
            ("2024-03-10", {}),
            ("2024-05-10", {"Brakes": 3}),
            ("2024-06-10", {"Brakes": 4}),
        ):
            self._brake(day)
            with self.subTest(day=day):
                self.assertEqual(self._get_times(), expected)
        work = self._get_works()
        self.assertEqual(work.display_name, "Brakes, 4 times")
        self.assertEqual(
            (str(work.first_date), str(work.last_date)), ("2024-01-10", "2024-06-10")
        )
        self.assertAlmostEqual(work.amount, 320)
        self.assertEqual(work.member_id, self.member)
        self.assertEqual(str(work.last_visit_date), "2024-06-10")

    def test_invoices_count_not_lines_and_each_category_by_itself(self):
        for day in ("2024-01-10", "2024-03-10"):
            self._brake(day, lines=[(self.brake_service, 1, 80)] * 2)
        self._brake("2024-04-10", lines=[(self.handbrake, 1, 40)])
        self.assertEqual(self._get_times(), {})

    def test_parts_of_the_category_are_no_work(self):
        self.part.categ_id = self.brakes
        for day in ("2024-01-10", "2024-03-10", "2024-05-10"):
            self._brake(day, lines=[(self.part, 1, 50)])
        self.assertEqual(self._get_times(), {})

    def test_what_was_long_ago_drafts_and_the_future_do_not_count(self):
        for day in ("2022-06-14", "2024-03-10", "2024-06-16"):
            self._brake(day)
        self._brake("2024-04-10", post=False)
        self._brake("2024-04-10", partner=self.other)
        self.assertEqual(self._get_times(), {})
        self._brake("2022-06-15")
        self._brake("2024-06-15")
        self.assertEqual(self._get_times(), {"Brakes": 3})

    def test_time_alone_makes_and_unmakes_a_regular(self):
        for day in ("2022-07-10", "2024-03-10", "2024-06-20"):
            self._brake(day)
        self.assertEqual(self._get_times(), {})
        for day, expected in (
            ("2024-06-20", {"Brakes": 3}),
            ("2024-07-11", {}),
        ):
            self._run_job("ir_cron_check_customers", day)
            with self.subTest(day=day):
                self.assertEqual(self._get_times(), expected)

    def test_credited_work_does_not_count(self):
        invoices = [
            self._brake(day)
            for day in ("2024-01-10", "2024-02-10", "2024-03-10", "2024-04-10")
        ]
        credit = self._credit(invoices[0], date="2024-05-01")
        self.assertEqual(self._get_times(), {"Brakes": 3})
        credit.button_draft()
        self.assertEqual(self._get_times(), {"Brakes": 4})
        self._credit(invoices[1], amount=30, date="2024-05-01")
        self.assertAlmostEqual(self._get_works().amount, 290)

    def test_kind_that_was_credited_of_an_invoice_does_not_count(self):
        lines = [(self.brake_service, 1, 80), (self.labour, 1, 100)]
        for day in ("2024-01-10", "2024-02-10"):
            self._brake(day)
        invoice = self._brake("2024-03-10", lines=lines)
        self.assertEqual(self._get_times(), {"Brakes": 3})
        self._credit(invoice, amount=80, date="2024-05-01")
        self.assertEqual(self._get_times(), {})

    def test_what_points_pay_is_not_bought_less(self):
        self._spend_without_limits()
        for day in ("2024-01-10", "2024-02-10", "2024-03-10"):
            invoice = self._brake(day, post=False)
            self._redeem(invoice, 100)
            invoice.action_post()
        self.assertAlmostEqual(self._get_works().amount, 240)

    def test_contacts_of_a_company_are_one_customer(self):
        company = self._create_customer("Fleet", is_company=True)
        drivers = [
            self._create_customer(name, parent_id=company.id) for name in ("a", "b")
        ]
        for day, partner in zip(
            ("2024-01-10", "2024-02-10", "2024-03-10"), [company, *drivers], strict=True
        ):
            self._brake(day, partner)
        self.assertEqual(self._get_times(company), {"Brakes": 3})

    def test_merged_customers_add_up(self):
        self._brake("2024-01-10")
        for day in ("2024-02-10", "2024-03-10"):
            self._brake(day, self.other)
        self._get_works()
        Wizard = self.env["base.partner.merge.automatic.wizard"]
        both = self.customer | self.other
        Wizard._merge(both.ids, self.customer, extra_checks=False)
        self.assertEqual(self._get_times(), {"Brakes": 3})

    def test_regulars_are_of_each_company(self):
        elsewhere = self.setup_other_company()["company"]
        for day in ("2024-01-10", "2024-02-10", "2024-03-10"):
            self._brake(day)
        self.assertEqual(self._get_works().company_id, self.company)
        self.assertNotIn(elsewhere, self._get_works().company_id)

    def test_settings_decide(self):
        for day in ("2024-01-10", "2024-05-10"):
            self._brake(day)
        self.assertEqual(self._get_times(), {})
        jobs = self.env.ref("garage_loyalty.ir_cron_check_customers")
        triggers = [("cron_id", "=", jobs.id)]
        before = self.env["ir.cron.trigger"].search_count(triggers)
        self.company.loyalty_regular_times = 2
        after = self.env["ir.cron.trigger"].search_count(triggers)
        self.assertEqual(after, before + 1)
        self.Changed._refresh(self.customer.ids)
        self.assertEqual(self._get_times(), {"Brakes": 2})
        self.company.loyalty_regular_months = 3
        self.Changed._refresh(self.customer.ids)
        self.assertEqual(self._get_times(), {})
        self.company.loyalty_regular_months = 24
        self.Changed._refresh(self.customer.ids)
        self.company.loyalty_regular_times = 0
        self.assertEqual(self._get_times(), {})
        self.Changed._refresh(self.customer.ids)
        self.assertEqual(self._get_times(), {})

    def test_category_that_everybody_buys_is_left_out(self):
        for day in ("2024-01-10", "2024-02-10", "2024-03-10"):
            self._brake(day)
        self.assertEqual(self._get_times(), {"Brakes": 3})
        self.brakes.loyalty_no_offers = True
        self.assertEqual(self._get_times(), {})
        self.Changed._refresh(self.customer.ids)
        self.assertEqual(self._get_times(), {})
        self.brakes.loyalty_no_offers = False
        self.Changed._refresh(self.customer.ids)
        self.assertEqual(self._get_times(), {"Brakes": 3})

    def test_settings_that_make_no_sense_are_refused(self):
        for vals in (
            {"loyalty_regular_times": 1},
            {"loyalty_regular_times": -1},
            {"loyalty_regular_months": 0},
            {"loyalty_regular_percent": 0},
            {"loyalty_regular_percent": 101},
            {"loyalty_regular_days": 0},
        ):
            with (
                self.subTest(vals=vals),
                self.assertRaises(IntegrityError),
                mute_logger("odoo.sql_db"),
                self.env.cr.savepoint(),
            ):
                self.company.write(vals)
                self.company.flush_recordset()

    def _make_histories(self, partners):
        """Make random invoices, credit notes, drafts, and offers that were declined."""
        draw = random.Random(6)
        goods = [self.brake_service, self.handbrake, self.labour, self.part]
        today = fields.Date.to_date(TODAY)
        for _step in range(60):
            partner = draw.choice(partners)
            day = today - timedelta(days=draw.randint(-20, 800))
            lines = [
                (draw.choice(goods), draw.choice([1, 2]), draw.choice([40, 80, 0]))
                for _number in range(draw.randint(1, 3))
            ]
            invoice = self._brake(day, partner, lines, post=draw.random() > 0.1)
            if invoice.state == "posted" and draw.random() < 0.3:
                amount = draw.choice([None, 20, 80])
                self._credit(invoice, amount=amount, date=day)
        for partner in partners[:3]:
            with freeze_time(today - timedelta(days=draw.randint(50, 400))):
                kind = draw.choice(self.kinds)
                self.Offer._decline(
                    [
                        {
                            "partner_id": partner.id,
                            "company_id": self.company.id,
                            "categ_id": kind.id,
                        }
                    ]
                )

    def test_facts_say_the_same_as_the_rule(self):
        partners = [self._create_customer(f"C{number}") for number in range(6)]
        self._make_histories(partners)
        self.company.loyalty_regular_times = 2
        self.Changed._refresh([partner.id for partner in partners])
        self.env.invalidate_all()
        some = False
        for partner in partners:
            works = self.Work.search([("partner_id", "=", partner.id)])
            found = {
                work.categ_id.id: rules.Regular(
                    work.times, work.first_date, work.last_date, work.amount
                )
                for work in works
            }
            expected = self._get_expected(partner)
            some = some or bool(expected)
            with self.subTest(partner=partner.name):
                self.assertEqual(found, expected)
        self.assertTrue(some)
        again = self.Changed._refresh([partner.id for partner in partners])
        self.assertEqual(again, 0)


@tagged("post_install", "-at_install")
@freeze_time(TODAY)
class TestOffersForRegulars(RegularCommon):
    """The buttons on the list and on the repair order."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.reward.active = False
        cls.advisor = cls._create_user(
            "advisor",
            USER,
            "sales_team.group_sale_salesman_all_leads",
            "stock.group_stock_user",
        )

    def _make_regular(self, partner=None):
        for day in ("2024-01-10", "2024-03-10", "2024-06-15"):
            self._brake(day, partner)
        return self._get_works(partner).with_user(self.advisor)

    def _get_offers(self, partner=None):
        partner = partner or self.customer
        return self.Offer.search([("partner_id", "=", partner.id)])

    def test_offer_is_made_and_counting_begins_again(self):
        work = self._make_regular()
        action = work.action_offer()
        self.assertEqual(action["params"]["message"], "Offers made: 1")
        offer = self._get_offers()
        self.assertEqual((offer.state, offer.source), ("open", "regular"))
        self.assertEqual(str(offer.date_until), "2024-09-13")
        self.assertEqual((offer.categ_id, offer.user_id), (self.brakes, self.advisor))
        reward = offer.reward_id
        self.assertEqual(reward.name, "10% off Brakes for regulars")
        self.assertEqual(
            (reward.kind, reward.percent, reward.points), ("labour_percent", 10, 0)
        )
        self.assertTrue(reward.is_personal)
        self.assertEqual(self._get_times(), {})
        for day, expected in (
            ("2024-06-15", {}),
            ("2024-06-16", {}),
            ("2024-06-17", {}),
            ("2024-06-18", {"Brakes": 3}),
        ):
            with freeze_time("2024-06-20"):
                self._brake(day)
                self.assertEqual(self._get_times(), expected)

    def test_reward_is_made_once_for_each_kind_and_percentage(self):
        self._make_regular().action_offer()
        self._make_regular(self.other).action_offer()
        first, second = (
            self._get_offers().reward_id,
            self._get_offers(self.other).reward_id,
        )
        self.assertEqual(first, second)
        self.company.loyalty_regular_percent = 12.5
        third = self._create_customer("Third")
        self._make_regular(third).action_offer()
        reward = self._get_offers(third).reward_id
        self.assertNotEqual(reward, first)
        self.assertEqual(reward.name, "12.5% off Brakes for regulars")

    def test_offer_is_redeemed(self):
        self._make_regular().action_offer()
        order = self._order()
        self._redeem_reward(order, self._get_offers().reward_id)
        order.action_confirm()
        self.assertEqual(self._get_offers().state, "used")
        self.assertAlmostEqual(self._get_offers().cost, 8)

    def test_not_interested_is_not_proposed_until_counted_anew(self):
        work = self._make_regular()
        work.action_decline()
        self.assertEqual(self._get_times(), {})
        offer = self._get_offers()
        self.assertEqual((offer.state, offer.reward_id.id), ("declined", False))
        self.assertEqual(offer.categ_id, self.brakes)
        self.assertEqual(offer.display_name, "Brakes: not interested")
        with freeze_time("2024-07-30"):
            for day in ("2024-07-01", "2024-07-02", "2024-07-03"):
                self._brake(day)
            self.assertEqual(self._get_times(), {"Brakes": 3})

    def test_cancelled_offer_never_was(self):
        self._make_regular().action_offer()
        self._get_offers().action_cancel()
        self.assertEqual(self._get_times(), {"Brakes": 3})

    def test_many_at_once(self):
        works = self._make_regular() | self._make_regular(self.other)
        works.action_offer()
        self.assertEqual(self._get_offers().state, "open")
        self.assertEqual(self._get_offers(self.other).state, "open")
        # Pressed twice, or by two people: there is nothing left to be offered.
        works.action_offer()
        works.action_decline()
        self.assertEqual(len(self._get_offers()), 1)

    def test_non_member_is_offered_and_told_to_join(self):
        work = self._make_regular(self.other)
        self.assertFalse(work.member_id)
        self.assertEqual(self.Work.search([("member_id", "=", False)]) & work, work)
        context = work.action_enrol()["context"]
        self.assertEqual(context["default_partner_id"], self.other.id)
        work.action_offer()
        self._enrol(self.other)
        order = self._order(self.other)
        self._redeem_reward(order, self._get_offers(self.other).reward_id)
        order.action_confirm()
        self.assertEqual(self._get_offers(self.other).state, "used")

    def test_company_without_programme_is_told_so(self):
        work = self._make_regular(self.other)
        self.env["garage.loyalty.program"].search(
            [("company_id", "=", self.company.id)]
        ).action_archive()
        with self.assertRaisesRegex(UserError, "no loyalty programme"):
            work.action_offer()
        work.action_decline()
        self.assertFalse(work.exists())

    def test_whoever_may_not_make_offers_is_refused(self):
        work = self._make_regular()
        auditor = self._create_user("auditor", ACCOUNTANT)
        self.assertEqual(work.with_user(auditor).times, 3)
        for action in ("action_offer", "action_decline"):
            with self.subTest(action=action), self.assertRaises(AccessError):
                getattr(work.with_user(auditor), action)()
        elsewhere = self.setup_other_company()["company"]
        stranger = self._create_user("stranger", USER)
        stranger.write(
            {
                "company_ids": [Command.set(elsewhere.ids)],
                "company_id": elsewhere.id,
            }
        )
        with self.assertRaises(AccessError):
            work.with_user(stranger).action_offer()

    def test_repair_order_shows_regular_work(self):
        repair = self._create_repair(self.customer.with_user(self.advisor))
        self.assertFalse(repair.loyalty_regular_ids)
        work = self._make_regular()
        repair.invalidate_recordset()
        self.assertEqual(repair.loyalty_regular_ids, work)
        repair.loyalty_regular_ids.action_offer()
        repair.invalidate_recordset()
        self.assertFalse(repair.loyalty_regular_ids)
        self.assertEqual(repair.loyalty_personal_offer_ids.ids, self._get_offers().ids)

    def test_day_of_the_company_counts(self):
        self.company.partner_id.tz = "Pacific/Kiritimati"
        self._brake("2024-06-16")
        with freeze_time("2024-06-15 12:00:00"):
            self.assertEqual(self.company._get_loyalty_today(), date(2024, 6, 16))
            self._brake("2024-06-15")
            self._brake("2024-06-14")
            self.assertEqual(self._get_times(), {"Brakes": 3})
