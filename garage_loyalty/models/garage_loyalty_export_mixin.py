from odoo import api, models

from ..tools.text import no_formula


class GarageLoyaltyExportMixin(models.AbstractModel):
    """Exports in which a spreadsheet computes nothing that people typed."""

    _name = "garage.loyalty.export.mixin"
    _description = "Export without Formulas"
    _inherit = ["garage.loyalty.xlsx.mixin"]

    def export_data(self, fields_to_export):
        """Return what is exported, text that could be a formula marked as text.

        :raise UserError: when the user may not export
        """
        result = super().export_data(fields_to_export)
        rows = [[no_formula(cell) for cell in row] for row in result["datas"]]
        return result | {"datas": rows}

    @api.model
    @api.readonly
    def formatted_read_group(self, domain, groupby=(), *args, **kwargs):
        """Return groups as the host does; in an export their titles are text."""
        groups = super().formatted_read_group(domain, groupby, *args, **kwargs)
        # The host's export sets this, and writes the titles as they are.
        if "import_compat" in self.env.context:
            for group in groups:
                for name in groupby:
                    group[name] = self._get_group_text(group[name])
        return groups

    @api.model
    def _get_group_text(self, value):
        """Return the value of a group: some text, or an id and its name."""
        if isinstance(value, tuple):
            return tuple(no_formula(item) for item in value)
        return no_formula(value)
