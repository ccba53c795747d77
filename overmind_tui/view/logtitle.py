"""What stands in the border of a log, and in it when there is nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo

from overmind_core.logs.sanitise import is_span
from overmind_tui.view import missions
from overmind_tui.view.amounts import span as duration
from overmind_tui.view.cells import Row

NAMED = 3
"""Missions whose names are in the title."""


def title(names: Sequence[str], run: int | None, runs: tuple[int, int], span: str, search: str) -> str:
    """Whose log, which run of how many, which part, and what is looked for.

    Args:
        names: Of the missions.
        run: The one that is shown alone; None: all.
        runs: The number of the newest run that is shown, and of the newest that there is.
        span: Which part, in words; "" is all.
        search: What is looked for and how far that is, in words; "" is nothing.
    """
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    parts = ["logs", ", ".join(names[:NAMED]) + more]
    if run is not None:
        parts.append(f"run {run} of {runs[1]}" if runs[1] else f"run {run}")
    elif runs[0] > 1:
        parts.append(f"run {runs[0]}")
    return " · ".join(filter(None, (*parts, span))) + (f" {search}" if search else "")


def screen(row: Row | None, partial: str) -> str:
    """The key of the list that shows what a mission draws; "" where its log says more. `partial`: the last line."""
    if row is None or not is_span(partial) or not (missions.is_live(row) and row.get("tty")):
        return ""
    return "enter shows its screen" if missions.has_terminal(row) else "a shows its screen"


def nothing_since(span: str, last: float, now: float, zone: tzinfo | None) -> str:
    """That there is no line in a part of the log, and when the last one was (seconds since the epoch; 0.0: never)."""
    what = "nothing since the view was cleared" if span == "cleared" else f"nothing in {span}" if span else "nothing"
    if not last:
        return what
    at = datetime.fromtimestamp(last, zone).strftime("%H:%M:%S")
    return f"{what} · the last line was at {at}, {duration(max(now - last, 0.0))} ago"
