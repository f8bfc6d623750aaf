from collections import Counter

from odoo.tests import freeze_time, tagged

from .test_movement import TODAY, MovementCommon

MOVED = ("lapsed", "returned", "first_count", "returning_count")


@tagged("post_install", "-at_install")
@freeze_time(TODAY)
class TestMovementCases(MovementCommon):
    """What is out of the ordinary, and defined all the same."""

    def setUp(self):
        super().setUp()
        # There is a report, whatever becomes of the customer of the test.
        self._invoice(self.other, date="2018-01-10")

    def _counted(self, gap=12):
        """Return what is counted by month, but for the other customer."""
        live = self._read(gap)
        self._refresh()
        self.assertEqual(self._read(gap), live)
        return live

    def _read(self, gap):
        counted = {
            month: Counter({name: row[name] for name in MOVED})
            for month, row in self._rows(gap).items()
        }
        number = 2018 * 12 + gap
        counted["2018-01"]["first_count"] -= 1
        counted[f"{number // 12}-{number % 12 + 1:02d}"]["lapsed"] -= 1
        found = {month: dict(+figures) for month, figures in counted.items()}
        return {month: figures for month, figures in found.items() if figures}

    def test_customer_whose_only_invoice_is_credited_is_counted_nowhere(self):
        invoice = self._invoice(self.customer, date="2022-05-14")
        self._credit(invoice, date="2022-06-01")
        self.assertEqual(self._counted(), {})
        self.assertEqual(
            self.Customer.search([("partner_id", "=", self.customer.id)]).stage, "never"
        )

    def test_invoice_credited_in_two_parts_is_credited_as_a_whole(self):
        invoice = self._invoice(self.customer, date="2022-05-14")
        self._credit(invoice, amount=400, date="2022-06-01")
        self.assertEqual(self._counted()["2022-05"], {"first_count": 1})
        self._credit(invoice, amount=600, date="2022-07-01")
        self.assertEqual(self._counted(), {})

    def test_credit_note_that_is_withdrawn_brings_the_invoice_back(self):
        invoice = self._invoice(self.customer, date="2022-05-14")
        credit = self._credit(invoice, date="2022-06-01")
        self.assertEqual(self._counted(), {})
        credit.button_draft()
        credit.button_cancel()
        self.assertEqual(
            self._counted(),
            {"2022-05": {"first_count": 1}, "2023-05": {"lapsed": 1}},
        )

    def test_invoice_dated_in_the_past_posted_today_makes_the_first_earlier(self):
        self._invoice(self.customer, date="2023-11-30")
        self.assertEqual(self._counted(), {"2023-11": {"first_count": 1}})
        self._invoice(self.customer, date="2022-05-14")
        self.assertEqual(
            self._counted(),
            {
                "2022-05": {"first_count": 1},
                "2023-05": {"lapsed": 1, "returned": 1},
                "2023-11": {"returning_count": 1},
            },
        )

    def test_customer_with_drafts_only_is_counted_nowhere(self):
        self._invoice(self.customer, date="2022-05-14", post=False)
        invoice = self._invoice(self.customer, date="2022-06-14", post=False)
        invoice.button_cancel()
        self.assertEqual(self._counted(), {})

    def test_archived_customer_is_counted(self):
        self._invoice(self.customer, date="2022-05-14")
        self.customer.active = False
        self.assertEqual(
            self._counted(),
            {"2022-05": {"first_count": 1}, "2023-05": {"lapsed": 1}},
        )
        row = self._rows()["2023-05"]
        self.assertEqual(self._behind(row, "lapsed").partner_id, self.customer)

    def test_customer_merged_into_one_without_invoices(self):
        third = self._create_customer("Third")
        self._invoice(self.customer, date="2022-05-14")
        wizard = self.env["base.partner.merge.automatic.wizard"].create({})
        wizard._merge((self.customer + third).ids, third)
        self.assertEqual(
            self._counted(),
            {"2022-05": {"first_count": 1}, "2023-05": {"lapsed": 1}},
        )
        row = self._rows()["2023-05"]
        self.assertEqual(self._behind(row, "lapsed").partner_id, third)

    def test_ends_of_months_and_leap_days(self):
        for day, gap, lapsed in (
            ("2020-02-29", 12, "2021-02"),
            ("2020-02-29", 48, "2024-02"),
            ("2019-02-28", 12, "2020-02"),
            ("2024-01-31", 1, "2024-02"),
            ("2023-12-31", 2, "2024-02"),
            ("2023-12-31", 6, "2024-06"),
            ("2024-01-01", 6, None),
        ):
            with self.subTest(day=day, gap=gap):
                invoice = self._invoice(self.customer, date=day)
                expected = {day[:7]: {"first_count": 1}}
                if lapsed:
                    expected[lapsed] = {"lapsed": 1}
                self.assertEqual(self._counted(gap), expected)
                invoice.button_draft()

    def test_one_month_without_an_invoice(self):
        for day in ("2023-01-31", "2023-02-01", "2023-04-30"):
            self._invoice(self.customer, date=day)
        self.assertEqual(
            self._counted(1),
            {
                "2023-01": {"first_count": 1},
                "2023-03": {"lapsed": 1, "returned": 1},
                "2023-04": {"returning_count": 1},
                "2023-05": {"lapsed": 1},
            },
        )

    def test_sixty_months_without_an_invoice(self):
        for day in ("2018-03-31", "2018-04-01", "2023-04-30"):
            self._invoice(self.customer, date=day)
        third = self._create_customer("Third")
        for day in ("2018-04-30", "2023-05-01"):
            self._invoice(third, date=day)
        self.assertEqual(
            self._counted(60),
            {
                "2018-03": {"first_count": 1},
                "2018-04": {"first_count": 1},
                "2023-04": {"lapsed": 1, "returned": 1},
                "2023-05": {"returning_count": 1},
            },
        )

    def test_customers_of_two_companies_are_counted_in_each(self):
        elsewhere = self.setup_other_company()["company"]
        self.env.user.company_ids += elsewhere
        self._invoice(self.customer, date="2022-05-14")
        theirs = self.customer.with_company(elsewhere).with_context(
            allowed_company_ids=(elsewhere + self.company).ids
        )
        journal = self.env["account.journal"].search(
            [("type", "=", "sale"), ("company_id", "=", elsewhere.id)], limit=1
        )
        self._invoice(theirs, date="2022-11-14", journal_id=journal.id)
        self.Movement = theirs.env["garage.loyalty.movement"]
        rows = self._rows(company=elsewhere)
        self.assertEqual(rows["2022-11"].first_count, 1)
        self.assertEqual((rows["2023-05"].lapsed, rows["2023-11"].lapsed), (0, 1))
        rows = self._rows()
        self.assertEqual((rows["2023-05"].lapsed, rows["2023-11"].lapsed), (1, 0))
