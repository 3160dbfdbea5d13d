"""A price sheet as a user writes it."""

SHEET = """
service = "Mine"
source = "a letter"
date = 2026-01-31
currency = "EUR"
put_per_1000 = 2
get_per_1000 = 0.5
gb_month = 4.0
"""
