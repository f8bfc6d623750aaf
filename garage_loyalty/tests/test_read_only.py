from contextlib import contextmanager
from io import BytesIO

from lxml import etree
from psycopg2.errors import ReadOnlySqlTransaction

from odoo.tests import tagged
from odoo.tools import mute_logger
from odoo.tools.safe_eval import safe_eval

from .common import ACCOUNTANT, MANAGER
from .test_views import EverythingCommon

NUMBERS = ("float", "integer", "monetary")
# They only say what to open, but bring the facts up to date before.
WRITING = {
    ("garage.loyalty.cohort", "action_open_customers"),
    ("garage.loyalty.movement", "action_open_customers"),
}


@tagged("post_install", "-at_install")
class TestReadOnly(EverythingCommon):
    """Reports on a read replica: the database refuses every change."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.readers = cls._create_user("reader", MANAGER)
        cls.readers += cls._create_user("auditor", ACCOUNTANT)

    @contextmanager
    def _on_replica(self, user):
        """Give an environment of a user whose transaction may only read."""
        self.env.flush_all()
        with (
            self.enter_registry_test_mode(),
            self.registry.cursor(readonly=True) as cr,
        ):
            env = self.env(cr=cr, user=user)
            yield env
            # A request ends with this: what it left to be written fails here.
            env.flush_all()

    def _get_reports(self):
        """Return the actions of the menus of reports, as the client gets them."""
        root = self.env.ref("garage_loyalty.garage_loyalty_menu_reporting")
        menus = self.env["ir.ui.menu"].search([("id", "child_of", root.ids)])
        actions = [menu.action for menu in menus if menu.action]
        self.assertGreater(len(actions), 20)
        return [
            action.run() if action.type == "ir.actions.server" else action.read()[0]
            for action in actions
        ]

    def _is_readable(self, model, name):
        """Tell whether a replica may serve a method, as the host finds it out."""
        methods = (getattr(cls, name, None) for cls in type(model).mro())
        marked = (item._readonly for item in methods if hasattr(item, "_readonly"))
        return next(marked, False)

    def _call(self, records, name, *args, **kwargs):
        self.assertTrue(self._is_readable(records, name), name)
        return getattr(records, name)(*args, **kwargs)

    # -- what the client asks for -------------------------------------------------

    def _open(self, env, action):
        """Ask for all that the views of a report show."""
        model = env[action["res_model"]]
        search = (action["search_view_id"] or [False])[0]
        options = {"action_id": action["id"], "load_filters": True, "toolbar": True}
        views = [*action["views"], (search, "search")]
        found = self._call(model, "get_views", views, options=options)["views"]
        archs = {kind: etree.fromstring(view["arch"]) for kind, view in found.items()}
        groups = self._get_groups(archs.pop("search"))
        domain = safe_eval(action["domain"] or "[]", {"uid": env.uid})
        for kind, arch in archs.items():
            with self.subTest(report=action["name"], kind=kind, user=env.user.login):
                if kind in ("graph", "pivot"):
                    self._read_figures(model, arch, domain)
                else:
                    self._read_rows(model, arch, domain, groups)

    def _get_groups(self, arch):
        """Return what a search view offers to group by."""
        contexts = [safe_eval(node.get("context") or "{}") for node in arch.iter()]
        return [item["group_by"] for item in contexts if "group_by" in item]

    def _get_aggregates(self, model):
        """Return what is asked of all measures when companies differ in currency."""
        aggregates = ["__count"]
        for name, field in model.fields_get().items():
            if field["type"] in NUMBERS and field.get("aggregator"):
                aggregates.append(f"{name}:{field['aggregator']}")
                if currency := field.get("currency_field"):
                    both = (f"{currency}:array_agg_distinct", f"{name}:sum_currency")
                    aggregates += [item for item in both if item not in aggregates]
        return aggregates

    def _read_figures(self, model, arch, domain):
        """Read a pivot with all its totals, and a graph."""
        groups = [
            f"{node.get('name')}:{node.get('interval')}"
            if node.get("interval")
            else node.get("name")
            for node in arch.iter("field")
            if node.get("type") != "measure" and node.get("invisible") != "1"
        ]
        aggregates = self._get_aggregates(model)
        totals = [groups[:size] for size in range(len(groups) + 1)]
        name = "formatted_read_grouping_sets"
        self.assertTrue(self._call(model, name, domain, totals, aggregates)[0])
        self._call(model, "formatted_read_group", domain, groups, aggregates)

    def _read_rows(self, model, arch, domain, groups):
        """Read a list or cards, or the form of a row; then the groups."""
        names = {node.get("name") for node in arch.iter("field")}
        spec = {name: {} for name in names & model._fields.keys()}
        found = self._call(model, "web_search_read", domain, spec, limit=80)
        self.assertTrue(found["records"])
        self._call(model, "search_read", domain, list(spec), limit=80)
        self._call(model.browse(found["records"][0]["id"]), "web_read", spec)
        aggregates = self._get_aggregates(model)
        for group in groups:
            self._call(model, "web_read_group", domain, [group], aggregates)

    # -- reports --------------------------------------------------------------------

    def test_replica_refuses_to_write(self):
        with (
            self.assertRaises(ReadOnlySqlTransaction),
            mute_logger("odoo.sql_db"),
            self._on_replica(self.env.user) as env,
        ):
            env["res.partner"].browse(self.customer.id).name = "Other"

    def test_every_report_is_read_on_a_replica(self):
        self._create_one_of_everything()
        reports = self._get_reports()
        for user in self.readers:
            with self._on_replica(user) as env:
                for action in reports:
                    self._open(env, action)

    def test_every_report_is_written_to_excel_on_a_replica(self):
        self._create_one_of_everything()
        self.readers.group_ids += self.env.ref("base.group_allow_export")
        models = {action["res_model"] for action in self._get_reports()}
        for user in self.readers:
            with self._on_replica(user) as env:
                for model in models:
                    with self.subTest(model=model):
                        self.assertTrue(env[model]._write_xlsx(BytesIO(), []))

    # -- buttons --------------------------------------------------------------------

    def _get_buttons(self):
        """Return the buttons of the add-on that a replica may serve."""
        return {
            (name, method)
            for name, model in self.env.items()
            if not model._abstract
            for method in dir(type(model))
            if method.startswith("action_")
            and ".garage_loyalty." in getattr(type(model), method).__module__
            and self._is_readable(model, method)
        }

    def test_buttons_that_may_use_a_replica_write_nothing(self):
        self._create_one_of_everything()
        buttons = self._get_buttons()
        self.assertFalse(WRITING & buttons)
        self.assertGreaterEqual(len(buttons), 8)
        with self._on_replica(self.readers[0]) as env:
            for name, method in sorted(buttons):
                with self.subTest(model=name, button=method):
                    record = env[name].search([], limit=1)
                    self.assertTrue(getattr(record, method)())
