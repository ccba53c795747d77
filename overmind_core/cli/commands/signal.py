"""`overmind signal`: a signal to everything a mission started."""

from __future__ import annotations

from overmind_core.cli.context import Context
from overmind_core.cli.output import dumps
from overmind_core.cli.table import JSON, Command, argument, one_id

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace


def send_signal(args: Namespace, context: Context) -> int:
    """Send it; the mission's status stays."""
    answer = context.client().call("signal", {"id": args.id, "signal": args.signal})
    context.say(dumps(answer) if args.json else f"Sent {args.signal.upper()} to mission {answer['id']}")
    return 0


COMMAND = Command(
    name="signal",
    summary="send a signal to everything a mission started",
    arguments=[one_id(), argument("signal", "its name or number, such as HUP, USR1 or 10", metavar="NAME")],
    options=[JSON],
    examples=["overmind signal nginx HUP"],
    run=send_signal,
)
