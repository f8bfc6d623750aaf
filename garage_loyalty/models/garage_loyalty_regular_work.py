from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL


class GarageLoyaltyRegularWork(models.Model):
    """Facts: customers who had the same kind of service done again and again.

    Since the last offer on it, and within the months of the settings. Derived from
    the invoices and never typed; from here advisors make personal offers.
    """

    _name = "garage.loyalty.regular.work"
    _description = "Regular Work"
    _inherit = [
        "garage.loyalty.customer.facts.mixin",
        "garage.loyalty.export.mixin",
        "garage.loyalty.offered.customer.mixin",
        "garage.loyalty.regular.work.query",
    ]
    _order = "times desc, last_date desc, id desc"
    _log_access = False

    categ_id = fields.Many2one(
        "product.category",
        string="Kind of work",
        required=True,
        readonly=True,
        ondelete="cascade",
    )
    times = fields.Integer(
        readonly=True,
        help="How many invoices have it. After an offer, counting begins again.",
    )
    first_date = fields.Date(string="First time", readonly=True)
    last_date = fields.Date(string="Last time", readonly=True)
    amount = fields.Monetary(
        readonly=True, help="Net amount of this work, less what was credited."
    )

    _customer_uniq = models.UniqueIndex("(partner_id, company_id, categ_id)")
    _times_idx = models.Index("(company_id, times)")

    @api.depends("categ_id.name", "times")
    @api.depends_context("lang")
    def _compute_display_name(self):
        for work in self:
            work.display_name = self.env._(
                "%(kind)s, %(times)s times", kind=work.categ_id.name, times=work.times
            )

    @api.model
    def _get_sync_query(self, partner_ids):
        """Return the statement that writes the facts; yields how many rows changed."""
        return SQL(
            """
            WITH fact AS MATERIALIZED (%(facts)s), gone AS (
                DELETE FROM garage_loyalty_regular_work
                 WHERE partner_id = ANY(%(partners)s)
                   AND (company_id, partner_id, categ_id) NOT IN (
                        SELECT company_id, partner_id, categ_id FROM fact)
                RETURNING id
            ), put AS (
                INSERT INTO garage_loyalty_regular_work (%(names)s)
                SELECT %(names)s FROM fact
                ON CONFLICT (partner_id, company_id, categ_id)
                DO UPDATE SET (%(names)s) = (%(excluded)s)
                 WHERE (%(current)s) IS DISTINCT FROM (%(excluded)s)
                RETURNING id
            )
            SELECT (SELECT count(*) FROM gone) + (SELECT count(*) FROM put)
            """,
            facts=self._get_fact_query(SQL("%s", partner_ids)),
            partners=partner_ids,
            **self._get_upsert(self._get_names()),
        )

    @api.model
    def _start_again(self, offers):
        """Count the work anew of customers who were offered something on it."""
        self._sync(offers.filtered("categ_id").partner_id.ids)

    @api.model
    def _count_again(self, unwanted):
        """Let the nightly job count now, with other settings.

        :param unwanted: a domain of facts that nobody wants to know any more
        """
        self.search(unwanted).unlink()
        self.env.ref("garage_loyalty.ir_cron_check_customers")._trigger()

    # -- buttons ----------------------------------------------------------------------

    def action_offer(self):
        """Make each customer the offer for regulars on its kind of work.

        :raise UserError: in a company without a programme
        """
        works = self.exists()
        works._check_offer_rights("user")
        vals_list = [work._prepare_offer_vals() for work in works]
        offers = self.env["garage.loyalty.personal.offer"]._offer(vals_list)
        return self._tell(self.env._("Offers made: %s", len(offers)))

    def action_decline(self):
        """Note that the customers are not interested: they are counted anew."""
        works = self.exists()
        works._check_offer_rights("user")
        vals_list = [work._prepare_key() for work in works]
        self.env["garage.loyalty.personal.offer"]._decline(vals_list)
        return self._tell(self.env._("Not interested: %s", len(works)))

    def _prepare_key(self):
        self.ensure_one()
        return {
            "company_id": self.company_id.id,
            "partner_id": self.partner_id.id,
            "categ_id": self.categ_id.id,
        }

    def _prepare_offer_vals(self):
        """Return the values of the offer. Override to offer something else."""
        reward = self._get_reward()
        return {**self._prepare_key(), "reward_id": reward.id, "source": "regular"}

    def _get_reward(self):
        """Return what regulars of the kind of work are offered.

        In the customer's programme, or in the one that new members join.
        """
        # Rewards are the manager's: advisors offer what the settings say, no more.
        work = self.sudo()
        program = work.member_id.program_id
        program = program or work.env["garage.loyalty.program"]._get_default(
            work.company_id
        )
        if not program:
            raise UserError(
                self.env._("There is no loyalty programme in %s.", work.company_id.name)
            )
        Reward = work.env["garage.loyalty.reward"]
        return Reward._get_for_regulars(program, work.categ_id)

    def _tell(self, message):
        """Say on the screen what was done, and let it show the rows that are left."""
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "message": message,
                "next": {"type": "ir.actions.act_window_close"},
            },
        }
