from odoo import SUPERUSER_ID, api
from odoo.tools import SQL
from odoo.tools.convert import convert_file

from odoo.addons.garage_loyalty.tools.lots import take


def migrate(cr, version):
    """Explain every balance by lots, and put a checksum on every entry."""
    env = api.Environment(cr, SUPERUSER_ID, {})
    _put_checksums(cr)
    _make_lots(cr)
    for member_id, entries in _get_entries(cr):
        _allocate(env, member_id, entries)
    _date_statuses(cr)
    env.invalidate_all()
    # Branches can share a programme: the rules, which are not updated, say so.
    rules = "security/garage_loyalty_security.xml"
    convert_file(env, "garage_loyalty", rules, {}, mode="init", noupdate=True)


def _put_checksums(cr):
    cr.execute("ALTER TABLE garage_loyalty_entry DISABLE TRIGGER USER")
    cr.execute(
        "UPDATE garage_loyalty_entry entry "
        "SET checksum = garage_loyalty_checksum(entry)"
    )
    cr.execute("ALTER TABLE garage_loyalty_entry ENABLE TRIGGER USER")


def _make_lots(cr):
    cr.execute(
        """
        INSERT INTO garage_loyalty_lot (entry_id, member_id, date, points, remaining,
                                        date_available, is_bonus, is_settled)
        SELECT id, member_id, date, points, points, date, kind = 'adjust', TRUE
          FROM garage_loyalty_entry WHERE points > 0
        """
    )


def _get_entries(cr):
    """Return the entries of members that have spent points, the oldest first."""
    cr.execute(
        """
        SELECT entry.member_id, array_agg(
                   ARRAY[entry.id, entry.points, COALESCE(lot.id, 0)]
                   ORDER BY entry.id)
          FROM garage_loyalty_entry entry
          LEFT JOIN garage_loyalty_lot lot ON lot.entry_id = entry.id
         GROUP BY 1 HAVING min(entry.points) < 0
        """
    )
    return cr.fetchall()


def _allocate(env, member_id, entries):
    """Replay the entries: what was given first was spent first."""
    left, debts, parts = {}, {}, []
    for entry_id, points, lot_id in entries:
        if points > 0:
            left[lot_id] = points
        else:
            debts[entry_id] = -points
        for taker in list(debts):
            taken, debts[taker] = take(debts[taker], left.items())
            for lot, number in taken:
                left[lot] -= number
                parts.append((taker, lot, number))
            if not debts[taker]:
                del debts[taker]
    for taker, lot, number in parts:
        env.cr.execute(
            SQL(
                "INSERT INTO garage_loyalty_allocation "
                "(entry_id, lot_id, points) VALUES (%s, %s, %s)",
                taker,
                lot,
                number,
            )
        )
        env.cr.execute(
            SQL(
                "UPDATE garage_loyalty_lot SET remaining = remaining - %s "
                "WHERE id = %s",
                number,
                lot,
            )
        )
    env.cr.execute(
        SQL(
            "UPDATE garage_loyalty_member SET debt = %s WHERE id = %s",
            sum(debts.values()),
            member_id,
        )
    )


def _date_statuses(cr):
    cr.execute(
        """
        UPDATE garage_loyalty_member member SET status_date = latest.date
          FROM (SELECT DISTINCT ON (member_id) member_id, date, state, tier_id
                  FROM garage_loyalty_member_status
                 ORDER BY member_id, date DESC, id DESC) latest
         WHERE latest.member_id = member.id AND latest.state = member.state
           AND latest.tier_id IS NOT DISTINCT FROM member.tier_id
        """
    )
