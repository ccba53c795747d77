"""`overmind restart`: the same mission again."""

from __future__ import annotations

from overmind_core.cli.ask import agreed
from overmind_core.cli.context import Context
from overmind_core.cli.each import each
from overmind_core.cli.output import dumps
from overmind_core.cli.table import JSON, YES, Command, flag, ids
from overmind_core.errors import FAILED, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace


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
    client = context.client(start=True)
    return each(context, client, "restart", requests, line=lambda answer: _restarted(answer["id"]), as_json=args.json)


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
