from . import garage_loyalty_tier_move, garage_loyalty_visit_report
