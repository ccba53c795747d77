"""What each customer has in the cart."""

from __future__ import annotations

from collections.abc import Callable

from shop.prices import PRICES
from shop.redis import Reply

Database = Callable[..., Reply]


class NoSuchItem(Exception):
    """Nobody sells that."""


def add(database: Database, customer: str, item: str) -> None:
    """Put one piece into the cart."""
    if item not in PRICES:
        raise NoSuchItem(item)
    database("HINCRBY", f"cart:{customer}", item, 1)


def items(database: Database, customer: str) -> dict[str, int]:
    """Item → pieces."""
    found = database("HGETALL", f"cart:{customer}")
    assert isinstance(found, list)
    texts = [str(one) for one in found]
    return {item: int(pieces) for item, pieces in sorted(zip(texts[::2], texts[1::2], strict=True))}


def visit(database: Database) -> int:
    """Count a visitor; return how many there were."""
    visitors = database("INCR", "visitors")
    assert isinstance(visitors, int)
    return visitors
