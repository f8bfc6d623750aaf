from lxml import etree

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import split_every
from odoo.tools.safe_eval import safe_eval

from ..tools.cells import Column, Currency, Money
from ..tools.xlsx import MAX_ROWS, Book, Table

# How many rows are held in memory. Reports compute all rows for each batch of theirs.
BATCH, REPORT_BATCH = 2000, 10_000
NAMES = 50_000  # as many names of a column are remembered
KINDS = {
    "boolean": "boolean",
    "date": "date",
    "datetime": "datetime",
    "float": "decimal",
    "integer": "integer",
    "monetary": "money",
}
TEXTS = ("char", "many2many", "many2one", "reference", "selection", "text")
SKIPPED_WIDGETS = ("handle", "list_activity")


class GarageLoyaltyXlsxMixin(models.AbstractModel):
    """A list as an Excel file that can be worked with.

    The columns are those that the list shows, each with its definition on a second
    sheet. Everything is read as the user: access rights and record rules hold.
    """

    _name = "garage.loyalty.xlsx.mixin"
    _description = "Excel with Definitions"
    _inherit = ["garage.loyalty.xlsx.about.mixin"]

    @api.model
    def _get_view(self, view_id=None, view_type="form", **options):
        """Mark the views from which the client may ask for the file."""
        arch, view = super()._get_view(view_id, view_type, **options)
        if view_type in ("list", "pivot"):
            arch.set("loyalty_xlsx", "1")
        return arch, view

    @api.model
    def _write_xlsx(self, file, domain, order=None, view_id=None):
        """Write the rows that ``domain`` finds to an open binary file.

        :param order: as for ``search``; None for that of the model
        :param view_id: the list whose columns are wanted; None for the default one
        :return: the number of rows
        :raise AccessError: when the user may not export, or not read
        :raise UserError: when there are too many rows for a sheet
        """
        self._check_xlsx_access()
        count = self.search_count(domain, limit=MAX_ROWS + 1)
        if count > MAX_ROWS:
            raise UserError(
                self.env._("A sheet holds %s rows. Please filter first.", MAX_ROWS)
            )
        columns = self._get_xlsx_columns(view_id)
        book = Book(file, self._prepare_xlsx_table(columns.values()))
        book.fill(self._get_xlsx_rows(domain, order, columns))
        parameters = self._get_xlsx_about(domain, book)
        titles = (self.env._("Column"), self.env._("What it means"))
        book.explain(self.env._("About"), parameters, titles)
        book.close()
        return book.count

    @api.model
    def _check_xlsx_access(self):
        """Refuse whoever may not export, as the host does for its own exports."""
        if not self.env.user.has_group("base.group_allow_export"):
            raise AccessError(
                self.env._("You don't have the rights to export data. Ask for them.")
            )
        self.check_access("read")

    # -- columns --------------------------------------------------------------------

    @api.model
    def _get_xlsx_columns(self, view_id=None):
        """Return the columns by the name of their field, in their order.

        Override to add some, or to leave some out. Rows follow them.

        :param view_id: a list of this model; None for the default one
        """
        arch = etree.fromstring(self.get_view(view_id, "list")["arch"])
        nodes = [
            node for node in arch.iterchildren("field") if self._is_xlsx_column(node)
        ]
        names = [node.get("name") for node in nodes]
        described = self.fields_get(names)
        columns = {
            node.get("name"): self._prepare_xlsx_column(
                node, described[node.get("name")]
            )
            for node in nodes
        }
        return self._add_xlsx_currencies(columns)

    def _is_xlsx_column(self, node):
        """Tell whether a list shows a field, before the user has chosen columns."""
        field = self._fields.get(node.get("name"))
        hidden = node.get("column_invisible") or "False"
        return (
            field
            and field.type in (*KINDS, *TEXTS)
            and node.get("optional") != "hide"
            and node.get("widget") not in SKIPPED_WIDGETS
            and not safe_eval(hidden, {"context": dict(self.env.context)})
        )

    def _prepare_xlsx_column(self, node, described):
        """Return the column of a field as a list shows it."""
        kind = KINDS.get(described["type"], "text")
        if kind == "decimal" and node.get("widget") == "percentage":
            kind = "percent"
        return Column(
            label=node.get("string") or described["string"],
            kind=kind,
            help=node.get("help") or described.get("help") or "",
            digits=(described.get("digits") or (16, 2))[1],
            # Only whoever made the list knows what has a sum.
            total=bool(node.get("sum")) and kind in ("integer", "decimal", "money"),
        )

    def _add_xlsx_currencies(self, columns):
        """Say the currency of each row when the user's companies differ in it."""
        if len(self.env.companies.currency_id) < 2:
            return columns
        names = {
            self._fields[name].get_currency_field(self)
            for name, column in columns.items()
            if column.kind == "money"
        }
        added = self.fields_get(list(names - columns.keys())) if names else {}
        return columns | {
            name: Column(described["string"], help=described.get("help") or "")
            for name, described in added.items()
        }

    def _prepare_xlsx_table(self, columns):
        """Return how the first sheet is made."""
        language = self.env["res.lang"]._get_data(code=self.env.lang or "en_US")
        return Table(
            name=self._get_xlsx_name(),
            columns=list(columns),
            total_label=self.env._("Total"),
            author=self.env.user.name,
            right_to_left=language.direction == "rtl",
        )

    # -- rows -----------------------------------------------------------------------

    @api.model
    def _get_xlsx_rows(self, domain, order=None, columns=None):
        """Yield a list of cells for each row. Override to add what no field holds.

        :param columns: what ``_get_xlsx_columns`` has returned
        """
        columns = self._get_xlsx_columns() if columns is None else columns
        money = {
            name: self._fields[name].get_currency_field(self)
            for name, column in columns.items()
            if column.kind == "money"
        }
        readers = {name: self._get_xlsx_reader(name, money) for name in columns}
        for records in self._get_xlsx_batches(
            domain, order, [*columns, *money.values()]
        ):
            for record in records:
                yield [read(record) for read in readers.values()]
            # All that the batch has brought to memory leaves it.
            self.env.invalidate_all()

    def _get_xlsx_batches(self, domain, order, names):
        """Yield records of which the fields are fetched, so many at a time."""
        # Names of customers need some of their fields, not all of them.
        records = self.with_context(prefetch_fields=False)
        names = [name for name in dict.fromkeys(names) if name]
        order = f"{order or self._order}, id"
        if self._auto:
            ids = records.search(domain, order=order)._ids
            for chunk in split_every(BATCH, ids):
                batch = records.browse(chunk)
                batch.fetch(names)
                yield batch
            return
        offset, found = 0, records
        while not offset or len(found) == REPORT_BATCH:
            found = records.search_fetch(
                domain, names, offset=offset, limit=REPORT_BATCH, order=order
            )
            offset += REPORT_BATCH
            yield found

    def _get_xlsx_reader(self, name, money):
        """Return a function that reads the cell of a field from a record."""
        field = self._fields[name]
        if name in money:
            return self._get_xlsx_money_reader(name, money[name])
        if field.type == "selection":
            labels = dict(field._description_selection(self.env))
            return lambda record: labels.get(record[name])
        if field.type == "many2one":
            names = {}
            return lambda record: self._read_xlsx_name(record, field, names)
        if field.type in ("many2many", "reference"):
            return lambda record: ", ".join(record[name].mapped("display_name")) or None
        if field.type == "datetime":
            return lambda record: self._read_xlsx_moment(record, name)
        if field.type in ("boolean", "float", "integer"):
            return lambda record: record[name]
        return lambda record: record[name] or None

    def _read_xlsx_name(self, record, field, names):
        """Return the name of a record as the host's lists do: whoever reads a row
        reads the names in it."""
        value = record[field.name]
        if not value:
            return None
        if value.id not in names:
            if len(names) >= NAMES:
                names.clear()
            names[value.id] = field.convert_to_read(value, record)[1]
        return names[value.id]

    def _read_xlsx_moment(self, record, name):
        value = record[name]
        if not value:
            return None
        return fields.Datetime.context_timestamp(record, value).replace(tzinfo=None)

    def _get_xlsx_money_reader(self, name, currency_name):
        """Return a function that reads an amount, as precise as its currency is."""
        known = {}

        def read(record):
            currency = record[currency_name] if currency_name else None
            if not currency:
                return Money(record[name])
            if currency.id not in known:
                known[currency.id] = Currency(
                    currency.name,
                    currency.symbol or "",
                    currency.position,
                    currency.decimal_places,
                )
            found = known[currency.id]
            return Money(round(record[name], found.digits), found)

        return read
