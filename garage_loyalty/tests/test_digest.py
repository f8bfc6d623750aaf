from datetime import datetime

from lxml import etree

from odoo import Command
from odoo.exceptions import AccessError
from odoo.tests import Form, freeze_time, tagged
from odoo.tools.safe_eval import safe_eval

from .common import ACCOUNTANT, MANAGER, USER, GarageLoyaltyCommon

KPIS = ("aro", "visits", "new_members", "redeemed")


@tagged("post_install", "-at_install")
class TestDigest(GarageLoyaltyCommon):
    """The figures of the host's digest, by whole days."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._spend_without_limits()
        cls.member = cls._enrol(cls.customer, date="2024-05-06")
        cls.member._post_points("adjust", 1000, "2024-05-06", reason="Start")
        cls._visit(cls.customer, "2024-05-06", parts=2, hours=1)
        cls._visit(cls.customer, "2024-05-07", parts=4, hours=2)
        cls._visit(cls.customer, "2024-05-08", parts=9, hours=9)
        cls._visit(cls.customer, "2024-05-07", parts=9, hours=9, under_warranty=True)
        cls._visit(cls.other, "2024-05-07", parts=20, hours=9)
        cls.digest = cls.env["digest.digest"].create(
            {
                "name": "Workshop",
                "company_id": cls.company.id,
                **{f"kpi_loyalty_{name}": True for name in KPIS},
            }
        )

    def _values(self, start, end, digest=None):
        """Return the figures between two moments."""
        digest = (digest or self.digest).with_context(
            start_datetime=datetime.fromisoformat(start),
            end_datetime=datetime.fromisoformat(end),
        )
        digest.invalidate_recordset()
        return tuple(digest[f"kpi_loyalty_{name}_value"] for name in KPIS)

    def test_figures_count_whole_days_of_the_period(self):
        found = self._values("2024-05-06 08:00", "2024-05-08 08:00")
        self.assertEqual(found, (300, 2, 1, 0))

    def test_each_day_counts_in_one_period_only(self):
        before = self._values("2024-05-05 08:00", "2024-05-07 08:00")
        after = self._values("2024-05-07 08:00", "2024-05-09 08:00")
        self.assertEqual(before, (200, 1, 1, 0))
        self.assertEqual(after, ((400 + 1350) / 2, 2, 0, 0))

    def test_figures_without_visits_are_zero(self):
        found = self._values("2023-05-06 08:00", "2023-06-06 08:00")
        self.assertEqual(found, (0, 0, 0, 0))

    def test_figures_without_a_period_are_zero(self):
        found = tuple(self.digest[f"kpi_loyalty_{name}_value"] for name in KPIS)
        self.assertEqual(found, (0, 0, 0, 0))

    def test_redeemed_points_are_less_what_was_given_back(self):
        post = self.member._post_points
        post("redeem", -300, "2024-05-06", reason="Spent")
        post("restore", 100, "2024-05-07", reason="Given back")
        found = self._values("2024-05-06 00:00", "2024-05-08 00:00")
        self.assertEqual(found[-1], 200)

    def test_figures_are_those_of_the_comparison_as_it_opens(self):
        Report = self.env["garage.loyalty.visit.report"]
        action = self.env.ref("garage_loyalty.garage_loyalty_visit_report_action")
        search = etree.fromstring(action.search_view_id.arch)
        context = safe_eval(action.context)
        domain = [("membership", "=", "member"), ("date", "<", "2024-05-08")]
        # All of the default filters but the one of the period.
        for name in set(context) - {"search_default_filter_year"}:
            name = name.removeprefix("search_default_")
            domain += safe_eval(search.find(f".//filter[@name='{name}']").get("domain"))
        expected = Report._read_group(domain, [], ["aro:avg", "visit_count:sum"])
        found = self._values("2024-01-01 00:00", "2024-05-08 00:00")
        self.assertEqual([found[:2]], expected)

    def test_digest_without_a_company_is_about_the_users_own(self):
        everywhere = self.digest.copy({"company_id": False})
        found = self._values("2024-05-06 08:00", "2024-05-08 08:00", everywhere)
        self.assertEqual(found, (300, 2, 1, 0))

    def test_other_company_has_figures_of_its_own(self):
        company = self.setup_other_company()["company"]
        digest = self.digest.copy({"company_id": company.id})
        found = self._values("2024-05-06 08:00", "2024-05-08 08:00", digest)
        self.assertEqual(found, (0, 0, 0, 0))
        self.assertEqual(digest.currency_id, company.currency_id)

    def test_branch_that_shares_accounts_counts_members_of_the_company(self):
        branch = self.env["res.company"].create(
            {"name": "Branch", "parent_id": self.company.id}
        )
        self.env.user.company_ids += branch
        self.program.share_branches = True
        digest = self.digest.copy({"company_id": branch.id})
        found = self._values("2024-05-06 08:00", "2024-05-08 08:00", digest)
        self.assertEqual(found, (0, 0, 1, 0))

    # -- who gets which figures ------------------------------------------------------

    def _shown(self, *groups):
        user = self._create_user(f"digest_{len(groups)}", *groups)
        with freeze_time("2024-05-08 12:00"):
            kpis = self.digest._compute_kpis(self.company, user)
        return {kpi["kpi_name"].removeprefix("kpi_loyalty_"): kpi for kpi in kpis}

    def test_owner_gets_every_figure_with_a_report_to_open(self):
        shown = self._shown(MANAGER)
        self.assertEqual(set(shown), set(KPIS))
        self.assertIn("400", shown["aro"]["kpi_col1"]["value"])
        self.assertEqual(shown["visits"]["kpi_col2"]["value"], 2)
        for kpi in shown.values():
            xml_id = kpi["kpi_action"].partition("?")[0]
            self.assertEqual(self.env.ref(xml_id)._name, "ir.actions.act_window")

    def test_accountant_gets_every_figure(self):
        self.assertEqual(set(self._shown(ACCOUNTANT)), set(KPIS))

    def test_advisor_gets_no_figure_of_the_comparison(self):
        self.assertEqual(set(self._shown(USER)), {"new_members", "redeemed"})

    def test_other_users_get_no_figure(self):
        self.assertFalse(self._shown())
        digest = self.digest.with_user(self._create_user("outsider"))
        for name in KPIS:
            with self.assertRaises(AccessError):
                digest.mapped(f"kpi_loyalty_{name}_value")

    # -- the host's side -------------------------------------------------------------

    def test_nothing_is_switched_on_by_itself(self):
        digest = self.env["digest.digest"].create({"name": "New"})
        self.assertFalse(any(digest[f"kpi_loyalty_{name}"] for name in KPIS))

    def test_form_offers_the_figures(self):
        self.env.user.group_ids += self.env.ref("base.group_system")
        with Form(self.digest) as form:
            form.kpi_loyalty_aro = False
        self.assertFalse(self.digest.kpi_loyalty_aro)

    def test_mail_contains_the_figures(self):
        owner = self._create_user("owner_of_mail", MANAGER)
        self.digest.user_ids = [Command.set(owner.ids)]
        self.digest.action_send_manual()
        mail = self.env["mail.mail"].search([("email_to", "=", owner.email_formatted)])
        self.assertIn("Average Repair Order of Members", mail.body_html)
        self.assertIn(
            "garage_loyalty.garage_loyalty_visit_report_action", mail.body_html
        )
