"""Turns visits of the plan into repair orders, quotations and invoices."""

from datetime import datetime, time, timedelta

from odoo.fields import Command
from odoo.tools import SQL, groupby


class Desk:
    """Writes the documents of a batch of visits the way the screens do."""

    def __init__(self, premises, start):
        self.premises = premises
        self.env = premises.env
        self.start = start

    # Repair orders and their quotations

    def open_repairs(self, visits):
        """New repair orders with their parts.

        Today's are opened by their advisors, who thereby let members go first.
        """
        repairs = self.env["repair.order"]
        # The host finds none for users without a warehouse of their own.
        kind = repairs.default_get(["picking_type_id"])
        vals_list = [{**kind, **self._repair_vals(visit)} for visit in visits]
        users = [self._opened_by(visit) for visit in visits]
        opened = {}
        for user, places in groupby(range(len(visits)), users.__getitem__):
            some = repairs.with_user(user).create([vals_list[at] for at in places])
            opened.update(zip(places, some.with_env(self.env), strict=True))
        return repairs.concat(*(opened[at] for at in range(len(visits))))

    def _opened_by(self, visit):
        return self.premises.user(visit.advisor) if visit.is_present else self.env.user

    def quote(self, visits, repairs):
        """A quotation each: the parts of the repair order, then the labour."""
        orders = self.env["sale.order"].create(
            [
                self._order_vals(visit, repair)
                for visit, repair in zip(visits, repairs, strict=True)
            ]
        )
        # What the button *Create Quotation* does; it takes one customer at a time.
        repairs.move_ids._create_repair_sale_order_line()
        self.env["sale.order.line"].create(
            [
                self._labour_vals(visit, line, order)
                for visit, order in zip(visits, orders, strict=True)
                for line in visit.lines
                if not line.is_part
            ]
        )
        return orders

    def finish(self, visits):
        """Repair orders from the first call to *End Repair*, on the days planned."""
        repairs = self.open_repairs(visits)
        orders = self.quote(visits, repairs)
        orders.action_confirm()
        repairs._action_repair_confirm()
        repairs.action_repair_start()
        for move in repairs.move_ids:
            move.quantity = move.product_uom_qty
        repairs.action_repair_end()
        for visit, order in zip(visits, orders, strict=True):
            order.date_order = started_at(visit)
        self._backdate(visits, repairs)
        return repairs, orders

    def _backdate(self, visits, repairs):
        """*End Repair* says now, for the repair order and for the parts it took.

        In one statement, before anything is invoiced: a write would look for the
        visit of each repair order, and nothing else depends on these dates.
        """
        if not repairs:
            return
        self.env.flush_all()
        days = SQL(", ").join(
            SQL("(%s, %s::timestamp)", repair.id, finished_at(visit))
            for visit, repair in zip(visits, repairs, strict=True)
        )
        self.env.cr.execute(
            SQL(
                """
                WITH done (id, date) AS (VALUES %s),
                repair AS (UPDATE repair_order r SET date_done = done.date
                             FROM done WHERE r.id = done.id),
                part AS (UPDATE stock_move m SET date = done.date
                           FROM done WHERE m.repair_id = done.id)
                UPDATE stock_move_line l SET date = done.date
                  FROM done JOIN stock_move m ON m.repair_id = done.id
                 WHERE l.move_id = m.id
                """,
                days,
            )
        )
        self.env.invalidate_all()

    def _repair_vals(self, visit):
        return {
            "partner_id": self.premises.partner(visit).id,
            "user_id": self.premises.user(visit.advisor).id,
            "schedule_date": started_at(visit),
            "internal_notes": self._notes(visit),
            "under_warranty": visit.warranty,
            "loyalty_offer": visit.offer,
            "tag_ids": [
                Command.set([self.premises.tags[job.name].id for job in visit.jobs])
            ],
            "move_ids": [
                Command.create(self._part_vals(line))
                for line in visit.lines
                if line.is_part
            ],
        }

    def _notes(self, visit):
        notes = [f"Plate: {visit.vehicle.note((visit.day - self.start).days)}"]
        notes += [job.note for job in visit.jobs if job.note]
        return "".join(f"<p>{note}</p>" for note in notes)

    def _part_vals(self, line):
        product = self.premises.products[line.code]
        return {
            "product_id": product.id,
            "product_uom": product.uom_id.id,
            "product_uom_qty": line.quantity,
            "repair_line_type": "add",
        }

    def _order_vals(self, visit, repair):
        return {
            "partner_id": repair.partner_id.id,
            "user_id": repair.user_id.id,
            "warehouse_id": repair.picking_type_id.warehouse_id.id,
            "pricelist_id": False,
            "repair_order_ids": [Command.link(repair.id)],
            "origin": repair.name,
            "date_order": started_at(visit),
        }

    def _labour_vals(self, visit, line, order):
        product = self.premises.products[line.code]
        vals = {
            "order_id": order.id,
            "product_id": product.id,
            "product_uom_qty": line.quantity,
        }
        if line.text:
            vals["name"] = f"{product.display_name}\n{line.text}"
        if visit.warranty:
            vals["price_unit"] = 0.0
        return vals

    # Invoices

    def invoice(self, visits, orders):
        """A draft invoice per visit, dated the day the car was ready."""
        invoices = orders._create_invoices(grouped=True)
        by_order = {
            invoice.line_ids.sale_line_ids.order_id: invoice for invoice in invoices
        }
        invoices = self.env["account.move"].union(*(by_order[o] for o in orders))
        self._date(visits, invoices)
        return invoices

    def sell(self, visits):
        """Draft invoices for what was only bought over the counter."""
        invoices = self.env["account.move"].create(
            [self._sale_vals(visit) for visit in visits]
        )
        self._date(visits, invoices)
        return invoices

    def _sale_vals(self, visit):
        lines = [
            Command.create(
                {
                    "product_id": self.premises.products[line.code].id,
                    "quantity": line.quantity,
                }
            )
            for line in visit.lines
        ]
        return {
            "move_type": "out_invoice",
            "partner_id": self.premises.partner(visit).id,
            "invoice_user_id": self.premises.user(visit.advisor).id,
            "invoice_line_ids": lines,
        }

    def _date(self, visits, invoices):
        by_day = {}
        for visit, invoice in zip(visits, invoices, strict=True):
            by_day.setdefault(visit.done, []).append(invoice.id)
        for day, ids in by_day.items():
            dated = self.env["account.move"].browse(ids)
            dated.invoice_date = day
            at_once = dated.filtered(lambda move: not move.invoice_payment_term_id)
            at_once.invoice_date_due = day


def started_at(visit):
    """The hours are UTC and in the middle of the day: the same date in all Europe."""
    return datetime.combine(visit.day, time(visit.hour, 15 * (visit.advisor + 1)))


def finished_at(visit):
    if visit.done > visit.day:
        return datetime.combine(visit.done, time(9, 30))
    return started_at(visit) + timedelta(hours=2, minutes=5 * len(visit.lines))
