"""Commands about the worktrees of missions: list them, and prune those that nobody needs any more."""

from __future__ import annotations

import os
import re

from overmind_core.cli import caller_environment
from overmind_core.cli.command import JSON, YES, Command, flag
from overmind_core.cli.context import Context, confirmed_removal
from overmind_core.cli.isolation.commands import HERE
from overmind_core.cli.output import ABSENT, STATUS_COLOURS, coloured, dumps, or_absent, size, table
from overmind_core.domain.text.bytestrings import from_wire
from overmind_core.domain.text.cells import display_safe
from overmind_core.errors import FAILED, UsageError

TYPE_CHECKING = False

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Mapping
    from typing import Any

    from overmind_core.client.client import Client

    Row = Mapping[str, Any]


_COMMIT = re.compile(r"[0-9a-f]{40,64}")
"""A base that has no name."""


def _known(row: Row, cell: Callable[[], str]) -> str:
    return ABSENT if row["problem"] else cell()


def _work(row: Row) -> str:
    if row["problem"]:
        return "broken"
    if row.get("operation"):  # the daemon of another machine may not know it
        return str(row["operation"])
    kinds = {
        "uncommitted": row["dirty"],
        "unmerged": not row["merged"],
        "elsewhere": row.get("elsewhere"),  # same
        "ignored": row.get("ignored"),
        "merged": row["ahead"],
    }
    return next((word for word, holds in kinds.items() if holds), "clean")


def _port(service: str, port: int) -> str:
    return f"{service}:{port}" if service else str(port)


COLUMNS: dict[str, Callable[[Row], str]] = {
    "MISSION": lambda row: row["mission"],
    "NAME": lambda row: row["name"],
    "STATUS": lambda row: or_absent(row["status"]),
    "BRANCH": lambda row: row["branch"],
    "BASE": lambda row: or_absent(_COMMIT.sub(lambda found: found[0][:9], row["base"] or "")),
    "COMMITS": lambda row: _known(row, lambda: f"+{row['ahead']} -{row['behind']}"),
    "FILES": lambda row: _known(row, lambda: str(row["files"])),
    "LINES": lambda row: _known(row, lambda: f"+{row['insertions']} -{row['deletions']}"),
    "WORK": _work,
    "PORTS": lambda row: or_absent(" ".join(_port(*one) for one in row["ports"].items())),
    "CONTAINERS": lambda row: or_absent(" ".join(f"{name}:{state}" for name, state in row["containers"].items())),
    "SIZE": lambda row: size(row["size_bytes"]),
    "PATH": lambda row: row["path"],
}
"""Title → cell of a row of `worktrees --json`."""


def worktrees(args: Namespace, context: Context) -> int:
    """Print them in the order in which their missions began."""
    if context.hive is not None and args.here:
        raise UsageError("--here is about a folder of this machine, and can't be used with -H.")
    request = {"sizes": args.sizes, **({"cwd": caller_environment.working_directory(None)} if args.here else {})}
    with context.waiting_for_git("worktrees"):
        rows = context.client().call("worktrees", request)["worktrees"]
    if args.json:
        context.print(dumps(rows))
        return 0
    if not rows:
        context.hint("No mission has a worktree. Start one with: overmind run --isolate 'make test'")
    titles = [title for title in COLUMNS if args.sizes or title != "SIZE"]
    colours = STATUS_COLOURS if coloured(context.environ) else None
    context.print(table(titles, [[COLUMNS[title](row) for title in titles] for row in rows], colours=colours))
    broken = [row for row in rows if row["problem"]]
    near = [row for row in broken if _is_around(row["source"])]
    for row in near:
        context.note(display_safe(f"{row['name']}: {row['problem']}"))
    if len(near) < len(broken):
        context.hint("Worktrees of other repositories are broken. See why with: overmind worktrees --json")
    return 0


def _is_around(source: str) -> bool:
    """Whether a repository is the one that the caller stands in."""
    try:
        return f"{os.getcwd()}/".startswith(f"{from_wire(source)}/")
    except OSError:
        return False


WORKTREES = Command(
    name="worktrees",
    options=[flag("--sizes", "show the disk space of each"), HERE, JSON],
    examples=[
        "overmind worktrees",
        "overmind worktrees --here",
        "overmind worktrees --sizes",
        "overmind worktrees --json",
    ],
    notes=(
        "COMMITS: ahead of the base and behind it. FILES, LINES: changes since the branch left the base, "
        "uncommitted work included. WORK: work that has not landed; elsewhere: not landed, but another branch has its "
        "commits, too; ignored: all landed, kept for files that git ignores; merged: landed as other commits; clean: "
        "none. Removed missions stay until their worktree is gone."
    ),
    run=worktrees,
)


def worktrees_prune(args: Namespace, context: Context) -> int:
    """Remove them, and say what is kept and why."""
    if context.hive is not None and not args.all:
        raise UsageError(f"There is no current repository on {context.hive.name}. Prune those of all with: --all")
    client = context.client()
    shown: Row = {}
    if not args.dry_run and not args.yes:
        planned = _prune(client, args, context, dry=True)
        if not _agreed(planned):
            return FAILED
        shown = {key: planned[key] for key in ("as_shown",) if key in planned}  # another release's hive says none
    answer = _prune(client, args, context, dry=args.dry_run, shown=shown)
    if args.json:
        context.print(dumps(answer))
        return 0
    from overmind_core.view.landing import removed_lines  # start-up: --help and --json need none

    for line in removed_lines(answer, "Would remove" if args.dry_run else "Removed"):
        context.print(display_safe(line))
    if not answer["removed"] and not answer["kept"]:
        context.hint("No mission has a worktree." if args.all else "No mission has a worktree of this repository.")
    return 0


def _prune(client: Client, args: Namespace, context: Context, *, dry: bool, shown: Row | None = None) -> Row:
    """Ask for it; `shown`: what the person was asked about, beside which nothing goes."""
    where = {} if args.all else {"cwd": caller_environment.working_directory(None)}
    with context.waiting_for_git("worktrees_prune"):
        answer: Row = client.call("worktrees_prune", {"force": args.force, "dry_run": dry, **where, **(shown or {})})
    return answer


def _agreed(planned: Mapping[str, Any]) -> bool:
    """Name the work that would be lost, or the worktrees where several go, and ask."""
    removed = planned["removed"]
    if not removed or (len(removed) == 1 and not removed[0]["lost"]):
        return True
    from overmind_core.view.landing import discard_question  # start-up: only before something goes

    return confirmed_removal(discard_question(planned), yes=False)


WORKTREES_PRUNE = Command(
    name="worktrees prune",
    options=[
        flag("--all", "worktrees of all repositories (default: the current one)", short="-a"),
        flag("--dry-run", "report without removing anything"),
        flag("--force", "remove uncommitted and unmerged work too"),
        YES,
        JSON,
    ],
    examples=["overmind worktrees prune --dry-run", "overmind worktrees prune", "overmind worktrees prune --all"],
    notes=(
        "Each worktree is removed with its branch, containers and volumes. Worktrees that are kept are named with the "
        "reason."
    ),
    run=worktrees_prune,
)

COMMANDS = (WORKTREES, WORKTREES_PRUNE)
