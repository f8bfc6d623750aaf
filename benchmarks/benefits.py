"""What members of a large base were given: about one benefit for every six visits.

Standing discounts, points as money, rewards, special and personal offers, free
services, and bonuses, over all the visits that ``reports.py`` makes. All of it stands
where the add-on and the host would have written it: on a quotation of the repair order,
on its invoice, in the log, in the ledger and in its lots. Balances, and what the
invoices come to, stay as they are.
"""

import scale

from odoo.fields import Command
from odoo.tools import SQL

# Of a hundred visits of members, how many each one is used on.
SHARES = {
    "discount": 15,
    "money": 8,
    "reward": 6,
    "service": 3,
    "personal": 2,
    "offer": 1,
    "priority": 1,
}
SPENT = SQL("('money', 'reward', 'personal')")
REDEEMED = SQL("('money', 'reward', 'personal', 'offer')")


def fill(env):
    """Give the members of the scale customers what they were given in 72 months."""
    ids = create_catalogue(env)
    env.flush_all()
    for statement in (
        get_uses(ids),
        SQL("ANALYZE benefit_given"),
        get_orders(),
        get_redemptions(),
        get_order_lines(ids),
        get_free_lines(ids),
        get_repairs(),
        get_invoices(),
        get_billed(),
        get_added(ids),
        get_rel(),
        get_log(ids),
        get_offers(),
        get_ledger(),
        get_joining(),
        get_birthdays(),
        SQL("DROP TABLE benefit_given"),
    ):
        env.cr.execute(statement)
    env.invalidate_all()


def create_catalogue(env):
    """Create what can be given, and return the ids of it."""
    program = env["garage.loyalty.program"]._get_default(env.company)
    product = env["product.product"].create({"name": "Safety check", "type": "service"})
    names = [f"{percent} % off labour" for percent in range(5, 45, 5)]
    rewards, personal, offers = (
        env["garage.loyalty.reward"].create(
            [
                {
                    "name": name,
                    "program_id": program.id,
                    "kind": "amount",
                    "amount": 10,
                    "points": points,
                    "is_personal": is_personal,
                }
                for name in kind
            ]
        )
        for kind, points, is_personal in (
            (names, 40, False),
            (["Tyres are stored", "Oil change"], 20, True),
            (["Day of the club"], 0, False),
        )
    )
    service, priority, club = env["garage.loyalty.privilege"].create(
        [
            {
                "name": "Safety check",
                "program_id": program.id,
                "kind": "free_service",
                "product_ids": [Command.set(product.ids)],
            },
            {"name": "Priority", "program_id": program.id, "kind": "priority"},
            {
                "name": "Club",
                "program_id": program.id,
                "kind": "offer",
                "reward_ids": [Command.set(offers.ids)],
            },
        ]
    )
    return {
        "reward": rewards.ids,
        "personal": personal.ids,
        "offer": offers.ids,
        "service": service.id,
        "priority": priority.id,
        "club": club.id,
        "product": product.id,
        "uom": product.uom_id.id,
    }


def get_uses(ids):
    """Return the statement that chooses the visits, and what is used on them.

    A number for every document that is made of them, too. Of the lines of an invoice,
    the first one was quoted.
    """
    end, kinds = 0, []
    for kind, share in SHARES.items():
        end += share
        kinds.append(SQL("WHEN dice < %s THEN %s", end, kind))
    return SQL(
        """
        CREATE TEMP TABLE benefit_given AS
        SELECT chosen.*, 10 + visit_id %% 21 AS cost,
               CASE kind WHEN 'money' THEN 20 + visit_id %% 61
                    WHEN 'reward' THEN 40 WHEN 'personal' THEN 20 ELSE 0 END AS points,
               CASE kind WHEN 'reward' THEN (%(reward)s::int[])[1 + visit_id %% 8]
                    WHEN 'personal' THEN (%(personal)s::int[])[1 + visit_id %% 2]
                    WHEN 'offer' THEN (%(offer)s::int[])[1] END AS reward_id,
               CASE kind WHEN 'service' THEN %(service)s
                    WHEN 'priority' THEN %(priority)s
                    WHEN 'offer' THEN %(club)s END AS privilege_id,
               nextval('sale_order_id_seq') AS order_id,
               nextval('sale_order_line_id_seq') AS order_line_id,
               nextval('sale_order_line_id_seq') AS added_order_line_id,
               nextval('account_move_line_id_seq') AS added_line_id,
               CASE WHEN kind IN %(redeemed)s
                    THEN nextval('garage_loyalty_redemption_id_seq') END
                    AS redemption_id
          FROM (SELECT visit.id AS visit_id, visit.repair_id, visit.partner_id,
                       visit.member_id, visit.company_id, visit.tier_id, visit.date,
                       member.program_id, move.id AS move_id, move.currency_id,
                       line.price_subtotal AS amount, line.id AS line_id,
                       line.product_id, line.product_uom_id,
                       CASE %(kinds)s END AS kind
                  FROM (SELECT *, id::bigint * 7919 %% 100 AS dice
                          FROM garage_loyalty_visit) visit
                  JOIN repair_order repair ON repair.id = visit.repair_id
                  JOIN account_move move
                    -- Not by the index of the search box, which is slow for this.
                    ON move.name || '' = replace(repair.name, 'Scale/', 'S/')
                  JOIN LATERAL (
                        SELECT id, product_id, product_uom_id, price_subtotal
                          FROM account_move_line WHERE move_id = move.id
                         ORDER BY id LIMIT 1) line ON TRUE
                  JOIN garage_loyalty_member member ON member.id = visit.member_id
                 WHERE visit.is_member AND dice < %(end)s
                   AND repair.name LIKE 'Scale/%%') chosen
        """,
        kinds=SQL(" ").join(kinds),
        end=end,
        redeemed=REDEEMED,
        **{
            name: ids[name]
            for name in ("reward", "personal", "offer", "service", "priority", "club")
        },
    )


def get_orders():
    """Return the statement that makes the quotation of each repair order."""
    return SQL(
        """
        INSERT INTO sale_order (id, name, company_id, currency_id, partner_id,
               partner_invoice_id, partner_shipping_id, date_order, state,
               picking_policy, invoice_status, user_id, currency_rate, amount_untaxed,
               amount_tax, amount_total)
        SELECT order_id, 'Q/' || order_id, company_id, currency_id, partner_id,
               partner_id, partner_id, date, 'sale', 'direct', 'invoiced', 1, 1, amount,
               0, amount
          FROM benefit_given
        """
    )


def get_redemptions():
    return SQL(
        """
        INSERT INTO garage_loyalty_redemption (id, member_id, company_id, order_id,
               currency_id, reward_id, points, points_spent, amount, cost, source_name,
               state, user_id, create_uid, create_date)
        SELECT redemption_id, member_id, company_id, order_id, currency_id, reward_id,
               points, points, cost, cost, 'Q/' || order_id, 'done', 1, 1, date
          FROM benefit_given WHERE redemption_id IS NOT NULL
        """
    )


def get_order_lines(ids):
    """Return the statement that makes the line of the work.

    A tenth is taken off it; what was redeemed is on top of it.
    """
    return SQL(
        """
        INSERT INTO sale_order_line (id, order_id, company_id, currency_id,
               order_partner_id, salesman_id, name, product_id, product_uom_id,
               product_uom_qty, customer_lead, state, price_unit, discount,
               loyalty_discount, loyalty_discount_tier_id, price_subtotal, price_total,
               price_tax)
        SELECT order_line_id, order_id, company_id, currency_id, partner_id, 1,
               'Labour', product_id, product_uom_id, 1, 0, 'sale', work.price,
               CASE kind WHEN 'discount' THEN 10 ELSE 0 END,
               CASE kind WHEN 'discount' THEN 10 ELSE 0 END,
               CASE kind WHEN 'discount' THEN tier_id END, work.net, work.net, 0
          FROM benefit_given, LATERAL (SELECT %(price)s AS price, %(net)s AS net) work
         UNION ALL
        SELECT added_order_line_id, order_id, company_id, currency_id, partner_id, 1,
               'Redeemed', %(product)s, %(uom)s, 1, 0, 'sale', -cost, 0, 0, NULL, -cost,
               -cost, 0
          FROM benefit_given WHERE redemption_id IS NOT NULL
        """,
        price=get_price(),
        net=get_net(),
        product=ids["product"],
        uom=ids["uom"],
    )


def get_net():
    """Return the SQL of what the work comes to, next to what was redeemed."""
    return SQL("amount + CASE WHEN redemption_id IS NULL THEN 0 ELSE cost END")


def get_price():
    """Return the SQL of the price of the work."""
    return SQL(
        "CASE kind WHEN 'discount' THEN round(amount / 0.9, 2) ELSE %s END", get_net()
    )


def get_free_lines(ids):
    """Return the statement that makes the lines of free services."""
    return SQL(
        """
        INSERT INTO sale_order_line (id, order_id, company_id, currency_id,
               order_partner_id, salesman_id, name, product_id, product_uom_id,
               product_uom_qty, customer_lead, state, price_unit, discount,
               loyalty_privilege_id, price_subtotal, price_total, price_tax)
        SELECT added_order_line_id, order_id, company_id, currency_id, partner_id, 1,
               'Safety check', %s, %s, 1, 0, 'sale', cost, 100, privilege_id, 0, 0, 0
          FROM benefit_given WHERE kind = 'service'
        """,
        ids["product"],
        ids["uom"],
    )


def get_repairs():
    return SQL(
        """
        UPDATE repair_order SET sale_order_id = given.order_id
          FROM benefit_given given WHERE given.repair_id = repair_order.id
        """
    )


def get_invoices():
    return SQL(
        """
        UPDATE account_move
           SET loyalty_member_id = given.member_id, loyalty_tier_id = given.tier_id,
               invoice_user_id = 1
          FROM benefit_given given WHERE given.move_id = account_move.id
        """
    )


def get_billed():
    """Return the statement that bills the work as it was quoted."""
    return SQL(
        """
        UPDATE account_move_line
           SET price_unit = work.price, price_subtotal = work.net,
               price_total = work.net, credit = work.net, balance = -work.net,
               amount_currency = -work.net,
               discount = CASE given.kind WHEN 'discount' THEN 10 ELSE 0 END
          FROM benefit_given given, LATERAL (
                SELECT %s AS price, %s AS net FROM (SELECT given.*) given) work
         WHERE given.line_id = account_move_line.id
        """,
        get_price(),
        get_net(),
    )


def get_added(ids):
    """Return the statement that bills what was redeemed, and what was free."""
    return SQL(
        """
        INSERT INTO account_move_line (id, move_id, journal_id, company_id, currency_id,
               company_currency_id, display_type, account_id, partner_id, product_id,
               product_uom_id, quantity, discount, price_unit, price_subtotal,
               price_total, debit, credit, balance, amount_currency, parent_state, date,
               loyalty_redemption_id)
        SELECT given.added_line_id, line.move_id, line.journal_id, line.company_id,
               line.currency_id, line.company_currency_id, 'product', line.account_id,
               line.partner_id, %s, %s, 1,
               CASE WHEN given.redemption_id IS NULL THEN 100 ELSE 0 END,
               CASE WHEN given.redemption_id IS NULL THEN given.cost
                    ELSE -given.cost END,
               -taken, -taken, taken, 0, taken, taken, 'posted', line.date,
               given.redemption_id
          FROM benefit_given given
          JOIN account_move_line line ON line.id = given.line_id
         CROSS JOIN LATERAL (SELECT CASE WHEN given.redemption_id IS NULL THEN 0
                                    ELSE given.cost END AS taken) money
         WHERE given.redemption_id IS NOT NULL OR given.kind = 'service'
        """,
        ids["product"],
        ids["uom"],
    )


def get_rel():
    return SQL(
        """
        INSERT INTO sale_order_line_invoice_rel (order_line_id, invoice_line_id)
        SELECT order_line_id, line_id FROM benefit_given
         UNION ALL
        SELECT added_order_line_id, added_line_id FROM benefit_given
         WHERE redemption_id IS NOT NULL OR kind = 'service'
        """
    )


def get_log(ids):
    """Return the statement that logs the uses of privileges.

    Of every sixth visit with a discount, too.
    """
    return SQL(
        """
        INSERT INTO garage_loyalty_privilege_use (member_id, company_id, tier_id,
               privilege_id, kind, date, year, number, order_id, order_line_id,
               repair_id, redemption_id, source_name, value, state, user_id, create_uid,
               create_date)
        SELECT member_id, given.company_id, tier_id, privilege.id, privilege.kind, date,
               extract(year FROM date), 0,
               CASE WHEN privilege.kind <> 'priority' THEN order_id END,
               CASE WHEN privilege.kind = 'free_service' THEN added_order_line_id END,
               CASE WHEN privilege.kind <> 'offer' THEN repair_id END, redemption_id,
               'Q/' || order_id,
               CASE WHEN privilege.kind <> 'priority' THEN cost ELSE 0 END,
               'used', 1, 1, date
          FROM benefit_given given
          JOIN garage_loyalty_privilege privilege
            ON privilege.id = CASE WHEN given.kind = 'discount' AND visit_id %% 6 = 0
                                   THEN %s ELSE privilege_id END
        """,
        ids["priority"],
    )


def get_offers():
    """Return the statement that makes the personal offers that were used."""
    return SQL(
        """
        INSERT INTO garage_loyalty_personal_offer (partner_id, company_id, reward_id,
               redemption_id, user_id, source, date, date_until, used_date, used_count,
               used_share, cost, active, is_declined, is_latest)
        SELECT partner_id, company_id, reward_id, redemption_id, 1, 'manual', date - 30,
               date + 30, date, 1, 1, cost, TRUE, FALSE,
               row_number() OVER (PARTITION BY partner_id, company_id, reward_id
                                      ORDER BY date DESC, visit_id) = 1
          FROM benefit_given WHERE kind = 'personal'
        """
    )


def get_ledger():
    """Return the statement that gives the points, and lets them be spent."""
    return SQL(
        """
        WITH given AS (
            INSERT INTO garage_loyalty_entry (%(names)s)
            SELECT member_id, program_id, company_id, date - 30, 'earn', points,
                   'Invoice paid', 1, 'scale.spent', redemption_id, %(spent)s
            RETURNING id, member_id, date, points, source_id
        ), taken AS (
            INSERT INTO garage_loyalty_entry (%(names)s)
            SELECT member_id, program_id, company_id, date, 'redeem', -points,
                   'Paid with points', 1, 'garage.loyalty.redemption', redemption_id,
                   %(spent)s
            RETURNING id, source_id
        ), lot AS (
            INSERT INTO garage_loyalty_lot (entry_id, member_id, date, points,
                   remaining, date_available, date_expiry, is_bonus, is_settled)
            SELECT id, member_id, date, points, 0, date,
                   (date + interval '24 months')::date, FALSE, TRUE
              FROM given
            RETURNING id, entry_id, points
        )
        INSERT INTO garage_loyalty_allocation (entry_id, lot_id, points)
        SELECT taken.id, lot.id, lot.points
          FROM lot JOIN given ON given.id = lot.entry_id JOIN taken USING (source_id)
        """,
        names=scale.ENTRY,
        spent=SQL(
            "1, 'Q/' || order_id, 1, now() FROM benefit_given WHERE kind IN %s", SPENT
        ),
    )


def get_joining():
    """Return the statement that gives every other member a bonus for joining."""
    return get_bonuses(
        SQL("'signup'"), SQL("date_joined"), SQL("member.id %% 2 = 0"), SQL("")
    )


def get_birthdays():
    """Return the statement that gives every fourth member a bonus each year."""
    years = SQL(
        "CROSS JOIN generate_series(extract(year FROM date_joined)::int + 1, "
        "extract(year FROM current_date)::int - 1) AS year"
    )
    day = SQL("make_date(year, 1 + member.id %% 12, 1 + member.id %% 28)")
    recent = SQL("member.id %% 4 = 1 AND year > extract(year FROM current_date) - 7")
    return get_bonuses(SQL("'birthday'"), day, recent, years)


def get_bonuses(kind, day, condition, also):
    """Return the statement that gives bonuses, and the points, which were spent."""
    return SQL(
        """
        WITH bonus AS (
            INSERT INTO garage_loyalty_bonus (member_id, kind, date, year, points)
            SELECT member.id, %(kind)s, %(day)s, extract(year FROM %(day)s), 25
              FROM garage_loyalty_member member %(also)s
             WHERE number LIKE 'S%%' AND %(condition)s
            RETURNING id, member_id, date, points
        ), given AS (
            INSERT INTO garage_loyalty_entry (member_id, program_id, company_id, date,
                   kind, points, reason, user_id, source_model, source_id, source_seq,
                   create_uid, create_date)
            SELECT member.id, member.program_id, member.company_id, bonus.date,
                   'adjust', bonus.points, 'Bonus', 1, 'garage.loyalty.bonus', bonus.id,
                   1, 1, now()
              FROM bonus JOIN garage_loyalty_member member ON member.id = member_id
            RETURNING id, member_id, program_id, company_id, date, points
        ), expired AS (
            INSERT INTO garage_loyalty_entry (member_id, program_id, company_id, date,
                   kind, points, reason, user_id, source_model, source_id, source_seq,
                   create_uid, create_date)
            SELECT member_id, program_id, company_id, date + 60, 'expire', -points,
                   'Expired', 1, 'scale.expired', id, 1, 1, now() FROM given
            RETURNING id, source_id
        ), lot AS (
            INSERT INTO garage_loyalty_lot (entry_id, member_id, date, points,
                   remaining, date_available, date_expiry, is_bonus, is_settled)
            SELECT id, member_id, date, points, 0, date, date + 59, TRUE, TRUE
              FROM given
            RETURNING id, entry_id, points
        )
        INSERT INTO garage_loyalty_allocation (entry_id, lot_id, points)
        SELECT expired.id, lot.id, lot.points
          FROM expired JOIN lot ON lot.entry_id = expired.source_id
        """,
        kind=kind,
        day=day,
        also=also,
        condition=condition,
    )
