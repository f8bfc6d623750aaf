# The query comes first: the candidates inherit from it.
from . import garage_loyalty_candidate_query

# isort: split

from . import (
    garage_loyalty_candidate,
    garage_loyalty_tier_move,
    garage_loyalty_visit_report,
)
