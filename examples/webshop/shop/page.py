"""What the shop looks like."""

from __future__ import annotations

import html
import os

CURRENCY = "USD"


def header(items: dict[str, int]) -> str:
    """The line on top of each page."""
    del items
    return f"<h1>{html.escape(os.environ.get('SHOP_NAME', 'A shop'))}</h1>"


def cart(items: dict[str, int], cents: int, visitors: int) -> str:
    """The page of a cart."""
    rows = "".join(f"<li>{pieces} x {html.escape(item)}</li>" for item, pieces in items.items())
    return f"{header(items)}<ul>{rows}</ul><p>{cents / 100:.2f} {CURRENCY}</p><p>visitor {visitors}</p>\n"
