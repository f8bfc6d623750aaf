"""What ``concurrency.py`` proves, one proof a file."""

SPENT = 1000  # points; the balance of every round is exactly this
