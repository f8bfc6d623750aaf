import random
from datetime import date

from odoo.tests import freeze_time, tagged
from odoo.tools import SQL, mute_logger

from .common import MANAGER, GarageLoyaltyCommon

ENTRY, LOT, ALLOCATION, MEMBER = (
    f"garage_loyalty_{name}" for name in ("entry", "lot", "allocation", "member")
)
CHECK = "odoo.addons.garage_loyalty.models.garage_loyalty_ledger_check"
TODAY = date(2024, 2, 1)
TAMPERINGS = 100


class LedgerCheckCommon(GarageLoyaltyCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.program.write(
            {
                "earn_trigger": "posted",
                "point_value": 0.1,
                "minimum_redemption": 1,
                "labour_cap": 100,
            }
        )
        cls.Check = cls.env["garage.loyalty.ledger.check"].sudo()
        cls.member, cls.twin = cls._enrol(cls.customer), cls._enrol(cls.other)
        cls.members = cls.member | cls.twin
        for member in cls.members:
            cls._live(member)
        cls.env.flush_all()

    @classmethod
    def _post(cls, member, points, kind="adjust", **options):
        return member._post_points(kind, points, TODAY, **options)

    @classmethod
    def _live(cls, member):
        """Give a member everything that a ledger can have."""
        cls._post(member, 100, expiry=date(2024, 3, 31), reason="Goodwill")
        cls._post(member, 200, expiry=date(2024, 12, 31))
        invoice = cls._invoice(member.partner_id, [(cls.labour, 1, 300)])
        cls._post(member, -150, kind="redeem", source=invoice)
        cls._post(member, 70, kind="restore", source=invoice, origin=invoice)
        cls._post(member, -600)
        cls._post(member, -20)
        cls._post(member, 50)
        cls._invoice(member.partner_id, [(cls.labour, 1, 40)])
        cls._post(member, 500)
        cls._invoice(member.partner_id, [(cls.labour, 1, 7)])

    def _tamper(self, table, query, *args):
        """Change a table behind the back of the application.

        :param query: with the table as its first placeholder
        """
        self.env.flush_all()
        name = SQL.identifier(table)
        around = (
            SQL("ALTER TABLE %s DISABLE TRIGGER USER", name),
            SQL("ALTER TABLE %s ENABLE TRIGGER USER", name),
        )
        if self._is_superuser():
            around = (
                SQL("SET LOCAL session_replication_role = replica"),
                SQL("SET LOCAL session_replication_role = DEFAULT"),
            )
        self.env.cr.execute(around[0])
        self.env.cr.execute(SQL(query, name, *args))
        self.env.cr.execute(around[1])
        self.env.invalidate_all(flush=False)

    def _is_superuser(self):
        return self.env.execute_query(
            SQL("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        )[0][0]

    def _set(self, table, row_id, column, value):
        name = SQL.identifier(column)
        self._tamper(table, "UPDATE %s SET %s = %s WHERE id = %s", name, value, row_id)

    def _named(self, members=None):
        return {
            row["row_name"]
            for row in self.Check._find_differences(members or self.members)
        }

    def _assertNamed(self, table, row_id):
        named = self._named()
        self.assertTrue(
            any(f"{table} {row_id}" in name for name in named), (table, row_id, named)
        )

    def _ids(self, table):
        column = {MEMBER: "id", ALLOCATION: "lot_id"}.get(table, "member_id")
        ids = self.members.ids
        if table == ALLOCATION:
            ids = self.env[LOT.replace("_", ".")].search([("member_id", "in", ids)]).ids
        query = SQL(
            "SELECT id FROM %s WHERE %s = ANY(%s) ORDER BY id",
            SQL.identifier(table),
            SQL.identifier(column),
            ids,
        )
        ids = [row[0] for row in self.env.execute_query(query)]
        self.assertTrue(ids, table)
        return ids


@tagged("post_install", "-at_install")
@freeze_time("2024-02-01")
class TestLedgerCheck(LedgerCheckCommon):
    def test_clean_ledger_gives_no_difference(self):
        self.assertSound(self.members)
        self._run_job("ir_cron_expire", "2024-04-01")
        self.assertSound(self.members)
        self.assertFalse(self.Check._find_strays())

    def test_every_column_of_an_entry(self):
        other = self._create_user("somebody")
        values = {
            "member_id": self.twin.id,
            "program_id": self.program.copy().id,
            "company_id": self.env["res.company"].sudo().create({"name": "X"}).id,
            "date": "2024-02-02",
            "kind": "opening",
            "points": 101,
            "reason": "Another reason",
            "user_id": other.id,
            "source_model": "res.partner",
            "source_id": 4711,
            "source_seq": 99,
            "source_name": "Another name",
            "create_uid": other.id,
            "create_date": "2020-01-01",
            "checksum": b"x",
        }
        entry_ids = self._ids(ENTRY)
        for column, value in values.items():
            for entry_id in entry_ids[:1] + entry_ids[3:4]:
                with self.subTest(column=column), self.env.cr.savepoint() as point:
                    self._set(ENTRY, entry_id, column, value)
                    self._assertNamed(ENTRY, entry_id)
                    point.rollback()

    def test_every_column_of_an_entry_set_to_nothing(self):
        for column in ("reason", "source_name", "checksum"):
            with self.subTest(column=column), self.env.cr.savepoint() as point:
                self._set(ENTRY, self._ids(ENTRY)[0], column, None)
                self._assertNamed(ENTRY, self._ids(ENTRY)[0])
                point.rollback()

    def test_every_number_of_a_lot(self):
        lots = self.env["garage.loyalty.lot"].search(
            [("member_id", "=", self.member.id)]
        )
        self.assertEqual(len(lots), 7)
        for lot in lots.sorted("id"):
            negative = self.member.entry_ids.filtered(lambda row: row.points < 0)[:1]
            changes = [
                ("points", lot.points + 1),
                (
                    "remaining",
                    lot.remaining + (1 if lot.remaining < lot.points else -1),
                ),
                ("member_id", self.twin.id),
                ("entry_id", negative.id),
            ]
            for column, value in changes:
                with (
                    self.subTest(lot=lot.id, column=column),
                    self.env.cr.savepoint() as point,
                ):
                    self._set(LOT, lot.id, column, value)
                    self._assertNamed(LOT, lot.id)
                    point.rollback()

    def test_every_column_of_an_allocation(self):
        for row_id in self._ids(ALLOCATION):
            row = self.env["garage.loyalty.allocation"].browse(row_id)
            changes = [
                ("points", row.points + 1),
                ("checksum", b"x"),
                ("checksum", None),
            ]
            changes += [
                ("lot_id", lot_id)
                for lot_id in self._ids(LOT)
                if lot_id != row.lot_id.id
            ]
            changes += [
                ("entry_id", entry_id)
                for entry_id in self._ids(ENTRY)
                if entry_id != row.entry_id.id
            ]
            for column, value in changes:
                with (
                    self.subTest(row=row_id, column=column, value=value),
                    self.env.cr.savepoint() as point,
                ):
                    self._set(ALLOCATION, row_id, column, value)
                    self._assertNamed(ALLOCATION, row_id)
                    point.rollback()

    def test_stored_balance_and_debt(self):
        for column in ("settled_points", "debt"):
            for value in (1, 10**6):
                with self.subTest(column=column), self.env.cr.savepoint() as point:
                    self._set(MEMBER, self.member.id, column, value)
                    self.assertEqual(self._named(), {f"{MEMBER} {self.member.id}"})
                    point.rollback()

    def test_settled_flag(self):
        fresh = self._lots(self.member).filtered(lambda lot: not lot.is_settled)
        self.assertTrue(fresh)
        self._set(LOT, fresh[0].id, "is_settled", True)
        self.assertEqual(self._named(), {f"{MEMBER} {self.member.id}"})

    def test_deleted_rows(self):
        for table in (ENTRY, LOT, ALLOCATION):
            for row_id in self._ids(table):
                with (
                    self.subTest(table=table, row=row_id),
                    self.env.cr.savepoint() as point,
                ):
                    self._tamper(table, "DELETE FROM %s WHERE id = %s", row_id)
                    named = self._named()
                    self.assertTrue(named)
                    self.assertTrue(self._names_a_relative(table, row_id, named), named)
                    point.rollback()

    def _names_a_relative(self, table, row_id, named):
        """A row that is gone is named by those that belonged to it."""
        if table == ENTRY:
            return any(
                f"{ENTRY} {row_id})" in name or name.startswith(MEMBER)
                for name in named
            )
        return any(name.startswith((ENTRY, LOT)) for name in named)

    def test_deleted_member_leaves_rows_that_are_found(self):
        if not self._is_superuser():
            self.skipTest("needs a superuser of the database")
        self._tamper(MEMBER, "DELETE FROM %s WHERE id = %s", self.member.id)
        named = {row["row_name"] for row in self.Check._find_strays()}
        self.assertIn(f"{ENTRY} {self._ids(ENTRY)[0]}", named)
        with mute_logger(CHECK):
            self._run_job("ir_cron_check_ledger")
        self.assertIn(ENTRY, self._activities().note)

    def test_rows_moved_to_a_member_that_does_not_exist_are_found(self):
        if not self._is_superuser():
            self.skipTest("needs a superuser of the database")
        for table in (ENTRY, LOT):
            for row_id in self._ids(table):
                with (
                    self.subTest(table=table, row=row_id),
                    self.env.cr.savepoint() as point,
                ):
                    self._set(table, row_id, "member_id", 2**31 - 1)
                    differences = [
                        *self.Check._find_differences(self.members),
                        *self.Check._find_strays(),
                    ]
                    names = {row["row_name"] for row in differences}
                    self.assertIn(f"{table} {row_id}", names)
                    with mute_logger(CHECK):
                        self.Check._report_differences(differences)
                    point.rollback()

    def test_forged_entry(self):
        entry = self._get_row(ENTRY, self._ids(ENTRY)[0])
        for points in (1000, -1000):
            with self.subTest(points=points), self.env.cr.savepoint() as point:
                self._insert(ENTRY, entry | {"points": points, "source_seq": 99})
                self._assertNamed(ENTRY, self._ids(ENTRY)[-1])
                point.rollback()

    def test_forged_lot(self):
        lot = self._get_row(LOT, self._ids(LOT)[0])
        taking = self.member.entry_ids.filtered(lambda row: row.points < 0)[:1]
        self._insert(LOT, lot | {"entry_id": taking.id, "remaining": lot["points"]})
        self._assertNamed(LOT, self._ids(LOT)[-1])

    def test_forged_allocation(self):
        for row_id in self._ids(ALLOCATION):
            row = self._get_row(ALLOCATION, row_id)
            for checksum in (None, b"x", row["checksum"]):
                with self.subTest(row=row_id), self.env.cr.savepoint() as point:
                    self._insert(ALLOCATION, row | {"points": 5, "checksum": checksum})
                    self._assertNamed(ALLOCATION, self._ids(ALLOCATION)[-1])
                    point.rollback()

    def _get_row(self, table, row_id):
        query = SQL("SELECT * FROM %s WHERE id = %s", SQL.identifier(table), row_id)
        row = self.env.execute_query_dict(query)[0]
        return {name: value for name, value in row.items() if name != "id"}

    def _insert(self, table, row):
        names = SQL(", ").join(map(SQL.identifier, row))
        values = SQL(", ").join(SQL("%s", value) for value in row.values())
        self._tamper(table, "INSERT INTO %s (%s) VALUES (%s)", names, values)

    def test_entry_forged_with_a_lot_and_the_balance_still_has_no_checksum(self):
        entry = self._post(self.member, 1000)
        self._set(ENTRY, entry.id, "points", 2000)
        self._set(LOT, entry.lot_ids.id, "points", 2000)
        self._set(LOT, entry.lot_ids.id, "remaining", 2000)
        settled = self.member.settled_points + 1000
        self._set(MEMBER, self.member.id, "settled_points", settled)
        self.assertEqual(self._named(), {f"{ENTRY} {entry.id}"})

    def test_a_hundred_random_tamperings_are_found_and_named(self):
        chance = random.Random(20240201)
        found = 0
        for number in range(TAMPERINGS):
            with self.subTest(number=number), self.env.cr.savepoint() as point:
                table = chance.choice((ENTRY, LOT, ALLOCATION, MEMBER))
                row_id = chance.choice(self._ids(table))
                column, value = self._get_random_change(chance, table, row_id)
                self._set(table, row_id, column, value)
                self._assertNamed(table, row_id)
                found += 1
                point.rollback()
        self.assertEqual(found, TAMPERINGS)

    def _get_random_change(self, chance, table, row_id):
        columns = {
            ENTRY: ("points", "date", "kind", "reason", "member_id", "source_id"),
            LOT: ("points", "remaining", "member_id", "entry_id"),
            ALLOCATION: ("points", "lot_id", "entry_id"),
            MEMBER: ("settled_points", "debt"),
        }[table]
        column = chance.choice(columns)
        self.env.cr.execute(
            SQL(
                "SELECT %s FROM %s WHERE id = %s",
                SQL.identifier(column),
                SQL.identifier(table),
                row_id,
            )
        )
        before = self.env.cr.fetchone()[0]
        choices = self._get_choices(chance, table, column, row_id)
        return column, chance.choice([item for item in choices if item != before])

    def _get_choices(self, chance, table, column, row_id):
        if column == "entry_id" and table == LOT:
            taking = self.members.entry_ids.filtered(lambda row: row.points < 0)
            return taking.ids
        if column == "remaining":
            lot = self.env["garage.loyalty.lot"].browse(row_id)
            return range(lot.points + 1)
        if column == "points" and table == LOT:
            lot = self.env["garage.loyalty.lot"].browse(row_id)
            return [lot.remaining + chance.randrange(1000) for _time in range(9)]
        return {
            "points": [chance.randrange(1, 10**6) for _time in range(9)],
            "date": [date(2024, 1, day) for day in range(1, 29)],
            "kind": ["adjust", "earn", "opening", "transfer"],
            "reason": ["", "x", None, "Goodwill "],
            "member_id": self.members.ids,
            # Not of a document that has entries: the database refuses a second first.
            "source_id": range(10**9, 10**9 + 50),
            "lot_id": self._ids(LOT),
            "entry_id": self._ids(ENTRY),
            "settled_points": range(-500, 500),
            "debt": range(500),
        }[column]

    def test_button_says_that_everything_adds_up(self):
        action = self.program.action_check_ledger()
        self.assertEqual(action["params"]["type"], "success")

    def test_button_says_how_many_rows_do_not_add_up(self):
        self._set(MEMBER, self.member.id, "settled_points", 1)
        action = self.program.action_check_ledger()
        self.assertEqual(action["params"]["type"], "danger")
        self.assertIn("1 rows", action["params"]["message"])

    # -- telling the managers ---------------------------------------------------

    def _activities(self):
        return self.env["mail.activity"].search(
            [
                ("res_model", "=", "garage.loyalty.program"),
                ("res_id", "=", self.program.id),
                ("user_id", "=", self.env.uid),
            ]
        )

    def _check(self):
        with mute_logger(CHECK):
            self._run_job("ir_cron_check_ledger")

    def test_clean_ledger_is_not_reported(self):
        self._check()
        self.assertFalse(self._activities())

    def test_differences_are_reported_in_one_activity_and_logged(self):
        self._set(ENTRY, self._ids(ENTRY)[0], "reason", "x")
        self._set(MEMBER, self.twin.id, "debt", 999)
        with self.assertLogs(CHECK, "ERROR") as logs:
            self._run_job("ir_cron_check_ledger")
        self.assertEqual(len(logs.records), 2)
        activity = self._activities()
        self.assertEqual(len(activity), 1)
        self.assertIn(f"{ENTRY} {self._ids(ENTRY)[0]} ", activity.note)
        self.assertIn(f"{MEMBER} {self.twin.id} ", activity.note)
        self.assertIn(self.member.number, activity.note)

    def test_every_manager_of_the_company_is_told(self):
        manager = self._create_user("manager", MANAGER)
        self._set(MEMBER, self.twin.id, "debt", 999)
        self._check()
        users = self.program.activity_ids.user_id
        self.assertLessEqual(manager | self.env.user, users)
        self.assertEqual(len(self.program.activity_ids), len(users))

    def test_known_differences_are_not_reported_again_the_next_night(self):
        for row_id in self._ids(ENTRY)[:3]:
            self._set(ENTRY, row_id, "reason", "it's “x” & <y>")
        self._check()
        note = self._activities().note
        for _night in range(3):
            self._check()
            self.assertEqual(len(self._activities()), 1)
            self.assertEqual(self._activities().note, note)

    def test_new_differences_join_the_open_activity(self):
        first, second = self._ids(ENTRY)[:2]
        for row_id in (second, first):
            self._set(ENTRY, row_id, "reason", "x")
            self._check()
        note = self._activities().note
        self.assertEqual(len(self._activities()), 1)
        for row_id in (first, second):
            self.assertEqual(note.count(f"{ENTRY} {row_id} "), 1, note)

    def test_differences_that_are_still_there_once_done_are_reported_again(self):
        self._set(ENTRY, self._ids(ENTRY)[0], "reason", "x")
        self._check()
        self._activities().action_feedback()
        self._check()
        self.assertEqual(len(self._activities()), 1)

    def test_report_escapes_what_stands_in_the_database(self):
        html = "<img src=x onerror=alert(1)>"
        self._set(ENTRY, self._ids(ENTRY)[0], "source_name", html)
        self._set(MEMBER, self.member.id, "number", html)
        self._check()
        note = self._activities().note
        self.assertNotIn("<img", note)
        self.assertIn("&lt;img", note)

    def test_interrupted_check_goes_on_where_it_was(self):
        self._set(ENTRY, self._ids(ENTRY)[0], "reason", "x")
        self._set(MEMBER, self.twin.id, "debt", 999)
        cron = self.env.ref("garage_loyalty.ir_cron_check_ledger")
        with (
            self.enter_registry_test_mode(),
            self.registry.cursor() as cr,
            mute_logger(CHECK),
        ):
            env = self.env(cr=cr, su=True)
            progress = env["ir.cron.progress"].create({"cron_id": cron.id})
            job = env["garage.loyalty.ledger.check"].with_context(
                ir_cron_progress_id=progress.id, cron_id=cron.id, cron_end_time=0
            )
            nights = 0
            while not nights or progress.remaining:
                nights += 1
                job._cron_check_ledger(batch=1)
        self.env.invalidate_all()
        self.assertGreater(nights, 1)
        self.assertEqual(len(self._activities()), 1)
        for row in (f"{ENTRY} {self._ids(ENTRY)[0]} ", f"{MEMBER} {self.twin.id} "):
            self.assertEqual(self._activities().note.count(row), 1)
        place = self.env["ir.config_parameter"].sudo()
        self.assertEqual(int(place.get_param("garage_loyalty.ledger_check")), 0)

    def test_check_changes_no_row_of_the_ledger(self):
        def get_rows():
            self.env.flush_all()
            return [
                self.env.execute_query(
                    SQL("SELECT id, xmin FROM %s ORDER BY id", SQL.identifier(table))
                )
                for table in (ENTRY, LOT, ALLOCATION, MEMBER)
            ]

        before = get_rows()
        self._check()
        self.assertEqual(get_rows(), before)
