from odoo import Command
from odoo.exceptions import ValidationError
from odoo.tests import tagged

from .common import USER, GarageLoyaltyCommon


@tagged("post_install", "-at_install")
class TestBranches(GarageLoyaltyCommon):
    """No point crosses a company, unless the programme says that branches share."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.branch = cls.env["res.company"].create(
            {
                "name": "Branch",
                "parent_id": cls.company.id,
                "country_id": cls.company.country_id.id,
            }
        )
        cls.env.user.company_ids += cls.branch
        accounts = cls.company_data
        for partner in (cls.customer, cls.other):
            partner.with_company(cls.branch).property_account_receivable_id = accounts[
                "default_account_receivable"
            ]
        cls.labour.with_company(cls.branch).property_account_income_id = accounts[
            "default_account_revenue"
        ]
        cls.program.earn_trigger = "posted"
        cls.member = cls._enrol(cls.customer)

    def _bill_in_branch(self, partner):
        return self._invoice(
            partner.with_company(self.branch), company_id=self.branch.id
        )

    def test_branch_keeps_its_own_accounts_by_default(self):
        self.assertEqual(self.branch.loyalty_company_id, self.branch)
        invoice = self._bill_in_branch(self.customer)
        self.assertFalse(invoice.loyalty_member_id)
        self.assertEqual(self.member.points, 0)

    def test_branches_that_share_give_points_to_one_account(self):
        self.program.share_branches = True
        self.assertEqual(self.branch.loyalty_company_id, self.company)
        invoice = self._bill_in_branch(self.customer)
        self.assertEqual(invoice.loyalty_member_id, self.member)
        self.assertEqual(self.member.points, 1000)
        visit = self.Visit.search([("move_id", "=", invoice.id)])
        self.assertTrue(visit.is_member)
        self.assertEqual(visit.company_id, self.branch)
        partner = self.customer.with_company(self.branch)
        self.assertEqual(partner.loyalty_member_id, self.member)
        found = partner.search([("is_loyalty_member", "=", True)])
        self.assertIn(self.customer, found)

    def test_branches_stop_sharing_when_the_switch_is_off(self):
        self.program.share_branches = True
        self.program.share_branches = False
        self.assertEqual(self.branch.loyalty_company_id, self.branch)
        self.assertFalse(self._bill_in_branch(self.customer).loyalty_member_id)

    def test_branch_of_a_branch_shares_as_well(self):
        self.program.share_branches = True
        below = self.env["res.company"].create(
            {"name": "Below", "parent_id": self.branch.id}
        )
        self.assertEqual(below.loyalty_company_id, self.company)
        self.program.active = False
        self.assertEqual(below.loyalty_company_id, below)

    def test_customers_of_a_branch_enrol_in_the_shared_programme(self):
        self.program.share_branches = True
        Program = self.env["garage.loyalty.program"]
        self.assertEqual(Program._get_default(self.branch), self.program)

    def test_branch_with_members_of_its_own_cannot_share(self):
        own = self.env["garage.loyalty.program"].search(
            [("company_id", "=", self.branch.id)]
        )
        self._enrol(self.other, program=own)
        with self.assertRaisesRegex(ValidationError, "Branch has members of its own"):
            self.program.share_branches = True

    def test_advisor_of_a_branch_sees_shared_accounts_only(self):
        advisor = self._create_user("branch_advisor", USER)
        advisor.write(
            {
                "company_id": self.branch.id,
                "company_ids": [Command.set(self.branch.ids)],
            }
        )
        Member = self.Member.with_user(advisor).with_company(self.branch)
        Member = Member.with_context(allowed_company_ids=self.branch.ids)
        self.assertNotIn(self.member, Member.search([]))
        self.program.share_branches = True
        self.member._post_points("adjust", 10, "2024-01-01")
        self.assertIn(self.member, Member.search([]))
        for model in ("entry", "lot", "program", "tier", "member.status"):
            records = Member.env[f"garage.loyalty.{model}"].search([])
            with self.subTest(model=model):
                self.assertTrue(records.mapped("display_name"))

    def test_points_are_spent_in_a_branch(self):
        self.program.write({"share_branches": True, "minimum_redemption": 1})
        self.member._post_points("adjust", 500, "2024-01-01")
        invoice = self._invoice(
            self.customer.with_company(self.branch),
            company_id=self.branch.id,
            post=False,
        )
        self._redeem(invoice, 100)
        invoice.action_post()
        self.assertEqual(self.member.points, 500 - 100 + invoice.loyalty_points_due)

    def test_personal_offer_is_made_and_redeemed_in_a_branch(self):
        self.program.share_branches = True
        advisor = self._create_user("branch", USER, "account.group_account_invoice")
        advisor.write(
            {
                "company_ids": [Command.set(self.branch.ids)],
                "company_id": self.branch.id,
            }
        )
        offer = self._offer_personally(self.customer, company_id=self.branch.id)
        self.assertEqual(offer.company_id, self.company)
        invoice = self._invoice(
            self.customer.with_user(advisor),
            [(self.labour, 1, 100)],
            company_id=self.branch.id,
            post=False,
        )
        Wizard = invoice.env["garage.loyalty.redeem"]
        wizard = Wizard.create({"move_id": invoice.id})
        self.assertEqual(wizard.reward_id.id, offer.reward_id.id)
        wizard.action_redeem()
        invoice.action_post()
        self.assertEqual(offer.state, "used")
        offer.with_user(advisor).read(["display_name", "state", "cost"])

    def test_nightly_check_finds_nothing_to_do_in_a_branch(self):
        self.program.share_branches = True
        invoice = self._bill_in_branch(self.customer)
        self.env.flush_all()
        found = self.env.execute_query(self.Entry._get_mismatch_query())
        self.assertNotIn((invoice.id,), found)
