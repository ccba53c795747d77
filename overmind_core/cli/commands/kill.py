"""`overmind kill`: end missions at once, with everything they started."""

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
    from collections.abc import Mapping
    from typing import Any


def kill(args: Namespace, context: Context) -> int:
    """Kill the named missions, or all that live."""
    if args.all and args.ids:
        raise UsageError("Name missions or give --all, not both. See: overmind kill --help")
    if args.all:
        return _kill_all(args, context)
    if not args.ids:
        raise UsageError("Missing id. See: overmind kill --help")

    def line(answer: Mapping[str, Any]) -> str:
        ids = [mission["id"] for mission in answer["killed"]]
        return f"Killed mission {ids[-1]} and all children" if args.cascade else "\n".join(map(_killed, ids))

    requests = [{"id": mission, "cascade": args.cascade} for mission in args.ids]
    return each(context, context.client(), "kill", requests, line=line, as_json=args.json)


def _kill_all(args: Namespace, context: Context) -> int:
    client = context.client()
    live = client.call("status")["missions"]["running"]
    if live and not agreed(f"Kill all {live} live missions?", yes=args.yes):
        return FAILED
    killed = client.call("kill", {"all": True})["killed"]
    if args.json:
        context.say(dumps(killed))
    elif killed:
        context.say("\n".join(_killed(mission["id"]) for mission in killed))
    else:
        context.hint("No live missions.")
    return 0


def _killed(mission: str) -> str:
    return f"Killed mission {mission}"


COMMAND = Command(
    name="kill",
    summary="end missions at once, with everything they started",
    arguments=[ids(nargs="*")],
    options=[flag("--cascade", "children too, leaves first"), flag("--all", "every live mission"), YES, JSON],
    examples=["overmind kill api", "overmind kill planner --cascade", "overmind kill --all -y"],
    notes="A killed mission is hidden from plain ps; its log and record stay until: overmind rm",
    run=kill,
)
