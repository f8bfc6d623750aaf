from dateutil.relativedelta import relativedelta
from lxml import etree, html

from odoo import fields
from odoo.tests import HttpCase, tagged

from ..tools.movement import month_number
from .common import MANAGER, USER, GarageLoyaltyCommon

ADVISOR = (
    USER,
    "sales_team.group_sale_salesman_all_leads",
    "stock.group_stock_user",
)


class EverythingCommon(GarageLoyaltyCommon):
    def _create_one_of_everything(self):
        """Fill every screen of the add-on."""
        member = self._enrol(self.customer)
        member._set_tier(self.silver)
        self._grant("priority")
        self._adjust(member, 500)
        self._pay(self._visit(self.customer)[1])
        invoice = self._invoice(self.customer, post=False)
        self.program.minimum_redemption = 1
        self._redeem(invoice, 10)
        self._invoice(self.other, date=fields.Date.today())
        self.env["garage.loyalty.invitation"]._send(self.other, self.program)
        self._miss(self._create_customer("Carl Customer"))
        self._make_regular(self.other)
        self._visit(self.other, fields.Date.today() - relativedelta(months=14))
        self._offer_personally(self.customer)
        self._redeem(self._invoice(self.customer, post=False), 10).move_id.action_post()
        self.env["garage.loyalty.result"].create({"company_id": self.company.id})
        self._hold_out(self.other).sudo()._end(fields.Date.today())
        Estimate = self.env["garage.loyalty.estimate"].sudo()
        Estimate._request(self.company, fields.Date.today())
        number = month_number(fields.Date.today()) - 1
        self.env["garage.loyalty.review"].sudo()._record(self.company, number, number)
        self.env["garage.loyalty.retention.check"].sudo()._record(
            self.company, month_number(fields.Date.today()) + 3
        )
        self._book_points()


@tagged("post_install", "-at_install")
class TestViews(EverythingCommon):
    def test_every_action_opens_every_view_with_data(self):
        self._create_one_of_everything()
        actions = self.env["ir.actions.act_window"].search(
            [("res_model", "like", "garage.loyalty.%"), ("target", "!=", "new")]
        )
        self.assertGreaterEqual(len(actions), 6)
        for action in actions:
            records = self.env[action.res_model].search([])
            if records._transient:
                records = records.create({})
            self.assertTrue(records, action.res_model)
            kinds = [*action.view_mode.split(","), "search"]
            views = records.get_views([(False, kind) for kind in kinds])["views"]
            for kind in kinds:
                with self.subTest(action=action.name, kind=kind):
                    names = {
                        node.get("name")
                        for node in etree.fromstring(views[kind]["arch"]).iter("field")
                    }
                    names &= records._fields.keys()
                    self.assertTrue(names)
                    records.read(list(names))

    def test_every_page_with_an_address_shows_the_menus_of_the_app(self):
        # Held-out customers are opened from their hold-out, which comes first there.
        below = self.env.ref("garage_loyalty.garage_loyalty_holdout_customer_action")
        pages = self.env["ir.actions.actions"].search([("path", "like", "loyalty-%")])
        menus = self.env["ir.ui.menu"].search([("action", "!=", False)])
        missing = set(pages.ids) - {menu.action.id for menu in menus} - {below.id}
        names = pages.browse(missing).mapped("path")
        self.assertFalse(names, "The host would show the menus of another app.")

    # -- the printed invoice ----------------------------------------------------

    def _print(self, invoice):
        """Return the loyalty part of the printed invoice as text, and the whole."""
        report = self.env["ir.actions.report"].with_user(invoice.env.user)
        content, _kind = report._render_qweb_html("account.report_invoice", invoice.ids)
        parts = html.fromstring(content).xpath("//div[@id='loyalty']")
        text = [" ".join(part.text_content().split()) for part in parts]
        return " ".join(text), content.decode()

    def test_printed_invoice_says_what_will_be_earned(self):
        member = self._enrol(self.customer)
        text, _content = self._print(self._invoice(self.customer))
        self.assertIn(f"Member number: {member.number}", text)
        self.assertIn("To be earned when this invoice is paid: 1,000", text)
        self.assertIn("Your balance: 0", text)
        self.assertNotIn("Redeemed", text)

    def test_printed_invoice_says_what_was_earned_and_redeemed(self):
        self.program.write({"point_value": 0.1, "minimum_redemption": 1})
        self._enrol(self.customer)._post_points("adjust", 500, "2024-01-01")
        invoice = self._invoice(self.customer, post=False)
        self._redeem(invoice, 300)
        invoice.action_post()
        self._pay(invoice)
        invoice.invalidate_recordset()
        text, _content = self._print(invoice)
        earned = invoice.loyalty_points_earned
        self.assertGreater(earned, 0)
        self.assertIn("Redeemed on this invoice: 300", text)
        self.assertIn(f"Earned with this invoice: {earned:,}", text)
        self.assertIn(f"Your balance: {200 + earned:,} points, worth", text)
        self.assertNotIn("To be earned", text)

    def test_printed_invoice_of_others_says_nothing(self):
        self._enrol(self.customer)
        credit = self._credit(self._invoice(self.customer))
        for document in (self._invoice(self.other), credit):
            self.assertEqual(self._print(document)[0], "")

    def test_printed_invoice_needs_no_loyalty_group(self):
        self._enrol(self.customer)
        clerk = self._create_user("clerk", "account.group_account_invoice")
        text, _content = self._print(self._invoice(self.customer).with_user(clerk))
        self.assertIn("Your balance: 0", text)

    def test_printed_invoice_escapes_what_people_type(self):
        evil = "<script>alert('points')</script>"
        customer = self._create_customer(evil)
        self._enrol(customer)
        self.bronze.name = evil
        text, content = self._print(self._invoice(customer))
        self.assertTrue(text)
        self.assertNotIn(evil, content)
        self.assertIn("&lt;script&gt;", content)


@tagged("post_install", "-at_install")
class TestTours(EverythingCommon, HttpCase):
    """What people click, as those who click it."""

    def test_every_menu_view_and_filter_opens_for_the_owner(self):
        self._create_user("workshop_owner", MANAGER)
        self._create_one_of_everything()
        start = "odoo.loader.modules.get('@web/webclient/clickbot/clickbot_loader')"
        self.browser_js(
            "/odoo",
            f"{start}.startClickEverywhere('garage_loyalty.garage_loyalty_menu_root')",
            "odoo.isReady === true",
            login="workshop_owner",
            timeout=900,
            success_signal="clickbot test succeeded",
        )

    def test_tour_enrols_at_the_counter(self):
        self._create_user("counter_advisor", *ADVISOR)
        repair = self._create_repair(self.customer)
        self.start_tour(
            f"/odoo/repairs/{repair.id}",
            "garage_loyalty_enrol",
            login="counter_advisor",
        )
        self.assertEqual(repair.loyalty_offer, "accepted")
        self.assertTrue(self.customer.is_loyalty_member)

    def test_tour_redeems_on_a_quotation(self):
        self.program.write({"point_value": 0.1, "minimum_redemption": 100})
        self._create_user("counter_advisor", *ADVISOR)
        self._enrol(self.customer)._post_points("adjust", 1000, "2024-01-01")
        order = self._create_repair(self.customer, hours=2).sale_order_id
        self.start_tour(
            f"/odoo/sale.order/{order.id}",
            "garage_loyalty_redeem",
            login="counter_advisor",
        )
        self.assertAlmostEqual(order.amount_total, 295)
        self.assertEqual(order.order_line.loyalty_redemption_id.points, 500)

    def test_tour_compares_members(self):
        self._create_user("workshop_owner", MANAGER)
        self._enrol(self.customer)
        self._visit(self.customer, fields.Date.today())
        self.start_tour(
            "/odoo/loyalty-comparison", "garage_loyalty_compare", login="workshop_owner"
        )
        # What the tour has seen is what the visits say.
        visits = self.env["garage.loyalty.visit"].search(
            [("company_id", "=", self.company.id)]
        )
        self.assertEqual(visits.mapped("amount"), [200])
        self.assertTrue(visits.is_member)
