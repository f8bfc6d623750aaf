from odoo import fields, models


class GarageLoyaltyStatementSettingsMixin(models.AbstractModel):
    """What invoices of a company tell about points."""

    _name = "garage.loyalty.statement.settings.mixin"
    _description = "Settings of What Invoices Tell about Points"

    loyalty_statement = fields.Selection(
        [
            ("none", "Nothing"),
            ("points", "Points"),
            ("full", "Points, what they are worth, when the next ones expire"),
        ],
        string="Invoices tell members",
        default="full",
        required=True,
        help="On the printed invoice, and in the e-mail that it is sent with.",
        prefetch="loyalty",
    )
