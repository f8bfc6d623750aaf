def migrate(cr, version):
    """Make room for lots: number the entries of each document."""
    cr.execute("DROP FUNCTION IF EXISTS garage_loyalty_entry_append_only() CASCADE")
    cr.execute("ALTER TABLE garage_loyalty_member RENAME points TO settled_points")
    cr.execute("ALTER TABLE garage_loyalty_entry ADD COLUMN source_seq integer")
    cr.execute(
        """
        UPDATE garage_loyalty_entry
           SET source_model = 'garage.loyalty.member', source_id = member_id
         WHERE source_model IS NULL OR source_id IS NULL
        """
    )
    # Names of customers do not belong into a ledger that is kept for good.
    cr.execute(
        """
        UPDATE garage_loyalty_entry entry
           SET source_name = member.number
          FROM garage_loyalty_member member
         WHERE entry.source_model = 'garage.loyalty.member'
           AND member.id = entry.source_id
        """
    )
    cr.execute(
        """
        UPDATE garage_loyalty_entry
           SET source_seq = numbered.seq
          FROM (SELECT id, row_number() OVER (
                           PARTITION BY source_model, source_id ORDER BY id) AS seq
                  FROM garage_loyalty_entry) numbered
         WHERE garage_loyalty_entry.id = numbered.id
        """
    )
