# Mixins come first: the dialogs below inherit from them.
from . import garage_loyalty_enrol_check_mixin
from . import garage_loyalty_offer_mixin

# isort: split

from . import (
    base_partner_merge,
    garage_loyalty_enrol,
    garage_loyalty_enrol_many,
    garage_loyalty_enrol_many_line,
    garage_loyalty_liability_date,
    garage_loyalty_redeem,
    garage_loyalty_roll_forward_period,
    garage_loyalty_setup,
    garage_loyalty_statement,
    garage_loyalty_status_change,
)
