from markupsafe import Markup

from odoo import api, fields, models
from odoo.tools import format_date
from odoo.tools.misc import formatLang

from ..tools.usage import held_by_half


class GarageLoyaltyUsageWordsMixin(models.AbstractModel):
    """Why something is hardly used, and what may suit members better, in words."""

    _name = "garage.loyalty.usage.words.mixin"
    _description = "Words about Hardly Used Rewards"

    usage_text = fields.Html(
        string="What to do",
        compute="_compute_usage_text",
        compute_sudo=True,
        sanitize=False,
    )

    @api.depends("is_hardly_used")
    @api.depends_context("lang")
    def _compute_usage_text(self):
        for item in self:
            sentences = item._get_usage_sentences() if item.is_hardly_used else []
            item.usage_text = Markup().join(
                Markup("<p class='mb-1'>%s</p>") % sentence for sentence in sentences
            )

    def _get_usage_sentences(self):
        """Return what is known of something that is hardly used, and what to try.

        Figures of the workshop only. Override to add to it.
        """
        self.ensure_one()
        return [
            self._say_use(),
            *self._say_obstacles(),
            *self._say_favourite(),
            *self._say_regulars(),
            self._say_end(),
        ]

    def _say_use(self):
        if not self.last_used:
            return self.env._(
                "Nobody has ever used it, though %s members may have it.",
                self.audience,
            )
        last = format_date(self.env, self.last_used)
        since = format_date(self.env, self._get_usage_start(self.company_id))
        if not self.recent_members:
            return self.env._(
                "None of the %(audience)s members who may have it used it since "
                "%(since)s. The last time was on %(last)s.",
                audience=self.audience,
                since=since,
                last=last,
            )
        return self.env._(
            "%(users)s of %(audience)s members who may have it used it since "
            "%(since)s: %(percent)s%%. The last time was on %(last)s.",
            users=self.recent_members,
            audience=self.audience,
            since=since,
            percent=formatLang(self.env, self.recent_percent, digits=1),
            last=last,
        )

    def _say_obstacles(self):
        """Return why members may not use it. Override to look for more reasons."""
        return []

    def _say_points(self, points):
        """Say whether half of the members have fewer points than it takes."""
        program = self.program_id
        domain = [("program_id", "=", program.id), ("state", "=", "active")]
        [(members, balances)] = self.env["garage.loyalty.member"]._read_group(
            domain, [], ["__count", "points:array_agg"]
        )
        half = held_by_half([held for held in balances or [] if held], members)
        if half >= points:
            return []
        return [
            self.env._(
                "Half of the members have %(half)s points or fewer; this asks for "
                "%(points)s. Ask for fewer, or offer something smaller beside it.",
                half=half,
                points=points,
            )
        ]

    def _say_favourite(self):
        """Say what members use most of all that is given, if it is something else."""
        since = self._get_usage_start(self.company_id)
        rows = self.env["garage.loyalty.reward.use"]._read_group(
            [
                ("program_id", "=", self.program_id.id),
                ("date", ">", since),
                ("kind", "not in", ("bonus", "discount")),
            ],
            ["kind", "benefit"],
            ["times:sum", "member_id:count_distinct"],
            order="times:sum DESC, benefit",
            limit=2,
        )
        for kind, benefit, times, members in rows:
            if benefit != self.name:
                text = self._get_favourite_text(kind)
                return [text % {"name": benefit, "times": times, "members": members}]
        return []

    def _get_favourite_text(self, kind):
        """Return what to say of the benefit that is used most, by its kind."""
        if kind == "money":
            return self.env._(
                "Members rather pay with their points: %(times)s times, by %(members)s "
                "of them. Next to that it must give more than its points are worth."
            )
        return self.env._(
            "What members use most is “%(name)s”: %(times)s times, by %(members)s of "
            "them. Something like it may be wanted more."
        )

    def _say_regulars(self):
        """Say which kind of work regulars come for: an offer on it has takers."""
        rows = self.env["garage.loyalty.regular.work"]._read_group(
            [
                ("company_id", "=", self.company_id.id),
                ("times", ">=", max(self.company_id.loyalty_regular_times, 2)),
            ],
            ["categ_id"],
            ["__count"],
            order="__count DESC",
            limit=1,
        )
        mine = self._get_usage_category()
        return [
            self.env._(
                "Regulars come for “%(kind)s” (%(customers)s customers now): replace "
                "it with an offer on that.",
                kind=category.name,
                customers=count,
            )
            for category, count in rows
            if category != mine
        ]

    def _get_usage_category(self):
        """Return the kind of work it is for, if it is for one."""
        return self.env["product.category"]

    def _say_end(self):
        return self.env._(
            "If nobody wants it, archive it: what was given stays in the reports."
        )
