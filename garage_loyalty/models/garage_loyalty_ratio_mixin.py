from odoo import api, models
from odoo.tools import SQL
from odoo.tools.query import Query


class GarageLoyaltyRatioMixin(models.AbstractModel):
    """Ratios that the database computes for every grouping, from its own sums.

    So totals are right at every level, which an average of averages is not.
    """

    _name = "garage.loyalty.ratio.mixin"
    _description = "Report with Ratios"

    @api.model
    def _get_ratios(self):
        """Return numerator, denominator and, unless 1, factor of each ratio.

        As aggregates. Override to add a ratio of your own; its field needs
        ``aggregator="avg"``.
        """
        return {}

    def _compile_nothing(self):
        """Let PostgreSQL run what follows as it is, in this transaction.

        Compiling a report of many parts takes longer than reading it.
        """
        self.env.cr.execute("SET LOCAL jit = off")

    def _read_group_select(self, aggregate_spec: str, query: Query) -> SQL:
        name, _colon, func = aggregate_spec.partition(":")
        ratio = self._get_ratios().get(f"{name}:avg")
        if not ratio or func not in ("avg", "sum_currency"):
            return super()._read_group_select(aggregate_spec, query)
        plain = super()._read_group_select
        *parts, factor = ratio if len(ratio) == 3 else (*ratio, 0)
        parts = [self._convert(part, aggregate_spec) for part in parts]
        # An average of a field has the sum of that very field as a part.
        above, below = (
            (plain if part == aggregate_spec else self._read_group_select)(part, query)
            for part in parts
        )
        # Without a denominator there is no ratio, which is not the same as 0.
        quotient = SQL("%s::numeric / NULLIF(%s, 0)", above, below)
        return SQL("%s * %s", factor, quotient) if factor else quotient

    def _convert(self, part, aggregate_spec):
        """Return a part of a figure, in one currency where that is asked for.

        For groups with several currencies the client asks for ``sum_currency`` of an
        amount, also where it is no sum. Percentages are asked for once: amounts in them
        are in one currency as soon as the user has companies with several.
        """
        name, _colon, func = aggregate_spec.partition(":")
        is_amount = self._fields[name].type == "monetary"
        if func != "sum_currency" and (
            is_amount or len(self.env.companies.currency_id) < 2
        ):
            return part
        name, _colon, func = part.partition(":")
        is_sum = func == "sum" and self._fields[name].type == "monetary"
        return f"{name}:sum_currency" if is_sum else part
