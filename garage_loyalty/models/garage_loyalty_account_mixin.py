from odoo import models
from odoo.exceptions import UserError
from odoo.tools import SQL


class GarageLoyaltyAccountMixin(models.AbstractModel):
    """How a balance of points changes: through the ledger, and only together with it.

    For a model with the fields ``points``, ``program_id``, ``company_id`` and
    ``partner_id``.
    """

    _name = "garage.loyalty.account.mixin"
    _description = "Loyalty Points Account"

    def _post_points(self, kind, points, date, source=None, reason=None):
        """Append an entry to the ledger: the only way to change a balance.

        The balance is written in the same transaction, in one statement: of two
        people at once, the second one's transaction fails and is tried again.

        :param source: record of any model, the document behind the entry
        :raise UserError: when points are redeemed that are not there
        """
        self.ensure_one()
        if not points:
            return self.env["garage.loyalty.entry"]
        self._change_balance(points, must_cover=kind == "redeem")
        # Nobody has the right to create entries: they come from here only.
        Entry = self.env["garage.loyalty.entry"].sudo()
        return Entry.create(
            {
                "member_id": self.id,
                "program_id": self.program_id.id,
                "company_id": self.company_id.id,
                "date": date,
                "kind": kind,
                "points": points,
                "reason": reason,
                "user_id": self.env.uid,
                "source_model": source and source._name,
                "source_id": source and source.id,
                "source_name": source and source.display_name,
            }
        )

    def _change_balance(self, points, must_cover):
        self.flush_recordset(["points", "state"])
        condition = SQL("AND points + %s >= 0", points) if must_cover else SQL()
        self.env.cr.execute(
            SQL(
                "UPDATE garage_loyalty_member SET points = points + %s "
                "WHERE id = %s %s",
                points,
                self.id,
                condition,
            )
        )
        changed = self.env.cr.rowcount
        self.invalidate_recordset(["points", "points_worth", "entry_ids"])
        self.partner_id.invalidate_recordset(["loyalty_points"])
        self.env["account.move"].invalidate_model(
            ["loyalty_points_earned", "loyalty_points_redeemed"], flush=False
        )
        if not changed:
            raise UserError(
                self.env._(
                    "%(member)s has %(available)s points: %(wanted)s cannot be spent.",
                    member=self.display_name,
                    available=self.points,
                    wanted=-points,
                )
            )
