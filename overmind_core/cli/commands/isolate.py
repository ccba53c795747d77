"""`overmind isolate --check`: what a mission in this project would get for itself, without changing anything."""

from __future__ import annotations

from overmind_core.cli.context import Context
from overmind_core.cli.isolation.project import FOLDER, request_of
from overmind_core.cli.output import dumps
from overmind_core.cli.table import JSON, Command, flag
from overmind_core.errors import FAILED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace


def isolate(args: Namespace, context: Context) -> int:
    """Explain; exit status 1 when it would not work."""
    from overmind_core.cli.isolation.explained import is_wrong, text_of  # start-up: --help needs none

    answer = context.client(start=True).call("isolate", request_of(args, context))
    context.say(dumps(answer) if args.json else text_of(answer))
    return FAILED if is_wrong(answer) else 0


COMMAND = Command(
    name="isolate",
    summary="explain what a mission here gets for itself: worktree, ports, services",
    arguments=[FOLDER],
    options=[flag("--check", "changes nothing: to explain is all that it does"), JSON],
    examples=["overmind isolate --check", "overmind isolate --check ~/src/shop", "overmind isolate --check --json"],
    notes=(
        "It reads the project's .overmind.yml and looks at git, the ports and the container engine; nothing is made\n"
        "and nothing is run. Exit status 1 when something is wrong. Write such a file: overmind init --isolation"
    ),
    run=isolate,
)
