"""`overmind discard`: remove what missions have of their own."""

from __future__ import annotations

from overmind_core.cli.context import Context
from overmind_core.cli.each import each
from overmind_core.cli.isolation.removed import line
from overmind_core.cli.table import JSON, Command, flag, ids

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping
    from typing import Any


def discard(args: Namespace, context: Context) -> int:
    """Discard each of them."""
    requests = [{"id": mission, "force": args.force} for mission in args.ids]
    return each(context, context.client(), "discard", requests, line=_line, as_json=args.json)


def _line(answer: Mapping[str, Any]) -> str:
    return f"Discarded {line(answer)}"


COMMAND = Command(
    name="discard",
    summary="remove the worktree, branch, containers and volumes of ended missions",
    arguments=[ids()],
    options=[flag("--force", "also work that is not committed, or merged nowhere"), JSON],
    examples=["overmind discard red", "overmind discard red --force"],
    notes=(
        "Work that would be lost is named, and kept without --force. The mission and its log stay: see `overmind rm`.\n"
        "A live mission has to be stopped or killed before."
    ),
    run=discard,
)
