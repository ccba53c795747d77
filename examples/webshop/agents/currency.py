"""Another currency: two of these change the same line."""

from __future__ import annotations

import sys

from agents import own_world


def main() -> None:
    """Try the shop, change the currency, test."""
    (currency,) = sys.argv[1:]
    own_world.fill_cart("biscuits", 1)
    own_world.check_alone("biscuits", 1)
    own_world.edit("shop/page.py", 'CURRENCY = "USD"', f'CURRENCY = "{currency}"')
    own_world.run_tests()


if __name__ == "__main__":
    main()
