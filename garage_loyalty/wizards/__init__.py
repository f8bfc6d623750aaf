from . import (
    garage_loyalty_adjust,
    garage_loyalty_enrol,
    garage_loyalty_redeem,
    garage_loyalty_status_change,
)
