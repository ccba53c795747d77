"""`quest add --on`, or with -H swarm: quests that any fitting hive of the swarm does."""

from __future__ import annotations

from typing import Any

from overmind_core.cli import caller_environment
from overmind_core.cli.output import dumps
from overmind_core.cli.swarm.code_source import source_around
from overmind_core.cli.swarm.commands import swarm_client
from overmind_core.domain.hives import SWARM
from overmind_core.domain.text.cells import display_safe

TYPE_CHECKING = False

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping, Sequence

    from overmind_core.cli.context import Context


def post_quests(args: Namespace, context: Context, quests: Sequence[Mapping[str, Any]], request: str) -> int:
    """Post them, and say what each is called.

    Raises:
        OvermindError: `not_pushed`, other hives can't have the code; `no_swarm`, and what the swarm says.
    """
    client = swarm_client(context)
    cwd = caller_environment.working_directory(args.cwd)
    asked: dict[str, Any] = {
        "quests": quests,
        "cwd": cwd,
        "source": source_around(cwd, context, [str(one["into"]) for one in quests if one.get("into")]),
        "on": args.on or {},
        "cpu": args.cpu or 0.0,
        "memory": args.mem or 0,
        "pack": args.pack,
        "secrets": args.secret,
        "on_lost": args.on_lost or "move",
        "lease": args.lease or 600.0,
        "request": request,
    }
    added = client.call("swarm_add", asked)["quests"]
    if args.json:
        context.print(dumps(added if args.file is not None else added[0]))
        return 0
    for one in added:
        context.print(queued_line(one))
    at, prefix = ("", f"{SWARM}/") if context.hive is None else (f"-H {context.hive.name} ", "")
    names = " ".join(f"{prefix}{one['name']}" for one in added)
    what = "it" if len(added) == 1 else "them"
    context.note(display_safe(f"Wait for {what} with: overmind {at}quest wait {names}"))
    return 0


def queued_line(quest: Mapping[str, Any]) -> str:
    """Return the line about a quest that waits in the swarm, where alone it can be found until a hive has it."""
    return display_safe(f"Quest queued: {quest['id']} ({quest['name']}), in the swarm")
