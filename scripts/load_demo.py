"""Fill the database of this Odoo shell with the demo workshop; keep its logins."""

import json
import os
from pathlib import Path

from odoo.addons.garage_loyalty.demo import workshop

logins = workshop.load(env)  # noqa: F821 - the shell's environment
env.cr.commit()  # noqa: F821 # pylint: disable=invalid-commit
Path(os.environ["GARAGE_LOGINS"]).write_text(json.dumps(logins, indent=2))
