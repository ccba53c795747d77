"""`overmind events`: the event log, an object per line."""

from __future__ import annotations

from overmind_core.cli.context import Context
from overmind_core.cli.output import dumps
from overmind_core.cli.table import JSON, Command, flag, option
from overmind_core.cli.values import whole
from overmind_core.client.stream import follow

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from typing import Any


def events(args: Namespace, context: Context) -> int:
    """Print what happened after --since, then perhaps what happens."""
    seen: dict[str, int] = {} if args.since is None else {"since": args.since}

    def request() -> tuple[str, dict[str, Any]]:
        return "events", {**seen, "follow": args.follow}

    for kind, item in follow(context.client(), request):
        if kind == "item":
            seen["since"] = item["seq"]
            context.say(dumps(item))
    return 0


COMMAND = Command(
    name="events",
    summary="print the event log, a JSON object per line",
    options=[
        flag("--follow", "go on with what happens, until ctrl-c", short="-f"),
        option("--since", "SEQ", "only events after this number", parse=whole),
        JSON,
    ],
    examples=["overmind events", "overmind events -f --since 1200"],
    run=events,
)
