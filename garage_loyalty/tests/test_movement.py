import random
from collections import Counter
from datetime import date, timedelta

from odoo import Command, fields
from odoo.tests import freeze_time, tagged

from ..tools import movement as rules
from .common import GarageLoyaltyCommon

TODAY = "2024-06-15"


class MovementCommon(GarageLoyaltyCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Movement = cls.env["garage.loyalty.movement"]
        cls.Month = cls.env["garage.loyalty.active.month"]
        cls.Customer = cls.env["garage.loyalty.customer"]
        cls.Changed = cls.env["garage.loyalty.changed.customer"]

    def _rows(self, gap=12, scope="all", company=None):
        """Return the rows of the report by month, as text."""
        self.env.invalidate_all()
        company = company or self.company
        rows = self.Movement.search(
            [("company_id", "=", company.id), ("gap", "=", gap), ("scope", "=", scope)]
        )
        return {fields.Date.to_string(row.month)[:7]: row for row in rows}

    def _figures(self, month, *names, **kwargs):
        row = self._rows(**kwargs)[month]
        return tuple(row[name] for name in names)

    def _refresh(self):
        self.Changed._process(10**6)
        self.env.invalidate_all()

    def _behind(self, row, figure):
        """Return the customers that open from a figure."""
        action = row.with_context(figure=figure).action_open_customers()
        Customer = self.Customer.with_context(**action["context"])
        return Customer.search(action["domain"])


@tagged("post_install", "-at_install")
@freeze_time(TODAY)
class TestMovement(MovementCommon):
    """The monthly report, on invoices."""

    def test_only_invoice_lapses_once_after_twelve_months(self):
        self._invoice(self.customer, date="2022-05-14")
        rows = self._rows()
        lapsed = {month: row.lapsed for month, row in rows.items() if row.lapsed}
        self.assertEqual(lapsed, {"2023-05": 1})
        self.assertEqual(rows["2022-05"].first_count, 1)
        self.assertEqual(rows["2023-05"].net, -1)
        self.assertEqual(next(iter(rows)), "2024-06")
        self.assertTrue(rows["2024-06"].is_running)
        self.assertEqual(
            [rows[month].active_count for month in ("2022-04", "2022-05")]
            if "2022-04" in rows
            else [0, rows["2022-05"].active_count],
            [0, 1],
        )
        self.assertEqual(rows["2023-04"].active_count, 1)
        self.assertEqual(rows["2023-05"].active_count, 0)

    def test_next_invoice_after_the_lapse_is_a_return(self):
        self._invoice(self.customer, date="2022-05-14")
        self._invoice(self.customer, date="2023-06-02")
        self.assertEqual(self._figures("2023-05", "lapsed", "returned"), (1, 1))
        self.assertEqual(
            self._figures("2023-06", "first_count", "returning_count"), (0, 1)
        )

    def test_next_invoice_in_the_month_is_neither(self):
        for day in ("2023-05-31", "2023-05-01"):
            with self.subTest(day=day):
                customer = self._create_customer(day)
                self._invoice(customer, date="2022-05-14")
                self._invoice(customer, date=day)
        self.assertEqual(
            self._figures("2023-05", "lapsed", "returning_count", "first_count"),
            (0, 0, 0),
        )

    def test_late_invoice_changes_the_figures_at_once(self):
        self._invoice(self.customer, date="2022-05-14")
        self._refresh()
        self.assertEqual(self._figures("2023-05", "lapsed"), (1,))
        invoice = self._invoice(self.customer, date="2022-12-31")
        self.assertEqual(self._figures("2023-05", "lapsed"), (0,))
        self.assertEqual(self._figures("2023-12", "lapsed"), (1,))
        self._refresh()
        self.assertEqual(self._figures("2023-12", "lapsed"), (1,))
        invoice.button_draft()
        self.assertEqual(self._figures("2023-05", "lapsed"), (1,))
        invoice.unlink()
        self._refresh()
        self.assertEqual(self._figures("2023-05", "lapsed"), (1,))

    def test_invoice_that_is_credited_as_a_whole_never_was(self):
        self._invoice(self.customer, date="2022-05-14")
        invoice = self._invoice(self.customer, date="2022-11-14")
        partly = self._invoice(self.other, date="2022-05-14")
        self._credit(invoice, date="2023-01-10")
        self._credit(partly, amount=10, date="2023-01-10")
        self.assertEqual(self._figures("2023-05", "lapsed"), (2,))

    def test_drafts_do_not_count(self):
        self._invoice(self.customer, date="2022-05-14")
        self._invoice(self.customer, date="2022-11-14", post=False)
        self.assertEqual(self._figures("2023-05", "lapsed"), (1,))

    def test_invoice_of_the_future_saves_nobody_today(self):
        self._invoice(self.customer, date="2023-06-14")
        self._invoice(self.customer, date="2024-12-14")
        rows = self._rows()
        self.assertEqual(next(iter(rows)), "2024-06")
        self.assertEqual(rows["2024-06"].lapsed, 1)
        self.assertEqual(rows["2024-06"].returned, 0)

    def test_contacts_of_a_company_are_one_customer(self):
        company = self._create_customer("Fleet", is_company=True)
        driver = self._create_customer("Driver", parent_id=company.id)
        self._invoice(company, date="2022-05-14")
        self._invoice(driver, date="2022-09-14")
        self.assertEqual(self._figures("2023-05", "lapsed"), (0,))
        row = self._rows()["2023-09"]
        self.assertEqual(self._behind(row, "lapsed").partner_id, company)

    def test_contact_that_joins_a_company_brings_its_invoices(self):
        company = self._create_customer("Fleet", is_company=True)
        driver = self._create_customer("Driver")
        self._invoice(company, date="2022-05-14")
        self._invoice(driver, date="2022-09-14")
        self._refresh()
        self.assertEqual(self._figures("2023-05", "lapsed"), (1,))
        driver.parent_id = company
        for _time in range(2):
            self.assertEqual(self._figures("2023-05", "lapsed"), (0,))
            self.assertEqual(self._figures("2022-09", "first_count"), (0,))
            self._refresh()
        self.assertFalse(self.Customer.search([("partner_id", "=", driver.id)]))

    def test_invoices_stay_with_the_company_that_a_contact_leaves(self):
        company = self._create_customer("Fleet", is_company=True)
        driver = self._create_customer("Driver", parent_id=company.id)
        self._invoice(driver, date="2022-09-14")
        driver.parent_id = False
        self._refresh()
        found = self.Customer.search([("last_date", "=", "2022-09-14")])
        self.assertEqual(found.partner_id, company)

    def test_merged_customers_are_one(self):
        self._invoice(self.customer, date="2022-05-14")
        self._invoice(self.other, date="2022-11-14")
        self._refresh()
        self.assertEqual(self._figures("2023-05", "lapsed"), (1,))
        wizard = self.env["base.partner.merge.automatic.wizard"].create({})
        wizard._merge((self.customer + self.other).ids, self.other)
        self.assertEqual(self._figures("2023-05", "lapsed"), (0,))
        self.assertEqual(self._figures("2023-11", "lapsed"), (1,))
        self._refresh()
        self.assertEqual(self._figures("2023-11", "lapsed"), (1,))

    def test_members_by_their_last_invoice(self):
        self._enrol(self.customer, "2022-01-01")
        self._invoice(self.customer, date="2022-05-14")
        self._invoice(self.other, date="2022-05-14")
        for scope, expected in (("all", 2), ("member", 1), ("other", 1)):
            with self.subTest(scope=scope):
                self.assertEqual(
                    self._figures("2023-05", "lapsed", scope=scope), (expected,)
                )

    def test_enrolment_in_the_past_makes_members_of_invoices(self):
        self._invoice(self.customer, date="2022-05-14")
        self._refresh()
        self._enrol(self.customer, "2022-01-01")
        self.assertEqual(self._figures("2023-05", "lapsed", scope="member"), (1,))

    def test_one_month_and_sixty_months(self):
        self._invoice(self.customer, date="2019-01-31")
        self._invoice(self.customer, date="2019-03-01")
        self.assertEqual(self._figures("2019-02", "lapsed", "returned", gap=1), (1, 1))
        self.assertEqual(self._figures("2019-04", "lapsed", gap=1), (1,))
        self.assertEqual(self._figures("2024-03", "lapsed", gap=60), (1,))

    def test_inspections_and_workshop_visits_are_counted(self):
        self.labour.inspection_kind = "inspection"
        self.part.inspection_kind = "reinspection"
        self._visit(self.customer, "2022-05-14", parts=2, hours=1)
        invoice = self._invoice(
            self.other, [(self.labour, 3, 10), (self.part, 1, 5)], date="2022-05-20"
        )
        names = "visits", "inspections", "reinspections"
        self.assertEqual(self._figures("2022-05", *names), (1, 4, 3))
        self._credit(invoice, amount=10, date="2022-07-01")
        self.assertEqual(self._figures("2022-05", *names), (1, 3, 3))
        self._refresh()
        self.part.inspection_kind = False
        self.assertEqual(self._figures("2022-05", *names), (1, 3, 0))

    def test_product_that_is_new_is_counted(self):
        self._rows()
        check = self._create_good(
            "MOT", 50, type="service", inspection_kind="inspection"
        )
        self._invoice(self.customer, [(check, 1, 50)], date="2022-05-14")
        self.assertEqual(self._figures("2022-05", "inspections"), (1,))

    def test_visit_invoiced_in_another_month(self):
        repair = self._create_repair(self.customer, hours=1)
        repair.sale_order_id.action_confirm()
        self._finish(repair, "2022-05-31")
        self._bill(repair.sale_order_id, "2022-06-01")
        self.assertEqual(self._figures("2022-05", "visits", "first_count"), (1, 0))
        self.assertEqual(self._figures("2022-06", "visits", "first_count"), (0, 1))

    def test_report_without_a_choice_is_of_the_setting_and_of_everybody(self):
        self._invoice(self.customer, date="2022-05-14")
        self.company.loyalty_lapse_months = 9
        rows = self.Movement.search([("company_id", "=", self.company.id)])
        self.assertEqual(set(rows.mapped("gap")), {9})
        self.assertEqual(set(rows.mapped("scope")), {"all"})
        groups = self.Movement.formatted_read_group(
            [("company_id", "=", self.company.id)], [], ["lapsed:sum", "net:sum"]
        )
        self.assertEqual(groups[0]["lapsed:sum"], 1)
        action = self.Movement.action_open()
        self.assertEqual(action["context"], {"search_default_gap": 9})

    def test_figures_open_their_customers(self):
        self._invoice(self.customer, date="2022-05-14")
        self._invoice(self.customer, date="2023-08-03")
        self._invoice(self.other, date="2023-05-14")
        rows = self._rows()
        row = rows["2023-05"]
        for figure, expected in (
            ("lapsed", self.customer),
            ("returned", self.customer),
            ("first_count", self.other),
            ("returning_count", self.env["res.partner"]),
            ("net", self.customer | self.other),
            ("moved", self.customer | self.other),
            ("active_count", self.other),
            ("nonsense", self.env["res.partner"]),
        ):
            with self.subTest(figure=figure):
                self.assertEqual(self._behind(row, figure).partner_id, expected)
        customer = self._behind(row, "lapsed")
        self.assertEqual(customer.movement_kind, "lapsed")
        self.assertEqual(str(customer.returned_date), "2023-08-03")
        self.assertEqual(
            self._behind(rows["2023-08"], "returning_count").movement_kind, "returning"
        )

    def test_values_from_a_client_that_make_no_sense_find_nobody(self):
        self._invoice(self.customer, date="2022-05-14")
        self._refresh()
        for value in (
            "",
            "lapsed",
            "lapsed,x,y,z",
            "lapsed,-5,12,all",
            "a,b,c,d,e,f",
            "lapsed,99999999,12,all",
            "lapsed,24280,0,all",
            "', DROP,1,2",
        ):
            with self.subTest(value=value):
                self.assertFalse(self.Customer.search([("movement", "=", value)]))


@tagged("post_install", "-at_install")
@freeze_time(TODAY)
class TestMovementOracle(MovementCommon):
    """The report against a slow, obvious count of the same random invoices."""

    def _post_by_sql(self, partner, company, day, kind="out_invoice"):
        journal = self.env["account.journal"].search(
            [("type", "=", "sale"), ("company_id", "=", company.id)], limit=1
        )
        self.env.cr.execute(
            """
            INSERT INTO account_move (name, state, move_type, journal_id, currency_id,
                   company_id, date, invoice_date, partner_id, commercial_partner_id,
                   amount_total, amount_untaxed_signed, auto_post)
            VALUES (%s, 'posted', %s, %s, %s, %s, %s, %s, %s, %s, 100, 100, 'no')
            """,
            [
                f"T{random.random()}",
                kind,
                journal.id,
                company.currency_id.id,
                company.id,
                day,
                day,
                partner.id,
                partner.id,
            ],
        )

    def _count(self, history, gap, end):
        """Return the figures by month: of days by customer."""
        found = {}
        for days in history.values():
            months = rules.months(days)
            for number in range(
                rules.month_number(min(min(history.values()))), end + 1
            ):
                counter = found.setdefault(number, Counter())
                for month in months:
                    kind = rules.kind(month, gap) if month.number == number else None
                    counter[f"{kind}_count"] += bool(kind)
                    gone = rules.lapsed_in(month, gap) == number
                    counter["lapsed"] += gone
                    counter["returned"] += (
                        gone and 0 < month.next_gap <= end - month.number
                    )
                    counter["active_count"] += rules.is_active(month, number, gap)
        return found

    def _check(self, history, company):
        end = rules.month_number(fields.Date.to_date(TODAY))
        names = "lapsed", "returned", "first_count", "returning_count", "active_count"
        for gap in (1, 2, 5, 12, 60):
            expected = self._count(history, gap, end)
            rows = self._rows(gap, company=company)
            self.assertEqual(len(rows), len(expected))
            for row in rows.values():
                wanted = expected[rules.month_number(row.month)]
                with self.subTest(gap=gap, month=row.month):
                    self.assertEqual(
                        [row[name] for name in names],
                        [wanted[name] for name in names],
                    )

    def test_random_invoices_in_two_companies(self):
        generator = random.Random(5)
        elsewhere = self.setup_other_company()["company"]
        self.env.user.company_ids += elsewhere
        self.env.user.write({"company_ids": [Command.link(elsewhere.id)]})
        customers = [self._create_customer(f"C{number}") for number in range(12)]
        customers[3].active = False
        histories = {self.company: {}, elsewhere: {}}
        span = (date(2024, 9, 1) - date(2018, 1, 1)).days
        for company, history in histories.items():
            for customer in customers:
                for _number in range(generator.randrange(1, 9)):
                    day = date(2018, 1, 1) + timedelta(generator.randrange(span))
                    self._post_by_sql(customer, company, day)
                    history.setdefault(customer, []).append(day)
        self.Changed._note([customer.id for customer in customers])
        Movement = self.Movement.with_context(
            allowed_company_ids=(self.company + elsewhere).ids
        )
        self.Movement = Movement
        self._check(histories[self.company], self.company)
        self._refresh()
        for company, history in histories.items():
            self._check(history, company)

    def test_facts_computed_again_are_the_same(self):
        generator = random.Random(7)
        for _number in range(30):
            partner = generator.choice([self.customer, self.other])
            day = date(2018, 1, 1) + timedelta(generator.randrange(2000))
            self._post_by_sql(partner, self.company, day)
        self.assertGreater(self.Changed._rebuild(), 0)
        self.assertEqual(self.Changed._rebuild(), 0)
        self.assertEqual(self.env["garage.loyalty.movement.count"]._check(), 0)

    def test_counts_that_were_tampered_with_are_found(self):
        self._invoice(self.customer, date="2022-05-14")
        self._refresh()
        Count = self.env["garage.loyalty.movement.count"]
        self.assertEqual(Count._check(), 0)
        self.env.cr.execute("UPDATE garage_loyalty_movement_count SET customers = 7")
        self.assertEqual(Count._check(), 3)
        self.assertEqual(Count._check(), 0)
        self.assertEqual(self._figures("2023-05", "lapsed"), (1,))
