"""What the owner of the demo workshop finds in the reports that are kept."""

# Of the hundred customers who could join: as many as it takes to tell something.
SHARE = 30


class Results:
    def __init__(self, premises, today):
        self.today = today
        owner = premises.env["res.users"].search([("login", "=", "owner")])
        self.env = premises.env(user=owner)

    def run(self):
        """Compute what the owner would, and prepare a hold-out that she may start."""
        self.env["garage.loyalty.estimate"].action_compute()
        self.env["garage.loyalty.result"].create({})
        self.env["garage.loyalty.holdout"].create(
            {
                "name": self.env._("Not invited in %s", self.today.year + 1),
                "share": SHARE,
            }
        )
