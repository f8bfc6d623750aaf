import doctest
from decimal import Decimal

from odoo.tests import BaseCase, tagged

from ..tools import cells, points, redeem, rewards, text

try:
    from hypothesis import given, settings
    from hypothesis import strategies as st
except ImportError:  # a workshop's server has no development tools
    given = None


@tagged("post_install", "-at_install")
class TestTools(BaseCase):
    def _check(self, function, cases):
        """Check pairs of (arguments, expected result)."""
        for args, expected in cases:
            with self.subTest(function=function.__name__, args=args):
                self.assertEqual(function(*args), expected)

    def test_doctests_of_every_module_pass(self):
        for module in (cells, points, redeem, rewards, text):
            with self.subTest(module=module.__name__):
                result = doctest.testmod(module)
                self.assertGreater(result.attempted, 0)
                self.assertEqual(result.failed, 0)

    # -- earning ----------------------------------------------------------------

    def test_exact_reads_floats_as_people_do(self):
        self._check(
            points.exact,
            [
                ((0.1,), Decimal("0.1")),
                ((1,), Decimal(1)),
                ((1e-7,), Decimal("0.0000001")),
                ((Decimal("0.30"),), Decimal("0.30")),
            ],
        )

    def test_whole_points_rounds_towards_minus_infinity(self):
        self._check(
            points.whole_points,
            [((0,), 0), ((0.999999,), 0), ((1.0,), 1), ((-0.5,), -1), ((-1,), -1)],
        )

    def test_unredeemed_at_its_bounds(self):
        self._check(
            points.unredeemed,
            [
                ((100, 100, 0), Decimal(100)),
                ((100, 100, -5), Decimal(100)),
                ((100, -10, 5), Decimal(100)),
                ((100, 100, 100), Decimal(0)),
                ((100, 100, 150), Decimal(0)),
                ((30, 90, 30), Decimal(20)),
            ],
        )

    def test_earned_points_at_its_bounds(self):
        self._check(
            points.earned_points,
            [
                (([],), 0),
                (([(0, 1)],), 0),
                (([(-100, 1)],), 0),
                (([(0.99, 1)],), 0),
                (([(1, 1)],), 1),
                (([(0.1, 10), (0.2, 10)],), 3),
                (([(100, 0)],), 0),
                (([(100, 1)], 0), 0),
                (([(33.34, 1)], 1.5), 50),
                (([(50, 1)], 1, 50), 50),
                (([(25, 1), (24.99, 1)], 1, 50), 0),
                # labour credited by more than the parts are worth
                (([(-100, 2), (150, 1)],), 0),
            ],
        )

    def test_points_left_at_its_bounds(self):
        self._check(
            points.points_left,
            [
                ((1000, 1000, 0), 1000),
                ((1000, 1000, -1), 1000),
                ((1000, 0, 10), 1000),
                ((1000, 1000, 1000), 0),
                ((1000, 1000, 1001), 0),
                ((1, 100, 0.01), 0),
                ((0, 100, 50), 0),
            ],
        )

    def test_document_points_without_credit_notes(self):
        self._check(points.document_points, [((7, 10, []), [7])])

    def test_document_points_beyond_the_base_take_no_more(self):
        self._check(
            points.document_points,
            [((100, 100, [60, 60, 60]), [100, -60, -40, 0])],
        )

    # -- redeeming --------------------------------------------------------------

    def test_room_at_its_bounds(self):
        cases = [
            ((100, 100, 50, 20, 1000), 70),
            ((100, 100, 50, 20, 60), 60),
            ((100, 100, 50, 20, -1), 0),
            ((-100, 100, 50, 20, 1000), 20),
            ((100, 100, 0, 0, 1000), 0),
            ((100, 100, 100, 100, 200), 200),
        ]
        for args, expected in cases:
            with self.subTest(args=args):
                self.assertEqual(redeem.room(*args).amount, expected)

    def test_points_for_and_needed_at_their_bounds(self):
        cases = [  # amount, value, points that fit, points that are needed
            (10, 0.1, 100, 100),
            (0.09, 0.1, 0, 1),
            (0, 0.1, 0, 0),
            (0.3, 0.1, 3, 3),
            (10, 0, 0, 0),
            (10, -1, 0, 0),
        ]
        for amount, value, fits, needed in cases:
            with self.subTest(amount=amount, value=value):
                self.assertEqual(redeem.points_for(amount, value), fits)
                self.assertEqual(redeem.points_needed(amount, value), needed)

    def test_points_for_negative_amount_is_nothing(self):
        self.assertEqual(redeem.points_for(-10, 0.1), 0)

    def test_worth_rounds_half_up_to_the_digits_of_the_currency(self):
        self._check(
            redeem.worth,
            [
                ((1, 0.005), Decimal("0.01")),
                ((1, 0.004), Decimal("0.00")),
                ((333, 0.05, 0), Decimal(17)),
                ((1, 0.0125, 3), Decimal("0.013")),
            ],
        )

    def test_split_at_its_bounds(self):
        self._check(
            redeem.split,
            [
                ((10, 0, 0), (0, 0)),
                ((10, 100, 0), (10, 0)),
                ((10, 0, 100), (0, 10)),
                ((Decimal("0.01"), 50, 50), (Decimal("0.01"), 0)),
                ((100, 1, 2, 0), (33, 67)),
            ],
        )

    # -- reading ----------------------------------------------------------------

    def test_phone_digits_of_what_is_typed(self):
        self._check(
            text.phone_digits,
            [
                (("0171 55501",), "17155501"),
                (("+49 171 55501",), "4917155501"),
                (("0049-171/555.01",), "4917155501"),
                (("+49 (0)171 55501",), "4917155501"),
                (("1234",), ""),
                (("12345",), "12345"),
                (("00001",), ""),
                (("KX 482 12345",), ""),
                (("ada1234567@example.com",), ""),
                (("",), ""),
            ],
        )

    def test_compact_of_plates(self):
        self._check(
            text.compact,
            [
                (("kx-482 b",), "KX482B"),
                (("B_AB·12",), "BAB12"),
                (("ö-ä 1",), "ÖÄ1"),
                ((" -/ ",), ""),
            ],
        )


if given:
    cents = st.decimals(0, 100_000, places=2)
    positive = st.decimals("0.01", 100_000, places=2)
    amounts = st.decimals(-10_000, 10_000, places=2)
    rates = st.decimals(0, 10, places=4)
    values = st.decimals("0.000001", 10, places=6)
    balances = st.integers(0, 1_000_000)
    check = settings(deadline=None, derandomize=True, max_examples=40, database=None)

    @tagged("post_install", "-at_install")
    class TestToolsProperties(BaseCase):
        @check
        @given(balances, cents, st.lists(cents, max_size=8))
        def test_document_points_always_sum_to_what_is_left(self, due, base, credits):
            result = points.document_points(due, base, credits)
            self.assertEqual(len(result), len(credits) + 1)
            self.assertEqual(sum(result), points.points_left(due, base, sum(credits)))
            self.assertTrue(all(taken <= 0 for taken in result[1:]))

        @check
        @given(balances, st.lists(positive, min_size=1, max_size=8))
        def test_credit_notes_of_the_whole_leave_exactly_nothing(self, due, credits):
            result = points.document_points(due, sum(credits), credits)
            self.assertEqual(sum(result), 0)

        @check
        @given(
            st.lists(st.tuples(amounts, rates), min_size=1, max_size=4),
            cents,
            rates,
            cents,
        )
        def test_more_base_never_earns_less(self, parts, more, multiplier, minimum):
            (base, rate), *others = parts
            before = points.earned_points(parts, multiplier, minimum)
            after = points.earned_points(
                [(base + more, rate), *others], multiplier, minimum
            )
            self.assertGreaterEqual(before, 0)
            self.assertGreaterEqual(after, before)

        @check
        @given(cents, cents, cents)
        def test_what_is_not_redeemed_lies_between_nothing_and_all(
            self, eligible, others, redeemed
        ):
            left = points.unredeemed(eligible, eligible + others, redeemed)
            self.assertGreaterEqual(left, 0)
            self.assertLessEqual(left, eligible)

        @check
        @given(cents, values)
        def test_points_for_an_amount_are_never_worth_more(self, amount, value):
            fits = redeem.points_for(amount, value)
            self.assertLessEqual(fits * value, amount)
            self.assertGreater((fits + 1) * value, amount)
            self.assertLessEqual(redeem.worth(fits, value), amount)

        @check
        @given(cents, values)
        def test_points_needed_are_worth_at_least_the_amount(self, amount, value):
            needed = redeem.points_needed(amount, value)
            self.assertGreaterEqual(needed * value, amount)
            self.assertIn(needed - redeem.points_for(amount, value), (0, 1))

        @check
        @given(cents, cents, st.decimals(0, 1, places=3))
        def test_split_adds_up_and_stays_within_the_room(self, labour, parts, share):
            amount = redeem.worth(1, (labour + parts) * share)
            result = redeem.split(amount, labour, parts)
            self.assertEqual(sum(result), amount)
            self.assertTrue(0 <= result[0] <= labour, result)
            self.assertTrue(0 <= result[1] <= parts, result)

        @check
        @given(cents, cents, st.integers(0, 100), st.integers(0, 100), amounts)
        def test_room_never_exceeds_caps_nor_what_is_left(
            self, labour, parts, labour_cap, parts_cap, left
        ):
            room = redeem.room(labour, parts, labour_cap, parts_cap, left)
            self.assertTrue(0 <= room.amount <= max(left, 0), room)
            self.assertLessEqual(room.amount, room.labour + room.parts)
            self.assertTrue(room.labour <= labour and room.parts <= parts, room)

        @check
        @given(
            st.from_regex(r"[1-9][0-9]{5,14}", fullmatch=True),
            st.lists(st.sampled_from(" -/.()+"), min_size=15, max_size=15),
            st.sampled_from(["", "0", "00"]),
        )
        def test_phone_number_however_written_has_the_same_digits(
            self, number, marks, prefix
        ):
            pairs = zip(number, marks, strict=False)
            written = prefix + "".join(char + mark for char, mark in pairs)
            # "(0)" within a number is the one mark with a meaning of its own
            self.assertEqual(text.phone_digits(written.replace("(0)", "( 0)")), number)

        @check
        @given(st.text(alphabet=st.characters(max_codepoint=0xFF)))
        def test_compacting_again_changes_nothing(self, plate):
            self.assertEqual(text.compact(text.compact(plate)), text.compact(plate))
