# The queries come first: the reports inherit from them.
from . import garage_loyalty_candidate_query
from . import garage_loyalty_cohort_query
from . import garage_loyalty_movement_query

# isort: split

from . import (
    garage_loyalty_candidate,
    garage_loyalty_cohort,
    garage_loyalty_movement,
    garage_loyalty_tier_move,
    garage_loyalty_visit_report,
)
