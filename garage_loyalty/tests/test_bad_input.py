import math
import random

from psycopg2 import IntegrityError

from odoo import models
from odoo.exceptions import AccessError, MissingError, UserError
from odoo.service.model import call_kw
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import GarageLoyaltyCommon

NUMBERS = [0, -1, 2**31, -(2**31) - 1, 2**63, 10**400, 0.5, 1e308, -1e-9]
NUMBERS += [math.nan, math.inf, -math.inf]
TEXTS = [
    "1e3",
    "١٢٣",
    "１００",
    "१००",
    "a\x00b",
    "\x00",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "'; DROP TABLE garage_loyalty_entry; --",
    '" OR 1=1 --',
    "%s %(x)s {0} {x}",
    '=HYPERLINK("http://x")',
    "\u202eabc\u202c",
    "\u200f\u200e",
    "x" * 1_000_000,
    "\ud83d\ude00",
    "2023-02-29",
    "0000-00-00",
    "9999-12-31",
    "",
    " ",
]
OTHERS = [None, False, True, [], {}, [[]], {"a": 1}, [1, "x"], [[6, 0, ["x"]]], b"x"]
# What a user is told in words: the host does so for violated constraints as well.
# Anything else is a traceback.
CLEAR = (AccessError, IntegrityError, MissingError, UserError)
ROUNDS = 10_000


class Accepted(Exception):
    """The value was fine: what it did is undone."""


@tagged("post_install", "-at_install")
class TestBadInput(GarageLoyaltyCommon):
    """Malformed values through every dialog and form: words, and no change."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.program.write({"earn_trigger": "posted", "minimum_redemption": 1})
        cls.member = cls._enrol(cls.customer)
        cls.member._post_points("adjust", 500, "2024-01-01")
        cls.invoice = cls._invoice(cls.customer, post=False)
        cls.reason = cls.env["garage.loyalty.adjustment.reason"].search([], limit=1)
        cls.random = random.Random(20261121)

    @classmethod
    def _get_targets(cls):
        """Return (model, right values, what follows) of all that is typed in."""
        member, program = cls.member.id, cls.program.id
        return [
            ("garage.loyalty.enrol", {"partner_id": cls.other.id}, "action_enrol"),
            (
                "garage.loyalty.redeem",
                {"move_id": cls.invoice.id, "points": 100},
                "action_redeem",
            ),
            (
                "garage.loyalty.adjustment",
                {"member_id": member, "points": 5, "reason_id": cls.reason.id},
                "action_confirm",
            ),
            (
                "garage.loyalty.status.change",
                {"member_id": member, "change": "suspend", "date": "2024-05-01"},
                "action_apply",
            ),
            ("garage.loyalty.member", {"partner_id": cls.other.id}, None),
            ("garage.loyalty.program", {"name": "Another"}, None),
            ("garage.loyalty.tier", {"name": "Iron", "program_id": program}, None),
            (
                "garage.loyalty.reward",
                {"name": "Free", "program_id": program, "points": 10, "amount": 5},
                None,
            ),
            ("garage.loyalty.adjustment.reason", {"name": "Because"}, None),
        ]

    def _get_value(self):
        kind = self.random.choice((NUMBERS, TEXTS, OTHERS))
        return self.random.choice(kind)

    def _get_fields(self, model):
        fields = self.env[model]._fields
        return sorted(
            name
            for name, field in fields.items()
            if name not in models.MAGIC_COLUMNS
            and (field.store or field.inverse)
            and field._module == "garage_loyalty"
        )

    def _call(self, model, method, vals):
        """Call as a client does, and undo it; return whether it was refused."""
        try:
            with mute_logger("odoo.sql_db"), self.env.cr.savepoint():
                ids = call_kw(self.env[model], "create", [[vals]], {})
                if method:
                    call_kw(self.env[model], method, [ids], {})
                self._check_sound()
                raise Accepted
        except Accepted:
            return False
        except CLEAR as error:
            self.assertTrue(str(error).strip())
            return True

    def _check_sound(self):
        """What was accepted must not have brought the ledger out of balance."""
        Check = self.env["garage.loyalty.ledger.check"]
        self.assertEqual(Check._find_differences(self.member), [])

    def _get_ledger(self):
        self.env.invalidate_all()
        return self.Entry.search_count([]), self.member.points

    def test_malformed_values_are_refused_in_words_and_change_nothing(self):
        targets = [
            (model, vals, method, self._get_fields(model))
            for model, vals, method in self._get_targets()
        ]
        before, refused, tracebacks = self._get_ledger(), 0, []
        for _number in range(ROUNDS):
            model, vals, method, names = self.random.choice(targets)
            name, value = self.random.choice(names), self._get_value()
            try:
                refused += self._call(model, method, vals | {name: value})
            except Exception as error:  # noqa: BLE001 - all of them are listed
                tracebacks.append(f"{model}.{name} = {value!r:.60}: {error!r:.150}")
        unique = sorted(set(tracebacks))
        self.assertFalse(unique, f"{len(tracebacks)}:\n" + "\n".join(unique[:60]))
        self.assertGreater(refused, ROUNDS // 4)
        self.assertEqual(self._get_ledger(), before)
