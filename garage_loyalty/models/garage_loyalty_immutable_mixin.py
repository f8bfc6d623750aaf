from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL


class GarageLoyaltyImmutableMixin(models.AbstractModel):
    """Rows that are added, but never changed or removed.

    Neither by a user, nor by code, nor by SQL of the application's role.
    """

    _name = "garage.loyalty.immutable.mixin"
    _description = "Append-Only Rows"
    _inherit = ["garage.loyalty.append.mixin"]
    # What the checksum of a row is made of, see the ledger check.
    _checksum_names = ()

    checksum = fields.Binary(
        attachment=False,
        readonly=True,
        help="Computed by the database when the row is added. A row that somebody "
        "changed by hand does not fit it.",
    )

    def init(self):
        """Make the database itself protect the rows, and seal each with a checksum."""
        if not self._abstract:
            self._init_append_only()
            self._init_checksum()

    def _init_append_only(self):
        """Let the database refuse to change or remove a row."""
        self.env.cr.execute(
            SQL(
                """
                CREATE OR REPLACE FUNCTION garage_loyalty_append_only()
                RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN
                    RAISE EXCEPTION
                        'A posted points entry cannot be changed or removed: '
                        'post an adjustment instead.'
                        USING ERRCODE = 'restrict_violation';
                END $$;
                DROP TRIGGER IF EXISTS append_only_row ON %(table)s;
                CREATE TRIGGER append_only_row
                    BEFORE UPDATE OR DELETE ON %(table)s
                    FOR EACH ROW EXECUTE FUNCTION garage_loyalty_append_only();
                DROP TRIGGER IF EXISTS append_only_table ON %(table)s;
                CREATE TRIGGER append_only_table
                    BEFORE TRUNCATE ON %(table)s
                    FOR EACH STATEMENT EXECUTE FUNCTION garage_loyalty_append_only()
                """,
                table=SQL.identifier(self._table),
            )
        )

    def _init_checksum(self):
        """Let the database put a checksum on every row that is added."""
        self.env.cr.execute(
            SQL(
                """
                CREATE OR REPLACE FUNCTION garage_loyalty_checksum(posted %(table)s)
                RETURNS bytea LANGUAGE sql STABLE AS $$
                    SELECT sha256(convert_to(
                        jsonb_build_array(%(contents)s)::text, 'UTF8'))
                $$;
                CREATE OR REPLACE FUNCTION garage_loyalty_put_checksum()
                RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN
                    NEW.checksum := garage_loyalty_checksum(NEW);
                    RETURN NEW;
                END $$;
                DROP TRIGGER IF EXISTS put_checksum ON %(table)s;
                CREATE TRIGGER put_checksum BEFORE INSERT ON %(table)s
                    FOR EACH ROW EXECUTE FUNCTION garage_loyalty_put_checksum()
                """,
                table=SQL.identifier(self._table),
                contents=SQL(", ").join(map(self._get_content, self._checksum_names)),
            )
        )

    @api.model
    def _get_content(self, name):
        """Return the SQL of a value, the same whatever the settings of a session."""
        column = SQL.identifier("posted", name)
        if self._fields[name].type == "date":
            return SQL("to_char(%s, 'YYYY-MM-DD')", column)
        if self._fields[name].type == "datetime":
            return SQL("to_char(%s, 'YYYY-MM-DD HH24:MI:SS.US')", column)
        return column

    def write(self, vals):
        """Refuse: a correction is a new entry."""
        self._refuse_change()
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_posted(self):
        self._refuse_change()

    def _refuse_change(self):
        if self:
            raise UserError(
                self.env._(
                    "A posted points entry cannot be changed or removed. "
                    "To correct a balance, use “Adjust points” on the member."
                )
            )
