from typing import NamedTuple

from odoo import api, models
from odoo.tools import SQL
from odoo.tools.query import Query


class Fold(NamedTuple):
    """What facts are added up by before a report groups them, and what is added up.

    A type of its own, so that no context from outside can be taken for one.
    """

    keys: tuple
    sums: tuple


class GarageLoyaltyFoldMixin(models.AbstractModel):
    """Totals from facts that are added up by day and side beforehand.

    Every level of a pivot, and every figure in it, would go through all facts again.
    Sums of sums are the same sums: PostgreSQL adds the facts up once, by what the
    groups are made of, and computes levels and ratios from the few rows that are left.
    Whatever is no sum, such as a number of different customers, is left to the host.
    """

    _name = "garage.loyalty.fold.mixin"
    _description = "Report of Sums"
    _inherit = ["garage.loyalty.ratio.mixin"]

    @api.model
    def _get_fold_keys(self):
        """Return the fields that facts may be added up by.

        Each with its source: ``None``, or the column of the query that it is made of
        and the SQL that makes it. Override to group by a field of your own as quickly
        as by these; it should have few values.
        """
        return {}

    @api.model
    def _get_fold_ones(self):
        """Return the fields that are 1 in every row: counting rows adds them up.

        Override for a number of your own.
        """
        return ()

    @api.model
    def _get_fold_parts(self, spec):
        """Return the keys and columns that an aggregate needs; None if it is no sum.

        Override for an aggregate that is computed from others.
        """
        name, _colon, func = spec.partition(":")
        if spec == "__count":
            return (), ()
        ratio = self._get_ratios().get(f"{name}:avg")
        if ratio and func in ("avg", "sum_currency"):
            return self._join_fold_parts(
                self._convert(part, spec) for part in ratio[:2]
            )
        if func == "sum_currency":
            return (self._fields[name].get_currency_field(self),), (name,)
        return ((), (name,)) if func == "sum" else None

    @api.model
    def _join_fold_parts(self, specs, keys=()):
        """Return what several aggregates need together, besides ``keys``."""
        parts = [self._get_fold_parts(spec) for spec in specs]
        if None in parts:
            return None
        sums = (name for part in parts for name in part[1])
        keys = (*keys, *(name for part in parts for name in part[0]))
        return tuple(dict.fromkeys(keys)), tuple(dict.fromkeys(sums))

    def _folded(self, groupby, aggregates, order):
        """Return the model as it is to be grouped: folded, where nothing is lost."""
        names = [spec.partition(":")[0] for spec in groupby]
        terms = [term.split()[0] for term in (order or "").split(",") if term.strip()]
        parts = self._join_fold_parts(aggregates, names)
        if (
            not parts
            or not {*terms} <= {*groupby, *aggregates}
            or not {*parts[0]} <= {*self._get_fold_keys()}
        ):
            return self
        return self.with_context(loyalty_fold=Fold(*parts))

    def _get_fold(self):
        fold = self.env.context.get("loyalty_fold")
        return fold if isinstance(fold, Fold) else None

    @api.model
    def _read_group(self, domain, groupby=(), aggregates=(), having=(), **options):
        model = self
        if not having:
            model = self._folded(groupby, aggregates, options.get("order"))
        return super(GarageLoyaltyFoldMixin, model)._read_group(
            domain, groupby, aggregates, having, **options
        )

    @api.model
    def _read_grouping_sets(self, domain, grouping_sets, aggregates=(), order=None):
        groupby = dict.fromkeys(spec for specs in grouping_sets for spec in specs)
        model = self._folded(groupby, aggregates, order)
        return super(GarageLoyaltyFoldMixin, model)._read_grouping_sets(
            domain, grouping_sets, aggregates, order
        )

    @api.model
    def _search(self, domain, *args, **kwargs):
        query = super()._search(domain, *args, **kwargs)
        fold = self._get_fold()
        if not fold or query.is_empty():
            return query
        return Query(self.env, self._table, self._get_fold_query(query, fold))

    @api.model
    def _get_fold_query(self, query, fold) -> SQL:
        """Return what was found, added up by the keys."""
        sources = self._get_fold_keys()
        keys, made = [], []
        for name in fold.keys:
            if not sources[name]:
                keys.append(self._field_to_sql(self._table, name, query))
                continue
            source, made_from = sources[name]
            keys.append(SQL.identifier(self._table, source))
            made.append(SQL("%s AS %s", made_from, SQL.identifier(name)))
        sums = [self._get_fold_sum(name, query) for name in fold.sums]
        query.groupby = SQL(", ").join(keys) if keys else None
        rows = query.select(*keys, SQL("count(*) AS fold_count"), *sums)
        return SQL(
            "(SELECT %s FROM (%s) fold)", SQL(", ").join([SQL("*"), *made]), rows
        )

    @api.model
    def _get_fold_sum(self, name, query) -> SQL:
        """Return the sum of a column, of the column's own type."""
        if name in self._get_fold_ones():
            return SQL("count(*)::int AS %s", SQL.identifier(name))
        column = self._field_to_sql(self._table, name, query)
        cast = SQL("::int") if self._fields[name].type == "integer" else SQL("")
        return SQL("sum(%s)%s AS %s", column, cast, SQL.identifier(name))

    def _read_group_select(self, aggregate_spec: str, query: Query) -> SQL:
        if aggregate_spec == "__count" and self._get_fold():
            return SQL("sum(%s)::bigint", SQL.identifier(self._table, "fold_count"))
        return super()._read_group_select(aggregate_spec, query)
