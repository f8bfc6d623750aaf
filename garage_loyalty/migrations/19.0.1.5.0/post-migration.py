from odoo import SUPERUSER_ID, api


def migrate(cr, version):
    """Value the points of programmes that are there already: all to be redeemed.

    Stamp what customers said when asked to join on the visits of the time before.
    """
    env = api.Environment(cr, SUPERUSER_ID, {})
    env["garage.loyalty.program"].with_context(active_test=False).search(
        [("valuation_ids", "=", False)]
    )._revalue()
    env["garage.loyalty.visit"]._sync_answers(
        env["repair.order"].search([("loyalty_offer", "!=", "not_asked")])
    )
    # The report on enrolment read answers by it.
    cr.execute("DROP INDEX IF EXISTS repair_order_loyalty_answer_idx")
