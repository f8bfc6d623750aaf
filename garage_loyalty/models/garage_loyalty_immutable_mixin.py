from odoo import api, models
from odoo.exceptions import UserError
from odoo.tools import SQL


class GarageLoyaltyImmutableMixin(models.AbstractModel):
    """Rows that are added, but never changed or removed.

    Neither by a user, nor by code, nor by SQL of the application's role.
    """

    _name = "garage.loyalty.immutable.mixin"
    _description = "Append-Only Rows"
    _inherit = ["garage.loyalty.append.mixin"]

    def init(self):
        """Make the database itself refuse to change or remove a row."""
        if self._abstract:
            return
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
