from odoo import SUPERUSER_ID, api


def migrate(cr, version):
    """Value the points of programmes that are there already: all to be redeemed."""
    env = api.Environment(cr, SUPERUSER_ID, {})
    env["garage.loyalty.program"].with_context(active_test=False).search(
        [("valuation_ids", "=", False)]
    )._revalue()
