from odoo.tests import TransactionCase, tagged
from odoo.tools import SQL
from odoo.tools.sql import table_columns

from ..hooks import VISIT_COLUMNS, pre_init_hook

TABLE = "garage_loyalty_visit"


@tagged("post_install", "-at_install")
class TestPreInitHook(TransactionCase):
    def _get_columns(self):
        """Return name and type of the columns of the visits, in their order."""
        columns = table_columns(self.env.cr, TABLE)
        rows = self.env.execute_query(
            SQL(
                "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass "
                "AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
                TABLE,
            )
        )
        return {name: columns[name]["udt_name"] for (name,) in rows}

    def test_new_table_begins_with_what_reports_read(self):
        self.env.cr.execute(SQL("ALTER TABLE garage_loyalty_visit RENAME TO kept"))
        pre_init_hook(self.env)
        columns = {"id": "int4"} | VISIT_COLUMNS
        self.assertEqual([*self._get_columns().items()], [*columns.items()])

    def test_columns_have_the_types_of_their_fields(self):
        fields = self.env["garage.loyalty.visit"]._fields
        types = {name: fields[name].column_type[0] for name in VISIT_COLUMNS}
        self.assertEqual(types, VISIT_COLUMNS)

    def test_table_that_is_there_is_left_alone(self):
        before = self._get_columns()
        pre_init_hook(self.env)
        self.assertEqual(self._get_columns(), before)
