from contextlib import nullcontext

from odoo import Command, fields
from odoo.tests import freeze_time, new_test_user

from odoo.addons.account.tests.common import AccountTestInvoicingCommon

USER = "garage_loyalty.garage_loyalty_group_user"
MANAGER = "garage_loyalty.garage_loyalty_group_manager"
ACCOUNTANT = "garage_loyalty.garage_loyalty_group_accountant"


class GarageLoyaltyCommon(AccountTestInvoicingCommon):
    """A workshop with one programme, labour at 100 an hour and a part at 50.

    Documents are made on behalf of the user of the customer or document given.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company = cls.company_data["company"]
        cls.env.user.group_ids += cls.env.ref(MANAGER)
        cls.env.user.group_ids += cls.env.ref("stock.group_stock_manager")
        cls.env.user.group_ids += cls.env.ref("sales_team.group_sale_manager")
        cls.Entry = cls.env["garage.loyalty.entry"]
        cls.Member = cls.env["garage.loyalty.member"]
        cls.Visit = cls.env["garage.loyalty.visit"]
        cls.program = cls.env["garage.loyalty.program"]._get_default(cls.company)
        cls.bronze, cls.silver, cls.gold = cls.program.tier_ids
        # Tests that are about other things must not depend on what tiers ask for.
        cls.program.tier_ids.write({"required_spend": 0, "required_visits": 0})
        (cls.silver + cls.gold).match = "all"
        cls.tax = cls.company_data["default_tax_sale"]
        cls.labour = cls._create_good(
            "Labour", 100, type="service", invoice_policy="order"
        )
        cls.part = cls._create_good(
            "Brake pads", 50, type="consu", invoice_policy="order"
        )
        cls.customer = cls._create_customer("Ada Customer")
        cls.other = cls._create_customer("Bob Customer")

    @classmethod
    def _create_good(cls, name, price, **vals):
        return cls.env["product.product"].create(
            {
                "name": name,
                "list_price": price,
                "taxes_id": [Command.set(cls.tax.ids)],
                "supplier_taxes_id": [Command.clear()],
                **vals,
            }
        )

    @classmethod
    def _create_customer(cls, name, **vals):
        return cls.env["res.partner"].create({"name": name, **vals})

    @classmethod
    def _create_user(cls, login, *groups):
        return new_test_user(
            cls.env,
            login,
            groups=",".join(("base.group_user", *groups)),
            company_id=cls.company.id,
            company_ids=[Command.set(cls.company.ids)],
        )

    @classmethod
    def _enrol(cls, partner, date="2024-01-01", tier=None, program=None, **vals):
        vals = {
            "partner_id": partner.id,
            "program_id": (program or cls.program).id,
            "date_joined": date,
            **vals,
        }
        if tier:
            vals["tier_id"] = tier.id
        return cls.Member.create(vals)

    @classmethod
    def _create_repair(cls, partner, parts=2, order=None, hours=0, **vals):
        """Return a confirmed repair with its quotation: parts, and hours of labour."""
        repair = partner.env["repair.order"].create(
            {
                "partner_id": partner.id,
                "company_id": cls.company.id,
                "sale_order_id": order and order.id,
                **vals,
            }
        )
        if not order:
            repair.action_create_sale_order()
        if parts:
            repair.move_ids = [
                Command.create(
                    {
                        "product_id": cls.part.id,
                        "product_uom_qty": parts,
                        "repair_line_type": "add",
                    }
                )
            ]
        if hours:
            repair.sale_order_id.order_line = [
                Command.create({"product_id": cls.labour.id, "product_uom_qty": hours})
            ]
        repair.action_validate()
        return repair

    @classmethod
    def _finish(cls, repair, date=None):
        repair.action_repair_start()
        repair.move_ids.quantity = repair.move_ids[:1].product_uom_qty
        repair.action_repair_end()
        if date:
            repair.date_done = fields.Datetime.to_datetime(f"{date} 12:00:00")

    @classmethod
    def _bill(cls, orders, date="2024-02-01", post=True):
        for order in orders.filtered(lambda order: order.state != "sale"):
            order.action_confirm()
        invoice = orders._create_invoices()
        invoice.invoice_date = date
        if post:
            invoice.action_post()
        return invoice

    @classmethod
    def _bill_down_payment(cls, order, date="2024-02-01", **vals):
        """Return the posted invoice of a down payment, of one half unless said."""
        vals = {"advance_payment_method": "percentage", "amount": 50, **vals}
        wizard = cls.env["sale.advance.payment.inv"].with_context(
            active_model="sale.order", active_ids=order.ids
        )
        invoice = wizard.create(vals)._create_invoices(order)
        invoice.invoice_date = date
        invoice.action_post()
        return invoice

    @classmethod
    def _spend_without_limits(cls, point_value=0.1):
        cls.program.write(
            {
                "point_value": point_value,
                "minimum_redemption": 1,
                "labour_cap": 100,
                "parts_cap": 100,
            }
        )

    @classmethod
    def _visit(cls, partner, date="2024-02-01", parts=2, hours=1, **vals):
        """Return a finished repair and its posted invoice: 100 parts, 100 labour."""
        repair = cls._create_repair(partner, parts=parts, hours=hours, **vals)
        repair.sale_order_id.action_confirm()
        cls._finish(repair, date)
        return repair, cls._bill(repair.sale_order_id, date)

    @classmethod
    def _invoice(cls, partner, lines=None, date="2024-02-01", post=True, **vals):
        """Return an invoice without repair: lines are (product, quantity, price)."""
        invoice = partner.env["account.move"].create(
            {
                "move_type": "out_invoice",
                "partner_id": partner.id,
                "invoice_date": date,
                "invoice_line_ids": [
                    Command.create(
                        {
                            "product_id": product.id,
                            "quantity": quantity,
                            "price_unit": price,
                        }
                    )
                    for product, quantity, price in lines or [(cls.labour, 1, 1000)]
                ],
                **vals,
            }
        )
        if post:
            invoice.action_post()
        return invoice

    @classmethod
    def _pay(cls, invoice, date=None, amount=None):
        vals = {"payment_date": date or invoice.invoice_date}
        if amount:
            vals["amount"] = amount
        return (
            invoice.env["account.payment.register"]
            .with_context(active_model="account.move", active_ids=invoice.ids)
            .create(vals)
            ._create_payments()
        )

    @classmethod
    def _credit(cls, invoice, amount=None, date="2024-03-01", post=True):
        """Return a credit note: of the whole, or of ``amount`` of its first line."""
        wizard = (
            invoice.env["account.move.reversal"]
            .with_context(active_model="account.move", active_ids=invoice.ids)
            .create({"date": date, "journal_id": invoice.journal_id.id})
        )
        wizard.refund_moves()
        credit = wizard.new_move_ids
        if amount is not None:
            lines = credit.invoice_line_ids
            lines[1:].unlink()
            lines[0].write({"quantity": 1, "price_unit": amount})
        if post and credit.state == "draft":
            credit.action_post()
        return credit

    @classmethod
    def _redeem(cls, document, points):
        field = "order_id" if document._name == "sale.order" else "move_id"
        Wizard = document.env["garage.loyalty.redeem"]
        wizard = Wizard.create({field: document.id})
        wizard.points = points
        wizard.action_redeem()
        return document._get_loyalty_lines().loyalty_redemption_id

    @classmethod
    def _adjust(cls, member, points, user=None, **vals):
        """Return a posted adjustment, or one that waits for a manager."""
        Adjustment = cls.env["garage.loyalty.adjustment"].with_user(
            user or cls.env.user
        )
        if vals.get("kind", "adjust") == "adjust":
            vals.setdefault("reason_id", cls._get_reason("thank_you").id)
        adjustment = Adjustment.create(
            {"member_id": member.id, "points": points, **vals}
        )
        adjustment.action_confirm()
        return adjustment

    @classmethod
    def _grant(cls, kind="free_service", tiers=None, **vals):
        """Return a new privilege, of every member unless tiers are given."""
        if kind == "free_service":
            vals.setdefault("product_ids", [Command.set(cls.labour.ids)])
        return cls.env["garage.loyalty.privilege"].create(
            {
                "name": f"Privilege {kind}",
                "program_id": cls.program.id,
                "kind": kind,
                "tier_ids": [Command.set(tiers.ids if tiers else [])],
                **vals,
            }
        )

    @classmethod
    def _get_reason(cls, name):
        return cls.env.ref(f"garage_loyalty.adjustment_reason_{name}")

    @classmethod
    def _make_regular(cls, partner):
        """Let a customer have the same kind of service twice, which is enough now."""
        kind = cls.env["product.category"].create({"name": "Servicing"})
        service = cls._create_good("Service", 100, type="service", categ_id=kind.id)
        cls.company.loyalty_regular_times = 2
        for _time in range(2):
            cls._invoice(partner, [(service, 1, 100)], date=fields.Date.today())
        cls.env["garage.loyalty.changed.customer"]._process()

    @classmethod
    def _offer_personally(cls, partner, **vals):
        """Return an open offer of a personal reward, a new one unless said."""
        if "reward_id" not in vals:
            reward = cls.env["garage.loyalty.reward"].create(
                {
                    "name": "10% off",
                    "program_id": cls.program.id,
                    "kind": "labour_percent",
                    "points": 0,
                    "is_personal": True,
                }
            )
            vals["reward_id"] = reward.id
        vals = {"partner_id": partner.id, "company_id": cls.company.id, **vals}
        return cls.env["garage.loyalty.personal.offer"]._offer([vals])

    @classmethod
    def _hold_out(cls, *groups, **vals):
        """Return a hold-out as drawn: who is held out, and who may be invited."""
        held_out, invited = (*groups, cls.env["res.partner"])[:2]
        holdout = cls.env["garage.loyalty.holdout"].create({"name": "Not now", **vals})
        before = dict.fromkeys((held_out | invited).ids, 1)
        holdout.sudo()._begin(before, set(held_out.ids), "seed")
        return holdout

    @classmethod
    def _book_points(cls, **vals):
        """Book what is owed in points by deferring sales; return the set-up."""
        liability, income = cls.env["account.account"].create(
            [
                {"name": "Points", "code": "2801", "account_type": "liability_current"},
                {"name": "Points", "code": "4801", "account_type": "income"},
            ]
        )
        rule = cls.env["garage.loyalty.accounting"].create(
            {
                "company_id": cls.company.id,
                "method": "deferral",
                "journal_id": cls.company_data["default_journal_misc"].id,
                "liability_account_id": liability.id,
                "result_account_id": income.id,
                **vals,
            }
        )
        rule.action_book()
        cls.env["garage.loyalty.reconciliation"].create({"company_id": cls.company.id})
        return rule

    @classmethod
    def _hand_over(cls, member, partner):
        """Give a membership to another customer, as merging two customers does."""
        cls.env.flush_all()
        cls.env.cr.execute(
            "UPDATE garage_loyalty_member SET partner_id = %s WHERE id = %s",
            [partner.id, member.id],
        )
        cls.env.invalidate_all()

    @classmethod
    def _lots(cls, members):
        """Return the lots with points left, in the order in which they are spent."""
        Lot = cls.env["garage.loyalty.lot"]
        domain = [("member_id", "in", members.ids), ("remaining", ">", 0)]
        return Lot.search(domain)._in_spending_order()

    @classmethod
    def _miss(cls, partner):
        """Let a customer have lapsed, and be contacted by a campaign."""
        long_ago = fields.Date.subtract(fields.Date.today(), months=13)
        cls._invoice(partner, date=long_ago.replace(day=1))
        cls.env["garage.loyalty.changed.customer"]._process()
        cls.env["garage.loyalty.lapse"]._record(cls.company)
        campaign = cls.env["garage.loyalty.campaign"].create(
            {
                "name": "Call them",
                "company_id": cls.company.id,
                "trigger": "once",
                "activity_type_id": cls.env.ref("mail.mail_activity_data_call").id,
            }
        )
        campaign.action_start()
        campaign.sudo()._contact_some(10)

    def _run_job(self, name, day=None):
        """Run a scheduled action as the host does, as on ``day``."""
        cron = self.env.ref(f"garage_loyalty.{name}")
        today = freeze_time(day) if day else nullcontext()
        with today, self.enter_registry_test_mode():
            cron.method_direct_trigger()
        self.env.invalidate_all()

    def assertLots(self, member, *expected):
        """Check what is left until when: pairs of points and day, first to go first."""
        found = [
            (lot.remaining, lot.date_expiry and fields.Date.to_string(lot.date_expiry))
            for lot in self._lots(member)
        ]
        self.assertEqual(found, list(expected))

    def assertSound(self, members):
        """Check that the ledger adds up, by the nightly check and by the plain sums."""
        Check = self.env["garage.loyalty.ledger.check"]
        self.assertEqual(Check._find_differences(members), [])
        for member in members:
            lots = self._lots(member)
            self.assertEqual(member.points, sum(member.entry_ids.mapped("points")))
            self.assertEqual(member.points, sum(lots.mapped("remaining")) - member.debt)

    def assertLedger(self, member, *points):
        """Check the entries, in the order they were posted, and the balance."""
        entries = self.Entry.search([("member_id", "=", member.id)], order="id")
        self.assertEqual(tuple(entries.mapped("points")), points)
        self.assertEqual(member.points, sum(points))
