"""`overmind restart`: the same mission again."""

from __future__ import annotations

from overmind_core.cli.ask import agreed
from overmind_core.cli.context import Context
from overmind_core.cli.each import each
from overmind_core.cli.main import tell
from overmind_core.cli.output import dumps
from overmind_core.cli.table import JSON, YES, Command, flag, ids
from overmind_core.errors import FAILED, INTERRUPTED, OvermindError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping, Sequence
    from typing import Any


def restart(args: Namespace, context: Context) -> int:
    """Restart the named missions, or all that were lost."""
    if args.lost and (args.ids or args.fresh):
        raise UsageError("Name missions or give --lost, not both. See: overmind restart --help")
    if args.lost:
        return _restart_lost(args, context)
    if args.force and not args.fresh:
        raise UsageError("--force is for --fresh: what is not merged is lost. See: overmind restart --help")
    if not args.ids:
        raise UsageError("Missing id. See: overmind restart --help")
    how = {"fresh": True, "force": args.force} if args.fresh else {}
    requests = [{"id": mission, **how} for mission in args.ids]
    begun: list[Mapping[str, Any]] = []

    def line(answer: Mapping[str, Any]) -> str:
        begun.append(answer)
        return _restarted(answer["id"])

    status = each(context, context.client(start=True), "restart", requests, line=line, as_json=args.json)
    return status or _see_through(context, begun)


def _see_through(context: Context, begun: Sequence[Mapping[str, Any]]) -> int:
    """Follow the preparation of those that are isolated; return the exit status."""
    from overmind_core.cli.isolation.beginning import PREPARING, prepared  # start-up: --help needs none

    status = 0
    for mission in begun:
        try:
            if mission.get("status") == PREPARING and not prepared(context, mission):
                return INTERRUPTED
        except OvermindError as error:
            status = tell(error, context)
    return status


def _restart_lost(args: Namespace, context: Context) -> int:
    client = context.client(start=True)
    lost = client.call("restart", {"lost": True, "dry_run": True})["missions"]
    if not lost:
        context.say("[]" if args.json else "Nothing was lost.")
        return 0
    for mission in lost:
        context.note(f"{mission['id']}  {mission['name']}")
    if not agreed(f"Restart {len(lost)} lost missions?", yes=args.yes):
        return FAILED
    missions = client.call("restart", {"lost": True})["missions"]
    context.say(dumps(missions) if args.json else "\n".join(_restarted(mission["id"]) for mission in missions))
    return 0


def _restarted(mission: str) -> str:
    return f"Restarted mission {mission}"


COMMAND = Command(
    name="restart",
    summary="stop missions and start them again, with the same id, name and log",
    arguments=[ids(nargs="*")],
    options=[
        flag("--lost", "everything that was lost with the keeper or the machine"),
        flag("--fresh", "what an isolated mission had of its own is removed first: worktree, ports, containers"),
        flag("--force", "with --fresh: also work in the worktree that is not merged"),
        YES,
        JSON,
    ],
    examples=["overmind restart api", "overmind restart --lost", "overmind restart web --fresh"],
    run=restart,
)
