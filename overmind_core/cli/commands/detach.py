"""`overmind detach`: send away everybody who is attached to a mission."""

from __future__ import annotations

from overmind_core.cli.context import Context
from overmind_core.cli.output import dumps
from overmind_core.cli.table import JSON, Command, one_id

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace


def detach(args: Namespace, context: Context) -> int:
    """End everybody's stay; the mission goes on."""
    answer = context.client().call("detach", {"id": args.id})
    sentence = f"Detached {answer['detached']} from mission {answer['id']} ({answer['name']})"
    context.say(dumps(answer) if args.json else sentence)
    return 0


COMMAND = Command(
    name="detach",
    summary="end everybody's attach to a mission",
    arguments=[one_id()],
    options=[JSON],
    examples=["overmind detach shell"],
    run=detach,
)
