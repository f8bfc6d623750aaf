from odoo.tests import freeze_time, tagged

from ..tools.movement import month_number, month_start
from .common import ACCOUNTANT, MANAGER, GarageLoyaltyCommon

TODAY = "2024-06-15"


class UseCommon(GarageLoyaltyCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Use = cls.env["garage.loyalty.use"]
        cls.Month = cls.env["garage.loyalty.member.month"]
        cls.Cohort = cls.env["garage.loyalty.earning.cohort"]
        cls.First = cls.env["garage.loyalty.first.redemption"]
        cls.Changed = cls.env["garage.loyalty.changed.customer"]

    def _months(self, partner=None, company=None):
        """Return the rows of a customer by month, as text."""
        self.env.invalidate_all()
        rows = self.Use.search(
            [
                ("company_id", "=", (company or self.company).id),
                ("partner_id", "=", (partner or self.customer).id),
            ]
        )
        return {str(row.month)[:7]: row for row in rows}

    def _process(self):
        self.Changed._process(10**6)
        self.env.invalidate_all()

    def _use(self, *measures, groupby=(), domain=()):
        domain = [("company_id", "=", self.company.id), *domain]
        return self.Use._read_group(domain, groupby, measures)

    def _cohort(self, month, origin="earned"):
        self.env.invalidate_all()
        return self.Cohort.search(
            [
                ("company_id", "=", self.company.id),
                ("month", "=", f"{month}-01"),
                ("origin", "=", origin),
            ]
        )


@tagged("post_install", "-at_install")
@freeze_time(TODAY)
class TestUse(UseCommon):
    """Who counts as a member of a month, and what counts as use."""

    def test_member_on_one_day_of_the_month_is_a_member_of_it(self):
        member = self._enrol(self.customer, "2024-01-31")
        member._leave("2024-03-01")
        self.assertEqual(sorted(self._months()), ["2024-01", "2024-02"])
        member._come_back("2024-05-31")
        months = sorted(self._months())
        self.assertEqual(months, ["2024-01", "2024-02", "2024-05", "2024-06"])

    def test_suspended_and_gone_the_same_day_are_no_members(self):
        member = self._enrol(self.customer, "2024-05-10")
        member._suspend("2024-05-10")
        self.assertFalse(self._months())

    def test_tier_is_that_of_the_last_day_of_membership_in_the_month(self):
        member = self._enrol(self.customer, "2024-03-01", tier=self.bronze)
        member._set_tier(self.silver, "2024-04-10")
        member._set_tier(self.gold, "2024-04-30")
        member._leave("2024-05-20")
        tiers = {month: row.tier_id for month, row in self._months().items()}
        expected = {"2024-03": self.bronze, "2024-04": self.gold, "2024-05": self.gold}
        self.assertEqual(tiers, expected)

    def test_use_is_to_earn_and_to_redeem_and_no_gift(self):
        member = self._enrol(self.customer, "2024-01-01")
        member._post_points("earn", 100, "2024-01-31")
        member._post_points("adjust", 50, "2024-02-05")
        member._post_points("redeem", -30, "2024-03-05")
        member._post_points("expire", -20, "2024-04-05")
        active = {month for month, row in self._months().items() if row.is_active}
        self.assertEqual(active, {"2024-01", "2024-03"})
        figures = ("earned", "redeemed", "expired", "other")
        sums = self._use(*(f"{name}:sum" for name in figures))[0]
        self.assertEqual(sums, (100, 30, 20, 50))

    def test_what_is_taken_or_given_back_is_deducted(self):
        member = self._enrol(self.customer, "2024-01-01")
        member._post_points("earn", 100, "2024-01-31")
        member._post_points("clawback", -40, "2024-02-28")
        member._post_points("redeem", -30, "2024-03-05")
        member._post_points("restore", 30, "2024-03-06")
        measures = ("earned:sum", "redeemed:sum", "redemption_rate:avg")
        self.assertEqual(self._use(*measures)[0], (60, 0, 0))

    def test_ratio_without_a_denominator_is_empty_and_not_zero(self):
        self._enrol(self.customer, "2024-01-01")
        measures = ("active_share:avg", "redemption_rate:avg", "breakage_rate:avg")
        share, *rates = self._use(*measures)[0]
        self.assertEqual(share, 0)
        self.assertIsNot(share, False)
        self.assertEqual(rates, [False, False])

    def test_active_members_are_members(self):
        member = self._enrol(self.customer, "2024-01-01")
        member._leave("2024-02-10")
        member._post_points("earn", 100, "2024-03-31")
        row = self._months()["2024-03"]
        self.assertEqual(
            (row.earned, row.is_member, row.is_active), (100, False, False)
        )
        counts = self._use("member_count:count_distinct", "active_count:count_distinct")
        self.assertEqual(counts, [(1, 0)])

    def test_totals_count_customers_and_not_months(self):
        for partner in (self.customer, self.other):
            member = self._enrol(partner, "2024-01-01")
            member._post_points("earn", 10, "2024-02-01")
            if partner == self.other:
                member._post_points("earn", 10, "2024-03-01")
        measures = ("active_count:count_distinct", "active_share:avg")
        self.assertEqual(self._use(*measures), [(2, 100)])
        groups = self._use(*measures, groupby=["month:month"])
        shares = {str(month)[:7]: share for month, _count, share in groups}
        self.assertEqual(shares["2024-03"], 50)
        self.assertEqual(shares["2024-04"], 0)
        quarters = self._use(*measures, groupby=["month:quarter"])
        self.assertEqual([row[1:] for row in quarters], [(2, 100), (0, 0)])

    def test_merged_accounts_are_one_member(self):
        mine = self._enrol(self.customer, "2024-01-01")
        theirs = self._enrol(self.other, "2024-02-01")
        mine._post_points("earn", 10, "2024-01-05")
        theirs._post_points("earn", 20, "2024-03-05")
        self._process()
        self.other.parent_id = self.customer
        for _time in range(2):
            rows = self._months()
            used = [month for month, row in rows.items() if row.is_active]
            self.assertEqual(sorted(used), ["2024-01", "2024-03"])
            self.assertEqual(sum(row.earned for row in rows.values()), 30)
            self.assertFalse(self._months(self.other))
            self._process()

    def test_documents_show_at_once_and_after_the_job(self):
        self._enrol(self.customer, "2024-01-01")
        self._process()
        self._pay(self._invoice(self.customer, date="2024-02-01"))
        for _time in range(2):
            self.assertEqual(self._months()["2024-02"].earned, 1000)
            self._process()
        self.assertEqual(self.Month._sync(self.customer.ids), 0)

    def test_month_that_begins_is_there_before_the_nightly_job(self):
        self._enrol(self.customer, "2024-05-01")
        self._process()
        with freeze_time("2024-07-01"):
            self.assertIn("2024-07", self._months())
        self.assertNotIn("2024-07", self._months())

    def test_member_who_is_deleted_was_never_there(self):
        member = self._enrol(self.customer, "2024-05-01")
        self._process()
        member.unlink()
        self.assertFalse(self._months())
        self._process()
        self.assertFalse(self.Month.search([("partner_id", "=", self.customer.id)]))

    def test_grouping_sets_agree_with_single_groups(self):
        self._enrol(self.customer, "2024-01-01")._post_points("earn", 9, "2024-02-01")
        self._enrol(self.other, "2024-03-01", tier=self.gold)
        measures = ["member_count:count_distinct", "active_share:avg", "earned:sum"]
        sets = [[], ["month:quarter"], ["month:quarter", "tier_id"]]
        domain = [("company_id", "=", self.company.id)]
        found = self.Use.formatted_read_grouping_sets(domain, sets, measures)
        for groupby, groups in zip(sets, found, strict=True):
            single = self.Use.formatted_read_group(domain, groupby, measures)
            with self.subTest(groupby=groupby):
                self.assertEqual(
                    [[group[name] for name in measures] for group in groups],
                    [[group[name] for name in measures] for group in single],
                )

    def test_managers_and_accountants_read_what_others_must_not(self):
        self._enrol(self.customer, "2024-01-01")
        for number, group in enumerate((MANAGER, ACCOUNTANT)):
            user = self._create_user(f"reader{number}", group)
            groups = self.Use.with_user(user)._read_group(
                [], aggregates=["member_count:count_distinct"]
            )
            self.assertEqual(groups, [(1,)])


@tagged("post_install", "-at_install")
@freeze_time(TODAY)
class TestEarningCohort(UseCommon):
    """What became of the points that were earned in one month."""

    def setUp(self):
        super().setUp()
        self.program.point_value = 0.5
        self.member = self._enrol(self.customer, "2022-01-01")

    def _assert_whole(self, row):
        parts = (row.redeemed, row.expired, row.other, row.left_points)
        self.assertEqual(row.earned, sum(parts))

    def test_points_are_followed_from_where_they_were_earned(self):
        self.member._post_points("earn", 100, "2023-01-31")
        self.member._post_points("earn", 50, "2024-05-05")
        self.member._post_points("redeem", -60, "2023-04-30")
        self.member._post_points("expire", -10, "2024-02-01")
        row = self._cohort("2023-01")
        self.assertEqual((row.earned, row.redeemed, row.expired), (100, 60, 10))
        self.assertEqual((row.redemption_rate, row.breakage_rate), (60, 10))
        self.assertEqual((row.left_points, row.left_value), (30, 15))
        self.assertEqual((row.rate_3, row.rate_12), (60, 60))
        self._assert_whole(row)
        self.assertEqual(self._cohort("2024-05").left_points, 50)

    def test_month_after_the_span_is_too_late(self):
        self.member._post_points("earn", 100, "2023-01-31")
        self.member._post_points("redeem", -60, "2023-05-01")
        row = self._cohort("2023-01")
        self.assertEqual((row.redeemed_3, row.redeemed_6), (0, 60))

    def test_cohort_that_is_not_old_enough_is_empty_and_not_zero(self):
        self.member._post_points("earn", 100, "2024-03-01")
        row = self._cohort("2024-03")
        self.assertEqual((row.due_3, row.is_running), (0, False))
        domain = [("company_id", "=", self.company.id)]
        figures = self.Cohort._read_group(
            domain, [], ["rate_3:avg", "redemption_rate:avg"]
        )
        self.assertIs(figures[0][0], False)
        self.assertIsNot(figures[0][1], False)
        with freeze_time("2024-07-01"):
            self.assertEqual(self._cohort("2024-03").due_3, 100)

    def test_what_is_taken_back_was_not_earned(self):
        self.member._post_points("earn", 100, "2024-01-05")
        self.member._post_points("clawback", -40, "2024-02-05")
        row = self._cohort("2024-01")
        self.assertEqual((row.earned, row.taken_back), (60, 40))
        self._assert_whole(row)

    def test_what_is_given_back_was_not_redeemed(self):
        self.program.write({"minimum_redemption": 1, "point_value": 0.1})
        self.member._post_points("earn", 500, "2024-01-05")
        invoice = self._invoice(self.customer, post=False)
        self._redeem(invoice, 100)
        invoice.action_post()
        self.assertEqual(self._cohort("2024-01").redeemed, 100)
        self._credit(invoice)
        row = self._cohort("2024-01")
        self.assertEqual((row.redeemed, row.left_points), (0, 500))
        self._assert_whole(row)

    def test_moved_points_are_counted_once(self):
        other = self._enrol(self.other, "2022-01-01")
        self.member._post_points("earn", 100, "2024-01-05")
        self.member._transfer_points(other, 30, "2024-02-05", self.member, "Gift")
        other._post_points("redeem", -10, "2024-03-05")
        row = self._cohort("2024-01")
        self.assertEqual((row.earned, row.redeemed, row.left_points), (100, 10, 90))
        self.assertFalse(self._cohort("2024-02"))

    def test_gifts_stand_apart(self):
        self.member._post_points("adjust", 70, "2024-01-05")
        self.assertFalse(self._cohort("2024-01"))
        self.assertEqual(self._cohort("2024-01", "gift").earned, 70)

    def test_left_points_are_the_balances(self):
        self.member._post_points("earn", 100, "2024-01-05")
        self.member._post_points("adjust", 11, month_start(month_number(self._today())))
        self.env.invalidate_all()
        rows = self.Cohort.search([("company_id", "=", self.company.id)])
        self.assertEqual(sum(rows.mapped("left_points")), self.member.points)

    def _today(self):
        return self.company._get_loyalty_today()
