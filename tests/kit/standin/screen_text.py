"""What the full-screen program shows, as lines of text. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from tests.kit.standin.dialogs import Dialog
from tests.kit.standin.events import VERSION

MODE_LINES = {
    "default": "⏸ manual mode on",
    "acceptEdits": "⏵⏵ accept edits on",
    "plan": "⏸ plan mode on",
    "bypassPermissions": "⏵⏵ bypass permissions on",
    "dontAsk": "⏵⏵ don't ask on",
    "auto": "⏵⏵ auto mode on",
}


class Picture(NamedTuple):
    """A whole screen."""

    lines: Sequence[str]
    row: int
    """Of the cursor, from 0."""
    column: int


def header(cwd: str) -> list[str]:
    """Return the lines at the top of a conversation."""
    return [
        "",
        f" ▐▛███▛█   Claude Code v{VERSION}",
        "▝▜██████▀  Opus 5.5 · API Usage Billing",
        f" ▝▝   ▝▝   {cwd}",
        "",
        "",
    ]


def prompt(
    transcript: Sequence[str], typed: str, mode: str, size: tuple[int, int], *, busy: bool, hint: str = ""
) -> Picture:
    """The conversation above the box for the next message.

    Args:
        transcript: Lines, not wrapped.
        typed: What is in the box.
        mode: Of permissions.
        size: Columns and rows.
        busy: Whether a turn runs.
        hint: Instead of the line below.
    """
    columns, rows = size
    box = wrap(typed, columns - 2) or [""]
    shown = [("❯ " if number == 0 else "  ") + line for number, line in enumerate(box)]
    state = "esc to interrupt" if busy else "? for shortcuts"
    below = hint or f"{MODE_LINES[mode]} · {state} · ← for agents"
    cut = max(0, len(shown) - (rows - 4))
    top = f"─── ↑ {cut} more " if cut else ""
    bottom = [top.ljust(columns, "─"), *shown[cut:], "─" * columns, f"  {below}"[:columns]]
    above = _tail(wrap_all(transcript, columns), rows - len(bottom))
    return Picture([*above, *bottom], rows - 3, min(len(shown[-1]), columns - 1))


def dialog(transcript: Sequence[str], asked: Dialog, chosen: int, size: tuple[int, int], *, numbered: bool) -> Picture:
    """The conversation above a question; `chosen`: index of the marked option."""
    columns, rows = size
    lines, margin = wrap_all(asked.lines, columns), " " * asked.indent
    for number, option in enumerate(asked.options):
        mark = "❯" if number == chosen else " "
        name = f"{number + 1}. {option.label}" if numbered else option.label
        lines += wrap(f"{margin}{mark} {name}", columns)
        lines += [f"{margin}     {option.description}"] if option.description else []
    bottom = [*lines, "", asked.hint][-rows:]
    above = _tail(wrap_all(transcript, columns), rows - len(bottom)) if transcript else []
    filled = [*above, *bottom]
    return Picture([*filled, *[""] * (rows - len(filled))], rows - 1, 0)


def wrap_all(lines: Sequence[str], columns: int) -> list[str]:
    """Wrap each line."""
    return [part for line in lines for part in wrap(line, columns) or [""]]


def wrap(text: str, columns: int) -> list[str]:
    """Wrap a text at blanks; its own line ends stay."""
    import textwrap  # only what has a screen wraps

    return [part for line in text.split("\n") for part in textwrap.wrap(line, columns, drop_whitespace=False) or [""]]


def _tail(lines: Sequence[str], rows: int) -> list[str]:
    kept = list(lines[-rows:]) if rows > 0 else []
    return kept + [""] * (rows - len(kept))
