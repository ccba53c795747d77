"""`overmind interrupt`: end a session's turn, and keep the session."""

from __future__ import annotations

from overmind_core.cli.context import Context
from overmind_core.cli.each import each
from overmind_core.cli.table import JSON, Command, ids

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping
    from typing import Any


def interrupt(args: Namespace, context: Context) -> int:
    """Interrupt each of them."""
    requests = [{"id": mission} for mission in args.ids]
    return each(context, context.client(), "interrupt", requests, line=_line, as_json=args.json)


def _line(answer: Mapping[str, Any]) -> str:
    if answer["interrupted"]:
        return f"Interrupted mission {answer['id']}"
    return f"Mission {answer['id']} was idle"


COMMAND = Command(
    name="interrupt",
    summary="end the turn that a session is in; the session stays",
    arguments=[ids()],
    options=[JSON],
    examples=["overmind interrupt planner", "overmind interrupt planner && overmind send planner do it otherwise"],
    run=interrupt,
)
