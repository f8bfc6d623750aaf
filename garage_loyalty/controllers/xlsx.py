import json
import logging
import tempfile
from ast import literal_eval

import psycopg2
from werkzeug.exceptions import BadRequest, Forbidden
from werkzeug.wsgi import wrap_file

from odoo import fields, http
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain
from odoo.http import content_disposition, request
from odoo.tools import osutil

_logger = logging.getLogger(__name__)

TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
# What reading and searching by nonsense raises.
WRONG = (KeyError, MemoryError, RecursionError, SyntaxError, TypeError, ValueError)


class GarageLoyaltyXlsx(http.Controller):
    """Lists of the add-on as Excel files."""

    @http.route(
        "/garage_loyalty/xlsx",
        type="http",
        auth="user",
        methods=["GET", "POST"],
        readonly=True,
    )
    def download(self, model="", domain="[]", order="", view_id="", context="{}"):
        """Return the rows that ``domain`` finds as a file.

        :param domain: a domain as a Python literal
        :param order: as for ``search``; none for that of the model
        :param view_id: the list whose columns are wanted
        :param context: the context of the view, as JSON
        """
        try:
            records = self._get_model(model, context)
            found = self._get_domain(records, domain, order)
            view = self._get_view(records, view_id)
            return self._get_file(records, found, order or None, view)
        except UserError as error:
            self._refuse(error)

    def _get_file(self, records, domain, order, view_id):
        file = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the response
        try:
            count = records._write_xlsx(file, domain, order, view_id)
        except Exception:
            file.close()
            raise
        _logger.info(
            "User %s exported %s rows of %s: %s",
            request.env.uid,
            count,
            records._name,
            domain,
        )
        return self._respond(file, self._get_file_name(records))

    def _respond(self, file, name):
        """Return a response that reads the file as it is sent, and closes it then."""
        size = file.tell()
        file.seek(0)
        headers = [
            ("Content-Type", TYPE),
            ("Content-Length", size),
            ("Content-Disposition", content_disposition(name)),
            ("X-Content-Type-Options", "nosniff"),
        ]
        body = wrap_file(request.httprequest.environ, file)
        response = request.make_response(body, headers=headers)
        response.call_on_close(file.close)
        return response

    def _get_file_name(self, records):
        day = fields.Date.to_string(fields.Date.context_today(records))
        return osutil.clean_filename(f"{records._get_xlsx_name()} {day}.xlsx")

    # -- what was asked for ---------------------------------------------------------

    def _get_model(self, name, context):
        """Return the model, with the context of the view, as the user."""
        mixin = request.registry["garage.loyalty.xlsx.mixin"]
        model = request.env.get(name)
        if model is None or not isinstance(model, mixin) or model._abstract:
            raise UserError(request.env._("There is no such report."))
        records = model.with_context(**self._read_context(context))
        records._check_xlsx_access()
        return records

    def _get_domain(self, records, domain, order):
        """Return a domain that can be searched by, in an order that exists."""
        try:
            found = Domain(literal_eval(domain or "[]"))
            found.validate(records)
            records.search(found, order=order or None, limit=1)
        except (*WRONG, psycopg2.DataError, psycopg2.ProgrammingError) as error:
            raise self._get_misunderstood() from error
        return found

    def _get_view(self, records, view_id):
        """Return the id of a list of the model; None for the default one."""
        try:
            view_id = int(view_id or 0)
        except ValueError as error:
            raise self._get_misunderstood() from error
        # Whoever opens a list has no access to views, and sees what is in them.
        views = request.env["ir.ui.view"].sudo()
        known = [("id", "=", view_id), ("model", "=", records._name)]
        return views.search([*known, ("type", "=", "list")]).id or None

    def _read_context(self, text):
        try:
            context = json.loads(text or "{}")
        except WRONG as error:
            raise self._get_misunderstood() from error
        if not isinstance(context, dict):
            raise self._get_misunderstood()
        return context

    def _get_misunderstood(self):
        text = request.env._("The filter or the order cannot be understood.")
        return UserError(text)

    def _refuse(self, error):
        """Answer with words: a page, or what the client shows in a dialog."""
        status = Forbidden if isinstance(error, AccessError) else BadRequest
        text = str(error)
        if request.httprequest.method == "POST":
            data = http.serialize_exception(error)
            text = json.dumps({"code": 0, "message": text, "data": data})
        raise status(text) from error
