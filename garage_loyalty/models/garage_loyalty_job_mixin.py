from odoo import api, models
from odoo.service.model import retrying


class GarageLoyaltyJobMixin(models.AbstractModel):
    """How scheduled actions work in steps that can be interrupted."""

    _name = "garage.loyalty.job.mixin"
    _description = "Steps of a Scheduled Action"

    @api.model
    def _run_step(self, step, left):
        """Repeat a step until nothing is left to do; tell whether there is time.

        :param step: a function that does a part of the work, in a transaction of its
            own, and returns how much it did
        :param left: how many steps are left, this one included
        """
        while done := retrying(step, self.env):
            if not self.env["ir.cron"]._commit_progress(done, remaining=left):
                return False
        return True
