"""The header says how many pieces are in the cart."""

from __future__ import annotations

from agents import own_world

PIECES = 2


def main() -> None:
    """Try the shop, change the page, test."""
    own_world.fill_cart("cup", PIECES)
    own_world.think()
    own_world.check_alone("cup", PIECES)
    own_world.edit("shop/page.py", "    del items\n", "    pieces = sum(items.values())\n")
    own_world.edit("shop/page.py", "'A shop'))}</h1>", "'A shop'))} ({pieces})</h1>")
    own_world.run_tests()


if __name__ == "__main__":
    main()
