"""`overmind worktrees prune`: remove worktrees that nobody needs any more."""

from __future__ import annotations

from overmind_core.cli.ask import agreed
from overmind_core.cli.context import Context
from overmind_core.cli.isolation.removed import line
from overmind_core.cli.output import dumps
from overmind_core.cli.table import JSON, YES, Command, flag
from overmind_core.domain.cells import display_safe
from overmind_core.errors import FAILED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping
    from typing import Any


def worktrees_prune(args: Namespace, context: Context) -> int:
    """Remove them, and say what is kept and why."""
    client = context.client()
    if args.force and not args.dry_run and not _agreed(args, client.call("worktrees_prune", _request(args, dry=True))):
        return FAILED
    answer = client.call("worktrees_prune", _request(args, dry=args.dry_run))
    if args.json:
        context.say(dumps(answer))
        return 0
    verb = "Would remove" if args.dry_run else "Removed"
    for one in answer["removed"]:
        lost = f" ({one['lost']} lost)" if one["lost"] else ""
        context.say(f"{verb} {line(one)}{lost}")
    for one in answer["kept"]:
        context.say(display_safe(f"Kept {one['name']}: {one['why']}"))
    if not answer["removed"] and not answer["kept"]:
        context.hint("No mission has a worktree.")
    return 0


def _request(args: Namespace, *, dry: bool) -> dict[str, bool]:
    return {"force": args.force, "dry_run": dry}


def _agreed(args: Namespace, planned: Mapping[str, Any]) -> bool:
    """Name the work that would be lost, and ask."""
    lost = [f"{one['name']} ({one['lost']})" for one in planned["removed"] if one["lost"]]
    return not lost or agreed(f"Lose the work of {', '.join(lost)}?", yes=args.yes)


COMMAND = Command(
    name="worktrees prune",
    summary="remove the worktrees of ended missions whose work is merged, or that have none",
    options=[
        flag("--dry-run", "only say what would be removed"),
        flag("--force", "also where work is not committed, or merged nowhere"),
        YES,
        JSON,
    ],
    examples=["overmind worktrees prune --dry-run", "overmind worktrees prune"],
    notes="With each worktree go its branch, containers and volumes. What is kept is named, with the reason.",
    run=worktrees_prune,
)
