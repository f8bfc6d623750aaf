import random
from collections import defaultdict
from datetime import date, timedelta
from statistics import mean, median

from odoo import Command, fields
from odoo.tests import HttpCase, tagged

from ..tools.joining import Customer
from .common import ACCOUNTANT, MANAGER, USER, GarageLoyaltyCommon

MEASURES = (
    "opportunity_count:sum",
    "asked_count:sum",
    "accepted_count:sum",
    "declined_count:sum",
    "not_asked_count:sum",
    "asking_rate:avg",
    "conversion_rate:avg",
    "joined_count:sum",
    "returned_count:sum",
    "left_count:sum",
    "suspended_count:sum",
    "growth:sum",
    "timed_count:sum",
    "days_to_join:avg",
    "days_to_join_median:avg",
)
GROUPINGS = (
    [],
    ["user_id"],
    ["date:month"],
    ["date:quarter"],
    ["event"],
    ["outcome"],
    ["source"],
    ["customer_kind"],
    ["company_id"],
    ["partner_id"],
    ["date:month", "user_id"],
    ["user_id", "outcome"],
    ["company_id", "date:quarter", "user_id"],
)


class EnrolmentCommon(GarageLoyaltyCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Report = cls.env["garage.loyalty.enrolment"]
        cls.advisors = cls._create_user("first") + cls._create_user("second")

    @classmethod
    def _note_visit(cls, partner, day, offer="not_asked", **vals):
        """Return a visit as the documents would stamp it, without the documents.

        Enrol first: that does the visits again, from their documents.
        """
        company = vals.pop("company", cls.company)
        user = vals.pop("user", cls.advisors[0])
        repair = cls.env["repair.order"].create(
            {
                "partner_id": partner.id,
                "company_id": company.id,
                "picking_type_id": cls._get_repair_type(company).id,
                "user_id": user.id,
                "loyalty_offer": offer,
            }
        )
        # Nobody may write visits; here they are written faster than by documents.
        visit = cls.Visit.sudo().create(
            {
                "kind": "repair",
                "repair_id": repair.id,
                "company_id": company.id,
                "partner_id": partner.commercial_partner_id.id,
                "user_id": user.id,
                "date": day,
                "amount": 100,
                "answer": offer != "not_asked" and offer,
                **vals,
            }
        )
        return visit.sudo(cls.env.su)

    @classmethod
    def _get_repair_type(cls, company):
        return cls.env["stock.picking.type"].search(
            [("code", "=", "repair_operation"), ("company_id", "=", company.id)],
            limit=1,
        )

    def _get_row(self, visit):
        return self.Report.search([("repair_id", "=", visit.repair_id.id)])

    def _sum(self, *names, domain=()):
        """Return the sums of measures, over our company."""
        specs = [f"{name}:sum" for name in names]
        domain = [("company_id", "=", self.company.id), *domain]
        [sums] = self.Report._read_group(domain, [], specs)
        return tuple(value or 0 for value in sums)


@tagged("post_install", "-at_install")
class TestEnrolment(EnrolmentCommon):
    """What counts as an opportunity, and what becomes of it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.member = cls._enrol(cls._create_customer("First Member"), "2024-01-01")

    def assertOutcome(self, visit, outcome):
        self.env.invalidate_all()
        row = self._get_row(visit)
        self.assertEqual(row.outcome if row else None, outcome)

    # -- opportunities, by their documents ----------------------------------------

    def test_customer_who_is_asked_at_the_counter_accepts(self):
        repair = self._create_repair(self.customer, hours=1)
        context = repair.action_enrol()["context"]
        wizard = self.env["garage.loyalty.enrol"].with_context(**context)
        wizard.create({"consent_terms": True}).action_enrol()
        repair.sale_order_id.action_confirm()
        self._finish(repair)
        self._bill(repair.sale_order_id)
        self.assertTrue(repair.is_member_visit)
        row = self._get_row(repair.visit_ids)
        self.assertEqual(row.outcome, "accepted")
        self.assertEqual(row.user_id, repair.user_id)
        self.assertEqual(row.partner_id, self.customer)
        joined = self.Report.search(
            [("member_id", "=", self.customer.loyalty_member_id.id)]
        )
        self.assertEqual(joined.mapped("event"), ["joined"])
        self.assertEqual(joined.source, "counter")

    def test_customer_who_declines_and_one_who_is_not_asked(self):
        declined, _invoice = self._visit(self.customer)
        silent, _invoice = self._visit(self.other)
        declined.action_decline()
        self.assertOutcome(declined.visit_ids, "declined")
        self.assertOutcome(silent.visit_ids, "not_asked")

    def test_repair_order_counts_from_its_invoice_on(self):
        repair = self._create_repair(self.customer, hours=1)
        repair.action_decline()
        repair.sale_order_id.action_confirm()
        self._finish(repair)
        found = [("repair_id", "=", repair.id)]
        self.assertFalse(self.Report.search(found))
        self._bill(repair.sale_order_id)
        self.assertEqual(self.Report.search(found).outcome, "declined")

    def test_answer_that_is_corrected_after_the_invoice(self):
        repair, _invoice = self._visit(self.customer)
        for offer in ("declined", "accepted", "not_asked"):
            repair.loyalty_offer = offer
            with self.subTest(offer=offer):
                self.assertOutcome(repair.visit_ids, offer)
                self.assertFalse(self.Visit._rebuild())

    def test_answers_of_many_repair_orders_at_once(self):
        first, _invoice = self._visit(self.customer)
        second, _invoice = self._visit(self.other)
        silent, _invoice = self._visit(self.other)
        (first + second).loyalty_offer = "declined"
        self.assertOutcome(first.visit_ids, "declined")
        self.assertOutcome(second.visit_ids, "declined")
        self.assertOutcome(silent.visit_ids, "not_asked")

    def test_answer_that_the_visit_does_not_know_is_stamped_by_the_check(self):
        repair, _invoice = self._visit(self.customer)
        repair.action_decline()
        self.env.cr.execute("UPDATE garage_loyalty_visit SET answer = NULL")
        self.assertOutcome(repair.visit_ids, "not_asked")
        self.assertEqual(self.Visit._rebuild(), 1)
        self.assertOutcome(repair.visit_ids, "declined")

    def test_invoice_without_repair_order_is_no_opportunity(self):
        self._invoice(self.customer)
        self.assertEqual(self._sum("opportunity_count"), (0,))

    def test_day_of_an_opportunity_is_that_of_the_workshop(self):
        self.company.partner_id.tz = "Pacific/Auckland"
        repair, _invoice = self._visit(self.customer)
        repair.date_done = fields.Datetime.to_datetime("2024-02-29 12:30:00")
        self.assertEqual(self._get_row(repair.visit_ids).date, date(2024, 3, 1))

    # -- outcomes -----------------------------------------------------------------

    def test_accepted_after_an_earlier_decline_counts_as_two_answers(self):
        self._note_visit(self.customer, "2024-02-01", "declined")
        self._note_visit(self.customer, "2024-05-01", "accepted", is_member=True)
        self.assertEqual(
            self._sum(
                "opportunity_count", "asked_count", "accepted_count", "declined_count"
            ),
            (2, 2, 1, 1),
        )

    def test_accepted_at_the_same_repair_order_after_all_counts_once(self):
        visit = self._note_visit(self.customer, "2024-02-01", "declined")
        visit.repair_id.loyalty_offer = "accepted"
        self.assertEqual(
            self._sum("asked_count", "accepted_count", "declined_count"), (1, 1, 0)
        )

    def test_declined_by_someone_who_joins_before_the_car_is_ready(self):
        visit = self._note_visit(
            self.customer, "2024-02-01", "declined", is_member=True
        )
        self.assertOutcome(visit, "declined")

    def test_member_on_arrival_is_no_opportunity(self):
        visit = self._note_visit(self.customer, "2024-02-01", is_member=True)
        self.assertOutcome(visit, None)

    def test_former_member_can_be_asked_but_not_a_suspended_one(self):
        member = self._enrol(self.customer, "2024-01-01")
        member._suspend(date="2024-02-01")
        member._leave(date="2024-03-01")
        member._come_back(date="2024-04-01")
        for day, outcome in (
            ("2024-01-31", "not_asked"),  # as if the history were not known
            ("2024-02-01", None),
            ("2024-02-29", None),
            ("2024-03-01", "not_asked"),
            ("2024-04-01", "not_asked"),
        ):
            with self.subTest(day=day):
                self.assertOutcome(self._note_visit(self.customer, day), outcome)
        answered = self._note_visit(self.customer, "2024-02-10", "declined")
        self.assertOutcome(answered, "declined")

    def test_nobody_could_be_asked_before_the_first_member_joined(self):
        before = self._note_visit(self.customer, "2023-12-31")
        since = self._note_visit(self.customer, "2024-01-01")
        asked = self._note_visit(self.other, "2023-12-31", "declined")
        self.assertOutcome(before, None)
        self.assertOutcome(since, "not_asked")
        self.assertOutcome(asked, "declined")

    def test_company_without_programme_has_no_opportunities_but_answers(self):
        self.env["garage.loyalty.program"].search(
            [("company_id", "=", self.company.id)]
        ).active = False
        silent = self._note_visit(self.customer, "2024-02-01")
        asked = self._note_visit(self.other, "2024-02-01", "declined")
        self.assertOutcome(silent, None)
        self.assertOutcome(asked, "declined")

    # -- who may join -------------------------------------------------------------

    def test_who_may_not_join_is_no_opportunity_unless_asked(self):
        tags = self.env["res.partner.category"].create(
            [{"name": "Regular"}, {"name": "Fleet"}]
        )
        firm = self._create_customer("Firm", is_company=True)
        regular = self._create_customer("Regular", category_id=tags[0].ids)
        fleet = self._create_customer("Fleet", category_id=tags.ids)
        customers = self.customer + firm + regular + fleet
        visits = {
            customer: self._note_visit(customer, "2024-02-01") for customer in customers
        }
        asked = self._note_visit(firm, "2024-03-01", "declined")
        for vals, allowed in (
            ({}, customers),
            ({"join_kind": "private"}, customers - firm),
            ({"join_kind": "company"}, firm),
            ({"join_tag_ids": [Command.set(tags[0].ids)]}, regular + fleet),
            (
                {"join_excluded_tag_ids": [Command.set(tags[1].ids)]},
                customers - fleet,
            ),
        ):
            self.program.write(
                {
                    "join_kind": "anyone",
                    "join_tag_ids": [Command.clear()],
                    "join_excluded_tag_ids": [Command.clear()],
                    **vals,
                }
            )
            for customer, visit in visits.items():
                with self.subTest(vals=vals, customer=customer.name):
                    expected = "not_asked" if customer in allowed else None
                    self.assertOutcome(visit, expected)
            self.assertOutcome(asked, "declined")

    def test_conditions_must_be_met_on_arrival(self):
        days = ("2024-02-01", "2024-03-01", "2024-04-01", "2025-03-15")
        visits = [self._note_visit(self.customer, day) for day in days]
        for vals, outcomes in (
            ({"join_min_visits": 1}, (False, True, True, True)),
            ({"join_min_visits": 2}, (False, False, True, False)),
            ({"join_min_spend": 150}, (False, False, True, False)),
            ({"join_min_age_months": 2}, (False, False, True, True)),
        ):
            self.program.write(
                {
                    "join_min_visits": 0,
                    "join_min_spend": 0,
                    "join_min_age_months": 0,
                    **vals,
                }
            )
            for visit, is_one in zip(visits, outcomes, strict=True):
                with self.subTest(vals=vals, day=visit.date):
                    self.assertOutcome(visit, "not_asked" if is_one else None)

    # -- members ------------------------------------------------------------------

    def _get_events(self, member):
        rows = self.Report.search([("member_id", "=", member.id)], order="id")
        return [(row.event, str(row.date), row.growth) for row in rows]

    def test_history_of_a_membership_is_told_once(self):
        member = self._enrol(self.customer, "2024-01-01")
        member._set_tier(self.gold, date="2024-01-15")
        member._suspend(date="2024-02-01")
        member._come_back(date="2024-02-10")
        member._set_tier(self.silver, date="2024-02-15")
        member._suspend(date="2024-03-01")
        member._leave(date="2024-04-01")
        self.assertEqual(
            self._get_events(member),
            [
                ("joined", "2024-01-01", 1),
                ("suspended", "2024-02-01", -1),
                ("returned", "2024-02-10", 1),
                ("suspended", "2024-03-01", -1),
                ("left", "2024-04-01", 0),
            ],
        )

    def test_leaving_that_is_entered_for_an_earlier_day_counts_once(self):
        member = self._enrol(self.customer, "2024-01-01")
        member._set_tier(self.gold, date="2024-03-01")
        member._leave(date="2024-02-01")
        self.assertEqual(
            self._get_events(member),
            [("joined", "2024-01-01", 1), ("left", "2024-02-01", -1)],
        )

    def test_merged_customers_are_one_new_member_and_nobody_left(self):
        first = self._enrol(self.customer, "2024-01-01")
        second = self._enrol(self.other, "2024-02-01")
        second.sudo()._merge_into(first)
        self.assertEqual(self._get_events(second), [])
        self.assertEqual(self._get_events(first), [("joined", "2024-01-01", 1)])

    def test_days_to_joining(self):
        for vals, visits, expected in (
            ({"date": "2024-03-01"}, ["2024-02-10", "2024-02-01", "2024-04-01"], 29),
            ({"date": "2024-03-01"}, ["2024-03-01"], 0),
            ({"date": "2024-03-01"}, ["2024-03-04"], 0),
            ({"date": "2024-03-01", "source": "web"}, ["2024-03-04"], None),
            ({"date": "2024-03-01", "source": "web"}, ["2024-02-28"], 2),
            ({"date": "2024-03-01"}, [], None),
        ):
            customer = self._create_customer("New Member")
            self._invoice(customer, date="2023-05-05")
            member = self._enrol(customer, **vals)
            for day in visits:
                self._note_visit(customer, day)
            row = self.Report.search([("member_id", "=", member.id)])
            with self.subTest(vals=vals, visits=visits):
                self.assertEqual(bool(row.timed_count), expected is not None)
                self.assertEqual(row.days_to_join, expected or 0)

    def test_median_is_not_the_average(self):
        for gap in (0, 1, 2, 97):
            customer = self._create_customer("New Member")
            self._enrol(customer, date=date(2024, 2, 1) + timedelta(gap))
            self._note_visit(customer, "2024-02-01")
        specs = ["days_to_join:avg", "days_to_join_median:avg"]
        [(average, middle)] = self.Report._read_group(
            [("company_id", "=", self.company.id)], [], specs
        )
        self.assertEqual((float(average), middle), (25, 1.5))

    # -- ratios -------------------------------------------------------------------

    def test_ratio_without_denominator_is_empty_and_not_zero(self):
        self._note_visit(self.customer, "2024-02-01", user=self.advisors[0])
        self._note_visit(self.other, "2024-02-01", "declined", user=self.advisors[1])
        rows = self.Report._read_group(
            [
                ("company_id", "=", self.company.id),
                ("user_id", "in", self.advisors.ids),
            ],
            ["user_id"],
            ["asking_rate:avg", "conversion_rate:avg"],
        )
        found = {user: rates for user, *rates in rows}
        self.assertEqual(found[self.advisors[0]], [0, False])
        self.assertEqual(found[self.advisors[1]], [100, 0])

    def test_groups_are_ordered_by_a_ratio(self):
        for user, offers in zip(
            self.advisors, (("declined", "accepted"), ("accepted",)), strict=True
        ):
            for offer in offers:
                self._note_visit(self.customer, "2024-02-01", offer, user=user)
        for direction, expected in (("desc", (100, 50)), ("asc", (50, 100))):
            rows = self.Report._read_group(
                [("user_id", "in", self.advisors.ids), ("event", "=", "visit")],
                ["user_id"],
                ["conversion_rate:avg"],
                order=f"conversion_rate:avg {direction}",
            )
            self.assertEqual(tuple(rate for _user, rate in rows), expected)

    # -- rows ---------------------------------------------------------------------

    def test_row_opens_what_it_is_about(self):
        visit = self._note_visit(self.customer, "2024-02-01", "declined")
        action = self._get_row(visit).action_open_source()
        self.assertEqual(action["res_model"], "repair.order")
        self.assertEqual(action["res_id"], visit.repair_id.id)
        row = self.Report.search([("member_id", "=", self.member.id)])
        action = row.action_open_source()
        self.assertEqual(action["res_model"], "garage.loyalty.member")
        self.assertEqual(action["res_id"], self.member.id)

    def test_export_computes_nothing_that_people_typed(self):
        evil = self._create_customer("=1+1")
        self._note_visit(evil, "2024-02-01")
        rows = self.Report.search([("partner_id", "=", evil.id)])
        [[name]] = rows.export_data(["partner_id"])["datas"]
        self.assertEqual(name, "'=1+1")

    # -- rights -------------------------------------------------------------------

    def test_advisors_see_their_own_and_owners_see_all(self):
        advisor = self._create_user("advisor", USER)
        mine = self._note_visit(self.customer, "2024-02-01", user=advisor)
        theirs = self._note_visit(self.other, "2024-02-01")
        rows = self._get_row(mine) + self._get_row(theirs)
        for user, expected in (
            (advisor, rows[0]),
            (self._create_user("owner", MANAGER), rows),
            (self._create_user("auditor", ACCOUNTANT), rows),
            (self._create_user("both", USER, ACCOUNTANT), rows),
        ):
            found = self.Report.with_user(user).search([("id", "in", rows.ids)])
            with self.subTest(user=user.login):
                self.assertEqual(set(found.ids), set(expected.ids))

    def test_branch_sees_shared_members_but_no_repair_orders_of_its_parent(self):
        branch = self.env["res.company"].create(
            {"name": "Branch", "parent_id": self.company.id}
        )
        self.program.share_branches = True
        owner = self._create_user("owner", MANAGER)
        owner.write({"company_id": branch.id, "company_ids": [Command.set(branch.ids)]})
        self._note_visit(self.customer, "2024-02-01")
        at_branch = self._note_visit(
            self.other, "2024-02-01", company=branch, user=owner
        )
        rows = self.Report.with_user(owner).search(
            [("company_id", "in", (self.company + branch).ids)]
        )
        self.assertEqual(
            {(row.event, row.partner_id.id) for row in rows},
            {("joined", self.member.partner_id.id), ("visit", self.other.id)},
        )
        self.assertEqual(rows.repair_id.sudo(), at_branch.repair_id)


@tagged("post_install", "-at_install")
class TestEnrolmentProperties(EnrolmentCommon):
    """The report against a slow and obvious count, on random data of two companies."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        dice = random.Random(6)
        elsewhere = cls.setup_other_company()
        cls.second = elsewhere["company"]
        cls.second.partner_id.tz = "Pacific/Auckland"
        cls.second.currency_id = cls.setup_other_currency("EUR")
        for user in cls.env.user + cls.advisors:
            user.company_ids += cls.second
        cls.companies = cls.company + cls.second
        allowed = {"allowed_company_ids": cls.companies.ids}
        cls.Report = cls.Report.with_context(**allowed)
        Program = cls.env["garage.loyalty.program"]
        cls.programs = {
            company: Program._get_default(company) for company in cls.companies
        }
        tags = cls.env["res.partner.category"].create([{"name": "A"}, {"name": "B"}])
        cls.programs[cls.second].write(
            {
                "join_kind": "private",
                "join_months": 2,
                "join_min_visits": 1,
                "join_min_spend": 120,
                "join_min_age_months": 1,
                "join_excluded_tag_ids": [Command.set(tags[1].ids)],
            }
        )
        cls.partners = cls.env["res.partner"].create(
            [
                {
                    "name": f"Customer {number}",
                    "is_company": number % 5 == 0,
                    "category_id": [Command.set(dice.sample(tags.ids, number % 2))],
                }
                for number in range(1, 16)
            ]
        )
        for company in cls.companies:
            cls._fill(company, dice)
        cls.env.flush_all()

    @classmethod
    def _fill(cls, company, dice):
        """Let customers come, be asked, join, pause and leave at random."""
        start = date(2024, 1, 1)
        for partner in dice.sample(cls.partners, 9):
            member = cls._enrol(
                partner,
                start + timedelta(dice.randrange(20, 120)),
                program=cls.programs[company],
                source=dice.choice(["counter", "web", "import"]),
                enrolled_by_id=dice.choice(cls.advisors).id,
            )
            for _change in range(dice.randrange(5)):
                change = dice.choice(["_leave", "_suspend", "_come_back"])
                day = member.date_joined + timedelta(dice.randrange(150))
                getattr(member.with_user(dice.choice(cls.advisors)).sudo(), change)(day)
        survivor, merged = cls.Member.search(
            [("company_id", "=", company.id), ("state", "!=", "left")], limit=2
        )
        merged.sudo()._merge_into(survivor)
        offers = ["not_asked", "not_asked", "not_asked", "accepted", "declined"]
        for _visit in range(60):
            cls._note_visit(
                dice.choice(cls.partners),
                start + timedelta(dice.randrange(250)),
                dice.choice(offers),
                company=company,
                user=dice.choice(cls.advisors),
                is_member=dice.random() < 0.3,
                amount=dice.choice([0, 50, 100, 200]),
            )

    # -- the oracle ---------------------------------------------------------------

    def _get_visits(self, company, partner=None):
        found = self.Visit.search([("company_id", "=", company.id)])
        return found.filtered(lambda visit: not partner or visit.partner_id == partner)

    def _is_paused(self, visit):
        accounts = self.Member.search(
            [
                ("company_id", "=", visit.company_id.id),
                ("partner_id", "=", visit.partner_id.id),
            ]
        )
        for account in accounts:
            known = account.status_ids.filtered(lambda row: row.date <= visit.date)
            latest = known.sorted(lambda row: (row.date, row.id))[-1:]
            if latest.state == "suspended":
                return True
        return False

    def _could_join(self, visit):
        program = self.programs[visit.company_id]
        started = min(
            self.Member.search([("program_id", "=", program.id)]).mapped("date_joined")
        )
        if visit.is_member or visit.date < started or self._is_paused(visit):
            return False
        rules = program._prepare_join_rules()
        known = self._get_visits(visit.company_id, visit.partner_id)
        before = known.filtered(
            lambda item: (
                item != visit
                and rules.window_start(visit.date) <= item.date
                and item.date <= visit.date
            )
        )
        customer = Customer(
            sum(before.mapped("amount")),
            len(before),
            min(known.mapped("date")),
            is_company=visit.partner_id.is_company,
            tags=frozenset(visit.partner_id.category_id.ids),
        )
        return not rules.refusals(customer, visit.date)

    def _get_days_to_join(self, member):
        first = min(
            self._get_visits(member.company_id, member.partner_id).mapped("date"),
            default=None,
        )
        if first and first <= member.date_joined:
            return (member.date_joined - first).days
        return 0 if first and member.source == "counter" else None

    def _get_events(self):
        """Return the events of both companies, as plain dicts."""
        events = []
        for visit in self.Visit.search([("company_id", "in", self.companies.ids)]):
            offer = visit.repair_id.loyalty_offer
            if offer != "not_asked" or self._could_join(visit):
                events.append(self._describe(visit, "visit", visit.user_id, offer))
        for member in self.Member.search(
            [
                ("company_id", "in", self.companies.ids),
                ("merged_into_id", "=", False),
            ]
        ):
            joined = self._describe(member, "joined", member.enrolled_by_id)
            joined |= {"date": member.date_joined, "growth": 1}
            events.append(joined | {"days": self._get_days_to_join(member)})
            former = "active"
            for row in member.status_ids.sorted("id")[1:]:
                if row.state == former:
                    continue
                event = "returned" if row.state == "active" else row.state
                growth = (row.state == "active") - (former == "active")
                change = self._describe(member, event, row.user_id)
                events.append(change | {"date": row.date, "growth": growth})
                former = row.state
        return events

    def _describe(self, record, event, user, outcome=False):
        kind = "company" if record.partner_id.is_company else "private"
        return {
            "event": event,
            "outcome": outcome,
            "user_id": user.id,
            "date": record.date if event == "visit" else None,
            "company_id": record.company_id.id,
            "partner_id": record.partner_id.id,
            "customer_kind": kind,
            "source": event != "visit" and record.source,
            "growth": 0,
            "days": None,
        }

    def _measure(self, events):
        def count(name, *values):
            return sum(event[name] in values for event in events)

        possible, asked = (
            count("event", "visit"),
            count("outcome", "accepted", "declined"),
        )
        accepted = count("outcome", "accepted")
        days = [event["days"] for event in events if event["days"] is not None]
        return {
            "opportunity_count:sum": possible,
            "asked_count:sum": asked,
            "accepted_count:sum": accepted,
            "declined_count:sum": count("outcome", "declined"),
            "not_asked_count:sum": count("outcome", "not_asked"),
            "asking_rate:avg": 100 * asked / possible if possible else None,
            "conversion_rate:avg": 100 * accepted / asked if asked else None,
            "joined_count:sum": count("event", "joined"),
            "returned_count:sum": count("event", "returned"),
            "left_count:sum": count("event", "left"),
            "suspended_count:sum": count("event", "suspended"),
            "growth:sum": sum(event["growth"] for event in events),
            "timed_count:sum": len(days),
            "days_to_join:avg": mean(days) if days else None,
            "days_to_join_median:avg": median(days) if days else None,
        }

    def _key(self, event, spec):
        name, _colon, step = spec.partition(":")
        if not step:
            return event[name]
        month = event["date"].month
        first = month if step == "month" else 3 * ((month - 1) // 3) + 1
        return event["date"].replace(month=first, day=1)

    def _oracle(self, events, groupby):
        groups = defaultdict(list)
        for event in events:
            groups[tuple(self._key(event, spec) for spec in groupby)].append(event)
        return {key: self._measure(group) for key, group in groups.items()}

    def _plain(self, value):
        """Return the key of a group as the oracle writes it."""
        if isinstance(value, tuple):
            value = value[0]
        elif hasattr(value, "ids"):
            value = value.id
        if isinstance(value, str) and value[:4].isdigit():
            return date.fromisoformat(value)
        return value

    def assertGroups(self, found, expected):
        self.assertEqual(set(found), set(expected))
        for key, measures in expected.items():
            for name, value in measures.items():
                got = found[key][name]
                if value is None:
                    self.assertIs(got, False, f"{key} {name}")
                else:
                    self.assertAlmostEqual(float(got), value, 6, f"{key} {name}")

    @property
    def _domain(self):
        return [("company_id", "in", self.companies.ids)]

    # -- every grouping, by every route -------------------------------------------

    def test_random_data_has_every_case(self):
        events = self._get_events()
        measures = self._oracle(events, ["company_id"])
        for company in self.companies:
            for name in MEASURES:
                with self.subTest(company=company.name, measure=name):
                    self.assertTrue(measures[company.id,][name])
        visits = self.Visit.search_count(self._domain)
        self.assertLess(sum(event["event"] == "visit" for event in events), visits)

    def test_every_grouping_by_every_route_is_what_the_oracle_counts(self):
        events = self._get_events()
        for groupby in GROUPINGS:
            expected = self._oracle(events, groupby)
            rows = self.Report._read_group(self._domain, groupby, MEASURES)
            found = {
                tuple(map(self._plain, row[: len(groupby)])): dict(
                    zip(MEASURES, row[len(groupby) :], strict=True)
                )
                for row in rows
            }
            with self.subTest(groupby=groupby, route="read_group"):
                self.assertGroups(found, expected)
            groups = self.Report.formatted_read_group(self._domain, groupby, MEASURES)
            with self.subTest(groupby=groupby, route="formatted_read_group"):
                self.assertGroups(self._by_key(groups, groupby), expected)

    def _by_key(self, groups, groupby):
        return {
            tuple(self._plain(group[spec]) for spec in groupby): group
            for group in groups
        }

    def test_pivot_is_what_the_oracle_counts_at_every_level(self):
        events = self._get_events()
        sets = [
            ["date:month", "user_id", "outcome"],
            ["date:month", "user_id"],
            ["date:month"],
            ["outcome"],
            [],
        ]
        result = self.Report.formatted_read_grouping_sets(self._domain, sets, MEASURES)
        for groupby, groups in zip(sets, result, strict=True):
            with self.subTest(groupby=groupby):
                found = self._by_key(groups, groupby)
                self.assertGroups(found, self._oracle(events, groupby))

    def test_growth_adds_up_to_the_active_members(self):
        for company in self.companies:
            [(growth,)] = self.Report._read_group(
                [("company_id", "=", company.id)], [], ["growth:sum"]
            )
            active = self.Member.search_count(
                [("company_id", "=", company.id), ("state", "=", "active")]
            )
            self.assertEqual(growth, active)

    def test_rows_are_found_by_their_ids(self):
        rows = self.Report.search(self._domain)
        self.assertEqual(len(set(rows.ids)), len(self._get_events()))
        self.env.invalidate_all()
        for row in rows:
            self.assertEqual(row.event == "visit", bool(row.repair_id))


@tagged("post_install", "-at_install")
class TestEnrolmentTour(EnrolmentCommon, HttpCase):
    def test_tour_opens_the_rows_that_a_figure_counts(self):
        owner = self._create_user("workshop_owner", MANAGER, "stock.group_stock_user")
        today = fields.Date.today()
        self._enrol(self._create_customer("First Member"), "2024-01-01")
        self._note_visit(self.customer, today, "accepted", user=owner)
        self._note_visit(self.other, today, "declined", user=owner)
        third = self._create_customer("Third Customer")
        self._note_visit(third, today, user=owner)
        self.start_tour(
            "/odoo/loyalty-enrolment",
            "garage_loyalty_enrolment",
            login="workshop_owner",
        )
        row = self.Report.search([("partner_id", "=", self.customer.id)])
        self.assertEqual(row.outcome, "accepted")
