"""How answers look: tables that no character breaks, compact JSON, colour where a person looks."""

from __future__ import annotations

import json
import os
import sys

from overmind_core.domain.cells import cut, display_safe, pad, width

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ABSENT = "-"
"""What a table shows where there is nothing."""
COMMAND_CELLS = 40
_GAP = "  "

STATUS_COLOURS = {
    "preparing": "33",
    "starting": "33",
    "running": "32",
    "paused": "36",
    "restarting": "33",
    "stopping": "33",
    "stopped": "2",
    "crashed": "31",
    "killed": "35",
}
"""Status → SGR number, see ECMA-48."""

_UNITS = ("B", "KB", "MB", "GB", "TB")


def dumps(value: object) -> str:
    """Return `value` as one compact line of JSON."""
    readable = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    return json.dumps(value, ensure_ascii=not readable, separators=(",", ":"))


def coloured(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether stdout is a person's terminal who didn't say NO_COLOR (no-color.org)."""
    return sys.stdout.isatty() and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"


def table(titles: Sequence[str], rows: Sequence[Sequence[str]], *, colours: Mapping[str, str] | None = None) -> str:
    """Return a table with aligned columns; cells are made safe for a terminal.

    Args:
        titles: The first line.
        rows: As many cells each.
        colours: Cells of the column STATUS that are exactly such a word get this SGR number.
    """
    safe = [[display_safe(cell) for cell in row] for row in rows]
    widths = [max(map(width, column)) for column in zip(titles, *safe, strict=True)]
    painted = titles.index("STATUS") if colours and "STATUS" in titles else -1
    lines = [_line(titles, widths)]
    for row in safe:
        code = (colours or {}).get(row[painted]) if painted >= 0 else None
        lines.append(_line(row, widths) if code is None else _line(row, widths, painted=painted, code=code))
    return "\n".join(lines)


def _line(cells: Sequence[str], widths: Sequence[int], *, painted: int = -1, code: str = "") -> str:
    padded = [pad(cell, cells_wide) for cell, cells_wide in zip(cells, widths, strict=True)]
    padded[-1] = cells[-1]
    if painted >= 0:
        padded[painted] = f"\x1b[{code}m{padded[painted]}\x1b[0m"
    return _GAP.join(padded).rstrip()


def or_absent(value: object) -> str:
    """Return the text of `value`, `-` when there is none."""
    return ABSENT if value is None or value == "" else str(value)


def command_cell(command: str) -> str:
    """Return a command as a table shows it: safe, at most 40 cells."""
    return cut(display_safe(command), COMMAND_CELLS)


def size(count: float | None) -> str:
    """Return bytes as a person reads them: `0 B`, `1.5 KB`, `230 MB`."""
    if count is None:
        return ABSENT
    unit = 0
    while count >= 1000 and unit < len(_UNITS) - 1:  # noqa: PLR2004  (decimal units)
        count /= 1000
        unit += 1
    few = unit > 0 and count < 10  # noqa: PLR2004  (one more digit while there is one only)
    return f"{count:.1f} {_UNITS[unit]}" if few else f"{count:.0f} {_UNITS[unit]}"
