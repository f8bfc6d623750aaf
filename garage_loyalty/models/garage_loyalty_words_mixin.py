from markupsafe import Markup

from odoo import api, models
from odoo.tools import format_date
from odoo.tools.misc import formatLang

MINUS, LEFT_TO_RIGHT = "\u2212", "\u200e"


class GarageLoyaltyWordsMixin(models.AbstractModel):
    """Numbers and days as a reader's language writes them, in sentences."""

    _name = "garage.loyalty.words.mixin"
    _description = "Numbers in Words"

    @api.model
    def _number(self, value, digits=0):
        return formatLang(self.env, value, digits=digits)

    @api.model
    def _percent(self, value):
        """Return a percentage without its sign, to one decimal."""
        return self._keep_order(f"{self._number(abs(value), 1)}%")

    @api.model
    def _signed(self, value, digits=1):
        """Return a percentage with its sign."""
        number = self._number(abs(value), digits)
        return self._keep_order(f"{self._sign(value, digits)}{number}%")

    @api.model
    def _sign(self, value, digits=1):
        """Return the sign of a number, none of what is shown as 0."""
        rounded = round(value, digits)
        if not rounded:
            return ""
        return "+" if rounded > 0 else MINUS

    @api.model
    def _keep_order(self, text):
        """Return a number that right-to-left text does not turn round."""
        code = self.env.context.get("lang") or self.env.lang
        language = self.env["res.lang"]._get_data(code=code)
        if language.direction != "rtl":
            return text
        return f"{LEFT_TO_RIGHT}{text}{LEFT_TO_RIGHT}"

    @api.model
    def _name_day(self, day):
        return format_date(self.env, day)

    @api.model
    def _join_paragraphs(self, sentences):
        """Return sentences as paragraphs, escaped; those without words are left out."""
        return Markup().join(
            Markup("<p>%s</p>") % sentence for sentence in sentences if sentence
        )
