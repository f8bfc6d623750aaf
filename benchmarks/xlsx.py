"""A list of 200,000 rows as an Excel file: memory and time.

    ./dev bench xlsx

Makes visits by SQL until there are as many as are asked for, writes all of them as
the route does for a user, and measures by how much the memory of the process grows.
"""

import gc
import re
import tempfile
import time
from pathlib import Path

from common import Report, environment, open_registry, parser
from large import get_partners

from odoo.tools import SQL

CUSTOMERS, MEGABYTES = 20_000, 200


def fill(env, rows):
    """Make the visits that are missing."""
    missing = rows - env["garage.loyalty.visit"].search_count([])
    if missing <= 0:
        return
    env.cr.execute(get_partners(CUSTOMERS))
    env.cr.execute(get_visits(env.company, missing))
    env.invalidate_all()


def get_visits(company, number):
    """Return the statement that makes visits."""
    return SQL(
        """
        WITH customer AS (
            SELECT id, row_number() OVER (ORDER BY id) - 1 AS n
              FROM res_partner WHERE name LIKE 'Scale %%'
        )
        INSERT INTO garage_loyalty_visit (kind, company_id, partner_id, date, is_member,
               is_warranty, amount_labour, amount_parts, amount, amount_discount)
        SELECT 'repair', %s, customer.id, current_date - n %% 2190, n %% 3 = 0,
               FALSE, n %% 400, n %% 170 + 0.25, n %% 400 + n %% 170 + 0.25, 0
          FROM (SELECT generate_series(1, %s) AS serial) made
          JOIN customer ON customer.n = made.serial %% %s
        """,
        company.id,
        number,
        CUSTOMERS,
    )


def get_memory(name):
    """Return what the process holds (VmRSS), or held at most (VmHWM), in MB."""
    status = Path("/proc/self/status").read_text()
    return int(re.search(rf"{name}:\s+(\d+)", status)[1]) / 1024


def write(env, model, rows):
    """Write that many rows; return their number, seconds, megabytes and the size."""
    records = env[model]
    last = records._auto and records.search([], order="id", offset=rows - 1, limit=1)
    domain = [("id", "<=", last.id)] if last else []
    gc.collect()
    before = get_memory("VmRSS")
    # From now on, the most that was held is counted anew.
    Path("/proc/self/clear_refs").write_text("5")
    started = time.perf_counter()
    with tempfile.TemporaryFile() as file:
        count = records._write_xlsx(file, domain)
        size = file.tell() / 1024**2
    seconds = time.perf_counter() - started
    return count, seconds, get_memory("VmHWM") - before, size


def main():
    options = parser(__doc__)
    options.add_argument("--rows", type=int, default=200_000)
    options.add_argument("--model", default="garage.loyalty.visit")
    options = options.parse_args()
    registry = open_registry(options.database)
    report = Report()
    with environment(registry) as env:
        fill(env, options.rows)
        admin = env.ref("base.user_admin")
        admin.group_ids += env.ref("base.group_allow_export")
        admin.group_ids += env.ref("garage_loyalty.garage_loyalty_group_manager")
        uid = admin.id
    with environment(registry, uid) as env:
        count, seconds, megabytes, size = write(env, options.model, options.rows)
    report.title(f"{count} rows of {options.model}, {size:.1f} MB on the disk")
    report.line(
        "memory while they are written",
        f"{megabytes:.0f} MB",
        f"<= {MEGABYTES} MB",
        megabytes <= MEGABYTES,
    )
    report.note(f"{seconds:.0f} s, {1000 * seconds / max(count, 1):.2f} ms a row")
    report.finish()


if __name__ == "__main__":
    main()
