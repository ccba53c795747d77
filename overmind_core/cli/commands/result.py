"""`overmind result`: what an agent's last turn came to."""

from __future__ import annotations

from overmind_core.cli.context import Context
from overmind_core.cli.output import dumps
from overmind_core.cli.table import JSON, Command, one_id

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace


def result(args: Namespace, context: Context) -> int:
    """Print the last result object."""
    found = context.client().call("result", {"id": args.id})
    context.say(dumps(found, indent=None if args.json else 2))
    return 0


COMMAND = Command(
    name="result",
    summary="print the last result of an agent, as its program gave it",
    arguments=[one_id()],
    options=[JSON],
    examples=["overmind result review", "overmind result review --json | jq -r .result"],
    notes="A finished mission that is no agent has the result {}; a live one without any yet: not_finished.",
    run=result,
)
