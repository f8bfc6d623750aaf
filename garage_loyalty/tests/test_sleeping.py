import random

from odoo.exceptions import AccessError
from odoo.tests import Form, freeze_time, tagged

from .common import MANAGER, USER
from .test_use import TODAY, UseCommon


@tagged("post_install", "-at_install")
@freeze_time(TODAY)
class TestSleeping(UseCommon):
    """Members who do not use the programme any more."""

    def _sleeping(self):
        self.env.invalidate_all()
        domain = [("company_id", "=", self.company.id), ("is_sleeping", "=", True)]
        found = self.Member.search(domain)
        members = self.Member.search([("company_id", "=", self.company.id)])
        # What one record says and what is found are the same rule, stated twice.
        self.assertEqual(found, members.filtered("is_sleeping"))
        awake = self.Member.search([*domain[:1], ("is_sleeping", "=", False)])
        self.assertEqual(awake, members - found)
        return found

    def test_who_has_not_used_points_for_six_months_sleeps(self):
        member = self._enrol(self.customer, "2023-01-01")
        member._post_points("earn", 100, "2023-12-15")
        for _time in range(2):
            self.assertEqual(self._sleeping(), member)
            self.Changed._process()
        member._post_points("redeem", -10, "2023-12-16")
        for _time in range(2):
            self.assertFalse(self._sleeping())
            self.Changed._process()
        self.assertEqual(str(member.last_used_date), "2023-12-16")

    def test_gifts_wake_nobody(self):
        member = self._enrol(self.customer, "2023-01-01")
        member._post_points("adjust", 100, "2024-06-01")
        self.assertEqual(self._sleeping(), member)
        self.assertFalse(member.last_used_date)

    def test_who_has_just_joined_or_has_left_does_not_sleep(self):
        self._enrol(self.customer, "2023-12-16")
        self._enrol(self.other, "2023-01-01")._leave()
        self.assertFalse(self._sleeping())

    def test_months_are_a_setting(self):
        member = self._enrol(self.customer, "2024-01-01")
        self.assertFalse(self._sleeping())
        self.company.loyalty_sleep_months = 3
        self.assertEqual(self._sleeping(), member)

    def test_account_that_survived_has_the_uses_of_the_others(self):
        mine = self._enrol(self.customer, "2023-01-01")
        theirs = self._enrol(self.other, "2023-02-01")
        theirs._post_points("earn", 20, "2024-03-05")
        self.other.parent_id = self.customer
        for _time in range(2):
            self.assertFalse(self._sleeping())
            self.Changed._process()
        self.assertEqual(str(mine.last_used_date), "2024-03-05")

    def test_lists_sort_by_last_use(self):
        mine = self._enrol(self.customer, "2023-01-01")
        theirs = self._enrol(self.other, "2023-01-01")
        mine._post_points("earn", 20, "2023-03-05")
        theirs._post_points("earn", 20, "2023-02-05")
        self.Changed._process()
        members = mine | theirs
        found = self.Member.search([("id", "in", members.ids)], order="last_used_date")
        self.assertEqual(found, theirs | mine)

    def test_manager_starts_a_campaign_for_chosen_members(self):
        member = self._enrol(self.customer, "2023-01-01")
        member.consent_marketing = True
        self._invoice(self.customer, date="2023-02-01")
        self._invoice(self.other, date="2023-02-01")
        self.Changed._process()
        owner = self._create_user("owner_of_sleepers", MANAGER)
        action = member.with_user(owner).action_start_campaign()
        Campaign = self.env[action["res_model"]].with_user(owner)
        form = Form(Campaign.with_context(**action["context"]))
        form.activity_type_id = self.env.ref("mail.mail_activity_data_call")
        campaign = form.save()
        self.assertEqual(campaign.audience_count, 1)

    def test_advisor_sees_sleepers_and_starts_no_campaign(self):
        member = self._enrol(self.customer, "2023-01-01")
        advisor = self._create_user("advisor_of_sleepers", USER)
        theirs = self.Member.with_user(advisor).search([("is_sleeping", "=", True)])
        self.assertEqual(theirs.ids, member.ids)
        self.assertFalse(theirs.last_used_date)
        with self.assertRaises(AccessError):
            theirs.action_start_campaign()


@tagged("post_install", "-at_install")
@freeze_time(TODAY)
class TestFirstRedemption(UseCommon):
    """How long it took members to redeem points for the first time."""

    def setUp(self):
        super().setUp()
        self._spend_without_limits()

    def _pay_with_points(self, member, day, points=10):
        invoice = self._invoice(member.partner_id, date=day, post=False)
        self._redeem(invoice, points)
        invoice.action_post()
        return invoice

    def _figures(self, *measures):
        self.env.invalidate_all()
        domain = [("company_id", "=", self.company.id)]
        return self.First._read_group(domain, [], measures)[0]

    def _join(self, name, day="2024-01-01"):
        member = self._enrol(self._create_customer(name), day)
        member._post_points("adjust", 1000, day)
        return member

    def test_days_from_joining_to_the_first_of_several(self):
        member = self._join("Ann")
        self._pay_with_points(member, "2024-02-01")
        self._pay_with_points(member, "2024-01-11")
        self.assertEqual(self._figures("days:avg", "median_days:avg"), (10, 10))

    def test_average_and_median_leave_out_who_never_redeemed(self):
        for name, day in (("A", "02"), ("B", "04"), ("C", "31")):
            self._pay_with_points(self._join(name), f"2024-01-{day}")
        self._join("D")
        measures = ("member_count:sum", "redeemed_share:avg", "median_days:avg")
        self.assertEqual(self._figures(*measures), (4, 75, 3))
        self.assertAlmostEqual(self._figures("days:avg")[0], 34 / 3)

    def test_nobody_has_redeemed_is_empty_and_not_zero(self):
        self._join("Ann")
        figures = self._figures("days:avg", "median_days:avg", "redeemed_share:avg")
        self.assertEqual([value is False for value in figures], [True, True, False])

    def test_redemption_that_was_given_back_is_none(self):
        member = self._join("Ann")
        self._credit(self._pay_with_points(member, "2024-01-11"))
        self.assertEqual(self._figures("redeemed_count:sum"), (0,))
        self._pay_with_points(member, "2024-01-21")
        self.assertEqual(self._figures("days:avg"), (20,))

    def test_redemption_of_a_merged_account_counts_from_the_first_joining(self):
        mine, theirs = self._join("Ann", "2024-02-01"), self._join("Bea", "2024-01-01")
        self._pay_with_points(theirs, "2024-01-11")
        theirs.partner_id.parent_id = mine.partner_id
        measures = ("member_count:sum", "days:avg")
        self.assertEqual(self._figures(*measures), (1, 10))

    def test_first_days_are_what_the_ledgers_of_all_accounts_say(self):
        dice = random.Random(8)
        members = [self._join(f"Member {number}") for number in range(10)]
        for member in members[:-2]:
            for _time in range(1 + dice.randrange(3)):
                day = f"2024-0{dice.randint(2, 5)}-{dice.randint(10, 28)}"
                invoice = self._pay_with_points(member, day)
                if dice.random() < 0.5:
                    self._credit(invoice)
        for one, two in ((0, 1), (2, 3), (4, 8)):
            members[one].partner_id.parent_id = members[two].partner_id
        self.env.invalidate_all()
        rows = self.First.search([("company_id", "=", self.company.id)])
        expected = {row.member_id: self._get_first(row.member_id) for row in rows}
        self.assertEqual(len(rows), 7)
        self.assertEqual({row.member_id: row.first_date for row in rows}, expected)
        self.assertTrue(any(expected.values()))
        self.assertFalse(all(expected.values()))

    def _get_first(self, member):
        accounts = member | self.Member.search([("merged_into_id", "=", member.id)])
        done = self.env["garage.loyalty.redemption"].search(
            [("member_id", "in", accounts.ids), ("state", "=", "done")]
        )
        entries = done.entry_ids.filtered(lambda entry: entry.kind == "redeem")
        return min(entries.mapped("date"), default=False)

    def test_grouping_sets_have_medians_of_their_own(self):
        self._pay_with_points(self._join("A"), "2024-01-02")
        self._pay_with_points(self._join("B", "2024-02-01"), "2024-02-11")
        domain = [("company_id", "=", self.company.id)]
        months, total = self.First.formatted_read_grouping_sets(
            domain, [["date_joined:month"], []], ["median_days:avg"]
        )
        self.assertEqual([group["median_days:avg"] for group in months], [1, 10])
        self.assertEqual([group["median_days:avg"] for group in total], [5.5])
