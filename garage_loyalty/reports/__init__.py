from . import garage_loyalty_visit_report
