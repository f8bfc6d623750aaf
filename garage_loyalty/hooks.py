from odoo.tools import SQL
from odoo.tools.sql import create_model_table, table_exists

# What reports read of every visit, never empty; those of one size come first.
VISIT_COLUMNS = {
    "company_id": "int4",
    "partner_id": "int4",
    "date": "date",
    "is_member": "bool",
    "is_warranty": "bool",
    "kind": "varchar",
    "amount": "numeric",
    "amount_discount": "numeric",
    "amount_labour": "numeric",
    "amount_parts": "numeric",
}


def pre_init_hook(env):
    """Begin the table of visits with what reports read of every row.

    To get at a column, PostgreSQL walks over all those before it, and over empty ones
    slowest. By the host's order, which is that of types, reports on millions of visits
    take a fifth longer. The ORM adds the other columns, and what is required.
    """
    if not table_exists(env.cr, "garage_loyalty_visit"):
        create_model_table(
            env.cr,
            "garage_loyalty_visit",
            columns=[(name, type_, None) for name, type_ in VISIT_COLUMNS.items()],
        )


def post_init_hook(env):
    """Start every company with a programme, and stamp the history it already has."""
    env["garage.loyalty.program"]._create_default(env["res.company"].search([]))
    env.ref("garage_loyalty.ir_cron_check_visits")._trigger()
    env.ref("garage_loyalty.ir_cron_check_customers")._trigger()


def uninstall_hook(env):
    """Drop what the ORM does not know of, and keep what documents still need."""
    env.cr.execute(
        SQL(
            """
            DROP FUNCTION IF EXISTS garage_loyalty_append_only() CASCADE;
            DROP FUNCTION IF EXISTS garage_loyalty_put_checksum() CASCADE;
            DROP FUNCTION IF EXISTS garage_loyalty_note_benefit() CASCADE;
            DROP FUNCTION IF EXISTS garage_loyalty_note_members() CASCADE;
            DROP FUNCTION IF EXISTS garage_loyalty_checksum(garage_loyalty_entry);
            DROP FUNCTION IF EXISTS garage_loyalty_checksum(garage_loyalty_allocation);
            DROP FUNCTION IF EXISTS garage_loyalty_checksum(garage_loyalty_deferral)
            """
        )
    )
    product = env.ref("garage_loyalty.product_redemption", raise_if_not_found=False)
    if product and _is_on_documents(env, product):
        _keep_product(env, product)
    else:
        # The programmes refer to the product, and are dropped after it.
        env.cr.execute(
            SQL(
                "ALTER TABLE garage_loyalty_program DROP CONSTRAINT IF EXISTS "
                "garage_loyalty_program_redemption_product_id_fkey"
            )
        )


def _is_on_documents(env, product):
    return any(
        env[model].search_count([("product_id", "=", product.id)], limit=1)
        for model in ("account.move.line", "sale.order.line")
    )


def _keep_product(env, product):
    """Archive the product, and let it belong to the database instead of the add-on."""
    product.action_archive()
    for record in (product, product.product_tmpl_id):
        env["ir.model.data"].search(
            [
                ("module", "=", "garage_loyalty"),
                ("model", "=", record._name),
                ("res_id", "=", record.id),
            ]
        ).unlink()
