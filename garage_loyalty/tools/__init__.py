from . import checks, discounts, lots, points, redeem, rewards, rows, rules, text
