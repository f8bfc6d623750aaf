from odoo.tools import SQL


def post_init_hook(env):
    """Start every company with a programme, and stamp the history it already has."""
    env["garage.loyalty.program"]._create_default(env["res.company"].search([]))
    env.ref("garage_loyalty.ir_cron_check_visits")._trigger()


def uninstall_hook(env):
    """Drop what the ORM does not know of, and keep what documents still need."""
    env.cr.execute(
        SQL("DROP FUNCTION IF EXISTS garage_loyalty_entry_append_only() CASCADE")
    )
    _keep_redemption_product(env)


def _keep_redemption_product(env):
    """Archive the product of redemption lines where documents refer to it."""
    product = env.ref("garage_loyalty.product_redemption", raise_if_not_found=False)
    if not product or not any(
        env[model].search_count([("product_id", "=", product.id)], limit=1)
        for model in ("account.move.line", "sale.order.line")
    ):
        return
    product.action_archive()
    for record in (product, product.product_tmpl_id):
        env["ir.model.data"].search(
            [
                ("module", "=", "garage_loyalty"),
                ("model", "=", record._name),
                ("res_id", "=", record.id),
            ]
        ).unlink()
