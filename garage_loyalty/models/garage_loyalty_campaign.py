from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

AT_RISK, LAPSED, ONCE = "at_risk", "lapsed", "once"
TRIGGERS = [
    (AT_RISK, "A customer becomes at risk"),
    (LAPSED, "A customer lapses"),
    (ONCE, "Once, when started"),
]
SCOPES = [("all", "Everybody"), ("member", "Members"), ("other", "Non-members")]
# What must not change while it runs: customers would be promised different things.
FROZEN = {
    "bonus_points",
    "company_id",
    "domain",
    "is_invitation",
    "left_out_percent",
    "offer_days",
    "reward_id",
    "scope",
    "trigger",
}


class GarageLoyaltyCampaign(models.Model):
    """What is done when customers stop coming: an activity, an e-mail, an offer."""

    _name = "garage.loyalty.campaign"
    _description = "Win-Back Campaign"
    _inherit = [
        "garage.loyalty.export.mixin",
        "garage.loyalty.campaign.holdout.mixin",
        "garage.loyalty.campaign.audience.mixin",
        "garage.loyalty.campaign.job.mixin",
        "garage.loyalty.campaign.result.mixin",
        "garage.loyalty.input.mixin",
        "mail.thread",
    ]
    _order = "state desc, id desc"

    name = fields.Char(required=True, translate=True)
    active = fields.Boolean(default=True)
    company_id = fields.Many2one(
        "res.company",
        required=True,
        index=True,
        default=lambda self: self.env.company.loyalty_company_id,
    )
    state = fields.Selection(
        [("draft", "Draft"), ("running", "Running"), ("ended", "Ended")],
        required=True,
        readonly=True,
        default="draft",
        copy=False,
        tracking=True,
    )
    date_start = fields.Date(string="Started on", readonly=True, copy=False)
    started_by_id = fields.Many2one(
        "res.users",
        readonly=True,
        copy=False,
        help="Who is contacted is found with this user's rights.",
    )
    trigger = fields.Selection(
        TRIGGERS,
        string="When",
        required=True,
        default=AT_RISK,
        tracking=True,
        help="Who was at this stage before the campaign started is not contacted by "
        "it: use one that runs once.",
    )
    scope = fields.Selection(SCOPES, string="Customers", required=True, default="all")
    domain = fields.Char(string="Only who", default="[]", required=True)
    left_out_percent = fields.Integer(
        string="Left out for comparison (%)",
        help="This share of the customers, chosen by chance, is not contacted. So you "
        "see how many would have come back anyway. 0 leaves nobody out.",
    )
    activity_type_id = fields.Many2one(
        "mail.activity.type",
        string="Activity",
        ondelete="restrict",
        domain="[('res_model', 'in', (False, 'res.partner'))]",
        help="For the advisor of the customer: the salesperson, or who did the last "
        "visit. Disappears when the customer comes back. Empty: none.",
    )
    user_id = fields.Many2one(
        "res.users",
        string="If there is no advisor",
        default=lambda self: self.env.user,
        domain="[('share', '=', False)]",
        help="Gets the activities of customers without an advisor.",
    )
    template_id = fields.Many2one(
        "mail.template",
        string="E-mail",
        ondelete="restrict",
        domain="[('model', '=', 'res.partner')]",
        help="Sent to customers with an address who may be written to. Empty: none.",
    )
    bonus_points = fields.Integer(
        tracking=True, help="A gift for members, given with the message. 0: none."
    )
    reward_id = fields.Many2one(
        "garage.loyalty.reward",
        ondelete="restrict",
        index="btree_not_null",
        domain="[('company_id', '=', company_id), ('is_personal', '=', True)]",
        help="Offered personally to each customer, to be used once; others cannot "
        "choose it. Who is not a member can use it after joining. Empty: none.",
    )
    offer_days = fields.Integer(
        string="Valid for (days)",
        default=60,
        help="Last day of the offer, counted from the day of the contact.",
    )
    _numbers = models.Constraint(
        "CHECK(bonus_points BETWEEN 0 AND 1000000 AND offer_days BETWEEN 1 AND 3660)",
        "A bonus lies between 0 and a million points, and an offer is valid for at "
        "least one day.",
    )
    _left_out_share = models.Constraint(
        "CHECK(left_out_percent BETWEEN 0 AND 90)",
        "At most 90 % of the customers can be left out.",
    )

    @api.constrains("company_id")
    def _check_company(self):
        for campaign in self:
            keeper = campaign.company_id.loyalty_company_id
            if keeper != campaign.company_id:
                raise ValidationError(
                    self.env._(
                        "%(company)s shares its customers with %(keeper)s: choose that "
                        "company.",
                        company=campaign.company_id.name,
                        keeper=keeper.name,
                    )
                )

    @api.constrains("company_id", "reward_id")
    def _check_reward(self):
        for campaign in self.filtered("reward_id"):
            if campaign.reward_id.company_id != campaign.company_id:
                raise ValidationError(
                    self.env._(
                        "“%(reward)s” is a reward of another company than %(company)s.",
                        reward=campaign.reward_id.name,
                        company=campaign.company_id.name,
                    )
                )

    @api.constrains("bonus_points", "scope")
    def _check_offer(self):
        for campaign in self.filtered("bonus_points"):
            if campaign.scope != "member":
                raise ValidationError(
                    self.env._(
                        "“%s”: only members can be given points. Choose members, or no "
                        "bonus.",
                        campaign.name,
                    )
                )

    def write(self, vals):
        """Refuse to change what a campaign promises while it runs."""
        running = self.filtered(lambda campaign: campaign.state != "draft")
        for campaign in running if FROZEN & vals.keys() else ():
            if any(
                campaign._fields[name].convert_to_write(campaign[name], campaign)
                != vals[name]
                for name in FROZEN & vals.keys()
            ):
                raise UserError(
                    self.env._(
                        "“%s” was started: end it, and make another one.", campaign.name
                    )
                )
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_started(self):
        for campaign in self.filtered(lambda campaign: campaign.state != "draft")[:1]:
            raise UserError(
                self.env._(
                    "“%s” was started and cannot be deleted. Archive it instead.",
                    campaign.name,
                )
            )

    # -- buttons ------------------------------------------------------------------

    def action_start(self):
        """Start contacting customers; the first ones within minutes.

        :raise UserError: when nothing would be done
        """
        self.check_access("write")
        for campaign in self.filtered(lambda campaign: campaign.state == "draft"):
            campaign._check_means()
            campaign.write(
                {
                    "state": "running",
                    "date_start": campaign.company_id._get_loyalty_today(),
                    "started_by_id": self.env.uid,
                }
            )
        # Who may start a campaign may let the job begin with it.
        self.env.ref("garage_loyalty.ir_cron_run_campaigns").sudo()._trigger()
        return True

    def _check_means(self):
        """Refuse a campaign that does nothing. Override to add means of contact."""
        self.ensure_one()
        means = (
            self.activity_type_id,
            self.template_id,
            self.bonus_points,
            self.reward_id,
        )
        if not any(means):
            raise UserError(
                self.env._(
                    "Choose an activity, an e-mail or an offer before you start."
                )
            )
        program = self.env["garage.loyalty.program"]._get_default(self.company_id)
        if self.bonus_points and not program.has_points:
            raise UserError(self.env._("The programme has no points."))

    def action_end(self):
        """Stop contacting customers. What was promised stays."""
        self.check_access("write")
        self.filtered(lambda campaign: campaign.state == "running").write(
            {"state": "ended"}
        )
        return True
