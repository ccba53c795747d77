"""Ten per cent off from three pieces on."""

from __future__ import annotations

from agents import own_world

PIECES = 3


def main() -> None:
    """Try the shop, change the prices, test."""
    own_world.fill_cart("tea", PIECES)
    own_world.think()
    own_world.check_alone("tea", PIECES)
    own_world.edit(
        "shop/prices.py",
        "    return sum(PRICES[item] * pieces for item, pieces in items.items())\n",
        "    return sum(price(item, pieces) for item, pieces in items.items())\n"
        "\n\n"
        "def price(item: str, pieces: int) -> int:\n"
        '    """From three pieces on there are ten per cent off."""\n'
        "    full = PRICES[item] * pieces\n"
        "    return full * 9 // 10 if pieces >= 3 else full\n",
    )
    own_world.run_tests()


if __name__ == "__main__":
    main()
