from odoo import api, models


class AccountMoveSend(models.AbstractModel):
    _inherit = "account.move.send"

    @api.model
    def _get_default_mail_body(self, move, mail_template, mail_lang):
        """Tell members of their points below what the template says."""
        body = super()._get_default_mail_body(move, mail_template, mail_lang)
        statement = move._get_loyalty_statement()
        if not body or not statement:
            return body
        template = self.env["ir.qweb"].with_context(lang=mail_lang)
        return body + template._render(
            "garage_loyalty.mail_statement", {"statement": statement}
        )
