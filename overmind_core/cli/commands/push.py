"""`overmind push`: push a mission's branch."""

from __future__ import annotations

from overmind_core.cli.context import Context
from overmind_core.cli.output import dumps
from overmind_core.cli.table import JSON, Command, one_id, option
from overmind_core.domain.cells import display_safe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace


def push(args: Namespace, context: Context) -> int:
    """Push, and print where to."""
    from overmind_core.cli.isolation.said import told_in_full  # start-up: --help needs none

    with told_in_full(context):
        done = context.client().call("push", {"id": args.id, "remote": args.remote})
    if args.json:
        context.say(dumps(done))
        return 0
    context.say(display_safe(f"Pushed {done['branch']} to {done['remote']} ({done['commit'][:9]})"))
    if left := len(done["uncommitted"]):
        verb = "is" if left == 1 else "are"
        context.note(f"{left} file{'' if left == 1 else 's'} of {done['name']} {verb} not committed, so not pushed.")
    return 0


COMMAND = Command(
    name="push",
    summary="push a mission's branch",
    arguments=[one_id()],
    options=[
        option("--remote", "NAME", "where to; default: the remote of its branch or base, origin, or the only one"),
        JSON,
    ],
    examples=["overmind push red", "overmind push red --remote fork"],
    notes="The branch keeps its name there. Never by force; git asks nobody for a password: have an agent or a helper.",
    run=push,
)
