from datetime import date, timedelta

from psycopg2 import IntegrityError, errors

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import freeze_time, tagged
from odoo.tools import SQL, mute_logger

from .common import ACCOUNTANT, MANAGER, USER, GarageLoyaltyCommon

TODAY = date(2024, 2, 1)
EARLY, LATE = "2024-03-31", "2024-12-31"


class LotsCommon(GarageLoyaltyCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Lot = cls.env["garage.loyalty.lot"]
        cls.Allocation = cls.env["garage.loyalty.allocation"]
        cls.program.write(
            {
                "earn_trigger": "posted",
                "point_value": 0.1,
                "minimum_redemption": 1,
                "labour_cap": 100,
                "parts_cap": 100,
            }
        )
        cls.member = cls._enrol(cls.customer)

    @classmethod
    def _post(cls, points, member=None, **options):
        kind = options.pop("kind", "adjust")
        return (member or cls.member)._post_points(kind, points, TODAY, **options)

    @classmethod
    def _give(cls, points, expiry=False, **options):
        return cls._post(points, expiry=expiry, **options).lot_ids

    def _taken(self, entry):
        """Return what an entry moved: pairs of lot and points, in order."""
        return [(row.lot_id, row.points) for row in entry.allocation_ids]

    def _redeemed(self, points, post=True, **vals):
        """Return an invoice of 1000 of which points pay a part."""
        invoice = self._invoice(self.customer, date="2024-02-01", post=False, **vals)
        self._redeem(invoice, points)
        if post:
            invoice.action_post()
        return invoice

    def _redemption(self, invoice):
        return invoice.invoice_line_ids.loyalty_redemption_id


@tagged("post_install", "-at_install")
@freeze_time("2024-02-01")
class TestAppendOnlyTables(LotsCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.lot = cls._give(100)
        cls.entry = cls._post(-40, kind="redeem")
        cls.allocation = cls.entry.allocation_ids
        cls.env.flush_all()

    def test_allocation_write_refused_even_for_the_superuser(self):
        for rows in (self.allocation, self.allocation.sudo()):
            for vals in ({"points": 5}, {"lot_id": self.lot.id}):
                with (
                    self.subTest(vals=vals, su=rows.env.su),
                    self.assertRaisesRegex(UserError, "use “Adjust points”"),
                ):
                    rows.write(vals)

    def test_allocation_unlink_refused_even_for_the_superuser(self):
        with self.assertRaisesRegex(UserError, "use “Adjust points”"):
            self.allocation.sudo().unlink()

    def test_ledger_tables_cannot_be_written_by_any_user(self):
        users = [
            self._create_user(group.rpartition("_")[2], group)
            for group in (USER, ACCOUNTANT, MANAGER)
        ]
        for user in users:
            for rows in (self.entry, self.lot, self.allocation):
                rows = rows.with_user(user)
                with self.subTest(user=user.login, model=rows._name):
                    rows.check_access("read")
                    for right in ("write", "create", "unlink"):
                        self.assertFalse(rows.has_access(right), right)

    def test_import_of_an_existing_entry_changes_nothing(self):
        manager = self._create_user("manager", MANAGER)
        rows = {
            "garage.loyalty.entry": [str(self.entry.id), "5"],
            "garage.loyalty.allocation": [str(self.allocation.id), "5"],
        }
        for model, row in rows.items():
            for records in (self.env[model].sudo(), self.env[model].with_user(manager)):
                with self.subTest(model=model, su=records.env.su):
                    result = records.load([".id", "points"], [row])
                    self.assertFalse(result["ids"])
                    self.assertTrue(result["messages"][0]["message"])
        self.env.invalidate_all()
        self.assertEqual((self.entry.points, self.allocation.points), (-40, 40))

    def test_import_of_a_new_entry_by_a_manager_refused(self):
        manager = self._create_user("manager", MANAGER)
        values = {
            "member_id/.id": self.member.id,
            "program_id/.id": self.program.id,
            "company_id/.id": self.company.id,
            "date": "2024-01-01",
            "kind": "adjust",
            "points": 5,
            "user_id/.id": manager.id,
            "source_model": "res.partner",
            "source_id": 1,
        }
        result = self.Entry.with_user(manager).load(
            list(values), [[str(value) for value in values.values()]]
        )
        self.assertFalse(result["ids"])
        self.assertLedger(self.member, 100, -40)

    def test_lots_cannot_be_changed_through_the_member(self):
        manager = self._create_user("manager", MANAGER)
        for command in (
            Command.update(self.lot.id, {"remaining": 100}),
            Command.delete(self.lot.id),
            Command.clear(),
        ):
            with (
                self.subTest(command=command),
                self.assertRaises(AccessError),
                self.env.cr.savepoint(),
            ):
                self.member.with_user(manager).write({"lot_ids": [command]})
        self.env.invalidate_all()
        self.assertEqual(self.lot.remaining, 60)

    @mute_logger("odoo.sql_db")
    def test_sql_refused_by_the_database_on_both_tables(self):
        for table in ("garage_loyalty_entry", "garage_loyalty_allocation"):
            for query in (
                "UPDATE %s SET points = 5",
                "UPDATE %s SET points = points",
                "DELETE FROM %s",
                "TRUNCATE %s CASCADE",
            ):
                with (
                    self.subTest(table=table, query=query),
                    self.assertRaises(errors.RestrictViolation) as caught,
                    self.env.cr.savepoint(),
                ):
                    self.env.cr.execute(SQL(query, SQL.identifier(table)))
                self.assertIn("post an adjustment", str(caught.exception))
        self.assertSound(self.member)

    @mute_logger("odoo.sql_db")
    def test_lot_with_entries_cannot_be_removed_by_sql(self):
        with self.assertRaises(IntegrityError), self.env.cr.savepoint():
            self.env.cr.execute("DELETE FROM garage_loyalty_lot")

    @mute_logger("odoo.sql_db")
    def test_remainder_is_never_negative_nor_above_what_was_given(self):
        for remaining in (-1, 101):
            with (
                self.subTest(remaining=remaining),
                self.assertRaises(errors.CheckViolation),
                self.env.cr.savepoint(),
            ):
                self.env.cr.execute(
                    "UPDATE garage_loyalty_lot SET remaining = %s", [remaining]
                )

    @mute_logger("odoo.sql_db")
    def test_debt_is_never_negative(self):
        with self.assertRaises(errors.CheckViolation), self.env.cr.savepoint():
            self.env.cr.execute("UPDATE garage_loyalty_member SET debt = -1")

    @mute_logger("odoo.sql_db")
    def test_allocation_of_nothing_refused(self):
        with self.assertRaises(errors.CheckViolation), self.env.cr.savepoint():
            self.Allocation._append(
                [{"entry_id": self.entry.id, "lot_id": self.lot.id, "points": 0}]
            )


@tagged("post_install", "-at_install")
@freeze_time("2024-02-01")
class TestSpendingLots(LotsCommon):
    def test_spending_takes_what_expires_first(self):
        """The example of 4.3 of the design."""
        lot_a = self._give(100, "2024-12-31")
        lot_b = self._give(50, "2024-03-31", is_bonus=True)
        entry = self._post(-60, kind="redeem")
        self.assertEqual(self._taken(entry), [(lot_b, 50), (lot_a, 10)])
        self.assertLots(self.member, (90, "2024-12-31"))
        self._run_job("ir_cron_expire", "2024-04-01")
        self.assertLedger(self.member, 100, 50, -60)
        self._run_job("ir_cron_expire", "2024-12-31 23:00:00")
        self.assertLedger(self.member, 100, 50, -60)
        self._run_job("ir_cron_expire", "2025-01-01 01:00:00")
        self.assertLedger(self.member, 100, 50, -60, -90)
        self.assertEqual(str(self.member.entry_ids[0].date), "2024-12-31")
        self.assertSound(self.member)

    def test_mixed_lifetimes_are_kept_apart(self):
        """What no running sum can tell: see 4.3 of the design."""
        self._give(3, "2024-02-03")
        self._give(1, "2024-02-01")
        self._give(1, "2024-02-01")
        self._post(-1, kind="redeem")
        self._give(1, "2024-02-02")
        expired = []
        for day in ("2024-02-02", "2024-02-03", "2024-02-04", "2024-02-05"):
            before = self.member.points
            self._run_job("ir_cron_expire", day)
            expired.append(before - self.member.points)
        self.assertEqual(expired, [1, 1, 3, 0])
        self.assertSound(self.member)

    def test_points_that_never_expire_are_spent_last(self):
        never, late, early = (self._give(10, day) for day in (False, LATE, EARLY))
        entry = self._post(-25, kind="redeem")
        self.assertEqual(self._taken(entry), [(early, 10), (late, 10), (never, 5)])

    def test_lots_of_one_day_are_spent_in_the_order_they_were_given(self):
        first, second = self._give(10, EARLY), self._give(10, EARLY)
        self.assertEqual(
            self._taken(self._post(-12, kind="redeem")), [(first, 10), (second, 2)]
        )

    def test_every_entry_that_takes_says_from_which_lots(self):
        self._invoice(self.customer)
        invoice = self._redeemed(700)
        self._credit(invoice, 333, date="2024-02-01")
        self._post(-17)
        for entry in self.member.entry_ids.filtered(lambda row: row.points < 0):
            self.assertEqual(sum(entry.allocation_ids.mapped("points")), -entry.points)
        self.assertSound(self.member)

    def test_lot_of_yesterday_cannot_be_spent_before_the_job_has_run(self):
        self._give(50, "2024-01-31")
        self._give(10, "2024-02-01")
        self.assertEqual(self.member.points, 60)
        self.assertEqual(self.member.points_available, 10)
        with self.assertRaisesRegex(UserError, "has 10 points: 11 cannot be spent"):
            self._post(-11, kind="redeem")
        self._post(-10, kind="redeem")
        self._run_job("ir_cron_expire", "2024-02-01")
        self.assertLedger(self.member, 50, 10, -10, -50)

    # -- activation delay -------------------------------------------------------

    def test_pending_points_are_seen_but_not_spent(self):
        self.program.activation_days = 14
        self._invoice(self.customer, date="2024-02-01")
        member = self.member
        self.assertEqual(
            (member.points, member.points_available, member.points_pending),
            (1000, 0, 1000),
        )
        with self.assertRaisesRegex(UserError, "has 0 points"):
            self._post(-1, kind="redeem")
        with freeze_time("2024-02-14"), self.assertRaisesRegex(UserError, "0 points"):
            member.invalidate_recordset()
            self._post(-1, kind="redeem")
        with freeze_time("2024-02-15"):
            member.invalidate_recordset()
            self.assertEqual(
                (member.points_available, member.points_pending), (1000, 0)
            )
            self._post(-1000, kind="redeem")
        self.assertSound(member)

    def test_pending_points_count_from_the_day_of_the_invoice(self):
        self.program.activation_days = 14
        self._invoice(self.customer, date="2024-01-10")
        self._invoice(self.customer, date="2024-01-20")
        lots = self._lots(self.member)
        self.assertEqual(
            [str(day) for day in lots.mapped("date_available")],
            ["2024-01-24", "2024-02-03"],
        )
        self.assertEqual(self.member.points_available, 1000)
        self.assertEqual(self.member.points_pending, 1000)

    def test_only_earned_points_wait(self):
        self.program.activation_days = 14
        self._give(100)
        self.assertEqual(self.member.points_available, 100)

    def test_pending_points_can_be_taken_back(self):
        self.program.activation_days = 14
        invoice = self._invoice(self.customer, date="2024-02-01")
        self._credit(invoice, 400, date="2024-02-01")
        self.assertEqual(
            (self.member.points_available, self.member.points_pending), (0, 600)
        )
        self.assertSound(self.member)

    # -- what the member sees ---------------------------------------------------

    def test_member_sees_what_expires_next(self):
        member = self.member
        self.assertEqual(
            (member.next_expiry_date, member.next_expiry_points), (False, 0)
        )
        self._give(5, "2024-01-31")
        self._give(10, EARLY)
        self._give(20, EARLY)
        self._give(30, LATE)
        self._give(40)
        self.assertEqual(
            (str(member.next_expiry_date), member.next_expiry_points), (EARLY, 30)
        )
        self.assertEqual((member.points, member.points_available), (105, 100))
        self._post(-30, kind="redeem")
        self.assertEqual(
            (str(member.next_expiry_date), member.next_expiry_points), (LATE, 30)
        )

    def test_next_to_expire_leaves_out_what_repays_a_debt(self):
        self._post(-15)
        self._invoice(self.customer, [(self.labour, 1, 10)], date="2024-02-01")
        self._invoice(self.customer, [(self.labour, 1, 30)], date="2024-02-01")
        early, late = self._lots(self.member)
        self.Lot._set_expiry(
            [early.id, late.id], [date(2024, 3, 31), date(2024, 12, 31)]
        )
        member = self.member
        member.invalidate_recordset()
        seen = (25, 25, 0, LATE, 25)

        def look():
            return (
                member.points,
                member.points_available,
                member.points_pending,
                str(member.next_expiry_date),
                member.next_expiry_points,
            )

        self.assertEqual(look(), seen)
        member.sudo()._settle()
        self.assertEqual(look(), seen)

    def test_what_is_seen_is_the_same_before_and_after_a_debt_is_repaid(self):
        """Pending points that expire first repay first."""
        self.program.write(
            {"activation_days": 14, "expiry_rule": "age", "expiry_months": 3}
        )
        self._post(-50)
        self._invoice(self.customer, [(self.labour, 1, 60)], date="2024-01-31")
        self._invoice(self.customer, [(self.labour, 1, 100)], date="2023-12-31")
        self._invoice(self.customer, [(self.labour, 1, 100)], date="2024-01-10")
        lots = self._lots(self.member)
        self.Lot._set_expiry(
            [lot.id for lot in lots if lot.points == 60], [date(2024, 2, 20)]
        )
        member = self.member
        member.invalidate_recordset()
        before = (member.points_available, member.points_pending)
        member.sudo()._settle()
        self.assertEqual(before, (member.points_available, member.points_pending))

    # -- debt -------------------------------------------------------------------

    def test_debt_is_repaid_by_what_is_given_next(self):
        self._give(100)
        debt = self._post(-150)
        self.assertEqual((self.member.points, self.member.debt), (-50, 50))
        lot = self._give(80)
        self.assertEqual((self.member.points, self.member.debt), (30, 0))
        self.assertEqual(self._taken(debt)[-1], (lot, 50))
        self.assertLots(self.member, (30, False))
        self.assertSound(self.member)

    def test_debt_is_repaid_by_earned_points_once_they_are_settled(self):
        self._post(-50)
        self._invoice(self.customer, [(self.labour, 1, 80)])
        member = self.member
        self.assertEqual((member.points, member.debt), (30, 50))
        self.assertEqual(member.points_available, 30)
        self.assertSound(member)
        self._run_job("ir_cron_expire", "2024-02-02")
        self.assertEqual((member.points, member.debt), (30, 0))
        self.assertLots(member, (30, False))
        self.assertSound(member)

    def test_debt_is_repaid_by_pending_points_too(self):
        self.program.activation_days = 14
        self._post(-50)
        self._invoice(self.customer, [(self.labour, 1, 80)])
        self.assertEqual(
            (self.member.points_available, self.member.points_pending), (0, 30)
        )
        self.member.sudo()._settle()
        self.assertEqual(self.member.debt, 0)
        self.assertEqual(
            (self.member.points_available, self.member.points_pending), (0, 30)
        )
        self.assertSound(self.member)

    def test_oldest_debt_is_repaid_first(self):
        first, second = self._post(-50), self._post(-30)
        lot = self._give(60)
        self.assertEqual(self._taken(first), [(lot, 50)])
        self.assertEqual(self._taken(second), [(lot, 10)])
        self.assertEqual(self.member.debt, 20)
        self.assertSound(self.member)

    def test_debt_makes_spending_impossible(self):
        self._post(-50)
        self._invoice(self.customer, [(self.labour, 1, 80)])
        with (
            self.assertRaisesRegex(UserError, "has 30 points: 31 cannot be spent"),
            self.env.cr.savepoint(),
        ):
            self._post(-31, kind="redeem")
        self._post(-30, kind="redeem")
        self.assertEqual((self.member.points, self.member.debt), (0, 0))
        self.assertSound(self.member)

    # -- taking back ------------------------------------------------------------

    def test_credit_note_takes_from_the_lot_of_its_invoice_first(self):
        self._give(100, EARLY)
        invoice = self._invoice(self.customer)
        own = self.Lot.search([("entry_id.source_id", "=", invoice.id)])
        credit = self._credit(invoice, 250, date="2024-02-01")
        entry = self.member.entry_ids.filtered(lambda row: row.source_id == credit.id)
        self.assertEqual(self._taken(entry), [(own, 250)])
        self.assertLots(self.member, (100, EARLY), (750, False))

    def test_credit_note_takes_from_others_when_its_own_lot_is_spent(self):
        invoice = self._invoice(self.customer)
        own = self._lots(self.member)
        self._post(-900, kind="redeem")
        other = self._give(50, LATE)
        self._credit(invoice, 300, date="2024-02-01")
        entry = self.member.entry_ids.filtered(lambda row: row.kind == "clawback")
        self.assertEqual(self._taken(entry), [(own, 100), (other, 50)])
        self.assertEqual((self.member.points, self.member.debt), (-150, 150))
        self.assertSound(self.member)

    def test_invoice_set_to_draft_and_posted_again_gives_the_same_lot_back(self):
        self.program.write({"expiry_rule": "age", "expiry_months": 6})
        self._give(100, EARLY)
        invoice = self._invoice(self.customer, date="2024-02-01")
        lot = self._lots(self.member)[-1]
        invoice.button_draft()
        self.assertEqual(lot.remaining, 0)
        invoice.action_post()
        self.assertEqual(lot.remaining, 1000)
        self.assertLots(self.member, (100, EARLY), (1000, "2024-08-31"))
        self.assertSound(self.member)

    def test_cancelled_credit_note_gives_back_to_the_lots_it_took_from(self):
        invoice = self._invoice(self.customer)
        self._post(-900, kind="redeem")
        self._give(50, EARLY)
        self._give(500, LATE)
        credit = self._credit(invoice, 300, date="2024-02-01")
        self.assertLots(self.member, (350, LATE))
        credit.button_draft()
        self.assertLots(self.member, (50, EARLY), (500, LATE), (100, False))
        self.assertSound(self.member)

    def test_cancelled_credit_note_leaves_the_debt_and_the_lots_of_before(self):
        invoice = self._invoice(self.customer, [(self.labour, 1, 100)])
        self._post(-70, kind="redeem")
        lot = self._lots(self.member)
        self.Lot._set_expiry(lot.ids, [date(2024, 3, 31)])
        for _time in range(3):
            credit = self._credit(invoice, date="2024-02-01")
            self.assertEqual(self.member.debt, 70)
            self.assertLots(self.member)
            credit.button_draft()
            self.assertEqual(self.member.debt, 0)
            self.assertLots(self.member, (30, EARLY))
            credit.action_post()
            credit.button_draft()
            self.assertLots(self.member, (30, EARLY))
        self.assertSound(self.member)

    # -- giving back ------------------------------------------------------------

    def test_redemption_cancelled_gives_back_to_the_same_lots(self):
        self._give(50, EARLY)
        self._give(100, LATE)
        invoice = self._redeemed(60)
        earned = invoice.loyalty_points_earned
        self.assertLots(self.member, (90, LATE), (earned, False))
        invoice.button_draft()
        self.assertLots(self.member, (50, EARLY), (100, LATE))
        self.assertSound(self.member)

    def test_redemption_credited_gives_back_in_proportion_to_the_same_lots(self):
        self._give(50, EARLY)
        self._give(100, LATE)
        self.program.earn_when_redeeming = False
        invoice = self._redeemed(60)
        self._credit(invoice, 250, date="2024-02-01")
        # 15 of 60 points: 12.5 of 50 and 2.5 of 10
        self.assertLots(self.member, (13, EARLY), (92, LATE))
        self._credit(invoice, 250, date="2024-02-01")
        self.assertLots(self.member, (25, EARLY), (95, LATE))
        self._credit(invoice, 500, date="2024-02-01")
        self.assertLots(self.member, (50, EARLY), (100, LATE))
        self.assertSound(self.member)

    def _redeem_half_and_half(self):
        """Spend 50 points until March and 50 until December on one invoice."""
        self._give(50, EARLY)
        self._give(100, LATE)
        self.program.write({"earn_when_redeeming": False, "restored_days": 30})
        return self._redeemed(100)

    def test_what_has_expired_meanwhile_comes_back_for_some_days(self):
        invoice = self._redeem_half_and_half()
        with freeze_time("2024-06-01"):
            invoice.button_draft()
            self.assertLots(self.member, (50, "2024-07-01"), (100, LATE))
            self.assertEqual(self.member.points_available, 150)
        self._run_job("ir_cron_expire", "2024-07-01")
        self.assertEqual(self.member.points, 150)
        self._run_job("ir_cron_expire", "2024-07-02")
        self.assertEqual(self.member.points, 100)
        self.assertSound(self.member)

    def test_what_has_expired_comes_back_in_proportion_of_each_credit_note(self):
        invoice = self._redeem_half_and_half()
        with freeze_time("2024-06-01"):
            self._credit(invoice, 500, date="2024-06-01")
            self.assertLots(self.member, (25, "2024-07-01"), (75, LATE))
        with freeze_time("2024-06-11"):
            self._credit(invoice, 500, date="2024-06-11")
            self.assertLots(self.member, (50, "2024-07-11"), (100, LATE))
        self.assertSound(self.member)

    def test_what_came_back_and_expired_again_comes_back_again(self):
        invoice = self._redeem_half_and_half()
        with freeze_time("2024-06-01"):
            self._credit(invoice, 500, date="2024-06-01")
        self._run_job("ir_cron_expire", "2024-07-02")
        self.assertLots(self.member, (75, LATE))
        with freeze_time("2024-07-02"):
            self._credit(invoice, 500, date="2024-07-02")
            self.assertLots(self.member, (25, "2024-08-01"), (100, LATE))
        self._run_job("ir_cron_expire", "2024-08-02")
        self.assertLots(self.member, (100, LATE))
        self.assertSound(self.member)

    def test_quotation_confirmed_and_cancelled_again_wears_nothing_out(self):
        self._give(50, EARLY)
        self._give(100, LATE)
        order = self._create_repair(self.customer, hours=2).sale_order_id
        self._redeem(order, 100)
        for day in ("2024-02-01", "2024-06-01", "2024-06-02", "2024-06-03"):
            with freeze_time(day):
                order.action_confirm()
                order._action_cancel()
                order.action_draft()
                left = self._lots(self.member)
                self.assertEqual(left.mapped("remaining"), [50, 100], day)
                self.assertEqual(str(left[-1].date_expiry), LATE)
        self.assertSound(self.member)

    def test_what_is_left_of_an_expired_lot_does_not_come_back_with_it(self):
        """Whether the job has run already, or not."""
        for job_runs in (False, True):
            with self.subTest(job_runs=job_runs), self.env.cr.savepoint() as point:
                self._give(80, EARLY)
                self.program.earn_when_redeeming = False
                invoice = self._redeemed(50)
                if job_runs:
                    self._run_job("ir_cron_expire", "2024-06-01")
                with freeze_time("2024-06-01"):
                    invoice.button_draft()
                self.assertLots(self.member, (50, "2024-07-01"))
                self.assertEqual(self.member.points, 50)
                self.assertSound(self.member)
                point.rollback()
                self.env.invalidate_all(flush=False)

    def test_credit_note_cancelled_takes_the_redeemed_points_again(self):
        self._give(50, EARLY)
        self._give(100, LATE)
        self.program.earn_when_redeeming = False
        invoice = self._redeemed(60)
        credit = self._credit(invoice, date="2024-02-01")
        self.assertLots(self.member, (50, EARLY), (100, LATE))
        credit.button_draft()
        self.assertLots(self.member, (90, LATE))
        self.assertSound(self.member)

    def test_points_given_back_beyond_what_was_taken_are_new(self):
        lot = self._give(10, EARLY)
        self._post(-10, kind="redeem", source=self.customer)
        self._post(15, kind="restore", source=self.customer, origin=self.customer)
        self.assertEqual(lot.remaining, 10)
        self.assertLots(self.member, (10, EARLY), (5, False))
        self.assertSound(self.member)

    def test_options_of_earned_points_are_kept(self):
        entry = self._post(
            10,
            kind="earn",
            source=self.customer,
            expiry=date(2024, 5, 5),
            is_bonus=True,
        )
        self.assertTrue(entry.lot_ids.is_bonus)
        self.assertEqual(str(entry.lot_ids.date_expiry), "2024-05-05")

    # -- from the entry to the document and back --------------------------------

    def test_every_kind_of_entry_opens_its_document_for_who_reads_it(self):
        self._give(100, EARLY)
        invoice = self._redeemed(60)
        self._credit(invoice, 100, date="2024-02-01")
        self._run_job("ir_cron_expire", "2024-05-01")
        kinds = self.member.entry_ids.mapped("kind")
        self.assertLessEqual(
            {"adjust", "redeem", "earn", "expire", "restore"}, {*kinds}
        )
        accountant = self._create_user(
            "accountant", ACCOUNTANT, "account.group_account_readonly"
        )
        for entry in self.member.entry_ids.with_user(accountant):
            with self.subTest(kind=entry.kind):
                action = entry.action_open_source()
                document = self.env[action["res_model"]].browse(action["res_id"])
                document.with_user(accountant).check_access("read")
                document.with_user(accountant).read(["display_name"])
                self.assertTrue(entry.source_name)
                self.assertTrue(entry.user_id)

    def test_document_leads_to_its_entries(self):
        self._give(100, EARLY)
        invoice = self._redeemed(60)
        self._credit(invoice, 100, date="2024-02-01")
        found = self.Entry.search(invoice.action_open_loyalty_entries()["domain"])
        self.assertEqual(
            set(found.mapped("kind")), {"earn", "redeem", "clawback", "restore"}
        )

    def test_lot_leads_to_what_was_taken_from_it(self):
        lot = self._give(100)
        entries = self._post(-10, kind="redeem") | self._post(-20)
        self.assertEqual(lot.allocation_ids.entry_id, entries)
        self.assertEqual(lot.entry_id._get_source(), self.member)


@tagged("post_install", "-at_install")
@freeze_time("2024-02-01")
class TestBalanceInLists(LotsCommon):
    """The balance of lists, which the database computes, is that of the form."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        customers = [cls._create_customer(f"Customer {n}") for n in range(5)]
        cls.members = cls.member
        for customer in customers:
            cls.members |= cls._enrol(customer)
        cls.domain = [("id", "in", cls.members.ids)]
        _nothing, fresh, settled, mixed, owing, repaying = cls.members
        cls._invoice(fresh.partner_id, [(cls.labour, 1, 300)])
        cls._post(200, settled)
        cls._post(50, mixed)
        cls._invoice(mixed.partner_id, [(cls.labour, 1, 250)])
        cls._post(-70, owing)
        cls._post(-70, repaying)
        cls._invoice(repaying.partner_id, [(cls.labour, 1, 100)])
        cls.expected = dict(zip(cls.members, (0, 300, 200, 300, -70, 30), strict=True))

    def _settle_all(self):
        self.members.sudo()._settle()
        self.env.invalidate_all()

    def test_balance_is_the_same_settled_or_not(self):
        for _time in range(2):
            for member, points in self.expected.items():
                self.assertEqual(member.points, points)
            self.assertSound(self.members)
            self._settle_all()

    def test_search_by_every_operator(self):
        values = sorted({*self.expected.values(), 1, -1, 1000})
        operators = {
            "=": lambda points, value: points == value,
            "!=": lambda points, value: points != value,
            ">": lambda points, value: points > value,
            ">=": lambda points, value: points >= value,
            "<": lambda points, value: points < value,
            "<=": lambda points, value: points <= value,
        }
        for _time in range(2):
            for operator, test in operators.items():
                for value in values:
                    with self.subTest(operator=operator, value=value):
                        found = self.Member.search(
                            [*self.domain, ("points", operator, value)]
                        )
                        expected = self.members.filtered(
                            lambda member, test=test, value=value: test(
                                self.expected[member], value
                            )
                        )
                        self.assertEqual(set(found), set(expected))
            self._settle_all()

    def test_search_by_lists_of_values(self):
        for values in ([300, -70], [], [5], [0, 30, 200]):
            with self.subTest(values=values):
                found = self.Member.search([*self.domain, ("points", "in", values)])
                others = self.Member.search(
                    [*self.domain, ("points", "not in", values)]
                )
                expected = [
                    member
                    for member, points in self.expected.items()
                    if points in values
                ]
                self.assertEqual(set(found), set(expected))
                self.assertEqual(set(others), {*self.members} - {*expected})

    def test_search_for_no_points(self):
        for value in (False, 0):
            found = self.Member.search([*self.domain, ("points", "=", value)])
            self.assertEqual(found, self.members[0])
            found = self.Member.search([*self.domain, ("points", "!=", value)])
            self.assertEqual(set(found), set(self.members[1:]))

    def test_search_for_a_fraction_finds_nobody(self):
        self.assertFalse(self.Member.search([*self.domain, ("points", "=", 300.5)]))

    def test_search_within_and_beside_other_conditions(self):
        found = self.Member.search(
            [*self.domain, "|", ("points", ">", 250), "!", ("points", ">", -70)]
        )
        self.assertEqual(
            found.mapped("points"),
            self.Member.search(
                [*self.domain, "|", ("points", ">", 250), ("points", "<=", -70)]
            ).mapped("points"),
        )
        self.assertEqual(len(found), 3)

    def test_filtered_in_memory_agrees_with_the_database(self):
        for domain in ([("points", ">", 0)], [("points", "=", 300)]):
            self.assertEqual(
                set(self.members.filtered_domain(domain)),
                set(self.Member.search([*self.domain, *domain])),
            )

    def test_sorted_by_the_database(self):
        for _time in range(2):
            found = self.Member.search(self.domain, order="points, id")
            self.assertEqual(found.mapped("points"), [-70, 0, 30, 200, 300, 300])
            found = self.Member.search(self.domain, order="points DESC, id", limit=2)
            self.assertEqual(found.mapped("points"), [300, 300])
            self._settle_all()

    def test_summed_by_the_database(self):
        for _time in range(2):
            rows = self.Member._read_group(
                self.domain, [], ["points:sum", "points:min", "points:max"]
            )
            self.assertEqual(rows, [(760, -70, 300)])
            self._settle_all()

    def test_summed_by_group_as_a_list_does(self):
        group = self.Member.formatted_read_group(
            self.domain, ["program_id"], ["points:sum", "points:avg", "__count"]
        )
        self.assertEqual(group[0]["points:sum"], 760)
        self.assertAlmostEqual(group[0]["points:avg"], 760 / 6)

    def test_balance_reads_the_same_for_every_reader(self):
        advisor = self._create_user("advisor", USER)
        for member, points in self.expected.items():
            self.assertEqual(member.with_user(advisor).points, points)
        found = self.Member.with_user(advisor).search(
            [*self.domain, ("points", ">", 0)], order="points"
        )
        self.assertEqual(found.mapped("points"), [30, 200, 300, 300])

    def test_unsettled_points_are_added_in_any_mixture(self):
        member = self.members[3]
        for round_ in range(1, 4):
            self._invoice(member.partner_id, [(self.labour, 1, 10)])
            self.assertEqual(member.points, 300 + 10 * round_ - 5 * (round_ - 1))
            self._post(-5, member, kind="redeem")
            self.assertSound(member)
        self.assertEqual(
            self.Member.search([*self.domain, ("points", "=", 315)]), member
        )

    def test_expired_points_leave_the_lists_with_the_job(self):
        member = self.members[0]
        self._post(10, member, expiry=TODAY - timedelta(days=1))
        self.assertEqual(
            self.Member.search([*self.domain, ("points", "=", 10)]), member
        )
        self._run_job("ir_cron_expire", "2024-02-01")
        self.assertFalse(self.Member.search([*self.domain, ("points", "=", 10)]))
