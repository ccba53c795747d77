"""How the programs of the demonstration paint what they print."""

from __future__ import annotations

RED, GREEN, YELLOW, BLUE, CYAN, GREY = 31, 32, 33, 34, 36, 90
"""Numbers of ECMA-48, 8.3.117, and one of the bright ones."""
BOLD = 1


def paint(text: str, *codes: int) -> str:
    """The text in these colours."""
    return f"\x1b[{';'.join(map(str, codes))}m{text}\x1b[0m"
