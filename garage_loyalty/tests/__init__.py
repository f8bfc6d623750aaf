from . import test_credit_notes, test_earning, test_redeeming, test_visits
