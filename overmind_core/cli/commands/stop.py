"""`overmind stop`: end missions gracefully, with everything they started."""

from __future__ import annotations

from overmind_core.cli.context import Context
from overmind_core.cli.each import each
from overmind_core.cli.table import JSON, Command, flag, ids, option
from overmind_core.cli.values import duration

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace


def stop(args: Namespace, context: Context) -> int:
    """Stop each; returns when nothing of them lives."""
    common = {"cascade": args.cascade} | ({} if args.grace is None else {"grace": args.grace})
    tail = " and all children" if args.cascade else ""
    return each(
        context,
        context.client(),
        "stop",
        [{"id": mission, **common} for mission in args.ids],
        line=lambda answer: f"Stopped mission {answer['id']}{tail}",
        as_json=args.json,
    )


COMMAND = Command(
    name="stop",
    summary="stop missions: their stop signal, then SIGKILL after the grace",
    arguments=[ids()],
    options=[
        flag("--cascade", "their children too, leaves first"),
        option("--grace", "TIME", "instead of the mission's own, such as 30s", parse=duration),
        JSON,
    ],
    examples=[
        "overmind stop api",
        "overmind stop planner --cascade --grace 30s",
        "overmind stop api worker-1 worker-2",
    ],
    run=stop,
)
