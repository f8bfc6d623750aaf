import doctest

from odoo.tests import BaseCase, tagged

from ..tools import discounts
from ..tools.discounts import ALL, LABOUR, PARTS, Discount, best, category_path

try:
    from hypothesis import given, settings
    from hypothesis import strategies as st
except ImportError:  # a workshop's server has no development tools
    given = None


def look(rules, path, kind):
    """Return the percentage by going up from the product's category, step by step."""
    for categ_id in (*reversed(path), 0):
        found = [
            rule.percent
            for rule in rules
            if rule.categ_id == categ_id and (rule.scope in (ALL, kind))
        ]
        if found:
            return max(found)
    return None


@tagged("post_install", "-at_install")
class TestToolsDiscounts(BaseCase):
    def test_doctests_pass(self):
        self.assertEqual(doctest.testmod(discounts).failed, 0)

    def test_best_of_a_table_of_rules(self):
        everything = Discount(1, 10)
        labour = Discount(2, 15, scope=LABOUR)
        tyres = Discount(3, 5, categ_id=3)
        winter = Discount(4, 7, categ_id=7, scope=PARTS)
        rules = [everything, labour, tyres, winter]
        cases = [
            ((1,), PARTS, everything),
            ((1,), LABOUR, labour),
            ((1, 3), PARTS, tyres),
            ((1, 3), LABOUR, tyres),
            ((1, 3, 7), PARTS, winter),
            ((1, 3, 7), LABOUR, tyres),
            ((1, 3, 7, 9), PARTS, winter),
            ((), PARTS, everything),
        ]
        for path, kind, expected in cases:
            with self.subTest(path=path, kind=kind):
                self.assertEqual(best(rules, path, kind), expected)
        self.assertIsNone(best([tyres, winter], (1, 33), PARTS))
        self.assertIsNone(best([], (1,), PARTS))

    if given:
        check = settings(
            deadline=None, derandomize=True, max_examples=40, database=None
        )
        rules = st.lists(
            st.builds(
                Discount,
                id=st.integers(1, 99),
                percent=st.integers(1, 10000).map(lambda cents: cents / 100),
                categ_id=st.integers(0, 6),
                scope=st.sampled_from([ALL, LABOUR, PARTS]),
            ),
            max_size=8,
        )
        paths = st.lists(st.integers(1, 6), unique=True, max_size=4).map(tuple)
        kinds = st.sampled_from([LABOUR, PARTS])

        @check
        @given(rules, paths, kinds)
        def test_best_is_what_a_walk_up_the_categories_finds(self, rules, path, kind):
            found = best(rules, path, kind)
            self.assertEqual(found and found.percent, look(rules, path, kind))

        @check
        @given(rules, paths, kinds)
        def test_order_of_the_rules_does_not_matter(self, rules, path, kind):
            one, other = best(rules, path, kind), best(rules[::-1], path, kind)
            self.assertEqual(one and one.percent, other and other.percent)

        @check
        @given(paths)
        def test_path_is_read_as_the_host_writes_it(self, path):
            written = "".join(f"{number}/" for number in path)
            self.assertEqual(category_path(written), path)
