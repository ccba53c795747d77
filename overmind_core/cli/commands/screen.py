"""`overmind screen`: what a mission's terminal shows, drawn from its log."""

from __future__ import annotations

from overmind_core.cli.context import Context
from overmind_core.cli.output import dumps
from overmind_core.cli.table import JSON, Command, flag, one_id
from overmind_core.domain.cells import display_safe
from overmind_core.errors import OvermindError, UsageError
from overmind_core.logs.picture import picture
from overmind_core.wire.bytestrings import from_wire

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from typing import Any

    from overmind_core.terminal.screen import Screen


def screen(args: Namespace, context: Context) -> int:
    """Print the screen of the newest run, also of one that has ended."""
    if args.ansi and args.json:
        raise UsageError("--ansi and --json don't go together")
    run = _run(context.client().call("logs", {"ids": [args.id]})["missions"][0])
    shown = picture(from_wire(run["path"]), columns=run["columns"], rows=run["rows"])
    context.say(dumps(_described(shown)) if args.json else _text(shown, ansi=args.ansi))
    return 0


def _run(mission: dict[str, Any]) -> dict[str, Any]:
    """The newest run, which must have a terminal."""
    name = display_safe(mission["name"])
    run: dict[str, Any] | None = mission["runs"][-1] if mission["runs"] else None
    if run is None:
        raise OvermindError("not_running", f"Mission {mission['id']} ({name}) has not run yet.")
    if not run["tty"]:
        raise OvermindError(
            "invalid", f"Mission {mission['id']} ({name}) has no terminal. See its output with: overmind logs {name}"
        )
    return run


def _text(shown: Screen, *, ansi: bool) -> str:
    """All rows down to the last one that holds something."""
    used = max((number for number, line in enumerate(shown.lines(), 1) if line), default=0)
    rows = shown.text(ansi=ansi).split("\n")
    return "\n".join(rows[:used])


def _described(shown: Screen) -> dict[str, Any]:
    return {
        "columns": shown.columns,
        "rows": shown.rows,
        "cursor": [shown.cursor.x, shown.cursor.y],
        "title": display_safe(shown.title),
        "lines": shown.lines(),
    }


COMMAND = Command(
    name="screen",
    summary="print what a mission's terminal shows, or showed last",
    arguments=[one_id()],
    options=[flag("--ansi", "with its colours"), JSON],
    examples=["overmind screen editor", "overmind screen editor --json | jq -r .title"],
    run=screen,
)
