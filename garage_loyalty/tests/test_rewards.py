from datetime import date, timedelta

from psycopg2 import IntegrityError

from odoo import Command, fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import BaseCase, HttpCase, tagged
from odoo.tools import mute_logger

from ..tools import rewards as rules
from ..tools.redeem import Room
from .common import USER, GarageLoyaltyCommon

COUNTER = (
    "sales_team.group_sale_salesman_all_leads",
    "stock.group_stock_user",
    "account.group_account_invoice",
)


@tagged("post_install", "-at_install")
class TestRewardRules(BaseCase):
    def test_what_a_reward_takes_off(self):
        for kind, room, terms, expected in (
            ("amount", Room(230, 115, 345), (20, 0), (20, 20)),
            ("amount", Room(10, 5, 15), (20, 0), (15, 20)),
            ("amount", Room(230, 115, 8), (20, 5), (8, 20)),
            ("amount", Room(-5, 0, -5), (20, 0), (0, 20)),
            ("labour_percent", Room(23, 0, 345), (0, 0), (23, 23)),
            ("labour_percent", Room(23, 0, 345), (0, 15), (15, 15)),
            ("labour_percent", Room(23, 0, 12), (0, 15), (12, 15)),
            ("labour_percent", Room(23, 0, 345), (20, 30), (23, 23)),
            ("parts_percent", Room(0, 57.5, 345), (0, 0), (57.5, 57.5)),
            ("product", Room(0, 0, 345), (20, 0), (0, 0)),
        ):
            with self.subTest(kind=kind, room=room, terms=terms):
                worth = (
                    rules.takes_off(kind, room, *terms),
                    rules.promise(kind, room, *terms),
                )
                self.assertEqual(worth, expected)

    def test_why_a_reward_is_refused(self):
        today = date(2024, 6, 1)
        yesterday, tomorrow = date(2024, 5, 31), date(2024, 6, 2)
        silver, gold = (20, 7), (30, 5)
        here = {"tier": gold, "available": 300, "amount": 10}
        for terms, there, expected in (
            ({}, {}, None),
            ({"date_from": today, "date_to": today}, {}, None),
            ({"date_from": tomorrow}, {}, "early"),
            ({"date_to": yesterday}, {}, "over"),
            ({"is_sold": False}, {}, "product"),
            ({"left": 1}, {}, None),
            ({"left": 0}, {}, "stock"),
            ({"tier": gold}, {}, None),
            ({"tier": silver}, {}, None),
            ({"tier": gold}, {"tier": silver}, "tier"),
            ({"tier": silver}, {"tier": None}, "tier"),
            ({}, {"amount": 0}, "amount"),
            ({"kind": "product"}, {"amount": 0}, None),
            ({}, {"available": 299}, "points"),
            ({"tier": gold}, {"tier": silver, "available": 0}, "tier"),
        ):
            with self.subTest(terms=terms, there=there):
                reward = rules.Terms(**{"kind": "amount", "points": 300} | terms)
                self.assertEqual(reward.refusal(today, **here | there), expected)


class RewardsCommon(GarageLoyaltyCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Reward = cls.env["garage.loyalty.reward"]
        cls.program.write(
            {
                "point_value": 0.10,
                "labour_cap": 50,
                "parts_cap": 20,
                "minimum_redemption": 200,
            }
        )
        cls.program.reward_ids.action_archive()
        cls.member = cls._enrol(cls.customer)
        cls.member._post_points("adjust", 1000, "2024-01-01", reason="Start")
        cls.wash = cls._create_good(
            "Wash", 30, type="service", invoice_policy="delivery", standard_price=12
        )

    @classmethod
    def _create_reward(cls, kind="amount", **vals):
        vals = {
            "name": f"Reward {kind}",
            "program_id": cls.program.id,
            "kind": kind,
            "points": 100,
            **({"amount": 20} if kind == "amount" else {}),
            **({"product_id": cls.wash.id} if kind == "product" else {}),
            **vals,
        }
        return cls.Reward.create(vals)

    def _quote(self, hours=2, parts=2):
        """Return a quotation of 200 labour and 100 parts, 345 with 15 % tax."""
        return self._create_repair(
            self.customer, hours=hours, parts=parts
        ).sale_order_id

    @classmethod
    def _wizard(cls, document, reward=None):
        field = "order_id" if document._name == "sale.order" else "move_id"
        wizard = document.env["garage.loyalty.redeem"].create({field: document.id})
        if reward:
            wizard.write({"kind": "reward", "reward_id": reward.id})
        return wizard

    @classmethod
    def _redeem_reward(cls, document, reward):
        cls._wizard(document, reward).action_redeem()
        return document._get_loyalty_lines().loyalty_redemption_id

    def _redeemed(self, document):
        lines = document._get_loyalty_lines()
        return lines.filtered("loyalty_redemption_id")


@tagged("post_install", "-at_install")
class TestRewards(RewardsCommon):
    """What a reward is, and who may have it."""

    def test_terms_that_make_no_sense_are_refused(self):
        for vals in (
            {"points": -1},
            {"amount": 0},
            {"amount": -5},
            {"kind": "labour_percent", "percent": 0},
            {"kind": "parts_percent", "percent": 100.01},
            {"kind": "labour_percent", "max_amount": -1},
            {"kind": "product", "product_id": False},
            {"date_from": "2024-02-01", "date_to": "2024-01-31"},
            {"stock": -1},
        ):
            kind = vals.get("kind", "amount")
            with (
                self.subTest(vals=vals),
                self.assertRaises(IntegrityError),
                mute_logger("odoo.sql_db"),
                self.env.cr.savepoint(),
            ):
                self._create_reward(**{"kind": kind} | vals)

    def test_tier_of_another_programme_is_refused(self):
        other = self.program.copy({"name": "Other"})
        self.assertFalse(other.reward_ids)
        with self.assertRaisesRegex(ValidationError, "not a tier of"):
            self._create_reward(tier_id=other.tier_ids[0].id)

    def test_redeemed_reward_stays_and_stays_in_its_company(self):
        reward = self._create_reward()
        self._redeem_reward(self._quote(), reward)
        with self.assertRaisesRegex(UserError, "Archive it instead"):
            reward.unlink()
        elsewhere = self.env["res.company"].create({"name": "Elsewhere"})
        program = self.env["garage.loyalty.program"]._get_default(elsewhere)
        with self.assertRaisesRegex(ValidationError, "cannot move"):
            reward.program_id = program
        self._create_reward().unlink()

    def test_new_company_starts_with_a_reward(self):
        company = self.env["res.company"].create({"name": "New Workshop"})
        program = self.env["garage.loyalty.program"]._get_default(company)
        self.assertEqual(program.reward_ids.kind, "labour_percent")
        self.assertEqual(program.reward_ids.company_id, company)

    def test_dialog_shows_rewards_and_why_not(self):
        today = self.company._get_loyalty_today()
        day = timedelta(days=1)
        for vals, expected in (
            ({}, ""),
            ({"tier_id": self.bronze.id}, ""),
            ({"tier_id": self.silver.id}, "From tier Silver on."),
            ({"points": 1000}, ""),
            ({"points": 1120}, "120 points are missing."),
            ({"date_from": today, "date_to": today}, ""),
            ({"date_from": today + day}, "Valid from"),
            ({"date_to": today - day}, "Ended on"),
            ({"kind": "parts_percent"}, "There are no parts to pay here."),
            ({"kind": "product"}, ""),
        ):
            reward = self._create_reward(**vals)
            wizard = self._wizard(self._quote(parts=0))
            with self.subTest(vals=vals):
                (offer,) = wizard.offers
                self.assertEqual(offer["id"], reward.id)
                self.assertEqual(offer["refusal"][: len(expected)], expected)
                self.assertEqual(bool(offer["refusal"]), bool(expected))
                wizard.write({"kind": "reward", "reward_id": reward.id})
                if expected:
                    with self.assertRaisesRegex(UserError, expected):
                        wizard.action_redeem()
                else:
                    wizard.action_redeem()
            reward.action_archive()

    def test_dialog_says_what_a_reward_is_worth(self):
        self._create_reward(name="Twenty", sequence=1)
        self._create_reward("product", name="Wash", sequence=2, points=1000)
        twenty, wash = self._wizard(self._quote()).offers
        self.assertEqual(twenty["name"], "Twenty")
        self.assertEqual(twenty["points"], "100 points")
        self.assertIn("20.00", twenty["worth"])
        self.assertEqual((wash["points"], wash["worth"]), ("1,000 points", "Free"))

    def test_dialog_without_rewards_offers_points(self):
        wizard = self._wizard(self._quote())
        self.assertFalse(wizard.offers)
        self.assertEqual((wizard.kind, wizard.hint), ("points", False))

    def test_dialog_offers_the_reward_when_points_are_too_few(self):
        reward = self._create_reward(points=50)
        self.program.minimum_redemption = 5000
        wizard = self._wizard(self._quote())
        self.assertEqual((wizard.kind, wizard.reward_id), ("reward", reward))

    def test_unfit_choices_are_refused(self):
        order = self._quote()
        wizard = self._wizard(order)
        wizard.kind = "reward"
        with self.assertRaisesRegex(UserError, "Choose a reward"):
            wizard.action_redeem()
        reward = self._create_reward()
        reward.action_archive()
        other = self._create_reward(program_id=self.program.copy().id)
        for unfit in (reward, other):
            wizard.reward_id = unfit
            with self.assertRaisesRegex(UserError, "not a reward of this programme"):
                wizard.action_redeem()
        self.member._suspend()
        with self.assertRaisesRegex(UserError, "not an active member"):
            self._redeem_reward(order, self._create_reward())
        self.assertFalse(self._redeemed(order))

    def test_product_that_is_not_sold_any_more_is_refused(self):
        reward = self._create_reward("product")
        self.wash.action_archive()
        with self.assertRaisesRegex(UserError, "not sold any more"):
            self._redeem_reward(self._quote(), reward)

    def test_points_that_wait_buy_nothing(self):
        self.program.write({"activation_days": 30})
        self.member._post_points("adjust", -950, "2024-01-01", reason="Spent")
        invoice = self._invoice(self.customer, date=fields.Date.today())
        self._pay(invoice)
        with self.assertRaisesRegex(UserError, "50 points are missing"):
            self._redeem_reward(self._quote(), self._create_reward())

    # -- rights -----------------------------------------------------------------

    def test_advisor_redeems_a_reward_and_others_do_not(self):
        reward = self._create_reward("product")
        advisor = self._create_user("advisor", USER, *COUNTER)
        order = self._quote().with_user(advisor)
        redemption = self._redeem_reward(order, reward)
        self.assertEqual(redemption.user_id, advisor)
        order.action_confirm()
        self.assertEqual(self.member.points, 900)
        self.assertEqual(reward.with_user(advisor).use_count, 1)
        with self.assertRaises(AccessError):
            reward.with_user(advisor).points = 1
        clerk = self._create_user("clerk", COUNTER[0])
        wizard = self._wizard(self._quote(), reward)
        with self.assertRaises(AccessError):
            wizard.with_user(clerk).action_redeem()

    def test_branch_sees_the_rewards_of_a_shared_programme(self):
        reward = self._create_reward()
        branch = self.env["res.company"].create(
            {"name": "Branch", "parent_id": self.company.id}
        )
        advisor = self._create_user("branch_advisor", USER)
        advisor.write(
            {"company_ids": [Command.set(branch.ids)], "company_id": branch.id}
        )
        theirs = self.Reward.with_user(advisor)
        self.assertNotIn(reward, theirs.search([]))
        self.program.share_branches = True
        self.assertIn(reward, theirs.search([]))

    def test_people_without_loyalty_group_finish_what_was_redeemed(self):
        clerk = self._create_user("clerk", COUNTER[2])
        reward = self._create_reward("product", stock=1)
        invoice = self._invoice(self.customer, post=False)
        self._redeem_reward(invoice, reward)
        theirs = invoice.with_user(clerk)
        theirs.action_post()
        self.assertEqual((self.member.points, reward.stock_left), (900, 0))
        self._credit(theirs)
        self.assertEqual((self.member.points, reward.stock_left), (1000, 1))


@tagged("post_install", "-at_install")
class TestRewardsOnDocuments(RewardsCommon):
    """What a reward does to a quotation or an invoice."""

    # -- every kind ---------------------------------------------------------------

    def test_money_off_is_shared_between_labour_and_parts(self):
        order = self._quote()
        redemption = self._redeem_reward(order, self._create_reward())
        self.assertAlmostEqual(order.amount_total, 325)
        by_scope = self._redeemed(order).grouped("loyalty_scope")
        self.assertAlmostEqual(by_scope["labour"].price_total, -13.33)
        self.assertAlmostEqual(by_scope["parts"].price_total, -6.67)
        self.assertIn("Reward amount", by_scope["parts"].name)
        self.assertEqual((redemption.points, redemption.amount), (100, 20))
        self.assertAlmostEqual(redemption.cost, 17.39)  # 20 less 15 % tax

    def test_percentages_ignore_caps_and_minimum_of_the_programme(self):
        for kind, vals, total in (
            ("labour_percent", {"percent": 10}, 345 - 23),
            ("labour_percent", {"percent": 10, "max_amount": 15}, 345 - 15),
            ("labour_percent", {"percent": 100}, 345 - 230),
            ("parts_percent", {"percent": 50}, 345 - 57.5),
            ("parts_percent", {"percent": 33.33}, 345 - 38.33),
        ):
            order = self._quote()
            redemption = self._redeem_reward(order, self._create_reward(kind, **vals))
            with self.subTest(kind=kind, vals=vals):
                self.assertAlmostEqual(order.amount_total, total)
                self.assertAlmostEqual(redemption.cost, (345 - total) / 1.15, 2)
                scope = kind.split("_")[0]
                self.assertEqual(
                    set(self._redeemed(order).mapped("loyalty_scope")), {scope}
                )

    def test_free_product_is_a_line_of_its_own(self):
        for document in (self._quote(), self._invoice(self.customer, post=False)):
            total = document.amount_total
            redemption = self._redeem_reward(document, self._create_reward("product"))
            line = self._redeemed(document)
            with self.subTest(document=document._name):
                self.assertEqual(line.product_id, self.wash)
                self.assertEqual((line.price_unit, line.discount), (30, 100))
                self.assertEqual(line[document._loyalty_quantity_name], 1)
                self.assertEqual(line.tax_ids, self.tax)
                self.assertIn("free for 100 loyalty points", line.name)
                self.assertAlmostEqual(document.amount_total, total)
                self.assertEqual((redemption.amount, redemption.cost), (0, 12))

    def test_cost_of_a_product_without_cost_price_is_its_price_net_of_tax(self):
        self.wash.standard_price = 0
        reward = self._create_reward("product")
        self.assertEqual(reward._get_product_cost(), 30)
        self.tax.price_include_override = "tax_included"
        self.assertAlmostEqual(reward._get_product_cost(), 26.09)

    def test_later_prices_do_not_change_what_it_cost(self):
        reward = self._create_reward("product")
        order = self._quote()
        redemption = self._redeem_reward(order, reward)
        order.action_confirm()
        self.wash.standard_price = 99
        self.assertEqual((redemption.cost, reward.cost), (12, 12))

    def test_taxes_included_take_off_the_promised_amount(self):
        self.tax.price_include_override = "tax_included"
        for kind, total in (("amount", 280), ("labour_percent", 280)):
            order = self._quote()
            self.assertAlmostEqual(order.amount_total, 300)
            redemption = self._redeem_reward(order, self._create_reward(kind))
            with self.subTest(kind=kind):
                self.assertAlmostEqual(order.amount_total, total)
                self.assertAlmostEqual(redemption.cost, 17.39)
        order = self._quote()
        self._redeem_reward(order, self._create_reward("product"))
        self.assertAlmostEqual(order.amount_total, 300)

    def test_foreign_currency_converts_the_terms_of_the_day(self):
        currency = self.setup_other_currency("EUR", rates=[("2020-01-01", 2.0)])
        for kind, vals, total, cost in (
            ("amount", {}, 1110, 17.39),  # 20 are 40 there
            ("labour_percent", {"max_amount": 30}, 1090, 26.09),
            ("labour_percent", {}, 1035, 50),
            ("product", {}, 1150, 12),
        ):
            invoice = self._invoice(
                self.customer,
                [(self.labour, 1, 1000)],
                post=False,
                currency_id=currency.id,
            )
            redemption = self._redeem_reward(invoice, self._create_reward(kind, **vals))
            with self.subTest(kind=kind, vals=vals):
                self.assertAlmostEqual(invoice.amount_total, total)
                self.assertAlmostEqual(redemption.cost, cost)
                invoice.action_post()
                self.assertEqual(redemption.state, "done")

    def test_tax_rates_each_carry_their_share(self):
        low = self.tax.copy({"name": "Low 5%", "amount": 5})
        self.part.taxes_id = low
        invoice = self._invoice(
            self.customer, [(self.labour, 1, 100), (self.part, 2, 50)], post=False
        )
        self._redeem_reward(invoice, self._create_reward(amount=44))
        by_tax = self._redeemed(invoice).grouped("tax_ids")
        self.assertAlmostEqual(by_tax[self.tax].price_total, -23)
        self.assertAlmostEqual(by_tax[low].price_total, -21)

    # -- the dialog ---------------------------------------------------------------

    def test_document_that_is_too_small_says_so_and_reaches_zero(self):
        invoice = self._invoice(self.customer, [(self.labour, 1, 10)], post=False)
        wizard = self._wizard(invoice, self._create_reward())
        self.assertIn("11.50 of", wizard.hint.replace("\N{NO-BREAK SPACE}", " "))
        wizard.action_redeem()
        self.assertEqual(invoice.amount_total, 0)
        invoice.action_post()
        self.assertEqual(self.member.points, 900)

    def test_product_that_is_on_the_document_already_is_pointed_out(self):
        invoice = self._invoice(self.customer, [(self.wash, 1, 30)], post=False)
        self.assertIn(
            "already", self._wizard(invoice, self._create_reward("product")).hint
        )
        self.assertFalse(self._wizard(invoice, self._create_reward()).hint)

    def test_redeemed_again_replaces_points_and_rewards(self):
        order, wash = self._quote(), self._create_reward("product")
        money = self._create_reward()
        self._redeem(order, 500)
        self.assertEqual(self._redeem_reward(order, money).reward_id, money)
        self.assertAlmostEqual(order.amount_total, 325)
        redemption = self._redeem_reward(order, wash)
        self.assertEqual((len(self._redeemed(order)), redemption.reward_id), (1, wash))
        wizard = self._wizard(order)
        self.assertEqual((wizard.kind, wizard.reward_id), ("reward", wash))
        wizard.kind, wizard.points = "points", 500
        wizard.action_redeem()
        self.assertFalse(self._redeemed(order).loyalty_redemption_id.reward_id)
        self.assertAlmostEqual(order.amount_total, 295)
        self._wizard(order).action_remove()
        self.assertAlmostEqual(order.amount_total, 345)
        order.action_confirm()
        self.assertEqual(self.member.points, 1000)

    # -- what happens next --------------------------------------------------------

    def test_quotation_confirmed_reserves_cancelled_releases(self):
        reward = self._create_reward("product", name="Free wash")
        order = self._quote()
        redemption = self._redeem_reward(order, reward)
        self.assertEqual((redemption.state, reward.use_count), ("draft", 0))
        order.action_confirm()
        self.assertEqual((redemption.state, reward.use_count), ("reserved", 1))
        self.assertLedger(self.member, 1000, -100)
        self.assertEqual(self.member.entry_ids[0].reason, "Reward: Free wash")
        order._action_cancel()
        self.assertEqual((redemption.state, reward.use_count), ("released", 0))
        self.assertLedger(self.member, 1000, -100, 100)
        self.assertEqual(reward.cost, 0)

    def test_free_product_is_invoiced_and_comes_back_in_proportion(self):
        order, reward = self._quote(parts=0), self._create_reward("product")
        redemption = self._redeem_reward(order, reward)
        invoice = self._bill(order)
        self.assertEqual(self._redeemed(invoice).product_id, self.wash)
        self.assertEqual((redemption.state, reward.cost), ("done", 12))
        credit = self._credit(invoice, 50)  # a quarter of 200
        self.assertEqual((self.member.points, redemption.state), (925, "done"))
        self._credit(invoice, 150)
        self.assertEqual((self.member.points, redemption.state), (1000, "returned"))
        self.assertEqual(reward.use_count, 0)
        credit.button_draft()
        self.assertEqual((self.member.points, redemption.state), (975, "done"))

    def test_nothing_but_a_free_product_comes_back_as_a_whole(self):
        reward = self._create_reward("product", stock=1)
        invoice = self._invoice(self.customer, post=False)
        redemption = self._redeem_reward(invoice, reward)
        invoice.invoice_line_ids[0].unlink()
        invoice.action_post()
        self.assertEqual((invoice.amount_total, self.member.points), (0, 900))
        credit = self._credit(invoice)
        self.assertEqual((self.member.points, redemption.state), (1000, "returned"))
        credit.button_draft()
        self.assertEqual((self.member.points, redemption.state), (900, "done"))
        redemption._sync()
        self.assertLedger(self.member, 1000, -100, 100, -100)

    def test_other_reward_on_the_invoice_is_not_taken_for_the_credited_one(self):
        reward = self._create_reward("product")
        invoice = self._invoice(self.customer, post=False)
        redemption = self._redeem_reward(invoice, reward)
        invoice.invoice_line_ids[0].unlink()
        invoice.action_post()
        credit = self._credit(invoice, post=False)
        credit.invoice_line_ids.unlink()
        credit.invoice_line_ids = [
            Command.create({"product_id": self.labour.id, "price_unit": 10})
        ]
        credit.action_post()
        self.assertEqual((self.member.points, redemption.state), (900, "done"))

    def test_line_deleted_gives_the_reward_up(self):
        order = self._quote()
        redemption = self._redeem_reward(order, self._create_reward("product"))
        self._redeemed(order).unlink()
        self.assertEqual(redemption.state, "released")
        order.action_confirm()
        self.assertEqual(self.member.points, 1000)

    def test_free_product_cannot_be_made_another_one(self):
        dozen = self.env.ref("uom.product_uom_dozen")
        for document in (self._quote(), self._invoice(self.customer, post=False)):
            self._redeem_reward(document, self._create_reward("product"))
            line = self._redeemed(document)
            for vals in (
                {"product_id": self.labour.id},
                {"product_uom_id": dozen.id},
                {document._loyalty_quantity_name: 2},
                {"discount": 90},
                {"price_unit": -10},
            ):
                with (
                    self.subTest(document=document._name, vals=vals),
                    self.assertRaisesRegex(UserError, "cannot be changed by hand"),
                ):
                    line.write(vals)
            line.write({"product_id": self.wash.id, "name": "Wash, on the house"})

    def test_prices_updated_leave_what_is_redeemed_alone(self):
        for reward, total in (
            (self._create_reward("product"), 345),
            (self._create_reward(), 325),
        ):
            order = self._quote()
            self._redeem_reward(order, reward)
            order.action_update_prices()
            with self.subTest(kind=reward.kind):
                self.assertAlmostEqual(order.amount_total, total)

    def test_copy_has_no_reward(self):
        order = self._quote()
        self._redeem_reward(order, self._create_reward("product"))
        self.assertFalse(self._redeemed(order.copy()))

    def test_document_that_has_less_to_pay_now_is_refused(self):
        order = self._quote()
        reward = self._create_reward("labour_percent")
        self._redeem_reward(order, reward)
        line = order.order_line.filtered(lambda line: line.product_id == self.labour)
        line.product_uom_qty = 1
        with (
            self.assertRaisesRegex(UserError, "Press “Redeem” again"),
            self.env.cr.savepoint(),
        ):
            order.action_confirm()
        self._redeem_reward(order, reward)
        order.action_confirm()
        self.assertAlmostEqual(order.amount_total, 230 - 11.5)

    def test_promise_outlives_the_terms_it_was_made_on(self):
        currency = self.setup_other_currency(
            "EUR", rates=[("2020-01-01", 2.0), ("2024-02-01", 1.0)]
        )
        reward = self._create_reward()
        invoice = self._invoice(
            self.customer, date="2024-01-31", post=False, currency_id=currency.id
        )
        self._redeem_reward(invoice, reward)
        invoice.invoice_date = "2024-02-01"
        reward.write({"points": 900, "amount": 1, "date_to": "2024-01-31"})
        reward.action_archive()
        invoice.action_post()
        self.assertAlmostEqual(invoice.amount_total, 1110)
        self.assertEqual(self.member.points, 900)

    def test_invoice_with_a_reward_earns_nothing_when_the_programme_says_so(self):
        invoice = self._invoice(self.customer, post=False)
        self._redeem_reward(invoice, self._create_reward("product"))
        invoice.action_post()
        self.assertEqual(invoice.loyalty_points_due, 1000)
        self.program.earn_when_redeeming = False
        invoice.button_draft()
        invoice.action_post()
        self.assertEqual(invoice.loyalty_points_due, 0)

    # -- stock --------------------------------------------------------------------

    def test_last_one_is_given_once(self):
        reward = self._create_reward(stock=1)
        first, second = self._quote(), self._quote()
        self._redeem_reward(first, reward)
        self._redeem_reward(second, reward)
        first.action_confirm()
        self.assertEqual((reward.use_count, reward.stock_left), (1, 0))
        with (
            self.assertRaisesRegex(UserError, "all 1 have been given"),
            self.env.cr.savepoint(),
        ):
            second.action_confirm()
        self.assertEqual(
            self._wizard(self._quote()).offers[0]["refusal"],
            "All 1 have been given.",
        )
        first._action_cancel()
        second.action_confirm()
        self.assertEqual((reward.use_count, self.member.points), (1, 900))

    def test_cancelled_credit_note_takes_the_reward_again_in_any_case(self):
        reward = self._create_reward(stock=1)
        first, second = (
            self._invoice(self.customer, post=False) for _number in range(2)
        )
        redemption = self._redeem_reward(first, reward)
        self._redeem_reward(second, reward)
        first.action_post()
        credit = self._credit(first)
        second.action_post()
        credit.button_draft()
        self.assertEqual((redemption.state, reward.use_count), ("done", 2))
        self.assertEqual((reward.stock_left, self.member.points), (0, 800))

    def test_reservation_writes_the_row_of_a_limited_reward_only(self):
        for stock, touched in ((0, False), (5, True)):
            reward = self._create_reward(stock=stock)
            self.env.flush_all()
            self.env.cr.execute(
                "SELECT ctid FROM garage_loyalty_reward WHERE id = %s", [reward.id]
            )
            before = self.env.cr.fetchone()
            reward._reserve()
            self.env.cr.execute(
                "SELECT ctid FROM garage_loyalty_reward WHERE id = %s", [reward.id]
            )
            with self.subTest(stock=stock):
                self.assertEqual(self.env.cr.fetchone() != before, touched)

    def test_figures_of_a_reward_open_the_redemptions_behind_them(self):
        reward = self._create_reward()
        for order in (self._quote(), self._quote()):
            self._redeem_reward(order, reward)
            order.action_confirm()
        self._redeem_reward(self._quote(), reward)
        self.assertEqual(reward.use_count, 2)
        self.assertAlmostEqual(reward.cost, 34.78)
        domain = reward.action_open_redemptions()["domain"]
        redemptions = self.env["garage.loyalty.redemption"].search(domain)
        self.assertEqual(len(redemptions), 3)
        self.assertEqual(redemptions.reward_id, reward)


@tagged("post_install", "-at_install")
class TestRewardTours(RewardsCommon, HttpCase):
    def test_tour_redeems_a_reward(self):
        self._create_user("counter_advisor", USER, *COUNTER)
        self._create_reward("product", name="Free wash", sequence=1)
        self._create_reward("amount", name="Too dear", points=1200, sequence=2)
        order = self._quote()
        self.start_tour(
            f"/odoo/sale.order/{order.id}",
            "garage_loyalty_reward",
            login="counter_advisor",
        )
        self.assertEqual(self._redeemed(order).product_id, self.wash)
