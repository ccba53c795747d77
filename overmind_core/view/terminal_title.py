"""The titles of a terminal pane: whose it is, which mode, how to leave, why it is over; and its viewport.

A viewport is the part of a terminal that a smaller or larger pane shows: around the cursor, until somebody scrolls.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from overmind_core.domain.missions.reasons import sentence
from overmind_core.view.cells import safe
from overmind_core.view.numbers import span

Json = Mapping[str, Any]
OVER = "r restart · esc back"
SIGNALLED = 128
LOOKING = "looking"


def title(name: str, window_title: str) -> str:
    """Whose terminal it is, and what its program calls it."""
    own = safe(window_title).strip()
    return safe(name) + (f" · {own}" if own else "")


def looking(
    *,
    terminal: tuple[int, int],
    cropped: bool,
    back: int,
    selecting: bool,
    searching: str,
    read_only: bool,
    no_input: bool = False,
) -> str:
    """While it is only looked at.

    Args:
        terminal: Its columns and rows.
        cropped: Not all of them fit into the pane.
        back: Rows between the end and what is shown.
        selecting: Something is being selected.
        searching: What is searched and how many times it is there.
        read_only: Nothing may be typed at all.
        no_input: Nothing that is typed would reach the program.
    """
    if selecting:
        return "selecting · space other end · c copy"
    size = f"{terminal[0]}x{terminal[1]}, cropped" if cropped else ""
    place = f"{back} lines back" if back else ""
    keys = "esc back" if read_only or back else f"{'no input' if no_input else 'i types'} · esc back"
    return " · ".join(part for part in (LOOKING, place, searching, size, keys) if part)


def shortened(note: str) -> Sequence[str]:
    """Shorter ways to say what `looking` says, or why it is over, the longest first.

    What there has to be room for is what is searched, its size where it is cropped, or what happened.
    """
    parts = note.split(" · ")
    searched = next((one for one in parts if one.startswith("/")), "")
    first = searched or next((one for one in parts if one.endswith(", cropped")), parts[0])
    return " · ".join(parts[1:] if parts[0] == LOOKING else parts), f"{first} · {parts[-1]}", first


def typing(keys: Sequence[str], *, terminal: tuple[int, int], cropped: bool) -> str:
    """While everything goes to the program."""
    size = f" · {terminal[0]}x{terminal[1]}, cropped" if cropped else ""
    return f"typing{size} · {' or '.join(keys)} leaves"


def finishing(seconds: float) -> str:
    """Until a headless session's turn is over."""
    return f"finishing the turn ({span(seconds)}) · i interrupt now · esc cancel"


def exited(code: int) -> str:
    """The process has ended; negative: by that signal."""
    return f"exited ({code if code >= 0 else SIGNALLED - code}) · {OVER}"


def over(item: Json) -> str:
    """What the supervisor said when the stay ended."""
    match item["type"]:
        case "handing_back":
            reason = safe(item.get("reason"))
            return f"could not start here: {reason} · esc back" if reason else "running without a terminal · esc back"
        case "detached":
            return "detached · i types · esc back"
    code, status, why = item.get("exit_code"), safe(item.get("status")), item.get("reason")
    how = f"exited ({code})" if code is not None else status
    said = safe(item.get("why") or sentence(why))  # an older daemon says the code alone
    return f"{how}{f', {said}' if said and why != how else ''} · {OVER}"


class Viewport(NamedTuple):
    """The pane's first row and column in the terminal."""

    row: int = 0
    column: int = 0


def following(
    before: Viewport, *, pane: tuple[int, int], terminal: tuple[int, int], top: int, cursor: tuple[int, int]
) -> Viewport:
    """The window that shows the cursor, moved no further than it must be.

    Args:
        before: Where it was.
        pane: Columns and rows of the pane.
        terminal: The same of the terminal.
        top: The number of the terminal's first row.
        cursor: Its column and row on the terminal.
    """
    column = _along(before.column, pane[0], terminal[0], cursor[0])
    row = _along(before.row - top, pane[1], terminal[1], cursor[1])
    return Viewport(top + row, column)


def scrolled(before: Viewport, rows: int, *, first: int, last: int) -> Viewport:
    """The window so many rows further down, between the first row that there is and the last that may be on top."""
    return before._replace(row=max(first, min(before.row + rows, last)))


def _along(start: int, room: int, size: int, wanted: int) -> int:
    """Where to begin to show `room` of `size` cells, so that `wanted` is among them."""
    start = min(max(start, wanted - room + 1), wanted)
    return max(0, min(start, size - room))
