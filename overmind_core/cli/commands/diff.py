"""`overmind diff`: how the plan in a file differs from the live one."""

from __future__ import annotations

from overmind_core.cli.blueprint.options import FILE, VAR
from overmind_core.cli.context import Context
from overmind_core.cli.output import dumps
from overmind_core.cli.table import JSON, Command, flag
from overmind_core.errors import FAILED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace


def diff(args: Namespace, context: Context) -> int:
    """Print a line for each change; return 1 for a difference only when asked to."""
    from overmind_core.cli.blueprint.applying import change_lines, request_of  # start-up: --help needs none
    from overmind_core.cli.blueprint.load import load

    blueprint = load(args.file, args.var, context)
    request = request_of(blueprint, args.file, context.environ, dry_run=True)
    changes = context.client().call("apply", request)["changes"]
    if args.json:
        context.say(dumps(changes))
    elif changes:
        context.say("\n".join(change_lines(changes)))
    else:
        context.hint(f"The live plan {blueprint.name} is what {args.file} says.")
    return FAILED if changes and args.exit_code else 0


COMMAND = Command(
    name="diff",
    summary="show what `apply` would change: + new, ~ changed, - gone",
    arguments=[FILE],
    options=[VAR, flag("--exit-code", "exit with 1 when there is a difference"), JSON],
    examples=["overmind diff release.toml", "overmind diff release.toml --exit-code --var base=main"],
    notes="Compares with the live plan of the same name; without one, all is new. No difference, no output.",
    run=diff,
)
