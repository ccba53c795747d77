"""The little project in which the demonstration works: a price that loses its cents. Plain texts."""

from __future__ import annotations

PRICES = '''"""What things cost."""

PRICES = {"apple": 45, "bread": 319, "coffee": 1299}
"""Cents."""
FORMAT = "{amount} €"


def shown(cents: int) -> str:
    """A price as a customer reads it."""
    return FORMAT.format(amount=cents // 100)
'''

TESTS = '''"""What customers were promised."""

import unittest

from prices import PRICES, shown


class Prices(unittest.TestCase):
    def test_everything_costs_something(self):
        self.assertTrue(all(PRICES.values()))
'''

README = """# A shop

`prices.py` says what things cost, `./test` proves it.
"""

SOURCES = {
    "prices.py": PRICES,
    "test_prices.py": TESTS,
    "README.md": README,
    ".gitignore": "dist/\n__pycache__/\n",
}
"""File → text, as they are when the demonstration begins."""

NEW_TEST = """
    def test_cents_are_shown(self):
        self.assertIn("3.19", shown(319))
"""
"""What the agent adds to the tests."""
LOST_CENTS = "amount=cents // 100"
KEPT_CENTS = 'amount=f"{cents / 100:.2f}"'
FORMAT = 'FORMAT = "{amount} €"'
FORMATS = {
    "3.19 €": ("the sign behind it, as now", FORMAT),
    "€3.19": ("the sign before it", 'FORMAT = "€{amount}"'),
    "EUR 3.19": ("no sign that a till can't print", 'FORMAT = "EUR {amount}"'),
}
"""How a price may look → why, and the line that makes it so."""
