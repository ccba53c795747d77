"""A mission's log, and its screen, as plain text: for scripts that can't open its files."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any

from overmind_core.domain.text.bytestrings import from_wire
from overmind_core.domain.text.cells import display_safe
from overmind_core.errors import OvermindError
from overmind_core.logs.snapshot import screen_at
from overmind_core.logs.transcript import LogSelection, Transcript
from overmind_core.providers import registry

Json = dict[str, Any]


def log_lines(
    described: Json, *, run: int | None = None, since: float | None = None, tail: int | None = None
) -> Iterator[str]:
    """Return the lines of a mission's log, without colours and control characters.

    Args:
        described: The mission, as the daemon's answer to `logs` has it.
        run: Only this run.
        since: Only what was written since, in seconds since the epoch.
        tail: Only so many lines of its end.

    Raises:
        OvermindError: `not_found`, there is no such run.
    """
    selection = LogSelection(run=run, since=since, tail=tail, renderers=registry.renderer)
    transcript = Transcript(described, selection)
    if run is not None and not transcript.has_run(run):
        raise OvermindError("not_found", f"Mission {display_safe(transcript.name)!r} has no run {run}.")
    lines: Iterable[Any] = transcript.begin(follow=False)
    if tail is not None:
        lines = deque(lines, maxlen=tail)
    return (text for _, _, text in lines)


def screen_text(described: Json, *, ansi: bool) -> str:
    """Return the screen of a mission's newest run, down to the last row that holds something.

    Args:
        described: The mission, as the daemon's answer to `logs` has it.
        ansi: With colours.

    Raises:
        OvermindError: `not_running`, it has not run yet; `invalid`, it has no terminal.
    """
    name = display_safe(str(described["name"]))
    runs = described["runs"]
    if not runs:
        raise OvermindError(
            "not_running", f"Mission {described['id']} ({name}) has no screen: no process of it has run."
        )
    if not runs[-1]["tty"]:
        raise OvermindError("invalid", f"Mission {described['id']} ({name}) has no terminal, only a log.")
    run = runs[-1]
    shown = screen_at(from_wire(run["path"]), columns=run["columns"], rows=run["rows"])
    used = max((number for number, line in enumerate(shown.lines(), 1) if line), default=0)
    return "\n".join(shown.text(ansi=ansi).split("\n")[:used])
