from itertools import pairwise

from odoo.tests import tagged

from .common import GarageLoyaltyCommon

RATE = 2.0  # units of the other currency for one of the user's


@tagged("post_install", "-at_install")
class TestTierMoves(GarageLoyaltyCommon):
    """Tier Moves of two companies that keep their books in two currencies."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        currency = cls.setup_other_currency("EUR", rates=[("2020-01-01", RATE)])
        elsewhere = cls.setup_other_company(currency_id=currency.id)["company"]
        cls.companies = cls.company + elsewhere
        cls.env.user.company_ids += elsewhere
        program = cls.env["garage.loyalty.program"]._get_default(elsewhere)
        cls._move(cls._enrol(cls.customer), (None, 500, 900))
        cls._move(cls._enrol(cls.other, program=program), (None, 300, 100, 800))
        cls.Report = cls.env["garage.loyalty.tier.move"].with_context(
            allowed_company_ids=cls.companies.ids
        )

    @classmethod
    def _move(cls, member, spends):
        """Let a member go from tier to tier, having spent so much each time."""
        tiers = member.program_id.tier_ids
        vals_list = [
            {
                "member_id": member.id,
                "date": f"2024-0{number + 2}-01",
                "state": "active",
                "tier_id": tiers[number % len(tiers)].id,
                "spend": spend,
                "visits": number,
            }
            for number, spend in enumerate(spends)
        ]
        cls.env["garage.loyalty.member.status"].sudo().create(vals_list)

    def _get_moves(self):
        """Return what the history says: every row with another tier than before."""
        moves = []
        Status = self.env["garage.loyalty.member.status"].sudo()
        for member in self.customer + self.other:
            domain = [("member_id.partner_id", "=", member.id)]
            rows = Status.search(domain, order="date, id")
            for before, row in pairwise(rows):
                if before.tier_id and row.tier_id and before.tier_id != row.tier_id:
                    moves.append(row)
        return Status.union(*moves)

    def test_every_change_of_tier_is_a_move_and_nothing_else_is(self):
        moves = self._get_moves()
        self.assertEqual(len(moves), 5)
        self.assertEqual(sorted(self.Report.search([]).ids), sorted(moves.ids))

    def test_averages_are_per_move_also_in_the_currency_of_the_user(self):
        names = ["spend:avg", "spend:sum_currency", "visits:avg", "__count"]
        names.insert(0, "currency_id:array_agg_distinct")
        [whole] = self.Report.formatted_read_group([], [], names)
        moves = self._get_moves()
        mine = [
            row.spend / (1 if row.company_id == self.company else RATE) for row in moves
        ]
        self.assertEqual(len(whole["currency_id:array_agg_distinct"]), 2)
        self.assertAlmostEqual(float(whole["spend:sum_currency"]), sum(mine) / 5)
        self.assertAlmostEqual(
            float(whole["spend:avg"]), sum(moves.mapped("spend")) / 5
        )

    def test_list_groups_by_everything_that_is_offered(self):
        names = ["spend:avg", "spend:sum_currency", "member_count:count_distinct"]
        for spec in ("direction", "tier_id", "date:month", "company_id"):
            groups = self.Report.formatted_read_group([], [spec], [*names, "__count"])
            with self.subTest(groupby=spec):
                self.assertEqual(sum(group["__count"] for group in groups), 5)
