"""`overmind commit`: commit everything in a mission's worktree."""

from __future__ import annotations

from overmind_core.cli.context import Context
from overmind_core.cli.output import dumps
from overmind_core.cli.table import JSON, Command, one_id, option
from overmind_core.domain.cells import display_safe
from overmind_core.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace


def commit(args: Namespace, context: Context) -> int:
    """Commit, and print what that made."""
    if not args.message:
        raise UsageError("Missing message: say what it is about with -m TEXT")
    from overmind_core.cli.isolation.said import told_in_full  # start-up: --help needs none

    with told_in_full(context):
        done = context.client().call("commit", {"id": args.id, "message": "\n\n".join(args.message)})
    if args.json:
        context.say(dumps(done))
    else:
        files = f"{done['files']} file{'' if done['files'] == 1 else 's'}"
        context.say(display_safe(f"Committed {files} of {done['name']}: {done['subject']} ({done['commit'][:9]})"))
    return 0


COMMAND = Command(
    name="commit",
    summary="commit everything in a mission's worktree",
    arguments=[one_id()],
    options=[
        option("--message", "TEXT", "what it is about; several are paragraphs", short="-m", repeat=True),
        JSON,
    ],
    examples=["overmind commit red -m 'Add the cart'", "overmind commit red -m 'Add the cart' -m 'Closes the gap.'"],
    notes=(
        "New, changed and removed files, but what git ignores. The repository's hooks run, and the author is\n"
        "the same as of any commit of yours. The mission may run meanwhile."
    ),
    run=commit,
)
