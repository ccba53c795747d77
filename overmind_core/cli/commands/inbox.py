"""`overmind inbox`: what agents wait for, with the exact words that they ask about."""

from __future__ import annotations

import time

from overmind_core.cli.context import Context
from overmind_core.cli.output import coloured, dumps
from overmind_core.cli.table import JSON, Command, flag
from overmind_core.domain import subject
from overmind_core.domain.cells import display_safe
from overmind_core.domain.duration import format_uptime
from overmind_core.domain.moment import parse_time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    Question = Mapping[str, Any]

_INDENT = "    "
_BOLD = "\x1b[1m{}\x1b[0m"


def inbox(args: Namespace, context: Context) -> int:
    """Print what waits, once or again and again."""
    client = context.client()

    def draw() -> str:
        questions = client.call("inbox")
        return dumps(questions) if args.json else shown(questions, time.time(), bold=coloured(context.environ))

    if args.watch:
        from overmind_core.cli.watch import redraw  # start-up: rarely needed

        redraw(draw)
    text = draw()
    if text:
        context.say(text)
    else:
        context.hint("Nobody waits for you. See what all are doing with: overmind ps --wide")
    return 0


def shown(questions: Sequence[Question], now: float, *, bold: bool = False) -> str:
    """Return the questions, oldest first, a block each; `now` in seconds since the epoch."""
    return "\n\n".join("\n".join(_block(question, now, bold=bold)) for question in questions)


def _block(question: Question, now: float, *, bold: bool) -> Iterator[str]:
    waits = format_uptime(now - parse_time(question["asked_at"], now))
    what = f"{question['tool']} {question['need']}".strip()
    head = f"{question['question']}  {display_safe(question['name'])} ({question['id']})  {display_safe(what)}  {waits}"
    yield _BOLD.format(head) if bold else head
    body = subject.lines(question["subject"]) or [question["summary"]]
    yield from (_INDENT + display_safe(line) for line in body)
    yield from (f"{_INDENT}{line}" for line in _ways(question))


def _ways(question: Question) -> Iterator[str]:
    """How it can be answered, where that is not plain."""
    if question["attach_only"]:
        yield f"→ only in its own terminal: overmind attach {question['id']}"
        return
    if question["options"]:
        yield f"→ overmind answer {question['question']} allow --option LABEL"
    if question["rule"]:
        yield f"→ always stores: {display_safe(question['rule'])}"


COMMAND = Command(
    name="inbox",
    summary="show what agents wait for: permissions, questions, plans, dialogs",
    options=[flag("--watch", "show it again each second, until ctrl-c"), JSON],
    examples=["overmind inbox", "overmind inbox --watch", "overmind inbox --json | jq '.[0].subject'"],
    notes="Each begins with its number, which answers it: overmind answer 7 allow. $ is a command, - and + a change.",
    run=inbox,
)
