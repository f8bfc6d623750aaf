from . import points, redeem, text
