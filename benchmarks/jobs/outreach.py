"""Customers who are contacted by a campaign."""

from datetime import timedelta

from odoo.tools import SQL

from jobs.job import Job

GIFT = 70


class Outreach(Job):
    """Members who became at risk: an activity, an e-mail and a gift for each."""

    title = "Campaigns: customers who became at risk"
    action, unit = "ir_cron_run_campaigns", "contacts"
    code = "model._cron_run(batch=2)"

    def set_up(self, env, shop):
        self.labour_id = shop.labour().id
        self.partner_ids = []
        self.campaign_id = self._start(env, shop).id

    def _start(self, env, shop):
        Campaign = env["garage.loyalty.campaign"]
        # Those of former runs on this database would contact the customers first.
        Campaign.search([("state", "=", "running")]).action_end()
        campaign = Campaign.create(
            {
                "name": "Who becomes at risk",
                "company_id": shop.company.id,
                "scope": "member",
                "activity_type_id": env.ref("mail.mail_activity_data_call").id,
                "template_id": env.ref("garage_loyalty.mail_template_win_back").id,
                "bonus_points": GIFT,
            }
        )
        campaign.action_start()
        return campaign

    def prepare(self, env, shop):
        day = shop.company._get_loyalty_today() - timedelta(240)
        labour = env["product.product"].browse(self.labour_id)
        partners = shop.customers(16, email="customer@example.com")
        shop.enrol(partners).consent_marketing = True
        for partner in partners:
            shop.invoices(partner, labour, 1, date=day).action_post()
        env["garage.loyalty.changed.customer"]._process()
        self.partner_ids += partners.ids

    def _get_contacts(self, env):
        return env["garage.loyalty.campaign.contact"].search(
            [("campaign_id", "=", self.campaign_id)]
        )

    def count_done(self, env):
        return len(self._get_contacts(env))

    def is_left(self, env):
        campaign = env["garage.loyalty.campaign"].browse(self.campaign_id)
        domain = campaign._get_due_domain()
        return bool(env["garage.loyalty.customer"].search_count(domain))

    def find_wrong(self, env):
        """Everybody has one contact, one activity, one mail and one gift."""
        contacts = self._get_contacts(env).grouped("partner_id")
        rows = env.execute_query(
            SQL(
                "SELECT res_id, count(*) FROM mail_message WHERE model = 'res.partner' "
                "AND message_type = 'email_outgoing' AND res_id = ANY(%s) GROUP BY 1",
                self.partner_ids,
            )
        )
        mails, wrong = dict(rows), []
        for partner in env["res.partner"].browse(self.partner_ids):
            mine = contacts.get(partner, env["garage.loyalty.campaign.contact"])
            gifts = mine.bonus_ids.mapped("points")
            found = len(mine), len(partner.activity_ids), mails.get(partner.id), gifts
            if found != (1, 1, 1, [GIFT]):
                wrong.append(f"customer {partner.id}: {found}")
        return wrong
