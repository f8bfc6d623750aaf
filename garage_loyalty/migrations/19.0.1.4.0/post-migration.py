from odoo import SUPERUSER_ID, api
from odoo.tools import split_every

BATCH = 2000


def migrate(cr, version):
    """Derive what is new from the documents that are there.

    What members were given now, the previous paid visits in the nightly job.
    """
    env = api.Environment(cr, SUPERUSER_ID, {})
    customers = env["garage.loyalty.member"].search([]).partner_id
    for ids in split_every(BATCH, customers.ids, list):
        env["garage.loyalty.benefit"]._sync(ids)
    env.ref("garage_loyalty.ir_cron_check_visits")._trigger()
