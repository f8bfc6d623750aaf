from . import checks, lots, points, redeem, rewards, rows, rules, text
