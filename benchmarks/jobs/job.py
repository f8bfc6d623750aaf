"""What all jobs that are killed have in common."""

from common import environment
from workshop import Workshop


class Job:
    """A scheduled action, work for it, and what must come of it."""

    action, code, unit = None, None, None

    def __init__(self, registry):
        self.registry = registry
        with environment(registry) as env:
            action = env.ref(f"garage_loyalty.{self.action}")
            action.code = self.code
            self.id = action.id
            self.set_up(env, Workshop(env))

    def set_up(self, env, shop):
        """Make what all rounds of work need."""

    def prepare(self, env, shop):
        """Make a round of work."""
        raise NotImplementedError

    def count_done(self, env):
        """Return how much of the work of all rounds has been committed."""
        raise NotImplementedError

    def is_left(self, env):
        """Tell whether there is still work to do."""
        raise NotImplementedError

    def find_wrong(self, env):
        """Return what is missing or too much, when no work is left."""
        raise NotImplementedError

    def clean_up(self, env):
        """Leave a ledger that adds up."""

    def get_differences(self, env):
        """Return what the ledger check finds, beyond what was tampered with."""
        shop = Workshop(env)
        return shop.differences(env["garage.loyalty.member"].search([]))
