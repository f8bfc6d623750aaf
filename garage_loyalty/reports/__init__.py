# The queries come first: the reports inherit from them.
from . import garage_loyalty_candidate_query
from . import garage_loyalty_cohort_query
from . import garage_loyalty_earning_cohort_query
from . import garage_loyalty_enrolment_query
from . import garage_loyalty_frequency_query
from . import garage_loyalty_liability_lot_query
from . import garage_loyalty_liability_query
from . import garage_loyalty_movement_query
from . import garage_loyalty_reward_use_query
from . import garage_loyalty_roll_forward_query
from . import garage_loyalty_roll_forward_tier_query
from . import garage_loyalty_visit_report_query

# isort: split

from . import (
    garage_loyalty_candidate,
    garage_loyalty_cohort,
    garage_loyalty_earning_cohort,
    garage_loyalty_first_redemption,
    garage_loyalty_enrolment,
    garage_loyalty_frequency,
    garage_loyalty_liability,
    garage_loyalty_movement,
    garage_loyalty_reward_use,
    garage_loyalty_roll_forward,
    garage_loyalty_roll_forward_tier,
    garage_loyalty_tier_move,
    garage_loyalty_use,
    garage_loyalty_visit_report,
)
