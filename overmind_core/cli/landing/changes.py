"""Commands about a mission's work: changes, commit, push, discard; and how diffs and removals are printed.

A diff on stdout is as git made it for programs; for a person it is harmless lines, with colours.
"""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager

from overmind_core.cli.command import JSON, Command, flag, ids, one_id, option
from overmind_core.cli.context import Context, call_each
from overmind_core.cli.output import coloured, dumps
from overmind_core.domain.text.bytestrings import from_wire
from overmind_core.domain.text.cells import display_safe, pad, width
from overmind_core.errors import OvermindError, UsageError

TYPE_CHECKING = False

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    File = Mapping[str, Any]


NAMED = 5
"""Files that are named in a sentence."""


def changes(args: Namespace, context: Context) -> int:
    """Print the diff, or what is asked for instead."""
    if args.stat + args.name_only + args.json > 1:
        raise UsageError("--stat, --name-only and --json can't be used together")
    with context.waiting_for_git("changes", [args.id]):
        found = context.client().call("changes", {"id": args.id})
    if args.json:
        context.print(dumps(found))
        return 0
    if found.get("note"):  # which also says that there are none
        context.hint(display_safe(found["note"]))
    elif not found["files"]:
        context.hint(f"{found['name']} has no changes since {found['base']}.")
    if not found["files"]:
        return 0
    _show(args, context, found)
    if found["cut"]:
        context.note(found["cut"])
    if not args.stat and not args.name_only and not sys.stdout.isatty():
        _warn_about_binary(context, found["files"])
    return 0


def _warn_about_binary(context: Context, files: list[Mapping[str, Any]]) -> None:
    """Name binary files: a diff only names them, so that `git apply` refuses all of it."""
    names = [display_safe(one["path"]) for one in files if one["binary"]]
    if names:
        more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
        what = "is" if len(names) == 1 else "are"
        context.note(f"{', '.join(names[:NAMED])}{more} {what} binary: only commits and merges include binary files.")


def _show(args: Namespace, context: Context, found: Mapping[str, Any]) -> None:
    colour, person = coloured(context.environ), sys.stdout.isatty()
    if args.stat:
        context.print("\n".join(stat_lines(found["files"], colour=colour)))
    elif args.name_only:
        names = [one["path"] for one in found["files"]]
        if person:
            context.print("\n".join(map(display_safe, names)))
        else:
            write_bytes("".join(f"{name}\n" for name in names))
    elif person:
        context.print("\n".join(diff_lines(found["diff"], colour=colour)))
    else:
        write_bytes(found["diff"])


CHANGES = Command(
    name="changes",
    arguments=[one_id()],
    options=[
        flag("--stat", "list the files with the number of lines added and removed"),
        flag("--name-only", "list only the files"),
        JSON,
    ],
    examples=["overmind changes red", "overmind changes red --stat", "overmind changes red | git apply"],
    notes=(
        "Compares with the commit where the mission's branch left its base. Untracked files are included (? in "
        "--stat), ignored files are not. For a mission without a worktree it prints the uncommitted changes of the "
        "repository where the mission works; for a quest with --review, what changed there since its attempt began, "
        "by whomever. Once all of its work has landed, or its worktree is gone, it prints what "
        "landed. Nothing is touched, not even git's index. Page by page: `overmind changes red | less`, or `v` in the "
        "full-screen program."
    ),
    run=changes,
)


def commit(args: Namespace, context: Context) -> int:
    """Commit, and print what that made."""
    if not args.message:
        raise UsageError("Missing message: give one with -m TEXT")

    with git_output_shown(context), context.waiting_for_git("commit", [args.id]):
        done = context.client().call("commit", {"id": args.id, "message": "\n\n".join(args.message)})
    if args.json:
        context.print(dumps(done))
    else:
        files = f"{done['files']} file{'' if done['files'] == 1 else 's'}"
        context.print(display_safe(f"Committed {files} of {done['name']}: {done['subject']} ({done['commit'][:9]})"))
    return 0


COMMIT = Command(
    name="commit",
    arguments=[one_id()],
    options=[
        option("--message", "TEXT", "commit message; several become paragraphs", short="-m", repeat=True),
        JSON,
    ],
    examples=["overmind commit red -m 'Add the cart'", "overmind commit red -m 'Add the cart' -m 'Closes the gap.'"],
    notes=(
        "Commits new, changed and removed files, except ignored ones. The repository's hooks run, and the author "
        "is the same as for your own commits. The mission can keep running."
    ),
    run=commit,
)


def push(args: Namespace, context: Context) -> int:
    """Push, and print where to."""
    with git_output_shown(context), context.waiting_for_git("push", [args.id]):
        done = context.client().call("push", {"id": args.id, "remote": args.remote})
    if args.json:
        context.print(dumps(done))
        return 0
    context.print(display_safe(f"Pushed {done['branch']} to {done['remote']} ({done['commit'][:9]})"))
    if left := len(done["uncommitted"]):
        verb = "is" if left == 1 else "are"
        context.note(f"{left} file{'' if left == 1 else 's'} of {done['name']} {verb} not committed, so not pushed.")
    return 0


PUSH = Command(
    name="push",
    arguments=[one_id()],
    options=[
        option("--remote", "NAME", "remote to push to; default: that of its branch or base, origin, or the only one"),
        JSON,
    ],
    examples=["overmind push red", "overmind push red --remote fork"],
    notes=(
        "The branch keeps its name on the remote. Nothing is pushed by force. git never prompts for a password: set up "
        "an SSH agent or a credential helper."
    ),
    run=push,
)


_HEAD, _PLACE, _NEW, _OLD = "1", "36", "32", "31"
"""SGR numbers, those of git: see ECMA-48."""
_PATH_CELLS = 60
_BEGIN_OF_FILE, _BEGIN_OF_PLACE = "diff --git ", "@@"


def write_bytes(text: str) -> None:
    """Write text of the wire to a program, byte for byte."""
    sys.stdout.flush()
    sys.stdout.buffer.write(os.fsencode(from_wire(text)))
    sys.stdout.buffer.flush()


def diff_lines(diff: str, *, colour: bool) -> Iterator[str]:
    """Yield the lines for a person: nothing in them drives a terminal."""
    inside = False
    for line in diff.removesuffix("\n").split("\n"):
        if line.startswith(_BEGIN_OF_FILE):
            inside = False
        elif line.startswith(_BEGIN_OF_PLACE):
            inside = True
        safe = safe_line(line)
        code = _colour(line, inside=inside) if colour else ""
        yield f"\x1b[{code}m{safe}\x1b[0m" if code and safe else safe


def safe_line(line: str) -> str:
    """Return a line that keeps its tabs and nothing else that a terminal acts on."""
    return "\t".join(map(display_safe, line.split("\t")))


def stat_lines(files: Sequence[File], *, colour: bool) -> Iterator[str]:
    """Yield a line for each file, and one for all together."""
    names = [_name(one) for one in files]
    cells = min(max(map(width, names), default=0), _PATH_CELLS)
    for name, one in zip(names, files, strict=True):
        yield f" {one['status']} {pad(name, cells)} | {_counts(one, colour=colour)}"
    added, removed = (sum(one[key] for one in files) for key in ("added", "removed"))
    yield f" {_number(len(files), 'file')} changed, {_number(added, 'line')} added, {_number(removed, 'line')} removed"


def _name(one: File) -> str:
    name = display_safe(one["path"])
    return name if one["old_path"] is None else f"{display_safe(one['old_path'])} => {name}"


def _counts(one: File, *, colour: bool) -> str:
    if one["binary"]:
        return "binary"
    added, removed = f"+{one['added']}", f"-{one['removed']}"
    return f"\x1b[{_NEW}m{added}\x1b[0m \x1b[{_OLD}m{removed}\x1b[0m" if colour else f"{added} {removed}"


def _colour(line: str, *, inside: bool) -> str:
    if not inside:
        return _HEAD
    return {"+": _NEW, "-": _OLD, "@": _PLACE}.get(line[:1], "")


def _number(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def discard(args: Namespace, context: Context) -> int:
    """Discard each of them."""
    requests = [{"id": mission, "force": args.force} for mission in args.ids]
    with context.waiting_for_git("discard", args.ids):
        return call_each(context, context.client(), "discard", requests, line=_discarded_line, as_json=args.json)


def _discarded_line(answer: Mapping[str, Any]) -> str:
    from overmind_core.view.landing import removed_line  # start-up: only once something is gone

    return display_safe(f"Discarded {removed_line(answer)}")


DISCARD = Command(
    name="discard",
    arguments=[ids()],
    options=[flag("--force", "discard uncommitted and unmerged work too"), JSON],
    examples=["overmind discard red", "overmind discard red --force"],
    notes=(
        "Without --force, work that would be lost is kept and named. The mission and its log stay: see `overmind "
        "rm`. Stop or kill a live mission first."
    ),
    run=discard,
)


@contextmanager
def git_output_shown(context: Context) -> Iterator[None]:
    """Show on stderr all that git or a hook wrote, where that is more than the refusal's sentence."""
    try:
        yield
    except OvermindError as error:
        lines = str(error.fields.get("output") or "").split("\n")
        if len(lines) > 1:
            context.note("\n".join(map(safe_line, lines)))
        raise


COMMANDS = (CHANGES, COMMIT, PUSH, DISCARD)
