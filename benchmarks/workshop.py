"""A workshop to prove things on: goods, customers, members, documents."""

import time

from odoo.fields import Command

ADVISOR = (
    "garage_loyalty.garage_loyalty_group_user",
    "sales_team.group_sale_salesman_all_leads",
    "account.group_account_invoice",
)


class Workshop:
    """A company with its programme, and short ways to make documents.

    Points are worth 0.05 and may pay everything; one is earned per currency unit.
    """

    def __init__(self, env):
        self.env = env
        self.company = env.company
        self.program = env["garage.loyalty.program"]._get_default(self.company)

    def open(self):
        """Make what all documents need."""
        if not self.company.chart_template:
            self.env["account.chart.template"].try_loading("generic_coa", self.company)
        self.program.write(
            {
                "earn_trigger": "posted",
                "labour_rate": 1,
                "point_value": 0.05,
                "labour_cap": 100,
                "minimum_redemption": 1,
            }
        )
        # What is proven of points must not depend on tiers.
        self.program.tier_ids.write({"required_spend": 0, "required_visits": 0})
        self.env.ref("base.user_root").company_id = self.company
        return self

    def labour(self):
        """Return an hour of labour: 100, without tax."""
        return self.env["product.product"].create(
            {
                "name": "Labour",
                "type": "service",
                "list_price": 100,
                "invoice_policy": "order",
                "taxes_id": [Command.clear()],
            }
        )

    def advisors(self, number):
        """Return users, with passwords like their logins."""
        groups = [self.env.ref(name).id for name in ("base.group_user", *ADVISOR)]
        mark = time.time_ns()
        return self.env["res.users"].create(
            [
                {
                    "name": f"Advisor {index}",
                    "login": f"advisor-{mark}-{index}",
                    "password": f"advisor-{mark}-{index}",
                    "group_ids": [Command.set(groups)],
                }
                for index in range(number)
            ]
        )

    def customers(self, number, **vals):
        """Return customers who have bought before, as the host notes in their row."""
        return self.env["res.partner"].create(
            [
                {"name": f"Customer {index}", "customer_rank": 1, **vals}
                for index in range(number)
            ]
        )

    def enrol(self, customers, joined="2024-01-01"):
        return self.env["garage.loyalty.member"].create(
            [
                {
                    "partner_id": customer.id,
                    "program_id": self.program.id,
                    "date_joined": joined,
                }
                for customer in customers
            ]
        )

    def member(self):
        """Return a new member without points."""
        return self.enrol(self.customers(1))

    def journals(self, number, kind="sale"):
        """Return new journals, each with numbers of its own."""
        first = self.env["account.journal"].search_count([])
        return self.env["account.journal"].create(
            [
                {
                    "name": f"Counter {index} {kind}",
                    "type": kind,
                    "code": f"{kind[0].upper()}{index}",
                    "company_id": self.company.id,
                }
                for index in range(first, first + number)
            ]
        )

    def invoices(self, customer, product, number, date="2024-06-03", **vals):
        """Return draft invoices of one hour of labour."""
        line = Command.create({"product_id": product.id, "price_unit": 100})
        return self.env["account.move"].create(
            [
                {
                    "move_type": "out_invoice",
                    "partner_id": customer.id,
                    "invoice_date": date,
                    "invoice_line_ids": [line],
                    **vals,
                }
                for _number in range(number)
            ]
        )

    def bill(self, customer, labour, date, **vals):
        """Return the draft invoice of a finished repair order of one hour."""
        repair = self.env["repair.order"].create(
            {"partner_id": customer.id, "company_id": self.company.id}
        )
        repair.action_create_sale_order()
        order = repair.sale_order_id
        order.order_line = [Command.create({"product_id": labour.id})]
        repair.action_validate()
        repair.action_repair_start()
        repair.action_repair_end()
        repair.date_done = f"{date} 12:00:00"
        order.action_confirm()
        invoice = order._create_invoices()
        invoice.write({"invoice_date": date, **vals})
        return invoice

    def differences(self, members):
        """Return what the nightly ledger check finds wrong with ``members``."""
        return self.env["garage.loyalty.ledger.check"]._find_differences(members)
