import json
from datetime import date

from odoo.tools import file_open

from odoo.addons.garage_loyalty.tests.common import GarageLoyaltyCommon

FILES = "garage_loyalty_spreadsheet/data/files"
# The filters as they would be set to the first half of 2024, and private customers.
PERIODS = {
    0: (date(2024, 1, 1), date(2024, 6, 30)),
    -1: (date(2023, 7, 1), date(2023, 12, 31)),
}
CUSTOMERS = ["private"]


def read_file(name):
    with file_open(f"{FILES}/{name}") as file:
        return json.load(file)


class DashboardCommon(GarageLoyaltyCommon):
    """The page, and its queries as the browser would send them."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.dashboard = cls.env.ref(
            "garage_loyalty_spreadsheet.spreadsheet_dashboard_loyalty"
        )
        cls.data = json.loads(cls.dashboard.spreadsheet_data)
        cls.page, cls.sheet = cls.data["sheets"]
        cls.charts = {
            figure["id"]: figure["data"]
            for figure in cls.page["figures"]
            if figure["data"]["type"].startswith("odoo_")
        }

    def _filter(self, matching):
        """Return the domain that the filters of the page add to a query."""
        domain = []
        for name, match in matching.items():
            if name == "period":
                start, end = PERIODS[match["offset"]]
                domain += [(match["chain"], ">=", start), (match["chain"], "<=", end)]
            else:
                domain.append((match["chain"], "in", CUSTOMERS))
        return domain

    def _read_pivot(self, number, user=None):
        """Return {value of the row, or None for the total: {measure: figure}}."""
        pivot = self.data["pivots"][number]
        rows = [
            ":".join(filter(None, (row["fieldName"], row.get("granularity"))))
            for row in pivot["rows"]
        ]
        measures = [measure["id"] for measure in pivot["measures"]]
        groups = (
            self.env[pivot["model"]]
            .with_user(user or self.env.user)
            .formatted_read_grouping_sets(
                pivot["domain"] + self._filter(pivot["fieldMatching"]),
                [rows, []] if rows else [[]],
                measures,
            )
        )
        return {
            group[rows[0]] if rows and level == 0 else None: {
                name: group[name] for name in measures
            }
            for level, found in enumerate(groups)
            for group in found
        }

    def _read_chart(self, name, user=None):
        """Return {values of the groups: figure}, as the host's graphs ask for it."""
        chart = self.charts[name]
        data = chart["metaData"]
        Model = self.env[data["resModel"]].with_user(user or self.env.user)
        measure = data["measure"]
        if measure != "__count":
            measure += f":{Model._fields[measure].aggregator}"
        groups = Model.formatted_read_group(
            chart["searchParams"]["domain"] + self._filter(chart["fieldMatching"]),
            data["groupBy"],
            [measure],
        )
        return {
            tuple(
                group[name][0] if isinstance(group[name], tuple) else group[name]
                for name in data["groupBy"]
            ): group[measure]
            for group in groups
        }
