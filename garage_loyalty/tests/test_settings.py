from psycopg2 import IntegrityError

from odoo.exceptions import ValidationError
from odoo.tests import Form, tagged
from odoo.tools import mute_logger

from .common import MANAGER, GarageLoyaltyCommon

SYSTEM = "base.group_system"


@tagged("post_install", "-at_install")
class TestSettings(GarageLoyaltyCommon):
    def _settings(self, user=None):
        env = self.env(user=user or self._create_user("owner", MANAGER, SYSTEM))
        return env["res.config.settings"].with_company(self.company)

    def test_settings_write_to_the_programme_of_the_company(self):
        values = {
            "earn_trigger": "posted",
            "labour_rate": 2.5,
            "parts_rate": 0.5,
            "point_value": 0.25,
            "labour_cap": 40.0,
            "parts_cap": 10.0,
        }
        settings = self._settings().create({})
        self.assertEqual(settings.loyalty_program_id, self.program)
        settings.write({f"loyalty_{name}": value for name, value in values.items()})
        settings.execute()
        for name, value in values.items():
            with self.subTest(field=name):
                self.assertEqual(self.program[name], value)

    def test_settings_show_the_first_programme_of_the_company(self):
        first = self.program.copy({"sequence": 1})
        self.assertEqual(self._settings().create({}).loyalty_program_id, first)

    def test_settings_open_the_programme(self):
        action = self._settings().create({}).action_open_loyalty_program()
        self.assertEqual(action["res_model"], "garage.loyalty.program")
        self.assertEqual(action["res_id"], self.program.id)

    def test_settings_of_a_company_without_programme_can_be_saved(self):
        self.program.active = False
        settings = self._settings().create({})
        self.assertFalse(settings.loyalty_program_id)
        settings.execute()
        self.assertFalse(settings.loyalty_program_id)

    def test_administrator_without_loyalty_group_can_use_settings(self):
        administrator = self._create_user("administrator", SYSTEM)
        settings = Form(self._settings(administrator)).save()
        settings.execute()
        self.assertEqual(self.program.labour_rate, 1.0)

    def test_settings_are_not_read_along_with_every_company(self):
        fields = self.env["res.company"]._fields.values()
        mine = [field for field in fields if field._module == "garage_loyalty"]
        along = {field.name for field in mine if field.prefetch is True}
        self.assertEqual(along, {"loyalty_company_id", "loyalty_risk_months"})


@tagged("post_install", "-at_install")
class TestProgram(GarageLoyaltyCommon):
    def test_new_company_gets_a_programme_with_three_tiers(self):
        company = self.env["res.company"].sudo().create({"name": "Second Workshop"})
        program = self.env["garage.loyalty.program"].sudo()._get_default(company)
        self.assertEqual(program.company_id, company)
        self.assertEqual(program.tier_ids.mapped("name"), ["Bronze", "Silver", "Gold"])
        self.assertEqual(program.tier_ids.mapped("multiplier"), [1.0, 1.25, 1.5])
        self.assertEqual(program.tier_ids.company_id, company)
        self.assertTrue(program.redemption_product_id)

    def test_company_with_an_archived_programme_gets_no_other(self):
        self.program.active = False
        Program = self.env["garage.loyalty.program"].with_context(active_test=False)
        before = Program.search([])
        Program._create_default(self.company)
        self.assertEqual(Program.search([]), before)

    @mute_logger("odoo.sql_db")
    def test_rules_out_of_bounds_refused_in_words(self):
        cases = [
            ("labour_rate", -0.01, "cannot be negative"),
            ("parts_rate", -1, "cannot be negative"),
            ("minimum_amount", -1, "cannot be negative"),
            ("point_value", 0, "must be worth something"),
            ("point_value", -1, "must be worth something"),
            ("minimum_redemption", -1, "cannot be negative"),
            ("labour_cap", 100.5, "percentage between 0 and 100"),
            ("labour_cap", -1, "percentage between 0 and 100"),
            ("parts_cap", 101, "percentage between 0 and 100"),
        ]
        for name, value, message in cases:
            with (
                self.subTest(field=name, value=value),
                self.assertRaises(IntegrityError) as caught,
                self.env.cr.savepoint(),
            ):
                self.program[name] = value
                self.env.flush_all()
            self.env.invalidate_all(flush=False)
            constraint = caught.exception.diag.constraint_name
            self.assertIn(message, self._message(constraint, caught.exception))

    def _message(self, constraint, error):
        """Return what the user reads when the database refuses."""
        Program = self.env["garage.loyalty.program"]
        for table_object in Program._table_objects.values():
            if table_object.full_name(Program) == constraint:
                return table_object.get_error_message(Program, error.diag)
        raise AssertionError(constraint)

    def test_rules_at_their_bounds_are_accepted(self):
        for name, value in {
            "labour_rate": 0,
            "parts_rate": 0,
            "minimum_redemption": 0,
            "labour_cap": 100,
            "parts_cap": 0,
            "point_value": 0.000001,
        }.items():
            with self.subTest(field=name):
                self.program[name] = value
                self.program.flush_recordset()
                self.program.invalidate_recordset()
                self.assertEqual(self.program[name], value)

    @mute_logger("odoo.sql_db")
    def test_tier_with_negative_multiplier_refused(self):
        with self.assertRaises(IntegrityError), self.env.cr.savepoint():
            self.bronze.multiplier = -1
            self.env.flush_all()

    @mute_logger("odoo.sql_db")
    def test_tier_of_the_same_name_refused_unless_archived(self):
        vals = {"name": "Gold", "program_id": self.program.id}
        Tier = self.env["garage.loyalty.tier"]
        with self.assertRaises(IntegrityError), self.env.cr.savepoint():
            Tier.create(vals)
        self.gold.active = False
        self.env.flush_all()
        self.assertTrue(Tier.create(vals))

    def test_programme_with_members_cannot_move_to_another_company(self):
        other = self.setup_other_company()["company"]
        self._enrol(self.customer)
        with self.assertRaisesRegex(ValidationError, "cannot move to another company"):
            self.program.company_id = other
            self.env.flush_all()

    def test_programme_without_members_can_move(self):
        other = self.setup_other_company()["company"]
        program = self.program.copy()
        program.company_id = other
        self.assertEqual(program.tier_ids.company_id, other)

    def test_programme_saved_with_its_own_company_is_no_move(self):
        self._enrol(self.customer)
        self.program.write({"company_id": self.company.id, "name": "Points"})
        self.assertEqual(self.program.name, "Points")

    def test_programme_copied_has_tiers_but_no_members(self):
        self._enrol(self.customer)
        copy = self.program.copy()
        self.assertEqual(len(copy.tier_ids), 3)
        self.assertFalse(copy.member_ids)
        self.assertEqual(copy.member_count, 0)

    def test_programme_counts_members_who_have_not_left(self):
        self._enrol(self.customer)
        self._enrol(self.other)._leave()
        self.assertEqual(self.program.member_count, 1)

    def test_programme_with_members_cannot_be_deleted(self):
        self._enrol(self.customer)
        with (
            mute_logger("odoo.sql_db"),
            self.assertRaises(IntegrityError),
            self.env.cr.savepoint(),
        ):
            self.program.unlink()

    def test_product_without_category_is_not_excluded(self):
        self.program.excluded_categ_ids = self.env["product.category"].create(
            {"name": "Tyres"}
        )
        self.assertFalse(self.program._get_rules().excludes(False))
