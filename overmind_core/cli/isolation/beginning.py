"""Missions that may be isolated, from the request to the word that they run: `run` and `quest run`."""

from __future__ import annotations

from overmind_core.cli.isolation.trusting import call
from overmind_core.cli.output import dumps
from overmind_core.domain.cells import display_safe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping
    from typing import Any

    from overmind_core.cli.context import Context

PREPARING = "preparing"
"""Status in an answer that comes before the mission runs."""


def begin(
    args: Namespace, context: Context, command: str, request: Mapping[str, Any], *, told: str
) -> Mapping[str, Any] | None:
    """Send the request, see an isolated mission through its preparation, and say that it runs.

    Args:
        args: Of the command line: `json` and `wait`.
        context: Where to print.
        command: Its name on the socket.
        request: Its arguments.
        told: What is said to people, with places for `id` and `name`.

    Returns:
        The answer; None when the person had enough of waiting.

    Raises:
        OvermindError: nothing was started, or it could not be prepared.
    """
    mission: Mapping[str, Any] = call(context, context.client(start=True), command, request)
    if note := mission.get("note"):
        context.note(display_safe(str(note)))
    if args.json:
        context.say(dumps({"id": mission["id"], "name": mission["name"]}))
    isolated = mission.get("status") == PREPARING
    if isolated and not prepared(context, mission):
        return None
    if not args.json:
        tell = context.note if args.wait else context.say
        tell(told.format(id=mission["id"], name=mission["name"]))
    if isolated:
        _tell_place(context, mission["id"])
    return mission


def prepared(context: Context, mission: Mapping[str, Any]) -> bool:
    """Show what is done until the mission runs; False when the person had enough of that.

    Raises:
        OvermindError: it could not be prepared, or was ended before.
    """
    from overmind_core.cli.isolation.preparation import until_it_runs  # start-up: only for isolated missions

    try:
        until_it_runs(context, mission)
    except KeyboardInterrupt:
        name = mission["name"]
        context.note(f"\nMission {mission['id']} is still being prepared. Follow it with: overmind logs -f {name}")
        return False
    return True


def _tell_place(context: Context, mission: str) -> None:
    isolation = context.client().call("info", {"id": mission}).get("isolation") or {}
    if isolation.get("worktree"):
        context.note(display_safe(f"Worktree {isolation['worktree']} (branch {isolation['branch']})"))
