"""`overmind info`: everything known of a mission."""

from __future__ import annotations

from overmind_core.cli.context import Context
from overmind_core.cli.output import dumps
from overmind_core.cli.table import JSON, Command, flag, one_id

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace


def info(args: Namespace, context: Context) -> int:
    """Print one JSON object."""
    facts = context.client().call("info", {"id": args.id, "env": args.env or args.reveal, "reveal": args.reveal})
    context.say(dumps(facts, indent=None if args.json else 2))
    return 0


COMMAND = Command(
    name="info",
    summary="print everything known of a mission, as JSON",
    arguments=[one_id()],
    options=[
        flag("--env", "the names of its environment variables too"),
        flag("--reveal", "their values too"),
        JSON,
    ],
    examples=["overmind info api", "overmind info api --json | jq .exit_code"],
    run=info,
)
