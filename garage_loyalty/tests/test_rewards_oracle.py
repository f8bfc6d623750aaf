import random
from collections import defaultdict
from itertools import product

from odoo import Command
from odoo.tests import tagged

from .test_rewards_cost import RewardsCommon

MEASURES = (
    "times:sum",
    "customer_count:count_distinct",
    "visit_count:count_distinct",
    "points:sum",
    "points_given:sum",
    "cost:sum",
    "revenue:sum",
    "revenue_per_visit:avg",
    "cost_per_use:avg",
    "cost_share:avg",
)
# Read by themselves, they are added up beforehand.
SUMS = (
    "times:sum",
    "points:sum",
    "points_given:sum",
    "cost:sum",
    "cost_per_use:avg",
)
GROUPINGS = (
    [],
    ["kind"],
    ["benefit"],
    ["reward_id"],
    ["privilege_id"],
    ["member_id"],
    ["partner_id"],
    ["user_id"],
    ["company_id"],
    ["program_id"],
    ["kind", "partner_id"],
    ["company_id", "kind"],
)


@tagged("post_install", "-at_install")
class TestRewardsCostOracle(RewardsCommon):
    """The report against a slow and obvious count, one benefit after the other."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.dice = random.Random(64)
        currency = cls.setup_other_currency("EUR", rates=[("2023-01-01", 2.0)])
        cls.elsewhere = cls.setup_other_company(currency_id=currency.id)["company"]
        cls.sides = [cls._fill(cls.company), cls._fill(cls.elsewhere)]
        cls.bronze.discount_ids = [Command.create({"percent": 10})]
        for day in ("2024-04-02", "2024-05-02"):
            order = cls._create_repair(cls.customer, hours=1).sale_order_id
            cls._redeem(order, 200)
            order.action_confirm()
            cls._finish(order.repair_order_ids, day)
            cls._bill(order, day)
        cls.env.flush_all()

    @classmethod
    def _fill(cls, company):
        """Give random things to the members of a company."""
        env = cls.env(context={**cls.env.context, "allowed_company_ids": company.ids})
        program = env["garage.loyalty.program"]._get_default(company)
        program.write({"minimum_redemption": 1, "labour_cap": 100, "parts_cap": 100})
        program.point_value = 0.1
        rewards = [
            cls._create_reward(program, name=f"Reward {number}", points=100 * number)
            for number in range(3)
        ]
        privilege = cls._grant("priority", program_id=program.id)
        for number in range(3):
            partner = cls._create_customer(f"Member {number}").with_env(env)
            member = cls._enrol(partner, program=program)
            member._post_points("adjust", 9000, "2024-01-01", reason="Start")
            for _time in range(4):
                cls._give(partner, member, rewards, privilege)
        return company

    @classmethod
    def _give(cls, partner, member, rewards, privilege):
        day = f"2024-0{cls.dice.randint(1, 9)}-{cls.dice.randint(10, 28)}"
        price = cls.dice.randint(60, 900)
        invoice = cls._invoice(partner, [(cls.labour, 1, price)], day, post=False)
        if cls.dice.random() < 0.5:
            cls._redeem(invoice, cls.dice.randint(1, 300))
        if cls.dice.random() < 0.5:
            cls._take(invoice, cls.dice.choice(rewards))
        invoice.action_post()
        if cls.dice.random() < 0.3:
            cls._credit(invoice, price / 4, "2024-10-01")
        cls.env["garage.loyalty.privilege.use"].sudo().create(
            {
                "member_id": member.id,
                "privilege_id": privilege.id,
                "date": day,
                "year": 2024,
                "state": cls.dice.choice(["used", "released"]),
                "value": cls.dice.randint(0, 90),
            }
        )

    # -- the oracle ----------------------------------------------------------------

    def _list_benefits(self):
        """Return a dict of values for each benefit."""
        companies = self.company + self.elsewhere
        mine = [("company_id", "in", companies.ids)]
        redemptions = self.env["garage.loyalty.redemption"].search(mine)
        done = redemptions.filtered(lambda redemption: redemption.state == "done")
        uses = self.env["garage.loyalty.privilege.use"].search(mine)
        uses = uses.filtered(lambda use: use.state == "used")
        orders = self.env["sale.order"].search(
            [
                ("company_id", "=", self.company.id),
                ("partner_id", "=", self.customer.id),
            ]
        )
        return [
            *map(self._describe, done),
            *map(self._describe_use, uses),
            *map(self._describe_discount, orders),
        ]

    def _describe_use(self, use):
        return {
            **self._describe_member(use.member_id),
            "kind": "privilege",
            "benefit": use.privilege_id.name,
            "privilege_id": use.privilege_id,
            "user_id": use.user_id,
            "visit": use.repair_id.visit_ids,
            "cost": use.value,
        }

    def _describe_discount(self, order):
        return {
            **self._describe_member(self.member),
            "kind": "discount",
            "benefit": "Standing discount",
            "user_id": order.invoice_ids.invoice_user_id,
            "visit": order.repair_order_ids.visit_ids,
            "cost": 20,  # 100 of parts, 100 of labour, less 10 %
        }

    def _describe_member(self, member):
        return {
            "member_id": member,
            "partner_id": member.partner_id,
            "program_id": member.program_id,
            "company_id": member.company_id,
            "reward_id": self.env["garage.loyalty.reward"],
            "privilege_id": self.env["garage.loyalty.privilege"],
            "visit": self.Visit,
            "points": 0,
        }

    def _describe(self, redemption):
        reward = redemption.reward_id
        invoice = redemption.move_line_ids.move_id.filtered(
            lambda move: move.move_type == "out_invoice"
        )
        repairs = redemption.order_id.repair_order_ids
        visit = repairs.visit_ids or self.Visit.search([("move_id", "=", invoice.id)])
        share = redemption.points_spent / redemption.points if redemption.points else 1
        return {
            **self._describe_member(redemption.member_id),
            "kind": "reward" if reward else "money",
            "benefit": reward.name or "Points as money",
            "reward_id": reward,
            "user_id": redemption.user_id,
            "visit": visit,
            "points": redemption.points_spent,
            "cost": redemption.cost * share,
        }

    def _sum_up(self, rows):
        visits = self.Visit.union(*(row["visit"] for row in rows))
        cost = sum(row["cost"] for row in rows)
        revenue = sum(visits.mapped("amount")) if visits else None
        return (
            len(rows),
            len({row["partner_id"] for row in rows}),
            len(visits),
            sum(row["points"] for row in rows),
            0,
            cost,
            revenue,
            revenue / len(visits) if visits else None,
            cost / len(rows),
            self._get_cost_share(rows, visits) if revenue else None,
        )

    def _get_cost_share(self, rows, visits):
        """Return the cost in percent of the revenue, both in the same currency."""

        def convert(company, amount):
            company = company if isinstance(company, int) else company.id
            return amount / (2.0 if company == self.elsewhere.id else 1.0)

        cost = sum(convert(row["company_id"], row["cost"]) for row in rows)
        revenue = sum(convert(visit.company_id, visit.amount) for visit in visits)
        return 100 * cost / revenue

    def test_every_grouping_agrees_with_the_oracle(self):
        self._compare_groupings()

    def test_every_grouping_of_known_facts_agrees_with_the_oracle(self):
        changed = self.env["garage.loyalty.changed.customer"].sudo()
        changed._process(10**6)
        self.assertFalse(changed.search([]))
        self._compare_groupings()

    def test_computing_facts_again_changes_nothing(self):
        self.env["garage.loyalty.changed.customer"]._process(10**6)
        customers = self.env["garage.loyalty.member"].search([]).partner_id
        Benefit = self.env["garage.loyalty.benefit"]
        self.assertTrue(Benefit.search([("partner_id", "in", customers.ids)]))
        self.assertEqual(Benefit._sync(customers.ids), 0)

    def _compare_groupings(self):
        rows = self._list_benefits()
        self.assertGreater(len(rows), 30)
        self.assertEqual(len({row["company_id"] for row in rows}), 2)
        self.assertTrue(any(row["visit"] for row in rows))
        companies = (self.company + self.elsewhere).ids
        for grouping, measures in product(GROUPINGS, (MEASURES, SUMS)):
            groups = defaultdict(list)
            for row in rows:
                groups[tuple(row[name] or False for name in grouping)].append(row)
            found = self.Use._read_group(
                [("company_id", "in", companies)], grouping, measures
            )
            with self.subTest(grouping=grouping, measures=measures):
                self.assertEqual(len(found), len(groups))
                for values in found:
                    key = tuple(value or False for value in values[: len(grouping)])
                    sums = zip(measures, values[len(grouping) :], strict=True)
                    self._compare(dict(sums), self._sum_up(groups[key]))

    def _compare(self, found, expected):
        expected = dict(zip(MEASURES, expected, strict=True))
        for name, value in found.items():
            with self.subTest(measure=name):
                self.assertAlmostEqual(
                    float(value or 0), float(expected[name] or 0), places=4
                )

    def test_sum_in_one_currency_counts_each_visit_once(self):
        rows = self._list_benefits()
        visits = self.Visit.union(*(row["visit"] for row in rows))
        expected = sum(
            visit.amount * (1 if visit.company_id == self.company else 1 / 2.0)
            for visit in visits
        )
        [(found,)] = self.Use._read_group(
            [("company_id", "in", (self.company + self.elsewhere).ids)],
            [],
            ["revenue:sum_currency"],
        )
        self.assertAlmostEqual(float(found), expected, places=2)
