"""`overmind merge-step`: what a plan runs to land the work of its agents. Commits and merges one after the other."""

from __future__ import annotations

from overmind_core.cli.context import Context
from overmind_core.cli.table import Command, argument, flag, option
from overmind_core.errors import OvermindError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator

_NOTHING = frozenset({"nothing_to_commit", "not_isolated"})
"""Nothing is uncommitted; or there was nothing at all, so that the worktree was removed."""
_TRIES = 50
"""How often a daemon may go away in the middle: the next one knows whether it landed."""


def merge_step(args: Namespace, context: Context) -> int:
    """Land each; the first that can't be landed is the end."""
    options = list(_options(args))
    for agent, mission in map(_named, args.agents):
        context.say(f"--- {agent} ---")
        _commit(mission, f"{args.plan}: work of {agent}", context)
        _merge(mission, options, context)
    return 0


def _named(word: str) -> tuple[str, str]:
    agent, equals, mission = word.partition("=")
    if not equals:
        raise UsageError(f"{word!r}: write AGENT=MISSION.")
    return agent, mission


def _options(args: Namespace) -> Iterator[str]:
    for name in ("into", "verify"):
        if (value := getattr(args, name)) is not None:
            yield f"--{name}={value}"
    for name in ("squash", "rebase"):
        if getattr(args, name):
            yield f"--{name}"


def _commit(mission: str, message: str, context: Context) -> None:
    """What it left uncommitted is its work, too."""
    try:
        _run(["commit", mission, "-m", message], context)
    except OvermindError as error:
        if error.code not in _NOTHING:
            raise


def _merge(mission: str, options: list[str], context: Context) -> None:
    """Once more is no mistake: the step may have been interrupted."""
    try:
        _run(["merge", mission, *options], context)
    except OvermindError as error:
        if error.code not in {"nothing_to_merge", "not_isolated"}:
            raise
        context.say("Nothing to merge.")


def _run(words: list[str], context: Context) -> None:
    """Run one of our commands, again when the daemon was lost: the second time it has nothing left to do."""
    from overmind_core.cli.main import run  # it imports what imports this

    for left in reversed(range(_TRIES)):
        try:
            run(words, context)
        except OvermindError as error:
            if error.code != "daemon_lost" or not left:
                raise
        else:
            return


COMMAND = Command(
    name="merge-step",
    summary="land what agents of a plan have done; for plans, not for people",
    arguments=[argument("agents", "name and mission of each agent", nargs="+", metavar="agent=mission")],
    options=[
        option("--plan", "NAME", "the plan, for messages"),
        option("--into", "BRANCH", "as of merge"),
        option("--verify", "CMD", "as of merge", dashes=True),
        flag("--squash", "as of merge"),
        flag("--rebase", "as of merge"),
    ],
    examples=["overmind merge-step --plan release --into main api=a1b2c3d4 ui=b2c3d4e5"],
    run=merge_step,
)
