from odoo.tools import SQL


def post_init_hook(env):
    """Start every company with a programme, and stamp the history it already has."""
    env["garage.loyalty.program"]._create_default(env["res.company"].search([]))
    env.ref("garage_loyalty.ir_cron_check_visits")._trigger()


def uninstall_hook(env):
    """Drop what the ORM does not know of."""
    env.cr.execute(
        SQL("DROP FUNCTION IF EXISTS garage_loyalty_entry_append_only() CASCADE")
    )
