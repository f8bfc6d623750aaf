from . import (
    test_credit_notes,
    test_earning,
    test_members,
    test_redeeming,
    test_tools,
    test_visits,
)
