"""`overmind quest logs`: what quests, or their checks, wrote."""

from __future__ import annotations

from overmind_core.cli.commands import logs
from overmind_core.cli.context import Context
from overmind_core.cli.quests import quests
from overmind_core.cli.table import Command, flag
from overmind_core.errors import OvermindError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping
    from typing import Any


def quest_logs(args: Namespace, context: Context) -> int:
    """Show the logs of their missions, as `logs` does."""
    client = context.client()
    rows = [client.call("quest", {"id": quest}) for quest in args.ids]
    args.ids = [_check(row) if args.check else _work(row) for row in rows]
    return logs.logs(args, context)


def _work(row: Mapping[str, Any]) -> str:
    if row["mission"] is None:
        raise OvermindError(
            "gone", f"The mission of quest {row['id']} ({row['name']}) was removed, and its log with it."
        )
    return str(row["mission"])


def _check(row: Mapping[str, Any]) -> str:
    if row["check_id"] is None:
        raise OvermindError("not_found", f"Quest {row['id']} ({row['name']}) was not checked so far.")
    return str(row["check_id"])


COMMAND = Command(
    name="quest logs",
    summary="show what quests wrote",
    arguments=[quests()],
    options=[flag("--check", "what the newest check wrote, instead of the work"), *logs.COMMAND.options],
    examples=["overmind quest logs docs", "overmind quest logs -f docs", "overmind quest logs --check docs"],
    notes="The same as `overmind logs` for the quest's mission: a try after the first is another run of it (--run 2).",
    run=quest_logs,
)
