from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError

from .garage_loyalty_adjustment_check import MANAGER

# What a manager types; the rest is drawn and computed.
DRAFT_NAMES = {"company_id", "date_end", "name", "share", "stop_reason"}
RUNNING_NAMES = {"name", "stop_reason"}


class GarageLoyaltyHoldout(models.Model):
    """A share of the customers who could join, drawn by lot, is not invited for a time.

    Only the lot makes the groups alike: what they do differently then is what inviting
    changes. Everybody stays in the group that was drawn.
    """

    _name = "garage.loyalty.holdout"
    _description = "Hold-Out"
    _inherit = [
        "garage.loyalty.export.mixin",
        "garage.loyalty.holdout.draw.mixin",
        "garage.loyalty.holdout.result.mixin",
        "garage.loyalty.holdout.words.mixin",
        "mail.thread",
    ]
    _order = "date_start desc, id desc"

    name = fields.Char(required=True)
    company_id = fields.Many2one(
        "res.company",
        required=True,
        default=lambda self: self.env.company.loyalty_company_id,
        domain="[('parent_id', '=', False)]",
        ondelete="cascade",
    )
    state = fields.Selection(
        [("draft", "Draft"), ("running", "Running"), ("done", "Done")],
        required=True,
        readonly=True,
        default="draft",
        copy=False,
        tracking=True,
    )
    date_start = fields.Date(
        string="Drawn on",
        readonly=True,
        copy=False,
        help="Visits count from the day after.",
    )
    date_end = fields.Date(
        string="Until",
        required=True,
        default=lambda self: fields.Date.add(fields.Date.today(), years=1),
        help="The last day on which they are not invited. A year is best: it has all "
        "seasons.",
    )
    share = fields.Integer(
        string="Share not invited (%)",
        required=True,
        default=20,
        help="Of the customers who could join.",
    )
    stop_reason = fields.Char(string="Why it was stopped", copy=False, tracking=True)
    customer_ids = fields.One2many(
        "garage.loyalty.holdout.customer", "holdout_id", readonly=True
    )
    figure_ids = fields.One2many(
        "garage.loyalty.holdout.figure", "holdout_id", readonly=True
    )

    _share_possible = models.Constraint(
        "CHECK(share BETWEEN 1 AND 50)",
        "Between 1 and 50 % of the customers can be held out.",
    )
    _running_uniq = models.UniqueIndex(
        "(company_id) WHERE state = 'running'",
        "Another hold-out of this company is running.",
    )

    @api.constrains("company_id")
    def _check_company(self):
        for holdout in self:
            keeper = holdout.company_id.loyalty_company_id
            if keeper != holdout.company_id:
                raise ValidationError(
                    self.env._(
                        "%(company)s shares its customers with %(keeper)s: choose that "
                        "company.",
                        company=holdout.company_id.name,
                        keeper=keeper.name,
                    )
                )

    @api.model_create_multi
    def create(self, vals_list):
        """Create drafts: what is drawn and computed cannot be given."""
        for vals in vals_list:
            self._check_names(vals.keys() & self._fields.keys(), DRAFT_NAMES)
        return super().create(vals_list)

    def write(self, vals):
        """Refuse to change what was drawn, and what came of it."""
        for holdout in self:
            if holdout.state == "done":
                allowed = set()
            else:
                is_draft = holdout.state == "draft"
                allowed = DRAFT_NAMES if is_draft else RUNNING_NAMES
            holdout._check_names(vals.keys() & self._fields.keys(), allowed)
        return super().write(vals)

    def _check_names(self, names, allowed):
        """Refuse values of others than the add-on itself.

        :raise UserError: when a value is not for anybody to write
        """
        own = {
            name
            for name in names
            if self._fields[name]._module == self._original_module
        }
        if not self.env.su and own - allowed:
            raise UserError(
                self.env._(
                    "What was drawn stays as it is: nobody may choose, or the "
                    "comparison is worth nothing."
                )
            )

    @api.ondelete(at_uninstall=False)
    def _unlink_except_drawn(self):
        for holdout in self.filtered(lambda holdout: holdout.state != "draft")[:1]:
            raise UserError(
                self.env._("“%s” was drawn and cannot be deleted.", holdout.name)
            )

    def _check_manager(self):
        self.check_access("write")
        if not self.env.su and not self.env.user.has_group(MANAGER):
            raise AccessError(self.env._("Only loyalty managers do this."))

    @api.readonly
    def action_open_customers(self):
        """Open who was drawn into which group."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "garage_loyalty.garage_loyalty_holdout_customer_action"
        )
        return action | {
            "name": self.name,
            "display_name": self.name,
            "domain": [("holdout_id", "=", self.id)],
        }

    def action_invite(self):
        """Open the candidates; those who are held out are hidden there."""
        self.ensure_one()
        return self.env["ir.actions.act_window"]._for_xml_id(
            "garage_loyalty.garage_loyalty_candidate_action"
        )
