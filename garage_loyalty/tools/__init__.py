from . import lots, points, redeem, text
