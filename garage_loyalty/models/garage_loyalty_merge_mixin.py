from odoo import fields, models
from odoo.exceptions import UserError


class GarageLoyaltyMergeMixin(models.AbstractModel):
    """What happens to accounts whose customers become one.

    In each company one account survives. The others end: their points and what they
    owe are transferred, their entries stay where they are. Whatever is done to an
    ended account later, by a document of before, is done to the one that survived.
    """

    _name = "garage.loyalty.merge.mixin"
    _description = "Merging of Loyalty Accounts"

    merged_into_id = fields.Many2one(
        "garage.loyalty.member",
        string="Merged into",
        readonly=True,
        copy=False,
        ondelete="restrict",
        index="btree_not_null",
        help="The customer became one with another. This is the account that has the "
        "points now.",
    )
    merged_from_ids = fields.One2many(
        "garage.loyalty.member", "merged_into_id", string="Merged from", readonly=True
    )

    def _get_survivor(self):
        """Return the account that has the points now: mostly the account itself."""
        return self.merged_into_id or self

    # -- customers that become one ------------------------------------------------

    def _follow_partner(self, partner):
        """Give accounts to the customer that theirs have become a part of.

        Where that customer has an account of its own, they are merged.

        :param partner: a commercial partner
        """
        # Whoever edits or merges contacts need not have any right on accounts.
        accounts = self.sudo()
        accounts |= accounts.search(
            [
                ("partner_id", "=", partner.id),
                ("company_id", "in", accounts.company_id.ids),
            ]
        )
        for mine in accounts.grouped("company_id").values():
            living = mine.filtered(lambda member: not member.merged_into_id)
            survivor = living._choose_survivor(partner)
            for member in living - survivor:
                member._merge_into(survivor)
            mine._move_to_partner(partner)

    def _choose_survivor(self, partner):
        """Return which of the accounts of one customer survives.

        Override to choose by other means.
        """

        def rank(member):
            """Living accounts come first, the partner's own of these, the oldest."""
            has_ended = member.state == "left"
            is_theirs = member.partner_id == partner and not has_ended
            return has_ended, not is_theirs, member.date_joined, member.id

        return self.sorted(rank)[:1]

    def _merge_into(self, survivor):
        """End the account, in favour of another one of the same company."""
        self.ensure_one()
        day = self.company_id._get_loyalty_today()
        points = self.points
        reason = self.env._("Merged into %s", survivor.number)
        self._transfer_points(survivor, None, day, self, reason)
        self._give_up_plans(survivor)
        (self | self.merged_from_ids).write({"merged_into_id": survivor.id})
        if self.state != "left":
            self._leave(date=day, reason=reason)
        else:
            self._log_status(day, reason)
        # The database checks "one account that has not ended" row by row.
        self.flush_recordset()
        self.message_post(body=reason)
        survivor.message_post(
            body=self.env._(
                "%(number)s was merged into this account: %(points)s points.",
                number=self.number,
                points=points,
            )
        )

    def _give_up_plans(self, survivor):
        """Let the other account pay what was only planned.

        What was paid stays with the account that paid it, as its entries do.
        """
        planned = self.env["garage.loyalty.redemption"].search(
            [("member_id", "=", self.id), ("state", "=", "draft")]
        )
        planned.write({"member_id": survivor.id})
        # Two accounts do not have two quotas.
        self.privilege_use_ids._follow(survivor)

    def _move_to_partner(self, partner):
        moved = self.filtered(lambda member: member.partner_id != partner)
        moved.write({"partner_id": partner.id})
        for member in moved.filtered(lambda member: not member.merged_into_id):
            member.message_post(
                body=self.env._(
                    "The customer became a part of another one; the account followed."
                )
            )

    # -- afterwards ---------------------------------------------------------------

    def _post_points(self, kind, points, date, source=None, reason=None, **options):
        """Follow a merged account: points are given to, and taken from, the survivor.

        What an ended account had paid goes back to its own lots first, so that it
        keeps its dates, and on to the survivor from there. A transfer names both of
        its accounts.
        """
        if kind == "transfer":
            return super()._post_points(kind, points, date, source, reason, **options)
        # The rights of whoever posts are checked before, on the account that is named.
        survivor = self.sudo()._get_survivor()
        entries = survivor.env["garage.loyalty.entry"]
        if points > 0 and options.get("origin"):
            for member in survivor.merged_from_ids:
                part = member._get_part_to_give_back(points, options["origin"])
                former = super(GarageLoyaltyMergeMixin, member)
                entries |= former._post_points(
                    kind, part, date, source or self, reason, **options
                )
                member._forward_points()
                points -= part
        living = super(GarageLoyaltyMergeMixin, survivor)
        return entries | living._post_points(
            kind, points, date, source or self, reason, **options
        )

    def _get_part_to_give_back(self, points, origin):
        taken = sum(part for _lot, part in self._get_taken_by(origin))
        return min(points, taken)

    def _forward_points(self):
        """Move what merged accounts were given meanwhile to those that survived."""
        for member in self.filtered(lambda member: member.merged_into_id):
            if member.lot_ids or member.debt:
                member._transfer_points(
                    member.merged_into_id,
                    None,
                    member.company_id._get_loyalty_today(),
                    member,
                    self.env._("Merged into %s", member.merged_into_id.number),
                )

    def _come_back(self, date=None, reason=None):
        """Refuse for a merged account: its customer has another one."""
        self._check_not_merged()
        return super()._come_back(date=date, reason=reason)

    def _check_transfer(self, to_member):
        """Refuse to move points to a merged account."""
        to_member._check_not_merged()
        return super()._check_transfer(to_member)

    def _check_not_merged(self):
        for member in self.filtered("merged_into_id")[:1]:
            raise UserError(
                self.env._(
                    "%(member)s was merged into %(survivor)s: use that one instead.",
                    member=member.number,
                    survivor=member.merged_into_id.display_name,
                )
            )
