from odoo.exceptions import AccessError
from odoo.tests import HttpCase, tagged
from odoo.tools import mute_logger

from odoo.addons.garage_loyalty.tests.common import ACCOUNTANT, MANAGER, USER

from .common import DashboardCommon

# Ends when every figure is drawn; the host fails on an error in the console.
WAIT_FOR_FIGURES = """
const timer = setInterval(() => {
    if (document.querySelectorAll(".o-figure canvas, .o-scorecard").length >= %d) {
        clearInterval(timer);
        console.log("test successful");
    }
}, 100);
"""


@tagged("post_install", "-at_install")
class TestDashboardAccess(DashboardCommon, HttpCase):
    """Who sees the page, and that whoever sees it may read what is on it."""

    # Figures below the edge of the window would not be drawn.
    browser_size = "1400x1600"

    def _open(self, user):
        self.authenticate(user.login, user.login)
        return self.url_open(f"/spreadsheet/dashboard/data/{self.dashboard.id}")

    def test_owner_and_accountant_may_read_all_of_it(self):
        for login, group in (("owner_of", MANAGER), ("accountant_of", ACCOUNTANT)):
            user = self._create_user(login, group)
            self.assertTrue(self.dashboard.with_user(user).has_access("read"))
            for number in self.data["pivots"]:
                self._read_pivot(number, user)
            for name in self.charts:
                self._read_chart(name, user)

    @mute_logger("odoo.http")
    def test_advisor_and_others_do_not_see_it(self):
        for groups in ((USER,), ()):
            user = self._create_user(f"outsider_{len(groups)}", *groups)
            with self.assertRaises(AccessError):
                self.dashboard.with_user(user).read(["name"])
            self.assertEqual(self._open(user).status_code, 403)

    def test_workshop_without_visits_sees_a_sample(self):
        user = self._create_user("owner_of_new", MANAGER)
        answer = self._open(user).json()
        self.assertTrue(answer["is_sample"])

    def test_workshop_with_visits_sees_its_own_figures(self):
        self._visit(self.customer)
        user = self._create_user("owner_of_old", MANAGER)
        answer = self._open(user).json()
        self.assertNotIn("is_sample", answer)
        self.assertEqual(answer["snapshot"]["pivots"], self.data["pivots"])
        self.assertEqual(answer["translation_namespace"], "garage_loyalty_spreadsheet")

    def test_page_and_sample_are_drawn_without_an_error(self):
        user = self._create_user("owner_at_screen", MANAGER)
        url = f"/odoo/dashboards?dashboard_id={self.dashboard.id}"
        code = WAIT_FOR_FIGURES % len(self.page["figures"])
        self.browser_js(url, code, login=user.login)
        self._enrol(self.customer)
        self._visit(self.customer)
        self.browser_js(url, code, login=user.login)
