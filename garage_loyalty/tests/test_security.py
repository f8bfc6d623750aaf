from lxml import etree

from odoo import Command, fields
from odoo.exceptions import AccessError
from odoo.service.model import call_kw, get_public_method
from odoo.tests import Form, new_test_user, tagged

from ..tools.movement import month_number
from .common import ACCOUNTANT, MANAGER, USER, GarageLoyaltyCommon

COUNTER = (
    "sales_team.group_sale_salesman_all_leads",
    "stock.group_stock_user",
    "account.group_account_invoice",
)

# What each group may do with each model: create, read, update, delete.
RIGHTS = {
    "garage.loyalty.program": {"advisor": "r", "manager": "crud", "accountant": "r"},
    "garage.loyalty.tier": {"advisor": "r", "manager": "crud", "accountant": "r"},
    "garage.loyalty.tier.discount": {
        "advisor": "r",
        "manager": "crud",
        "accountant": "r",
    },
    "garage.loyalty.member": {"advisor": "cru", "manager": "crud", "accountant": "r"},
    "garage.loyalty.member.status": {"advisor": "r", "manager": "r", "accountant": "r"},
    "garage.loyalty.entry": {"advisor": "r", "manager": "r", "accountant": "r"},
    "garage.loyalty.lot": {"advisor": "r", "manager": "r", "accountant": "r"},
    "garage.loyalty.allocation": {"advisor": "r", "manager": "r", "accountant": "r"},
    "garage.loyalty.qualification": {"advisor": "r", "manager": "r", "accountant": "r"},
    "garage.loyalty.tier.move": {"advisor": "r", "manager": "r", "accountant": "r"},
    "garage.loyalty.setup": {"manager": "crud"},
    "garage.loyalty.reward": {"advisor": "r", "manager": "crud", "accountant": "r"},
    "garage.loyalty.redemption": {"advisor": "r", "manager": "r", "accountant": "r"},
    "garage.loyalty.privilege": {
        "advisor": "r",
        "manager": "crud",
        "accountant": "r",
    },
    "garage.loyalty.privilege.use": {
        "advisor": "r",
        "manager": "r",
        "accountant": "r",
    },
    "garage.loyalty.visit": {"advisor": "r", "manager": "r", "accountant": "r"},
    "garage.loyalty.cohort": {"manager": "r", "accountant": "r"},
    "garage.loyalty.frequency": {"manager": "r", "accountant": "r"},
    "garage.loyalty.enrolment": {"advisor": "r", "manager": "r", "accountant": "r"},
    "garage.loyalty.result": {"manager": "crd", "accountant": "r"},
    "garage.loyalty.benefit": {"manager": "r", "accountant": "r"},
    "garage.loyalty.reward.use": {"manager": "r", "accountant": "r"},
    "garage.loyalty.earning.cohort": {"manager": "r", "accountant": "r"},
    "garage.loyalty.first.redemption": {"manager": "r", "accountant": "r"},
    "garage.loyalty.member.month": {"advisor": "r", "manager": "r", "accountant": "r"},
    "garage.loyalty.use": {"manager": "r", "accountant": "r"},
    "garage.loyalty.roll.forward": {"manager": "r", "accountant": "r"},
    "garage.loyalty.liability": {"manager": "r", "accountant": "r"},
    "garage.loyalty.liability.date": {"manager": "crud", "accountant": "crud"},
    "garage.loyalty.roll.forward.tier": {"manager": "r", "accountant": "r"},
    "garage.loyalty.roll.forward.period": {"manager": "crud", "accountant": "crud"},
    "garage.loyalty.statement": {
        "advisor": "crud",
        "manager": "crud",
        "accountant": "crud",
    },
    # Reports of earlier days read it, nobody else.
    "garage.loyalty.lot.expiry": {},
    # A change is a row of its own, and stays.
    "garage.loyalty.valuation": {"manager": "cr", "accountant": "cr"},
    # On which accounts points are booked is what accountants decide.
    "garage.loyalty.accounting": {"manager": "cru", "accountant": "cru"},
    "garage.loyalty.booking": {"manager": "r", "accountant": "r"},
    "garage.loyalty.booking.cohort": {"manager": "r", "accountant": "r"},
    "garage.loyalty.booking.line": {"manager": "r", "accountant": "r"},
    "garage.loyalty.conversion": {"manager": "r", "accountant": "r"},
    "garage.loyalty.conversion.line": {"manager": "r", "accountant": "r"},
    "garage.loyalty.deferral": {"manager": "r", "accountant": "r"},
    "garage.loyalty.reconciliation": {"manager": "crud", "accountant": "crud"},
    "garage.loyalty.reconciliation.line": {"manager": "r", "accountant": "r"},
    "garage.loyalty.visit.report": {"manager": "r", "accountant": "r"},
    "garage.loyalty.active.month": {"advisor": "r", "manager": "r", "accountant": "r"},
    # Whoever posts an invoice adds to it, and nobody else.
    "garage.loyalty.changed.customer": {},
    "garage.loyalty.customer": {"advisor": "r", "manager": "r", "accountant": "r"},
    "garage.loyalty.campaign": {"advisor": "r", "manager": "crud", "accountant": "r"},
    "garage.loyalty.campaign.contact": {
        "advisor": "r",
        "manager": "r",
        "accountant": "r",
    },
    "garage.loyalty.personal.offer": {
        "advisor": "r",
        "manager": "r",
        "accountant": "r",
    },
    "garage.loyalty.estimate": {"manager": "r", "accountant": "r"},
    "garage.loyalty.review": {"manager": "r", "accountant": "r"},
    "garage.loyalty.holdout": {"manager": "crud", "accountant": "r"},
    "garage.loyalty.holdout.customer": {"manager": "r", "accountant": "r"},
    "garage.loyalty.holdout.figure": {"manager": "r", "accountant": "r"},
    "garage.loyalty.lapse": {"advisor": "r", "manager": "r", "accountant": "r"},
    "garage.loyalty.regular.work": {"advisor": "r", "manager": "r", "accountant": "r"},
    "garage.loyalty.movement": {"advisor": "r", "manager": "r", "accountant": "r"},
    "garage.loyalty.movement.count": {
        "advisor": "r",
        "manager": "r",
        "accountant": "r",
    },
    "garage.loyalty.retention.check": {"manager": "r", "accountant": "r"},
    "garage.loyalty.retention.figure": {"manager": "r", "accountant": "r"},
    "garage.loyalty.bonus": {"advisor": "r", "manager": "r", "accountant": "r"},
    "garage.loyalty.candidate": {"advisor": "r", "manager": "r"},
    "garage.loyalty.enrol": {"advisor": "crud", "manager": "crud"},
    "garage.loyalty.enrol.many": {"advisor": "crud", "manager": "crud"},
    "garage.loyalty.enrol.many.line": {"advisor": "crud", "manager": "crud"},
    "garage.loyalty.invitation": {"advisor": "r", "manager": "r"},
    "garage.loyalty.redeem": {"advisor": "crud", "manager": "crud"},
    "garage.loyalty.status.change": {"advisor": "crud", "manager": "crud"},
    "garage.loyalty.adjustment": {
        "advisor": "crud",
        "manager": "crud",
        "accountant": "r",
    },
    "garage.loyalty.adjustment.reason": {
        "advisor": "r",
        "manager": "crud",
        "accountant": "r",
    },
}
OPERATIONS = {"c": "create", "r": "read", "u": "write", "d": "unlink"}

# Every method that anybody may call from outside. Before you add one, ask: what
# happens when somebody calls it by hand, on records and with arguments of their own?
PUBLIC = {
    "account.move": {
        "action_open_loyalty_entries",
        "action_redeem",
        "button_cancel",
        "button_draft",
        "copy_data",
        "unlink",
        "write",
    },
    "account.move.line": {"unlink", "write"},
    "account.partial.reconcile": {"create", "unlink"},
    "account.payment": {"write"},
    "garage.loyalty.adjustment": {
        "action_approve",
        "action_confirm",
        "action_open_undo",
        "action_refuse",
        "action_undo",
        "create",
        "write",
    },
    "garage.loyalty.approval.mixin": {"action_approve", "action_refuse"},
    "garage.loyalty.undo.mixin": {"action_open_undo", "action_undo"},
    "garage.loyalty.bonus.mixin": {"write"},
    "garage.loyalty.campaign": {"action_end", "action_start", "write"},
    "garage.loyalty.campaign.audience.mixin": {"action_open_audience"},
    "garage.loyalty.campaign.result.mixin": {"action_open_contacts"},
    "garage.loyalty.candidate": {"action_enrol"},
    "garage.loyalty.customer.contact.mixin": {
        "action_open_partner",
        "action_send_email",
        "action_send_sms",
    },
    "garage.loyalty.cohort": {"action_open_customers"},
    "garage.loyalty.roll.forward.tier": {"action_open_entries"},
    "garage.loyalty.roll.forward": {"action_open", "action_open_entries"},
    "garage.loyalty.accounting": {"action_book", "create", "write"},
    "garage.loyalty.booking": {"action_book_again", "action_open_moves"},
    "garage.loyalty.reconciliation": {
        "action_compare",
        "action_open_items",
        "action_sign",
        "create",
        "write",
    },
    "garage.loyalty.liability": {"action_open", "action_open_member"},
    "garage.loyalty.liability.date": {"action_show"},
    "garage.loyalty.roll.forward.period": {"action_show"},
    "garage.loyalty.lot": {"write"},
    "garage.loyalty.statement": {"action_print"},
    "garage.loyalty.valuation": {"create", "write"},
    "garage.loyalty.valued.mixin": {"create", "write"},
    "garage.loyalty.estimate": {"write"},
    "garage.loyalty.review": {"write"},
    "garage.loyalty.review.job.mixin": {"action_review_now"},
    "garage.loyalty.estimate.job.mixin": {
        "action_compute",
        "action_open",
        "action_open_holdouts",
        "action_open_reports",
    },
    "garage.loyalty.holdout": {
        "action_invite",
        "action_open_customers",
        "create",
        "write",
    },
    "garage.loyalty.holdout.draw.mixin": {"action_draw"},
    "garage.loyalty.holdout.result.mixin": {"action_stop"},
    "garage.loyalty.export.mixin": {"export_data", "formatted_read_group"},
    "garage.loyalty.discounted.line.mixin": {"copy_data", "create", "write"},
    "garage.loyalty.discounted.order.mixin": {"copy_data"},
    "garage.loyalty.enrol": {"action_enrol"},
    "garage.loyalty.enrol.many": {"action_enrol", "action_invite"},
    "garage.loyalty.enrolment": {"action_open_source"},
    "garage.loyalty.entry": {"action_open_source"},
    "garage.loyalty.immutable.mixin": {"write"},
    "garage.loyalty.free.service.mixin": set(),
    "garage.loyalty.input.mixin": {"create", "write"},
    "garage.loyalty.invitation": {"action_decline"},
    "garage.loyalty.joining.mixin": {"create"},
    "garage.loyalty.history.mixin": {"action_open_history"},
    "garage.loyalty.member.bonus.mixin": {"create", "write"},
    "garage.loyalty.member.use.mixin": {"action_start_campaign", "unlink"},
    "garage.loyalty.movement": {"action_open", "action_open_customers"},
    "garage.loyalty.offered.customer.mixin": {"action_enrol"},
    "garage.loyalty.personal.offer": {"action_cancel", "action_decline"},
    "garage.loyalty.personal.reward.mixin": {"action_open_offers"},
    "garage.loyalty.regular.work": {"action_decline", "action_offer"},
    "garage.loyalty.partner.enrol.mixin": {"action_enrol_many"},
    "garage.loyalty.member": {
        "action_anonymise",
        "action_open_entries",
        "action_open_visits",
        "create",
        "write",
    },
    "garage.loyalty.member.status": {"write"},
    "garage.loyalty.offer.log": {"create", "write"},
    "garage.loyalty.priority.mixin": {"copy_data"},
    "garage.loyalty.privacy.mixin": {"action_anonymise"},
    "garage.loyalty.privilege": {"action_open_uses", "write"},
    "garage.loyalty.privileged.mixin": {
        "action_undo_loyalty_privilege",
        "action_use_loyalty_privilege",
    },
    "garage.loyalty.program.privileges.mixin": {"copy"},
    "garage.loyalty.program": {"action_open_app", "action_open_members", "write"},
    "garage.loyalty.setup": {"action_set_up"},
    "garage.loyalty.rules.mixin": {"action_check_ledger"},
    "garage.loyalty.standing.mixin": {"create", "write"},
    "garage.loyalty.tier": {"create", "write"},
    "garage.loyalty.tier.discount": {"create", "unlink", "write"},
    "garage.loyalty.status.mixin": {"action_release_tier"},
    "garage.loyalty.tier.rules.mixin": {"write"},
    "garage.loyalty.program.item.mixin": set(),
    "garage.loyalty.redeem": {"action_redeem", "action_remove"},
    "garage.loyalty.status.change": {"action_apply"},
    "garage.loyalty.redeemable.mixin": {"action_redeem"},
    "garage.loyalty.retention.action.mixin": {
        "action_open_figures",
        "action_open_missing",
        "action_recompute",
        "action_start_campaign",
    },
    "garage.loyalty.result": {"action_open_uses", "action_recompute", "create"},
    "garage.loyalty.reward": {"action_open_redemptions"},
    "repair.order": {
        "action_decline",
        "action_enrol",
        "action_give_points",
        "create",
        "write",
    },
    "product.category": {"write"},
    "product.template": {"write"},
    "res.company": {"create", "write"},
    "res.config.settings": {"action_open_loyalty_program"},
    "res.partner": {
        "action_enrol",
        "action_open_loyalty_member",
        "action_open_loyalty_visits",
        "write",
    },
    "sale.order": {
        "action_confirm",
        "action_draft",
        "action_redeem",
        "copy_data",
    },
    "garage.loyalty.warranty.mixin": {"action_use_loyalty_warranty"},
    "sale.order.line": {"copy_data", "create", "unlink", "write"},
}


@tagged("post_install", "-at_install")
class TestRights(GarageLoyaltyCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.user_by_role = {
            "advisor": cls._create_user("advisor", USER, *COUNTER),
            "manager": cls._create_user("manager", MANAGER),
            "accountant": cls._create_user("auditor", ACCOUNTANT),
            "internal": cls._create_user("internal"),
            "portal": new_test_user(cls.env, "portal", groups="base.group_portal"),
        }

    def test_rights_are_stated_for_every_model(self):
        models = {
            name
            for name, model in self.env.items()
            if model._original_module == "garage_loyalty" and not model._abstract
        }
        self.assertEqual(models, set(RIGHTS))

    def test_rights_of_every_group_on_every_model(self):
        for model, roles in RIGHTS.items():
            for role, user in self.user_by_role.items():
                records = self.env[model].with_user(user)
                allowed = {
                    letter
                    for letter, operation in OPERATIONS.items()
                    if records.has_access(operation)
                }
                with self.subTest(model=model, role=role):
                    self.assertEqual(allowed, set(roles.get(role, "")))

    def test_records_are_refused_to_users_without_loyalty_group(self):
        self._enrol(self.customer)
        self._pay(self._visit(self.customer)[1])
        for role in ("internal", "portal"):
            for model in RIGHTS:
                if self.env[model]._transient:
                    continue
                records = self.env[model].with_user(self.user_by_role[role])
                with (
                    self.subTest(role=role, model=model),
                    self.assertRaises(AccessError),
                ):
                    records.search([]).mapped("display_name")

    def test_partner_fields_are_hidden_without_loyalty_group(self):
        names = {
            "is_loyalty_member",
            "last_visit_date",
            "loyalty_member_id",
            "loyalty_points",
            "loyalty_status",
            "loyalty_tier_id",
            "visit_count",
        }
        for role, user in self.user_by_role.items():
            visible = names & set(self.customer.with_user(user).fields_get())
            with self.subTest(role=role):
                hidden = role in ("internal", "portal")
                self.assertEqual(visible, set() if hidden else names)

    def test_advisor_may_not_delete_a_member(self):
        member = self._enrol(self.customer).with_user(self.user_by_role["advisor"])
        with self.assertRaises(AccessError):
            member.unlink()

    def test_accountant_reads_the_ledger_and_changes_nothing(self):
        member = self._enrol(self.customer)
        self._pay(self._invoice(self.customer))
        mine = member.with_user(self.user_by_role["accountant"])
        self.assertEqual(mine.entry_ids.mapped("points"), [1000])
        with self.assertRaises(AccessError):
            mine.write({"note": "x"})
        for model, vals in {
            "garage.loyalty.enrol": {"partner_id": self.other.id},
            "garage.loyalty.status.change": {
                "member_id": member.id,
                "change": "leave",
            },
        }.items():
            with self.subTest(model=model), self.assertRaises(AccessError):
                mine.env[model].create(vals)

    def test_redeeming_needs_a_loyalty_user(self):
        self.program.minimum_redemption = 1
        self._enrol(self.customer)._post_points("adjust", 500, "2024-01-01")
        invoice = self._invoice(self.customer, post=False)
        clerk = self._create_user("clerk", "account.group_account_invoice", ACCOUNTANT)
        wizard = self.env["garage.loyalty.redeem"].create({"move_id": invoice.id})
        with self.assertRaises(AccessError):
            wizard.with_user(clerk).action_redeem()
        sparse = self._create_user("sparse", USER)
        theirs = self.env["garage.loyalty.redeem"].with_user(sparse)
        with self.assertRaises(AccessError):
            theirs.create({"move_id": invoice.id}).action_redeem()
        self.assertFalse(invoice.invoice_line_ids.loyalty_redemption_id)


@tagged("post_install", "-at_install")
class TestCompanies(GarageLoyaltyCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.elsewhere = cls.setup_other_company()["company"]
        cls.program.write({"point_value": 0.1, "minimum_redemption": 1})
        cls.silver.discount_ids = [Command.create({"percent": 10})]
        cls.member = cls._enrol(cls.customer)
        cls.member._post_points("adjust", 500, "2024-01-01", reason="Start")
        invoice = cls._invoice(cls.customer, post=False)
        cls._redeem(invoice, 100)
        invoice.action_post()
        cls._grant("priority")
        cls._visit(cls.customer)
        reason = cls._get_reason("thank_you").copy({"company_id": cls.company.id})
        cls._adjust(cls.member, 5, reason_id=reason.id)
        cls.env["garage.loyalty.bonus"]._give(
            [{**cls.member._prepare_bonus_vals("birthday"), "points": 5}]
        )
        cls.env["garage.loyalty.invitation"]._send(cls.other, cls.program)
        cls.member._set_tier(cls.silver)
        cls.env["garage.loyalty.qualification"].sudo().create(
            {"member_id": cls.member.id, "tier_id": cls.silver.id, "date": "2024-01-01"}
        )
        cls._invoice(cls.other, date=fields.Date.today())
        cls._miss(cls._create_customer("Carl Customer"))
        cls.env["garage.loyalty.retention.check"].sudo()._record(
            cls.company, month_number(fields.Date.today()) + 3
        )
        cls._make_regular(cls.other)
        cls._offer_personally(cls.customer)
        cls.env["garage.loyalty.result"].create({"company_id": cls.company.id})
        cls._hold_out(cls.other).sudo()._end(fields.Date.today())
        number = month_number(fields.Date.today()) - 1
        cls.env["garage.loyalty.review"].sudo()._record(cls.company, number, number)
        Estimate = cls.env["garage.loyalty.estimate"].sudo()
        Estimate._request(cls.company, fields.Date.today())
        cls._pay(cls._invoice(cls.customer))
        cls._book_points(first_month="2024-01-01")
        cls.env["garage.loyalty.valuation"].create(
            {"program_id": cls.program.id, "point_value": 0.2, "keep_balances": True}
        )
        cls.stranger = new_test_user(
            cls.env,
            "stranger",
            groups=",".join(("base.group_user", MANAGER, *COUNTER)),
            company_id=cls.elsewhere.id,
            company_ids=[Command.set(cls.elsewhere.ids)],
        )

    def test_figures_of_another_company_are_not_told_by_the_choice_of_a_programme(self):
        setup = self.env["garage.loyalty.setup"].with_user(self.stranger)
        with self.assertRaises(AccessError):
            setup.new({"program_id": self.program.id}).mapped("groups")
        with self.assertRaises(AccessError):
            setup.create({"program_id": self.program.id}).action_set_up()

    def test_enrolling_many_elsewhere_tells_nothing_and_invites_nobody(self):
        self.program.join_min_spend = 300
        Wizard = self.env["garage.loyalty.enrol.many"].with_user(self.stranger)
        vals = {
            "program_id": self.program.id,
            "partner_ids": [Command.set(self.other.ids)],
        }
        for read in (
            lambda: Wizard.create(vals).line_ids.mapped("enrol_refusal"),
            lambda: Wizard.new(vals).line_ids.mapped("enrol_refusal"),
            lambda: Wizard.create(vals).action_invite(),
        ):
            with self.assertRaises(AccessError):
                read()

    def test_enrolling_elsewhere_tells_nothing(self):
        self.program.join_min_spend = 300
        Wizard = self.env["garage.loyalty.enrol"].with_user(self.stranger)
        for name, vals in (
            ("refusal", {"program_id": self.program.id, "partner_id": self.other.id}),
            (
                "existing_member_id",
                {"company_id": self.company.id, "partner_id": self.customer.id},
            ),
        ):
            for make in (Wizard.new, Wizard.create):
                with self.subTest(name=name), self.assertRaises(AccessError):
                    make(vals).mapped(name)

    def test_manager_of_another_company_sets_no_tier(self):
        with self.assertRaises(AccessError):
            self.member.with_user(self.stranger)._fix_tier(self.gold, reason="Mine")

    def test_user_of_another_company_sees_none_of_our_rows(self):
        for model in RIGHTS:
            if self.env[model]._transient or not RIGHTS[model]:
                continue
            ours = self.env[model].search([("company_id", "=", self.company.id)])
            theirs = self.env[model].with_user(self.stranger)
            with self.subTest(model=model):
                self.assertTrue(ours, "nothing to hide")
                found = theirs.with_context(active_test=False).search([])
                self.assertFalse(found & ours.with_env(theirs.env))
                with self.assertRaises(AccessError):
                    theirs.browse(ours.ids).mapped("display_name")
                    theirs.browse(ours.ids).read(["company_id"])

    def test_report_of_another_company_is_empty(self):
        Report = self.env["garage.loyalty.visit.report"].with_user(self.stranger)
        groups = Report._read_group([], ["company_id"], ["visit_count:sum", "aro:avg"])
        self.assertEqual(groups, [])

    def test_partner_shows_nothing_of_another_company(self):
        theirs = self.customer.with_user(self.stranger)
        self.assertFalse(theirs.loyalty_member_id)
        self.assertEqual(theirs.visit_count, 0)

    def test_membership_of_another_company_cannot_be_changed(self):
        env = self.env(user=self.stranger)
        with self.assertRaises(AccessError):
            env["garage.loyalty.status.change"].create(
                {"member_id": self.member.id, "change": "leave"}
            ).action_apply()
        with self.assertRaises(AccessError):
            self._adjust(self.member, 5, self.stranger)
        with self.assertRaises(AccessError):
            env["garage.loyalty.member"].create(
                {"partner_id": self.other.id, "program_id": self.program.id}
            )


@tagged("post_install", "-at_install")
class TestFlows(GarageLoyaltyCommon):
    """The host's own work goes on, whoever does it and whatever their loyalty group."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.program.write(
            {"point_value": 0.1, "minimum_redemption": 1, "labour_cap": 100}
        )

    def _start(self, points=1000):
        member = self._enrol(self.customer)
        member._post_points("adjust", points, "2024-01-01", reason="Start")
        return member

    # -- at the counter ---------------------------------------------------------

    def test_advisor_does_it_all_at_the_counter(self):
        advisor = self._create_user("advisor", USER, *COUNTER)
        customer = self.customer.with_user(advisor)
        repair = self._create_repair(customer, hours=2)
        context = repair.action_enrol()["context"]
        wizard = repair.env["garage.loyalty.enrol"].with_context(**context)
        wizard.create({"consent_terms": True}).action_enrol()
        member = customer.loyalty_member_id
        self.assertEqual(member.enrolled_by_id, advisor)
        member.sudo()._post_points("adjust", 500, "2024-01-01", reason="Start")
        order = repair.sale_order_id
        redemption = self._redeem(order, 400)
        self.assertEqual(redemption.user_id, advisor)
        order.action_confirm()
        self.assertEqual(member.points, 100)
        self._finish(repair)
        invoice = order._create_invoices()
        invoice.action_post()
        self._pay(invoice)
        earned = invoice.loyalty_points_earned
        self.assertGreater(earned, 0)
        self.assertEqual(member.points, 100 + earned)
        self.assertEqual(repair.loyalty_points_earned, earned)
        self.assertAlmostEqual(repair.amount_invoiced, invoice.amount_untaxed)
        self.assertEqual(
            member.entry_ids.filtered(lambda e: e.kind != "adjust").user_id, advisor
        )

    def test_advisor_suspends_and_resumes(self):
        advisor = self._create_user("advisor", USER)
        member = self._start().with_user(advisor)
        for change, state in (("suspend", "suspended"), ("come_back", "active")):
            member.env["garage.loyalty.status.change"].create(
                {"member_id": member.id, "change": change}
            ).action_apply()
            self.assertEqual(member.state, state)
        changes = member.status_ids.filtered(lambda row: row.reason != "Enrolled")
        self.assertEqual(changes.mapped("user_id"), advisor)
        self.assertEqual(len(changes), 2)

    # -- accounting -------------------------------------------------------------

    def test_accounting_user_without_loyalty_group_moves_points(self):
        member = self._start(0)
        clerk = self._create_user("clerk", "account.group_account_invoice")
        invoice = self._invoice(self.customer.with_user(clerk))
        self._pay(invoice)
        self.assertEqual(member.points, 1000)
        credit = self._credit(invoice, 250)
        self.assertEqual(member.points, 750)
        credit.button_draft()
        credit.button_cancel()
        self.assertEqual(member.points, 1000)
        invoice.button_draft()
        invoice.button_cancel()
        self.assertEqual(member.points, 0)
        self.assertEqual(member.entry_ids.user_id, clerk)

    def test_accounting_user_without_loyalty_group_handles_redeemed_invoices(self):
        member = self._start()
        clerk = self._create_user("clerk", "account.group_account_invoice")
        invoice = self._invoice(self.customer, post=False)
        self._redeem(invoice, 400)
        theirs = invoice.with_user(clerk)
        theirs.action_post()
        self.assertEqual(member.points, 600)
        self.assertEqual(theirs.loyalty_points_redeemed, 400)
        self._credit(theirs)
        self.assertEqual(member.points, 1000)
        second = self._invoice(self.customer, post=False)
        redemption = self._redeem(second, 400)
        line = second.invoice_line_ids.filtered("loyalty_redemption_id")
        second.with_user(clerk).invoice_line_ids = [Command.delete(line.id)]
        self.assertEqual(redemption.state, "released")
        third = self._invoice(self.customer, post=False)
        redemption = self._redeem(third, 400)
        third.with_user(clerk).unlink()
        self.assertEqual(redemption.state, "released")
        self.assertEqual(member.points, 1000)

    def test_accounting_user_without_loyalty_group_unreconciles(self):
        member = self._start(0)
        clerk = self._create_user("clerk", "account.group_account_user")
        invoice = self._invoice(self.customer.with_user(clerk))
        payment = self._pay(invoice)
        invoice.line_ids.remove_move_reconcile()
        self.assertEqual(member.points, 0)
        receivable = (invoice.line_ids + payment.move_id.line_ids).filtered(
            lambda line: line.account_id.account_type == "asset_receivable"
        )
        receivable.reconcile()
        self.assertEqual(member.points, 1000)
        payment.action_draft()
        payment.action_cancel()
        self.assertEqual((invoice.payment_state, member.points), ("not_paid", 0))

    # -- workshop and sales -----------------------------------------------------

    def test_stock_user_without_loyalty_group_opens_and_finishes_repairs(self):
        self._start(0)
        mechanic = self._create_user("mechanic", "stock.group_stock_user")
        repair = self._create_repair(self.customer, hours=1)
        repair.sale_order_id.action_confirm()
        theirs = repair.with_user(mechanic)
        self._finish(theirs)
        self._bill(repair.sale_order_id)
        self.assertEqual(theirs.state, "done")
        self.assertTrue(theirs.is_member_visit)
        self.assertEqual(theirs.amount_invoiced, 200)
        theirs.under_warranty = True
        self.assertTrue(repair.sudo().visit_ids.is_warranty)

    def test_salesman_without_loyalty_group_handles_redeemed_quotations(self):
        member = self._start()
        salesman = self._create_user(
            "salesman", "sales_team.group_sale_salesman_all_leads"
        )
        order = self._create_repair(self.customer, hours=2).sale_order_id
        self._redeem(order, 400)
        theirs = order.with_user(salesman)
        theirs.action_confirm()
        self.assertEqual(member.points, 600)
        theirs._action_cancel()
        self.assertEqual(member.points, 1000)
        theirs.action_draft()
        self.assertAlmostEqual(theirs.copy().amount_total, 345)
        theirs.order_line.filtered("loyalty_redemption_id")[:1].unlink()
        self.assertFalse(theirs.order_line.loyalty_redemption_id)

    # -- what the host's users read ---------------------------------------------

    def _read_view(self, records, kind):
        """Read what the client reads to show ``records`` in a view of ``kind``."""
        if kind == "form":
            for record in records:
                Form(record)
            return
        view = records.get_views([(False, kind)])["views"][kind]
        specification = {}
        for node in etree.fromstring(view["arch"]).iter("field"):
            name = node.get("name")
            field = records._fields.get(name)
            if field:
                related = {"fields": {"display_name": {}}}
                specification[name] = related if field.type == "many2one" else {}
        self.assertTrue(specification)
        found = records.web_search_read([("id", "in", records.ids)], specification)
        self.assertEqual(len(found["records"]), len(records))

    def test_users_without_loyalty_group_read_the_hosts_views_and_records(self):
        member = self._start()
        repair, invoice = self._visit(self.customer)
        self._pay(invoice)
        open_repair = self._create_repair(self.customer)
        order = open_repair.sale_order_id
        quotation = self._create_repair(self.customer, hours=1).sale_order_id
        redeemed = self._redeem(quotation, 100).order_id
        draft = self._invoice(self.customer, post=False)
        self._redeem(draft, 100)
        for groups, records, kinds in (
            ("stock.group_stock_user", repair | open_repair, "form list kanban"),
            (COUNTER[0], order | redeemed, "form list kanban"),
            (COUNTER[0], redeemed.order_line, ""),
            (COUNTER[2], invoice | draft, "form list kanban"),
            (COUNTER[2], draft.invoice_line_ids, ""),
            ("base.group_user", member.partner_id, "form list kanban"),
        ):
            login = f"reads {records._name} {kinds}"
            theirs = records.with_user(self._create_user(login, groups))
            for kind in kinds.split():
                with self.subTest(model=records._name, kind=kind):
                    self._read_view(theirs, kind)
            ours = [
                name
                for name in theirs.fields_get()
                if "garage_loyalty" in records._fields[name]._modules
            ]
            for names in ([*ours, "display_name"], *([name] for name in ours)):
                with self.subTest(model=records._name, fields=names):
                    self.env.invalidate_all()
                    theirs.read(names)

    def test_loyalty_users_read_the_hosts_views_with_the_badge(self):
        self._start()
        repair, _invoice = self._visit(self.customer)
        advisor = self._create_user("advisor", USER, *COUNTER)
        for records in (repair, repair.sale_order_id, _invoice, self.customer):
            for kind in ("form", "list", "kanban"):
                with self.subTest(model=records._name, kind=kind):
                    self._read_view(records.with_user(advisor), kind)


@tagged("post_install", "-at_install")
class TestRemoteCalls(GarageLoyaltyCommon):
    def _get_considered(self, name):
        """Return what is listed for a model and for all that it inherits from."""
        parents = (
            parent
            for parent in PUBLIC
            if parent != name and name in self.env[parent]._inherit_children
        )
        return PUBLIC.get(name, set()).union(*map(self._get_considered, parents))

    def _get_public_methods(self, model):
        """Return the methods that the add-on defines and anybody may call."""
        names = {
            name
            for cls in type(model).mro()
            if cls.__module__.startswith("odoo.addons.garage_loyalty.")
            for name, value in vars(cls).items()
            if callable(value) and not name.startswith("_")
        }
        return {name for name in names if self._is_public(model, name)}

    def _is_public(self, model, name):
        try:
            get_public_method(model, name)
        except AccessError:
            return False
        return True

    def test_every_public_method_was_considered(self):
        found = {
            name: methods
            for name, model in self.env.items()
            if (methods := self._get_public_methods(model))
        }
        for name in found.keys() | PUBLIC.keys():
            with self.subTest(model=name):
                self.assertEqual(found.get(name, set()), self._get_considered(name))

    def test_methods_that_move_points_cannot_be_called_from_outside(self):
        member = self._enrol(self.customer)
        manager = self._create_user("manager", MANAGER)
        for name, args in (
            ("_post_points", ["adjust", 100, "2024-01-01"]),
            ("_change_balance", [100, False]),
            ("_set_tier", [self.gold.id]),
            ("_leave", []),
        ):
            with self.subTest(method=name), self.assertRaises(AccessError):
                call_kw(member.with_user(manager), name, [member.ids, *args], {})
        self.assertLedger(member)

    def test_actions_from_outside_need_rights(self):
        member = self._enrol(self.customer)
        self._pay(self._invoice(self.customer))
        internal = self.env(user=self._create_user("internal"))
        for record, name in (
            (member.entry_ids, "action_open_source"),
            (member, "action_open_visits"),
        ):
            with self.subTest(method=name), self.assertRaises(AccessError):
                call_kw(internal[record._name], name, [record.ids], {})
