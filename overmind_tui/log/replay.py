"""The replay of a run on the whole terminal, from what is in sight: `overmind replay`, until that is left."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from overmind_core.domain.text.bytestrings import from_wire
from overmind_core.domain.text.moment import format_time
from overmind_core.errors import OvermindError
from overmind_core.logs.layout import OUT
from overmind_core.logs.reader import RunLog
from overmind_core.view.cells import Row, safe
from overmind_core.view.hive_keys import bare_name, hive_of
from overmind_tui.command_line.jobs import PROGRAM
from overmind_tui.shell import external

if TYPE_CHECKING:
    from collections.abc import Callable

    from overmind_tui.shell.shell import Shell

MOST = 8 << 20
"""Bytes of the end of a run in which rows of its terminal are looked for: more than the scrollback has."""
_NEAR = 64 << 10
"""Bytes in which the row before another one is looked for: cells that were drawn apart stand nowhere."""
_SHORTEST = 3
"""Bytes of a row that say anything about its place."""


def replay(shell: Shell, row: Row, *, run: int | None = None, at: float | None = None) -> None:
    """Give the terminal to the replay of a run until that is left.

    Args:
        shell: Who has the terminal now.
        row: The mission.
        run: The number of the run; None: the one of `at`, else the newest.
        at: Where it begins, in seconds since the epoch; None: at the run's beginning.
    """
    if hive := hive_of(row):
        there = f"overmind replay {bare_name(row)}"
        shell.flash(f"replay: the log of {safe(row['name'])} is on {safe(hive)} · there: {safe(there)}", "slow")
        return
    words = ["replay", row["id"]]
    words += [] if run is None else ["--run", str(run)]
    words += [] if at is None else ["--at", format_time(at)]
    argv = ["/bin/sh", "-c", external.UNTIL_READ, "sh", *PROGRAM, *words]
    environ = {**shell.world.environ, "OVERMIND_HOME": shell.home.root}
    external.run(shell, argv, cwd="/", environ=environ, then=lambda code: _on_result(shell, row, code))


def _on_result(shell: Shell, row: Row, code: int) -> None:
    if code:
        shell.flash(f"replay of {safe(row['name'])}: ended with code {code}", "slow")


def replay_from_rows(shell: Shell, row: Row, texts: Sequence[str]) -> None:
    """Replay the newest run from the moment at which a row of its terminal was written.

    Args:
        shell: Who has the terminal now.
        row: The mission.
        texts: The rows from the end of the terminal up to the one that is meant.
    """

    def on_result(answers: Sequence[Any | OvermindError]) -> None:
        (answer,) = answers
        if isinstance(answer, OvermindError):
            shell.flash(f"replay: {safe(answer.message)}", "bad")
            return
        runs = answer["missions"][0]["runs"]
        if not runs:
            shell.flash(f"replay: no process of {safe(row['name'])} has run", "slow")
            return

        def work() -> Callable[[], None]:
            at = written_at(from_wire(runs[-1]["path"]), texts)
            return lambda: replay(shell, row, run=int(runs[-1]["number"]), at=at)

        shell.background(work)

    if hive_of(row):
        replay(shell, row)  # which says why not
    else:
        shell.request("logs", [{"ids": [row["id"]]}], on_result)


def written_at(path: str, texts: Sequence[str]) -> float | None:
    """When a run wrote the last of these rows of its terminal; None where the end of its log has none of them.

    Reads the log: for a thread. Rows are looked for one behind the other, so that one that stands there twice counts
    where it is.

    Args:
        path: Of the run's log.
        texts: As in `replay_from_rows`.
    """
    log = RunLog(path)
    end = log.end[OUT]
    try:
        start, data = log.read(OUT, max(end - MOST, log.start[OUT]), min(MOST, end))
    except OSError:
        return None
    place = row_place(data, texts)
    return None if place is None else log.written_at([(start + place, 0)])[0]


def row_place(data: bytes, texts: Sequence[str]) -> int | None:
    """The offset at which the last of these rows, from the end upwards, stands; None where none of them does."""
    place = len(data)
    for text in texts:
        row = text.strip().encode("utf-8", "replace")
        if len(row) >= _SHORTEST and (found := data.rfind(row, max(place - _NEAR, 0), place)) >= 0:
            place = found
    return None if place == len(data) else place
