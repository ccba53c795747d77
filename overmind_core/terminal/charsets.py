"""Character sets: what a program designates with `ESC ( 0` and shifts to. Only ASCII is ever replaced.

Source: the tables of pyte; XTerm Control Sequences, "VT100 Mode"; DEC STD 070.
"""

from __future__ import annotations

from pyte.charsets import VT100_MAP

ASCII = "B"
SLOTS = "()*+"
"""The byte after ESC that designates G0, G1, G2, G3."""

# pyte's table is the Linux console's: arrows below "_", a shade for the symbol of a newline, a no-break space.
_GRAPHICS = {code: VT100_MAP[code] for code in range(0x60, 0x7F)} | {0x5F: " ", ord("h"): "\u2424"}
_TABLES = {"0": _GRAPHICS, "A": {ord("#"): "£"}}


class Charsets:
    """Four slots and which of them is in use; `table` replaces characters (for `str.translate`), or is None."""

    __slots__ = ("_designated", "_shift", "table")

    def __init__(self, designated: tuple[str, ...] = (ASCII,) * 4, shift: int = 0) -> None:
        self._designated = designated
        self._shift = shift
        self.table: dict[int, str] | None = _TABLES.get(designated[shift])

    @property
    def designated(self) -> tuple[str, ...]:
        """The names of the sets in G0 … G3."""
        return self._designated

    @property
    def shift(self) -> int:
        """Which slot is in use (0–3)."""
        return self._shift

    def with_set(self, slot: int, name: str) -> Charsets:
        """Another set in a slot; sets that are not known are ASCII."""
        name = name if name in _TABLES else ASCII
        return Charsets((*self._designated[:slot], name, *self._designated[slot + 1 :]), self._shift)

    def with_shift(self, slot: int) -> Charsets:
        """Another slot in use."""
        return Charsets(self._designated, slot)
