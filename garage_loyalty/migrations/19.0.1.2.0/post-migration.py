def migrate(cr, version):
    """Keep the tiers that were set by hand, as all were until now."""
    cr.execute(
        """
        UPDATE garage_loyalty_member member
           SET is_tier_fixed = TRUE
         WHERE tier_id IS NOT NULL AND tier_id <> (
                SELECT id FROM garage_loyalty_tier first
                 WHERE first.program_id = member.program_id AND first.active
                 ORDER BY sequence, id LIMIT 1)
        """
    )
    # Whoever runs a programme already has chosen one.
    cr.execute("UPDATE garage_loyalty_program SET date_set_up = create_date::date")
