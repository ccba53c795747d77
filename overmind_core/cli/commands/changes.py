"""`overmind changes`: what a mission has changed."""

from __future__ import annotations

import sys

from overmind_core.cli.context import Context
from overmind_core.cli.output import coloured, dumps
from overmind_core.cli.table import JSON, Command, flag, one_id
from overmind_core.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping
    from typing import Any


NAMED = 5
"""Files that are named in a sentence."""


def changes(args: Namespace, context: Context) -> int:
    """Print the diff, or what is asked for instead."""
    if args.stat + args.name_only + args.json > 1:
        raise UsageError("--stat, --name-only and --json don't go together")
    found = context.client().call("changes", {"id": args.id})
    if args.json:
        context.say(dumps(found))
        return 0
    if not found["files"]:
        context.hint(f"{found['name']} has changed nothing since {found['base']}.")
        return 0
    _show(args, context, found)
    if found["cut"]:
        context.note(found["cut"])
    if not args.stat and not args.name_only and not sys.stdout.isatty():
        _tell_binary(context, found["files"])
    return 0


def _tell_binary(context: Context, files: list[Mapping[str, Any]]) -> None:
    """A diff only names them, so that `git apply` refuses all of it."""
    from overmind_core.domain.cells import display_safe

    names = [display_safe(one["path"]) for one in files if one["binary"]]
    if names:
        more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
        what = "is" if len(names) == 1 else "are"
        context.note(f"{', '.join(names[:NAMED])}{more} {what} binary: only a commit and a merge carry such files.")


def _show(args: Namespace, context: Context, found: Mapping[str, Any]) -> None:
    from overmind_core.cli.isolation import difftext  # start-up: --help needs none
    from overmind_core.domain.cells import display_safe

    colour, person = coloured(context.environ), sys.stdout.isatty()
    if args.stat:
        context.say("\n".join(difftext.stat(found["files"], colour=colour)))
    elif args.name_only:
        names = [one["path"] for one in found["files"]]
        if person:
            context.say("\n".join(map(display_safe, names)))
        else:
            difftext.write("".join(f"{name}\n" for name in names))
    elif person:
        context.say("\n".join(difftext.shown(found["diff"], colour=colour)))
    else:
        difftext.write(found["diff"])


COMMAND = Command(
    name="changes",
    summary="show what a mission has changed, uncommitted work included",
    arguments=[one_id()],
    options=[
        flag("--stat", "the files, with how many lines were added and removed"),
        flag("--name-only", "the files alone"),
        JSON,
    ],
    examples=["overmind changes red", "overmind changes red --stat", "overmind changes red | git apply"],
    notes=(
        "A diff against the commit at which the mission's branch left its base; files that git does not know yet are\n"
        "in it (? in --stat), those that it ignores are not. A mission without a worktree: what is not committed in\n"
        "the repository where it works. Nothing is touched, not even git's index. Page by page:\n"
        "`overmind changes red | less`, or `v` in the full-screen program."
    ),
    run=changes,
)
