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
