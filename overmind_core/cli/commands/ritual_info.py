"""`overmind ritual info`: everything known of a ritual."""

from __future__ import annotations

from overmind_core.cli.context import Context
from overmind_core.cli.output import dumps
from overmind_core.cli.rituals import one_ritual
from overmind_core.cli.table import JSON, Command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace


def ritual_info(args: Namespace, context: Context) -> int:
    """Print one JSON object."""
    context.say(dumps(context.client().call("ritual", {"id": args.id}), indent=None if args.json else 2))
    return 0


COMMAND = Command(
    name="ritual info",
    summary="print everything known of a ritual, as JSON",
    arguments=[one_ritual()],
    options=[JSON],
    examples=["overmind ritual info nightly", "overmind ritual info nightly --json | jq '.upcoming[0].at'"],
    run=ritual_info,
)
