from . import (
    test_credit_notes,
    test_demo_plan,
    test_earning,
    test_ledger,
    test_members,
    test_redeeming,
    test_report,
    test_security,
    test_settings,
    test_tools,
    test_views,
    test_visits,
)
