from collections import defaultdict
from contextlib import closing

from psycopg2 import IntegrityError

from odoo import SUPERUSER_ID, Command, api, fields
from odoo.exceptions import AccessError, ConcurrencyError, UserError, ValidationError
from odoo.modules.registry import Registry
from odoo.tests import BaseCase, freeze_time, get_db_name, tagged
from odoo.tools import mute_logger

from .common import MANAGER, USER, GarageLoyaltyCommon

COUNTER = (
    "sales_team.group_sale_salesman_all_leads",
    "stock.group_stock_user",
    "account.group_account_invoice",
)


class PrivilegesCommon(GarageLoyaltyCommon):
    """A member of Gold, and diagnostics at 80 without tax of 15 %."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Privilege = cls.env["garage.loyalty.privilege"]
        cls.Use = cls.env["garage.loyalty.privilege.use"]
        cls.check = cls._create_good(
            "Diagnostics", 80, type="service", invoice_policy="order"
        )
        cls.member = cls._enrol(cls.customer, tier=cls.gold)

    @classmethod
    def _grant(cls, kind="free_service", tiers=None, **vals):
        if kind == "free_service":
            vals.setdefault("product_ids", [Command.set(cls.check.ids)])
            vals.setdefault("quota", 2)
        return super()._grant(kind, tiers, **vals)

    @classmethod
    def _quote(cls, *products, partner=None, quantity=1):
        partner = partner or cls.customer
        return partner.env["sale.order"].create(
            {
                "partner_id": partner.id,
                "order_line": [
                    Command.create(
                        {"product_id": product.id, "product_uom_qty": quantity}
                    )
                    for product in products or (cls.check,)
                ],
            }
        )

    @classmethod
    def _use(cls, privilege, partner=None):
        """Return a confirmed quotation on which the privilege was used."""
        order = cls._quote(partner=partner)
        order.action_use_loyalty_privilege(privilege.id)
        order.action_confirm()
        return order

    def _shown(self, record, privilege):
        """Return what a member or a document shows of a privilege, or None."""
        record.invalidate_recordset()
        name = "privileges" if record == self.member else "loyalty_privileges"
        shown = [item for item in record[name] or [] if item["id"] == privilege.id]
        return shown[0] if shown else None

    def assertUse(self, use, state, value=0.0, number=0):
        self.assertEqual((use.state, use.number), (state, number))
        self.assertAlmostEqual(use.value, value)


@tagged("post_install", "-at_install")
class TestPrivileges(PrivilegesCommon):
    """What a privilege is, and who has it."""

    def test_terms_that_make_no_sense_are_refused(self):
        for vals, message in (
            ({"quota": -1}, "quota_positive"),
            ({"max_value": -1}, "max_value_positive"),
            ({"kind": "warranty", "warranty_months": 0}, "months_positive"),
            ({"product_ids": [Command.clear()]}, "at least one service"),
            ({"product_ids": [Command.set(self.part.ids)]}, "not a service"),
            ({"kind": "offer"}, "choose the rewards"),
        ):
            with (
                self.subTest(vals=vals),
                self.assertRaisesRegex((ValidationError, IntegrityError), message),
                mute_logger("odoo.sql_db"),
                self.env.cr.savepoint(),
            ):
                self._grant(**vals)

    def test_tiers_and_rewards_of_another_programme_are_refused(self):
        other = self.program.copy()
        for vals in (
            {"tiers": other.tier_ids[:1]},
            {
                "kind": "offer",
                "reward_ids": [
                    Command.set(
                        self.program.reward_ids[:1].copy({"program_id": other.id}).ids
                    )
                ],
            },
        ):
            with (
                self.subTest(vals=vals),
                self.assertRaisesRegex(ValidationError, "does not belong"),
                self.env.cr.savepoint(),
            ):
                self._grant(**vals)

    def test_tiers_that_have_it(self):
        everybodys, golds = self._grant(), self._grant(tiers=self.gold)
        self.assertEqual(self.gold.privilege_ids, golds)
        self.assertEqual(self.member._get_privileges(), everybodys | golds)
        self.member._set_tier(self.silver)
        self.assertEqual(self.member._get_privileges(), everybodys)

    def test_archived_tier_does_not_make_it_everybodys(self):
        self._grant(tiers=self.silver)
        self.silver.action_archive()
        self.env.invalidate_all()
        self.assertFalse(self.member._get_privileges())

    def test_totals_of_the_log_are_what_its_rows_add_up_to(self):
        privileges = self._grant() + self._grant("priority")
        uses = self.Use.sudo().create(
            [
                {
                    "member_id": self.member.id,
                    "privilege_id": privileges[number % 2].id,
                    "tier_id": (self.gold + self.silver)[number % 3 == 0].id,
                    "date": f"2024-0{1 + number % 4}-0{1 + number % 5}",
                    "year": 2024,
                    "state": "released" if number % 5 == 0 else "used",
                    "value": 1.1 * number,
                }
                for number in range(24)
            ]
        )
        domain = [("id", "in", uses.ids), ("state", "=", "used")]
        for names in ([], ["privilege_id"], ["date"], ["kind", "tier_id"], ["number"]):
            expected = defaultdict(list)
            for use in uses.filtered(lambda use: use.state == "used"):
                key = tuple(
                    use[name].replace(day=1) if name == "date" else use[name]
                    for name in names
                )
                expected[key].append(use.value)
            specs = ["date:month" if name == "date" else name for name in names]
            rows = self.Use._read_group(domain, specs, ["__count", "value:sum"])
            found = {row[:-2]: (row[-2], round(row[-1], 2)) for row in rows}
            with self.subTest(names=names):
                self.assertEqual(
                    found,
                    {
                        key: (len(values), round(sum(values), 2))
                        for key, values in expected.items()
                    },
                )

    def test_suspended_and_former_members_have_none(self):
        privilege = self._grant()
        self.member._suspend()
        self.assertIsNone(self._shown(self.member, privilege))
        self.assertFalse(self._quote().loyalty_privileges)
        self.member._come_back()
        self.assertTrue(self._quote().loyalty_privileges)
        self.member._leave()
        self.assertFalse(self._quote().loyalty_privileges)

    def test_used_privilege_stays_what_it_was(self):
        privilege = self._grant()
        self._use(privilege)
        with self.assertRaisesRegex(UserError, "Archive it"), self.env.cr.savepoint():
            privilege.unlink()
        with self.assertRaisesRegex(UserError, "was used"):
            privilege.write({"kind": "priority"})
        privilege.write({"kind": "free_service", "program_id": self.program.id})

    def test_given_warranty_keeps_its_privilege(self):
        privilege = self._grant("warranty")
        self._visit(self.customer)
        with self.assertRaisesRegex(UserError, "Archive it"):
            privilege.unlink()

    def test_copy_of_a_programme_has_the_privileges_of_its_tiers(self):
        self._grant("priority", name="All")
        self._grant("warranty", tiers=self.silver | self.gold, name="Some")
        self._grant("offer", reward_ids=[Command.set(self.program.reward_ids[:1].ids)])
        copied = self.program.copy()
        everybodys, some = copied.privilege_ids.sorted("id")
        self.assertEqual((everybodys.name, some.name), ("All", "Some"))
        self.assertFalse(everybodys.tier_ids)
        self.assertEqual(some.tier_ids.program_id, copied)
        self.assertEqual(set(some.tier_ids.mapped("name")), {"Silver", "Gold"})
        self.assertEqual(len(self.program.privilege_ids), 3)

    def test_copied_programme_does_not_open_a_privilege_of_archived_tiers(self):
        self._grant("priority", tiers=self.silver)
        self.silver.action_archive()
        self.assertFalse(self.program.copy().privilege_ids)

    def test_figures_of_a_privilege_open_the_uses_behind_them(self):
        privilege = self._grant()
        self._use(privilege)
        self._use(privilege)._action_cancel()
        self.assertEqual((privilege.use_count, privilege.value), (1, 80))
        action = privilege.action_open_uses()
        self.assertEqual(len(self.Use.search(action["domain"])), 2)


@tagged("post_install", "-at_install")
@freeze_time("2024-06-03 10:00:00")
class TestQuotas(PrivilegesCommon):
    """How often, and in which year."""

    def test_member_sees_what_is_left_and_what_was_saved(self):
        privilege = self._grant(quota=2)
        shown = self._shown(self.member, privilege)
        self.assertEqual((shown["left"], shown["badge"]), (2, "2 of 2 left"))
        self.assertEqual(shown["text"], "until 31 December")
        self._use(privilege)
        shown = self._shown(self.member, privilege)
        self.assertEqual((shown["badge"], shown["tone"]), ("1 of 2 left", "success"))
        self.assertIn("80.00", shown["saved"])
        self._use(privilege)
        shown = self._shown(self.member, privilege)
        self.assertEqual((shown["badge"], shown["tone"]), ("Used up", "danger"))
        self.assertEqual(self.member.privilege_value, 160)

    def test_privilege_without_quota_has_no_end(self):
        privilege = self._grant(quota=0)
        for _time in range(3):
            self._use(privilege)
        self.assertEqual(self._shown(self.member, privilege)["text"], "No limit")
        self.assertEqual(self.member.privilege_use_ids.mapped("number"), [0, 0, 0])

    def test_lowered_quota_leaves_nothing_and_raised_one_leaves_more(self):
        privilege = self._grant(quota=2)
        self._use(privilege)
        self._use(privilege)
        privilege.quota = 1
        self.assertEqual(self._shown(self.member, privilege)["left"], 0)
        privilege.quota = 3
        self.assertEqual(self._shown(self.member, privilege)["left"], 1)

    def test_unused_quota_lapses_at_the_end_of_the_year(self):
        privilege = self._grant(quota=2)
        self._use(privilege)
        order = self._quote()
        order.action_use_loyalty_privilege(privilege.id)
        with freeze_time("2025-01-02 10:00:00"):
            self.assertEqual(self._shown(self.member, privilege)["left"], 2)
            order.action_confirm()
            use = order.order_line.loyalty_use_ids
            self.assertEqual((use.year, use.number), (2025, 1))
            self.assertEqual(use.date, fields.Date.to_date("2025-01-02"))
            self.assertEqual(self._shown(self.member, privilege)["left"], 1)
            self.assertEqual(self.member.privilege_value, 80)
        self.assertEqual(self._shown(self.member, privilege)["left"], 1)

    def test_year_is_that_of_the_workshop(self):
        privilege = self._grant()
        self.company.partner_id.tz = "Asia/Jakarta"
        with freeze_time("2024-12-31 20:00:00"):
            order = self._use(privilege)
        self.assertEqual(order.order_line.loyalty_use_ids.year, 2025)

    def test_place_of_a_cancelled_use_is_taken_again(self):
        privilege = self._grant(quota=2)
        first, second = self._use(privilege), self._use(privilege)
        first._action_cancel()
        self.assertUse(first.order_line.loyalty_use_ids, "released")
        third = self._use(privilege)
        self.assertUse(third.order_line.loyalty_use_ids, "used", 80, number=1)
        self.assertUse(second.order_line.loyalty_use_ids, "used", 80, number=2)

    def test_quotas_of_members_are_found_at_once(self):
        self._grant()
        members = self.member
        for number in range(3):
            members |= self._enrol(self._create_customer(f"Customer {number}"))
        members[0]._get_privileges_used()
        self.env.invalidate_all()
        members.mapped("company_id.partner_id.tz")
        with self.assertQueryCount(1):
            members._get_privileges_used()

    def test_merged_customers_have_one_quota(self):
        privilege = self._grant(quota=2)
        other = self._enrol(self.other, "2024-02-01")
        self._use(privilege)
        self._use(privilege, self.other)
        planned = self._quote(partner=self.other)
        planned.action_use_loyalty_privilege(privilege.id)
        wizard = self.env["base.partner.merge.automatic.wizard"].create({})
        wizard._merge((self.customer | self.other).ids, self.customer)
        self.env.invalidate_all()
        self.assertEqual(other.merged_into_id, self.member)
        self.assertFalse(other.privilege_use_ids)
        numbers = self.member.privilege_use_ids.mapped("number")
        self.assertEqual(sorted(numbers), [0, 1, 2])
        with self.assertRaisesRegex(UserError, "nothing is left"):
            planned.action_confirm()

    def test_database_keeps_a_place_for_one(self):
        privilege = self._grant(quota=1)
        use = self._use(privilege).order_line.loyalty_use_ids
        vals = {
            "member_id": self.member.id,
            "privilege_id": privilege.id,
            "date": use.date,
            "year": use.year,
            "number": 1,
            "state": "used",
        }
        with (
            self.assertRaises(IntegrityError),
            mute_logger("odoo.sql_db"),
            self.env.cr.savepoint(),
        ):
            self.Use.sudo().create(vals)
        self.Use.sudo().create({**vals, "year": use.year + 1})
        self.Use.sudo().create({**vals, "state": "released"})

    def test_advisor_cannot_write_the_log_nor_make_lines_free(self):
        privilege = self._grant()
        use = self._use(privilege).order_line.loyalty_use_ids
        advisor = self._create_user("advisor", USER, *COUNTER)
        with self.assertRaises(AccessError):
            use.with_user(advisor).state = "released"
        order = self._quote()
        theirs = order.with_user(advisor)
        vals = {"loyalty_privilege_id": privilege.id}
        with self.assertRaises(AccessError):
            theirs.order_line.write(vals)
        with self.assertRaises(AccessError):
            theirs.order_line = [Command.create({"product_id": self.check.id, **vals})]
        with self.assertRaises(AccessError):
            self._use(privilege).with_user(advisor).order_line.write(
                {"loyalty_privilege_id": False}
            )
        # What a form sends along unchanged is no harm.
        nothing = {"product_id": self.check.id, "loyalty_privilege_id": False}
        theirs.order_line = [Command.create(nothing)]
        theirs.order_line.write({"loyalty_privilege_id": False})

    def test_other_company_has_privileges_of_its_own(self):
        elsewhere = self.setup_other_company()["company"]
        privilege = self._grant()
        order = self.env["sale.order"].with_company(elsewhere)
        order = order.create({"partner_id": self.customer.id})
        self.assertFalse(order.loyalty_privileges)
        manager = self._create_user("manager", MANAGER)
        manager.write(
            {"company_ids": [Command.set(elsewhere.ids)], "company_id": elsewhere.id}
        )
        with self.assertRaises(AccessError):
            privilege.with_user(manager).read(["name"])


@tagged("post_install", "-at_install")
class TestLastOneAtOnce(BaseCase):
    """The last free service of a year, by two people at the same moment.

    In transactions of their own, as the host makes them; what was added is removed.
    """

    def setUp(self):
        super().setUp()
        self.registry = Registry(get_db_name())
        with self.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            self._create(env)
        self.addCleanup(self._remove)

    def _create(self, env):
        partner = env["res.partner"].create({"name": "At the same moment"})
        program = env["garage.loyalty.program"]._get_default(env.company)
        vals = {"name": "At the same moment", "list_price": 80, "type": "service"}
        product = env["product.product"].create(vals)
        privilege = env["garage.loyalty.privilege"].create(
            {
                "name": "At the same moment",
                "program_id": program.id,
                "kind": "free_service",
                "quota": 1,
                "product_ids": [Command.set(product.ids)],
            }
        )
        member = env["garage.loyalty.member"].create(
            {"partner_id": partner.id, "program_id": program.id}
        )
        orders = env["sale.order"].create([{"partner_id": partner.id}] * 2)
        for order in orders:
            order.action_use_loyalty_privilege(privilege.id)
        self.ids = orders.ids
        self.created = [orders, privilege, member, product, partner]

    def _remove(self):
        with self.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            orders, privilege, *others = (
                records.with_env(env) for records in self.created
            )
            orders.filtered(lambda order: order.state == "sale")._action_cancel()
            orders.unlink()
            uses = [("privilege_id", "=", privilege.id)]
            env["garage.loyalty.privilege.use"].search(uses).unlink()
            for records in (privilege, *others):
                records.unlink()

    def _order(self, cr, index):
        env = api.Environment(cr, SUPERUSER_ID, {})
        return env["sale.order"].browse(self.ids[index])

    @mute_logger("odoo.sql_db")
    def test_second_of_two_is_tried_again_and_told_that_none_is_left(self):
        with (
            closing(self.registry.cursor()) as first,
            closing(self.registry.cursor()) as second,
        ):
            late = self._order(second, 1)
            self.assertFalse(late.loyalty_warning)
            self._order(first, 0).action_confirm()
            first.commit()
            with self.assertRaises(ConcurrencyError):
                late.action_confirm()
            second.rollback()
            again = self._order(second, 1)
            again.env.invalidate_all()
            self.assertRegex(again.loyalty_warning, "nothing is left")
            with self.assertRaisesRegex(UserError, "nothing is left"):
                again.action_confirm()
            second.rollback()
            states = self._order(second, 0).order_line.loyalty_use_ids.mapped("state")
            states += self._order(second, 1).order_line.loyalty_use_ids.mapped("state")
            self.assertEqual(states, ["used", "planned"])
