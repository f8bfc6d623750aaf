from odoo import api, models
from odoo.exceptions import UserError

from ..tools import checks


class GarageLoyaltyInputMixin(models.AbstractModel):
    """Refuse in words what no field can hold, whichever way it comes in.

    The host leaves it to the database, whose answer is for programmers.
    """

    _name = "garage.loyalty.input.mixin"
    _description = "Checked Input"

    @api.model_create_multi
    def create(self, vals_list):
        """Check what is created."""
        for vals in vals_list:
            self._check_input(vals)
        return super().create(vals_list)

    def write(self, vals):
        """Check what is written."""
        self._check_input(vals)
        return super().write(vals)

    @api.model
    def _check_input(self, vals):
        """Refuse values that do not fit their fields.

        Override to check more.

        :raise UserError: naming the field as the user knows it
        """
        for name, value in vals.items():
            field = self._fields.get(name)
            problem = field and self._get_input_problem(field, value)
            if problem:
                label = field.get_description(self.env, ["string"])["string"]
                raise UserError(
                    self.env._(
                        "“%(field)s”: %(problem)s",
                        field=label,
                        problem=self._get_problem_text(problem),
                    )
                )

    @api.model
    def _get_input_problem(self, field, value):
        if isinstance(value, models.BaseModel):
            return None
        if field.type == "selection":
            return checks.choice(value, field.get_values(self.env))
        check = checks.CHECKS.get(field.type)
        return check and check(value)

    @api.model
    def _get_problem_text(self, problem):
        return {
            "choice": self.env._("choose one of the list."),
            "day": self.env._("enter a day between the years 1900 and 2999."),
            "long": self.env._("the text is too long."),
            "nul": self.env._("the text contains a character that cannot be kept."),
            "number": self.env._("enter a number, not larger than a trillion."),
            "records": self.env._("choose records of the list."),
            "reference": self.env._("choose one of the list."),
            "text": self.env._("enter a text."),
            "whole": self.env._("enter a whole number, below two billion."),
        }[problem]
