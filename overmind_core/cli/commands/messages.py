"""`overmind messages`: what a session was sent, and how far each message came."""

from __future__ import annotations

from overmind_core.cli.context import Context
from overmind_core.cli.output import dumps, or_absent, table, text_cell
from overmind_core.cli.table import JSON, Command, one_id, option
from overmind_core.cli.values import whole
from overmind_core.domain.cells import display_safe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping, Sequence
    from typing import Any

    Row = Mapping[str, Any]

TITLES = ("MESSAGE", "STATE", "SENT", "FROM", "ERROR", "TEXT")


def messages(args: Namespace, context: Context) -> int:
    """List them, or withdraw one that is queued."""
    request = {"id": args.id} if args.cancel is None else {"id": args.id, "cancel": args.cancel}
    rows = context.client().call("messages", request)
    if args.json:
        context.say(dumps(rows))
    elif args.cancel is not None:
        context.say(f"Cancelled message {args.cancel}")
    else:
        if not rows:
            context.hint(f"No messages yet. Send a session one with: overmind send {display_safe(args.id)} 'TEXT'")
        context.say(shown(rows))
    return 0


def shown(rows: Sequence[Row]) -> str:
    """Return the table."""
    return table(TITLES, [_cells(row) for row in rows])


def _cells(row: Row) -> list[str]:
    again = " (again)" if row["resent"] else ""
    sent, sender, error = row["created_at"], row["sender"], row["error"]
    return [
        str(row["message"]),
        row["state"] + again,
        sent,
        or_absent(sender),
        or_absent(error),
        text_cell(row["text"]),
    ]


COMMAND = Command(
    name="messages",
    summary="list the messages of a session, or withdraw one",
    arguments=[one_id()],
    options=[option("--cancel", "N", "withdraw this message, if it is still queued", parse=whole), JSON],
    examples=["overmind messages planner", "overmind messages planner --cancel 12"],
    notes=(
        "A message is queued, delivered, then answered; or failed, or cancelled. (again): the agent died with it, so\n"
        "that it was sent once more."
    ),
    run=messages,
)
