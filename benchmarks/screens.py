"""The pivots and graphs of the add-on, and what a plain GROUP BY takes instead."""

from functools import partial
from typing import NamedTuple

from dateutil.relativedelta import relativedelta
from lxml import etree

from odoo.fields import Domain
from odoo.tools import SQL
from odoo.tools.safe_eval import safe_eval


class Facts(NamedTuple):
    """The facts behind a report, in SQL.

    ``months`` are those before its first one that a report is also about;
    ``counts`` says that it tells customers from each other by means of its own.
    """

    source: str
    date: str
    measure: str
    customer: str
    keys: dict = {}
    months: int = 0
    counts: bool = False


VISITS = Facts(
    "garage_loyalty_visit visit",
    "visit.date",
    "visit.amount",
    "visit.partner_id",
    {"membership": "visit.is_member", "line": "visit.is_member"},
)
ANSWERS = VISITS._replace(
    measure="(visit.answer = 'accepted')::int", keys={"user_id": "visit.user_id"}
)
FACTS = {
    "garage.loyalty.cohort": VISITS,
    "garage.loyalty.earning.cohort": Facts(
        "garage_loyalty_allocation taken "
        "JOIN garage_loyalty_entry taker "
        "ON taker.id = taken.entry_id AND taker.kind <> 'transfer' "
        "JOIN garage_loyalty_lot lot ON lot.id = taken.lot_id "
        "JOIN garage_loyalty_entry given "
        "ON given.id = lot.entry_id AND given.kind IN ('earn', 'transfer')",
        "lot.date",
        "taken.points",
        "lot.member_id",
    ),
    "garage.loyalty.enrolment": ANSWERS,
    "garage.loyalty.entry": Facts(
        "garage_loyalty_entry", "date", "points", "member_id", {"kind": "kind"}
    ),
    "garage.loyalty.first.redemption": Facts(
        "garage_loyalty_member member LEFT JOIN garage_loyalty_redemption redemption "
        "ON redemption.member_id = member.id AND redemption.state = 'done'",
        "member.date_joined",
        "redemption.points",
        "member.partner_id",
    ),
    "garage.loyalty.frequency": VISITS._replace(months=11, counts=True),
    "garage.loyalty.movement": Facts(
        "garage_loyalty_active_month", "month", "visits", "partner_id"
    ),
    "garage.loyalty.privilege.use": Facts(
        "garage_loyalty_privilege_use",
        "date",
        "value",
        "member_id",
        {"privilege_id": "privilege_id"},
    ),
    "garage.loyalty.reward.use": Facts(
        "garage_loyalty_benefit",
        "date",
        "cost",
        "partner_id",
        {"benefit": "kind, reward_id, privilege_id"},
    ),
    "garage.loyalty.tier.move": Facts(
        "garage_loyalty_member_status",
        "date",
        "tier_id",
        "member_id",
        {"tier_id": "tier_id"},
    ),
    "garage.loyalty.use": Facts(
        "garage_loyalty_member_month",
        "month",
        "earned",
        "partner_id",
        {"tier_id": "tier_id"},
    ),
    "garage.loyalty.visit.report": VISITS,
}
STEPS = ("day", "week", "month", "quarter", "year")


class Screen(NamedTuple):
    """A pivot or a graph as its menu opens it."""

    title: str
    model: object
    domain: list
    kind: str
    groups: dict
    measures: list

    def read(self):
        """Read it by the very call of the client."""
        self._begin()
        if self.kind == "graph":
            return self.model.formatted_read_group(
                self.domain, self.groups["row"], self.measures[-1:]
            )
        return self.model.formatted_read_grouping_sets(
            self.domain, self._get_sets(), self.measures
        )

    def _get_sets(self):
        rows, cols = self.groups["row"], self.groups["col"]
        return [
            rows[:row] + cols[:col]
            for row in range(len(rows) + 1)
            for col in range(len(cols) + 1)
        ]

    def read_host(self):
        """Read the same levels from the host's invoice analysis.

        Net amounts, and customers where the screen counts them, of the months that the
        report is about.
        """
        measures = ["price_subtotal:sum"]
        if self.counts_customers():
            measures.append("partner_id:count_distinct")
        domain = [("move_type", "=", "out_invoice")]
        if first := self._get_first(FACTS[self.model._name]):
            domain.append(("invoice_date", ">=", first))
        sets = [
            [name for name in map(get_host_group, names) if name]
            for names in self._get_sets()
        ]
        Host = self.model.env["account.invoice.report"]
        self._begin()
        if self.kind == "graph":
            return Host.formatted_read_group(domain, sets[-1], measures)
        return Host.formatted_read_grouping_sets(domain, sets, measures)

    def get_bound(self):
        """Return the function that groups the facts plainly, by what they hold.

        By date as the screen does, from its first date on; customers are counted
        where the screen counts them.
        """
        facts = FACTS[self.model._name]
        specs = self.groups["row"] + self.groups["col"]
        date = SQL(facts.date)
        steps = [spec.partition(":")[2] for spec in specs]
        keys = [
            SQL("date_trunc(%s, %s::timestamp)", step, date)
            for step in steps
            if step in STEPS
        ]
        keys += [SQL(facts.keys[spec]) for spec in specs if spec in facts.keys]
        counted = self.counts_customers()
        query = SQL(
            "SELECT %s FROM %s WHERE %s %s",
            SQL(", ").join(
                [
                    *keys,
                    SQL("count(*), sum(%s)", SQL(facts.measure)),
                    *([SQL("count(DISTINCT %s)", SQL(facts.customer))] * counted),
                ]
            ),
            self._get_source(facts),
            self._get_since(facts),
            SQL("GROUP BY %s", SQL(", ").join(keys)) if keys else SQL(""),
        )
        return partial(self._execute, query)

    def _execute(self, query):
        self._begin()
        return self.model.env.execute_query(query)

    def _begin(self):
        """Forget what a report has set for the rest of its transaction."""
        self.model.env.cr.execute("RESET jit")

    def counts_customers(self):
        """Return whether the database has to tell customers from each other."""
        if FACTS[self.model._name].counts:
            return True
        ratios = {**self.model._get_ratios()} if self._has("_get_ratios") else {}
        if self._has("_get_comparisons"):
            ratios |= {
                name: ratios[ratio]
                for name, (ratio, _is) in self.model._get_comparisons().items()
            }
        return any(
            "count_distinct" in f"{measure} {ratios.get(measure)}"
            for measure in self.measures[-1:] + self.measures * (self.kind == "pivot")
        )

    def _has(self, name):
        return hasattr(type(self.model), name)

    def _get_source(self, facts):
        """Return the tables: with customers, where the screen is about some of them."""
        if "customer_kind" not in str(self.domain) or "visit" not in facts.source:
            return SQL(facts.source)
        return SQL(
            "%s JOIN res_partner partner ON partner.id = visit.partner_id "
            "AND partner.is_company IS NOT TRUE",
            SQL(facts.source),
        )

    def _get_since(self, facts):
        """Return the condition on the first date, where the screen has one."""
        first = self._get_first(facts)
        return SQL("%s >= %s", SQL(facts.date), first) if first else SQL("TRUE")

    def _get_first(self, facts):
        """Return the first day that the report is about, None for all."""
        domain = Domain(self.domain).optimize_full(self.model)
        days = [
            item.value
            for item in domain.iter_conditions()
            if item.operator in (">", ">=")
            and self.model._fields[item.field_expr].type == "date"
        ]
        return min(days) - relativedelta(months=facts.months) if days else None


def get_host_group(spec):
    """Return by what the host groups invoices where a screen groups visits."""
    name, _colon, step = spec.partition(":")
    if step in STEPS:
        return f"invoice_date:{step}"
    return {"user_id": "invoice_user_id"}.get(name)


def get_screens(env):
    """Return each pivot and graph that an action of the add-on opens."""
    screens = []
    for action in env["ir.actions.act_window"].search(
        [("res_model", "like", "garage.loyalty.%"), ("target", "!=", "new")]
    ):
        context = safe_eval(action.context or "{}", {"uid": env.uid})
        Model = env[action.res_model].with_context(**context)
        views = Model.get_views(
            [[view_id, kind] for view_id, kind in action.views] + [[False, "search"]]
        )["views"]
        domain = get_domain(views["search"]["arch"], context)
        screens += [
            Screen(
                action.name, Model, domain, kind, *read_arch(Model, views[kind]["arch"])
            )
            for _view_id, kind in action.views
            if kind in ("pivot", "graph")
        ]
    return screens


def get_domain(arch, context):
    """Return the domain of the filters that are on: alternatives side by side."""
    groups, group = [], []
    for node in etree.fromstring(arch):
        if node.tag != "filter":
            groups, group = [*groups, group], []
        elif context.get(f"search_default_{node.get('name')}") and node.get("domain"):
            group = [*group, safe_eval(node.get("domain"), {"uid": 1})]
    domain = []
    for alternatives in [*groups, group]:
        if alternatives:
            domain += ["|"] * (len(alternatives) - 1)
            for one in alternatives:
                domain += ["&"] * (len(one) - 1) + one
    return domain


def read_arch(Model, arch):
    """Return the groups and the measures of a view."""
    groups, measures = {"row": [], "col": []}, ["__count"]
    for node in etree.fromstring(arch).iter("field"):
        if node.get("invisible") in ("1", "True"):
            continue
        name, step = node.get("name"), node.get("interval")
        field = Model._fields[name]
        if node.get("type") == "measure":
            measures.append(f"{name}:{field.aggregator or 'sum'}")
        else:
            step = step or ("month" if field.type in ("date", "datetime") else None)
            groups[node.get("type") or "row"].append(f"{name}:{step}" if step else name)
    return groups, measures
