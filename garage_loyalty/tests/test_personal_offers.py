from datetime import timedelta

from psycopg2 import IntegrityError

from odoo import Command, fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, freeze_time, tagged
from odoo.tools import mute_logger

from .common import ACCOUNTANT, MANAGER, USER
from .test_rewards import RewardsCommon

TODAY = "2024-06-15"
COUNTER = (
    "sales_team.group_sale_salesman_all_leads",
    "stock.group_stock_user",
    "account.group_account_invoice",
)


class OffersCommon(RewardsCommon):
    """A reward on brakes: brake service at 80, handbrakes below it at 40."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Offer = cls.env["garage.loyalty.personal.offer"]
        cls.Work = cls.env["garage.loyalty.regular.work"]
        Category = cls.env["product.category"]
        cls.brakes = Category.create({"name": "Brakes"})
        cls.handbrakes = Category.create(
            {"name": "Handbrakes", "parent_id": cls.brakes.id}
        )
        service = {"type": "service", "invoice_policy": "order"}
        cls.brake_service = cls._create_good(
            "Brake service", 80, categ_id=cls.brakes.id, **service
        )
        cls.handbrake = cls._create_good(
            "Handbrake", 40, categ_id=cls.handbrakes.id, **service
        )
        cls.reward = cls._create_reward(
            "labour_percent",
            name="10% off Brakes",
            points=0,
            is_personal=True,
            categ_id=cls.brakes.id,
        )

    @classmethod
    def _make(cls, partner=None, until="2024-07-31", reward=None, **vals):
        return cls.Offer._offer(
            [
                {
                    "partner_id": (partner or cls.customer).id,
                    "company_id": cls.company.id,
                    "reward_id": (reward or cls.reward).id,
                    "date_until": until,
                    "source": "campaign",
                    **vals,
                }
            ]
        )

    @classmethod
    def _order(cls, partner=None, lines=None):
        """Return a quotation of 80 brake service and 100 labour, 207 with 15 % tax."""
        partner = partner or cls.customer
        lines = lines or [(cls.brake_service, 1, 80), (cls.labour, 1, 100)]
        return partner.env["sale.order"].create(
            {
                "partner_id": partner.id,
                "order_line": [
                    Command.create(
                        {
                            "product_id": product.id,
                            "product_uom_qty": quantity,
                            "price_unit": price,
                        }
                    )
                    for product, quantity, price in lines
                ],
            }
        )

    def _names(self, document):
        return [offer["name"] for offer in self._wizard(document).offers or []]


@tagged("post_install", "-at_install")
@freeze_time(TODAY)
class TestRewardOnCategory(OffersCommon):
    """A percentage counts only products of a category and of those below it."""

    def test_only_the_category_and_those_below_count(self):
        self.reward.is_personal = False
        order = self._order(
            lines=[
                (self.brake_service, 1, 80),
                (self.handbrake, 1, 40),
                (self.labour, 1, 100),
                (self.part, 1, 50),
            ]
        )
        wizard = self._wizard(order, self.reward)
        self.assertAlmostEqual(wizard.amount, 13.80)  # a tenth of 138
        redemption = self._redeem_reward(order, self.reward)
        self.assertAlmostEqual(redemption.cost, 12)
        self.reward.categ_id = self.handbrakes
        self.assertAlmostEqual(self._wizard(order, self.reward).amount, 4.60)

    def test_parts_and_money_off_on_a_category(self):
        self.part.categ_id = self.brakes
        for kind, expected in (("parts_percent", 5.75), ("amount", 20)):
            reward = self._create_reward(kind, categ_id=self.brakes.id)
            order = self._order(lines=[(self.part, 1, 50), (self.labour, 1, 100)])
            with self.subTest(kind=kind):
                self.assertAlmostEqual(self._wizard(order, reward).amount, expected)

    def test_vat_is_split_over_lines_of_the_category_only(self):
        self.reward.is_personal = False
        low, none = (
            self.tax.copy({"amount": rate, "name": f"{rate} %"}) for rate in (6, 0)
        )
        self.handbrake.taxes_id = [Command.set(low.ids)]
        self.labour.taxes_id = [Command.set(none.ids)]
        order = self._order(
            lines=[
                (self.brake_service, 1, 80),
                (self.handbrake, 1, 40),
                (self.labour, 1, 100),
            ]
        )
        redemption = self._redeem_reward(order, self.reward)
        lines = self._redeemed(order)
        self.assertEqual(lines.tax_ids, self.tax | low)
        net = {line.tax_ids: line.price_subtotal for line in lines}
        self.assertAlmostEqual(net[self.tax], -8)
        self.assertAlmostEqual(net[low], -4)
        self.assertAlmostEqual(redemption.amount, 9.20 + 4.24)
        invoice = self._bill(order)
        self.assertAlmostEqual(
            invoice.amount_total, 80 * 0.9 * 1.15 + 40 * 0.9 * 1.06 + 100
        )

    def test_nothing_of_the_category_is_refused_in_words(self):
        self.reward.is_personal = False
        wizard = self._wizard(self._order(lines=[(self.labour, 1, 100)]))
        self.assertEqual(
            wizard.offers[0]["refusal"], "There is no “Brakes” to pay here."
        )

    def test_changed_lines_are_measured_by_the_category(self):
        self.reward.is_personal = False
        order = self._order()
        self._redeem_reward(order, self.reward)
        order.order_line.filtered(
            lambda line: line.product_id == self.labour
        ).product_uom_qty = 3
        self.assertFalse(order.loyalty_warning)
        brakes = order.order_line.filtered(
            lambda line: line.product_id == self.brake_service
        )
        brakes.product_uom_qty = 0.5
        self.assertIn("now allows", order.loyalty_warning)
        with self.assertRaisesRegex(UserError, "was changed"):
            order.action_confirm()

    def test_line_without_product_is_of_no_category(self):
        self.reward.is_personal = False
        invoice = self._invoice(
            self.customer, [(self.brake_service, 1, 80)], post=False
        )
        invoice.invoice_line_ids = [
            Command.create({"name": "Work", "quantity": 1, "price_unit": 500})
        ]
        self.assertAlmostEqual(self._wizard(invoice, self.reward).amount, 9.20)


@tagged("post_install", "-at_install")
@freeze_time(TODAY)
class TestPersonalOffers(OffersCommon):
    """Who may have a personal reward, and when it is over."""

    def test_only_those_to_whom_it_was_offered_see_it(self):
        self.assertEqual(self._names(self._order()), [])
        self._make(self.other)
        self.assertEqual(self._names(self._order()), [])
        self._make()
        every = self._create_reward(name="For everybody")
        wizard = self._wizard(self._order())
        self.assertEqual(
            [offer["name"] for offer in wizard.offers],
            ["10% off Brakes", "For everybody"],
        )
        self.assertIn("until 31 Jul", wizard.offers[0]["points"])
        self.assertEqual(wizard.offers[1]["id"], every.id)

    def test_dialog_begins_with_what_was_offered_personally(self):
        self._create_reward(points=0)
        wizard = self._wizard(self._order())
        self.assertEqual((wizard.kind, wizard.max_points > 0), ("points", True))
        self._make()
        order = self._order()
        wizard = self._wizard(order)
        self.assertEqual((wizard.kind, wizard.reward_id), ("reward", self.reward))
        elsewhere = self._order(lines=[(self.labour, 5, 100)])
        self.assertEqual(self._wizard(elsewhere).kind, "points")
        self._redeem(elsewhere, 200)
        self.assertEqual(self._wizard(elsewhere).kind, "points")

    def test_archived_rewards_are_not_to_be_had(self):
        self._make()
        every = self._create_reward(points=0)
        order = self._order().with_context(active_test=False)
        for reward in (every, self.reward):
            reward.active = False
            with (
                self.subTest(reward=reward.name),
                self.assertRaisesRegex(UserError, "not a reward"),
            ):
                self._redeem_reward(order, reward)
        self.assertEqual(self._names(order), [])

    def test_not_offered_is_refused_in_words(self):
        self.assertEqual(
            self.reward._get_refusal(self.member, 0, 10),
            "Not offered to this customer.",
        )
        with self.assertRaisesRegex(UserError, "not a reward"):
            self._redeem_reward(self._order(), self.reward)

    def test_offer_that_has_ended_is_refused_in_words(self):
        offer = self._make()
        order, planned = self._order(), self._order()
        self._redeem_reward(planned, self.reward)
        with freeze_time("2024-07-31"):
            self.env.invalidate_all()
            self.assertEqual(offer.state, "open")
        with freeze_time("2024-08-01"):
            self.env.invalidate_all()
            self.assertEqual(offer.state, "expired")
            wizard = self._wizard(order)
            self.assertIn("The offer ended on", wizard.offers[0]["refusal"])
            self.assertIn("The offer ended on", planned.loyalty_warning)
            with self.assertRaisesRegex(UserError, "The offer ended on"):
                planned.action_confirm()

    def test_one_offer_is_one_use(self):
        offer = self._make()
        first, second = self._order(), self._order()
        redemption = self._redeem_reward(first, self.reward)
        self._redeem_reward(second, self.reward)
        self.assertEqual(offer.state, "open")
        first.action_confirm()
        self.assertEqual((offer.state, offer.redemption_id), ("used", redemption))
        self.assertEqual(str(offer.used_date), TODAY)
        self.assertAlmostEqual(offer.cost, 8)
        self.assertEqual((offer.used_count, offer.used_share), (1, 1))
        self.assertIn("Used already.", second.loyalty_warning)
        with self.assertRaisesRegex(UserError, "Used already"):
            second.action_confirm()
        self.assertEqual(
            self._wizard(self._order()).offers[0]["refusal"], "Used already."
        )

    def test_cancelled_quotation_gives_the_offer_back(self):
        offer = self._make()
        order = self._order()
        redemption = self._redeem_reward(order, self.reward)
        order.action_confirm()
        order._action_cancel()
        self.assertEqual(redemption.state, "released")
        self.assertEqual((offer.state, offer.used_date), ("open", False))
        self.assertEqual((offer.used_count, offer.cost), (0, 0))
        other = self._order()
        self._redeem_reward(other, self.reward)
        other.action_confirm()
        self.assertEqual(offer.state, "used")
        order.action_draft()
        with self.assertRaisesRegex(UserError, "Used already"):
            order.action_confirm()

    def test_invoice_uses_and_credit_note_gives_back(self):
        offer = self._make()
        invoice = self._invoice(
            self.customer, [(self.brake_service, 1, 80)], date=TODAY, post=False
        )
        self._redeem_reward(invoice, self.reward)
        invoice.action_post()
        self.assertEqual(offer.state, "used")
        credit = self._credit(invoice, date=TODAY)
        self.assertEqual(offer.state, "open")
        credit.button_draft()
        self.assertEqual(offer.state, "used")
        credit.action_post()
        with freeze_time("2024-09-01"):
            self.env.invalidate_all()
            self.assertEqual(offer.state, "expired")
            credit.button_draft()
            self.assertEqual(offer.state, "used")

    def test_partial_credit_note_leaves_it_used(self):
        offer = self._make()
        invoice = self._invoice(
            self.customer, [(self.brake_service, 1, 80)], date=TODAY, post=False
        )
        self._redeem_reward(invoice, self.reward)
        invoice.action_post()
        self._credit(invoice, amount=20, date=TODAY)
        self.assertEqual(offer.state, "used")

    def test_removed_line_gives_the_offer_back(self):
        offer = self._make()
        order = self._order()
        self._redeem_reward(order, self.reward)
        order.action_confirm()
        order.with_context(disable_cancel_warning=True)._action_cancel()
        order.action_draft()
        self._redeemed(order).unlink()
        order.action_confirm()
        self.assertEqual(offer.state, "open")

    def test_offer_is_written_when_it_is_used(self):
        offer = self._make()
        order = self._order()
        self._redeem_reward(order, self.reward)
        self.env.flush_all()
        query = "SELECT redemption_id FROM garage_loyalty_personal_offer WHERE id = %s"
        redemption = order.loyalty_redemption_ids
        redemption.sudo()._reserve_offer()
        # Without flushing: the row is what the second of two documents stumbles over.
        self.env.cr.execute(query, [offer.id])
        self.assertEqual(self.env.cr.fetchone()[0], redemption.id)

    def test_offering_again_moves_the_last_day(self):
        offer = self._make(until="2024-07-31")
        self.assertEqual(self._make(until="2024-08-31"), offer)
        self.assertEqual(str(offer.date_until), "2024-08-31")
        self.assertEqual(self._make(until="2024-07-01"), offer)
        self.assertEqual(str(offer.date_until), "2024-08-31")
        with freeze_time("2024-09-01"):
            self.env.invalidate_all()
            again = self._make(until="2024-09-30")
            self.assertNotEqual(again, offer)
            self.assertEqual((offer.state, again.state), ("expired", "open"))

    def test_same_offer_twice_in_one_call_is_one(self):
        vals = {
            "company_id": self.company.id,
            "reward_id": self.reward.id,
            "source": "campaign",
        }
        contact = self._create_customer("Contact", parent_id=self.customer.id)
        offers = self.Offer._offer(
            [
                {**vals, "partner_id": self.customer.id, "date_until": "2024-07-01"},
                {**vals, "partner_id": contact.id, "date_until": "2024-08-01"},
                {**vals, "partner_id": self.other.id},
            ]
        )
        self.assertEqual(offers.partner_id, self.customer | self.other)
        days = {offer.partner_id: str(offer.date_until) for offer in offers}
        self.assertEqual(days[self.customer], "2024-08-01")
        self.assertEqual(days[self.other], "2024-09-13")  # 90 days
        self.assertEqual(set(offers.mapped("categ_id")), set(self.brakes))
        self.assertFalse(self.Offer._offer([]))

    @mute_logger("odoo.sql_db")
    def test_database_refuses_two_open_offers(self):
        offer = self._make()
        with self.assertRaises(IntegrityError), self.env.cr.savepoint():
            offer.sudo().copy()
            self.env.flush_all()

    def test_offer_that_comes_back_beside_a_newer_one(self):
        offer = self._make()
        order = self._order()
        self._redeem_reward(order, self.reward)
        order.action_confirm()
        newer = self._make(until="2024-09-30")
        self.assertNotEqual(newer, offer)
        order._action_cancel()
        self.assertEqual((offer.state, newer.state), ("open", "open"))
        self.assertEqual(self._make(until="2024-10-31"), newer)
        again = self._order()
        self._redeem_reward(again, self.reward)
        again.action_confirm()
        # What ends first is used first.
        self.assertEqual((offer.state, newer.state), ("used", "open"))

    def test_reward_for_everybody_that_was_offered_is_measured_too(self):
        reward = self._create_reward("labour_percent", points=0)
        offer = self._make(reward=reward)
        for state in ("used", "used"):
            order = self._order()
            self._redeem_reward(order, reward)
            order.action_confirm()
            self.assertEqual(offer.state, state)

    def test_offer_to_a_non_member_is_usable_after_joining(self):
        offer = self._make(self.other)
        order = self._order(self.other)
        self.assertFalse(offer.member_id)
        self.assertEqual(order.loyalty_personal_offer_ids, offer)
        wizard = self._wizard(order)
        self.assertFalse(wizard.member_id)
        self.assertFalse(wizard.offers)
        member = self._enrol(self.other)
        self.env.invalidate_all()
        self.assertEqual(offer.member_id, member)
        self._redeem_reward(order, self.reward)
        order.action_confirm()
        self.assertEqual(offer.state, "used")

    def test_offer_of_another_programme_of_the_company_is_kept(self):
        other = self.program.copy({"name": "Club"})
        self._make(self.other)
        self._enrol(self.other, program=other, tier=other.tier_ids[:1])
        order = self._order(self.other)
        self._redeem_reward(order, self.reward)
        order.action_confirm()
        self.assertFalse(order.loyalty_personal_offer_ids)

    def test_reward_of_another_company_cannot_be_offered(self):
        elsewhere = self.setup_other_company()["company"]
        with self.assertRaisesRegex(ValidationError, "another company"):
            self._make(company_id=elsewhere.id)

    def test_offer_counts_in_its_company_only(self):
        elsewhere = self.setup_other_company()["company"]
        program = self.env["garage.loyalty.program"]._get_default(elsewhere)
        theirs = self.reward.copy({"program_id": program.id})
        offer = self._make(company_id=elsewhere.id, reward=theirs)
        self.assertEqual(offer.company_id, elsewhere)
        self.assertEqual(self._names(self._order()), [])
        self.assertFalse(self._order().loyalty_personal_offer_ids)

    def test_states_can_be_searched_and_grouped(self):
        used, declined, expired, opened = (
            self._make(self._create_customer(name)) for name in "abcd"
        )
        self._enrol(used.partner_id)
        order = self._order(used.partner_id)
        self._redeem_reward(order, self.reward)
        order.action_confirm()
        declined.action_decline()
        expired.sudo().write({"date": "2024-06-01", "date_until": "2024-06-14"})
        every = used | declined | expired | opened
        by_state = {
            "used": used,
            "declined": declined,
            "expired": expired,
            "open": opened,
        }
        for state, offer in by_state.items():
            with self.subTest(state=state):
                self.assertEqual(offer.state, state)
                found = self.Offer.search([("state", "=", state)])
                self.assertEqual(found & every, offer)
                others = self.Offer.search([("state", "!=", state)])
                self.assertEqual(others & every, every - offer)
        domain = [("id", "in", every.ids)]
        groups = self.Offer._read_group(domain, ["state"], ["__count"])
        self.assertEqual(groups, [(state, 1) for state in sorted(by_state)])
        share = self.Offer._read_group(domain, [], ["used_share:avg", "used_count:sum"])
        self.assertEqual(share, [(0.25, 1)])
        self.assertTrue(self.Offer.fields_get(["state"])["state"]["groupable"])

    def test_reward_says_how_often_it_was_offered(self):
        offer = self._make()
        self._make(self.other)
        self.assertEqual(self.reward.personal_offer_count, 2)
        domain = self.reward.action_open_offers()["domain"]
        self.assertIn(offer, self.Offer.search(domain))
        with self.assertRaisesRegex(UserError, "Archive it instead"):
            self.reward.unlink()
        elsewhere = self.env["res.company"].create({"name": "Elsewhere"})
        program = self.env["garage.loyalty.program"]._get_default(elsewhere)
        with self.assertRaisesRegex(ValidationError, "cannot move"):
            self.reward.program_id = program

    def test_name_says_until_when(self):
        self.assertEqual(self._make().display_name, "10% off Brakes until 31 Jul")
        offer = self._make(self.other, until="2025-02-20")
        self.assertEqual(offer.display_name, "10% off Brakes until 20 Feb 2025")

    def test_offer_cannot_end_before_it_is_made(self):
        with (
            self.assertRaises(IntegrityError),
            mute_logger("odoo.sql_db"),
            self.env.cr.savepoint(),
        ):
            self._make(until="2024-06-14")

    # -- customers that become one ------------------------------------------------

    def _merge(self, src, dst):
        Wizard = self.env["base.partner.merge.automatic.wizard"]
        Wizard._merge((src | dst).ids, dst, extra_checks=False)
        self.env.invalidate_all()

    def test_merged_customer_keeps_the_offers(self):
        second = self._create_reward("amount", name="20 off", is_personal=True)
        mine, theirs = self._make(), self._make(self.other, reward=second)
        self._enrol(self.other)
        self._merge(self.other, self.customer)
        self.assertEqual((mine | theirs).partner_id, self.customer)
        self.assertEqual(self.Offer._get_of(self.customer, self.company), mine | theirs)

    def test_same_offer_to_both_of_a_merge_is_one(self):
        mine = self._make(until="2024-07-31")
        theirs = self._make(self.other, until="2024-08-31")
        self._merge(self.other, self.customer)
        self.assertEqual((mine.active, theirs.active), (False, True))
        self.assertEqual((mine | theirs).partner_id, self.customer)
        self.assertEqual(self._make(until="2024-09-30"), theirs)

    def test_used_offer_stays_used_after_a_merge(self):
        self._enrol(self.other)
        offer = self._make(self.other)
        order = self._order(self.other)
        self._redeem_reward(order, self.reward)
        order.action_confirm()
        self._merge(self.other, self.customer)
        self.assertEqual((offer.state, offer.partner_id), ("used", self.customer))
        self.assertEqual(
            self._wizard(self._order()).offers[0]["refusal"], "Used already."
        )
        order._action_cancel()
        self.assertEqual(offer.state, "open")

    def test_offers_follow_a_contact_into_a_company(self):
        company = self._create_customer("Fleet", is_company=True)
        offer = self._make(self.other)
        self.other.parent_id = company
        self.assertEqual(offer.partner_id, company)

    # -- rights ---------------------------------------------------------------------

    def test_advisor_redeems_declines_and_types_nothing_in(self):
        advisor = self._create_user("advisor", USER, *COUNTER)
        offer, second = self._make(), self._make(self.other)
        order = self._order(self.customer.with_user(advisor))
        self._redeem_reward(order, self.reward.with_user(advisor))
        order.action_confirm()
        self.assertEqual(offer.state, "used")
        with self.assertRaisesRegex(UserError, "not open any more"):
            offer.with_user(advisor).action_decline()
        with self.assertRaises(AccessError):
            second.with_user(advisor).action_cancel()
        with self.assertRaises(AccessError):
            second.with_user(advisor).write({"date_until": "2030-01-01"})
        second.with_user(advisor).action_decline()
        self.assertEqual(second.state, "declined")

    def test_manager_cancels_an_offer(self):
        manager = self._create_user("manager", MANAGER)
        offer = self._make()
        offer.with_user(manager).action_cancel()
        self.assertFalse(offer.active)
        self.assertEqual(self._names(self._order()), [])
        order = self._order().with_context(active_test=False)
        self.assertEqual(self._names(order), [])
        self.assertFalse(order.loyalty_personal_offer_ids)
        self.assertNotEqual(self._make(), offer)
        with self.assertRaisesRegex(UserError, "not open any more"):
            offer.with_user(manager).action_cancel()

    def test_accountant_and_stranger_change_nothing(self):
        offer = self._make()
        accountant = self._create_user("auditor", ACCOUNTANT)
        self.assertEqual(offer.with_user(accountant).state, "open")
        with self.assertRaises(AccessError):
            offer.with_user(accountant).action_decline()
        elsewhere = self.setup_other_company()["company"]
        stranger = self._create_user("stranger", MANAGER)
        stranger.write(
            {
                "company_ids": [Command.set(elsewhere.ids)],
                "company_id": elsewhere.id,
            }
        )
        with self.assertRaises(AccessError):
            offer.with_user(stranger).action_cancel()

    def test_salesman_without_loyalty_group_confirms_and_cancels(self):
        offer = self._make()
        salesman = self._create_user("salesman", COUNTER[0])
        order = self._order()
        self._redeem_reward(order, self.reward)
        theirs = order.with_user(salesman)
        theirs.action_confirm()
        self.assertEqual(offer.state, "used")
        theirs._action_cancel()
        self.assertEqual(offer.state, "open")

    # -- on screen ------------------------------------------------------------------

    def test_documents_show_what_is_open(self):
        offer = self._make()
        repair = self._create_repair(self.customer)
        order = repair.sale_order_id
        form = Form(repair)
        self.assertEqual(form.loyalty_personal_offer_text, offer.display_name)
        form = Form(self.env["repair.order"])
        for partner, expected in (
            (self.customer, offer.display_name),
            (self.other, False),
        ):
            form.partner_id = partner
            self.assertEqual(form.loyalty_personal_offer_text, expected)
        self.assertEqual(order.loyalty_personal_offer_ids, offer)
        new = self.env["repair.order"].new({})
        self.assertFalse(new.loyalty_personal_offer_ids)
        with freeze_time(fields.Date.to_date("2024-07-31") + timedelta(days=1)):
            self.env.invalidate_all()
            self.assertFalse(repair.loyalty_personal_offer_ids)
